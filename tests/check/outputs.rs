//! What `check` prints, its exit status, and the files for CI systems.

use std::process::Output;

use serde_json::Value;

use crate::live::text_of;
use crate::shop::shop;

/// Drops an index that a statement needs, and a column that another one reads; builds an index that
/// nobody uses.
const WORSE: &str = "DROP INDEX orders_customer;\nALTER TABLE customer DROP COLUMN nickname;\n\
                     CREATE INDEX item_quantity ON item (quantity);\n";

fn run(name: &str, migration: &str, options: &[&str]) -> Output {
    shop().check(name, migration, options).output().unwrap()
}

#[test]
fn the_conditions_of_fail_on_decide_the_exit_status() {
    for (migration, options, expected) in [
        (WORSE, &[][..], 0),
        (WORSE, &["--fail-on", "regression=50"], 4),
        (WORSE, &["--fail-on", "regression=1000000"], 0),
        (WORSE, &["--fail-on", "flip"], 4),
        (WORSE, &["--fail-on", "cannot-run"], 4),
        (WORSE, &["--fail-on", "unused-index"], 4),
        (WORSE, &["--fail-on", "regression=1000000,unused-index"], 4),
        (WORSE, &["--fail-on", "lock=Share>1ms"], 4),
        (WORSE, &["--fail-on", "lock=AccessExclusive>1h"], 0),
        (
            "ALTER TABLE orders ADD weight integer;\n",
            &["--fail-on", "flip,cannot-run,regression=1"],
            0,
        ),
        ("ALTER TABLE missing ADD weight integer;\n", &[], 1),
        (
            "ALTER TABLE missing ADD weight integer;\n",
            &["--fail-on", "cannot-run"],
            4,
        ),
        (WORSE, &["--fail-on", "frobnicate"], 2),
    ] {
        let output = run("gates", migration, options);
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{options:?}: {}",
            text_of(&output)
        );
    }
    let output = crate::live::program().arg("check").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text_of(&output));
}

#[test]
fn the_json_report_is_as_the_schema_says() {
    let schema: Value =
        serde_json::from_str(include_str!("../../schema/check-report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let output = run("schema", WORSE, &["--format", "json", "--fail-on", "flip"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let change = |id: &str| {
        let statements = report["statements"].as_array().unwrap();
        let found = statements.iter().find(|statement| statement["id"] == id);
        found.unwrap()["change"].as_str().unwrap().to_owned()
    };
    assert_eq!(change("orders-of-customer"), "flipped");
    assert_eq!(change("nickname"), "cannot_run");
    assert_eq!(change("order-by-id"), "same");
    assert_eq!(report["gates"][0]["matched"], true);
    let advice = report["advice"].as_array().unwrap();
    let fix = advice
        .iter()
        .find(|fix| fix["ddl"].as_str().unwrap().contains("(customer_id"));
    let fix = fix.unwrap_or_else(|| panic!("{advice:?}"));
    let fixed = report["statements"].as_array().unwrap().iter();
    let fixed: Vec<&str> = fixed
        .filter(|statement| {
            statement["fixed_by"]
                .as_array()
                .unwrap()
                .contains(&fix["id"])
        })
        .map(|statement| statement["id"].as_str().unwrap())
        .collect();
    assert!(fixed.contains(&"orders-of-customer"), "{fixed:?}");
    let index = |name: &str| {
        let indexes = report["indexes"].as_array().unwrap();
        indexes
            .iter()
            .find(|index| index["index"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(index("public.item_quantity")["finding"], "unused");
    let used = &index("public.orders_customer")["used_by"];
    assert!(
        used.as_array()
            .unwrap()
            .contains(&Value::from("orders-of-customer")),
        "{used}"
    );
}

#[test]
fn the_text_says_first_what_is_worse() {
    let output = run("text", WORSE, &["--fail-on", "flip,unused-index"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let summary = text.lines().nth(1).unwrap();
    assert!(summary.starts_with("1 cannot run · "), "{text}");
    for expected in [
        "ShareLock on public.item: writes wait",
        "CREATE INDEX CONCURRENTLY item_quantity ON item (quantity);",
        "DROP INDEX CONCURRENTLY orders_customer;",
        "column \"nickname\" does not exist",
        "--fail-on unused-index: public.item_quantity",
        "no statement of the workload uses it",
        "The twin file has only the tables of its workload",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn markdown_stays_below_the_limit_of_a_comment() {
    let mut queries = String::new();
    for number in 0..400 {
        queries += &format!(
            "-- name: query-{number}\nSELECT id FROM orders WHERE customer_id = {number};\n"
        );
    }
    let file = shop().directory.path().join("many.sql");
    std::fs::write(&file, queries).unwrap();
    let output = run(
        "many_plans",
        WORSE,
        &["--format", "markdown", "-f", file.to_str().unwrap()],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.len() < 60_000, "{}", text.len());
    assert!(
        text.starts_with("## pgrehearse check\n\n**400 flipped**"),
        "{text}"
    );
    assert!(text.contains("… and 350 more"), "{text}");
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("</details>").count()
    );
    assert_eq!(text.matches("```").count() % 2, 0);
}

#[test]
fn results_are_written_for_ci_systems() {
    let directory = tempfile::tempdir().unwrap();
    let (junit, sarif) = (
        directory.path().join("junit.xml"),
        directory.path().join("check.sarif"),
    );
    let options = [
        "--fail-on",
        "flip,cannot-run",
        "--junit",
        junit.to_str().unwrap(),
        "--sarif",
        sarif.to_str().unwrap(),
        "--annotations",
    ];
    let output = run("ci", WORSE, &options);
    let xml = std::fs::read_to_string(junit).unwrap();
    let mut reader = quick_xml::Reader::from_str(&xml);
    let (mut cases, mut failures) = (0, 0);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                cases += usize::from(tag.name().as_ref() == "testcase");
                failures += usize::from(tag.name().as_ref() == "failure");
            }
            _ => {}
        }
    }
    let queries = crate::shop::QUERIES.matches("-- name").count();
    // Three statements of the migration, and three indexes: one is added, one dropped.
    assert_eq!(cases, queries + 3 + 2, "{xml}");
    assert!(failures >= 2, "{xml}");
    let sarif: Value = serde_json::from_str(&std::fs::read_to_string(sarif).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(
        results
            .iter()
            .any(|result| result["ruleId"] == "index-blocks-writes"
                && result["locations"][0]["physicalLocation"]["region"]["startLine"] == 3)
    );
    assert!(
        results
            .iter()
            .any(|result| result["ruleId"] == "statement-cannot-run")
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.lines()
            .any(|line| line.starts_with("::error ") && line.contains("nickname")),
        "{text}"
    );
}

#[test]
fn a_directory_is_a_migration_of_several_files() {
    let directory = tempfile::tempdir().unwrap();
    for (name, sql) in [
        (
            "V2__index.sql",
            "CREATE INDEX orders_weight ON orders (weight);",
        ),
        (
            "V1__column.sql",
            "ALTER TABLE orders ADD COLUMN weight integer;",
        ),
    ] {
        std::fs::write(directory.path().join(name), sql).unwrap();
    }
    let output = crate::live::program()
        .args([
            "check",
            "--format",
            "json",
            "--snapshot",
            shop().twin.to_str().unwrap(),
        ])
        .args(["--migrate", directory.path().to_str().unwrap()])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let status: Vec<&Value> = report["ddl"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["status"])
        .collect();
    assert_eq!(status, ["ok", "ok"], "{report:#}");
    assert_eq!(output.status.code(), Some(0));
}
