//! The report when no index helps, and what helps instead.

use pgrehearse::internals::sql::rewrite::{FromTable, KnownColumn, KnownTable, bounded};
use serde_json::Value;

use crate::live::{Database, program, recommended, statement, text_of};

/// Rows in the order of `id`; `spread` is not correlated with a row's position, `kind` only a
/// little.
const TABLES: &str = "CREATE TABLE item (id bigint PRIMARY KEY, spread bigint NOT NULL, kind int NOT NULL, at timestamptz NOT NULL, note text);
     INSERT INTO item SELECT n, n * 7919 % 5000, n % 10, '2024-01-01'::timestamptz + n * interval '1 minute', repeat('x', 60)
     FROM generate_series(1, 60000) AS n;
     CREATE TABLE tiny (id int NOT NULL, word text NOT NULL); INSERT INTO tiny VALUES (1, 'one'), (2, 'two');
     ANALYZE;";

fn because<'r>(report: &'r Value, id: &str) -> (&'r str, &'r str) {
    let no_index = &statement(report, id)["no_index_helps"];
    (
        no_index["reason"].as_str().unwrap_or("-"),
        no_index["detail"].as_str().unwrap_or("-"),
    )
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
        (
            "most",
            "reads_most_of_the_table",
            "rows of public.item are needed (80 %)",
        ),
        (
            "groups",
            "reads_most_of_the_table",
            "60,000 of the 60,000 rows of public.item are needed (100 %)",
        ),
        (
            "all",
            "no_condition",
            "nothing filters, orders or groups the rows of public.item",
        ),
        ("values", "no_condition", "it reads no table"),
        (
            "key",
            "already_indexed",
            "item_pkey with all conditions on it: (item.id = 77)",
        ),
        (
            "newest",
            "already_indexed",
            "item_pkey in the order that the query needs",
        ),
        (
            "tiny",
            "table_too_small",
            "public.tiny has 1 page: to read it whole costs 1.02, one row through an index at least 8.00",
        ),
        ("random", "not_indexable", "random()"),
        (
            "day",
            "not_indexable",
            "to_char(timestamp with time zone, text)",
        ),
    ] {
        assert_eq!(reason(id), expected, "{id}: {:?}", because(&report, id));
        assert!(
            because(&report, id).1.contains(words),
            "{id}: {}",
            because(&report, id).1
        );
    }
    for id in ["helped", "broken"] {
        assert!(statement(&report, id)["no_index_helps"].is_null(), "{id}");
    }
}

