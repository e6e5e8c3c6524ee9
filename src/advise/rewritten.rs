//! Indexes for statements that are better written another way.
//!
//! A rewritten statement may have an index of its own, and the index that was chosen for the
//! statement as it is would be idle beside it. Then only the rewrite and its index are
//! recommended. The other index is told with the rewrite, for a statement that has to stay as it is.
//!
//! An index on an expression serves nothing but the statements that write it like this. So it also
//! gives way to a rewrite that costs about the same and needs much smaller indexes, which are on
//! columns.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::remedies;
use super::run::Run;
use super::selection::Chosen;
use super::verification::{Failure, Verification, VerifiedIndex};
use crate::catalog::create_index::creation_of_candidate;
use crate::index::Index;
use crate::model::{Cost, QualifiedName};
use crate::plan::Plan;
use crate::planner::{NamedIndex, PlannerError, uses};
use crate::remedy::{InsteadIndex, Kind, Remedy};
use crate::search::{TrialId, Trials};
use crate::workload::StatementId;

/// A rewrite that costs at most this many times as much does the same as an index.
const AS_CHEAP: f64 = 1.1;

/// Indexes of at most this share of another one's size are worth a rewrite that does the same.
const MUCH_SMALLER: f64 = 0.5;

/// The remedies, and the chosen indexes without those that the remedies make idle.
pub(super) fn settle(
    run: &mut Run<'_>,
    context: Context<'_>,
    trials: &Trials,
    chosen: &mut Chosen,
) -> Result<Vec<Remedy>, PlannerError> {
    let mut given_up = GivenUp::default();
    loop {
        let remedies = remedies::test(run, context, trials, &chosen.verification)?;
        let rewrites = Rewrites {
            context,
            trials,
            remedies: &remedies,
        };
        let mut out = rewrites.idle(&chosen.verification);
        if out.is_empty() {
            out = rewrites.smaller(run, &chosen.verification)?;
        }
        if out.is_empty() {
            return Ok(given_up.told_in(remedies, context, trials));
        }
        given_up.add(&out, &chosen.verification);
        let failed = out.into_iter();
        let failed = failed.map(|(id, statements)| (id, Failure::OnlyAsWritten(statements)));
        chosen.leave_out(run, context, trials, failed.collect())?;
    }
}

/// The indexes that were given up, and what statements cost with them.
#[derive(Default)]
struct GivenUp {
    indexes: Vec<(TrialId, BTreeSet<StatementId>)>,
    costs: BTreeMap<StatementId, Cost>,
}

impl GivenUp {
    fn add(&mut self, out: &Out, verification: &Verification) {
        for (id, plan) in &verification.after {
            let known = self.costs.entry(id.clone());
            known.or_insert(plan.total_cost());
        }
        let out = out.iter().map(|(id, of)| (*id, of.clone()));
        self.indexes.extend(out);
    }

    fn told_in(
        &self,
        mut remedies: Vec<Remedy>,
        context: Context<'_>,
        trials: &Trials,
    ) -> Vec<Remedy> {
        let rewrites = remedies.iter_mut();
        for remedy in rewrites.filter(|remedy| remedy.kind == Kind::Rewrite) {
            let Some(effect) = remedy.benefits.first() else {
                continue;
            };
            let cost = self.costs.get(&effect.statement);
            let cost = cost.copied().unwrap_or(effect.cost.0);
            let of_it = self.indexes.iter();
            let of_it = of_it.filter(|(_, of)| of.contains(&effect.statement));
            remedy.instead = of_it
                .map(|(id, _)| instead(&trials[*id].index, cost, context))
                .collect();
        }
        remedies
    }
}

fn instead(index: &NamedIndex, cost: Cost, context: Context<'_>) -> InsteadIndex {
    InsteadIndex {
        ddl: creation_of_candidate(index, context.catalog),
        index: index.clone(),
        cost,
    }
}

/// Indexes that go, each with the statements that used it.
type Out = BTreeMap<TrialId, BTreeSet<StatementId>>;

/// The statements that are recommended to be rewritten.
#[derive(Clone, Copy)]
struct Rewrites<'a> {
    context: Context<'a>,
    trials: &'a Trials,
    remedies: &'a [Remedy],
}

impl<'a> Rewrites<'a> {
    /// The verified indexes that no statement needs once all rewrites are used.
    fn idle(self, verification: &Verification) -> Out {
        let verified = verification.verified.iter();
        let idle = verified.filter_map(|verified| {
            let index = &self.trials[verified.trial].index;
            let is_needed = rewrites(self.remedies).any(|one| one.beside.contains(index));
            let using = self.using(verified, verification);
            let is_rewritten = |id: &StatementId| rewrite_of(self.remedies, id).is_some();
            let is_idle = !is_needed && !using.is_empty() && using.iter().all(is_rewritten);
            is_idle.then_some((verified.trial, using))
        });
        idle.collect()
    }

