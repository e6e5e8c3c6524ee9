//! What the planner does with each kind of index: which index, which access path; costs only as
//! ratios.

use serde_json::Value;

use crate::live::{Database, file, recommended, rejected, statement};

fn node_types(plan: &Value) -> Vec<String> {
    let mut types = vec![plan["Node Type"].as_str().unwrap().to_owned()];
    for child in plan["Plans"].as_array().into_iter().flatten() {
        types.extend(node_types(child));
    }
    types
}

fn after(report: &Value, id: &str) -> Vec<String> {
    node_types(&statement(report, id)["plan_after"]["Plan"])
}

#[test]
fn the_document_s_questions_get_a_partial_a_composite_and_a_rehearsed_brin() {
    let database = Database::sample("table_sync", "002-table-sync", "0.5");
    let report = database.advise(&["-f", "fixtures/workloads/002-table-sync/workload.sql"]);

    let blocked = recommended(&report, &["transactions", "status = 'BLOCKED'"]);
    assert_eq!(blocked.len(), 1, "{report:#}");
    assert!(after(&report, "n26-3a-blocked-count").contains(&"Index Only Scan".to_owned()));

    assert_eq!(
        recommended(&report, &["(user_id, certified_by_user)"]).len(),
        1
    );
    let last_certified = after(&report, "n26-3b-last-certified");
    assert_eq!(last_certified, ["Limit", "Index Scan"], "the sort is gone");

    let brin = rejected(&report, &["USING brin (certified_by_user, abs(amount), "]);
    assert!(
        !brin.is_empty(),
        "the document's three-column BRIN was tried"
    );
    for candidate in brin {
        assert!(
            candidate["size_bytes"].as_u64().unwrap() > 0
                && candidate["benefits"][0]["cost_after"].is_number(),
            "{candidate:#}"
        );
    }
    assert_eq!(
        recommended(&report, &["(certified_by_user)", "abs(amount) >= "]).len(),
        1
    );

    let sum = |field: &str| -> f64 {
        [
            "n26-3a-blocked-count",
            "n26-3b-last-certified",
            "n26-3c-large-slow-yesterday",
        ]
        .map(|id| statement(&report, id)[field].as_f64().unwrap())
        .iter()
        .sum()
    };
    assert!(
        sum("cost_before") > 20.0 * sum("cost_after"),
        "{} → {}",
        sum("cost_before"),
        sum("cost_after")
    );
    assert_eq!(
        after(&report, "n26-windows").last().unwrap(),
        "Index Only Scan",
        "the window's order comes from the index"
    );
    assert_eq!(
        statement(&report, "n26-one-balance")["change"],
        "same",
        "already served by its primary key"
    );
}

#[test]
fn a_queue_gets_one_small_partial_index_and_nothing_grows_worse() {
    let database = Database::sample("job_queue", "000-job-queue", "1");
    let report = database.advise(&["-f", "fixtures/workloads/000-job-queue/workload.sql"]);
    let queue = recommended(&report, &["jobs", "priority, run_after", "WHERE", "QUEUED"]);
    assert_eq!(queue.len(), 1, "{:#}", report["recommendations"]);
    assert!(!after(&report, "jobs-fetch-runnable").contains(&"Sort".to_owned()));
    for statement in report["workload"]["statements"].as_array().unwrap() {
        assert_ne!(statement["change"], "worse", "{statement:#}");
    }
}

#[test]
fn expressions_payloads_and_anti_joins_are_answered() {
    let database = Database::sample("remote_refs", "001-remote-references", "0.2");
    let report = database.advise(&[
        "-f",
        "fixtures/workloads/001-remote-references/workload.sql",
    ]);
    assert_eq!(
        recommended(&report, &["((remote_key_payload ->> 'employ_id'::text))"]).len(),
        1
    );
    assert_eq!(
        recommended(&report, &["saved_item", "(remote_ref_id)"]).len(),
        1,
        "for the anti-join"
    );
    assert_eq!(
        recommended(&report, &["remote_ref", "(id)", "cached_entity IS NULL"]).len(),
        1,
        "an order that the primary key delivers today"
    );
    let containment = statement(&report, "refs-by-payload-containment");
    let gin = recommended(&report, &["USING gin (remote_key_payload jsonb_path_ops)"]);
    assert_eq!((&containment["change"], gin.len()), (&"better".into(), 1));
}