/// At the value that is named the planner uses the index, and one step above it does not.
#[test]
fn the_random_page_cost_that_is_named_is_the_one_that_decides() {
    let database = Database::new(
        "page_cost",
        &format!("{TABLES} CREATE INDEX item_spread ON item (spread);"),
    );
    database.run("ALTER DATABASE page_cost SET enable_bitmapscan = off");
    let query = "SELECT * FROM item WHERE spread < 1000";
    let report = database.advise(&["-c", &format!("-- name: q\n{query}"), "--max-indexes", "0"]);
    let (reason, detail) = because(&report, "q");
    assert_eq!(reason, "only_at_lower_random_page_cost", "{detail}");
    let value: f64 = detail
        .split("random_page_cost = ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let plan =
        |value: f64| database.text(&format!("SET random_page_cost = {value}; EXPLAIN {query}"));
    assert!(
        plan(value).contains("item_spread"),
        "{detail}\n{}",
        plan(value)
    );
    assert!(
        !plan(value + 0.1).contains("item_spread"),
        "{detail}\n{}",
        plan(value + 0.1)
    );

    // The same for an index that does not exist, as the twin predicts it.
    database.run("DROP INDEX item_spread");
    let report = database.advise(&["-c", &format!("-- name: q\n{query}")]);
    let (reason, predicted) = because(&report, "q");
    assert_eq!(reason, "only_at_lower_random_page_cost", "{predicted}");
    assert!(
        predicted.contains(&format!("random_page_cost = {value} or less (it is 4)")),
        "{predicted}\n{detail}"
    );
}

#[test]
fn a_limit_that_kept_an_index_out_is_the_reason() {
    let database = Database::new("kept_out", TABLES);
    let workload = "-- name: q\nSELECT * FROM item WHERE spread = 77";
    for (limits, expected) in [
        (&["--budget", "8kB"][..], "over_budget"),
        (&["--rehearse", "off"][..], "not_rehearsed"),
        (
            &["--rehearse", "transaction", "--max-table-size", "8kB"][..],
            "table_too_large",
        ),
        (&["--min-improvement", "99.9"][..], "gain_too_small"),
    ] {
        let report = database.advise(&[&["-c", workload], limits].concat());
        assert_eq!(
            because(&report, "q").0,
            expected,
            "{:?}",
            because(&report, "q")
        );
    }
}

/// The report, which a recording of it gives again, and as text and as Markdown.
fn recorded(database: &Database, arguments: &[&str]) -> (Value, [String; 2]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let mut live = database.advise(&[arguments, &["--record", path]].concat());
    let review = |format: &str| {
        let output = program()
            .args(["review", "-v", "--format", format, path])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let mut replayed: Value = serde_json::from_str(&review("json")).unwrap();
    // A replay measures no times and has no catalog to check for leftovers.
    for report in [&mut live, &mut replayed] {
        report["timing"] = Value::Null;
        report["rehearsal"]["left_behind"] = Value::Null;
    }
    assert_eq!(live, replayed);
    (live, ["text", "markdown"].map(review))
}

#[test]
fn text_and_markdown_say_why_and_a_recording_says_it_again() {
    let database = Database::new("unhelped_shown", &format!("{TABLES} {CORRELATED}"));
    let workload = format!(
        "{UNHELPED}; SELECT note FROM item WHERE spread < 2200; SELECT count(*) FROM item WHERE at::date = '2024-01-20';
         SELECT count(*) FROM place GROUP BY city + free"
    );
    let (live, shown) = recorded(&database, &["-c", &workload]);
    let kinds: std::collections::BTreeSet<&str> = live["remedies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|remedy| remedy["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["materialized_view", "rewrite"].into(),
        "{:#}",
        live["remedies"]
    );
    for (text, line) in shown.iter().zip([
        "no index helps: public.item is read by Index Scan",
        "- key: public.item is read by",
    ]) {
        for words in [
            line,
            "CREATE MATERIALIZED VIEW public.item",
            "at >= '2024-01-20'::date::timestamptz",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
    assert_eq!(
        recommended(&live, &["spread"]).len(),
        1,
        "{:#}",
        live["recommendations"]
    );

    // Statistics are recommended where no index replaces the plan.
    let correlated = "SELECT * FROM place WHERE city = 55 AND country = 5 ORDER BY id LIMIT 50";
    let (_, shown) = recorded(&database, &["-c", correlated, "--max-indexes", "0"]);
    let words = "CREATE STATISTICS public.place_city_country_stats";
    for text in shown {
        assert!(text.contains(words), "{text}");
    }
    let (live, _) = recorded(&database, &["-c", correlated]);
    assert_eq!(remedies(&live, "create_statistics"), [] as [&Value; 0]);
}

fn remedies<'r>(report: &'r Value, kind: &str) -> Vec<&'r Value> {
    report["remedies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|remedy| remedy["kind"] == kind)
        .collect()
}

/// A city is in one country. Each of 100 cities has 600 rows; for conditions on both columns the
/// planner expects 60.
const CORRELATED: &str = "CREATE TABLE place (id bigint PRIMARY KEY, city int NOT NULL, country int NOT NULL, free int NOT NULL, name text NOT NULL);
     INSERT INTO place SELECT n, n % 100, n % 100 / 10, n % 7, 'Name ' || n % 20 FROM generate_series(1, 60000) AS n; ANALYZE place;";

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn statistics_are_recommended_where_they_change_the_estimate_and_only_there() {
    let database = Database::new("create_statistics", CORRELATED);
    let before = database.catalog();
    let report = database.advise(&[
        "-c",
        "-- name: correlated\nSELECT * FROM place WHERE city = 55 AND country = 5 ORDER BY id LIMIT 50;
         -- name: groups\nSELECT city, country, count(*) FROM place GROUP BY city, country;
         -- name: expression\nSELECT * FROM place WHERE lower(name) = 'name 5' AND free <> 3 ORDER BY id LIMIT 200;
         -- name: both\nSELECT * FROM place WHERE city = 55 AND country = 5 AND upper(name) IN ('NAME 1', 'NAME 2', 'NAME 3', 'NAME 4',
             'NAME 5', 'NAME 6', 'NAME 7', 'NAME 8', 'NAME 9', 'NAME 10', 'NAME 11', 'NAME 12', 'NAME 13', 'NAME 14', 'NAME 15', 'NAME 16',
             'NAME 17', 'NAME 18', 'NAME 19', 'NAME 0') ORDER BY id LIMIT 5;
         -- name: unchanged\nSELECT * FROM place WHERE country = 5 AND city = 55;
         -- name: independent\nSELECT * FROM place WHERE city = 55 AND free = 3",
        "--max-indexes",
        "0",
    ]);
    let found = remedies(&report, "create_statistics");
    let sql = |remedy: &Value| remedy["statements"][0].as_str().unwrap().to_owned();
    let about = |text: &str| {
        *found
            .iter()
            .find(|remedy| sql(remedy).contains(text))
            .unwrap_or_else(|| panic!("{text}: {report:#}"))
    };
    let near = |value: &Value, wanted: f64| {
        let value = value.as_f64().unwrap();
        assert!(
            (value / wanted).max(wanted / value) < 1.5,
            "{value} is not about {wanted}"
        );
    };
    let correlated = about("(dependencies, mcv, ndistinct) ON city, country FROM public.place;");
    near(&correlated["benefits"][0]["rows_before"], 60.0);
    near(&correlated["benefits"][0]["rows_after"], 600.0);
    assert_eq!(correlated["benefits"][0]["statement"], "correlated");
    assert_eq!(correlated["evidence"], "rolled_back_transaction");
    assert!(correlated["benefits"][0]["plan_changed"].as_bool().unwrap());
    for same_plan in ["groups", "unchanged"] {
        let benefits = found
            .iter()
            .flat_map(|remedy| remedy["benefits"].as_array().unwrap());
        assert!(
            benefits
                .into_iter()
                .all(|effect| effect["statement"] != same_plan),
            "{same_plan}: {found:#?}"
        );
    }
    near(
        &about("ON (lower(name))")["benefits"][0]["rows_before"],
        300.0 * 6.0 / 7.0,
    );
    let for_both = found.iter().filter(|remedy| {
        remedy["benefits"]
            .as_array()
            .unwrap()
            .iter()
            .any(|effect| effect["statement"] == "both")
    });
    assert_eq!(for_both.count(), 1, "one is enough: {found:#?}");
    assert!(
        !found.iter().any(|remedy| sql(remedy).contains("free")),
        "nothing changes: {found:#?}"
    );
    assert!(
        remedies(&report, "analyze").is_empty(),
        "its statistics are fresh"
    );
    assert_eq!(database.catalog(), before);

    // The printed statements run and have the predicted effect; after that the report is empty.
    for statement in correlated["statements"].as_array().unwrap() {
        database.run(statement.as_str().unwrap());
    }
    let query = "-- name: q\nSELECT * FROM place WHERE city = 55 AND country = 5";
    let again = database.advise(&["-c", query, "--max-indexes", "0"]);
    near(
        &statement(&again, "q")["plan_before"]["Plan"]["Plan Rows"],
        600.0,
    );
    assert!(
        again["remedies"].as_array().unwrap().is_empty(),
        "{:#}",
        again["remedies"]
    );
}

#[test]
fn nothing_is_tried_where_nothing_may_be_built() {
    let database = Database::new("statistics_not_allowed", CORRELATED);
    let query = "SELECT * FROM place WHERE city = 55 AND country = 5 ORDER BY id LIMIT 50";
    for limits in [
        &["--rehearse", "twin"][..],
        &["--rehearse", "off"][..],
        &["--max-table-size", "8kB"][..],
    ] {
        let counted = "SELECT analyze_count, last_analyze FROM pg_stat_user_tables";
        let before = database.text(counted);
        let report = database.advise(&[&["-c", query], limits].concat());
        assert!(
            report["remedies"].as_array().unwrap().is_empty(),
            "{:#}",
            report["remedies"]
        );
        assert_eq!(database.text(counted), before);
    }
}

#[test]
fn analyze_is_recommended_where_it_changes_something() {
    let database = Database::new(
        "analyze_remedy",
        "CREATE TABLE fresh (id int PRIMARY KEY, state int NOT NULL); INSERT INTO fresh SELECT n, n % 4 FROM generate_series(1, 20000) AS n;
         CREATE TABLE changed (LIKE fresh) WITH (autovacuum_enabled = off); ANALYZE changed; INSERT INTO changed SELECT n, 1 FROM generate_series(1, 20000) AS n;
         ANALYZE fresh; ANALYZE changed; UPDATE changed SET state = 2;
         CREATE TABLE never (LIKE fresh) WITH (autovacuum_enabled = off); INSERT INTO never SELECT n, n % 4 FROM generate_series(1, 20000) AS n;",
    );
    let waited = std::time::Instant::now();
    while database
        .text("SELECT n_mod_since_analyze FROM pg_stat_user_tables WHERE relname = 'changed'")
        != "20000"
        && waited.elapsed() < std::time::Duration::from_secs(20)
    {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let workload =
        "-- name: fresh\nSELECT * FROM fresh WHERE state = 2; -- name: changed\nSELECT * FROM changed WHERE state = 2;
                    -- name: never\nSELECT * FROM never WHERE state = 2";
    let state = || {
        let counted = "SELECT relname, n_mod_since_analyze FROM pg_stat_user_tables ORDER BY 1";
        (database.catalog(), database.text(counted))
    };
    let before = state();
    for _ in 0..2 {
        let report = database.advise(&["-c", workload, "--max-indexes", "0"]);
        let found = remedies(&report, "analyze");
        let of = |remedy: &Value| {
            remedy["benefits"][0]["statement"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let found: Vec<_> = found
            .into_iter()
            .map(|remedy| {
                (
                    of(remedy),
                    remedy["statements"][0].clone(),
                    &remedy["benefits"][0],
                )
            })
            .collect();
        assert_eq!(found.len(), 2, "{:#}", report["remedies"]);
        assert_eq!(
            (found[0].0.as_str(), &found[0].1),
            ("changed", &Value::from("ANALYZE public.changed;"))
        );
        assert_eq!(
            (found[1].0.as_str(), &found[1].1),
            ("never", &Value::from("ANALYZE public.never;"))
        );
        assert_eq!(found[0].2["rows_after"], 20_000.0);
        let rows = found[1].2["rows_after"].as_f64().unwrap();
        assert!((4_500.0..5_500.0).contains(&rows), "{rows}");
        assert_eq!(state(), before, "autovacuum knows all that it knew");
    }
}

#[test]
fn an_aggregate_over_most_of_a_table_gets_a_materialized_view() {
    let database = Database::sample("view_remedy", "004-gigs-and-events", "0.5");
    let before = database.catalog();
    let workload = ["-f", "fixtures/workloads/004-gigs-and-events/workload.sql"];
    let mut sizes = Vec::new();
    for (analyze, evidence) in [(false, "planner_twin"), (true, "rolled_back_transaction")] {
        let option: &[&str] = if analyze { &["--analyze"] } else { &[] };
        let report = database.advise(&[&workload[..], option].concat());
        let found = remedies(&report, "materialized_view");
        assert_eq!(found.len(), 1, "{:#}", report["remedies"]);
        let (view, benefit) = (found[0], &found[0]["benefits"][0]);
        assert_eq!(
            (&view["evidence"], &benefit["statement"]),
            (&evidence.into(), &"gigs-orders-by-gig-and-state".into())
        );
        assert!(
            benefit["cost_after"].as_f64().unwrap() * 3.0
                < benefit["cost_before"].as_f64().unwrap(),
            "{view:#}"
        );
        sizes.push((
            view["size_bytes"].as_f64().unwrap(),
            benefit["cost_after"].as_f64().unwrap(),
            view["statements"].clone(),
        ));
        assert_eq!(report["rehearsal"]["left_behind"], 0);
    }
    assert_eq!(database.catalog(), before);
    let [(predicted, predicted_cost, _), (real, real_cost, sql)] = &sizes[..] else {
        panic!()
    };
    assert!(
        (predicted / real).max(real / predicted) < 2.0,
        "{predicted} {real}"
    );
    assert!(
        (predicted_cost / real_cost).max(real_cost / predicted_cost) < 2.0,
        "{predicted_cost} {real_cost}"
    );
    database.run(sql[0].as_str().unwrap());
    let name = "public.orders_by_gig_id_state";
    assert_eq!(
        database.text(&format!("SELECT sum(count) FROM {name}")),
        database.text("SELECT count(*) FROM orders"),
        "what is printed runs"
    );
    assert_eq!(
        database.text(&format!("SELECT pg_relation_size('{name}')")),
        real.to_string()
    );
}

/// Filling a view executes its statement: only with `--analyze`, and not if it has side effects or
/// depends on anything else.
#[test]
fn a_view_is_only_for_what_is_the_same_at_any_time() {
    let database = Database::new(
        "view_not_repeatable",
        &format!(
            "{TABLES} CREATE SEQUENCE touched; CREATE VIEW touching AS SELECT kind, nextval('touched') AS n FROM item;
             CREATE FUNCTION touch() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT nextval('touched') $$;"
        ),
    );
    let workload = "SELECT kind, max(nextval('touched')) FROM item GROUP BY kind; SELECT kind, max(n) FROM touching GROUP BY kind;
         SELECT kind, max(touch()) FROM item GROUP BY kind; SELECT kind, count(*) FROM item WHERE at < now() GROUP BY kind;
         SELECT kind, current_user, count(*) FROM item GROUP BY kind; SELECT kind, max(random()) FROM item GROUP BY kind;
         SELECT kind, count(*) FROM item WHERE note <> $1 GROUP BY kind;
         -- name: plain\nSELECT kind, avg(spread) FROM item GROUP BY kind -- at the end a comment";
    let before = database.catalog();
    for option in [&[][..], &["--analyze"][..]] {
        let report = database.advise(&[&["-c", workload], option].concat());
        let found = remedies(&report, "materialized_view");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0]["benefits"][0]["statement"], "plain");
        assert_eq!(database.text("SELECT is_called FROM touched"), "f");
    }
    assert_eq!(database.catalog(), before);
    let none = database.advise(&["-c", workload, "--rehearse", "transaction"]);
    assert!(
        remedies(&none, "materialized_view").is_empty(),
        "nothing could test it: {:#}",
        none["remedies"]
    );
}

#[test]
fn vacuum_is_recommended_where_index_only_scans_pay_for_unmarked_pages() {
    let database = Database::new(
        "vacuum_remedy",
        &format!(
            "{TABLES} ALTER TABLE item SET (autovacuum_enabled = off); CREATE INDEX item_kind_spread ON item (kind, spread);"
        ),
    );
    let before = (
        database.catalog(),
        database.text("SELECT relname, relallvisible FROM pg_class ORDER BY oid"),
    );
    let query = [
        "-c",
        "-- name: q\nSELECT spread FROM item WHERE kind = 3",
        "--max-indexes",
        "0",
    ];
    let report = database.advise(&query);
    let found = remedies(&report, "vacuum");
    assert_eq!(found.len(), 1, "{:#}", report["remedies"]);
    assert_eq!(
        (&found[0]["statements"][0], &found[0]["evidence"]),
        (&"VACUUM public.item;".into(), &"planner_twin".into())
    );
    let after = (
        database.catalog(),
        database.text("SELECT relname, relallvisible FROM pg_class ORDER BY oid"),
    );
    assert_eq!(before, after);
    database.run("VACUUM item");
    let again = database.advise(&query);
    assert_eq!(
        statement(&again, "q")["cost_before"],
        found[0]["benefits"][0]["cost_after"],
        "as predicted"
    );
    assert!(
        again["remedies"].as_array().unwrap().is_empty(),
        "{:#}",
        again["remedies"]
    );
    let none = database.advise(&[&query[..], &["--rehearse", "transaction"]].concat());
    assert!(
        none["remedies"].as_array().unwrap().is_empty(),
        "{:#}",
        none["remedies"]
    );
}

#[test]
fn a_day_of_a_timestamptz_becomes_a_range_with_the_same_result() {
    let database = Database::new("rewritten_day", TABLES);
    let query = "SELECT count(*), min(id), max(id) FROM item WHERE at::date = '2024-01-20'";
    let before = database.catalog();
    let report = database.advise(&["-c", &format!("-- name: day\n{query}")]);
    let found = remedies(&report, "rewrite");
    assert_eq!(found.len(), 1, "{report:#}");
    let (rewrite, benefit) = (found[0], &found[0]["benefits"][0]);
    let [index, rewritten] = &rewrite["statements"].as_array().unwrap()[..] else {
        panic!("{rewrite:#}")
    };
    assert!(
        index
            .as_str()
            .unwrap()
            .starts_with("CREATE INDEX CONCURRENTLY"),
        "{index}"
    );
    assert!(
        benefit["cost_after"].as_f64().unwrap() * 5.0 < benefit["cost_before"].as_f64().unwrap(),
        "{benefit:#}"
    );
    assert_eq!(
        (&rewrite["evidence"], database.catalog()),
        (&"planner_twin".into(), before)
    );
    assert_eq!(
        statement(&report, "day")["no_index_helps"]["reason"],
        "not_indexable"
    );

    database.run(index.as_str().unwrap());
    let rewritten = rewritten.as_str().unwrap().trim_end_matches(';');
    let plan = database.text(&format!("EXPLAIN {rewritten}"));
    assert!(plan.contains("item_at"), "{plan}");
    for zone in [
        "UTC",
        "America/Havana",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "America/St_Johns",
        "Pacific/Kiritimati",
    ] {
        let of = |sql: &str| database.text(&format!("SET TimeZone = '{zone}'; {sql}"));
        assert_eq!(of(query), of(rewritten), "{zone}");
    }
}

/// Only where a clock may be set back over midnight.
#[test]
fn the_condition_on_the_day_stays_beside_its_range() {
    let database = Database::new("rewritten_day_zones", TABLES);
    let day = "at::date = '2024-01-20'";
    let rewritten = |zone: &str| {
        database.run(&format!(
            "ALTER DATABASE {} SET TimeZone = '{zone}'",
            database.name
        ));
        let report = database.advise(&["-c", &format!("SELECT count(*) FROM item WHERE {day}")]);
        let found = remedies(&report, "rewrite")[0];
        let sql = found["statements"].as_array().unwrap().last().unwrap();
        let why = found["explanation"].as_str().unwrap();
        (sql.as_str().unwrap().to_owned(), why.to_owned())
    };
    let (sql, why) = rewritten("America/Havana");
    assert!(sql.contains(day) && sql.contains("hours'"), "{sql}");
    assert!(why.contains("in every time zone"), "{why}");
    let (sql, why) = rewritten("Etc/UTC");
    assert!(!sql.contains(day) && !sql.contains("hours'"), "{sql}");
    assert!(why.contains("'Etc/UTC'"), "{why}");
}

/// Around a change of offset that repeats midnight, and where a whole day was skipped.
#[test]
fn the_range_holds_where_clocks_are_strange() {
    let database = Database::new("strange_clocks", "");
    let query = |day: &str| format!("at::date = '{day}'");
    for (zone, first, days) in [
        ("America/Havana", "2023-11-03", 5),
        ("America/St_Johns", "2010-11-05", 5),
        ("Pacific/Apia", "2011-12-27", 7),
        ("America/Juneau", "1867-10-16", 5),
        ("Asia/Manila", "1844-12-29", 5),
        ("America/Sao_Paulo", "2018-11-02", 5),
        ("Atlantic/Azores", "2024-10-25", 5),
        ("Antarctica/Casey", "2012-02-20", 5),
        ("Antarctica/Vostok", "1994-01-30", 5),
        ("Pacific/Kiritimati", "1994-12-29", 5),
        ("Pacific/Kwajalein", "1969-09-28", 5),
        ("UTC", "1969-12-30", 5),
        ("Etc/GMT", "2024-02-27", 5),
    ] {
        for day in 0..days {
            let day = database.text(&format!("SELECT '{first}'::date + {day}"));
            let clock = |_: &FromTable| {
                let column = KnownColumn {
                    name: "at".to_owned(),
                    type_name: "timestamp with time zone".to_owned(),
                    not_null: true,
                    groups: None,
                    parent: None,
                };
                Some(KnownTable {
                    columns: vec![column],
                })
            };
            let sql = format!("SELECT at FROM clock WHERE {}", query(&day));
            let rewriting = bounded(&sql, &clock, Some(zone)).unwrap();
            let differ = database.text(&format!(
                "SET TimeZone = '{zone}'; CREATE TEMP TABLE clock AS SELECT generate_series('{first}'::timestamptz - interval '3 days',
                 '{first}'::timestamptz + interval '12 days', interval '10 minutes') AS at;
                 WITH asked AS (SELECT at FROM clock WHERE {}), found AS ({})
                 SELECT count(*) FROM ((TABLE asked EXCEPT TABLE found) UNION ALL (TABLE found EXCEPT TABLE asked)) AS differ",
                query(&day),
                rewriting.sql
            ));
            assert_eq!(differ, "0", "{zone} {day}: {}", rewriting.sql);
        }
    }
}

#[test]
fn not_in_becomes_an_anti_join_where_nothing_can_be_null() {
    let tables = |null: &str| {
        format!(
            "CREATE TABLE account (id int PRIMARY KEY, name text); CREATE TABLE login (account_id int {null}, at int NOT NULL);
             INSERT INTO account SELECT n, 'name ' || n FROM generate_series(1, 50000) AS n;
             INSERT INTO login SELECT n, n FROM generate_series(1, 49990) AS n; ANALYZE;"
        )
    };
    let query = "SELECT id FROM account WHERE id NOT IN (SELECT account_id FROM login WHERE at > 0) ORDER BY id";
    let run = |database: &Database| {
        database.run(&format!(
            "ALTER DATABASE {} SET work_mem = '256kB'",
            database.name
        ));
        database.advise(&["-c", &format!("-- name: q\n{query}")])
    };
    let database = Database::new("not_in", &tables("NOT NULL"));
    let report = run(&database);
    let found = remedies(&report, "rewrite");
    assert_eq!(found.len(), 1, "{:#}", report["remedies"]);
    let sql = found[0]["statements"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .as_str()
        .unwrap();
    assert!(
        sql.contains(
            "NOT EXISTS (SELECT 1 FROM login WHERE (at > 0) AND account.id = login.account_id)"
        ),
        "{sql}"
    );
    let benefit = &found[0]["benefits"][0];
    assert!(
        benefit["cost_after"].as_f64().unwrap() * 100.0 < benefit["cost_before"].as_f64().unwrap(),
        "{benefit:#}"
    );
    assert_eq!(
        database.text(sql),
        (49_991..=50_000)
            .map(|id| id.to_string())
            .collect::<Vec<_>>()
            .join("\n")
    );

    let nullable = Database::new("not_in_nullable", &tables(""));
    assert!(remedies(&run(&nullable), "rewrite").is_empty());
}

#[test]
fn no_view_keeps_what_only_some_may_see_or_what_the_clock_said() {
    let database = Database::new(
        "unkept_views",
        "CREATE TABLE item (id int PRIMARY KEY, kind int NOT NULL, amount int NOT NULL, at timestamptz NOT NULL);
         INSERT INTO item SELECT n, n % 20, n % 100, '2020-01-01'::timestamptz + n * interval '1 min' FROM generate_series(1, 60000) AS n;
         CREATE TABLE secret AS SELECT * FROM item;
         ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
         CREATE FUNCTION who() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_user::text';
         ANALYZE item, secret",
    );
    let views = |sql: &str| {
        let report = database.advise(&["--analyze", "-c", sql]);
        let remedies = report["remedies"].as_array().unwrap().clone();
        remedies
            .iter()
            .filter(|remedy| remedy["kind"] == "materialized_view")
            .count()
    };
    assert_eq!(views("SELECT kind, sum(amount) FROM item GROUP BY kind"), 1);
    for sql in [
        "SELECT kind, sum(amount) FROM secret GROUP BY kind",
        "SELECT kind, sum(amount) FROM item WHERE at < 'now' GROUP BY kind",
        "SELECT kind, sum(amount) FROM item WHERE at < timestamptz 'today 10:00' GROUP BY kind",
        "SELECT pg_backend_pid(), count(*) FROM item",
        "SELECT who(), kind, sum(amount) FROM item GROUP BY kind",
        "SELECT kind, sum(amount) FROM item TABLESAMPLE bernoulli (80) GROUP BY kind",
        "SELECT state, count(*) FROM pg_stat_activity, item GROUP BY state",
        "SELECT date_trunc('year', at)::text, count(*) FROM item GROUP BY 1",
    ] {
        assert_eq!(views(sql), 0, "{sql}");
    }
}

#[test]
fn a_comment_at_the_end_takes_no_semicolon_in() {
    let database = Database::new(
        "commented_rewrite",
        "CREATE TABLE event (id int PRIMARY KEY, at timestamptz NOT NULL, note text NOT NULL);
         INSERT INTO event SELECT n, '2020-01-01'::timestamptz + n * interval '1 min', repeat('x', 50) FROM generate_series(1, 60000) AS n;
         ANALYZE event",
    );
    let report = database.advise(&[
        "-c",
        "SELECT * FROM event WHERE at::date = '2020-01-31' -- c",
    ]);
    let remedies = report["remedies"].as_array().unwrap();
    let rewrite = remedies
        .iter()
        .find(|remedy| remedy["kind"] == "rewrite")
        .unwrap_or_else(|| panic!("{report:#}"));
    let statement = rewrite["statements"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .as_str()
        .unwrap();
    assert!(statement.ends_with("-- c\n;"), "{statement}");
}
