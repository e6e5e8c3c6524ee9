//! Pages: complete, small, escaped, and readable without a script.

use super::*;
use crate::advise::{Advice, advise};
use crate::model::Bytes;
use crate::plan::read::read_text;
use crate::planner::recording::{Recording, Replay};
use crate::planner::test_planner::{TestPlanner, seq_scan, table};
use crate::report::review::Reviewed;
use crate::report::run_measurements::RunMeasurements;
use crate::verdict::Limits;

fn recorded(name: &str) -> Advice {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("fixtures/recordings").join(name);
    let recording = Recording::from_json(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut replay = Replay::new(&recording);
    advise(&recording.workload, &recording.limits, &mut replay, &|_| {}).unwrap()
}

fn page(advice: &Advice) -> String {
    write_advice(advice, &RunMeasurements::default())
}

/// Every opened element is closed, in order: the parser of a browser has nothing to repair.
fn assert_well_formed(html: &str) {
    const VOID: &[&str] = &["meta", "link", "input", "br"];
    let without = |html: &str, tag: &str| {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        match (html.find(&open), html.find(&close)) {
            (Some(from), Some(to)) => html[..from].to_owned() + &html[to + close.len()..],
            _ => html.to_owned(),
        }
    };
    let html = without(&without(html, "style"), "script");
    let mut open: Vec<String> = Vec::new();
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n'])
            .next()
            .unwrap();
        if tag.starts_with('!') || VOID.contains(&name) {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "near {tag}");
        } else {
            open.push(name.to_owned());
        }
    }
    assert_eq!(open, [] as [String; 0]);
}

#[test]
fn recorded_runs_are_pages_with_every_link_inside() {
    for name in ["000-job-queue-twin.json", "004-gigs-and-events-twin.json"] {
        let advice = recorded(name);
        let html = page(&advice);
        assert_well_formed(&html);
        assert!(
            !html.contains("http://") && !html.contains("https://"),
            "no network"
        );
        let links = html.split("href=\"#").skip(1);
        for link in links.map(|rest| rest.split('"').next().unwrap()) {
            assert!(html.contains(&format!("id=\"{link}\"")), "{name}: #{link}");
        }
        for recommendation in &advice.recommendations {
            for sql in recommendation.creation.statements() {
                let escaped = sql.replace('\'', "&#39;").replace('>', "&#62;");
                assert!(html.contains(&escaped), "{escaped}");
            }
        }
        for candidate in &advice.rejected {
            assert!(html.contains(candidate.reason().name().replace('_', " ").as_str()));
        }
        assert_eq!(html, page(&advice), "byte for byte");
    }
}

#[test]
fn fifty_statements_are_less_than_a_megabyte() {
    let columns: Vec<String> = (0..50).map(|n| format!("c{n} bigint")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut planner = TestPlanner::new([table("orders", &columns)]);
    for number in 0..50 {
        let name = format!("orm-{number}");
        let scan = seq_scan("orders", 90_000.0).filter(&format!("(orders.c{number} = 5)"));
        let sql = format!(
            "SELECT {}1 FROM orders WHERE c{number} = 5",
            "orders.id AS a_long_alias_of_an_orm, ".repeat(60)
        );
        planner = planner.statement(&name, &sql, scan).index(
            &format!("orders (c{number})"),
            Bytes(8192),
            &[(&name, 8.0)],
        );
    }
    let workload = planner.workload().clone();
    let advice = advise(&workload, &Limits::default(), &mut planner, &|_| {}).unwrap();
    let html = page(&advice);
    assert_well_formed(&html);
    assert!(html.len() < 1_000_000, "{}", html.len());
}

#[test]
fn nothing_from_outside_becomes_markup() {
    let mut advice = recorded("000-job-queue-twin.json");
    let evil = "</pre><script>alert('x')</script>\u{1b}[2J";
    advice.statements[0].statement.id.0 = evil.to_owned();
    advice.statements[0].statement.sql = format!("SELECT '{evil}'");
    advice.rejected[0].index.name = evil.to_owned();
    advice.recommendations[0].creation.create = vec![format!("CREATE INDEX \"{evil}\"")];
    let html = page(&advice);
    assert_well_formed(&html);
    assert!(!html.contains("<script>alert"), "escaped");
    assert!(!html.contains('\u{1b}'), "written out");
}

#[test]
fn saved_plans_are_a_page_with_findings_and_errors() {
    let text = "Seq Scan on t  (cost=0.00..35.50 rows=10 width=4) (actual time=0.1..90.2 rows=250000 loops=1)\n  \
                Filter: (a > '<b>'::text)\n  Rows Removed by Filter: 900000\nExecution Time: 95.0 ms\n";
    let plans = read_text(text).unwrap();
    let files = [
        Reviewed {
            file: "good <1>.txt".to_owned(),
            plans: Ok(plans),
        },
        Reviewed {
            file: "bad.txt".to_owned(),
            plans: Err("line 2: no plan".to_owned()),
        },
    ];
    let html = write_reviewed(&files);
    assert_well_formed(&html);
    assert!(
        html.contains("Seq Scan on t") && html.contains("&#60;b&#62;"),
        "{html}"
    );
    assert!(html.contains("Could not be read:") && html.contains("line 2: no plan"));
    assert!(html.contains(">90 ms<"), "the time of the node");
}
