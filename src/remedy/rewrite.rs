//! A statement written another way that means the same for certain ([`crate::sql::rewrite`]) and
//! lets the planner do what it may not do now: use an index for a period of time, a range or an
//! element of an array, or an anti-join for NOT IN.

use std::collections::BTreeSet;

use super::RemedyInput;
use crate::catalog::{CallKind, Catalog, Column, Table, TableKind};
use crate::index::Method;
use crate::model::{QualifiedName, quote_literal};
use crate::plan::Plan;
use crate::sql::rewrite::{
    Comparisons, FromTable, Groups, KnownColumn, KnownTable, ParentKey, Rewriting, array_contains,
    bounded, equal, group_by_group, group_values, isolated, name_configuration, not_exists,
    range_bounds, select_once, union_of_arms, without_modifiers,
};
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
    /// In which way it is written.
    way: Way,
    /// How often a recursion goes on, where the planner cannot know it: it expects ten times what
    /// the recursion begins with (`cost_recursive_union`, src/backend/optimizer/path/costsize.c).
    pub repeated: Option<u64>,
}

/// What of a statement is written another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Its conditions alone.
    Conditions,
    /// An OR, as arms of a UNION ALL.
    Arms,
    /// Its groups, from the table that their foreign key references.
    Parent,
    /// Its groups, one after the other in an index.
    Groups,
}

impl Proposal<'_> {
    /// The same for a statement that differs in values only.
    pub fn of_class(&self, class: &Statement, catalog: &Catalog) -> Option<Rewriting> {
        let mut found = of_statement(class, self.plan, catalog).into_iter();
        let same = found.find(|one| one.way == self.way)?;
        Some(same.rewriting)
    }
}

/// Every way that applies: conditions that an index may answer, all at once, and with them also the
/// statement as a whole.
pub fn propose(input: RemedyInput<'_>) -> Vec<Proposal<'_>> {
    let plans = input.plans.iter();
    plans
        .flat_map(|(statement, plan)| of_statement(statement, plan, input.catalog))
        .collect()
}

/// Tables that only a rewritten statement reads.
pub fn also_read(input: RemedyInput<'_>) -> BTreeSet<QualifiedName> {
    let statements = input.plans.iter().map(|(statement, _)| &statement.sql);
    let parents = statements.filter_map(|sql| {
        let (_, column) = group_by_group(sql, Groups::Parent, &known(input.catalog))?;
        Some(column.parent?.table)
    });
    parents.collect()
}

/// One way of writing conditions, and why.
type Replacing = fn(&str, &Catalog) -> Option<(Rewriting, String)>;

/// Those that replace conditions. One statement may need several.
const CONDITIONS: &[Replacing] = &[
    containment,
    bounds,
    period,
    alone,
    equality,
    text_search,
    anti_join,
    once,
];

fn of_statement<'a>(
    statement: &'a Statement,
    plan: &'a Plan,
    catalog: &Catalog,
) -> Vec<Proposal<'a>> {
    let proposal = |way, (rewriting, because), repeated| Proposal {
        statement,
        plan,
        rewriting,
        because,
        way,
        repeated,
    };
    let conditions = applied(CONDITIONS, &statement.sql, catalog);
    let (sql, why) = match &conditions {
        Some((rewriting, why)) => (rewriting.sql.as_str(), format!("{why} ")),
        None => (statement.sql.as_str(), String::new()),
    };
    let mut found = Vec::new();
    if let Some((rewriting, because)) = arms(sql, catalog) {
        let because = format!("{why}{because}");
        found.push(proposal(Way::Arms, (rewriting, because), None));
    }
    if let Some((rewriting, because)) = from_parent(sql, catalog) {
        let because = format!("{why}{because}");
        found.push(proposal(Way::Parent, (rewriting, because), None));
    }
    if let Some((rewriting, because, groups)) = jumps(sql, catalog).or_else(|| values(sql, catalog))
    {
        let because = format!("{why}{because}");
        found.push(proposal(Way::Groups, (rewriting, because), Some(groups)));
    }
    found.extend(conditions.map(|found| proposal(Way::Conditions, found, None)));
    found
}

fn arms(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let rewriting = union_of_arms(sql, &known(catalog))?;
    let because = "Each arm can use an index of its own, in the order that is wanted. A row is in the arm of the first condition that it fulfils, \
                   so none is there twice.";
    Some((rewriting, because.to_owned()))
}

fn jumps(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String, u64)> {
    let (rewriting, column) = group_by_group(sql, Groups::Jumps, &known(catalog))?;
    let groups = column.groups?;
    let because = format!(
        "{} has about {groups} values, each in many rows: the recursive query jumps from one to the next in an index, and LATERAL reads only the \
         first rows of each. The cost is that of so many values; which of rows that are equal in the order come first is as open as before.",
        rewriting.columns.join(" and ")
    );
    Some((rewriting, because, groups))
}

