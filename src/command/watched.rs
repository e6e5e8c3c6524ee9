//! A planner that the interface looks at while a run goes on: what is known so far is shown, short
//! requests are answered between two questions, a stop takes effect at the next question, and a run
//! that was stopped goes on with the answers that it had.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::advise::is_probe;
use crate::catalog::Catalog;
use crate::db::Interrupt;
use crate::model::QualifiedName;
use crate::planner::recording::Exchange;
use crate::planner::{
    Answer, NamedIndex, OtherTables, Planner, PlannerError, Preparation, Question, Rollback, Target,
};
use crate::tui::backend::During;
use crate::tui::session_data::SessionData;

/// After so many questions that are asked together, others are looked at.
const QUESTIONS_AT_ONCE: usize = 16;

/// How often what is known so far is shown.
const INTERVAL: Duration = Duration::from_millis(500);

/// Answers of an earlier run over the same twin.
#[derive(Default)]
pub(super) struct Remembered(BTreeMap<String, Vec<Exchange>>);

impl Remembered {
    /// Those of a run that was stopped. Only what was asked of the twin: the server may have changed.
    pub(super) fn of(exchanges: Vec<Exchange>) -> Remembered {
        let mut remembered = BTreeMap::<String, Vec<Exchange>>::new();
        for exchange in exchanges {
            if exchange.target == Target::Twin {
                let names = exchange.indexes.iter().map(|index| index.name.as_str());
                let key = names.collect::<Vec<_>>().join(",");
                remembered.entry(key).or_default().push(exchange);
            }
        }
        Remembered(remembered)
    }

    fn take(&mut self, question: &Question) -> Option<Answer> {
        if question.target != Target::Twin || self.0.is_empty() {
            return None;
        }
        let names = question.indexes.iter().map(|index| index.name.as_str());
        let key = names.collect::<Vec<_>>().join(",");
        let exchanges = self.0.get_mut(&key)?;
        let mut known = exchanges.iter();
        let place = known.position(|exchange| exchange.answers(question))?;
        Some(exchanges.swap_remove(place).answer)
    }
}

/// See the module.
pub(super) struct Watched<'p> {
    planner: &'p mut dyn Planner,
    during: &'p During<'p>,
    interrupt: Interrupt,
    remembered: &'p mut Remembered,
    /// What is known so far.
    session_data: SessionData,
    /// The headline, once the server is known.
    subject: &'p dyn Fn(&Catalog) -> String,
    told: Option<Instant>,
    has_news: bool,
    has_twin: bool,
}

