//! What each recommended index brings the workload, and which statements it consists of: the
//! numbers behind every report, ranked.
//!
//! A gain is told once: what a plan saves is divided among the indexes that it uses, in proportion
//! to what each of them saves it alone.

use std::collections::BTreeMap;

use crate::advise::{Advice, Recommendation, StatementAdvice, StatementStatus};
use crate::model::Cost;
use crate::workload::StatementId;

/// What shares are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// The measured time of the workload: most statements have one. What an index saves of it is
    /// what it saves of a statement's cost.
    Time,
    /// Calls × the planner's cost.
    Cost,
}

/// The workload as shares.
#[derive(Debug)]
pub(crate) struct Gains<'a> {
    /// What shares are of.
    pub basis: Basis,
    /// Calls × cost of all planned statements, without and with the recommended indexes.
    pub cost: (Cost, Cost),
    /// The share of the workload that is saved.
    pub saved: f64,
    /// The recommended indexes, those that save most first.
    pub indexes: Vec<IndexGain<'a>>,
    /// The statements that were planned, as they were written, the largest share first.
    pub statements: Vec<StatementShare<'a>>,
}

/// What an index saves.
#[derive(Debug)]
pub(crate) struct IndexGain<'a> {
    /// The index.
    pub index: &'a Recommendation,
    /// Of the workload, 0 to 1; negative where statements get worse by it.
    pub share: f64,
    /// The same with all indexes before it.
    pub so_far: f64,
    /// What the workload's writes pay for it, as a share of the workload's cost.
    pub upkeep: f64,
}

/// A statement's part of the workload, whatever its values.
#[derive(Debug)]
pub(crate) struct StatementShare<'a> {
    /// The statement.
    pub statement: &'a StatementAdvice,
    /// Of the workload, 0 to 1.
    pub share: f64,
    /// Calls × cost with all its values, without and with the recommended indexes.
    pub cost: (Cost, Cost),
    /// The same statement with other values.
    pub with_values: Vec<StatementId>,
}

/// Indexes that bring less than this of what all bring are not among the first.
const FIRST_SHARE: f64 = 0.9;

impl<'a> Gains<'a> {
    /// The shares of a run.
    pub fn of(advice: &'a Advice) -> Gains<'a> {
        let basis = basis(advice);
        let groups = groups(advice, basis);
        let all: f64 = groups.values().map(|group| group.weight).sum();
        let per_all = |weight: f64| if all > 0.0 { weight / all } else { 0.0 };
        let cost = |side: fn(&Group<'a>) -> f64| Cost(groups.values().map(side).sum());
        let (before, after) = (cost(|group| group.before), cost(|group| group.after));
        let mut statements: Vec<StatementShare<'a>> = groups
            .values()
            .filter_map(|group| {
                Some(StatementShare {
                    statement: group.written?,
                    share: per_all(group.weight),
                    cost: (Cost(group.before), Cost(group.after)),
                    with_values: group.classes(),
                })
            })
            .collect();
        statements.sort_by(|a, b| b.share.total_cmp(&a.share));
        Gains {
            basis,
            cost: (before, after),
            saved: per_all(groups.values().map(Group::saved).sum()),
            indexes: ranked(advice, &groups, &per_all, before),
            statements,
        }
    }

    /// The statements that an index helps, those that gain most first.
    pub fn helped_by(
        &self,
        index: &'a Recommendation,
    ) -> impl Iterator<Item = &StatementShare<'a>> {
        let helps = |share: &&StatementShare<'a>| {
            let id = &share.statement.statement.id;
            share
                .with_values
                .iter()
                .chain([id])
                .any(|id| index.helps(id))
        };
        let mut helped: Vec<&StatementShare<'a>> = self.statements.iter().filter(helps).collect();
        let gain =
            |share: &StatementShare<'a>| share.share * share.cost.0.saved_share(share.cost.1);
        helped.sort_by(|a, b| gain(b).total_cmp(&gain(a)));
        helped.into_iter()
    }

    /// How many of the indexes bring nearly all that all of them bring.
    pub fn first_indexes(&self) -> usize {
        let whole = self.indexes.last().map_or(0.0, |last| last.so_far);
        let reaches = |gain: &IndexGain<'_>| gain.so_far >= FIRST_SHARE * whole;
        let place = self.indexes.iter().position(reaches);
        place.map_or(self.indexes.len(), |place| place + 1)
    }
}

/// A statement with all its values.
#[derive(Default)]
struct Group<'a> {
    written: Option<&'a StatementAdvice>,
    entries: Vec<&'a StatementAdvice>,
    /// Calls × cost.
    before: f64,
    after: f64,
    /// In the workload: time or cost.
    weight: f64,
}

