//! Progress of a run, for a display.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::index::Index;
use crate::model::{Millis, QualifiedName};
use crate::verdict::expected_build;

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
    /// What there is to say of the step that goes on.
    Detail(&'a str),
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

impl BuildPlan {
    /// What building these indexes means for a server with this catalog.
    pub fn of<'i>(indexes: impl IntoIterator<Item = &'i Index>, catalog: &Catalog) -> BuildPlan {
        let mut plan = BuildPlan {
            tables: BTreeMap::new(),
            time: Millis::default(),
            has_writes: false,
        };
        for index in indexes {
            *plan.tables.entry(index.table.clone()).or_default() += 1;
            let table = catalog.table(&index.table);
            let rows = table.and_then(|table| table.rows).unwrap_or(0.0);
            plan.time.0 += expected_build(rows).0;
            plan.has_writes |= table.is_none_or(|table| table.write_activity() > 0);
        }
        plan
    }
}

/// A callback for progress events.
pub type Observer<'a> = &'a dyn Fn(Event<'_>);
