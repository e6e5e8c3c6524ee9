//! A role that may create operators in a schema of `search_path`, before or behind `pg_catalog`,
//! gets none of them called by queries of ours: the server takes an operator whose operand types
//! fit exactly before one that needs a conversion, so `name = text` or `oid = int4` may be anybody's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[path = "common/live.rs"]
#[allow(dead_code, reason = "shared with tests of whole reports")]
mod live;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;
use std::sync::{Mutex, PoisonError};

use live::{Database, cluster, file, program, text_of};
use serde_json::Value;
use tempfile::TempDir;

/// What the catalog queries read: tables of every kind, keys, statistics, views, other access methods.
const TABLES: &str = "
CREATE TABLE app.customers (id uuid PRIMARY KEY, born date, name text);
INSERT INTO app.customers SELECT md5(n::text)::uuid, date '2000-01-01' + n % 5000, 'c' || n FROM generate_series(1, 5000) AS n;
CREATE TABLE app.orders (id bigint PRIMARY KEY, customer uuid NOT NULL REFERENCES app.customers, placed date, state text, words tsvector,
    tags text[], total numeric CHECK (total >= 0), seat serial);
INSERT INTO app.orders (id, customer, placed, state, words, tags, total)
    SELECT n, md5((n % 5000 + 1)::text)::uuid, date '2020-01-01' + n % 3000, 'open', to_tsvector('simple', 'w' || n), ARRAY['t' || n % 50], n
    FROM generate_series(1, 20000) AS n;
CREATE INDEX ON app.orders USING gin (words);
CREATE INDEX ON app.orders USING brin (placed);
CREATE INDEX ON app.orders (lower(state)) WHERE total > 100;
CREATE STATISTICS app.together ON placed, customer, (lower(state)) FROM app.orders;
CREATE TABLE app.parts (id bigint, at date, v uuid) PARTITION BY RANGE (at);
CREATE TABLE app.part_1 PARTITION OF app.parts FOR VALUES FROM ('2020-01-01') TO ('2024-01-01');
CREATE TABLE app.part_2 PARTITION OF app.parts FOR VALUES FROM ('2024-01-01') TO ('2030-01-01');
INSERT INTO app.parts SELECT n, date '2020-01-01' + n % 3000, md5(n::text)::uuid FROM generate_series(1, 20000) AS n;
CREATE VIEW app.recent AS SELECT id, placed, customer FROM app.orders WHERE placed > '2021-01-01'::date;
ANALYZE app.customers; ANALYZE app.orders; ANALYZE app.parts;
GRANT USAGE ON SCHEMA app TO public; GRANT SELECT ON ALL TABLES IN SCHEMA app TO public;";

/// Each operator runs a shell command that notes its types and the query, if its caller may. Several
/// types of `pg_catalog` have no operators with each other.
const OPERATORS: &str = r#"
SET ROLE attacker;
DO $do$
DECLARE
    numbers text[] := ARRAY['oid', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'timestamptz', 'interval'];
    texts text[] := ARRAY['text', 'name', 'varchar', 'bpchar', '"char"', 'regproc', 'regclass', 'regtype'];
    arrays text[] := ARRAY['text[]', 'name[]', 'oid[]', 'int2[]', 'int4[]', '"char"[]', 'int2vector', 'oidvector', 'anyarray'];
    others text[] := ARRAY['bool', 'regprocedure', 'regnamespace', 'regrole', 'xid', 'jsonb', 'anyelement', 'pg_lsn'];
    one record;
