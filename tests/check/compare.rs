//! Two twin files, expected plans, and growth.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::live::{Database, program, text_of};
use crate::shop::{QUERIES, shop};

fn snapshot(database: &Database, file: &Path) -> PathBuf {
    let queries = &shop().queries;
    let output = database
        .program(&[
            "snapshot",
            "-f",
            queries.to_str().unwrap(),
            "-o",
            file.to_str().unwrap(),
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    file.to_owned()
}

fn compare(before: &Path, after: &Path, options: &[&str]) -> Output {
    let files = [before, after].map(|file| file.to_str().unwrap().to_owned());
    program()
        .arg("check")
        .args(files)
        .args(options)
        .output()
        .unwrap()
}

fn causes(report: &Value, id: &str) -> Vec<String> {
    let statements = report["statements"].as_array().unwrap();
    let found = statements.iter().find(|statement| statement["id"] == id);
    let causes = found.unwrap()["causes"].as_array().unwrap().iter();
    causes
        .map(|cause| cause.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_cause_of_each_change_is_found() {
    let directory = tempfile::tempdir().unwrap();
    for (name, change, statement, expected) in [
        (
            "c_schema",
            "DROP INDEX orders_customer",
            "orders-of-customer",
            "schema",
        ),
        (
            "c_settings",
            "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET enable_indexscan = off'; \
             EXECUTE 'ALTER DATABASE ' || current_database() || ' SET enable_bitmapscan = off'; END $$",
            "order-by-id",
            "settings",
        ),
        (
            "c_statistics",
            "UPDATE pg_statistic SET stadistinct = 3, stakind1 = 0, stakind2 = 0, stakind3 = 0 \
             WHERE starelid = 'orders'::regclass AND staattnum = 2",
            "orders-of-customer",
            "statistics",
        ),
        (
            "c_size",
            "INSERT INTO item SELECT n, 9, 'sku17', 1 FROM generate_series(100001, 900000) AS n",
            "sku-orders",
            "size",
        ),
    ] {
        let copy = shop().copy(name);
        copy.run(change);
        let after = snapshot(&copy, &directory.path().join(format!("{name}.twin")));
        let output = compare(&shop().twin, &after, &["--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = causes(&report, statement);
        assert_eq!(found, [expected], "{name}: {}", text_of(&output));
    }
}

#[test]
fn a_twin_file_is_the_same_as_itself() {
    let twin = &shop().twin;
    let output = compare(twin, twin, &["--fail-on", "flip,regression=1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    let same = format!("{} same", QUERIES.matches("-- name").count());
    assert!(text_of(&output).contains(&same), "{}", text_of(&output));
}

#[test]
fn expected_plans_are_kept_in_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let plans = directory.path().join("plans");
    let run = |options: &[&str]| {
        program()
            .args(["check", "--snapshot", shop().twin.to_str().unwrap()])
            .args(["--baseline", plans.to_str().unwrap()])
            .args(options)
            .output()
            .unwrap()
    };
    assert_eq!(run(&[]).status.code(), Some(1), "there is no directory yet");
    let written = run(&["--update"]);
    assert_eq!(written.status.code(), Some(0), "{}", text_of(&written));
    let file = plans.join("order-by-id.plan");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("-- order-by-id\n-- cost "), "{text}");
    assert!(
        text.contains("\nIndex Scan using orders_pkey on orders\n"),
        "{text}"
    );
    let same = run(&["--fail-on", "flip,regression=1"]);
    assert_eq!(same.status.code(), Some(0), "{}", text_of(&same));
    let again = run(&["--update"]);
    assert!(
        text_of(&again).contains(" 0 files changed"),
        "{}",
        text_of(&again)
    );

    std::fs::write(&file, "-- order-by-id\n-- cost 1\nSeq Scan on orders\n").unwrap();
    std::fs::write(plans.join("gone.plan"), "-- gone\n-- cost 1\nResult\n").unwrap();
    let other = run(&["--fail-on", "flip"]);
    assert_eq!(other.status.code(), Some(4), "{}", text_of(&other));
    let text = text_of(&other);
    assert!(text.contains("--fail-on flip: order-by-id"), "{text}");
    assert!(text.contains("Only before: gone"), "{text}");
    let accepted = run(&["--update"]);
    assert!(
        text_of(&accepted).contains(" 2 files changed"),
        "{}",
        text_of(&accepted)
    );
    assert!(!plans.join("gone.plan").exists());

    a_migration_is_compared_with_what_is_expected(directory.path(), &run);

    std::fs::write(&file, "no plan").unwrap();
    let damaged = run(&[]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(
        text_of(&damaged).contains("order-by-id.plan: line 1: expected"),
        "{}",
        text_of(&damaged)
    );
}

fn a_migration_is_compared_with_what_is_expected(
    directory: &Path,
    run: &dyn Fn(&[&str]) -> Output,
) {
    let migration = directory.join("m.sql");
    std::fs::write(&migration, "DROP INDEX orders_customer;").unwrap();
    let worse = run(&[
        "--migrate",
        migration.to_str().unwrap(),
        "--fail-on",
        "flip",
    ]);
    assert_eq!(worse.status.code(), Some(4), "{}", text_of(&worse));
    assert!(
        text_of(&worse).contains("orders-of-customer"),
        "{}",
        text_of(&worse)
    );
}

#[test]
fn growth_says_at_which_size_a_plan_flips() {
    let output = program()
        .args(["check", "--snapshot", shop().twin.to_str().unwrap()])
        .args([
            "--grow",
            "10x..100x",
            "--format",
            "json",
            "--fail-on",
            "flip",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let statements = report["statements"].as_array().unwrap();
    for statement in statements {
        assert_eq!(statement["change"], "same", "{statement:#}");
        assert_eq!(statement["cost_before"], statement["cost_after"]);
        for assumed in statement["assumed"].as_array().unwrap() {
            assert_eq!(assumed["assumption"], "grown");
            assert_eq!(assumed["change"], "flipped");
            let factor = assumed["factor"].as_u64().unwrap();
            assert!([10, 20, 40, 80, 100].contains(&factor), "{factor}");
        }
    }
    let flips = |id: &str| {
        let found = statements.iter().find(|statement| statement["id"] == id);
        !found.unwrap()["assumed"].as_array().unwrap().is_empty()
    };
    assert!(!flips("order-by-id"), "a lookup by the key stays one");
    assert!(
        !flips("returned-total"),
        "that several workers read the table is no flip"
    );
    assert!(flips("last-week"), "{}", text_of(&output));
}

#[test]
fn what_is_checked_is_one_thing() {
    for options in [
        &["a.twin"][..],
        &["a.twin", "b.twin", "c.twin"],
        &["a.twin", "b.twin", "--migrate", "m.sql"],
        &["--grow", "2x", "--migrate", "m.sql"],
        &["a.twin", "b.twin", "--snapshot", "c.twin"],
        &["--grow", "0x"],
        &["--update"],
    ] {
        let output = program().arg("check").args(options).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{options:?}: {}",
            text_of(&output)
        );
    }
    let two = program()
        .args(["advise", "--snapshot", "a.twin", "--snapshot", "b.twin"])
        .output()
        .unwrap();
    assert_eq!(two.status.code(), Some(2));
    assert!(
        text_of(&two).contains("pgrehearse check a.twin b.twin"),
        "{}",
        text_of(&two)
    );
}

#[test]
fn review_says_what_a_twin_file_is() {
    let output = program()
        .args(["review", "--format", "text", shop().twin.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    let text = text_of(&output);
    assert!(
        text.contains("a twin file of the database check_shop"),
        "{text}"
    );
    assert!(
        text.contains("Index Scan using orders_pkey on orders"),
        "{text}"
    );
}
