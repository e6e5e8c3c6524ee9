//! What writes pay for an index, in planner units, so that it can be set against what reads gain:
//! how often rows are written that need an entry, times what a row costs
//! (`src/advise/write_cost/entry.rs`).
//!
//! The workload's own INSERTs and UPDATEs count as often as they run, by the columns that each
//! UPDATE assigns. The server's counters count besides only where the workload's calls were
//! counted, too (`pg_stat_statements`): then both are scaled to one time, and what was written by
//! none of the statements is charged as well. With made-up calls they are of another time: they are
//! shown, and not set against anything.

mod entry;
mod items;
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
        let rows = share * table.rows.unwrap_or(0.0);
        Some(share * prices.row(&trial.index.definition, table, trial.size()?, rows))
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
                let versions = statement.calls * rows_of(node, plan, statement);
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
            let rows = share * self.table.rows.unwrap_or(0.0);
            let row = match &index.index {
                Some(known) => self.prices.row(known, self.table, index.size, rows),
                None => self.prices.entry(index.size, rows),
            };
            share * row
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

    /// May anything write to the table without being a statement of the workload? Where
    /// `pg_stat_statements` has every statement, only what does not name the table: functions,
    /// triggers, rules, foreign keys.
    fn has_other_writers(&self) -> bool {
        let by_functions = self.table.writes.and_then(|writes| writes.by_functions);
        let Some(others) = self.context.workload.other_writers() else {
            return true;
        };
        let partitions = self.table.partitions.iter();
        let mut names = partitions
            .map(|partition| partition.name.name.as_str())
            .chain([self.table.name.name.as_str()]);
        by_functions.unwrap_or(true) || names.any(|name| others.may_name(name))
    }

    /// What the server counted beyond these, in the time that the calls were counted.
    ///
    /// 1. Nothing, where all that writes to the table is in the workload: the counters are of
    ///    another time, and calls that were all counted are not extrapolated.
    /// 2. Where the calls were counted for longer than the rows, what the statements explain of the
    ///    rows is theirs, and only the rest is extrapolated.
    /// 3. Of inserts nothing is said where all of the table's rows came in that time: its first
    ///    loading is among them. Of updates it is not known what they assign: those that are HOT may
    ///    stay so.
    fn unseen(&self, seen: Sum) -> Vec<WriteLoad> {
        if !self.has_other_writers() {
            return Vec::new();
        }
        let times = || {
            let calls_s = self.context.workload.calls_counted_for_s()?;
            let counters_s = self.context.catalog.server.counters.as_ref()?.counted_for_s;
            (calls_s > 0.0 && counters_s > 0.0).then(|| calls_s / counters_s)
        };
        let (Some(writes), Some(scale)) = (self.table.writes, times()) else {
            return Vec::new();
        };
        let beyond = |counted: u64, seen: f64| {
            let counted = counted as f64;
            if scale > 1.0 {
                (counted - seen).max(0.0) * scale
            } else {
                (counted * scale - seen).max(0.0)
            }
        };
        let left = writes.n_tup_ins.saturating_sub(writes.n_tup_del) as f64;
        let was_loaded = left >= self.table.rows.unwrap_or(0.0);
        let inserts = if was_loaded {
            0.0
        } else {
            beyond(writes.n_tup_ins, seen.inserted)
        };
        let updates = WriteLoad {
            hot: hot_share(writes),
            ..self.load(beyond(writes.n_tup_upd, seen.updated))
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

/// The rows that a call writes: as they were counted, where all of the statement is this
/// modification, or as the planner expects them.
fn rows_of(node: &Node, plan: &Plan, statement: &Statement) -> f64 {
    let modifications = plan.nodes().iter();
    let modifications = modifications.filter(|node| *node.node_type() == NodeType::ModifyTable);
    let is_all = node.id == plan.root().id && modifications.count() == 1;
    let counted = statement.rows_per_call.filter(|_| is_all);
    counted.unwrap_or_else(|| rows_below(node, plan))
}

fn rows_below(node: &Node, plan: &Plan) -> f64 {
    node.children
        .iter()
        .filter_map(|child| plan.node(*child).plan_rows())
        .sum()
}
