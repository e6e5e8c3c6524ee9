//! What writes pay for an index, in planner units, so that it can be set against what reads gain:
//! how often rows are written that need an entry, times what an entry costs
//! (`src/advise/write_cost/entry.rs`).
//!
//! The workload's own INSERTs and UPDATEs count as often as they run, by the columns that each
//! UPDATE assigns. The server's counters count besides only where the workload's calls were
//! counted, too (`pg_stat_statements`): then both are scaled to one time, and what was written by
//! none of the statements is charged as well. With made-up calls they are of another time: they are
//! shown, and not set against anything.

mod entry;
mod share;

use std::collections::BTreeSet;

use super::context::Context;
use crate::catalog::{ExistingIndex, Stage, Table, Writes};
use crate::index::columns_that_block_hot;
use crate::plan::{Node, NodeType, Plan};
use crate::search::write_cost::{WriteCosts, WriteLoad};
use crate::search::{Trial, TrialId, Trials};
use crate::sql::{Assigned, assignments};
use crate::workload::Statement;
use entry::Prices;

/// The share of updates that find room on their row's page, where the server has counted too few.
const USUALLY_HOT: f64 = 0.5;
/// Minimum number of updates for a meaningful HOT share.
const ENOUGH_UPDATES: u64 = 100;

/// What the trials' indexes would cost.
pub(super) fn of_trials(trials: &Trials, context: Context<'_>) -> WriteCosts {
    let prices = Prices::of(&context.catalog.settings);
    let entry = |trial: &Trial| {
        let table = context.catalog.table(trial.table())?;
        let share = share::of_index(&trial.index.definition, table);
        Some(share * prices.entry(trial.size()?, share * table.rows.unwrap_or(0.0)))
    };
    let entries = trials
        .iter()
        .filter_map(|(id, trial)| Some((id, entry(trial)?)))
        .collect();
    let tables: BTreeSet<_> = trials.iter().map(|(_, trial)| trial.table()).collect();
    let loads = tables
        .into_iter()
        .filter_map(|name| context.catalog.table(name))
        .flat_map(|table| {
            let written = Written {
                table,
                trials,
                context,
                prices,
            };
            written.loads()
        })
        .collect();
    WriteCosts { entries, loads }
}

/// One table, and what writes to it.
struct Written<'a> {
    table: &'a Table,
    trials: &'a Trials,
    context: Context<'a>,
    prices: Prices,
}

/// Rows that the workload's statements write.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    inserted: f64,
    updated: f64,
}

