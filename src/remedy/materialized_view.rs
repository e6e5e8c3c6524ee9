//! A materialized view: for a statement that aggregates most of a table into few rows, so that no
//! index helps.

use std::collections::BTreeSet;

use super::RemedyInput;
use crate::catalog::Table;
use crate::index::naming::cut;
use crate::model::{Bytes, QualifiedName};
use crate::plan::metrics::rows_of_all_processes;
use crate::plan::{Node, NodeType, Plan};
use crate::planner::hypothesis::View;
use crate::predicate::CONDITION_PROPERTIES;
use crate::sql::split::highest_parameter;
use crate::sql::{Expression, Shape, parse_expression};
use crate::workload::Statement;

/// It has to read at least this share of a table …
const MIN_READ: f64 = 0.5;
/// … of at least this many rows …
const MIN_ROWS: f64 = 1_000.0;
/// … and to make at most this share of them.
const MAX_MADE: f64 = 0.1;

/// What PostgreSQL keeps of a page and of a row: `SizeOfPageHeaderData`, `SizeofHeapTupleHeader`
/// aligned, `sizeof(ItemIdData)` (`estimate_rel_size` in src/backend/optimizer/util/plancat.c
/// counts so, too).
const PAGE_BYTES: f64 = 8_192.0;
const PAGE_HEADER_BYTES: f64 = 24.0;
const ROW_HEADER_BYTES: f64 = 28.0;

/// A view of one statement's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// The table that it reads most of.
    pub table: QualifiedName,
    /// How many of that table's rows it reads.
    pub read: f64,
    /// The view.
    pub view: View,
}

/// A view for each statement that aggregates most of a table, and that any call of it could read:
/// a constant that rows are compared with may be another one in the next call, unless its author
/// says that it is fixed. What writes is no view.
pub fn propose(input: RemedyInput<'_>) -> Vec<Proposal<'_>> {
    let mut taken: BTreeSet<QualifiedName> = input.catalog.taken_names.clone();
    let mut proposals = Vec::new();
    for (statement, plan) in input.plans {
        let same_text =
            highest_parameter(&statement.sql) == 0 && statement.varying_literals.is_empty();
        let secured = plan
            .tables()
            .iter()
            .filter_map(|table| input.catalog.table(table))
            .any(|table| table.row_security);
        let general = !statement.fixed_literals.is_empty() || !compares_with_constants(plan);
        let repeatable = same_text
            && general
            && plan.only_reads()
            && !secured
            && !names_the_clock(&statement.sql);
        let aggregates = plan.nodes().iter().any(|node| {
            matches!(
                node.node_type(),
                NodeType::Aggregate | NodeType::Group | NodeType::Unique
            )
        });
        let Some((table, read)) = most_read(plan, input).filter(|_| repeatable && aggregates)
        else {
            continue;
        };
        let Some(rows) = plan
            .root()
            .plan_rows()
            .filter(|rows| *rows <= MAX_MADE * read)
        else {
            continue;
        };
        let name = free_name(table, plan, &taken);
        taken.insert(name.clone());
        let view = View {
            name,
            query: statement.sql.trim().to_owned(),
            rows,
            size: size(rows, plan.root()),
        };
        proposals.push(Proposal {
            statement,
            table: table.name.clone(),
            read,
            view,
        });
    }
    proposals
}

/// Does the plan keep some rows because of a constant of the statement?
fn compares_with_constants(plan: &Plan) -> bool {
    let conditions = plan.nodes().iter().flat_map(|node| {
        let texts = CONDITION_PROPERTIES.iter();
        texts.filter_map(|property| node.text(property))
    });
    conditions
        .filter_map(|text| parse_expression(text).ok())
        .any(|condition| has_constant(&condition))
}

fn has_constant(condition: &Expression) -> bool {
    match &condition.shape {
        Shape::And(parts) | Shape::Or(parts) => parts.iter().any(has_constant),
        Shape::Not(part) => has_constant(part),
        Shape::Binary { left, right, .. } => [left, right]
            .into_iter()
            .any(|side| has_constant(side) || side.shape == Shape::Constant),
        Shape::AnyOf { array, .. } => array.shape == Shape::Constant,
        _ => false,
    }
}

/// `'now'`, `'today 10:00'`: the server reads the clock once, when it reads the text, and a stored
/// view would keep that.
fn names_the_clock(sql: &str) -> bool {
    let lower = sql.to_lowercase();
    lower.split('\'').any(|piece| {
        let mut words = piece.split(|character: char| !character.is_alphanumeric());
        words.any(|word| matches!(word, "now" | "today" | "tomorrow" | "yesterday"))
    })
}

/// The largest table that the plan reads most of, and how many rows.
fn most_read<'a>(plan: &Plan, input: RemedyInput<'a>) -> Option<(&'a Table, f64)> {
    let scans = plan.nodes().iter().filter_map(|node| {
        let table = input.catalog.table(&node.table()?)?;
        let all = table.rows.filter(|rows| *rows >= MIN_ROWS)?;
        let read = rows_of_all_processes(plan, node)?.min(all);
        (read >= MIN_READ * all).then_some((table, read))
    });
    scans.max_by(|(a, a_read), (b, b_read)| a_read.total_cmp(b_read).then(b.name.cmp(&a.name)))
}

