//! The write cost of an index is compared with its gain for reads.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::live::{Database, recommended, rejected};

/// A generous time limit for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two equal columns, and pages with room for new versions of their rows. (Written in a DO block,
/// whose statements pg_stat_statements does not count.)
const ACCOUNTS: &str = "CREATE TABLE account (id bigint PRIMARY KEY, seen int NOT NULL, region int NOT NULL, note text)
         WITH (fillfactor = 50, autovacuum_enabled = off);
     DO $$ BEGIN INSERT INTO account SELECT n, n % 4000, n % 4000, 'note ' || n FROM generate_series(1, 40000) AS n; END $$;";

/// The counters of sessions that ended arrive with a delay.
fn wait_until(database: &Database, condition: &str) {
    let began = Instant::now();
    while database.text(&format!("SELECT {condition}")) != "t" {
        assert!(began.elapsed() < PATIENCE, "not counted: {condition}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn reasons<'r>(report: &'r Value, texts: &[&str]) -> Vec<&'r str> {
    rejected(report, texts)
        .into_iter()
        .map(|candidate| candidate["reason"].as_str().unwrap())
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn an_index_that_ends_hot_updates_has_to_gain_more_than_one_on_a_column_that_is_never_updated() {
    let database = Database::new("upkeep_hot", ACCOUNTS);
    database.run("UPDATE account SET note = 'changed ' || id WHERE id <= 5000");
    wait_until(
        &database,
        "pg_stat_get_tuples_hot_updated('account'::regclass) > 4900",
    );
    database.run("VACUUM ANALYZE account");
    let workload = |updated: &str| {
        format!(
            "-- name: by-seen\n-- calls: 10\nSELECT note FROM account WHERE seen = $1;
             -- name: by-region\n-- calls: 10\nSELECT note FROM account WHERE region = $1;
             -- name: touch\n-- calls: 100000\nUPDATE account SET {updated} WHERE id = $2"
        )
    };
    let report = database.advise(&["-c", &workload("seen = $1")]);
    assert_eq!(
        recommended(&report, &["(region)"]).len(),
        1,
        "{:#}",
        report["rejected"]
    );
    assert_eq!(
        recommended(&report, &["(seen)"]).len(),
        0,
        "{:#}",
        report["recommendations"]
    );
    assert_eq!(reasons(&report, &["account (seen);"]), ["upkeep_too_high"]);
    let seen = rejected(&report, &["account (seen);"])[0];
    assert!(
        seen["detail"]
            .as_str()
            .unwrap()
            .contains("because updates that are HOT now would make entries in all indexes"),
        "{seen:#}"
    );
    let region = recommended(&report, &["(region)"])[0];
    assert!(
        seen["upkeep_cost"].as_f64().unwrap() > 10.0 * region["upkeep_cost"].as_f64().unwrap(),
        "{seen:#} {region:#}"
    );

    // The same with the columns swapped; no difference if no indexed column is updated.
    let report = database.advise(&["-c", &workload("region = $1")]);
    assert_eq!(
        (
            recommended(&report, &["(seen)"]).len(),
            recommended(&report, &["(region)"]).len()
        ),
        (1, 0)
    );
    let report = database.advise(&["-c", &workload("note = $1")]);
    assert_eq!(
        (
            recommended(&report, &["(seen)"]).len(),
            recommended(&report, &["(region)"]).len()
        ),
        (1, 1)
    );
    // An INCLUDE column also keeps an update from being HOT.
    assert_eq!(
        recommended(&report, &["INCLUDE (note)"]).len(),
        0,
        "{:#}",
        report["recommendations"]
    );
}

#[test]
fn writes_that_only_the_server_counted_are_charged_where_the_calls_were_counted_too() {
    let setup = format!("CREATE EXTENSION pg_stat_statements; {ACCOUNTS}");
    let database = Database::new("upkeep_counted", &setup);
    database.run("VACUUM ANALYZE account");
    wait_until(
        &database,
        "pg_stat_get_tuples_inserted('account'::regclass) = 40000",
    );
    let mut client = database.client();
    for region in 0..5 {
        client
            .query("SELECT note FROM account WHERE region = $1", &[&region])
            .unwrap();
    }
    // All rows were inserted while the counters counted: the first loading is not typical.
    let quiet = database.advise(&["--pg-stat-statements"]);
    assert_eq!(
        recommended(&quiet, &["(region)"]).len(),
        1,
        "{:#}",
        quiet["rejected"]
    );

    database.run("SELECT pg_stat_reset()");
    database.run("DO $$ BEGIN INSERT INTO account SELECT n, 1, 1 FROM generate_series(100001, 130000) AS n; END $$; DELETE FROM account WHERE id > 100000");
    wait_until(
        &database,
        "pg_stat_get_tuples_inserted('account'::regclass) = 30000",
    );
    database.run("VACUUM ANALYZE account");
    let busy = database.advise(&["--pg-stat-statements"]);
    assert_eq!(
        recommended(&busy, &["(region)"]).len(),
        0,
        "{:#}",
        busy["recommendations"]
    );
    assert_eq!(reasons(&busy, &["account (region);"]), ["upkeep_too_high"]);

    let made_up = "-- calls: 5\nSELECT note FROM account WHERE region = $1";
    let by_hand = database.advise(&["-c", made_up]);
    assert_eq!(
        recommended(&by_hand, &["(region)"]).len(),
        1,
        "calls from comments have no period: {:#}",
        by_hand["rejected"]
    );
}

#[test]
fn calls_that_were_all_counted_are_not_extrapolated_by_younger_counters() {
    const INSERTED: i64 = 2_000;
    let setup = format!("CREATE EXTENSION pg_stat_statements; {ACCOUNTS}");
    let database = Database::new("upkeep_younger", &setup);
    database.run("VACUUM ANALYZE account");
    let mut client = database.client();
    for region in 0..5 {
        client
            .query("SELECT note FROM account WHERE region = $1", &[&region])
            .unwrap();
    }
    // pg_stat_statements has counted since the server started.
    database.run("SELECT pg_stat_reset()");
    let insert = client
        .prepare("INSERT INTO account VALUES ($1, 1, 1)")
        .unwrap();
    for id in 0..INSERTED {
        client.execute(&insert, &[&(100_000 + id)]).unwrap();
    }
    drop(client);
    let counted = format!("pg_stat_get_tuples_inserted('account'::regclass) = {INSERTED}");
    wait_until(&database, &counted);
    let report = database.advise(&["--pg-stat-statements"]);
    let upkeep = recommended(&report, &["(region)"])
        .into_iter()
        .chain(rejected(&report, &["account (region);"]))
        .find_map(|index| index["upkeep_cost"].as_f64())
        .unwrap();
    let of_a_row = upkeep / INSERTED as f64;
    assert!((0.1..1.0).contains(&of_a_row), "{of_a_row}: {report:#}");
}
