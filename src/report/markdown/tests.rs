//! The Markdown report: its order, its size, and what it escapes.

use super::*;
use crate::advise::advise;
use crate::model::Bytes;
use crate::planner::recording::{Recording, Replay};
use crate::planner::test_planner::{TestPlanner, seq_scan, table};
use crate::report::document::MAX_BYTES;
use crate::verdict::Limits;

fn many(statements: usize) -> Advice {
    let columns: Vec<String> = (0..statements).map(|n| format!("c{n} bigint")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut planner = TestPlanner::new([table("orders", &columns)]);
    for number in 0..statements {
        let name = format!("orm-{number}");
        let scan = seq_scan("orders", 90_000.0 / (1.0 + number as f64))
            .filter(&format!("(orders.c{number} = 5)"));
        let sql = format!(
            "SELECT {} FROM orders WHERE c{number} = 5",
            "orders.id AS a_long_alias_of_an_orm, ".repeat(40) + "1"
        );
        planner = planner.statement(&name, &sql, scan).index(
            &format!("orders (c{number})"),
            Bytes(8192),
            &[(&name, 8.0)],
        );
    }
    let workload = planner.workload().clone();
    advise(&workload, &Limits::default(), &mut planner, &|_| {}).unwrap()
}

#[test]
fn fifty_long_statements_fit_a_comment() {
    let markdown = write(&many(50), &RunMeasurements::default());
    assert!(markdown.len() <= MAX_BYTES, "{}", markdown.len());
    let place = |text: &str| {
        markdown
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {markdown}"))
    };
    assert!(place("### What to do") < place("```sql\nCREATE INDEX"));
    assert!(place("```sql\nCREATE INDEX") < place("<details>"));
    assert_eq!(
        markdown.matches("<details>").count(),
        markdown.matches("</details>").count()
    );
    assert_eq!(
        markdown.matches("```").count() % 2,
        0,
        "each fence is closed"
    );
}

#[test]
fn the_indexes_are_sorted_as_in_the_text() {
    let advice = many(12);
    let (markdown, text) = (
        write(&advice, &RunMeasurements::default()),
        crate::report::short::write(&advice, &RunMeasurements::default(), 120),
    );
    let created = |report: &str| -> Vec<String> {
        let lines = anstream::adapter::strip_str(report).to_string();
        let ddl = lines
            .lines()
            .filter(|line| line.starts_with("CREATE INDEX"));
        ddl.map(str::to_owned).collect()
    };
    let (markdown, text) = (created(&markdown), created(&text));
    assert!(!text.is_empty());
    assert_eq!(markdown[..text.len()], text[..]);
}

#[test]
fn recorded_runs_fit_a_comment() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/recordings");
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let recording = Recording::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut replay = Replay::new(&recording);
        let advice = advise(&recording.workload, &recording.limits, &mut replay, &|_| {}).unwrap();
        let markdown = write(&advice, &RunMeasurements::default());
        assert!(markdown.len() <= MAX_BYTES, "{}", markdown.len());
    }
}

#[test]
fn nothing_of_a_statement_acts_as_markup() {
    let mut advice = many(1);
    advice.statements[0].statement.id.0 = "<script>`|".to_owned();
    advice.statements[0].statement.sql = "SELECT '```' -- <b>".to_owned();
    let markdown = write(&advice, &RunMeasurements::default());
    assert!(!markdown.contains("<script>"), "{markdown}");
    assert_eq!(markdown.matches("```").count() % 2, 0, "{markdown}");
}
