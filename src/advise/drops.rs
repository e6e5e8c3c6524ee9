//! Hypothetical drops: what would become of the workload if an index that exists were gone, with the recommended ones in place.
//! Only the planner twin is asked; nobody loses an index for a question.

use super::Run;
use super::proof::Proof;
use super::twin::TwinView;
use crate::catalog::{Catalog, ExistingIndex, Table};
use crate::model::{Bytes, Cost, QualifiedName};
use crate::plan::Plan;
use crate::rehearsal::{Answer, Event, NamedIndex, PlanOutcome, PlannerError, Trial, Whom};
use crate::verdict::WORSE_SHARE;
use crate::workload::{Statement, StatementId};

/// An existing index, thought away.
#[derive(Debug, Clone, PartialEq)]
pub struct HypotheticalDrop {
    /// The index.
    pub index: QualifiedName,
    /// The table it is on.
    pub table: QualifiedName,
    /// Its size.
    pub size: Bytes,
    /// `idx_scan`: scans since the statistics were reset.
    pub scans: u64,
    /// The statements that get worse without it; none: this workload does not need it.
    pub worse: Vec<Worsened>,
}

/// A statement that gets worse without an index.
#[derive(Debug, Clone, PartialEq)]
pub struct Worsened {
    /// The statement.
    pub statement: StatementId,
    /// Its cost with all indexes, the recommended ones included.
    pub with: Cost,
    /// Its cost without this one.
    pub without: Cost,
}

/// Judges every index of the workload's tables that may be dropped at all.
pub(super) fn judge(
    run: &mut Run<'_>,
    proof: &Proof,
    trials: &[Trial],
    catalog: &Catalog,
    twin: &TwinView,
) -> Result<Vec<HypotheticalDrop>, PlannerError> {
    if twin.whom() == Whom::Server {
        return Ok(Vec::new());
    }
    let recommended: Vec<NamedIndex> = proof.proved.iter().map(|proved| trials[proved.trial].index.clone()).collect();
    let with = plans_with(run, &recommended)?;
    let judged = catalog.tables.iter().flat_map(|table| {
        let droppable = |index: &&ExistingIndex| {
            let enforces = index.unique || index.constraint;
            index.valid && !enforces && !index.being_built && !is_part_of_another(table, catalog)
        };
        table.indexes.iter().filter(droppable).map(move |index| (table, index))
    });
    let judged: Vec<(&Table, &ExistingIndex)> = judged.collect();
    (run.observer)(Event::Begin { what: "thinking indexes away", steps: judged.len() });
    let mut drops = Vec::with_capacity(judged.len());
    for (table, index) in judged {
        (run.observer)(Event::Step(&index.name.name));
        let using: Vec<Statement> =
            run.workload.statements().iter().filter(|statement| may_use(&with, statement, index)).cloned().collect();
        let worse = if using.is_empty() { Vec::new() } else { worsened(run, &recommended, index, &using, &with)? };
        drops.push(HypotheticalDrop {
            index: index.name.clone(),
            table: table.name.clone(),
            size: index.size,
            scans: index.scans,
            worse,
        });
    }
    (run.observer)(Event::End);
    Ok(drops)
}

/// A partition's index cannot be dropped by itself, and rarely would be; the partitioned index is judged.
fn is_part_of_another(table: &Table, catalog: &Catalog) -> bool {
    table.partition_of.as_ref().is_some_and(|root| catalog.table(root).is_some())
}

type Plans = std::collections::BTreeMap<StatementId, Plan>;

fn plans_with(run: &mut Run<'_>, recommended: &[NamedIndex]) -> Result<Plans, PlannerError> {
    let answer = run.planners.plan_without(&[], recommended, run.workload.statements())?;
    Ok(plans_of(answer))
}

fn plans_of(answer: Answer) -> Plans {
    match answer {
        Answer::Planned(planned) => {
            let plan = |(id, outcome)| match outcome {
                PlanOutcome::Plan(plan) => Some((id, plan)),
                PlanOutcome::Failed(_) | PlanOutcome::Empty => None,
            };
            planned.plans.into_iter().filter_map(plan).collect()
        }
        Answer::Refused(_) => Plans::new(),
    }
}

/// A plan that does not read an index is not worse without it. (The names in plans of partitions are not the index's own.)
fn may_use(plans: &Plans, statement: &Statement, index: &ExistingIndex) -> bool {
    let plan = plans.get(&statement.id);
    plan.is_some_and(|plan| index.partitioned || plan.index_names().contains(index.name.name.as_str()))
}

fn worsened(
    run: &mut Run<'_>,
    recommended: &[NamedIndex],
    index: &ExistingIndex,
    statements: &[Statement],
    with: &Plans,
) -> Result<Vec<Worsened>, PlannerError> {
    run.summary.twin_questions += 1;
    let answer = run.planners.plan_without(std::slice::from_ref(&index.name), recommended, statements)?;
    let without = plans_of(answer);
    let worse = statements.iter().filter_map(|statement| {
        let (with, without) = (with.get(&statement.id)?.total_cost(), without.get(&statement.id)?.total_cost());
        let is_worse = with.saved_share(without) < -WORSE_SHARE;
        is_worse.then(|| Worsened { statement: statement.id.clone(), with, without })
    });
    Ok(worse.collect())
}