#[test]
fn a_partitioned_table_gets_ddl_that_runs_and_blocks_no_writer() {
    let database = Database::new(
        "partitioned",
        "CREATE TABLE measurement (id bigint NOT NULL, city text NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
         CREATE TABLE measurement_2023 PARTITION OF measurement FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
         CREATE TABLE measurement_2024 PARTITION OF measurement FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY HASH (id);
         CREATE TABLE \"Measurement 2024 0\" PARTITION OF measurement_2024 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
         CREATE TABLE measurement_2024_1 PARTITION OF measurement_2024 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
         INSERT INTO measurement SELECT n, 'city ' || n % 5000, '2023-01-01'::date + n % 700 FROM generate_series(1, 60000) AS n;
         ANALYZE measurement;",
    );
    let workload = "SELECT * FROM measurement WHERE city = 'city 17'";
    let report = database.advise(&["-c", workload]);
    let [recommendation] = recommended(&report, &["measurement_city_idx"])[..] else {
        panic!("{report:#}")
    };
    let ddl = recommendation["ddl"].as_str().unwrap();
    for statement in ddl.lines() {
        assert!(
            statement.contains("ONLY")
                || statement.contains("CONCURRENTLY")
                || statement.contains("ATTACH"),
            "{statement}"
        );
        database.run(statement);
    }
    assert_eq!(
        database.text(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'measurement_city_idx'::regclass"
        ),
        "t"
    );
    let again = database.advise(&["-c", workload]);
    assert!(
        again["recommendations"].as_array().unwrap().is_empty(),
        "{again:#}"
    );
}

#[test]
fn several_indexes_on_a_partitioned_table_can_all_be_created() {
    let database = Database::new(
        "two_partial",
        "CREATE TABLE part (id bigint NOT NULL, cust bigint NOT NULL, state text NOT NULL) PARTITION BY HASH (id);
         CREATE TABLE part_a PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
         CREATE TABLE part_b PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
         INSERT INTO part SELECT n, n % 9000, CASE n % 50 WHEN 0 THEN 'new' WHEN 1 THEN 'err' ELSE 'done' END FROM generate_series(1, 60000) AS n;
         ANALYZE part;",
    );
    let workload = "SELECT cust FROM part WHERE state = 'new' ORDER BY cust LIMIT 5; SELECT cust FROM part WHERE state = 'err' ORDER BY cust LIMIT 5";
    let report = database.advise(&["--budget", "200kB", "-c", workload]);
    assert_eq!(
        recommended(&report, &["(cust) WHERE (state ="]).len(),
        2,
        "an order above an Append is seen: {report:#}"
    );
    for recommendation in report["recommendations"].as_array().unwrap() {
        recommendation["ddl"]
            .as_str()
            .unwrap()
            .lines()
            .for_each(|statement| database.run(statement));
    }
    assert_eq!(
        database
            .text("SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 'part'::regclass"),
        "t"
    );
}

