//! Workloads as people have them: normalised texts, scripts of psql, logs of ORMs, rights that are
//! missing.

use serde_json::Value;

use crate::live::{Database, cluster, program, recommended, text_of};

const TABLES: &str = "CREATE TABLE parcel (id bigint PRIMARY KEY, sender bigint NOT NULL, state text NOT NULL, sent timestamptz NOT NULL, weight numeric);
     INSERT INTO parcel SELECT n, n % 4000, (ARRAY['sent', 'lost'])[1 + (n % 500 = 0)::int], timestamptz '2024-01-01' + n * interval '1 min', n % 90
     FROM generate_series(1, 40000) AS n;
     ANALYZE parcel;";

fn statements(report: &Value) -> Vec<&Value> {
    let all = report["workload"]["statements"].as_array().unwrap();
    all.iter()
        .filter(|statement| statement["value_class"].is_null())
        .collect()
}

fn statement<'r>(report: &'r Value, part: &str) -> &'r Value {
    let mut found = statements(report).into_iter();
    let found = found.find(|statement| statement["sql"].as_str().unwrap().contains(part));
    found.unwrap_or_else(|| panic!("no statement with {part}: {report:#}"))
}

/// The program with the connection of another role.
fn as_role(database: &Database, role: &str, arguments: &[&str]) -> std::process::Command {
    let conninfo = cluster().conninfo_of(&database.name);
    let conninfo = conninfo.replace("user=postgres", &format!("user={role}"));
    let mut command = program();
    command.args(arguments).arg("-d").arg(conninfo);
    command
}

fn notices(report: &Value) -> String {
    report["notices"].to_string()
}

#[test]
fn constants_that_became_parameters_get_types() {
    let database = Database::new("normalised", TABLES);
    let texts = [
        "SELECT * FROM parcel WHERE sent > now() - interval $1",
        "SELECT * FROM parcel WHERE sent BETWEEN date $1 AND date $2",
        "SELECT * FROM parcel WHERE extract($1 FROM sent) = $2",
        "SELECT * FROM parcel WHERE weight = $1 + $2",
        "SELECT p.* FROM (VALUES ($1, $2), ($3, $4)) v (i, t) JOIN parcel p ON p.id = v.i",
        "SELECT * FROM parcel WHERE id IN (SELECT * FROM generate_series($1, $2))",
        "SELECT * FROM parcel WHERE ($1 IS NULL OR state = $2) AND sender = $3",
        "SELECT * FROM parcel WHERE id IN ($1 /*, ... */) LIMIT $2",
        "SELECT date_trunc($1, sent), count(*) FROM parcel WHERE sender = $2 GROUP BY date_trunc('day', sent) ORDER BY date_trunc('day', sent)",
        "SELECT sender + $1 FROM parcel GROUP BY sender + $2",
        "WITH RECURSIVE n (i) AS (SELECT $1 UNION ALL SELECT i + $2 FROM n WHERE i < $3) SELECT * FROM n JOIN parcel ON id = i",
        "UPDATE parcel SET sent = timestamptz $1 WHERE id = $2",
    ];
    let file = texts.join(";\n");
    let report = database.advise(&["--rehearse=off", "-c", &file]);
    for found in statements(&report) {
        assert_eq!(found["status"], "planned", "{found:#}");
    }
    let interval = statement(&report, "interval $1");
    assert_eq!(
        interval["planned_as"],
        "SELECT * FROM parcel WHERE sent > now() - CAST($1 AS interval)"
    );
    let grouped = statement(&report, "date_trunc($1")["planned_as"].clone();
    assert!(
        grouped
            .as_str()
            .unwrap()
            .starts_with("SELECT date_trunc('day', sent)"),
        "{grouped}"
    );
    let missing = database.advise(&[
        "--rehearse=off",
        "-c",
        "SELECT 1; SELECT * FROM gone WHERE at > now() - interval $1",
    ]);
    let error = statements(&missing)[1]["error"].as_str().unwrap();
    assert!(
        error.contains("relation \"gone\" does not exist"),
        "{error}"
    );
}

