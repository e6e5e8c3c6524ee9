//! Hypothetical drops: the costs of the workload without an index that exists, with the recommended
//! ones in place. Only the planner twin can hide an index without taking it away.
//!
//! Each index is dropped by itself. Those that another one makes redundant, existing or recommended,
//! are also dropped one after the other, so that all of the reported ones can be dropped together
//! and no statement gets worse by it. A statement that is recommended to be rewritten is judged both
//! ways: as it is, and as it would be written then.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::drop_effects::{DropEffects, HypotheticalDrop, Replaced, StatementRegression};
use super::existing::structural::structural as structural_finding;
use super::run::Run;
use super::verification::Verification;
use crate::catalog::{Catalog, ExistingIndex, Table, TableKind};
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::planner::{Answer, NamedIndex, PlanOutcome, PlannerError, Question, Target};
use crate::remedy::{Kind, Remedy};
use crate::search::Trials;
use crate::verdict::WORSE_SHARE;
use crate::workload::{Statement, StatementId};

/// Simulates the drop of every index of the workload's tables that may be dropped at all.
pub(super) fn simulate(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    verification: &Verification,
    remedies: &[Remedy],
) -> Result<DropEffects, PlannerError> {
    if context.target() == Target::Server {
        return Ok(DropEffects::default());
    }
    let verified = verification.verified.iter();
    let recommended = verified.map(|verified| trials[verified.trial].index.clone());
    let mut recommended: Vec<NamedIndex> = recommended.collect();
    for needed in remedies.iter().flat_map(|remedy| &remedy.indexes) {
        if !recommended.contains(&needed.index) {
            recommended.push(needed.index.clone());
        }
    }
    let rewritten = rewritten(context, remedies);
    let mut statements = context.workload.statements().to_vec();
    statements.extend(rewritten.iter().map(|one| one.statement.clone()));
    let mut simulation = Simulation {
        run,
        context,
        statements,
        rewritten,
        with: Plans::new(),
        recommended,
        drop_effects: DropEffects::default(),
    };
    simulation.with = simulation.without(&[], &simulation.statements.clone())?;
    simulation.drop_each()?;
    simulation.drop_replaced()?;
    Ok(simulation.drop_effects)
}

type Plans = BTreeMap<StatementId, Plan>;

/// A statement as a remedy writes it, under a name of its own.
struct Rewritten {
    statement: Statement,
    of: StatementId,
    remedy: String,
}

fn rewritten(context: Context<'_>, remedies: &[Remedy]) -> Vec<Rewritten> {
    let rewrites = remedies
        .iter()
        .filter(|remedy| remedy.kind == Kind::Rewrite);
    let each = rewrites.filter_map(|remedy| {
        let of = &remedy.benefits.first()?.statement;
        let sql = remedy.statements.last()?.trim_end();
        let statement = Statement {
            id: StatementId(format!("{of} as {} writes it", remedy.id)),
            sql: sql.strip_suffix(';').unwrap_or(sql).to_owned(),
            varying_literals: BTreeSet::new(),
            fixed_literals: BTreeSet::new(),
            ..context.workload.statement(of)?.clone()
        };
        Some(Rewritten {
            statement,
            of: of.clone(),
            remedy: remedy.id.clone(),
        })
    });
    each.collect()
}

/// The twin's plans with the recommended indexes, as one existing index after the other is hidden.
struct Simulation<'r, 'a, 'c> {
    run: &'r mut Run<'a>,
    context: Context<'c>,
    /// Those of the workload, and those that remedies have rewritten.
    statements: Vec<Statement>,
    rewritten: Vec<Rewritten>,
    /// The new indexes, with those that only rewritten statements need.
    recommended: Vec<NamedIndex>,
    with: Plans,
    drop_effects: DropEffects,
}

