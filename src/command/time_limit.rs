//! `--search-time`: a planner with a clock. The core has no clock: it marks the questions that the
//! search can do without, and these are refused once the time is over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::catalog::Catalog;
use crate::model::{Millis, QualifiedName};
use crate::planner::{
    Answer, OtherTables, Planner, PlannerError, Preparation, Question, RefusalCause,
};

/// After so many questions that are asked together the clock is looked at again.
const QUESTIONS_BETWEEN_LOOKS: usize = 16;

/// Passes questions on; refuses those that can be skipped once the time is over.
pub(super) struct TimeLimit<'p> {
    planner: &'p mut dyn Planner,
    limit: Option<Duration>,
    /// When the first question was asked that can be skipped.
    started: Option<Instant>,
}

impl<'p> TimeLimit<'p> {
    /// Limits this planner, if there is a limit.
    pub(super) fn new(planner: &'p mut dyn Planner, limit: Option<Millis>) -> Self {
        let duration =
            |limit: Millis| Duration::try_from_secs_f64(limit.0 / 1_000.0).unwrap_or(Duration::MAX);
        TimeLimit {
            planner,
            limit: limit.map(duration),
            started: None,
        }
    }

    fn is_over(&mut self) -> bool {
        let started = *self.started.get_or_insert_with(Instant::now);
        self.limit.is_some_and(|limit| started.elapsed() >= limit)
    }
}

impl Planner for TimeLimit<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        if question.skippable && self.is_over() {
            return Ok(Answer::Refused(RefusalCause::OutOfTime.into()));
        }
        self.planner.ask(question)
    }

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        let Some(_) = self.limit else {
            return self.planner.ask_all(questions);
        };
        let mut answers = Vec::with_capacity(questions.len());
        for part in questions.chunks(QUESTIONS_BETWEEN_LOOKS) {
            let can_be_skipped = part.iter().all(|question| question.skippable);
            if can_be_skipped && self.is_over() {
                let refused = part
                    .iter()
                    .map(|_| Answer::Refused(RefusalCause::OutOfTime.into()));
                answers.extend(refused);
            } else {
                answers.extend(self.planner.ask_all(part)?);
            }
        }
        Ok(answers)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::Target;
    use crate::planner::test_planner::{TestPlanner, seq_scan, table};

    const NO_TIME: Option<Millis> = Some(Millis(0.0));

    fn planner() -> TestPlanner {
        let scan = seq_scan("orders", 100.0);
        TestPlanner::new([table("orders", &["id bigint"])]).statement("s", "SELECT 1", scan)
    }

    /// Asks one question, which may be skippable; returns whether it is answered.
    fn is_answered(limit: Option<Millis>, is_skippable: impl Fn(Question) -> Question) -> bool {
        let mut planner = planner();
        let statements = planner.workload().statements().to_vec();
        let question = is_skippable(Question::plans(Target::Server, &statements));
        let answer = TimeLimit::new(&mut planner, limit).ask(&question).unwrap();
        match answer {
            Answer::Planned(_) => true,
            Answer::Refused(refusal) => {
                assert_eq!(refusal.cause, RefusalCause::OutOfTime);
                assert_eq!(planner.asked().len(), 0, "it is not passed on");
                false
            }
        }
    }

    #[test]
    fn what_can_be_skipped_is_refused_once_the_time_is_over() {
        assert!(!is_answered(NO_TIME, Question::skippable));
        assert!(is_answered(Some(Millis(1e9)), Question::skippable));
        assert!(is_answered(None, Question::skippable));
    }

    #[test]
    fn what_may_not_be_skipped_is_never_refused() {
        assert!(is_answered(NO_TIME, |question| question));
        assert!(is_answered(NO_TIME, Question::executed));
    }

    #[test]
    fn of_questions_that_are_asked_together_only_those_are_refused_that_can_be_skipped() {
        let mut planner = planner();
        let statements = planner.workload().statements().to_vec();
        let question = Question::plans(Target::Server, &statements);
        let mut questions = vec![question.clone().skippable(); QUESTIONS_BETWEEN_LOOKS + 1];
        let is_refused = |answer: &Answer| matches!(answer, Answer::Refused(_));
        let refused = |planner: &mut TestPlanner, limit, questions: &[Question]| -> Vec<bool> {
            let answers = TimeLimit::new(planner, limit).ask_all(questions).unwrap();
            answers.iter().map(is_refused).collect()
        };
        assert_eq!(refused(&mut planner, NO_TIME, &questions), [true; 17]);
        assert_eq!(planner.asked().len(), 0);
        assert_eq!(refused(&mut planner, None, &questions), [false; 17]);
        questions[QUESTIONS_BETWEEN_LOOKS] = question;
        let mut expected = [true; 17];
        expected[QUESTIONS_BETWEEN_LOOKS] = false;
        assert_eq!(refused(&mut planner, NO_TIME, &questions), expected);
    }

    #[test]
    fn the_clock_starts_with_the_search() {
        let mut planner = planner();
        let mut limited = TimeLimit::new(&mut planner, NO_TIME);
        limited.ask(&Question::plans(Target::Server, &[])).unwrap();
        assert_eq!(limited.started, None);
        let skippable = Question::plans(Target::Server, &[]).skippable();
        limited.ask(&skippable).unwrap();
        assert!(limited.started.is_some());
    }

    #[test]
    fn a_limit_longer_than_any_clock_is_no_limit() {
        assert!(is_answered(Some(Millis(f64::MAX)), Question::skippable));
    }
}
