//! A statement written another way that means the same for certain ([`crate::sql::rewrite`]) and
//! lets the planner do what it may not do now: use an index for a period of time, or an anti-join
//! for NOT IN.

use super::RemedyInput;
use crate::catalog::{Catalog, Table, TableKind};
use crate::plan::Plan;
use crate::sql::rewrite::{FromTable, Rewriting, bounded, not_exists};
use crate::workload::Statement;

/// A statement, written another way.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal<'a> {
    /// As it is.
    pub statement: &'a Statement,
    /// Its plan.
    pub plan: &'a Plan,
    /// As it could be.
    pub rewriting: Rewriting,
    /// Why that is the same and may be better.
    pub because: String,
}

/// Both ways, where they apply.
pub fn propose(input: RemedyInput<'_>) -> Vec<Proposal<'_>> {
    input
        .plans
        .iter()
        .filter_map(|(statement, plan)| of_statement(statement, plan, input.catalog))
        .collect()
}

fn of_statement<'a>(
    statement: &'a Statement,
    plan: &'a Plan,
    catalog: &Catalog,
) -> Option<Proposal<'a>> {
    let (rewriting, because) =
        period(statement, catalog).or_else(|| anti_join(statement, catalog))?;
    Some(Proposal {
        statement,
        plan,
        rewriting,
        because,
    })
}

fn period(statement: &Statement, catalog: &Catalog) -> Option<(Rewriting, String)> {
    // Of all tables that have a column of that name, so that it need not be known whose it is.
    let is_timestamptz = |tables: &[FromTable], qualifier: Option<&str>, column: &str| {
        let named = tables
            .iter()
            .filter(|table| qualifier.is_none_or(|qualifier| table.alias == qualifier));
        let types = named.map(|table| {
            catalog_table(table, catalog)?
                .column(column)
                .map(|column| column.type_name.as_str())
        });
        let types: Vec<Option<&str>> = types.collect();
        let all_known = tables
            .iter()
            .all(|table| catalog_table(table, catalog).is_some());
        let zoned = |name: &&str| name.starts_with("timestamp") && name.ends_with("with time zone");
        all_known && types.iter().any(Option::is_some) && types.iter().flatten().all(zoned)
    };
    let rewriting = bounded(&statement.sql, &is_timestamptz)?;
    let because = format!(
        "Which day a {} is depends on the session's TimeZone, so no index can hold that; the range on the column itself is a day wider at either \
         end and the condition stays, so the result is the same in every time zone.",
        rewriting.columns.join(" and a ")
    );
    Some((rewriting, because))
}

fn anti_join(statement: &Statement, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let not_null = |table: &FromTable, column: &str| {
        catalog_table(table, catalog)
            .and_then(|table| table.column(column))
            .is_some_and(|column| column.not_null)
    };
    let rewriting = not_exists(&statement.sql, &not_null)?;
    let because = format!(
        "NOT IN may be no anti-join, because of NULLs; {} are NOT NULL, so NOT EXISTS has the same result.",
        rewriting.columns.join(" and ")
    );
    Some((rewriting, because))
}

/// The only table of that name, which is a table.
fn catalog_table<'c>(table: &FromTable, catalog: &'c Catalog) -> Option<&'c Table> {
    let is_it = |known: &&Table| {
        known.name.name == table.name
            && table
                .schema
                .as_ref()
                .is_none_or(|schema| known.name.schema == *schema)
    };
    let mut found = catalog.tables.iter().filter(is_it);
    let only = found.next().filter(|_| found.next().is_none());
    only.filter(|table| table.kind != TableKind::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::test_planner::{TestTable, seq_scan, table};
    use crate::remedy::testing::Asked;

    fn events(time: &str) -> TestTable {
        table("events", &["id bigint", &format!("at {time}")])
    }

    fn rewritten(tables: impl IntoIterator<Item = TestTable>, sql: &str) -> Option<String> {
        let asked = Asked::of(tables).statement(sql, &seq_scan("events", 100.0));
        asked.ask(|input| {
            let mut found = propose(input).into_iter();
            found.next().map(|proposal| proposal.rewriting.sql)
        })
    }

    const BY_DAY: &str = "SELECT * FROM events WHERE at::date = '2024-01-31'";

    #[test]
    fn a_day_of_a_time_with_time_zone_gets_a_range() {
        for zoned in ["timestamp with time zone", "timestamp(3) with time zone"] {
            let found = rewritten([events(zoned)], BY_DAY).unwrap();
            assert!(found.contains("AND at >= "), "{found}");
        }
    }

    #[test]
    fn a_time_without_time_zone_is_left_alone() {
        let plain = events("timestamp without time zone");
        assert_eq!(rewritten([plain], BY_DAY), None, "an index can hold that");
        let unknown = "SELECT * FROM other WHERE at::date = '2024-01-31'";
        let zoned = || events("timestamp with time zone");
        assert_eq!(rewritten([zoned()], unknown), None);
        let twice = zoned().with(|table| table.name.schema = "archive".to_owned());
        assert_eq!(rewritten([zoned(), twice], BY_DAY), None, "which of them?");
        let foreign = zoned().with(|table| table.kind = TableKind::Unsupported);
        assert_eq!(rewritten([foreign], BY_DAY), None);
    }

    #[test]
    fn not_in_is_rewritten_only_where_no_null_can_be() {
        let sql = "SELECT * FROM events WHERE id NOT IN (SELECT event_id FROM seen)";
        let not_null = |table: TestTable, yes| table.with(|table| table.columns[0].not_null = yes);
        let tables = |outer, inner| {
            let seen = table("seen", &["event_id bigint"]);
            [not_null(events("date"), outer), not_null(seen, inner)]
        };
        let found = rewritten(tables(true, true), sql).unwrap();
        assert!(found.contains("NOT EXISTS"), "{found}");
        assert_eq!(rewritten(tables(true, false), sql), None);
        assert_eq!(rewritten(tables(false, true), sql), None);
    }
}
