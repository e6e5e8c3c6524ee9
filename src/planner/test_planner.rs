//! A planner in memory, for tests of everything that asks one.
//!
//! A test says what the tables are, how each statement is planned today, and what it would cost
//! with which index. Of the indexes that a question makes visible (new ones, and existing ones that
//! are not hidden) the cheapest decides each plan, even where the statement costs more by it than
//! without any. The server and the twin say the same unless the test makes them differ. Every
//! question is kept, so that a test can also say what is not asked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Answer, Hypothesis, Mode, NotExecuted, PlanOutcome, Planned, Planner, PlannerError,
    Preparation, Question, Refusal, RefusalCause, Target, TestedIndex, TwinOnly, TwinOnlyReason,
    TwinState, Waits,
};
use crate::catalog::Catalog;
use crate::index::Index;
use crate::index::parse_index;
use crate::model::{Bytes, Millis, QualifiedName};
use crate::plan::Plan;
use crate::workload::{StatementId, Usage, Workload};

mod plans;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use plans::{TestPlan, seq_scan};
pub(crate) use tables::{TestTable, catalog, table};

/// How long building an index takes, and how long writers wait for the transaction that builds any.
pub(crate) const BUILD_TIME: Millis = Millis(10.0);
pub(crate) const WRITE_BLOCK: Millis = Millis(20.0);

/// The size of an index of which the test says nothing.
const OTHER_SIZE: Bytes = Bytes(8192);

type Costs = BTreeMap<StatementId, f64>;
type Override = Box<dyn Fn(&Question) -> Option<Answer>>;

/// What executing a statement shows.
#[derive(Debug, Clone, Copy)]
struct Executed {
    time_ms: f64,
    blocks: f64,
}

/// A server, and its planner twin.
pub(crate) struct TestPlanner {
    catalog: Catalog,
    workload: Workload,
    plans: BTreeMap<StatementId, TestPlan>,
    twin_plans: BTreeMap<StatementId, TestPlan>,
    twin_failures: BTreeMap<StatementId, String>,
    /// What statements cost on a planner with these indexes.
    costs: BTreeMap<(Target, Vec<Index>), Costs>,
    sizes: BTreeMap<(Target, Index), Bytes>,
    refusals: BTreeMap<(Target, Index), RefusalCause>,
    unusable: BTreeSet<Index>,
    executed: BTreeMap<(StatementId, Option<Index>), Executed>,
    twin_only: BTreeMap<StatementId, TwinOnly>,
    long_plans: BTreeMap<StatementId, Bytes>,
    not_executed: BTreeMap<StatementId, NotExecuted>,
    settled: BTreeMap<StatementId, String>,
    overrides: Vec<Override>,
    ends: Box<dyn Fn(&Question) -> bool>,
    out_of_time: bool,
    preparation: Preparation,
    prepared: bool,
    asked: Vec<Question>,
}

/// `orders (customer_id)` as an index in the schema public.
pub(crate) fn index(text: &str) -> Index {
    parse_index(&format!("CREATE INDEX ON public.{text}")).unwrap()
}

pub(crate) fn id(name: &str) -> StatementId {
    StatementId(name.to_owned())
}

/// An answer with these plans.
pub(crate) fn planned(plans: &[(&str, &TestPlan)]) -> Answer {
    let outcome = |(name, plan): &(&str, &TestPlan)| (id(name), PlanOutcome::Plan(plan.plan()));
    Answer::Planned(Planned {
        plans: plans.iter().map(outcome).collect(),
        ..Planned::default()
    })
}

impl TestPlanner {
    /// Tables without any statement.
    pub(crate) fn new(tables: impl IntoIterator<Item = TestTable>) -> TestPlanner {
        TestPlanner {
            catalog: tables::catalog(tables),
            workload: Workload::default(),
            plans: BTreeMap::new(),
            twin_plans: BTreeMap::new(),
            twin_failures: BTreeMap::new(),
            costs: BTreeMap::new(),
            sizes: BTreeMap::new(),
            refusals: BTreeMap::new(),
            unusable: BTreeSet::new(),
            executed: BTreeMap::new(),
            long_plans: BTreeMap::new(),
            twin_only: BTreeMap::new(),
            not_executed: BTreeMap::new(),
            settled: BTreeMap::new(),
            overrides: Vec::new(),
            ends: Box::new(|_| false),
            out_of_time: false,
            preparation: TwinState::Ready.into(),
            prepared: false,
            asked: Vec::new(),
        }
    }

