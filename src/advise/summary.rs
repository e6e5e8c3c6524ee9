//! What a run took.

use crate::planner::Silence;
use crate::planner::counted::Tally;

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RehearsalSummary {
    /// What the planners were asked.
    pub tally: Tally,
    /// The time for the search was over: the set is the best that was found until then.
    pub out_of_time: bool,
    /// The server stopped answering during the run.
    pub server_silent: Option<Silence>,
}
