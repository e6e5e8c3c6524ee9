//! With `--analyze`, statements for which no index is recommended and whose cost is known to mislead.
//!
//! The planner prices a LIMIT as if the wanted rows were spread evenly, so that walking another
//! index until enough are found looks cheap, however late they come. An index may then gain too little
//! by cost and much in time. Such a statement is executed without and with the candidate that comes
//! next, and that is recommended where it is much faster.
//!
//! The same holds for a GiST index that is searched by a later column alone: the planner takes the
//! share of its pages that the condition selects (`genericcostestimate`,
//! src/backend/utils/adt/selfuncs.c), but the tree is divided by the first column, and most of it
//! has to be read.

use super::context::Context;
use super::measure::{MIN_TIME, objection};
use super::run::Run;
use super::selection::Chosen;
use super::verification::{Failure, VerifiedIndex};
use super::write_cost;
use crate::catalog::Catalog;
use crate::index::Method;
use crate::model::{Cost, Millis};
use crate::plan::{Node, NodeType, Plan};
use crate::planner::{
    Answer, BuildPlan, Evidence, PlanOutcome, Planned, PlannerError, Question, Target, TestedIndex,
    uses,
};
use crate::search::{TrialId, Trials};
use crate::sql::parse_expression;
use crate::workload::Statement;

/// How many times as fast a statement has to be for an index that gains little by its cost.
const MUCH_FASTER: f64 = 2.0;

/// Executes such statements, and adds what makes them much faster.
pub(super) fn add(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    chosen: &mut Chosen,
) -> Result<(), PlannerError> {
    if chosen.measured.is_none() {
        return Ok(());
    }
    let wanted: Vec<(Statement, Vec<TrialId>)> = context
        .workload
        .statements()
        .iter()
        .filter_map(|statement| {
            let next = next_candidates(statement, context, trials, chosen)?;
            Some((statement.clone(), next))
        })
        .collect();
    let next = wanted.iter().flat_map(|(_, next)| next);
    let next = next.map(|trial| &trials[*trial].index.definition);
    run.announce(&BuildPlan::of(next, context.catalog));
    run.begin(
        "executing statements without a recommendation",
        wanted.len(),
    );
    for (statement, next) in wanted {
        run.step(&statement.id.0);
        for trial in next {
            let is_there = |id: &TrialId| chosen.verified_trials().any(|verified| verified == *id);
            if is_there(&trial) || !fits(context, trials, chosen, trial) {
                continue;
            }
            if let Some(execution) = execute(run, trials, chosen, (&statement, trial))?
                && execution.is_much_faster(&statement, trials, trial, context)
            {
                chosen.add_by_time(&statement, trial, execution);
                break;
            }
        }
    }
    run.end();
    Ok(())
}

/// How many candidates a statement is executed with.
const MAX_CANDIDATES: usize = 2;