    /// A statement that runs once, with its plan without new indexes.
    pub(crate) fn statement(self, name: &str, sql: &str, plan: TestPlan) -> TestPlanner {
        self.called(1.0, name, sql, plan)
    }

    /// A statement that runs so often.
    pub(crate) fn called(mut self, calls: f64, name: &str, sql: &str, plan: TestPlan) -> Self {
        let usage = Usage {
            calls,
            mean_time_ms: None,
        };
        self.workload.add(name, sql, usage, format!("{name}.sql:1"));
        self.planning(name, plan)
    }

    /// The planner only accepts this text of the statement.
    pub(crate) fn settling(mut self, name: &str, sql: &str) -> TestPlanner {
        self.settled.insert(id(name), sql.to_owned());
        self
    }

    /// The texts of statements that have another one, in a question without conditions.
    fn settled_texts(&self, question: &Question) -> BTreeMap<StatementId, String> {
        let mut settled = self.settled.clone();
        let is_asked = |id: &StatementId| question.statements.iter().any(|asked| asked.id == *id);
        settled.retain(|id, _| question.is_baseline() && is_asked(id));
        settled
    }

    /// A plan for a statement that is not the workload's own.
    pub(crate) fn planning(mut self, name: &str, plan: TestPlan) -> TestPlanner {
        self.plans.insert(id(name), plan);
        self
    }

    /// The twin plans a statement otherwise.
    pub(crate) fn twin_plans(mut self, name: &str, plan: TestPlan) -> TestPlanner {
        self.twin_plans.insert(id(name), plan);
        self
    }

    /// The twin cannot plan a statement that the server plans.
    pub(crate) fn twin_cannot_plan(mut self, name: &str, message: &str) -> TestPlanner {
        self.twin_failures.insert(id(name), message.to_owned());
        self
    }

    /// The server is not asked about a statement, for this reason.
    pub(crate) fn twin_only(mut self, name: &str, reason: TwinOnly) -> TestPlanner {
        self.twin_only.insert(id(name), reason);
        self
    }

    /// The plan of a statement is so long that the server does not send it while writers wait.
    pub(crate) fn long_plan(mut self, name: &str, bytes: Bytes) -> TestPlanner {
        self.long_plans.insert(id(name), bytes);
        self
    }

    /// A statement is not executed, for this reason.
    pub(crate) fn not_executed(mut self, name: &str, reason: NotExecuted) -> TestPlanner {
        self.not_executed.insert(id(name), reason);
        self
    }

    /// There can be no twin.
    pub(crate) fn without_twin(mut self, reason: &str) -> TestPlanner {
        self.preparation = TwinState::Unavailable(reason.to_owned()).into();
        self
    }

    /// An index of this size, new or existing, with what statements cost by it.
    pub(crate) fn index(self, text: &str, size: Bytes, costs: &[(&str, f64)]) -> TestPlanner {
        self.size(Target::Server, text, size)
            .size(Target::Twin, text, size)
            .together(&[text], costs)
    }

    /// What statements cost when all of these indexes are there.
    pub(crate) fn together(self, texts: &[&str], costs: &[(&str, f64)]) -> TestPlanner {
        self.costs(Target::Server, texts, costs)
            .costs(Target::Twin, texts, costs)
    }

    /// The same, of one planner only.
    pub(crate) fn costs(mut self, on: Target, texts: &[&str], costs: &[(&str, f64)]) -> Self {
        let mut indexes: Vec<Index> = texts.iter().copied().map(index).collect();
        indexes.sort();
        let costs = costs.iter().map(|(name, cost)| (id(name), *cost));
        self.costs.insert((on, indexes), costs.collect());
        self
    }

    /// The size that an index has on one planner.
    pub(crate) fn size(mut self, on: Target, text: &str, size: Bytes) -> TestPlanner {
        self.sizes.insert((on, index(text)), size);
        self
    }

    /// One planner refuses every question with this new index.
    pub(crate) fn refuses(mut self, on: Target, text: &str, cause: RefusalCause) -> TestPlanner {
        self.refusals.insert((on, index(text)), cause);
        self
    }

    /// The server builds this index and cannot use it yet.
    pub(crate) fn unusable(mut self, text: &str) -> TestPlanner {
        self.unusable.insert(index(text));
        self
    }

    /// What executing a statement takes without a new index, or with this one.
    pub(crate) fn takes(mut self, name: &str, with: Option<&str>, ms: f64, blocks: f64) -> Self {
        let executed = Executed {
            time_ms: ms,
            blocks,
        };
        self.executed.insert((id(name), with.map(index)), executed);
        self
    }

