//! The one place where the pipeline asks the planner.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::baseline::Baseline;
use super::restated::AllRestated;
use super::summary::{Phase, RehearsalSummary};
use crate::catalog::Catalog;
use crate::model::{Bytes, QualifiedName};
use crate::planner::counted::{Counted, Tally};
use crate::planner::{
    Answer, BuildPlan, Event, Mode, NamedIndex, Observer, OtherTables, PlanOutcome, Planned,
    Planner, PlannerError, Preparation, Question, RefusalCause, SearchStep, Silence, Target,
    TwinOnly, TwinOnlyReason, uses,
};
use crate::workload::{Statement, StatementId, Workload};

/// One run of the pipeline while it talks to the planner.
pub(super) struct Run<'a> {
    planner: Counted<'a>,
    observer: Observer<'a>,
    out_of_time: bool,
    /// Is no time left even for the choice?
    search_is_over: bool,
    interrupted: bool,
    restated: AllRestated,
    settled: BTreeMap<StatementId, String>,
    long_plans: BTreeMap<StatementId, Bytes>,
    server_silent: Option<Silence>,
    phases: RefCell<Vec<Phase>>,
    /// The phase that goes on, and what had been asked when it began.
    phase: RefCell<Option<(String, Tally)>>,
}

impl<'a> Run<'a> {
    pub(super) fn new(planner: &'a mut dyn Planner, observer: Observer<'a>) -> Run<'a> {
        Run {
            planner: Counted::new(planner),
            observer,
            out_of_time: false,
            search_is_over: false,
            interrupted: false,
            restated: AllRestated::new(),
            settled: BTreeMap::new(),
            long_plans: BTreeMap::new(),
            server_silent: None,
            phases: RefCell::default(),
            phase: RefCell::default(),
        }
    }

    /// Asks, and remembers when the time for the search is over, and when the server stopped
    /// answering.
    pub(super) fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        let answer = self.planner.ask(question)?;
        self.noted(question, answer)
    }

    /// Each of these indexes will be asked about.
    pub(super) fn expect(&mut self, indexes: &[&NamedIndex]) -> Result<(), PlannerError> {
        self.planner.expect(indexes)
    }

    /// The same for several questions, which may be answered at the same time.
    pub(super) fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        let answers = self.planner.ask_all(questions)?;
        if answers.len() != questions.len() {
            let (given, wanted) = (answers.len(), questions.len());
            return Err(PlannerError::Server {
                operation: "planning".to_owned(),
                message: format!("{given} answers to {wanted} questions"),
            });
        }
        let each = questions.iter().zip(answers);
        each.map(|(question, answer)| self.noted(question, answer))
            .collect()
    }

    fn noted(&mut self, question: &Question, mut answer: Answer) -> Result<Answer, PlannerError> {
        match &mut answer {
            Answer::Planned(planned) => self.restate_plans(question, planned)?,
            Answer::Refused(refusal) => match refusal.cause {
                RefusalCause::OutOfTime => {
                    self.out_of_time = true;
                    self.search_is_over |= question.skippable == Some(SearchStep::Choice);
                }
                RefusalCause::Interrupted => {
                    self.interrupted = true;
                    self.search_is_over = true;
                }
                RefusalCause::ServerSilent(silence) => {
                    self.server_silent.get_or_insert(silence);
                }
                _ => {}
            },
        }
        Ok(answer)
    }

    /// Takes the plans under statistics of expressions, where statements are compared under them. The
    /// twin simulates them beside the indexes of the question; on the server an index that is used
    /// has brought them.
    fn restate_plans(
        &mut self,
        question: &Question,
        planned: &mut Planned,
    ) -> Result<(), PlannerError> {
        let is_restated = |statement: &&Statement| self.restated.contains_key(&statement.id);
        let statements = question.statements.iter().filter(is_restated);
        let statements: Vec<Statement> = statements.cloned().collect();
        if statements.is_empty() || question.mode != Mode::Plan || question.hypothesis.is_some() {
            return Ok(());
        }
        if question.target == Target::Server {
            for (id, restated) in &self.restated {
                if let Some(PlanOutcome::Plan(plan)) = planned.plans.get_mut(id)
                    && !planned.indexes.iter().any(|index| uses(plan, index))
                {
                    plan.clone_from(&restated.plan);
                }
            }
            return Ok(());
        }
        let mut indexes = question.indexes.clone();
        for index in self.restated.values().flat_map(|restated| &restated.brings) {
            if !indexes.contains(index) {
                indexes.push(index.clone());
            }
        }
        let with_statistics = Question {
            indexes,
            statements,
            ..question.clone()
        };
        if let Answer::Planned(with_statistics) = self.planner.ask(&with_statistics)? {
            planned.plans.extend(with_statistics.plans);
        }
        Ok(())
    }

    /// The plans without any new index; where the planner refuses to make them, that is each
    /// statement's message.
    pub(super) fn baseline(
        &mut self,
        target: Target,
        statements: &[Statement],
    ) -> Result<Baseline, PlannerError> {
        match self.ask(&Question::plans(target, statements))? {
            Answer::Planned(planned) => {
                self.settled.extend(planned.settled);
                self.long_plans.extend(planned.long_plans);
                Ok(planned.plans)
            }
            Answer::Refused(refusal) => {
                let message = match refusal.cause {
                    RefusalCause::ServerSilent(silence) => silence.to_string(),
                    cause => cause.reason().name().to_owned(),
                };
                let failed = PlanOutcome::Failed(message);
                let ids = statements.iter().map(|statement| statement.id.clone());
                Ok(ids.map(|id| (id, failed.clone())).collect())
            }
        }
    }

    /// The workload with the texts with which its statements could be planned.
    pub(super) fn settled(&self, workload: &Workload) -> Workload {
        workload.with_texts(&self.settled)
    }

    /// The statements about which the server is not asked with new indexes, because their plans are too
    /// long to be read while writers wait.
    pub(super) fn with_long_plans(&self) -> BTreeMap<StatementId, TwinOnly> {
        let long = self.long_plans.iter().map(|(id, bytes)| {
            let reason = TwinOnly {
                authors: BTreeSet::new(),
                reason: TwinOnlyReason::LongPlan(*bytes),
            };
            (id.clone(), reason)
        });
        long.collect()
    }

    pub(super) fn catalog(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Catalog, PlannerError> {
        self.planner.catalog(tables)
    }

    pub(super) fn other_tables(
        &mut self,
        known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        self.planner.other_tables(known)
    }

    pub(super) fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        self.planner.prepare_twin(tables)
    }

    /// From now on, these are the plans without new indexes.
    pub(super) fn restate(&mut self, restated: AllRestated) {
        self.restated = restated;
    }

    /// The statements whose plans without new indexes are others than the planner makes today.
    pub(super) fn restated(&self) -> AllRestated {
        self.restated.clone()
    }

    /// Is the time for the search over, also for the choice, or did the user ask to stop?
    pub(super) fn search_is_over(&self) -> bool {
        self.search_is_over
    }

    /// Was anything built on the server so far?
    pub(super) fn has_built(&self) -> bool {
        self.planner.tally().indexes_built > 0
    }

    /// Why nobody watched who waited for a build, if that happened.
    pub(super) fn unwatched(&self) -> Option<String> {
        self.planner.unwatched().map(str::to_owned)
    }

    pub(super) fn summary(&self) -> RehearsalSummary {
        RehearsalSummary {
            tally: self.planner.tally(),
            phases: self.phases.borrow().clone(),
            out_of_time: self.out_of_time,
            interrupted: self.interrupted,
            server_silent: self.server_silent,
        }
    }

    /// Says what is about to be built on the server.
    pub(super) fn announce(&self, plan: &BuildPlan) {
        if !plan.tables.is_empty() {
            (self.observer)(Event::Builds(plan));
        }
    }

    pub(super) fn begin(&self, what: &str, steps: usize) {
        *self.phase.borrow_mut() = Some((what.to_owned(), self.planner.tally()));
        (self.observer)(Event::Begin { what, steps });
    }

    pub(super) fn step(&self, what: &str) {
        (self.observer)(Event::Step(what));
    }

    pub(super) fn detail(&self, what: &str) {
        (self.observer)(Event::Detail(what));
    }

    pub(super) fn end(&self) {
        if let Some((name, before)) = self.phase.borrow_mut().take() {
            let mut phases = self.phases.borrow_mut();
            let place = phases.iter().position(|phase| phase.name == name);
            let place = place.unwrap_or_else(|| {
                phases.push(Phase {
                    name,
                    ..Phase::default()
                });
                phases.len() - 1
            });
            phases[place].add(&before, &self.planner.tally());
        }
        (self.observer)(Event::End);
    }
}