impl Group<'_> {
    fn classes(&self) -> Vec<StatementId> {
        let entries = self.entries.iter();
        let classes = entries.filter(|entry| entry.statement.value_class.is_some());
        classes.map(|entry| entry.statement.id.clone()).collect()
    }

    /// What is saved of the weight.
    fn saved(&self) -> f64 {
        self.part(self.before - self.after)
    }

    /// Calls × cost as a part of the weight.
    fn part(&self, cost: f64) -> f64 {
        if self.before > 0.0 {
            self.weight * cost / self.before
        } else {
            0.0
        }
    }
}

fn basis(advice: &Advice) -> Basis {
    let planned = |statement: &&StatementAdvice| statement.status == StatementStatus::Planned;
    let all: Vec<&StatementAdvice> = advice.as_written().filter(planned).collect();
    let measured = all
        .iter()
        .filter(|statement| statement.statement.mean_time_ms.is_some());
    if 2 * measured.count() > all.len() {
        Basis::Time
    } else {
        Basis::Cost
    }
}

fn groups(advice: &Advice, basis: Basis) -> BTreeMap<StatementId, Group<'_>> {
    let mut groups: BTreeMap<StatementId, Group<'_>> = BTreeMap::new();
    for entry in &advice.statements {
        let (Some(before), Some(after)) = (entry.cost_before(), entry.cost_after()) else {
            continue;
        };
        let class = entry.statement.value_class.as_deref();
        let id = class.map_or(&entry.statement.id, |class| &class.of);
        let group = groups.entry(id.clone()).or_default();
        if class.is_none() {
            group.written = Some(entry);
        }
        group.before += entry.statement.calls * before.0;
        group.after += entry.statement.calls * after.0;
        group.entries.push(entry);
    }
    for group in groups.values_mut() {
        let time = |entry: &StatementAdvice| entry.statement.total_time_ms();
        group.weight = match basis {
            Basis::Cost => group.before,
            Basis::Time => group.written.and_then(time).unwrap_or(0.0),
        };
    }
    groups
}

fn ranked<'a>(
    advice: &'a Advice,
    groups: &BTreeMap<StatementId, Group<'a>>,
    per_all: &impl Fn(f64) -> f64,
    whole_cost: Cost,
) -> Vec<IndexGain<'a>> {
    let mut saved: BTreeMap<&str, f64> = BTreeMap::new();
    for group in groups.values() {
        for entry in &group.entries {
            for (id, weight) in divided(entry, group, advice) {
                *saved.entry(id).or_default() += weight;
            }
        }
    }
    let mut gains: Vec<IndexGain<'a>> = advice
        .recommendations
        .iter()
        .map(|index| IndexGain {
            index,
            share: per_all(saved.get(index.id.as_str()).copied().unwrap_or(0.0)),
            so_far: 0.0,
            upkeep: index.write_cost.0 / whole_cost.0.max(f64::MIN_POSITIVE),
        })
        .collect();
    gains.sort_by(|a, b| b.share.total_cmp(&a.share));
    let mut so_far = 0.0;
    for gain in &mut gains {
        so_far += gain.share;
        gain.so_far = so_far;
    }
    gains
}

/// What a statement saves, divided among the indexes that its plan uses.
fn divided<'a>(
    entry: &'a StatementAdvice,
    group: &Group<'_>,
    advice: &Advice,
) -> Vec<(&'a str, f64)> {
    let (Some(before), Some(after)) = (entry.cost_before(), entry.cost_after()) else {
        return Vec::new();
    };
    let weight = group.part(entry.statement.calls * (before.0 - after.0));
    let alone = |id: &String| {
        let mut recommendations = advice.recommendations.iter();
        let index = recommendations.find(|index| index.id == *id);
        let benefit = index.and_then(|index| {
            let mut benefits = index.benefits.iter();
            benefits.find(|benefit| benefit.statement == entry.statement.id)
        });
        benefit.map_or(0.0, |benefit| (benefit.before.0 - benefit.after.0).max(0.0))
    };
    let parts: Vec<f64> = entry.recommendations.iter().map(alone).collect();
    let whole: f64 = parts.iter().sum();
    let number = parts.len() as f64;
    let ids = entry.recommendations.iter().map(String::as_str);
    ids.zip(parts)
        .map(|(id, part)| {
            let share = if whole > 0.0 {
                part / whole
            } else {
                1.0 / number
            };
            (id, weight * share)
        })
        .collect()
}

#[cfg(test)]
mod tests;