impl<'p> Watched<'p> {
    pub(super) fn new(
        planner: &'p mut dyn Planner,
        (during, interrupt, remembered): (&'p During<'p>, Interrupt, &'p mut Remembered),
        session_data: SessionData,
        subject: &'p dyn Fn(&Catalog) -> String,
    ) -> Self {
        let mut watched = Watched {
            planner,
            during,
            interrupt,
            remembered,
            session_data,
            subject,
            told: None,
            has_news: true,
            has_twin: false,
        };
        watched.tell_now();
        watched
    }

    /// Between two questions.
    fn pause(&mut self) -> Result<(), PlannerError> {
        self.tell();
        if self.has_twin {
            (self.during.between)(self.planner);
        }
        match self.interrupt.is_raised() {
            true => Err(PlannerError::Interrupted {
                rollback: Rollback::Confirmed,
            }),
            false => Ok(()),
        }
    }

    fn tell(&mut self) {
        let is_due = self.told.is_none_or(|told| told.elapsed() >= INTERVAL);
        if self.has_news && is_due {
            self.tell_now();
        }
    }

    fn tell_now(&mut self) {
        (self.during.known)(self.session_data.clone());
        self.told = Some(Instant::now());
        self.has_news = false;
    }

    fn watch(&mut self, question: &Question, answer: &Answer) {
        if !question.is_plain() {
            return;
        }
        match (question.target, question.indexes.as_slice(), answer) {
            (Target::Server, [], Answer::Planned(planned)) => {
                self.session_data.add_plans(&planned.plans);
                self.tell_now();
            }
            // What is only asked to see statistics is no candidate.
            (_, [index], _) if is_probe(&index.name) => {}
            (_, [index], answer) => {
                self.session_data.add_tested(index, answer);
                self.has_news = true;
            }
            _ => {}
        }
    }
}

impl Planner for Watched<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        self.pause()?;
        let answer = match self.remembered.take(question) {
            Some(answer) => answer,
            None => self.planner.ask(question)?,
        };
        self.watch(question, &answer);
        Ok(answer)
    }

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        let mut answers = Vec::with_capacity(questions.len());
        for part in questions.chunks(QUESTIONS_AT_ONCE) {
            self.pause()?;
            let known: Vec<Option<Answer>> = part
                .iter()
                .map(|question| self.remembered.take(question))
                .collect();
            let unknown: Vec<Question> = part
                .iter()
                .zip(&known)
                .filter(|(_, known)| known.is_none())
                .map(|(question, _)| question.clone())
                .collect();
            let mut asked = match unknown.is_empty() {
                true => Vec::new(),
                false => self.planner.ask_all(&unknown)?,
            }
            .into_iter();
            for (question, known) in part.iter().zip(known) {
                if let Some(answer) = known.or_else(|| asked.next()) {
                    self.watch(question, &answer);
                    answers.push(answer);
                }
            }
        }
        Ok(answers)
    }

    fn expect(&mut self, indexes: &[&NamedIndex]) -> Result<(), PlannerError> {
        self.pause()?;
        self.planner.expect(indexes)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        let catalog = self.planner.catalog(tables)?;
        self.session_data.subject = (self.subject)(&catalog);
        self.session_data.add_catalog(catalog.clone());
        self.tell_now();
        Ok(catalog)
    }

    fn other_tables(
        &mut self,
        known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        self.pause()?;
        self.planner.other_tables(known)
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        self.pause()?;
        let prepared = self.planner.prepare_twin(tables)?;
        self.has_twin = true;
        Ok(prepared)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::model::Bytes;
    use crate::planner::test_planner::{TestPlanner, index, seq_scan, table};
    use crate::planner::{Event, TwinState};
    use crate::verdict::Limits;

    fn planner() -> TestPlanner {
        TestPlanner::new([table("orders", &["id bigint", "a bigint"])])
            .statement(
                "s",
                "SELECT * FROM orders WHERE a = 5",
                seq_scan("orders", 1_000.0).filter("(orders.a = 5)"),
            )
            .index("orders (a)", Bytes(8192), &[("s", 50.0)])
    }

    fn named() -> NamedIndex {
        NamedIndex {
            name: "orders_a_idx".to_owned(),
            definition: index("orders (a)"),
        }
    }

    /// Asks these questions of a watched planner; returns what was told, and how often somebody
    /// could ask in between.
    fn watched(
        remembered: &mut Remembered,
        interrupt: Interrupt,
        ask: &mut dyn FnMut(&mut dyn Planner),
    ) -> (Vec<SessionData>, usize) {
        let mut planner = planner();
        let workload = planner.workload().clone();
        let told = RefCell::new(Vec::new());
        let paused = RefCell::new(0);
        let during = During {
            observer: &|_: Event<'_>| {},
            known: &|data| told.borrow_mut().push(data),
            ask: &|_| false,
            between: &|_| *paused.borrow_mut() += 1,
        };
        let begun = SessionData::begun("x".to_owned(), &workload, &Limits::default());
        let subject = |_: &Catalog| "the server".to_owned();
        let mut watched = Watched::new(
            &mut planner,
            (&during, interrupt, remembered),
            begun,
            &subject,
        );
        ask(&mut watched);
        watched.tell_now();
        (told.into_inner(), paused.into_inner())
    }

    fn baseline() -> Question {
        Question::plans(Target::Server, planner().workload().statements())
    }

    #[test]
    fn statements_plans_and_gains_are_shown_as_they_become_known() {
        let (told, paused) = watched(
            &mut Remembered::default(),
            Interrupt::never(),
            &mut |planner| {
                planner.ask(&baseline()).unwrap();
                let tables = [QualifiedName::new("public", "orders")].into();
                planner.catalog(&tables).unwrap();
                let twin = planner.prepare_twin(&tables).unwrap();
                assert_eq!(twin.state, TwinState::Ready);
                let trial = Question::plans(Target::Twin, &baseline().statements);
                let trial = trial.with_indexes(&[named()]);
                planner.ask_all(&[trial]).unwrap();
            },
        );
        assert!(
            told[0].statements[0].is_unplanned(),
            "the list is there at once"
        );
        assert!(told[1].statements[0].before.is_ok());
        assert_eq!(told[2].subject, "the server");
        let last = told.last().unwrap();
        assert_eq!(last.indexes.len(), 1);
        assert_eq!(last.helped(&last.indexes[0]), 1);
        assert_eq!(paused, 1, "only once there is a twin");
    }

    #[test]
    fn an_index_that_only_brings_statistics_is_no_candidate() {
        let (told, _) = watched(
            &mut Remembered::default(),
            Interrupt::never(),
            &mut |planner| {
                let tables = [QualifiedName::new("public", "orders")].into();
                planner.prepare_twin(&tables).unwrap();
                let probe = NamedIndex {
                    name: "pgrehearse_statistics_1_1".to_owned(),
                    ..named()
                };
                let trial = Question::plans(Target::Twin, &baseline().statements);
                planner.ask(&trial.with_indexes(&[probe])).unwrap();
            },
        );
        assert_eq!(told.last().unwrap().indexes.len(), 0);
    }

    #[test]
    fn a_stopped_run_asks_nothing_more_and_goes_on_with_its_answers() {
        let (trigger, interrupt) = Interrupt::by_hand();
        let trial = || {
            let trial = Question::plans(Target::Twin, &baseline().statements);
            trial.with_indexes(&[named()])
        };
        trigger.raise();
        watched(&mut Remembered::default(), interrupt, &mut |planner| {
            assert!(planner.ask(&trial()).is_err());
            assert!(planner.ask_all(&[trial()]).is_err());
        });
        let tables = [QualifiedName::new("public", "orders")].into();
        let mut known = planner();
        known.prepare_twin(&tables).unwrap();
        let answer = known.ask(&trial()).unwrap();
        let mut recorder_planner = planner();
        recorder_planner.prepare_twin(&tables).unwrap();
        let mut recorder = crate::planner::recording::Recorder::new(&mut recorder_planner);
        recorder.ask(&trial()).unwrap();
        recorder.ask(&baseline()).unwrap();
        let workload = planner().workload().clone();
        let recording = recorder.finish(workload, Limits::default());
        let mut remembered = Remembered::of(recording.exchanges);
        let taken = remembered.take(&trial());
        assert_eq!(taken, Some(answer));
        assert_eq!(remembered.take(&trial()), None, "each once");
        assert_eq!(
            remembered.take(&baseline()),
            None,
            "the server is asked again"
        );
    }
}