fn size(rows: f64, root: &Node) -> Bytes {
    let width = (root.plan_width().unwrap_or(0.0) / 8.0).ceil() * 8.0;
    let a_page = ((PAGE_BYTES - PAGE_HEADER_BYTES) / (ROW_HEADER_BYTES + width))
        .floor()
        .max(1.0);
    Bytes(((rows / a_page).ceil().max(1.0) * PAGE_BYTES) as u64)
}

/// `orders_by_gig_id_state`, with a number where that is taken.
fn free_name(table: &Table, plan: &Plan, taken: &BTreeSet<QualifiedName>) -> QualifiedName {
    const MAX_BYTES: usize = 58;
    let grouped = plan
        .nodes()
        .iter()
        .map(|node| node.group_key())
        .find(|keys| !keys.is_empty());
    let column = |text: &str| match parse_expression(text).ok()?.shape {
        Shape::Column(name) => Some(name),
        _ => None,
    };
    let columns: Vec<String> = grouped.into_iter().flatten().filter_map(column).collect();
    let wish = match columns.is_empty() {
        true => format!("{}_summary", table.name.name),
        false => format!("{}_by_{}", table.name.name, columns.join("_")),
    };
    let wish = cut(&wish, MAX_BYTES);
    let numbered = (0..).map(|number| {
        if number == 0 {
            wish.to_owned()
        } else {
            format!("{wish}{number}")
        }
    });
    let names = numbered.map(|name| QualifiedName::new(table.name.schema.clone(), name));
    names
        .into_iter()
        .find(|name| !taken.contains(name))
        .unwrap_or_else(|| table.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::test_planner::{TestPlan, TestTable, seq_scan, table};
    use crate::remedy::testing::Asked;

    const SQL: &str = "SELECT state, count(*) FROM orders GROUP BY state";

    fn orders() -> TestTable {
        table("orders", &["id bigint", "state text"])
    }

    /// Reads so many of a hundred thousand rows, and makes so many groups of them.
    fn grouped(read: f64, groups: f64) -> TestPlan {
        let scan = seq_scan("orders", 2_000.0).rows(read);
        scan.grouped_by(&["orders.state"], groups)
    }

    fn counting(table: TestTable, sql: &str, plan: &TestPlan) -> Asked {
        Asked::of([table]).statement(sql, plan)
    }

    fn views(asked: &Asked) -> Vec<View> {
        asked.ask(|input| {
            let found = propose(input).into_iter();
            found.map(|proposal| proposal.view).collect()
        })
    }

    #[test]
    fn few_rows_made_of_most_of_a_table_are_worth_a_view() {
        let found = views(&counting(orders(), SQL, &grouped(100_000.0, 10.0)));
        let expected = View {
            name: QualifiedName::new("public", "orders_by_state"),
            query: SQL.to_owned(),
            rows: 10.0,
            size: Bytes(8192),
        };
        assert_eq!(found, [expected]);
        assert_eq!(
            views(&counting(orders(), SQL, &grouped(49_000.0, 10.0))),
            []
        );
        assert_eq!(
            views(&counting(orders(), SQL, &grouped(100_000.0, 10_001.0))),
            []
        );
        let small = orders().rows(999.0);
        assert_eq!(views(&counting(small, SQL, &grouped(999.0, 1.0))), []);
        let plain = seq_scan("orders", 2_000.0).rows(100_000.0).limited(10.0);
        assert_eq!(views(&counting(orders(), SQL, &plain)), [], "no aggregate");
    }

    #[test]
    fn what_differs_from_call_to_call_is_no_view() {
        let plan = grouped(100_000.0, 10.0);
        for sql in [
            "SELECT state, count(*) FROM orders WHERE id > $1 GROUP BY state",
            "SELECT state, count(*) FROM orders WHERE at < 'now' GROUP BY state",
            "SELECT state, count(*) FROM orders WHERE at < 'Today 10:00' GROUP BY state",
        ] {
            assert_eq!(views(&counting(orders(), sql, &plan)), [], "{sql}");
        }
        let varying = counting(orders(), SQL, &plan)
            .with_workload(|workload| workload.note_varying_literals([0].into()));
        assert_eq!(views(&varying), []);
    }

    #[test]
    fn what_writes_or_is_not_for_everybody_is_no_view() {
        let writes = grouped(100_000.0, 10.0).modifying("Insert", "sums");
        assert_eq!(views(&counting(orders(), SQL, &writes)), []);
        let secured = orders().with(|table| table.row_security = true);
        let plan = grouped(100_000.0, 10.0);
        assert_eq!(views(&counting(secured, SQL, &plan)), []);
    }

    #[test]
    fn each_view_has_a_name_of_its_own() {
        let plan = grouped(100_000.0, 10.0);
        let asked = counting(orders(), SQL, &plan)
            .statement(SQL, &plan)
            .with_catalog(|catalog| {
                let taken = QualifiedName::new("public", "orders_by_state");
                catalog.taken_names.insert(taken);
            });
        let names: Vec<String> = views(&asked)
            .into_iter()
            .map(|view| view.name.name)
            .collect();
        assert_eq!(names, ["orders_by_state1", "orders_by_state2"]);
    }

    #[test]
    fn its_size_is_that_of_its_rows() {
        // 28 bytes and 8 of data each: 226 on a page.
        let of = |groups| views(&counting(orders(), SQL, &grouped(100_000.0, groups)))[0].size;
        assert_eq!(of(226.0), Bytes(8192));
        assert_eq!(of(227.0), Bytes(2 * 8192));
    }

    #[test]
    fn a_view_of_one_calls_constants_serves_no_other_call() {
        let with = |condition: &str, sql: &str| {
            let scan = seq_scan("orders", 2_000.0).rows(100_000.0);
            let plan = scan.filter(condition).grouped_by(&["orders.state"], 10.0);
            counting(orders(), sql, &plan)
        };
        let sql = "SELECT state, count(*) FROM orders WHERE id > 70 GROUP BY state";
        let of_a_call = with("(orders.id > 70)", sql);
        assert_eq!(views(&of_a_call), []);
        assert_eq!(
            views(&with("((orders.id = 1) OR (orders.id > 70))", sql)),
            []
        );
        let general = "SELECT state, count(*) FROM orders WHERE state IS NOT NULL GROUP BY state";
        assert_eq!(views(&with("(orders.state IS NOT NULL)", general)).len(), 1);
    }
}
