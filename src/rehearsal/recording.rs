//! Everything a run asked and was answered, as a value that can be saved and asked again: for `review`, for tests of the core,
//! and to look at a customer's run without their server.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Answer, FreshSize, Hypothesis, NamedIndex, PlanOutcome, PlannerError, Planners, Preparation,
    Target, TwinState,
};
use crate::catalog::Catalog;
use crate::model::Gap;
use crate::model::QualifiedName;
use crate::verdict::Limits;
use crate::workload::{Statement, StatementId, Workload};

/// The `format` a recording names itself by.
pub const FORMAT: &str = "pgrehearse-recording-1";

/// A run, complete: replayed through the pipeline it gives the same report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// [`FORMAT`].
    pub format: String,
    /// What was advised on.
    pub workload: Workload,
    /// Within which limits.
    pub limits: Limits,
    /// What the server knew.
    pub catalog: Catalog,
    /// Every question to the server with its answer, in order.
    pub exchanges: Vec<Exchange>,
    /// What the planner twin was asked, if it came to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<TwinRecord>,
    /// How often there was time left to search, if it ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_in_time: Option<usize>,
}

/// What the planner twin was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwinRecord {
    /// Could it be asked?
    pub state: TwinState,
    /// What it was missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Every question with its answer, in order.
    pub exchanges: Vec<Exchange>,
    /// What it said of the sizes of indexes that exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fresh_sizes: Vec<FreshSize>,
}

impl Recording {
    /// The questions about new indexes: to the server and to its twin.
    pub fn trials(&self) -> impl Iterator<Item = &Exchange> {
        let twin = self.twin.iter().flat_map(|twin| &twin.exchanges);
        self.exchanges
            .iter()
            .chain(twin)
            .filter(|exchange| !exchange.indexes.is_empty() && exchange.is_plain())
    }

    /// What came of planning this statement as things were, before anything was tried.
    pub fn first_plan(&self, id: &StatementId) -> Option<&PlanOutcome> {
        let plain = |exchange: &&Exchange| exchange.indexes.is_empty() && exchange.is_plain();
        self.exchanges
            .iter()
            .filter(plain)
            .find_map(|exchange| match &exchange.answer {
                Answer::Planned(planned) => planned.plans.get(id),
                Answer::Refused(_) => None,
            })
    }
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The indexes asked about.
    pub indexes: Vec<NamedIndex>,
    /// Existing indexes that were thought away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<QualifiedName>,
    /// The statements were executed, not only planned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executed: bool,
    /// What was supposed besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypothesis: Option<Hypothesis>,
    /// The statements asked about.
    pub statements: Vec<StatementId>,
    /// The answer.
    pub answer: Answer,
}

impl Exchange {
    /// Is it about plans under new indexes, or none, and nothing else?
    fn is_plain(&self) -> bool {
        self.hidden.is_empty() && !self.executed && self.hypothesis.is_none()
    }
}

/// Passes questions on and keeps the answers.
pub struct Recorder<'a> {
    planners: &'a mut dyn Planners,
    catalog: Catalog,
    server: Vec<Exchange>,
    twin: Option<TwinRecord>,
    steps_in_time: usize,
    out_of_time: bool,
}

impl<'a> Recorder<'a> {
    /// Records what these planners answer.
    pub fn new(planners: &'a mut dyn Planners) -> Self {
        let (server, twin) = (Vec::new(), None);
        Recorder {
            planners,
            catalog: Catalog::default(),
            server,
            twin,
            steps_in_time: 0,
            out_of_time: false,
        }
    }

    /// All that was asked and answered.
    pub fn finish(self, workload: Workload, limits: Limits) -> Recording {
        let Recorder {
            catalog,
            server: exchanges,
            twin,
            ..
        } = self;
        let steps_in_time = self.out_of_time.then_some(self.steps_in_time);
        Recording {
            format: FORMAT.to_owned(),
            workload,
            limits,
            catalog,
            exchanges,
            twin,
            steps_in_time,
        }
    }
}

impl Recorder<'_> {
    fn keep(
        &mut self,
        target: Target,
        hidden: &[QualifiedName],
        indexes: &[NamedIndex],
        statements: &[Statement],
        answer: &Answer,
    ) {
        let statements = statements
            .iter()
            .map(|statement| statement.id.clone())
            .collect();
        let (indexes, hidden, answer) = (indexes.to_vec(), hidden.to_vec(), answer.clone());
        let exchange = Exchange {
            indexes,
            hidden,
            executed: false,
            hypothesis: None,
            statements,
            answer,
        };
        self.exchanges_with(target).push(exchange);
    }

    fn exchanges_with(&mut self, target: Target) -> &mut Vec<Exchange> {
        match (target, &mut self.twin) {
            (Target::Twin, Some(twin)) => &mut twin.exchanges,
            _ => &mut self.server,
        }
    }
}

