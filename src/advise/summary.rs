//! What a run took.

use crate::planner::Silence;
use crate::planner::counted::Tally;

/// What the planners were asked in one phase of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Phase {
    /// What progress calls it.
    pub name: String,
    /// Questions to the planner twin.
    pub twin_questions: usize,
    /// Plans that the twin made.
    pub twin_explains: usize,
    /// Plans that the server made.
    pub server_explains: usize,
}

impl Phase {
    /// Adds what was asked between two tallies.
    pub(super) fn add(&mut self, from: &Tally, to: &Tally) {
        self.twin_questions += to.twin_questions - from.twin_questions;
        self.twin_explains += to.twin_explains - from.twin_explains;
        self.server_explains += to.server_explains - from.server_explains;
    }
}

/// What a run took.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RehearsalSummary {
    /// What the planners were asked.
    pub tally: Tally,
    /// The same by phase, in the order in which they began. What is asked between phases is in none.
    pub phases: Vec<Phase>,
    /// The time for the search was over: the set is the best that was found until then.
    pub out_of_time: bool,
    /// The user asked to stop: it is the best that was found until then, and nothing was built or
    /// executed after that.
    pub interrupted: bool,
    /// The server stopped answering during the run.
    pub server_silent: Option<Silence>,
}
