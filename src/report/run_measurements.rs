//! What only the command knows: how long the run took, and which of its indexes are in the catalog
//! afterwards.

use crate::model::Millis;

/// Measurements of a run. Nothing is measured when a recording is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RunMeasurements {
    /// Indexes of the rehearsal that are still in the catalog, counted at the end.
    pub left_behind: Option<usize>,
    /// The time of the whole run.
    pub total: Option<Millis>,
    /// Of that, the time spent waiting for the server.
    pub server: Option<Millis>,
}