    /// The first verified index on an expression, or all of them that are on one table, without which
    /// rewrites cost about the same, with much smaller indexes.
    fn smaller(self, run: &mut Run<'_>, verification: &Verification) -> Result<Out, PlannerError> {
        let verified = verification.verified.iter();
        let on_expressions: Vec<&VerifiedIndex> = verified
            .filter(|verified| self.definition(verified).has_expression())
            .filter(|verified| !self.using(verified, verification).is_empty())
            .collect();
        let mut groups: Vec<Vec<&VerifiedIndex>> =
            on_expressions.iter().map(|one| vec![*one]).collect();
        let mut of_tables: BTreeMap<&QualifiedName, Vec<&VerifiedIndex>> = BTreeMap::new();
        for one in on_expressions {
            let table = &self.definition(one).table;
            of_tables.entry(table).or_default().push(one);
        }
        groups.extend(of_tables.into_values().filter(|group| group.len() > 1));
        for group in groups {
            if self.is_smaller_without(run, verification, &group)? {
                let out = group.into_iter();
                return Ok(out
                    .map(|one| (one.trial, self.using(one, verification)))
                    .collect());
            }
        }
        Ok(Out::new())
    }

    fn definition(self, verified: &VerifiedIndex) -> &'a Index {
        &self.trials[verified.trial].index.definition
    }

    /// Do rewrites cost about the same without these, with much smaller indexes?
    fn is_smaller_without(
        self,
        run: &mut Run<'_>,
        verification: &Verification,
        group: &[&VerifiedIndex],
    ) -> Result<bool, PlannerError> {
        let is_of_group = |trial| group.iter().any(|one| one.trial == trial);
        let uses_one = |plan: &Plan| group.iter().any(|one| uses(plan, &one.index));
        let mut without = verification.clone();
        without.verified.retain(|one| !is_of_group(one.trial));
        without.after.retain(|_, plan| !uses_one(plan));
        let using = group.iter().flat_map(|one| self.using(one, verification));
        let using: BTreeSet<StatementId> = using.collect();
        let found = remedies::rewrites(run, self.context, self.trials, (&without, &using))?;
        let is_as_cheap = |id: &StatementId| {
            let now = verification.after.get(id).map(|plan| plan.total_cost().0);
            let then = rewrite_of(&found, id).map(|effect| effect.0);
            now.zip(then)
                .is_some_and(|(now, then)| then <= AS_CHEAP * now)
        };
        let known = rewrites(self.remedies).flat_map(|remedy| &remedy.indexes);
        let known: Vec<&NamedIndex> = known.map(|needed| &needed.index).collect();
        let more = found.iter().flat_map(|remedy| &remedy.indexes);
        let more = more.filter(|needed| !known.contains(&&needed.index));
        let sizes: BTreeMap<&str, u64> = more
            .map(|needed| (needed.index.name.as_str(), needed.size.0))
            .collect();
        let size: u64 = sizes.values().sum();
        let of_group: u64 = group.iter().map(|one| one.index.size.0).sum();
        let is_smaller = size as f64 <= MUCH_SMALLER * of_group as f64;
        Ok(is_smaller && using.iter().all(is_as_cheap))
    }

    /// The statements of the workload whose plans use an index, with whatever values.
    fn using(self, verified: &VerifiedIndex, verification: &Verification) -> BTreeSet<StatementId> {
        let plans = verification.after.iter();
        let using = plans.filter(|(_, plan)| uses(plan, &verified.index));
        let of_workload = using.map(|(id, _)| {
            let class = self.context.workload.statement(id);
            let class = class.and_then(|statement| statement.value_class.as_ref());
            class.map_or_else(|| id.clone(), |class| class.of.clone())
        });
        of_workload.collect()
    }
}

fn rewrites(remedies: &[Remedy]) -> impl Iterator<Item = &Remedy> {
    let remedies = remedies.iter();
    remedies.filter(|remedy| remedy.kind == Kind::Rewrite)
}

/// What a statement costs when it is rewritten.
fn rewrite_of(remedies: &[Remedy], id: &StatementId) -> Option<Cost> {
    let mut effects = rewrites(remedies).flat_map(|remedy| &remedy.benefits);
    let effect = effects.find(|effect| effect.statement == *id)?;
    Some(effect.cost.1)
}
