//! Ctrl-C and SIGTERM while indexes are looked for: nothing is asked of the server any more, nothing
//! is tested any more, and what is known by then is reported. A second one ends the program at once.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::db::Interrupt;
use crate::model::QualifiedName;
use crate::planner::{
    Answer, NamedIndex, OtherTables, Planner, PlannerError, Preparation, Question, RefusalCause,
    Rollback, Target,
};

/// Passes questions on, until the user asks to stop.
pub(super) struct Stoppable<'p> {
    planner: &'p mut dyn Planner,
    interrupt: &'p Interrupt,
    /// Has the search begun? What is known before that makes no report.
    has_begun: bool,
    /// Says once that the rest is left out.
    on_stop: Option<Box<dyn FnOnce() + 'p>>,
}

impl<'p> Stoppable<'p> {
    pub(super) fn new(
        planner: &'p mut dyn Planner,
        interrupt: &'p Interrupt,
        on_stop: impl FnOnce() + 'p,
    ) -> Self {
        Stoppable {
            planner,
            interrupt,
            has_begun: false,
            on_stop: Some(Box::new(on_stop)),
        }
    }

    /// From now on there is something to report.
    fn begin(&mut self) {
        if !self.has_begun && !self.interrupt.is_raised() {
            self.has_begun = true;
            self.interrupt.reports_what_is_known();
        }
    }

    fn is_stopped(&mut self) -> bool {
        let is_stopped = self.has_begun && self.interrupt.is_raised();
        if let Some(on_stop) = self.on_stop.take_if(|_| is_stopped) {
            on_stop();
        }
        is_stopped
    }

    /// The twin is still asked about the chosen set.
    fn is_refused(&mut self, question: &Question) -> bool {
        if question.skippable.is_some() {
            self.begin();
        }
        let is_needed =
            question.target == Target::Twin && question.skippable.is_none() && question.is_plain();
        self.is_stopped() && !is_needed
    }

    /// A statement that was cancelled and rolled back is one that was not answered.
    fn or_refused<T>(
        &self,
        answer: Result<T, PlannerError>,
        refused: impl FnOnce() -> T,
    ) -> Result<T, PlannerError> {
        match answer {
            Err(PlannerError::Interrupted {
                rollback: Rollback::Confirmed,
            }) if self.has_begun => Ok(refused()),
            other => other,
        }
    }
}

fn refused() -> Answer {
    Answer::Refused(RefusalCause::Interrupted.into())
}

impl Planner for Stoppable<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        if self.is_refused(question) {
            return Ok(refused());
        }
        let answer = self.planner.ask(question);
        self.or_refused(answer, refused)
    }

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        let none = || questions.iter().map(|_| refused()).collect();
        if questions.iter().any(|question| self.is_refused(question)) {
            return Ok(none());
        }
        let answers = self.planner.ask_all(questions);
        self.or_refused(answers, none)
    }

    fn expect(&mut self, indexes: &[&NamedIndex]) -> Result<(), PlannerError> {
        if self.is_stopped() {
            return Ok(());
        }
        let expected = self.planner.expect(indexes);
        self.or_refused(expected, || ())
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.planner.catalog(tables)
    }

    fn other_tables(
        &mut self,
        known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        if self.is_stopped() {
            return Ok(OtherTables::default());
        }
        let tables = self.planner.other_tables(known);
        self.or_refused(tables, OtherTables::default)
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        let prepared = self.planner.prepare_twin(tables)?;
        self.begin();
        Ok(prepared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::test_planner::{TestPlanner, seq_scan, table};
    use crate::planner::{Hypothesis, SearchStep};

    fn planner() -> TestPlanner {
        let scan = seq_scan("orders", 100.0);
        TestPlanner::new([table("orders", &["id bigint"])]).statement("s", "SELECT 1", scan)
    }

    fn question(target: Target) -> Question {
        Question::plans(target, planner().workload().statements())
    }

    fn is_refused(answer: Result<Answer, PlannerError>) -> bool {
        matches!(answer, Ok(Answer::Refused(refusal)) if refusal.cause == RefusalCause::Interrupted)
    }

    #[test]
    fn after_a_stop_the_twin_is_asked_about_the_chosen_set_and_nothing_else() {
        let (trigger, interrupt) = Interrupt::by_hand();
        let said = std::cell::Cell::new(0);
        let mut planner = planner();
        planner.prepare_twin(&BTreeSet::new()).unwrap();
        let mut stoppable = Stoppable::new(&mut planner, &interrupt, || said.set(said.get() + 1));
        let trial = question(Target::Twin).skippable(SearchStep::Trials);
        assert!(!is_refused(stoppable.ask(&trial)));
        trigger.raise();
        let choice = question(Target::Twin).skippable(SearchStep::Choice);
        let hypothesis = question(Target::Twin).under(Hypothesis::Reindexed(Vec::new()));
        for refused in [trial, choice, hypothesis, question(Target::Server)] {
            assert!(is_refused(stoppable.ask(&refused)), "{refused:?}");
            let both = [refused, question(Target::Twin)];
            let answers = stoppable.ask_all(&both).unwrap();
            assert_eq!(answers.len(), 2);
            assert!(answers.into_iter().all(|answer| is_refused(Ok(answer))));
        }
        assert!(!is_refused(stoppable.ask(&question(Target::Twin))));
        assert_eq!(said.get(), 1);
    }

    /// A server whose statements are cancelled.
    struct Cancelled(Rollback);

    impl Planner for Cancelled {
        fn ask(&mut self, _question: &Question) -> Result<Answer, PlannerError> {
            Err(PlannerError::Interrupted { rollback: self.0 })
        }

        fn catalog(&mut self, _tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
            Ok(Catalog::default())
        }
    }

    #[test]
    fn a_cancelled_build_is_one_that_was_not_tested_if_it_was_rolled_back() {
        let (_, interrupt) = Interrupt::by_hand();
        let build = question(Target::Server).skippable(SearchStep::Trials);
        let mut rolled_back = Cancelled(Rollback::Confirmed);
        let mut stoppable = Stoppable::new(&mut rolled_back, &interrupt, || ());
        let capture = question(Target::Server);
        assert!(stoppable.ask(&capture).is_err(), "there is no report yet");
        assert!(is_refused(stoppable.ask(&build)));
        let mut unknown = Cancelled(Rollback::Unconfirmed);
        let mut stoppable = Stoppable::new(&mut unknown, &interrupt, || ());
        assert!(stoppable.ask(&build).is_err());
    }
}
