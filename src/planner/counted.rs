//! A planner that counts questions: the cost of a run, besides its wall time. Every question of a
//! run passes here once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Answer, Planner, PlannerError, Preparation, Question, RefusalCause, Target};
use crate::catalog::Catalog;
use crate::model::{Millis, QualifiedName};

/// What was asked so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Transactions that were opened on the server and rolled back.
    pub transactions: usize,
    /// Indexes built in them.
    pub indexes_built: usize,
    /// Questions to the planner twin.
    pub twin_questions: usize,
    /// Plans that the server made.
    pub server_explains: usize,
    /// Plans that the twin made.
    pub twin_explains: usize,
    /// The longest that writers to a table waited; absent where no lock was taken.
    pub longest_write_block: Option<Millis>,
    /// All the time that writers to some table waited.
    pub total_write_block: Option<Millis>,
}

/// Passes questions on and counts them.
pub struct Counted<'a> {
    planner: &'a mut dyn Planner,
    tally: Tally,
}

impl<'a> Counted<'a> {
    /// Counts what this planner is asked.
    pub fn new(planner: &'a mut dyn Planner) -> Self {
        Counted {
            planner,
            tally: Tally::default(),
        }
    }

    /// What it was asked so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }
}

impl Tally {
    fn count(&mut self, question: &Question, answer: &Answer) {
        let (plans, built, write_block) = match answer {
            // Nothing was attempted.
            Answer::Refused(refusal)
                if matches!(
                    refusal.cause,
                    RefusalCause::OutOfTime
                        | RefusalCause::NoServer
                        | RefusalCause::CannotSimulate { .. }
                ) =>
            {
                return;
            }
            Answer::Refused(refusal) => (0, refusal.built, refusal.write_block),
            Answer::Planned(planned) => {
                let built = planned
                    .indexes
                    .iter()
                    .filter(|index| index.build_time.is_some());
                (planned.plans.len(), built.count(), planned.write_block)
            }
        };
        match question.target {
            Target::Server => self.server_explains += plans,
            Target::Twin => {
                self.twin_explains += plans;
                self.twin_questions += 1;
            }
        }
        self.transactions += usize::from(question.takes_a_transaction());
        self.indexes_built += built;
        if let Some(write_block) = write_block {
            let longest = self.longest_write_block.get_or_insert(write_block);
            longest.0 = longest.0.max(write_block.0);
            self.total_write_block.get_or_insert_default().0 += write_block.0;
        }
    }
}

impl Planner for Counted<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        let answer = self.planner.ask(question)?;
        self.tally.count(question, &answer);
        Ok(answer)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.planner.catalog(tables)
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        self.planner.prepare_twin(tables)
    }
}
