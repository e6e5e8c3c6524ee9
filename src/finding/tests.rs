//! Every rule has plans with and without its finding: `fixtures/findings/RULE/{bad,good}*.json`,
//! with a sparse expectation beside each bad one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::*;
use crate::candidate;
use crate::index::parse_index;
use crate::plan::read::plans;
use crate::predicate::{catalog_of_plan, relation_uses};

/// What must be true of a bad plan: it states only what the case is about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// The node with the finding.
    node: usize,
    /// Its headline, so that the number can be read.
    title: String,
    /// The action, word for word; `null` when there must be none.
    action: Option<String>,
    /// Parts of the message.
    #[serde(default)]
    message: Vec<String>,
    /// How bad it is.
    #[serde(default)]
    severity: Option<String>,
    /// Where the plan comes from, when it was not printed by the server of
    /// scripts/finding-fixtures.sh.
    #[serde(default, rename = "source")]
    _source: Option<String>,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/findings")
}

fn names_in(path: &Path) -> BTreeSet<String> {
    fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn read_plan(path: &Path) -> Plan {
    let text = fs::read_to_string(path).unwrap();
    plans(&text)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .remove(0)
}

mod pages;

#[test]
fn every_rule_has_fixtures_and_every_fixture_a_rule() {
    let rules: BTreeSet<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    let directories = names_in(&directory())
        .into_iter()
        .filter(|name| directory().join(name).is_dir())
        .collect();
    assert_eq!(rules, directories);
    assert!(RULES.is_sorted_by_key(|rule| rule.name));
    for rule in RULES {
        assert!(
            !rule.looks_for.is_empty()
                && !rule.why.is_empty()
                && rule.source.starts_with("https://"),
            "{}",
            rule.name
        );
        let files = names_in(&directory().join(rule.name));
        for kind in ["bad", "good"] {
            let any = files
                .iter()
                .any(|file| file.starts_with(kind) && is_plan(file));
            assert!(any, "{} has no {kind} plan", rule.name);
        }
    }
}

fn is_plan(file: &str) -> bool {
    file.ends_with(".json") && !file.ends_with(".expected.json")
}

#[test]
fn rules_have_findings_about_bad_plans_and_none_about_good_ones() {
    let mut failures = Vec::new();
    for rule in RULES {
        let directory = directory().join(rule.name);
        for file in names_in(&directory)
            .into_iter()
            .filter(|file| is_plan(file))
        {
            let plan = read_plan(&directory.join(&file));
            let findings = findings(&plan, None);
            let of_rule: Vec<&Finding> = findings
                .iter()
                .filter(|finding| finding.rule == rule.name)
                .collect();
            let case = format!("{}/{file}", rule.name);
            if file.starts_with("good") {
                if let Some(finding) = of_rule.first() {
                    failures.push(format!("{case}: {finding:#?}"));
                }
            } else {
                let expected = directory.join(file.replace(".json", ".expected.json"));
                failures.extend(
                    differences(&plan, &of_rule, &expected)
                        .into_iter()
                        .map(|text| format!("{case}: {text}")),
                );
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn differences(plan: &Plan, findings: &[&Finding], expected: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(expected) else {
        if let Some(finding) = findings
            .first()
            .filter(|_| std::env::var_os("WRITE_EXPECTATIONS").is_some())
        {
            write_expectation(plan, finding, expected);
        }
        return vec![format!(
            "no expectation (WRITE_EXPECTATIONS=1 writes one); findings: {findings:#?}"
        )];
    };
    let expected: Expected = serde_json::from_str(&text).unwrap();
    let Some(finding) = findings
        .iter()
        .find(|finding| finding.node == NodeId(expected.node))
    else {
        return vec![format!("nothing at node {}: {findings:#?}", expected.node)];
    };
    let mut differences = Vec::new();
    let title = plan.node(finding.node).title();
    if title != expected.title {
        differences.push(format!("the node is {title}"));
    }
    if finding.action != expected.action {
        differences.push(format!("action {:?}", finding.action));
    }
    for part in expected
        .message
        .iter()
        .filter(|part| !finding.message.contains(*part))
    {
        differences.push(format!("{part:?} is not in {:?}", finding.message));
    }
    if expected
        .severity
        .is_some_and(|severity| severity != finding.severity.name())
    {
        differences.push(format!("severity {}", finding.severity.name()));
    }
    differences
}

/// A first version of an expectation, to be read before it is checked in.
fn write_expectation(plan: &Plan, finding: &Finding, path: &Path) {
    let expectation = serde_json::json!({
        "node": finding.node.0,
        "title": plan.node(finding.node).title(),
        "severity": finding.severity.name(),
        "message": [],
        "action": finding.action,
    });
    fs::write(
        path,
        serde_json::to_string_pretty(&expectation).unwrap() + "\n",
    )
    .unwrap();
}

#[test]
fn findings_come_in_the_order_of_what_is_at_stake_and_always_the_same() {
    for rule in RULES {
        for file in names_in(&directory().join(rule.name))
            .into_iter()
            .filter(|file| is_plan(file))
        {
            let plan = read_plan(&directory().join(rule.name).join(&file));
            let first = findings(&plan, None);
            assert!(
                first.is_sorted_by(|a, b| a.share >= b.share),
                "{}/{file}",
                rule.name
            );
            assert_eq!(first, findings(&plan, None));
        }
    }
}

fn catalog(table: &serde_json::Value) -> Catalog {
    serde_json::from_value(serde_json::json!({
        "server": {"version_num": 150_018, "version": "15.18", "database": "d", "in_recovery": false},
        "settings": {}, "tables": [table], "taken_names": []}))
    .unwrap()
}

fn jobs_table(rows: Option<f64>, partition_of: Option<&str>) -> serde_json::Value {
    serde_json::json!({
        "name": {"schema": "public", "name": "jobs"}, "kind": "plain", "rows": rows, "pages": 7895, "owned": true,
        "partition_of": partition_of.map(|name| serde_json::json!({"schema": "public", "name": name})),
        "columns": [{"name": "id", "type_name": "bigint", "not_null": true, "statistics": null}], "indexes": []})
}

#[test]
fn the_catalog_improves_findings() {
    let of = |file: &str, rule: &str, catalog: &Catalog| {
        let findings = findings(&read_plan(&directory().join(file)), Some(catalog));
        findings.into_iter().find(|finding| finding.rule == rule)
    };
    let scan = "selective-seq-scan/bad.json";
    let analyzed = catalog(&jobs_table(Some(300_000.0), None));
    assert_eq!(of(scan, "stale-statistics", &analyzed), None);
    let never = of(scan, "stale-statistics", &catalog(&jobs_table(None, None))).unwrap();
    assert!(
        never.message.contains("never analyzed"),
        "{}",
        never.message
    );
    let partition = of(
        scan,
        "selective-seq-scan",
        &catalog(&jobs_table(Some(300_000.0), Some("all_jobs"))),
    )
    .unwrap();
    assert_eq!(
        partition.action.as_deref(),
        Some("CREATE INDEX ON public.all_jobs (state, kind);")
    );
    let cast = of("wrapped-column/bad-cast.json", "wrapped-column", &analyzed).unwrap();
    assert!(
        cast.message.contains("id (bigint) is cast to numeric"),
        "{}",
        cast.message
    );
}

/// What the generators would try for any relation of the plan.
fn candidate_bodies(plan: &Plan) -> BTreeSet<String> {
    let catalog = catalog_of_plan(plan, None);
    let uses = relation_uses(plan, &catalog);
    let with_extensions = index_proposal::with_contrib_classes(&catalog);
    let catalogs = [&catalog, &*with_extensions];
    uses.iter()
        .flat_map(|relation| catalogs.map(|catalog| candidate::for_relation(relation, catalog)))
        .flat_map(|candidates| candidates.to_try)
        .map(|candidate| candidate.index.body())
        .collect()
}

#[test]
fn an_index_that_a_finding_names_is_a_candidate_of_the_advice() {
    let mut named = 0;
    // Its indexes serve a condition that is written in another way, or need operator classes that only
    // a server's catalog has; tests/server/findings.rs builds each and looks at the plan.
    let rules = RULES.iter().filter(|rule| rule.name != "unserved-filter");
    for rule in rules {
        for file in names_in(&directory().join(rule.name))
            .into_iter()
            .filter(|file| is_plan(file))
        {
            let plan = read_plan(&directory().join(rule.name).join(&file));
            let candidates = candidate_bodies(&plan);
            let findings = findings(&plan, None);
            // So does one for a range in place of a function that depends on settings.
            let as_written = findings.iter().filter(|finding| {
                finding.rule != "wrapped-column" || !finding.message.contains(" a range of ")
            });
            let actions = as_written.filter_map(|finding| finding.action.clone());
            for action in actions.filter(|action| action.starts_with("CREATE INDEX")) {
                for statement in action.split_inclusive(';') {
                    let body = parse_index(statement.trim_end_matches(';')).unwrap().body();
                    assert!(
                        candidates.contains(&body),
                        "{}/{file}: {body} is not among {candidates:#?}",
                        rule.name
                    );
                    named += 1;
                }
            }
        }
    }
    assert!(named > 12, "{named}");
}

#[test]
fn compilation_comes_before_nodes_whose_times_contain_it() {
    let plan = |jit: f64, whole: f64| {
        let text = format!(
            "Aggregate  (cost=250000.00..250000.01 rows=1 width=8) (actual time={whole}..{whole} rows=1 loops=1)
  ->  Seq Scan on bale  (cost=0.00..249000.00 rows=90 width=0) (actual time={jit}..{whole} rows=12 loops=1)
        Filter: (mill = 4)
        Rows Removed by Filter: 499988
JIT:
  Functions: 6
  Timing: Generation 1.000 ms, Inlining 1.000 ms, Optimization 1.000 ms, Emission 1.000 ms, Total {jit} ms
Execution Time: {whole} ms
"
        );
        plans(&text).unwrap().remove(0)
    };
    let rules = |plan: &Plan| -> Vec<&str> {
        let found = findings(plan, None);
        found.iter().map(|finding| finding.rule).collect()
    };
    let first_two = ["jit-dominates", "selective-seq-scan"];
    assert_eq!(rules(&plan(960.0, 1000.0)), first_two);
    assert_eq!(rules(&plan(560.0, 1000.0)), first_two);
    // Where more than the compilation is left, the scan comes first.
    let [jit, scan] = first_two;
    assert_eq!(rules(&plan(300.0, 1000.0)), [scan, jit]);
}
