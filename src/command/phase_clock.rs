//! How long each phase of a run takes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

use crate::model::Millis;
use crate::planner::Event;

/// Looks at the clock whenever a phase begins or ends.
#[derive(Default)]
pub(super) struct PhaseClock {
    times: RefCell<BTreeMap<String, Millis>>,
    running: RefCell<Option<(String, Instant)>>,
}

impl PhaseClock {
    pub(super) fn observe(&self, event: Event<'_>) {
        match event {
            Event::Begin { what, .. } => {
                *self.running.borrow_mut() = Some((what.to_owned(), Instant::now()));
            }
            Event::End => {
                if let Some((name, began)) = self.running.borrow_mut().take() {
                    let mut times = self.times.borrow_mut();
                    times.entry(name).or_default().0 += Millis::from(began.elapsed()).0;
                }
            }
            Event::Step(_) | Event::Detail(_) | Event::Builds(_) => {}
        }
    }

    /// The times so far, by the names of the phases.
    pub(super) fn times(self) -> BTreeMap<String, Millis> {
        self.times.into_inner()
    }
}
