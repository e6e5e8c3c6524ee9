//! The indexes that tables on another server would need, from what is sent there. Only the
//! conditions are known: not the indexes that the tables have, nor what the planner there says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::foreign::{ForeignServer, RemoteIndex, RemoteStatement};
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
    let wanted = without_redundant(&wanted);
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
    wanted: &BTreeMap<Index, BTreeSet<StatementId>>,
) -> BTreeMap<Index, BTreeSet<StatementId>> {
    let mut kept: BTreeMap<Index, BTreeSet<StatementId>> = BTreeMap::new();
    for (index, by) in wanted {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::QualifiedName;
    use crate::planner::test_planner::table;

    /// `app.pay` here is `sales.payments` there, where its column `who` is called `user_id`.
    fn catalog() -> Catalog {
        let here = |name: &str, columns: &[&str]| -> Table {
            let here: Table = table(name, columns).into();
            Table {
                name: QualifiedName::new("app", name),
                kind: TableKind::Unsupported,
                rows: None,
                ..here
            }
        };
        let foreign = |name: &str, remote: &str| ForeignTable {
            name: QualifiedName::new("app", name),
            server: "app1".to_owned(),
            wrapper: "postgres_fdw".to_owned(),
            is_postgres: true,
            database: None,
            remote: QualifiedName::new("sales", remote),
            columns: BTreeMap::from([("who".to_owned(), "user_id".to_owned())]),
            use_remote_estimate: false,
            fetch_size: None,
        };
        Catalog {
            tables: vec![
                here(
                    "pay",
                    &[
                        "id bigint",
                        "who bigint",
                        "status text",
                        "at timestamp with time zone",
                    ],
                ),
                here("users", &["id bigint", "state text"]),
            ],
            foreign_tables: vec![foreign("pay", "payments"), foreign("users", "users")],
            ..Catalog::default()
        }
    }

    fn found(statements: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
        let sent = |(of, sql): &(&str, &str)| RemoteStatement {
            of: StatementId((*of).to_owned()),
            id: StatementId(format!("{of}@app1")),
            sql: (*sql).to_owned(),
            calls: 1.0,
            not_pushed_down: None,
        };
        let server = ForeignServer {
            name: "app1".to_owned(),
            wrapper: "postgres_fdw".to_owned(),
            is_postgres: true,
            database: None,
            statements: statements.iter().map(sent).collect(),
            to_try: Vec::new(),
        };
        let indexes = indexes(&server, &catalog()).into_iter();
        indexes
            .map(|index| {
                let body = index.ddl.split(" ON ").nth(1).unwrap().to_owned();
                (body, index.statements.into_iter().map(|id| id.0).collect())
            })
            .collect()
    }

    fn expected(index: &str, of: &[&str]) -> (String, Vec<String>) {
        (
            index.to_owned(),
            of.iter().map(|id| (*id).to_owned()).collect(),
        )
    }

    #[test]
    fn conditions_have_the_names_of_the_table_there() {
        let sql = "SELECT id FROM sales.payments WHERE ((user_id = 77))";
        assert_eq!(
            found(&[("q", sql)]),
            [expected("sales.payments (user_id);", &["q"])]
        );
    }

    #[test]
    fn a_join_needs_an_index_for_each_condition_with_a_value() {
        let sql = "SELECT r1.id FROM (sales.users r1 INNER JOIN sales.payments r2 ON (((r1.id = r2.user_id)) AND ((r2.status = 'failed')) AND \
                   ((r1.state = 'blocked'))))";
        assert_eq!(
            found(&[("q", sql)]),
            [
                expected("sales.payments (status);", &["q"]),
                expected("sales.users (state);", &["q"])
            ]
        );
    }

    #[test]
    fn an_index_that_another_one_begins_with_is_left_out() {
        let one = "SELECT id FROM sales.payments WHERE ((user_id = $1::bigint))";
        let two = "SELECT id FROM sales.payments WHERE ((user_id = 5)) ORDER BY at DESC NULLS FIRST LIMIT 20::bigint";
        let indexes = found(&[("one", one), ("two", two)]);
        assert_eq!(indexes.len(), 1, "{indexes:?}");
        assert!(
            indexes[0].0.starts_with("sales.payments (user_id, at"),
            "{indexes:?}"
        );
        assert_eq!(indexes[0].1, ["one", "two"]);
    }

    #[test]
    fn whole_tables_and_texts_that_cannot_be_read_need_none() {
        assert_eq!(found(&[("q", "SELECT id, status FROM sales.payments")]), []);
        assert_eq!(
            found(&[(
                "q",
                "SELECT status, count(*) FROM sales.payments GROUP BY 1"
            )]),
            []
        );
        assert_eq!(
            found(&[(
                "q",
                "SELECT id FROM sales.payments ORDER BY at ASC NULLS LAST"
            )]),
            []
        );
        assert_eq!(found(&[("q", "{\"find\": \"payments\"}")]), []);
    }

    #[test]
    fn a_table_of_another_server_is_not_taken_for_one_of_the_same_name() {
        assert_eq!(
            found(&[("q", "SELECT id FROM other.payments WHERE ((user_id = 77))")]),
            []
        );
    }
}