#[test]
fn statements_of_functions_and_catalogs_in_pg_stat_statements() {
    let database = Database::new(
        "statements_within",
        &format!("CREATE EXTENSION pg_stat_statements; {TABLES}"),
    );
    database.run(
        "CREATE FUNCTION parcels_of(who bigint) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; r record; BEGIN
             SELECT count(*) INTO n FROM parcel WHERE sender = who AND state = 'lost';
             FOR r IN SELECT id FROM parcel WHERE sender = who LOOP PERFORM 1 FROM parcel p WHERE p.weight = r.id; END LOOP;
             RETURN n; END $$;
         SET pg_stat_statements.track = 'all'; SELECT parcels_of(7); SELECT relname FROM pg_class WHERE relkind = 'r'",
    );
    let report = database.advise(&["--rehearse=off", "--pg-stat-statements", "--top", "60"]);
    let counted = statement(&report, "sender = who AND state =");
    assert_eq!(counted["status"], "planned", "{counted:#}");
    let of_record = statement(&report, "p.weight = r.id");
    assert_eq!(of_record["status"], "planned", "{of_record:#}");
    let texts: Vec<&str> = statements(&report)
        .iter()
        .map(|found| found["sql"].as_str().unwrap())
        .collect();
    assert!(
        texts.iter().all(|text| !text.contains("FROM pg_class")),
        "{texts:?}"
    );
    assert!(
        notices(&report).contains("only read system catalogs"),
        "{}",
        notices(&report)
    );
    let text = database
        .program(&[
            "advise",
            "--rehearse=off",
            "--pg-stat-statements",
            "--top",
            "60",
        ])
        .output()
        .unwrap();
    assert!(
        text_of(&text).contains("sender = who AND state ="),
        "{}",
        text_of(&text)
    );
}