BEGIN
    FOR one IN
        SELECT l, r, o, CASE WHEN o IN ('+', '-', '*', '/', '%', '&') THEN l WHEN o = '||' THEN 'text' ELSE 'bool' END AS result
        FROM unnest(numbers || texts || arrays || others) AS l, unnest(numbers || texts || arrays || others) AS r,
             unnest(ARRAY['=', '<>', '<', '>', '<=', '>=', '||', '+', '-', '*', '/', '%', '&', '~', '!~', '~~', '!~~', '~*', '!~*', '&&', '@>', '<@']) AS o
        WHERE o IN ('=', '<>', '<', '>', '<=', '>=')
           OR o IN ('+', '-', '*', '/', '%', '&') AND l = ANY (numbers) AND r = ANY (numbers)
           OR o IN ('~', '!~', '~~', '!~~', '~*', '!~*') AND l = ANY (texts) AND r = ANY (texts)
           OR o = '||' AND l = ANY (texts || numbers || arrays) AND r = ANY (texts || numbers || arrays)
           OR o IN ('&&', '@>', '<@') AND l = ANY (arrays) AND r = ANY (arrays)
    LOOP
        BEGIN
            EXECUTE format($f$
                CREATE OR REPLACE FUNCTION SCHEMA.%I(l %s, r %s) RETURNS %s LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
                BEGIN
                    EXECUTE format('COPY (SELECT %%L) TO PROGRAM %%L', %L || current_user || ' ' || left(current_query(), 300),
                                   'cat >> FOLDER' || current_database() || '/proof');
                    RETURN NULL;
                END $body$ $f$, 'to_' || one.result, one.l, one.r, one.result, one.l || ' with ' || one.r || ' as ');
            EXECUTE format('CREATE OPERATOR SCHEMA.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = SCHEMA.%I)',
                           one.o, one.l, one.r, 'to_' || one.result);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $do$;
RESET ROLE;"#;

/// Their own operators are those of types that nobody made operators for.
const WORKLOAD: &str = "-- name: by_date
SELECT id FROM app.orders WHERE placed = '2021-05-05';
-- name: by_customer
SELECT o.id FROM app.orders o JOIN app.customers c ON c.id = o.customer WHERE c.born = '2003-03-03';
-- name: in_parts
SELECT id FROM app.parts WHERE v = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b';
-- name: view
SELECT * FROM app.recent WHERE customer = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b' ORDER BY placed;
-- name: groups
SELECT placed, count(*) FROM app.orders GROUP BY placed;
";

const ALL_WAYS: &[&str] = &["auto", "off", "twin", "transaction"];

/// The folder, among temporary ones, of what operators of a database do.
fn folder_of(database: &str) -> String {
    format!("pgrehearse-captured-{}-{database}", std::process::id())
}

struct Trap {
    database: Database,
    folder: TempDir,
}

