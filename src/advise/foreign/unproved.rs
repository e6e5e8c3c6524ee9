//! The indexes that tables on another server would need, from what is sent there. Only the
//! conditions are known: not the indexes that the tables have, nor what the planner there says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{ForeignServer, RemoteIndex, RemoteStatement};
use crate::catalog::create_index::creation_of_candidate;
use crate::catalog::{Catalog, ForeignTable, Table, TableKind};
use crate::finding;
use crate::index::{Index, NamedIndex, naming};
use crate::plan::Plan;
use crate::predicate::{Operand, RelationUse, relation_uses};
use crate::sql::{RemoteSql, remote_sql};
use crate::workload::StatementId;

/// One index for each use of a table there, those that others make redundant left out.
pub(super) fn indexes(server: &ForeignServer, catalog: &Catalog) -> Vec<RemoteIndex> {
    let there = catalog_there(&server.name, catalog);
    let mut wanted: BTreeMap<Index, BTreeSet<StatementId>> = BTreeMap::new();
    for statement in &server.statements {
        for index in of_statement(statement, &there) {
            let by = wanted.entry(index).or_default();
            by.insert(statement.of.clone());
        }
    }
    let wanted = without_redundant(wanted);
    let names = naming::names(wanted.keys(), &BTreeSet::new());
    let created = wanted.into_iter().zip(names);
    created
        .map(|((index, statements), name)| RemoteIndex {
            table: index.table.clone(),
            ddl: creation_of_candidate(
                &NamedIndex {
                    name,
                    definition: index,
                },
                &there,
            ),
            statements,
        })
        .collect()
}

/// The tables there as their foreign tables here describe them: without any index.
fn catalog_there(server: &str, catalog: &Catalog) -> Catalog {
    let foreign = catalog.foreign_tables.iter();
    let tables = foreign
        .filter(|foreign| foreign.server == server)
        .filter_map(|foreign| Some(table_there(foreign, catalog.table(&foreign.name)?)));
    Catalog {
        tables: tables.collect(),
        foreign_tables: Vec::new(),
        foreign_keys: Vec::new(),
        ..catalog.clone()
    }
}

fn table_there(foreign: &ForeignTable, here: &Table) -> Table {
    let mut there = Table {
        name: foreign.remote.clone(),
        kind: TableKind::Plain,
        partition_of: None,
        indexes: Vec::new(),
        ..here.clone()
    };
    for column in &mut there.columns {
        foreign
            .remote_column(&column.name)
            .to_owned()
            .clone_into(&mut column.name);
    }
    there
}

fn of_statement(statement: &RemoteStatement, there: &Catalog) -> Vec<Index> {
    // What cannot be read is told as it is, without an index.
    let Ok(sent) = remote_sql(&statement.sql) else {
        return Vec::new();
    };
    let Ok(plan) = Plan::from_json(as_plan(&sent)) else {
        return Vec::new();
    };
    let uses = relation_uses(&plan, there);
    uses.iter()
        .filter_map(|relation| finding::proposed_index(&narrowed(relation), there))
        .collect()
}

/// Conditions with values say which rows are wanted; where there are none, the other side of a join
/// does. An order alone is a reason for an index only where its first rows are wanted.
fn narrowed(relation: &RelationUse) -> RelationUse {
    let mut narrowed = relation.clone();
    if !relation.limited {
        narrowed.orders.clear();
    }
    let with_values = |operand: &Operand| *operand != Operand::Join;
    if narrowed
        .conditions
        .iter()
        .any(|condition| with_values(&condition.operand))
    {
        narrowed
            .conditions
            .retain(|condition| with_values(&condition.operand));
    }
    narrowed
}

/// The statement as a plan that reads every table from end to end.
fn as_plan(sent: &RemoteSql) -> Value {
    let scan = |relation: &crate::sql::RemoteRelation| {
        json!({
            "Node Type": "Seq Scan",
            "Parent Relationship": "Outer",
            "Schema": relation.schema,
            "Relation Name": relation.name,
            "Alias": relation.alias,
        })
    };
    let scans: Vec<Value> = sent.relations.iter().map(scan).collect();
    let joined = json!({
        "Node Type": "Nested Loop",
        "Parent Relationship": "Outer",
        "Join Filter": sent.conditions.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>().join(" AND "),
        "Plans": scans,
    });
    let sorted = json!({
        "Node Type": "Sort",
        "Parent Relationship": "Outer",
        "Sort Key": sent.order,
        "Plans": [joined],
    });
    if sent.is_limited {
        json!({"Plan": {"Node Type": "Limit", "Plans": [sorted]}})
    } else {
        json!({"Plan": sorted})
    }
}

fn without_redundant(
    wanted: BTreeMap<Index, BTreeSet<StatementId>>,
) -> BTreeMap<Index, BTreeSet<StatementId>> {
    let mut kept: BTreeMap<Index, BTreeSet<StatementId>> = BTreeMap::new();
    for (index, by) in &wanted {
        let mut others = wanted.keys().filter(|other| *other != index);
        // Of two that subsume one another, the first stays.
        match others
            .find(|other| other.subsumes(index) && !(index.subsumes(other) && index < other))
        {
            Some(other) => kept
                .entry(other.clone())
                .or_default()
                .extend(by.iter().cloned()),
            None => kept
                .entry(index.clone())
                .or_default()
                .extend(by.iter().cloned()),
        }
    }
    kept
}