#[test]
fn hidden_statements_are_counted() {
    let database = Database::new(
        "hidden_statements",
        &format!("CREATE EXTENSION pg_stat_statements; {TABLES}"),
    );
    database.run(
        "DO $$ BEGIN CREATE ROLE \"Onlooker\" LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT ON parcel TO \"Onlooker\"; SELECT * FROM parcel WHERE sender = 5",
    );
    let arguments = ["advise", "--pg-stat-statements"];
    let output = as_role(&database, "Onlooker", &arguments).output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    let text = text_of(&output);
    assert!(
        text.contains("GRANT pg_read_all_stats TO \"Onlooker\""),
        "{text}"
    );
    assert!(text.contains("the workload has no statements"), "{text}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn a_script_of_psql_is_a_workload() {
    let database = Database::new(
        "psql_script",
        &format!(
            "{TABLES} CREATE SCHEMA depot; CREATE TABLE depot.shelf AS SELECT g AS id, g % 900 AS room FROM generate_series(1, 30000) g; ANALYZE depot.shelf;"
        ),
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("script.sql");
    let script = "\\set room 7\r\n\\timing on\r\nBEGIN;\r\nSET search_path TO depot, public;\r\n\
                  SELECT * FROM shelf WHERE room = :room;\r\nCOPY parcel FROM stdin;\r\n1;2\r\n\\.\r\n\
                  SELECT * FROM parcel WHERE sender = :'who' \\gset\r\n\\if :{?nothing}\r\nSELECT 1 FROM nowhere;\r\n\\endif\r\n\
                  SET search_path TO DEFAULT;\r\nCREATE TABLE news (id int);\r\nEXPLAIN (ANALYZE) SELECT * FROM parcel WHERE state = %s;\r\nCOMMIT;\r\n";
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(script.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(&path, utf16).unwrap();
    let report = database.advise(&[
        "--rehearse=twin",
        "-v",
        "who=7",
        "-f",
        path.to_str().unwrap(),
    ]);
    assert_eq!(
        recommended(&report, &["depot.shelf", "(room)"]).len(),
        1,
        "{report:#}"
    );
    assert_eq!(
        recommended(&report, &["parcel", "(sender)"]).len(),
        1,
        "{report:#}"
    );
    let found = statements(&report);
    let statuses: Vec<_> = found
        .iter()
        .map(|found| found["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        ["planned", "planned", "failed", "planned"],
        "{found:#?}"
    );
    assert_eq!(found[0]["sql"], "SELECT * FROM shelf WHERE room = 7");
    assert!(
        found[0]["place"]
            .as_str()
            .unwrap()
            .ends_with("script.sql:5"),
        "{}",
        found[0]["place"]
    );
    assert_eq!(found[1]["sql"], "SELECT * FROM parcel WHERE sender = '7'");
    assert_eq!(
        found[2]["error"],
        "this is DDL: `check --migrate` is for migrations"
    );
    assert_eq!(
        found[3]["planned_as"],
        "SELECT * FROM parcel WHERE state = $1"
    );
    let notices = notices(&report);
    assert!(
        notices.contains("\\\\timing on") && notices.contains("BEGIN, COPY, COMMIT"),
        "{notices}"
    );
}

#[test]
fn a_schema_that_the_role_may_not_use_does_not_end_the_run() {
    let database = Database::new("no_usage", TABLES);
    database.run_with_roles(
        "DO $$ BEGIN CREATE ROLE outsider LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT ON parcel TO outsider;
         CREATE SCHEMA locked; CREATE TABLE locked.t AS SELECT g AS a, g % 7 AS b FROM generate_series(1, 30000) g; ANALYZE locked.t;
         GRANT SELECT ON locked.t TO outsider",
    );
    for rehearsal in ["--rehearse=auto", "--rehearse=twin"] {
        let arguments = [
            "advise",
            "--format=json",
            rehearsal,
            "-c",
            "SELECT * FROM locked.t WHERE a = 5; SELECT * FROM parcel WHERE sender = 4",
        ];
        let output = as_role(&database, "outsider", &arguments).output().unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            statement(&report, "FROM parcel")["status"],
            "planned",
            "{report:#}"
        );
        assert!(!recommended(&report, &["parcel"]).is_empty(), "{report:#}");
    }
}

#[test]
fn our_own_statements_do_not_fill_pg_stat_statements() {
    let database = Database::new(
        "own_texts",
        &format!("CREATE EXTENSION pg_stat_statements; {TABLES}"),
    );
    database.run_with_roles(
        "DO $$ BEGIN CREATE ROLE counted LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT ON parcel TO counted; GRANT pg_read_all_stats TO counted",
    );
    let mut statements: Vec<String> = (0..40)
        .map(|number| format!("SELECT id + {number}, sender FROM parcel WHERE sender = $1"))
        .collect();
    // Refused, and then planned with types.
    statements.push("SELECT * FROM parcel WHERE sent > now() - interval $1".to_owned());
    let file = statements.join(";\n");
    let texts = |role: &str| -> usize {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
             WHERE datname = current_database() AND userid = '{role}'::regrole AND query ILIKE '%EXECUTE%pgrehearse%'"
        );
        database.text(&sql).parse().unwrap()
    };
    let arguments = ["advise", "--format=json", "--rehearse=off", "-c", &file];
    for role in ["counted", "postgres"] {
        let output = as_role(&database, role, &arguments).output().unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        for found in self::statements(&report) {
            assert_eq!(found["status"], "planned", "{found:#}");
        }
    }
    assert!(texts("counted") <= 2, "{}", texts("counted"));
    assert_eq!(texts("postgres"), 0, "superusers are not counted at all");
}

#[test]
fn what_a_role_may_not_execute_the_twin_plans() {
    let database = Database::new("read_only_role", TABLES);
    database.run_with_roles(
        "DO $$ BEGIN CREATE ROLE onlooker LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT ON parcel TO onlooker; CREATE TABLE secret AS SELECT g AS id, g % 700 AS k FROM generate_series(1, 30000) g; ANALYZE secret",
    );
    let arguments = [
        "advise",
        "--format",
        "json",
        "-c",
        "UPDATE parcel SET state = 'lost' WHERE sender = 3; SELECT * FROM parcel WHERE sender = 4 FOR UPDATE; SELECT * FROM secret WHERE k = 5; \
         SELECT * FROM parcel WHERE weight = interval $1",
    ];
    let output = as_role(&database, "onlooker", &arguments).output().unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = statements(&report);
    for planned in &found[..3] {
        assert_eq!(planned["status"], "planned", "{planned:#}");
        let reason = planned["twin_only"].as_str().unwrap();
        assert!(
            reason.contains("the role may not execute it") && reason.contains("permission denied"),
            "{reason}"
        );
    }
    assert!(
        found[3]["error"]
            .as_str()
            .unwrap()
            .contains("numeric = interval"),
        "{:#}",
        found[3]
    );
    assert_eq!(
        recommended(&report, &["parcel", "(sender)"]).len(),
        1,
        "{report:#}"
    );
}

#[test]
fn logs_of_several_databases_and_of_orms() {
    let database = Database::new("log_sources", TABLES);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.log");
    let line = |database: &str, sql: &str, detail: &str| {
        format!(
            "2024-11-20 10:00:00.000 UTC [7] app@{database} LOG:  duration: 9.000 ms  execute <unnamed>: {sql}\n{detail}"
        )
    };
    let detail = "2024-11-20 10:00:00.000 UTC [7] app@x DETAIL:  parameters: $1 = '6', $2 = NULL\n";
    let log = line(
        &database.name,
        "SELECT * FROM parcel WHERE sender = $1 AND state = $2",
        detail,
    ) + &line("elsewhere", "SELECT * FROM invoices", "");
    std::fs::write(&path, &log).unwrap();
    let path = path.to_str().unwrap();
    let report = database.advise(&["--rehearse=off", "--log", path]);
    let found = statements(&report);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        found[0]["sql"],
        "SELECT * FROM parcel WHERE sender = '6' AND state = NULL"
    );
    assert!(
        notices(&report).contains(
            "1 execution was left out because the log says that they are of the database elsewhere"
        ),
        "{}",
        notices(&report)
    );
    let output = database
        .program(&[
            "advise",
            "--rehearse=off",
            "--log",
            path,
            "--log-user",
            "somebody",
        ])
        .output()
        .unwrap();
    assert!(
        text_of(&output).contains("no statement"),
        "{}",
        text_of(&output)
    );
    let rails = directory.path().join("development.log");
    std::fs::write(
        &rails,
        "D, [2026-03-01T10:00:00.1 #7] DEBUG -- :   Parcel Load (2.4ms)  SELECT \"parcel\".* FROM \"parcel\" WHERE \"parcel\".\"sender\" = $1  [[\"sender\", 5]]\n",
    )
    .unwrap();
    let report = database.advise(&["--rehearse=twin", "--log", rails.to_str().unwrap()]);
    assert_eq!(
        recommended(&report, &["parcel", "(sender)"]).len(),
        1,
        "{report:#}"
    );
}

const CLAIMS: &str = "CREATE TABLE claim (id bigint PRIMARY KEY, branch int NOT NULL, stage text NOT NULL, filed timestamptz NOT NULL, note text);
     INSERT INTO claim SELECT n, n % 300, CASE WHEN n % 400 = 7 THEN 'disputed' WHEN n % 50 = 3 THEN 'open' ELSE 'settled' END,
         timestamptz '2024-01-01' + n * interval '1 min', md5(n::text)
     FROM generate_series(1, 60000) AS n;
     ANALYZE claim;";

/// Executes a statement with each of these values, and gives what the server logged about it.
fn logged(
    database: &Database,
    sql: &str,
    values: &[(&str, i64, usize)],
) -> tempfile::NamedTempFile {
    let mut client = database.client();
    client
        .batch_execute("SET log_min_duration_statement = 0")
        .unwrap();
    let statement = client.prepare(sql).unwrap();
    for (stage, limit, times) in values {
        for _ in 0..*times {
            client.query(&statement, &[stage, limit]).unwrap();
        }
    }
    drop(client);
    let all = std::fs::read_to_string(cluster().directory().join("server.log")).unwrap();
    let entries = all.split_inclusive('\n').collect::<Vec<_>>();
    // Other tests have the same server.
    let own = |at: &usize| entries[*at].contains(sql) && entries[*at].contains("duration:");
    let lines = (0..entries.len()).filter(|at| own(at) || (*at > 0 && own(&(at - 1))));
    crate::live::file(&lines.map(|at| entries[at]).collect::<String>())
}

#[test]
fn values_that_a_server_logged_are_the_classes_with_their_shares() {
    let database = Database::new("logged_values", CLAIMS);
    let sql = "SELECT id, filed FROM claim WHERE stage = $1 ORDER BY filed DESC LIMIT $2";
    let log = logged(
        &database,
        sql,
        &[("settled", 20, 5), ("disputed", 20, 24), ("none", 500, 11)],
    );
    let report = database.advise(&["--rehearse=twin", "--log", log.path().to_str().unwrap()]);
    let given = statements(&report);
    assert_eq!(given.len(), 1, "{given:#?}");
    let all = report["workload"]["statements"].as_array().unwrap();
    let mut classes: Vec<_> = all
        .iter()
        .filter(|one| !one["value_class"].is_null())
        .map(|one| &one["value_class"])
        .collect();
    classes.sort_by_key(|class| class["executions_seen"].as_u64());
    // The slowest execution stands for its class; which one that is, the clock decides.
    let own = given[0]["sql"].as_str().unwrap();
    let seen = [
        ("'settled'", "20", 5),
        ("'none'", "500", 11),
        ("'disputed'", "20", 24),
    ];
    let others = seen.iter().filter(|(stage, ..)| !own.contains(stage));
    let others: Vec<_> = others.collect();
    assert_eq!((others.len(), classes.len()), (2, 2), "{own} {classes:#?}");
    for ((stage, limit, executions), class) in others.into_iter().zip(classes) {
        assert_eq!(class["executions_seen"], *executions, "{class:#}");
        assert_eq!(class["executions_compared"], 40, "{class:#}");
        assert_eq!(class["share"], *executions as f64 / 40.0, "{class:#}");
        let values = class["values"].to_string();
        assert!(values.contains(stage), "{values}");
        assert!(values.contains(&format!("\"'{limit}'\"")), "{values}");
    }
    assert_eq!(
        recommended(&report, &["claim", "(stage, filed)"]).len(),
        1,
        "{report:#}"
    );
}

#[test]
fn a_parameter_that_always_had_one_value_is_a_kind() {
    let database = Database::new("logged_kind", CLAIMS);
    let sql = "SELECT id, note FROM claim WHERE stage = $1 ORDER BY id LIMIT $2";
    let advised = |times: usize| {
        let log = logged(&database, sql, &[("disputed", 10, times)]);
        let report = database.advise(&["--rehearse=twin", "--log", log.path().to_str().unwrap()]);
        recommended(&report, &["WHERE", "disputed"]).len()
    };
    assert_eq!(advised(3), 0, "the next execution may have another value");
    assert_eq!(advised(30), 1);
}