    /// Answers some questions otherwise; what was said first counts.
    pub(crate) fn answering(
        mut self,
        answer: impl Fn(&Question) -> Option<Answer> + 'static,
    ) -> TestPlanner {
        self.overrides.push(Box::new(answer));
        self
    }

    /// The time for the search is over from the first skippable question of this kind on.
    pub(crate) fn out_of_time_at(
        mut self,
        is_last: impl Fn(&Question) -> bool + 'static,
    ) -> TestPlanner {
        self.ends = Box::new(is_last);
        self
    }

    /// Anything else about the catalog.
    pub(crate) fn with_catalog(mut self, change: impl FnOnce(&mut Catalog)) -> TestPlanner {
        change(&mut self.catalog);
        self
    }

    /// Anything else about the workload.
    pub(crate) fn with_workload(mut self, change: impl FnOnce(&mut Workload)) -> TestPlanner {
        change(&mut self.workload);
        self
    }

    /// Anything else about the twin.
    pub(crate) fn with_preparation(mut self, preparation: Preparation) -> TestPlanner {
        self.preparation = preparation;
        self
    }

    pub(crate) fn workload(&self) -> &Workload {
        &self.workload
    }

    /// Every question so far, in order.
    pub(crate) fn asked(&self) -> &[Question] {
        &self.asked
    }

    /// What the server built and only planned with, question by question: `orders (customer_id)`.
    pub(crate) fn built(&self) -> Vec<Vec<String>> {
        let builds = self.asked.iter().filter(|question| {
            question.target == Target::Server
                && question.mode == Mode::Plan
                && !question.indexes.is_empty()
        });
        builds.map(definitions).collect()
    }
}

/// The new indexes of a question: `orders (customer_id)`.
pub(crate) fn definitions(question: &Question) -> Vec<String> {
    let indexes = question.indexes.iter();
    indexes
        .map(|index| short(&index.definition.definition()))
        .collect()
}

/// Without the schema that all tables of tests are in.
pub(crate) fn short(definition: &str) -> String {
    definition.trim_start_matches("public.").to_owned()
}

/// An index that a planner sees, with its name.
type Visible = BTreeMap<Index, String>;

impl TestPlanner {
    fn answer(&self, question: &Question) -> Answer {
        if let Some(answer) = self.overrides.iter().find_map(|answer| answer(question)) {
            return answer;
        }
        match &question.hypothesis {
            None | Some(Hypothesis::Rewritten) => {}
            Some(hypothesis) => return Answer::Refused(hypothesis.refused(&question.indexes)),
        }
        let on = question.target;
        let new = || question.indexes.iter().map(|named| &named.definition);
        if let Some(cause) = new().find_map(|index| self.refusals.get(&(on, index.clone()))) {
            let refusal: Refusal = cause.clone().into();
            return Answer::Refused(refusal);
        }
        let visible = self.visible(question);
        let plan = |name: &StatementId| self.outcome(question, name, &visible);
        let statements = question.statements.iter();
        let builds = on == Target::Server && !question.indexes.is_empty();
        Answer::Planned(Planned {
            plans: statements
                .map(|statement| (statement.id.clone(), plan(&statement.id)))
                .collect(),
            settled: self.settled_texts(question),
            long_plans: self.long_plans(question),
            indexes: self.tested(question),
            write_block: builds.then_some(WRITE_BLOCK),
            waits: builds.then(Waits::default),
        })
    }

    fn long_plans(&self, question: &Question) -> BTreeMap<StatementId, Bytes> {
        let is_asked = question.target == Target::Server && question.is_baseline();
        let statements = question.statements.iter().filter(|_| is_asked);
        let long = |id: &StatementId| Some((id.clone(), *self.long_plans.get(id)?));
        statements.filter_map(|one| long(&one.id)).collect()
    }

    fn is_usable(&self, on: Target, index: &Index) -> bool {
        on == Target::Twin || !self.unusable.contains(index)
    }

    fn visible(&self, question: &Question) -> Visible {
        let tables = self.catalog.tables.iter();
        let existing = tables
            .flat_map(|table| &table.indexes)
            .filter(|index| index.valid && !question.hidden.contains(&index.name))
            .filter_map(|index| Some((index.index.clone()?, index.name.name.clone())));
        let new = question.indexes.iter();
        let new = new
            .filter(|named| self.is_usable(question.target, &named.definition))
            .map(|named| (named.definition.clone(), named.name.clone()));
        existing.chain(new).collect()
    }

