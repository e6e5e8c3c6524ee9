//! What only the command knows: how long the run took, and which of its indexes are in the catalog
//! afterwards.

use std::collections::BTreeMap;

use crate::model::Millis;

/// Measurements of a run. Nothing is measured when a recording is replayed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunMeasurements {
    /// Indexes of the rehearsal that are still in the catalog, counted at the end.
    pub left_behind: Option<usize>,
    /// The time of the whole run.
    pub total: Option<Millis>,
    /// Of that, the time spent waiting for the server.
    pub server: Option<Millis>,
    /// The time of each phase, by its name.
    pub phases: BTreeMap<String, Millis>,
}