/// The cheapest candidates that the planner uses for the statement, where nothing is recommended for
/// it and executing it is not ruled out by what is known here; the server checks the rest.
fn next_candidates(
    statement: &Statement,
    context: Context<'_>,
    trials: &Trials,
    chosen: &Chosen,
) -> Option<Vec<TrialId>> {
    let id = &statement.id;
    let plan = context.plan(id)?;
    if !misleads(plan, context.catalog)
        || statement.value_class.is_some()
        || objection(statement, context).is_some()
    {
        return None;
    }
    let min_improvement = context.limits.min_improvement;
    let after = chosen.verification.after.get(id);
    if after.is_some_and(|after| min_improvement.reached(plan.total_cost(), after.total_cost())) {
        return None;
    }
    let is_ruled_out = |trial: &TrialId| {
        let failure = chosen.verification.failed.get(trial);
        failure.is_some_and(|failure| !matches!(failure, Failure::GainTooSmall | Failure::NotUsed))
            || chosen.selection.kept_out.contains_key(trial)
    };
    let may_be_built = |trial: &TrialId| {
        let table = context.catalog.table(trials[*trial].table());
        table.is_some_and(|table| context.build_refusal(table).is_none())
    };
    let candidates = trials.iter().filter_map(|(trial, tested)| {
        let cost = tested.costs()?.get(id).filter(|cost| cost.used)?;
        Some((cost.cost, tested.size()?, trial))
    });
    let mut candidates: Vec<(Cost, _, TrialId)> = candidates
        .filter(|(_, _, trial)| !is_ruled_out(trial) && may_be_built(trial))
        .collect();
    candidates.sort_by(|a, b| a.0.0.total_cmp(&b.0.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let next: Vec<TrialId> = candidates
        .into_iter()
        .map(|(_, _, trial)| trial)
        .take(MAX_CANDIDATES)
        .collect();
    (!next.is_empty()).then_some(next)
}

/// Does the plan's cost say little of its time?
fn misleads(plan: &Plan, catalog: &Catalog) -> bool {
    let is_limited = *plan.root().node_type() == NodeType::Limit;
    let mut nodes = plan.nodes().iter();
    is_limited || nodes.any(|node| searches_by_later_column(node, catalog))
}

/// A multicolumn GiST index, of whose first column nothing is asked.
fn searches_by_later_column(node: &Node, catalog: &Catalog) -> bool {
    let indexes = catalog.tables.iter().flat_map(|table| &table.indexes);
    let read = |name| {
        let mut named = indexes.clone().filter(|index| index.name.name == name);
        named.find_map(|index| index.index.as_ref())
    };
    let Some(index) = node.index_name().and_then(read) else {
        return false;
    };
    let condition = node
        .index_cond()
        .and_then(|text| parse_expression(text).ok());
    let (Some(condition), [first, _, ..]) = (condition, index.keys.as_slice()) else {
        return false;
    };
    let of_first = first.key.columns().unwrap_or_default();
    index.method == Method::Gist
        && !of_first.is_empty()
        && !of_first
            .iter()
            .any(|column| condition.columns.contains(column))
}

/// Within the limits, with what is recommended?
fn fits(context: Context<'_>, trials: &Trials, chosen: &Chosen, trial: TrialId) -> bool {
    let verified = &chosen.verification.verified;
    let present: u64 = verified.iter().map(|verified| verified.index.size.0).sum();
    let size = trials[trial].size().unwrap_or_default().0;
    let limits = context.limits;
    limits
        .budget
        .is_none_or(|budget| present + size <= budget.0)
        && limits.max_indexes.is_none_or(|max| verified.len() < max)
}

/// A statement, executed without and with an index that it used.
struct Execution {
    before: Plan,
    after: Plan,
    index: TestedIndex,
    write_block: Option<Millis>,
}

fn execute(
    run: &mut Run<'_>,
    trials: &Trials,
    chosen: &mut Chosen,
    (statement, trial): (&Statement, TrialId),
) -> Result<Option<Execution>, PlannerError> {
    let Some(measured) = &mut chosen.measured else {
        return Ok(None);
    };
    let statements = std::slice::from_ref(statement);
    if !measured.before.contains_key(&statement.id) {
        let before = run.ask(&Question::plans(Target::Server, statements).executed())?;
        measured.keep(before, |measured| &mut measured.before);
    }
    let before = measured.before.get(&statement.id);
    let is_long = |plan: &&Plan| plan.execution_time().is_some_and(|time| time >= MIN_TIME);
    let Some(before) = before.filter(is_long).cloned() else {
        return Ok(None);
    };
    let question = Question::plans(Target::Server, statements)
        .executed()
        .with_indexes(&trials.indexes([&trial]));
    let Answer::Planned(Planned {
        mut plans,
        mut indexes,
        write_block,
        ..
    }) = run.ask(&question)?
    else {
        return Ok(None);
    };
    let Some(PlanOutcome::Plan(after)) = plans.remove(&statement.id) else {
        return Ok(None);
    };
    let index = indexes.pop().filter(|index| uses(&after, index));
    Ok(index.map(|index| Execution {
        before,
        after,
        index,
        write_block,
    }))
}

impl Execution {
    /// Is it worth an index? What writes pay is compared with the pages that reads no longer look
    /// at, each at least `cpu_tuple_cost` a row of it, and mostly more: one planner unit.
    fn is_much_faster(
        &self,
        statement: &Statement,
        trials: &Trials,
        trial: TrialId,
        context: Context<'_>,
    ) -> bool {
        let (Some(before), Some(after)) =
            (self.before.execution_time(), self.after.execution_time())
        else {
            return false;
        };
        let blocks = |plan: &Plan| plan.shared_blocks().unwrap_or(0.0);
        let saved = statement.calls * (blocks(&self.before) - blocks(&self.after));
        let upkeep = write_cost::of_trials(trials, context).of(&[trial]);
        after.0 * MUCH_FASTER <= before.0 && upkeep <= saved.max(0.0)
    }
}

impl Chosen {
    fn verified_trials(&self) -> impl Iterator<Item = TrialId> + '_ {
        let verified = self.verification.verified.iter();
        verified.map(|verified| verified.trial)
    }

    /// Recommends an index for its time.
    fn add_by_time(&mut self, statement: &Statement, trial: TrialId, execution: Execution) {
        let id = &statement.id;
        let Execution {
            before,
            after,
            index,
            write_block,
        } = execution;
        if let Some(measured) = &mut self.measured {
            measured.after.insert(id.clone(), after.clone());
        }
        let verification = &mut self.verification;
        verification
            .before
            .insert(id.clone(), PlanOutcome::Plan(before));
        verification.after.insert(id.clone(), after);
        verification.failed.remove(&trial);
        verification.verified.push(VerifiedIndex {
            trial,
            index,
            write_block,
            built_with: Vec::new(),
            evidence: Evidence::RolledBackTransaction,
            not_built: None,
            predicted: None,
        });
        verification.faster.insert(id.clone());
    }
}