impl Planners for Recorder<'_> {
    fn time_left(&mut self) -> bool {
        self.out_of_time |= !self.planners.time_left();
        self.steps_in_time += usize::from(!self.out_of_time);
        !self.out_of_time
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.catalog = self.planners.catalog(tables)?;
        Ok(self.catalog.clone())
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        let prepared = self.planners.prepare_twin(tables)?;
        let Preparation { state, gaps } = prepared.clone();
        self.twin = (state != TwinState::NotWanted).then(|| TwinRecord {
            state,
            gaps,
            exchanges: Vec::new(),
            fresh_sizes: Vec::new(),
        });
        Ok(prepared)
    }

    fn plan(
        &mut self,
        target: Target,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let answer = self.planners.plan(target, indexes, statements)?;
        self.keep(target, &[], indexes, statements, &answer);
        Ok(answer)
    }

    fn execute(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let answer = self.planners.execute(indexes, statements)?;
        self.keep(Target::Server, &[], indexes, statements, &answer);
        if let Some(last) = self.server.last_mut() {
            last.executed = true;
        }
        Ok(answer)
    }

    fn plan_without(
        &mut self,
        hidden: &[QualifiedName],
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let answer = self.planners.plan_without(hidden, indexes, statements)?;
        self.keep(Target::Twin, hidden, indexes, statements, &answer);
        Ok(answer)
    }

    fn suppose(
        &mut self,
        target: Target,
        hypothesis: &Hypothesis,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let answer = self
            .planners
            .suppose(target, hypothesis, indexes, statements)?;
        self.keep(target, &[], indexes, statements, &answer);
        if let Some(last) = self.exchanges_with(target).last_mut() {
            last.hypothesis = Some(hypothesis.clone());
        }
        Ok(answer)
    }

    fn fresh_sizes(&mut self, indexes: &[NamedIndex]) -> Result<Vec<FreshSize>, PlannerError> {
        let sizes = self.planners.fresh_sizes(indexes)?;
        if let Some(twin) = &mut self.twin {
            twin.fresh_sizes.clone_from(&sizes);
        }
        Ok(sizes)
    }
}

/// Answers from a recording. Each exchange is used once and in order, because the same question may have been answered
/// differently later (CREATE INDEX refreshes `pg_class.reltuples` for good).
pub struct Replay {
    catalog: Catalog,
    server: Vec<Exchange>,
    twin: Option<TwinRecord>,
    /// None: time did not run out.
    steps_in_time: Option<usize>,
}

impl Replay {
    /// Answers from this recording.
    pub fn new(recording: &Recording) -> Self {
        let Recording {
            catalog,
            exchanges,
            twin,
            steps_in_time,
            ..
        } = recording.clone();
        Replay {
            catalog,
            server: exchanges,
            twin,
            steps_in_time,
        }
    }
}

impl Planners for Replay {
    fn time_left(&mut self) -> bool {
        let Some(left) = &mut self.steps_in_time else {
            return true;
        };
        let in_time = *left > 0;
        *left = left.saturating_sub(1);
        in_time
    }

    fn catalog(&mut self, _tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        Ok(self.catalog.clone())
    }

    fn prepare_twin(
        &mut self,
        _tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        let prepared = |twin: &TwinRecord| Preparation {
            state: twin.state.clone(),
            gaps: twin.gaps.clone(),
        };
        Ok(self
            .twin
            .as_ref()
            .map_or_else(|| TwinState::NotWanted.into(), prepared))
    }

    fn plan(
        &mut self,
        target: Target,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        self.recorded(target, indexes, statements, Exchange::is_plain)
    }

    fn execute(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        self.recorded(Target::Server, indexes, statements, |exchange| {
            exchange.executed
        })
    }

    fn plan_without(
        &mut self,
        hidden: &[QualifiedName],
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        self.recorded(Target::Twin, indexes, statements, |exchange| {
            exchange.hidden == hidden && exchange.hypothesis.is_none()
        })
    }

    /// A recording of an earlier version does not know of it.
    fn suppose(
        &mut self,
        target: Target,
        hypothesis: &Hypothesis,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let asked = |exchange: &Exchange| exchange.hypothesis.as_ref() == Some(hypothesis);
        match self.recorded(target, indexes, statements, asked) {
            Err(PlannerError::NotRecorded(_)) => Ok(Answer::Refused(hypothesis.refused(indexes))),
            other => other,
        }
    }

    fn fresh_sizes(&mut self, _indexes: &[NamedIndex]) -> Result<Vec<FreshSize>, PlannerError> {
        Ok(self
            .twin
            .as_ref()
            .map(|twin| twin.fresh_sizes.clone())
            .unwrap_or_default())
    }
}

impl Replay {
    fn recorded(
        &mut self,
        target: Target,
        indexes: &[NamedIndex],
        statements: &[Statement],
        is_it: impl Fn(&Exchange) -> bool,
    ) -> Result<Answer, PlannerError> {
        let left = match (target, &mut self.twin) {
            (Target::Server, _) => &mut self.server,
            (Target::Twin, Some(twin)) => &mut twin.exchanges,
            (Target::Twin, None) => return Err(PlannerError::NoTwin),
        };
        let asked = |exchange: &Exchange| {
            exchange.indexes == indexes
                && is_it(exchange)
                && exchange
                    .statements
                    .iter()
                    .eq(statements.iter().map(|statement| &statement.id))
        };
        match left.iter().position(asked) {
            Some(position) => Ok(left.remove(position).answer),
            None => {
                let names: Vec<&str> = indexes.iter().map(|index| index.name.as_str()).collect();
                Err(PlannerError::NotRecorded(if names.is_empty() {
                    "the plans as they are".to_owned()
                } else {
                    names.join(", ")
                }))
            }
        }
    }
}
