//! Progress of a run, for a display.

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
}

/// A callback for progress events.
pub type Observer<'a> = &'a dyn Fn(Event<'_>);