/// Of a statement that asks for the values alone.
fn values(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String, u64)> {
    let (rewriting, column) = group_values(sql, &known(catalog))?;
    let groups = column.groups?;
    let because = format!(
        "{} has about {groups} values, each in many rows: the recursive query jumps from one to the next in an index. The cost is that of so many \
         values.",
        rewriting.columns.join(" and ")
    );
    Some((rewriting, because, groups))
}

fn from_parent(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let (rewriting, column) = group_by_group(sql, Groups::Parent, &known(catalog))?;
    let parent = column.parent?;
    let because = format!(
        "By its foreign key, each value of {} is once in {}; LATERAL reads only the first rows of each, and none of a value that has none. Which of \
         rows that are equal in the order come first is as open as before.",
        rewriting.columns.join(" and "),
        parent.table
    );
    Some((rewriting, because))
}

/// One after the other.
fn applied(ways: &[Replacing], sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let mut done: Option<(Rewriting, String)> = None;
    for way in ways {
        let text = done.as_ref().map_or(sql, |(rewriting, _)| &rewriting.sql);
        let Some((mut rewriting, mut because)) = way(text, catalog) else {
            continue;
        };
        if let Some((before, why)) = done {
            rewriting.columns = [before.columns, rewriting.columns].concat();
            because = format!("{why} {because}");
        }
        done = Some((rewriting, because));
    }
    done
}

fn containment(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let has_gin = |type_name: &str| {
        let type_name = without_modifiers(type_name);
        catalog.operator_classes.iter().any(|class| {
            class.method == Method::Gin
                && class.input_type == type_name
                && class.searched.iter().any(|operator| operator == "@>")
        })
    };
    let rewriting = array_contains(sql, &known(catalog), &has_gin)?;
    let because = format!(
        "No index answers = ANY of a column, while a GIN index on {} answers @>. The two differ only where an array has a NULL and not the value: \
         NULL or false, and either leaves the row out.",
        rewriting.columns.join(" and ")
    );
    Some((rewriting, because))
}

fn bounds(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let rewriting = range_bounds(sql, &known(catalog))?;
    let because = format!(
        "The planner looks for {} in the range row by row; comparisons with its bounds are the same, and a btree answers them.",
        rewriting.columns.join(" and ")
    );
    Some((rewriting, because))
}

fn period(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let time_zone = catalog.settings.get("TimeZone").map(String::as_str);
    let rewriting = bounded(sql, &known(catalog), time_zone)?;
    let columns = rewriting.columns.join(" and a ");
    // In another session's zone it would be written another way.
    let of_session =
        time_zone.filter(|_| bounded(sql, &known(catalog), None).as_ref() != Some(&rewriting));
    let hours = |sql: &str| sql.matches(" hours'").count();
    let because = if let Some(time_zone) = of_session {
        format!(
            "A {columns} within an expression uses no index on the column itself; the range has the same rows with the TimeZone that is set now, \
             {}, and in every zone whose clocks were not set back over midnight then.",
            quote_literal(time_zone)
        )
    } else if hours(&rewriting.sql) > hours(sql) {
        format!(
            "Which day a {columns} is depends on the time zone, of which an index on the column knows nothing; the condition stays, and the range on \
             the column itself is wide enough for clocks that were set back over midnight, so the result is the same in every time zone."
        )
    } else {
        format!(
            "A {columns} within an expression uses no index on the column itself; the range is the same condition."
        )
    };
    Some((rewriting, because))
}

fn alone(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let rewriting = isolated(sql, &known(catalog))?;
    let because = format!(
        "Computed with, {} uses no index of its own; alone on its side of the comparison it does. The rows are the same: a condition on calendar days \
         or months, which differ in length, stays beside a wider one.",
        rewriting.columns.join(" or ")
    );
    Some((rewriting, because))
}

fn equality(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let rewriting = equal(sql, &known(catalog))?;
    let because = format!(
        "No index answers IS NOT DISTINCT FROM; of a value that is not NULL it is the same as =, which is NULL where {} is, and that leaves the \
         row out as well.",
        rewriting.columns.join(" or ")
    );
    Some((rewriting, because))
}

fn text_search(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let configuration = catalog.settings.get("default_text_search_config")?;
    let rewriting = name_configuration(sql, &known(catalog), configuration)?;
    let because = format!(
        "to_tsvector of {} alone depends on default_text_search_config, so no index can hold it. With the configuration that is set now, {}, it \
         is the same, and an index can.",
        rewriting.columns.join(" and "),
        quote_literal(configuration)
    );
    Some((rewriting, because))
}

