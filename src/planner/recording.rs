//! Everything a run asked and was answered, as a value that can be saved and replayed: for
//! `review`, for tests of the core, and to look at a run without its server.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::{
    Answer, Hypothesis, Mode, NamedIndex, OtherTables, PlanOutcome, Planner, PlannerError,
    Preparation, Question, Target, TwinState,
};
use crate::catalog::Catalog;
use crate::model::QualifiedName;
use crate::verdict::Limits;
use crate::workload::{StatementId, Workload};

mod stored;

pub use stored::RecordingError;

/// The `format` of recordings that this version writes and reads.
pub const FORMAT: &str = "pgrehearse-recording-2";

/// What the `format` of any recording begins with.
pub const FORMAT_PREFIX: &str = "pgrehearse-recording-";

/// A whole run: replayed through the pipeline it gives the same report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "stored::Stored", try_from = "stored::Stored")]
pub struct Recording {
    /// The workload.
    pub workload: Workload,
    /// The limits of the run.
    pub limits: Limits,
    /// What the server knew.
    pub catalog: Catalog,
    /// The other tables of the database, if these were asked for.
    pub others: Option<OtherTables>,
    /// The state of the planner twin.
    pub twin: Preparation,
    /// Every question with its answer, in order.
    pub exchanges: Vec<Exchange>,
}

/// A question and its answer. Of the statements only the ids are kept: the texts are the
/// workload's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Which planner was asked.
    pub target: Target,
    /// The new indexes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<NamedIndex>,
    /// The existing indexes that were hidden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<QualifiedName>,
    /// What was assumed besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypothesis: Option<Hypothesis>,
    /// Were the statements executed?
    #[serde(default, skip_serializing_if = "is_plan")]
    pub mode: Mode,
    /// The statements.
    pub statements: Vec<StatementId>,
    /// The answer.
    pub answer: Answer,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_plan(mode: &Mode) -> bool {
    *mode == Mode::Plan
}

impl Exchange {
    fn new(question: &Question, answer: Answer) -> Exchange {
        let Question {
            target,
            indexes,
            hidden,
            hypothesis,
            mode,
            statements,
            skippable: _,
        } = question;
        Exchange {
            target: *target,
            indexes: indexes.clone(),
            hidden: hidden.clone(),
            hypothesis: hypothesis.clone(),
            mode: *mode,
            statements: statements.iter().map(|s| s.id.clone()).collect(),
            answer,
        }
    }

    /// Is it the answer to this question?
    pub fn answers(&self, question: &Question) -> bool {
        self.target == question.target
            && self.mode == question.mode
            && self.indexes == question.indexes
            && self.hidden == question.hidden
            && self.hypothesis == question.hypothesis
            && self
                .statements
                .iter()
                .eq(question.statements.iter().map(|s| &s.id))
    }

    /// Is it about plans with new indexes, or without any, and nothing else?
    fn is_plain(&self) -> bool {
        self.hidden.is_empty() && self.hypothesis.is_none() && self.mode == Mode::Plan
    }
}

impl Recording {
    /// The questions about new indexes alone: to the server, then to its twin.
    pub fn trials(&self) -> impl Iterator<Item = &Exchange> {
        let is_trial = |exchange: &&Exchange| !exchange.indexes.is_empty() && exchange.is_plain();
        let of = move |target: Target| {
            let exchanges = self.exchanges.iter().filter(is_trial);
            exchanges.filter(move |exchange| exchange.target == target)
        };
        of(Target::Server).chain(of(Target::Twin))
    }

    /// The server's first answer about this statement without new indexes.
    pub fn first_plan(&self, id: &StatementId) -> Option<&PlanOutcome> {
        let is_baseline = |exchange: &&Exchange| {
            exchange.target == Target::Server && exchange.indexes.is_empty() && exchange.is_plain()
        };
        self.exchanges
            .iter()
            .filter(is_baseline)
            .find_map(|exchange| match &exchange.answer {
                Answer::Planned(planned) => planned.plans.get(id),
                Answer::Refused(_) => None,
            })
    }
}

/// Passes questions on and keeps the answers.
pub struct Recorder<'a> {
    planner: &'a mut dyn Planner,
    catalog: Catalog,
    others: Option<OtherTables>,
    twin: Preparation,
    exchanges: Vec<Exchange>,
}

impl<'a> Recorder<'a> {
    /// Records what this planner answers.
    pub fn new(planner: &'a mut dyn Planner) -> Self {
        Recorder {
            planner,
            catalog: Catalog::default(),
            others: None,
            twin: TwinState::NotWanted.into(),
            exchanges: Vec::new(),
        }
    }

    /// All that was asked and answered.
    pub fn finish(self, workload: Workload, limits: Limits) -> Recording {
        Recording {
            workload,
            limits,
            catalog: self.catalog,
            others: self.others,
            twin: self.twin,
            exchanges: self.exchanges,
        }
    }
}

impl Planner for Recorder<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        let answer = self.planner.ask(question)?;
        self.exchanges.push(Exchange::new(question, answer.clone()));
        Ok(answer)
    }

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        let answers = self.planner.ask_all(questions)?;
        let exchanges = questions.iter().zip(&answers);
        let exchanges = exchanges.map(|(question, answer)| Exchange::new(question, answer.clone()));
        self.exchanges.extend(exchanges);
        Ok(answers)
    }

    fn expect(&mut self, indexes: &[&NamedIndex]) -> Result<(), PlannerError> {
        self.planner.expect(indexes)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.catalog = self.planner.catalog(tables)?;
        Ok(self.catalog.clone())
    }

    fn other_tables(
        &mut self,
        known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        let others = self.planner.other_tables(known)?;
        Ok(self.others.insert(others).clone())
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        self.twin = self.planner.prepare_twin(tables)?;
        Ok(self.twin.clone())
    }
}

/// Answers from a recording. Each answer is given once and in order, because the same question may
/// have been answered differently later (CREATE INDEX refreshes `pg_class.reltuples` for good).
pub struct Replay {
    catalog: Catalog,
    others: OtherTables,
    twin: Preparation,
    left: VecDeque<Exchange>,
}

impl Replay {
    /// Answers from this recording.
    pub fn new(recording: &Recording) -> Self {
        Replay {
            catalog: recording.catalog.clone(),
            others: recording.others.clone().unwrap_or_default(),
            twin: recording.twin.clone(),
            left: recording.exchanges.iter().cloned().collect(),
        }
    }

    /// How many recorded answers were not used. If there are any, another version of the program
    /// made the recording, and its report may have been different.
    pub fn unused(&self) -> usize {
        self.left.len()
    }
}

impl Planner for Replay {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        let position = self
            .left
            .iter()
            .position(|exchange| exchange.answers(question));
        let found = position.and_then(|position| self.left.remove(position));
        found
            .map(|exchange| exchange.answer)
            .ok_or_else(|| PlannerError::NotRecorded(question.to_string()))
    }

    fn catalog(&mut self, _tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        Ok(self.catalog.clone())
    }

    fn other_tables(
        &mut self,
        _known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        Ok(self.others.clone())
    }

    fn prepare_twin(
        &mut self,
        _tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        Ok(self.twin.clone())
    }
}