impl Written<'_> {
    fn loads(&self) -> Vec<WriteLoad> {
        let mut sum = Sum::default();
        let mut loads = Vec::new();
        for statement in self.context.workload.statements() {
            let Some(plan) = self.context.plan(&statement.id) else {
                continue;
            };
            for node in plan.nodes().iter().filter(|node| self.is_written_by(node)) {
                let versions = statement.calls * rows_below(node, plan);
                if node.modification() == Some("Update") {
                    sum.updated += versions;
                    loads.push(self.updates(versions, self.assigned(statement, node).as_ref()));
                } else {
                    sum.inserted += versions;
                    loads.push(self.load(versions));
                }
            }
        }
        loads.extend(self.unseen(sum));
        loads.retain(|load| load.versions > 0.0);
        loads
    }

    fn is_written_by(&self, node: &Node) -> bool {
        let adds = matches!(node.modification(), Some("Insert" | "Update" | "Merge"));
        let on = node.table();
        let owner = on
            .as_ref()
            .and_then(|on| self.context.catalog.index_owner(on))
            .map(|owner| &owner.name);
        let table = &self.table.name;
        *node.node_type() == NodeType::ModifyTable
            && adds
            && (on.as_ref() == Some(table) || owner == Some(table))
    }

    /// Row versions that make an entry in every index, as those of an INSERT do.
    fn load(&self, versions: f64) -> WriteLoad {
        let on = self
            .trials
            .iter()
            .filter(|(_, trial)| *trial.table() == self.table.name)
            .map(|(id, _)| id);
        WriteLoad {
            versions,
            on: on.collect(),
            ..WriteLoad::default()
        }
    }

    /// Row versions of an UPDATE. 1. What it assigns is not known, or an index has one of these
    /// columns already: none of them is HOT. 2. Else some are, by the server's counters, and 3. are
    /// not any more with an index that has one of these columns.
    fn updates(&self, versions: f64, assigned: Option<&BTreeSet<String>>) -> WriteLoad {
        let load = self.load(versions);
        let Some(assigned) = assigned else {
            return load;
        };
        let version_num = self.context.catalog.server.version_num;
        let existing = || {
            self.table
                .indexes
                .iter()
                .filter_map(|index| index.index.as_ref())
        };
        let has_one = |columns: Option<BTreeSet<String>>| {
            columns.is_some_and(|columns| !columns.is_disjoint(assigned))
        };
        if existing().any(|index| has_one(columns_that_block_hot(index, version_num))) {
            return load;
        }
        let blocks = |id: &TrialId| {
            has_one(columns_that_block_hot(
                &self.trials[*id].index.definition,
                version_num,
            ))
        };
        WriteLoad {
            hot: self.table.writes.map_or(USUALLY_HOT, hot_share),
            prevents_hot: load.on.iter().copied().filter(blocks).collect(),
            existing: self.existing_entries(),
            ..load
        }
    }

    /// What a row version costs in all the indexes that exist.
    fn existing_entries(&self) -> f64 {
        let entry = |index: &ExistingIndex| {
            let share = index
                .index
                .as_ref()
                .map_or(1.0, |known| share::of_index(known, self.table));
            share
                * self
                    .prices
                    .entry(index.size, share * self.table.rows.unwrap_or(0.0))
        };
        let written = self.table.indexes.iter();
        let written = written.filter(|index| index.stage == Stage::Ready);
        written.map(entry).sum()
    }

    /// The columns that the statement assigns in this table; none where they are unknown.
    fn assigned(&self, statement: &Statement, node: &Node) -> Option<BTreeSet<String>> {
        let found = assignments(&statement.sql).ok()?;
        let named = |assigned: &&Assigned| {
            assigned.table == self.table.name.name
                || Some(assigned.table.as_str()) == node.relation_name()
        };
        let of_table: Vec<&Assigned> = found.iter().filter(named).collect();
        let columns = of_table
            .iter()
            .flat_map(|assigned| assigned.columns.iter().cloned())
            .collect();
        (!of_table.is_empty()).then_some(columns)
    }

    /// What the server counted beyond these, in the time that the calls were counted. Of inserts
    /// nothing is said where all of the table's rows came in that time: its first loading is among
    /// them. Of updates it is not known what they assign: those that are HOT may stay so.
    fn unseen(&self, seen: Sum) -> Vec<WriteLoad> {
        let times = || {
            let calls_s = self.context.workload.calls_counted_for_s()?;
            let counters_s = self.context.catalog.server.counters.as_ref()?.counted_for_s;
            (calls_s > 0.0 && counters_s > 0.0).then(|| calls_s / counters_s)
        };
        let (Some(writes), Some(scale)) = (self.table.writes, times()) else {
            return Vec::new();
        };
        let (inserted, updated) = (
            writes.n_tup_ins as f64 * scale,
            writes.n_tup_upd as f64 * scale,
        );
        let left = writes.n_tup_ins.saturating_sub(writes.n_tup_del) as f64;
        let was_loaded = left >= self.table.rows.unwrap_or(0.0);
        let inserts = if was_loaded {
            0.0
        } else {
            (inserted - seen.inserted).max(0.0)
        };
        let updates = WriteLoad {
            hot: hot_share(writes),
            ..self.load((updated - seen.updated).max(0.0))
        };
        vec![self.load(inserts), updates]
    }
}

fn hot_share(writes: Writes) -> f64 {
    match writes.n_tup_upd {
        ..ENOUGH_UPDATES => USUALLY_HOT,
        updates => (writes.n_tup_hot_upd as f64 / updates as f64).min(1.0),
    }
}

fn rows_below(node: &Node, plan: &Plan) -> f64 {
    node.children
        .iter()
        .filter_map(|child| plan.node(*child).plan_rows())
        .sum()
}