/// Is a function of this database STABLE, and no other one of this name VOLATILE?
pub(super) fn is_stable(name: &str, catalog: &Catalog) -> bool {
    let mut named = catalog
        .mutable
        .iter()
        .filter(|call| call.kind == CallKind::Function && call.own && call.called == name)
        .peekable();
    named.peek().is_some() && named.all(|call| !call.volatile)
}

fn once(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let rewriting = select_once(sql, &known(catalog), Comparisons::Ranges, &|name| {
        is_stable(name, catalog)
    })?;
    let because = format!(
        "The function that {} is compared with is STABLE: its result is the same within a statement. PostgreSQL may still call it for every row; \
         as a subquery it is called once.",
        rewriting.columns.join(" and ")
    );
    Some((rewriting, because))
}

/// The tables of the catalog as a rewriting sees them.
fn known(catalog: &Catalog) -> impl Fn(&FromTable) -> Option<KnownTable> + '_ {
    |table| {
        let table = catalog_table(table, catalog)?;
        let columns = table.columns.iter().map(|column| KnownColumn {
            name: column.name.clone(),
            type_name: column.type_name.clone(),
            not_null: column.not_null,
            groups: groups(table, column),
            parent: parent(table, column, catalog),
        });
        Some(KnownTable {
            columns: columns.collect(),
        })
    }
}

fn anti_join(sql: &str, catalog: &Catalog) -> Option<(Rewriting, String)> {
    let not_null = |table: &FromTable, column: &str| {
        catalog_table(table, catalog)
            .and_then(|table| table.column(column))
            .is_some_and(|column| column.not_null)
    };
    let rewriting = not_exists(sql, &not_null)?;
    let because = format!(
        "NOT IN may be no anti-join, because of NULLs; {} are NOT NULL, so NOT EXISTS has the same result.",
        rewriting.columns.join(" and ")
    );
    Some((rewriting, because))
}

/// A jump to the next group has to be cheaper than the rows between.
const MIN_ROWS_OF_GROUP: f64 = 20.0;

/// The number of a column's values, if each is in many rows.
fn groups(table: &Table, column: &Column) -> Option<u64> {
    let rows = table.rows?;
    let distinct = match column.statistics.as_ref()?.distinct {
        share if share < 0.0 => -share * rows,
        number => number,
    };
    (distinct >= 1.0 && distinct * MIN_ROWS_OF_GROUP <= rows).then_some(distinct.round() as u64)
}

/// Where each of its values is once.
fn parent(table: &Table, column: &Column, catalog: &Catalog) -> Option<ParentKey> {
    let keys = catalog.foreign_keys.iter();
    let mut of_column = keys.filter(|key| {
        key.certain
            && key.operators.is_empty()
            && key.table == table.name
            && key.columns == [column.name.as_str()]
    });
    let key = of_column.next()?;
    Some(ParentKey {
        table: key.parent.clone(),
        column: key.parent_columns.first()?.clone(),
    })
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

    /// What the statement says elsewhere does not matter.
    #[test]
    fn the_reason_names_the_time_zone_only_where_it_decides() {
        let because = |time: &str, zone: &str, condition: &str| {
            let sql = format!(
                "SELECT now()::timestamptz - interval '4 hours' FROM events WHERE {condition}"
            );
            let asked = Asked::of([events(time)]).statement(&sql, &seq_scan("events", 100.0));
            let asked = asked.with_catalog(|catalog| {
                let setting = ("TimeZone".to_owned(), zone.to_owned());
                catalog.settings.extend([setting]);
            });
            asked.ask(|input| propose(input).remove(0).because)
        };
        let (zoned, local) = ("timestamp with time zone", "timestamp without time zone");
        let day = "at::date = '2024-01-31'";
        assert!(because(zoned, "Etc/UTC", day).contains("'Etc/UTC'"));
        assert!(because(zoned, "Europe/Rome", day).contains("in every time zone"));
        for (time, condition) in [
            (local, day),
            (zoned, "(at AT TIME ZONE 'UTC')::date = '2024-01-31'"),
        ] {
            let because = because(time, "Etc/UTC", condition);
            assert!(
                because.ends_with("the range is the same condition."),
                "{because}"
            );
        }
    }

    #[test]
    fn it_is_certain_which_column_is_meant() {
        let plain = events("timestamp without time zone");
        let found = rewritten([plain], BY_DAY).unwrap();
        assert!(
            found.ends_with("WHERE (at >= '2024-01-31'::date AND at < '2024-02-01'::date)"),
            "{found}"
        );
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
