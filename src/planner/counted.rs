//! A planner that counts questions: the cost of a run, besides its wall time. Every question of a
//! run passes here once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Answer, Mode, NamedIndex, OtherTables, Planner, PlannerError, Preparation, Question,
    RefusalCause, Target,
};
use crate::catalog::Catalog;
use crate::model::{Millis, QualifiedName};

/// What was asked so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Transactions that were opened on the server and rolled back.
    pub transactions: usize,
    /// Indexes built in them.
    pub indexes_built: usize,
    /// Of these, indexes that had been built before, to plan with another set of indexes.
    #[serde(default)]
    pub built_again_to_plan: usize,
    /// Of these, indexes that had been built before, to execute statements with them.
    #[serde(default)]
    pub built_again_to_execute: usize,
    /// Questions to the planner twin.
    pub twin_questions: usize,
    /// Plans that the server made.
    pub server_explains: usize,
    /// Plans that the twin made.
    pub twin_explains: usize,
    /// The longest that tables were locked for writes; absent where no lock was taken.
    pub longest_write_block: Option<Millis>,
    /// All the time that some table was locked for writes.
    pub total_write_block: Option<Millis>,
    /// The longest that a session waited; absent where that is not known.
    #[serde(default)]
    pub longest_wait: Option<Millis>,
    /// The longest wait of each transaction, summed.
    #[serde(default)]
    pub total_wait: Option<Millis>,
}

/// Passes questions on and counts them.
pub struct Counted<'a> {
    planner: &'a mut dyn Planner,
    tally: Tally,
    /// The definitions of all indexes that the server built.
    built: BTreeSet<String>,
    unwatched: Option<String>,
}

impl<'a> Counted<'a> {
    /// Counts what this planner is asked.
    pub fn new(planner: &'a mut dyn Planner) -> Self {
        Counted {
            planner,
            tally: Tally::default(),
            built: BTreeSet::new(),
            unwatched: None,
        }
    }

    /// What it was asked so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Why nobody watched who waited for a build, if that happened.
    pub fn unwatched(&self) -> Option<&str> {
        self.unwatched.as_deref()
    }

    fn count_builds(&mut self, question: &Question, answer: &Answer) {
        let (built, waits) = match answer {
            Answer::Refused(refusal) => (refusal.built, &refusal.waits),
            Answer::Planned(planned) => (planned.indexes.len(), &planned.waits),
        };
        if let Some(reason) = waits.as_ref().and_then(|waits| waits.unwatched.as_ref()) {
            self.unwatched = Some(reason.clone());
        }
        if question.target == Target::Twin {
            return;
        }
        for index in question.indexes.iter().take(built) {
            let is_new = self.built.insert(index.definition.create(&index.name));
            match question.mode {
                _ if is_new => {}
                Mode::Plan | Mode::Check => self.tally.built_again_to_plan += 1,
                Mode::Execute => self.tally.built_again_to_execute += 1,
            }
        }
    }
}

impl Tally {
    fn count(&mut self, question: &Question, answer: &Answer) {
        let (plans, built, write_block, waits) = match answer {
            // Nothing was attempted.
            Answer::Refused(refusal)
                if matches!(
                    refusal.cause,
                    RefusalCause::OutOfTime
                        | RefusalCause::Interrupted
                        | RefusalCause::ServerSilent(_)
                        | RefusalCause::WriteBudgetSpent(_)
                        | RefusalCause::Declined
                        | RefusalCause::NoServer
                        | RefusalCause::CannotSimulate { .. }
                ) =>
            {
                return;
            }
            Answer::Refused(refusal) => (0, refusal.built, refusal.write_block, &refusal.waits),
            Answer::Planned(planned) => {
                let built = planned
                    .indexes
                    .iter()
                    .filter(|index| index.build_time.is_some());
                (
                    planned.plans.len(),
                    built.count(),
                    planned.write_block,
                    &planned.waits,
                )
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
        if let Some(waits) = waits {
            let wait = waits.longest.unwrap_or_default();
            let longest = self.longest_wait.get_or_insert(wait);
            longest.0 = longest.0.max(wait.0);
            self.total_wait.get_or_insert_default().0 += wait.0;
        }
    }
}

impl Planner for Counted<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        let answer = self.planner.ask(question)?;
        self.tally.count(question, &answer);
        self.count_builds(question, &answer);
        Ok(answer)
    }

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        let answers = self.planner.ask_all(questions)?;
        for (question, answer) in questions.iter().zip(&answers) {
            self.tally.count(question, answer);
            self.count_builds(question, answer);
        }
        Ok(answers)
    }

    fn expect(&mut self, indexes: &[&NamedIndex]) -> Result<(), PlannerError> {
        self.planner.expect(indexes)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.planner.catalog(tables)
    }

    fn other_tables(
        &mut self,
        known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        self.planner.other_tables(known)
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        self.planner.prepare_twin(tables)
    }
}