    fn tested(&self, question: &Question) -> Vec<TestedIndex> {
        let on = question.target;
        let indexes = question.indexes.iter();
        indexes
            .map(|named| TestedIndex {
                names: [named.name.clone()].into(),
                body: body(&named.definition),
                size: *self
                    .sizes
                    .get(&(on, named.definition.clone()))
                    .unwrap_or(&OTHER_SIZE),
                build_time: (on == Target::Server).then_some(BUILD_TIME),
                usable: self.is_usable(on, &named.definition),
            })
            .collect()
    }

    fn outcome(&self, question: &Question, name: &StatementId, visible: &Visible) -> PlanOutcome {
        let failure = self.twin_failures.get(name);
        if let Some(message) = failure.filter(|_| question.target == Target::Twin) {
            return PlanOutcome::Failed(message.clone());
        }
        if let Some(bytes) = self.long_plans.get(name)
            && question.target == Target::Server
            && !question.indexes.is_empty()
        {
            return PlanOutcome::TwinOnly(TwinOnly {
                authors: BTreeSet::new(),
                reason: TwinOnlyReason::LongPlan(*bytes),
            });
        }
        let withheld = self.twin_only.get(name);
        if let Some(reason) = withheld.filter(|_| question.target == Target::Server) {
            return PlanOutcome::TwinOnly(reason.clone());
        }
        let withheld = self.not_executed.get(name);
        if let Some(reason) = withheld.filter(|_| question.mode != Mode::Plan) {
            return PlanOutcome::NotExecuted(reason.clone());
        }
        let of_twin = self.twin_plans.get(name);
        let today = of_twin.filter(|_| question.target == Target::Twin);
        let Some(today) = today.or_else(|| self.plans.get(name)) else {
            return PlanOutcome::Failed(format!("there is no statement {name}"));
        };
        let best = self.best(question.target, name, visible);
        let plan = match best {
            Some((indexes, cost)) => {
                let used: Vec<_> = indexes
                    .iter()
                    .map(|index| (index, visible[index].as_str()))
                    .collect();
                today.by_indexes(&used, cost)
            }
            None => today.clone(),
        };
        match question.mode {
            Mode::Plan => PlanOutcome::Plan(plan.plan()),
            Mode::Execute => {
                let used = best.and_then(|(used, _)| used.first());
                PlanOutcome::Plan(self.execute(plan, name, used))
            }
            Mode::Check => PlanOutcome::Empty,
        }
    }

    /// The cheapest way with indexes that are all visible.
    fn best(&self, on: Target, name: &StatementId, visible: &Visible) -> Option<(&[Index], f64)> {
        let is_visible = |indexes: &[Index]| indexes.iter().all(|at| visible.contains_key(at));
        let ways = self.costs.iter();
        ways.filter(|((target, indexes), _)| *target == on && is_visible(indexes))
            .filter_map(|((_, indexes), costs)| Some((indexes.as_slice(), *costs.get(name)?)))
            .min_by(|(_, one), (_, other)| one.total_cmp(other))
    }

    /// By default a statement takes a hundredth of its cost.
    fn execute(&self, plan: TestPlan, name: &StatementId, used: Option<&Index>) -> Plan {
        let known = self.executed.get(&(name.clone(), used.cloned()));
        let executed = known.copied().unwrap_or(Executed {
            time_ms: plan.cost() / 100.0,
            blocks: plan.cost(),
        });
        plan.with("Shared Hit Blocks", Value::from(executed.blocks))
            .executed(executed.time_ms)
    }
}

/// What stands behind the table's name, as the server writes it.
fn body(index: &Index) -> String {
    let definition = index.definition();
    let rest = definition.trim_start_matches(&index.table.to_string());
    let rest = rest.trim_start();
    if rest.starts_with("USING") {
        rest.to_owned()
    } else {
        format!("USING btree {rest}")
    }
}

impl Planner for TestPlanner {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        let is_of_twin = question.target == Target::Twin;
        let has_twin = self.prepared && self.preparation.state == TwinState::Ready;
        if (is_of_twin && !has_twin) || (!is_of_twin && !question.hidden.is_empty()) {
            return Err(PlannerError::NoTwin);
        }
        self.asked.push(question.clone());
        if question.skippable.is_some() {
            self.out_of_time |= (self.ends)(question);
            if self.out_of_time {
                return Ok(Answer::Refused(RefusalCause::OutOfTime.into()));
            }
        }
        Ok(self.answer(question))
    }

    fn catalog(&mut self, _tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        Ok(self.catalog.clone())
    }

    fn prepare_twin(
        &mut self,
        _tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        self.prepared = true;
        Ok(self.preparation.clone())
    }
}
