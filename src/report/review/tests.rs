use serde_json::json;

use super::*;
use crate::plan::Plan;
use crate::plan::read::SourceFormat;

fn fixture(path: &str) -> Vec<Reviewed> {
    let full = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(path);
    let text = std::fs::read_to_string(full).unwrap();
    vec![Reviewed {
        file: path.to_owned(),
        plans: Ok(crate::plan::read::read_text(&text).unwrap()),
    }]
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn widest(text: &str) -> usize {
    plain(text)
        .lines()
        .map(crate::text_layout::display_width)
        .max()
        .unwrap_or(0)
}

/// A hostile plan: escape sequences and Markdown in every name and text.
fn hostile() -> Vec<Reviewed> {
    let plan = Plan::from_json(json!({"Plan": {"Node Type": "Seq Scan\u{1b}[2J", "Relation Name": "t\u{1b}]0;x\u{7}", "Alias": "`a`",
        "Filter": "(x = '```\u{9b}31m'::text)", "Startup Cost": 0, "Total Cost": 90000, "Plan Rows": 1, "Plans": [
        {"Node Type": "Seq Scan", "Relation Name": "u\u{202e}\u{1b}[1m", "Alias": "u", "Filter": "(\"c\u{1b}[31m\" = 1)", "Total Cost": 80000,
         "Startup Cost": 0, "Plan Rows": 1}]},
        "Query Text": "select '\u{1b}[31m' -- ```"}))
    .unwrap();
    let query = plan
        .summary
        .get("Query Text")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let plan = ReadPlan {
        plan,
        format: SourceFormat::Json,
        of: None,
        query,
        warnings: Vec::new(),
    };
    vec![Reviewed {
        file: "\u{1b}[31mfile".to_owned(),
        plans: Ok(vec![plan]),
    }]
}

#[test]
fn a_measured_plan_fits_80_columns() {
    let text = write_text(&fixture("findings/stale-statistics/bad.json"), 80);
    assert!(widest(&text) <= 80);
    insta::assert_snapshot!(plain(&text));
}

#[test]
fn a_measured_plan_fits_120_columns() {
    let text = write_text(&fixture("findings/stale-statistics/bad.json"), 120);
    assert!(widest(&text) <= 120);
    insta::assert_snapshot!(plain(&text));
}

#[test]
fn an_estimated_plan_shows_costs() {
    let text = write_text(&fixture("findings/limit-over-sort/bad-estimated.json"), 80);
    assert!(widest(&text) <= 80);
    insta::assert_snapshot!(plain(&text));
}

#[test]
fn a_parallel_plan_shows_its_processes() {
    insta::assert_snapshot!(plain(&write_text(
        &fixture("findings/workers-not-launched/good.json"),
        120
    )));
}

#[test]
fn what_18_measures_is_shown_at_its_node() {
    let text = "Nested Loop  (cost=0.42..900.00 rows=10 width=8) (actual time=1.000..90.000 rows=41.00 loops=1)
  Disabled: true
  ->  Index Scan using bale_mill_weight_idx on bale  (cost=0.42..300.00 rows=10 width=8) (actual time=1.000..20.000 rows=10.25 loops=4)
        Index Cond: (weight = 5)
        Index Searches: 2104
  ->  Materialize  (cost=0.00..1.00 rows=1 width=4) (actual time=0.001..0.002 rows=0.50 loops=41)
        Storage: Memory  Maximum Storage: 17kB
        ->  WindowAgg  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.020 rows=1.00 loops=1)
              Window: w1 AS (ORDER BY u.b ROWS UNBOUNDED PRECEDING)
              Storage: Disk  Maximum Storage: 4000kB
              ->  Index Scan using mill_pkey on mill u  (cost=0.00..1.00 rows=1 width=4) (actual time=0.010..0.020 rows=1.00 loops=1)
                    Index Searches: 1
";
    let reviewed = vec![Reviewed {
        file: "x".to_owned(),
        plans: Ok(crate::plan::read::read_text(text).unwrap()),
    }];
    let text = plain(&write_text(&reviewed, 120));
    for fact in [
        "disabled by a setting",
        "4 loops × 10.25 rows · 2,104 index searches",
        "41 loops × 0.50 rows · memory 17 kB",
        "disk 4000 kB",
    ] {
        assert!(text.contains(fact), "{fact}: {text}");
    }
    // One search of a scan that ran once is no fact.
    assert_eq!(text.matches("index searches").count(), 1, "{text}");
}

#[test]
fn markdown_has_the_same_content() {
    insta::assert_snapshot!(write_markdown(
        &fixture("findings/trigger-dominates/bad.json"),
        100
    ));
}

#[test]
fn nothing_from_a_plan_reaches_the_terminal_raw() {
    let text = plain(&write_text(&hostile(), 100));
    assert!(
        !text.chars().any(|c| c.is_control() && c != '\n'),
        "{text:?}"
    );
    assert!(!text.contains('\u{202e}'));
    insta::assert_snapshot!(text);
    let raw = write_text(&hostile(), 100);
    assert!(
        !raw.contains("\u{1b}[2J") && !raw.contains("\u{1b}]0;") && !raw.contains('\u{9b}'),
        "{raw:?}"
    );
    let markdown = write_markdown(&hostile(), 100);
    assert!(
        !markdown.chars().any(|c| c.is_control() && c != '\n'),
        "{markdown:?}"
    );
}

#[test]
fn json_has_the_findings() {
    let report = write_json(&fixture("findings/heap-fetches/bad.json")).unwrap();
    let value: Value = serde_json::from_str(&report).unwrap();
    let finding = &value[0]["plans"][0]["findings"][0];
    assert_eq!(
        (&finding["rule"], &finding["node_id"]),
        (&json!("heap-fetches"), &json!(0))
    );
    assert_eq!(finding["action"], json!("VACUUM public.visits;"));
    let node = &value[0]["plans"][0]["nodes"][0];
    assert_eq!(
        (&node["node_id"], &node["estimate_direction"]),
        (&json!(0), &json!("over"))
    );
}