impl Trap {
    /// A database whose `schema` belongs to the attacker.
    fn new(name: &str, schema: &str) -> Trap {
        let name = format!("captured_{name}");
        let folder = tempfile::Builder::new()
            .prefix(&folder_of(&name))
            .rand_bytes(0)
            .tempdir()
            .unwrap();
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let server = Database {
            name: "postgres".to_owned(),
        };
        let template = Trap::template(schema);
        server.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        server.run(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        let database = Database { name };
        Trap { database, folder }
    }

    /// Thousands of operators take a while to create: once for each schema.
    fn template(schema: &str) -> String {
        static MADE: Mutex<Vec<String>> = Mutex::new(Vec::new());
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("captured_template_{schema}");
        if !made.contains(&name) {
            Trap::make_template(&name, schema);
            made.push(name.clone());
        }
        name
    }

    fn make_template(name: &str, schema: &str) {
        let database = Database::new(name, "CREATE EXTENSION pg_stat_statements");
        let role = |name: &str, rights: &str| {
            database.run_with_roles(&format!(
                "DO $$ BEGIN CREATE ROLE {name} {rights}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            ));
        };
        role("attacker", "LOGIN");
        role("operator_dba", "SUPERUSER LOGIN");
        role("operator_reader", "LOGIN");
        database.run_with_roles(
            "GRANT pg_read_all_data, pg_execute_server_program, pg_read_all_stats TO operator_reader;
             CREATE SCHEMA app; GRANT CREATE ON SCHEMA public TO attacker; CREATE SCHEMA first; GRANT ALL ON SCHEMA first TO attacker;
             GRANT USAGE ON SCHEMA first TO public;",
        );
        database.run(TABLES);
        let folder = std::env::temp_dir().join(folder_of(""));
        let operators = OPERATORS
            .replace("SCHEMA", schema)
            .replace("FOLDER", folder.to_str().unwrap());
        database.run(&operators);
    }

    fn proof(&self) -> PathBuf {
        self.folder.path().join("proof")
    }

    /// What was called since the last time.
    fn called(&self) -> String {
        let called = std::fs::read_to_string(self.proof()).unwrap_or_default();
        let _ = std::fs::remove_file(self.proof());
        called
    }

    /// The program as this role, with this `search_path`; nothing of the attacker may be called.
    fn run(&self, role: &str, path: &str, arguments: &[&str]) -> Output {
        self.database.run(&format!(
            "ALTER ROLE {role} IN DATABASE {} SET search_path = {path}",
            self.database.name
        ));
        let conninfo = cluster().conninfo_of(&self.database.name);
        let output = program()
            .args(arguments)
            .arg("-d")
            .arg(conninfo.replace("user=postgres", &format!("user={role}")))
            .output()
            .unwrap();
        let called = self.called();
        assert_eq!(
            called,
            "",
            "{role} {path} {arguments:?}\n{}",
            text_of(&output)
        );
        output
    }

    /// Every command, in these ways of testing indexes.
    fn run_everything(&self, role: &str, path: &str, ways: &[&str]) {
        let workload = file(WORKLOAD);
        let workload = workload.path().to_str().unwrap();
        for rehearse in ways {
            let rehearse = format!("--rehearse={rehearse}");
            let advise = ["advise", "--format=json", &rehearse, "--file", workload];
            let output = self.run(role, path, &advise);
            let report = report(&output);
            let is_found = !report["recommendations"].as_array().unwrap().is_empty();
            let may_build = role == "operator_dba" || !rehearse.ends_with("transaction");
            let expected = may_build && !rehearse.ends_with("off");
            assert_eq!(is_found, expected, "{rehearse} {}", text_of(&output));
        }
        let analyze = ["advise", "--analyze", "--file", workload];
        let output = self.run(role, path, &analyze);
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
        let output = self.run(role, path, &["explain", "--file", workload]);
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
        self.database.run("SELECT pg_stat_statements_reset()");
        self.database
            .run("SELECT id FROM app.orders WHERE placed = '2021-05-05'");
        let statements = ["advise", "--rehearse=twin", "--pg-stat-statements"];
        let output = self.run(role, path, &statements);
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
        let twin_file = self.folder.path().join("twin").display().to_string();
        let snapshot = ["snapshot", "--sample", "--output", &twin_file, "--file"];
        let output = self.run(role, path, &[&snapshot[..], &[workload]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
        std::fs::remove_file(&twin_file).unwrap();
    }
}

fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", text_of(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Shows that the danger is real: an ordinary query on the catalog calls them.
#[test]
fn plain_queries_on_the_catalog_are_captured() {
    let trap = Trap::new("danger", "public");
    for (path, condition) in [
        ("pg_catalog, public", "relname = 'pg_class'::varchar"),
        ("pg_catalog, public", "oid <> 0"),
        ("pg_catalog, public", "reltuples > 0"),
        ("pg_catalog, public", "relname || 'x'::text IS NULL"),
        ("public", "relname = ANY (ARRAY['x'::varchar])"),
        ("public, pg_catalog", "relkind = 'r'::\"char\""),
        ("public, pg_catalog", "oid IN (5::oid)"),
    ] {
        let query = format!(
            "SET search_path = {path}; SELECT count(*) FROM (SELECT FROM pg_catalog.pg_class WHERE {condition} LIMIT 1) AS found"
        );
        trap.database.run(&query);
        assert_ne!(trap.called(), "", "{path} {condition}");
    }
}

#[test]
fn operators_behind_the_catalog_are_not_called() {
    let trap = Trap::new("behind", "public");
    trap.run_everything("operator_dba", "pg_catalog, public, app", ALL_WAYS);
    trap.run_everything("operator_reader", "\"$user\", public", &["auto"]);
}

#[test]
fn operators_before_the_catalog_are_not_called() {
    let trap = Trap::new("before", "first");
    let path = "first, pg_catalog, public";
    trap.run_everything("operator_dba", path, ALL_WAYS);
    trap.run_everything("operator_reader", path, &["auto"]);
}

/// Where a statement means somebody's operator, only that statement can be lost.
#[test]
fn a_statement_that_means_such_an_operator_costs_no_other_one() {
    let trap = Trap::new("statement", "first");
    let workload = file(
        "-- name: theirs
SELECT id FROM app.orders WHERE state = 'none' AND id < 5;
-- name: other
SELECT id FROM app.orders WHERE placed = '2021-05-05';
",
    );
    for rehearse in ["auto", "twin"] {
        let rehearse = format!("--rehearse={rehearse}");
        let advise = [
            "advise",
            "--format=json",
            &rehearse,
            "--file",
            workload.path().to_str().unwrap(),
        ];
        let output = trap.run("operator_dba", "first, pg_catalog", &advise);
        let report = report(&output);
        let recommended = live::recommended(&report, &["placed"]);
        assert_eq!(recommended.len(), 1, "{}", text_of(&output));
    }
}
