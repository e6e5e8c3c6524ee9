//! `--search-time`: a planner with a clock. The core has no clock: it marks the questions that a step
//! of the search can do without, and these are refused once the time for that step is over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::catalog::Catalog;
use crate::model::{Millis, QualifiedName};
use crate::planner::{
    Answer, NamedIndex, OtherTables, Planned, Planner, PlannerError, Preparation, Question,
    RefusalCause, SearchStep, Target,
};

/// After so many questions that are asked together the clock is looked at again.
const QUESTIONS_BETWEEN_LOOKS: usize = 16;

/// The share of the time in which the twin tests candidates one by one. The rest is for the sets of
/// those that were tested.
const SHARE_OF_TRIALS: f64 = 2.0 / 3.0;

/// Passes questions on; refuses those that can be skipped once the time is over.
pub(super) struct TimeLimit<'p> {
    planner: &'p mut dyn Planner,
    limit: Option<Duration>,
    clock: Clock,
    /// When the first question was asked that can be skipped.
    started: Option<Duration>,
}

/// The time since some moment.
type Clock = Box<dyn Fn() -> Duration>;

impl<'p> TimeLimit<'p> {
    /// Limits this planner, if there is a limit.
    pub(super) fn new(planner: &'p mut dyn Planner, limit: Option<Millis>) -> Self {
        let duration =
            |limit: Millis| Duration::try_from_secs_f64(limit.0 / 1_000.0).unwrap_or(Duration::MAX);
        let began = Instant::now();
        TimeLimit {
            planner,
            limit: limit.map(duration),
            clock: Box::new(move || began.elapsed()),
            started: None,
        }
    }

    /// Can the question be skipped, and is the time for that over?
    fn is_too_late(&mut self, question: &Question) -> bool {
        let Some(step) = question.skippable else {
            return false;
        };
        let now = (self.clock)();
        let started = *self.started.get_or_insert(now);
        // On the server, the trials are all that takes time.
        let share = match (step, question.target) {
            (SearchStep::Trials, Target::Twin) => SHARE_OF_TRIALS,
            _ => 1.0,
        };
        let taken = now.saturating_sub(started).as_secs_f64();
        let limit = self.limit.map(|limit| limit.as_secs_f64() * share);
        limit.is_some_and(|limit| taken >= limit)
    }
}

impl Planner for TimeLimit<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        if self.is_too_late(question) {
            return Ok(Answer::Refused(RefusalCause::OutOfTime.into()));
        }
        if question.is_about_time() {
            return Ok(Answer::Planned(Planned::default()));
        }
        self.planner.ask(question)
    }

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        let Some(_) = self.limit else {
            return self.planner.ask_all(questions);
        };
        let mut answers = Vec::with_capacity(questions.len());
        for part in questions.chunks(QUESTIONS_BETWEEN_LOOKS) {
            if part.iter().all(|question| self.is_too_late(question)) {
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

    /// Within a limit only what is asked in time is fetched.
    fn expect(&mut self, indexes: &[&NamedIndex]) -> Result<(), PlannerError> {
        match self.limit {
            Some(_) => Ok(()),
            None => self.planner.expect(indexes),
        }
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
    use crate::planner::test_planner::{TestPlanner, seq_scan, table};

    const NO_TIME: Option<Millis> = Some(Millis(0.0));

    fn planner() -> TestPlanner {
        let scan = seq_scan("orders", 100.0);
        TestPlanner::new([table("orders", &["id bigint"])]).statement("s", "SELECT 1", scan)
    }

    /// Asks one question, some time after the first; returns whether it is answered.
    fn is_answered(limit: Option<Millis>, seconds: u64, question: &Question) -> bool {
        let mut planner = planner();
        let mut limited = TimeLimit::new(&mut planner, limit);
        limited.clock = Box::new(move || Duration::from_secs(seconds));
        limited.started = Some(Duration::ZERO);
        let answer = limited.ask(question).unwrap();
        match answer {
            Answer::Planned(_) => true,
            Answer::Refused(refusal) => {
                assert_eq!(refusal.cause, RefusalCause::OutOfTime);
                assert_eq!(planner.asked().len(), 0, "it is not passed on");
                false
            }
        }
    }

    const TEN_SECONDS: Option<Millis> = Some(Millis(10_000.0));

    fn of_server() -> Question {
        Question::plans(Target::Server, planner().workload().statements())
    }

    #[test]
    fn what_can_be_skipped_is_refused_once_the_time_is_over() {
        for step in [SearchStep::Trials, SearchStep::Choice] {
            let question = of_server().skippable(step);
            assert!(is_answered(TEN_SECONDS, 9, &question));
            assert!(!is_answered(TEN_SECONDS, 10, &question));
            assert!(is_answered(None, 1_000_000, &question));
        }
    }

    #[test]
    fn what_may_not_be_skipped_is_never_refused() {
        assert!(is_answered(TEN_SECONDS, 11, &of_server()));
        assert!(is_answered(TEN_SECONDS, 11, &of_server().executed()));
    }

    #[test]
    fn the_trials_in_the_twin_leave_time_for_the_choice() {
        let about_time = |seconds, step| {
            let question = Question::is_there_time(step);
            is_answered(TEN_SECONDS, seconds, &question)
        };
        assert!(about_time(6, SearchStep::Trials));
        assert!(!about_time(7, SearchStep::Trials));
        assert!(about_time(9, SearchStep::Choice));
        assert!(!about_time(10, SearchStep::Choice));
    }

    #[test]
    fn whether_there_is_time_is_not_passed_on() {
        let mut planner = planner();
        let question = Question::is_there_time(SearchStep::Choice);
        let answer = TimeLimit::new(&mut planner, None).ask(&question).unwrap();
        assert!(matches!(answer, Answer::Planned(_)));
        assert_eq!(planner.asked().len(), 0);
    }

    #[test]
    fn of_questions_that_are_asked_together_only_those_are_refused_that_can_be_skipped() {
        let mut planner = planner();
        let question = of_server();
        let skippable = question.clone().skippable(SearchStep::Trials);
        let mut questions = vec![skippable; QUESTIONS_BETWEEN_LOOKS + 1];
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
        let skippable = Question::plans(Target::Server, &[]).skippable(SearchStep::Trials);
        limited.ask(&skippable).unwrap();
        assert!(limited.started.is_some());
    }

    #[test]
    fn a_limit_longer_than_any_clock_is_no_limit() {
        let limit = Some(Millis(f64::MAX));
        let question = of_server().skippable(SearchStep::Choice);
        assert!(is_answered(limit, u64::MAX / 2, &question));
    }
}
