//! What is said where no index helps, and what helps instead.

use serde_json::Value;

use crate::live::{Database, program, recommended, statement, text_of};

/// Rows in the order of `id`; `spread` says nothing about where a row lies, `kind` little about which it is.
const TABLES: &str = "CREATE TABLE item (id bigint PRIMARY KEY, spread bigint NOT NULL, kind int NOT NULL, at timestamptz NOT NULL, note text);
     INSERT INTO item SELECT n, n * 7919 % 5000, n % 10, '2024-01-01'::timestamptz + n * interval '1 minute', repeat('x', 60)
     FROM generate_series(1, 60000) AS n;
     CREATE TABLE tiny (id int NOT NULL, word text NOT NULL); INSERT INTO tiny VALUES (1, 'one'), (2, 'two');
     ANALYZE;";

fn because<'r>(report: &'r Value, id: &str) -> (&'r str, &'r str) {
    let no_index = &statement(report, id)["no_index_helps"];
    (no_index["reason"].as_str().unwrap_or("-"), no_index["detail"].as_str().unwrap_or("-"))
}

const UNHELPED: &str = "-- name: most\nSELECT note FROM item WHERE kind < 8;
     -- name: groups\nSELECT kind, sum(spread) FROM item GROUP BY kind;
     -- name: all\nSELECT * FROM item;
     -- name: values\nVALUES (1), (2);
     -- name: key\nSELECT * FROM item WHERE id = 77;
     -- name: newest\nSELECT * FROM item ORDER BY id DESC LIMIT 5;
     -- name: tiny\nSELECT * FROM tiny WHERE word = 'two';
     -- name: random\nSELECT * FROM item WHERE random() < 0.01;
     -- name: day\nSELECT * FROM item WHERE to_char(at, 'DDD') = '007';
     -- name: helped\nSELECT * FROM item WHERE spread = 77;
     -- name: broken\nSELECT oops";

#[test]
fn every_statement_without_an_index_says_why() {
    let database = Database::new("unhelped", TABLES);
    let report = database.advise(&["-c", UNHELPED]);
    let reason = |id: &str| because(&report, id).0;
    for (id, expected, words) in [
        ("most", "reads_most_of_the_table", "rows of public.item are wanted (80 %)"),
        ("groups", "reads_most_of_the_table", "60,000 of the 60,000 rows of public.item are wanted (100 %)"),
        ("all", "no_condition", "nothing filters, orders or groups the rows of public.item"),
        ("values", "no_condition", "it reads no table"),
        ("key", "already_indexed", "item_pkey with all conditions on it: (item.id = 77)"),
        ("newest", "already_indexed", "item_pkey in the order that is wanted"),
        (
            "tiny",
            "table_too_small",
            "public.tiny has 1 page: to read it whole costs 1.02, one row through an index at least 8.00",
        ),
        ("random", "not_indexable", "random()"),
        ("day", "not_indexable", "to_char(timestamp with time zone, text)"),
    ] {
        assert_eq!(reason(id), expected, "{id}: {:?}", because(&report, id));
        assert!(because(&report, id).1.contains(words), "{id}: {}", because(&report, id).1);
    }
    for id in ["helped", "broken"] {
        assert!(statement(&report, id)["no_index_helps"].is_null(), "{id}");
    }
}

/// At the value that is named the planner uses the index, and a step above it does not.
#[test]
fn the_random_page_cost_that_is_named_is_the_one_that_decides() {
    let database = Database::new("page_cost", &format!("{TABLES} CREATE INDEX item_spread ON item (spread);"));
    database.run("ALTER DATABASE page_cost SET enable_bitmapscan = off");
    let query = "SELECT * FROM item WHERE spread < 1000";
    let report = database.advise(&["-c", &format!("-- name: q\n{query}"), "--max-indexes", "0"]);
    let (reason, detail) = because(&report, "q");
    assert_eq!(reason, "only_at_lower_random_page_cost", "{detail}");
    let value: f64 = detail.split("random_page_cost = ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let plan = |value: f64| database.text(&format!("SET random_page_cost = {value}; EXPLAIN {query}"));
    assert!(plan(value).contains("item_spread"), "{detail}\n{}", plan(value));
    assert!(!plan(value + 0.1).contains("item_spread"), "{detail}\n{}", plan(value + 0.1));

    // The same of an index that does not exist, by the twin's word.
    database.run("DROP INDEX item_spread");
    let report = database.advise(&["-c", &format!("-- name: q\n{query}")]);
    let (reason, foreseen) = because(&report, "q");
    assert_eq!(reason, "only_at_lower_random_page_cost", "{foreseen}");
    assert!(foreseen.contains(&format!("random_page_cost = {value} or less (it is 4)")), "{foreseen}\n{detail}");
}

#[test]
fn a_limit_that_kept_an_index_out_is_the_reason() {
    let database = Database::new("kept_out", TABLES);
    let workload = "-- name: q\nSELECT * FROM item WHERE spread = 77";
    for (limits, expected) in [
        (&["--budget", "8kB"][..], "over_budget"),
        (&["--rehearse", "off"][..], "not_rehearsed"),
        (&["--rehearse", "transaction", "--max-table-size", "8kB"][..], "table_too_large"),
        (&["--min-improvement", "99.9"][..], "gain_too_small"),
    ] {
        let report = database.advise(&[&["-c", workload], limits].concat());
        assert_eq!(because(&report, "q").0, expected, "{:?}", because(&report, "q"));
    }
}

#[test]
fn text_and_markdown_say_why_and_a_recording_says_it_again() {
    let database = Database::new("unhelped_shown", TABLES);
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let workload = format!("{UNHELPED}; SELECT note FROM item WHERE spread < 2200");
    let mut live = database.advise(&["-c", &workload, "--record", path]);
    let output = program().args(["review", "--format", "json", path]).output().unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let mut replayed: Value = serde_json::from_slice(&output.stdout).unwrap();
    for report in [&mut live, &mut replayed] {
        report["timing"] = Value::Null;
    }
    assert_eq!(live, replayed);
    for format in ["text", "markdown"] {
        let output = program().args(["review", "--format", format, path]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = if format == "text" {
            "no index helps: public.item is read by Index Scan"
        } else {
            "- key: public.item is read by"
        };
        assert!(text.contains(line), "{text}");
    }
    assert_eq!(recommended(&live, &["spread"]).len(), 1, "{:#}", live["recommendations"]);
}