impl Simulation<'_, '_, '_> {
    fn drop_each(&mut self) -> Result<(), PlannerError> {
        let catalog = self.context.catalog;
        let tables = catalog
            .tables
            .iter()
            .filter(|table| table.kind != TableKind::Unsupported);
        let droppable = tables.flat_map(|table| {
            let droppable = |index: &&ExistingIndex| {
                let enforces = index.unique || index.constraint;
                index.valid
                    && !enforces
                    && !index.being_built
                    && !is_part_of_another(table, catalog)
            };
            table
                .indexes
                .iter()
                .filter(droppable)
                .map(move |index| (table, index))
        });
        let droppable: Vec<(&Table, &ExistingIndex)> = droppable
            .filter(|(_, index)| self.can_judge(index))
            .collect();
        self.run.begin("simulating index drops", droppable.len());
        for (table, index) in droppable {
            self.run.step(&index.name.name);
            let worse = self.worsened(&[index], &self.with.clone())?;
            self.drop_effects.drops.push(HypotheticalDrop {
                index: index.name.clone(),
                table: table.name.clone(),
                size: index.size,
                scans: index.scans,
                worse,
            });
        }
        self.run.end();
        Ok(())
    }

    /// One after the other: those that the catalog alone says can go, then those that a recommended
    /// index replaces.
    fn drop_replaced(&mut self) -> Result<(), PlannerError> {
        let catalog = self.context.catalog;
        let tables = || {
            catalog
                .tables
                .iter()
                .flat_map(|table| table.indexes.iter().map(move |index| (table, index)))
        };
        let structural = |(table, index): &(&Table, &ExistingIndex)| {
            let finding = structural_finding(index, table);
            finding.is_some_and(|finding| finding.fix().is_some())
        };
        let by_catalog: Vec<&ExistingIndex> = tables()
            .filter(structural)
            .map(|(_, index)| index)
            .filter(|index| index.valid)
            .collect();
        let mut gone: Vec<&ExistingIndex> = Vec::new();
        for index in by_catalog {
            gone.push(index);
            let is_needed =
                !self.can_judge(index) || !self.worsened(&gone, &self.with.clone())?.is_empty();
            if is_needed {
                gone.pop();
                self.drop_effects.needed.insert(index.name.clone());
            }
        }
        let replaced: Vec<(&ExistingIndex, NamedIndex)> = tables()
            .filter(|pair| pair.1.valid && pair.1.may_be_dropped() && !structural(pair))
            .filter(|(_, index)| self.can_judge(index))
            .filter_map(|(_, index)| {
                let known = index.index.as_ref()?;
                Some((
                    index,
                    self.recommended
                        .iter()
                        .find(|recommended| recommended.definition.subsumes(known))?
                        .clone(),
                ))
            })
            .collect();
        let with = self.with.clone();
        for (index, by) in replaced {
            gone.push(index);
            if self.worsened(&gone, &with)?.is_empty() {
                self.drop_effects.replaced.push(Replaced {
                    index: index.name.clone(),
                    by,
                });
            } else {
                gone.pop();
            }
        }
        let using = self.using(&gone, &self.with);
        let at_last = self.without(&gone, &using)?;
        self.drop_effects.used = at_last
            .values()
            .flat_map(Plan::index_names)
            .map(str::to_owned)
            .collect();
        Ok(())
    }

    /// The statements that are worse without these indexes than they are now.
    fn worsened(
        &mut self,
        hidden: &[&ExistingIndex],
        with: &Plans,
    ) -> Result<Vec<StatementRegression>, PlannerError> {
        let using = self.using(hidden, with);
        if using.is_empty() {
            return Ok(Vec::new());
        }
        let without = self.without(hidden, &using)?;
        let worse = using.iter().filter_map(|statement| {
            let (with, without) = (
                with.get(&statement.id)?.total_cost(),
                without.get(&statement.id)?.total_cost(),
            );
            let is_worse = with.saved_share(without) < -WORSE_SHARE;
            let mut rewritten = self.rewritten.iter();
            let rewritten = rewritten.find(|one| one.statement.id == statement.id);
            is_worse.then(|| StatementRegression {
                statement: rewritten.map_or_else(|| statement.id.clone(), |one| one.of.clone()),
                rewritten_by: rewritten.map(|one| one.remedy.clone()),
                with,
                without,
            })
        });
        Ok(worse.collect())
    }

    /// The statements whose plan may read one of these indexes: the others are not worse without
    /// them.
    fn using(&self, hidden: &[&ExistingIndex], plans: &Plans) -> Vec<Statement> {
        let statements = self.statements.iter();
        statements
            .filter(|statement| {
                let plan = plans.get(&statement.id);
                plan.is_some_and(|plan| hidden.iter().any(|index| may_use(plan, index)))
            })
            .cloned()
            .collect()
    }

    /// A statement that the twin cannot plan, and for which the server may use the index, may need
    /// it.
    fn can_judge(&self, index: &ExistingIndex) -> bool {
        let mut statements = self.context.workload.statements().iter();
        !statements.any(|Statement { id, .. }| {
            let is_unknown = self.context.twin.failure(id).is_some();
            let plan = self.context.plan(id).filter(|_| is_unknown);
            plan.is_some_and(|plan| may_use(plan, index))
        })
    }

    fn without(
        &mut self,
        hidden: &[&ExistingIndex],
        statements: &[Statement],
    ) -> Result<Plans, PlannerError> {
        if statements.is_empty() {
            return Ok(Plans::new());
        }
        let hidden: Vec<QualifiedName> = hidden.iter().map(|index| index.name.clone()).collect();
        let question = Question::plans(Target::Twin, statements)
            .with_indexes(&self.recommended)
            .hiding(&hidden);
        Ok(plans_of(self.run.ask(&question)?))
    }
}

/// A partition's index cannot be dropped by itself, and rarely would be; the partitioned index is
/// judged.
fn is_part_of_another(table: &Table, catalog: &Catalog) -> bool {
    table
        .partition_of
        .as_ref()
        .is_some_and(|root| catalog.table(root).is_some())
}

fn plans_of(answer: Answer) -> Plans {
    match answer {
        Answer::Planned(planned) => {
            let plan = |(id, outcome)| match outcome {
                PlanOutcome::Plan(plan) => Some((id, plan)),
                PlanOutcome::Failed(_)
                | PlanOutcome::Empty
                | PlanOutcome::NotExecuted(_)
                | PlanOutcome::TwinOnly(_) => None,
            };
            planned.plans.into_iter().filter_map(plan).collect()
        }
        Answer::Refused(_) => Plans::new(),
    }
}

/// A plan that does not read an index is not worse without it. (The names in plans of partitions
/// are not the index's own.)
fn may_use(plan: &Plan, index: &ExistingIndex) -> bool {
    index.partitioned || plan.index_names().contains(index.name.name.as_str())
}
