//! Progress of a run, for a display.

use std::collections::BTreeMap;

use crate::model::{Millis, QualifiedName};

/// What a run is doing.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A phase begins.
    Begin {
        /// The phase.
        what: &'a str,
        /// Its number of steps.
        steps: usize,
    },
    /// A step begins.
    Step(&'a str),
    /// The phase is over.
    End,
    /// Indexes are about to be built on the server.
    Builds(&'a BuildPlan),
}

/// What is about to be built on the server.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildPlan {
    /// The number of indexes by table.
    pub tables: BTreeMap<QualifiedName, usize>,
    /// How long all of it is expected to take, pauses not included.
    pub time: Millis,
    /// Is one of the tables written to, as far as is known?
    pub has_writes: bool,
}

/// A callback for progress events.
pub type Observer<'a> = &'a dyn Fn(Event<'_>);