#[test]
fn what_an_expression_index_needs_for_its_plan_is_printed() {
    let database = Database::new(
        "expression_statistics",
        "CREATE TABLE item (id bigint PRIMARY KEY, v text);
         INSERT INTO item SELECT n, md5(n::text) FROM generate_series(1, 30000) AS n; ANALYZE item;",
    );
    // At most the number of rows that ANALYZE reads (300 × default_statistics_target), so that its
    // result is the same each time.
    let query = "SELECT * FROM item WHERE left(v, 2) = 'ab'";
    let report = database.advise(&["-c", query]);
    let [recommendation] = report["recommendations"].as_array().unwrap().as_slice() else {
        panic!("{report:#}")
    };
    let statements: Vec<&str> = recommendation["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect();
    assert_eq!(statements.last(), Some(&"ANALYZE public.item;"));
    statements
        .iter()
        .for_each(|statement| database.run(statement));
    let promised = report["workload"]["statements"][0]["cost_after"]
        .as_f64()
        .unwrap();
    let really = database.advise(&["-c", query])["workload"]["statements"][0]["cost_before"]
        .as_f64()
        .unwrap();
    assert!(
        (really / promised - 1.0).abs() < 0.001,
        "promised {promised}, really {really}"
    );
}

#[test]
fn printed_ddl_means_the_same_to_everybody() {
    let database = Database::new(
        "own_path",
        "CREATE SCHEMA app; CREATE FUNCTION app.norm(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN lower($1); END';
         CREATE TABLE app.item (id bigint PRIMARY KEY, v text, d date);
         INSERT INTO app.item SELECT n, 'V' || n, '2024-01-01'::date + n % 4 FROM generate_series(1, 50000) AS n; ANALYZE app.item;",
    );
    let output = database
        .program(&[
            "advise",
            "--format",
            "json",
            "-c",
            "SELECT * FROM item WHERE norm(v) = 'v7' AND d = '03/01/2024'",
        ])
        .env("PGOPTIONS", "-c search_path=app -c datestyle=SQL,DMY")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for recommendation in report["recommendations"].as_array().unwrap() {
        let ddl = recommendation["ddl"].as_str().unwrap();
        assert!(
            ddl.contains("app.norm(v)") && !ddl.contains("03/01"),
            "{ddl}"
        );
        database.run(ddl);
    }
    assert_eq!(
        report["recommendations"].as_array().unwrap().len(),
        1,
        "{report:#}"
    );
}

#[test]
fn printed_ddl_runs_and_is_then_not_recommended_again() {
    let database = Database::new(
        "odd_names",
        "CREATE SCHEMA \"My App\";
         CREATE TABLE \"My App\".\"Order\" (\"Id\" bigint PRIMARY KEY, \"group\" text, kind varchar(10), note text);
         INSERT INTO \"My App\".\"Order\" SELECT n, 'g' || n % 9000, CASE WHEN n % 200 = 0 THEN 'rare' ELSE 'usual' END, 'N' || n
         FROM generate_series(1, 50000) AS n;
         CREATE TABLE \"My App\".\"Order_group_idx\" ();
         ANALYZE;",
    );
    let workload = file(
        "-- name: by-group\nSELECT * FROM \"My App\".\"Order\" WHERE \"group\" = 'g7';
         -- name: rare\nSELECT \"Id\" FROM \"My App\".\"Order\" WHERE kind = 'rare' ORDER BY \"Id\";
         -- name: upper\nSELECT * FROM \"My App\".\"Order\" WHERE upper(note) = 'N77';",
    );
    let arguments = ["-f", workload.path().to_str().unwrap()];
    let report = database.advise(&arguments);
    assert_eq!(
        report["recommendations"].as_array().unwrap().len(),
        3,
        "{report:#}"
    );
    for recommendation in report["recommendations"].as_array().unwrap() {
        database.run(recommendation["ddl"].as_str().unwrap());
    }
    let again = database.advise(&arguments);
    assert!(
        again["recommendations"].as_array().unwrap().is_empty(),
        "{:#}",
        again["recommendations"]
    );
    assert!(
        !rejected(&again, &["(\"group\")"])
            .iter()
            .any(|candidate| candidate["reason"] != "redundant")
    );
}

#[test]
fn a_trial_on_the_server_verifies_what_no_statement_uses_together() {
    let database = Database::new(
        "built_once",
        "CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL, seller bigint NOT NULL);
         INSERT INTO orders SELECT n, n % 5003, n % 7001 FROM generate_series(1, 100000) AS n; ANALYZE orders;",
    );
    let advise = |statements: &str| {
        let report = database.advise(&["--rehearse", "transaction", "-c", statements]);
        let built_with = |index: &serde_json::Value| index["built_with"].as_array().unwrap().len();
        let indexes = report["recommendations"].as_array().unwrap();
        let evidence = |index: &serde_json::Value| index["evidence"] == "rolled_back_transaction";
        assert!(indexes.iter().all(evidence), "{report:#}");
        let again = report["rehearsal"]["built_again_to_plan"].as_u64().unwrap();
        (again, indexes.iter().map(built_with).collect::<Vec<_>>())
    };
    let apart = "SELECT * FROM orders WHERE customer = 5; SELECT * FROM orders WHERE seller = 6";
    assert_eq!(advise(apart), (0, vec![0, 0]));
    let either = "SELECT * FROM orders WHERE customer = 5 OR seller = 6";
    assert_eq!(advise(&format!("{apart}; {either}")), (2, vec![1, 1]));
}

#[test]
fn limits_are_kept_and_reported() {
    let database = Database::sample("limited", "002-table-sync", "0.1");
    let workload = ["-f", "fixtures/workloads/002-table-sync/workload.sql"];
    let reasons = |more: &[&str]| {
        let report = database.advise(&[&workload, more].concat());
        let reasons: Vec<String> = report["rejected"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["reason"].as_str().unwrap().to_owned())
            .collect();
        (
            report["recommendations"].as_array().unwrap().clone(),
            reasons,
            report["rehearsal"]["indexes_built"].as_u64().unwrap(),
        )
    };
    let (recommendations, reasons_given, _) = reasons(&["--max-indexes", "1"]);
    assert_eq!(recommendations.len(), 1);
    assert!(reasons_given.contains(&"too_many_indexes".to_owned()));

    let (recommendations, reasons_given, _) = reasons(&["--budget", "100kB"]);
    let size: u64 = recommendations
        .iter()
        .map(|r| r["size_bytes"].as_u64().unwrap())
        .sum();
    assert!(size > 0 && size <= 100 * 1024, "{size}");
    assert!(reasons_given.contains(&"over_budget".to_owned()));

    let too_large = ["--rehearse", "transaction", "--max-table-size", "100kB"];
    for (option, reason) in [
        (&too_large[..], "table_too_large"),
        (&["--rehearse", "off"], "not_rehearsed"),
    ] {
        let (recommendations, reasons_given, built) = reasons(option);
        assert!(
            reasons_given.contains(&reason.to_owned()),
            "{option:?}: {reasons_given:?}"
        );
        assert_eq!((recommendations.len(), built), (0, 0), "{option:?}");
    }
}

#[test]
fn the_same_question_gets_the_same_report() {
    let database = Database::sample("same_again", "002-table-sync", "0.05");
    let report = || {
        let mut report = database.advise(&["-f", "fixtures/workloads/002-table-sync/workload.sql"]);
        let timeless = |entry: &mut Value| {
            for field in [
                "build_ms",
                "write_block_ms",
                "longest_write_block_ms",
                "longest_wait_ms",
                "total_wait_ms",
                "total_ms",
                "server_ms",
            ] {
                if let Some(value) = entry.get_mut(field) {
                    *value = Value::Null;
                }
            }
        };
        timeless(&mut report["rehearsal"]);
        timeless(&mut report["timing"]);
        // ANALYZE draws a new sample for expressions on every run, so only the choice and its order
        // are compared.
        let ddl = |list: &str| {
            report[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["ddl"].clone())
                .collect::<Vec<_>>()
        };
        (ddl("recommendations"), ddl("rejected"))
    };
    assert_eq!(report(), report());
}

#[test]
fn with_analyze_statements_are_executed_read_only_without_and_with_the_indexes() {
    let database = Database::new(
        "analyzed",
        "CREATE TABLE item (id bigint PRIMARY KEY, owner bigint NOT NULL, name text);
         INSERT INTO item SELECT n, n % 5000, 'item ' || n FROM generate_series(1, 50000) AS n; ANALYZE item;
         CREATE SEQUENCE touched;",
    );
    let before = database.catalog();
    let workload = "-- name: read\nSELECT * FROM item WHERE owner = 5;
                    -- name: parameter\nSELECT * FROM item WHERE owner = $1;
                    -- name: write\nUPDATE item SET name = 'x' WHERE owner = 5;
                    -- name: side-effect\nSELECT nextval('touched') FROM item WHERE owner = 5";
    let report = database.advise(&["--analyze", "-c", workload]);
    let read = statement(&report, "read");
    assert!(
        read["time_before_ms"].is_number() && read["time_after_ms"].is_number(),
        "{read:#}"
    );
    assert!(
        read["blocks_before"].as_f64() > read["blocks_after"].as_f64(),
        "{read:#}"
    );
    for id in ["parameter", "write", "side-effect"] {
        assert!(statement(&report, id)["time_before_ms"].is_null(), "{id}");
    }
    assert_eq!(database.catalog(), before);
    assert_eq!(
        database.text("SELECT count(*) FROM item WHERE name = 'x'"),
        "0"
    );
    assert_eq!(database.text("SELECT is_called FROM touched"), "f");
}

#[test]
fn time_decides_where_a_limit_misleads() {
    let database = Database::new(
        "contest",
        "CREATE TABLE event (id bigint PRIMARY KEY, at timestamp NOT NULL, tags text[] NOT NULL);
         INSERT INTO event SELECT n, '2024-01-01'::timestamp + n * interval '1 s',
             CASE WHEN n BETWEEN 30000 AND 32000 THEN ARRAY['timeout'] ELSE ARRAY['fine', 'tag ' || n % 20] END FROM generate_series(1, 100000) AS n;
         ANALYZE event;",
    );
    // These rows are together, at a third of the order: an index on the order reads all rows before
    // them first, and the planner cannot know that.
    let workload =
        "-- name: oldest\nSELECT * FROM event WHERE tags @> ARRAY['timeout'] ORDER BY at LIMIT 5";
    let by_cost = database.advise(&["-c", workload]);
    assert_eq!(
        recommended(&by_cost, &["btree (at)"]).len(),
        1,
        "{by_cost:#}"
    );
    let by_time = database.advise(&["--analyze", "-c", workload]);
    assert_eq!(
        recommended(&by_time, &["USING gin (tags)"]).len(),
        1,
        "{by_time:#}"
    );
    let rejected = by_time["rejected"].as_array().unwrap();
    let slower = rejected
        .iter()
        .find(|one| one["ddl"].as_str().unwrap().contains("event (at)"));
    let slower = slower.unwrap_or_else(|| panic!("{rejected:#?}"));
    assert_eq!(slower["reason"], "slower");
    let detail = slower["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("oldest, executed, took ")
            && detail.contains(" with event_tags_gin_idx"),
        "{detail}"
    );
    let explanation = by_time["recommendations"][0]["explanation"]
        .as_str()
        .unwrap();
    assert!(explanation.contains("lower; executed, "), "{explanation}");
    assert_eq!(by_time["rehearsal"]["left_behind"], 0);
}

#[test]
fn what_cannot_be_built_is_rejected_and_spoils_nothing() {
    let database = Database::new(
        "unbuildable",
        "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b int NOT NULL);
         INSERT INTO t SELECT n, n % 1000, n % 1000 FROM generate_series(1, 60000) AS n; ANALYZE t;
         CREATE FUNCTION picky(i int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS
             $$ BEGIN IF i = 999 THEN RAISE EXCEPTION 'boom %', i; END IF; RETURN i % 7 = 0; END $$",
    );
    let report = database.advise(&[
        "-c",
        "SELECT * FROM t WHERE a = 5",
        "-c",
        "SELECT * FROM t WHERE picky(id) AND b = 5",
    ]);
    for recommendation in report["recommendations"].as_array().unwrap() {
        assert_eq!(
            recommendation["evidence"], "rolled_back_transaction",
            "{recommendation:#}"
        );
        assert!(
            !recommendation["ddl"].as_str().unwrap().contains("picky"),
            "{recommendation:#}"
        );
    }
    assert_eq!(recommended(&report, &["btree (a)"]).len(), 1, "{report:#}");
    let rejected = report["rejected"].as_array().unwrap();
    let failed = rejected
        .iter()
        .find(|one| one["ddl"].as_str().unwrap().contains("WHERE picky(id)"));
    let failed = failed.unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!(failed["reason"], "build_failed");
    assert!(
        failed["detail"].as_str().unwrap().contains("boom 999"),
        "{failed:#}"
    );
}
