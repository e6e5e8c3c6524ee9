//! A role that may only create objects on the server runs nothing on the machine of whoever asks
//! for advice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

#[path = "common/live.rs"]
#[allow(dead_code, reason = "not every helper is needed here")]
mod live;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use live::{Database, cluster, program, text_of};
use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Access, Binaries, Cluster, ClusterOptions};
use pgrehearse::internals::db::conninfo::{Environment, OsFiles, Settings, Typed, resolve};
use pgrehearse::internals::db::{Interrupt, Safety, Scope, Session, SessionOptions, Twin};
use pgrehearse::internals::index::{NamedIndex, parse_index};
use pgrehearse::internals::planner::{PlanOutcome, Planner, Question, Target};
use pgrehearse::internals::workload::{Workload, file};
use tempfile::TempDir;

/// Everything that a role can attach a function to. `app.f` runs a shell command if its caller may.
const OBJECTS: &str = "
CREATE TABLE public.orders (id bigint PRIMARY KEY, customer_id bigint, state text);
INSERT INTO public.orders SELECT n, n % 1000, 'open' FROM generate_series(1, 20000) AS n;
DO $$ BEGIN CREATE ROLE lowly LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE dba LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT pg_read_all_data TO dba;
CREATE SCHEMA app AUTHORIZATION lowly;
GRANT USAGE ON SCHEMA app TO public;
SET ROLE lowly;
CREATE FUNCTION app.g() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch PROOF'''; RETURN 1; END $$;
CREATE FUNCTION app.f(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN PERFORM app.g(); RETURN i; EXCEPTION WHEN OTHERS THEN RETURN i; END $$;
CREATE FUNCTION app.owned(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS $$
    BEGIN PERFORM app.g(); RETURN i; EXCEPTION WHEN OTHERS THEN RETURN i; END $$;
CREATE FUNCTION app.inlined(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT app.f(i)';
CREATE FUNCTION app.same(a int, b int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN app.f(a) = app.f(b); END $$;
CREATE OPERATOR app.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = app.same);
CREATE FUNCTION app.fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM app.f(1); RETURN NEW; END $$;
CREATE DOMAIN app.checked AS int CHECK (app.f(VALUE) = VALUE);
CREATE TABLE app.orders (id int, v text);
INSERT INTO app.orders SELECT n, 'v' FROM generate_series(1, 2000) AS n;
CREATE INDEX ON app.orders (app.f(id));
CREATE TABLE app.t2 (id int DEFAULT app.f(3), v text, c app.checked, d int GENERATED ALWAYS AS (app.f(id)) STORED, CHECK (app.f(id) = id));
INSERT INTO app.t2 SELECT n, 'v' || n, n FROM generate_series(1, 20000) AS n;
CREATE INDEX ON app.t2 (app.f(id));
CREATE INDEX ON app.t2 (c);
CREATE INDEX ON app.t2 (id) WHERE app.f(1) = 1 AND app.f(id) > 5;
CREATE STATISTICS app.s ON (app.f(id)), v FROM app.t2;
CREATE TRIGGER fire BEFORE INSERT ON app.t2 FOR EACH ROW EXECUTE FUNCTION app.fire();
CREATE RULE also AS ON INSERT TO app.t2 DO ALSO SELECT app.f(1);
CREATE VIEW app.w AS SELECT id, v, app.f(7) AS seven FROM app.t2 WHERE app.f(1) = 1;
ALTER TABLE app.t2 ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON app.t2 USING (app.f(1) = 1);
CREATE TABLE app.parts (id int, v text) PARTITION BY RANGE (app.f(id));
CREATE TABLE app.part_1 PARTITION OF app.parts FOR VALUES FROM (0) TO (1000000);
INSERT INTO app.parts SELECT n, 'v' || n FROM generate_series(1, 5000) AS n;
GRANT SELECT ON ALL TABLES IN SCHEMA app TO dba;
RESET ROLE;
ALTER ROLE dba BYPASSRLS;
ANALYZE public.orders; ANALYZE app.orders; ANALYZE app.t2; ANALYZE app.parts;
";

/// Statements on these objects, and one that names only the victim's table.
const STATEMENTS: &[&str] = &[
    "SELECT count(*) FROM public.orders WHERE customer_id = 5",
    "SELECT count(*) FROM orders WHERE state = 'none'",
    "SELECT v FROM app.t2 WHERE id = app.f(5)",
    "SELECT v FROM app.t2 WHERE id = app.owned(5)",
    "SELECT v FROM app.t2 WHERE v = 'v5' AND app.f(id) = app.inlined(7)",
    "SELECT v FROM app.t2 WHERE id OPERATOR(app.===) 4 AND 4 OPERATOR(app.===) 4",
    "SELECT v FROM app.t2 WHERE c = 5::app.checked",
    "SELECT * FROM app.w WHERE v = 'v9'",
    "SELECT v FROM app.orders WHERE app.f(id) = 12",
    "SELECT v FROM app.parts WHERE v = 'v77' AND app.f(id) = 77",
];

struct Stage {
    database: Database,
    folder: TempDir,
}

impl Stage {
    fn new(name: &str) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let proof = folder.path().join("proof");
        let script = OBJECTS.replace("PROOF", proof.to_str().unwrap());
        let stage = Stage {
            database: Database::new(name, ""),
            folder,
        };
        stage.database.run_with_roles(&script);
        // ANALYZE and index builds on the server run as the table's owner.
        stage.assert_harmless("the server itself");
        // What a superuser calls does run.
        stage.database.text("SELECT app.f(1)");
        assert!(proof.exists(), "the function does not do what it is for");
        std::fs::remove_file(proof).unwrap();
        stage
    }

    fn assert_harmless(&self, what: &str) {
        let proof = self.folder.path().join("proof");
        assert!(!proof.exists(), "{what}: a shell command was run");
    }

    /// The program as a role that may read everything, and no more.
    fn run(&self, arguments: &[&str]) {
        let conninfo = cluster()
            .conninfo_of(&self.database.name)
            .replace("user=postgres", "user=dba");
        let mut command = program();
        command.args(arguments).arg("-d").arg(conninfo);
        self.check(command, arguments);
    }

    fn check(&self, mut command: Command, arguments: &[&str]) {
        let output = command.output().unwrap();
        self.assert_harmless(&format!("{arguments:?}"));
        assert!(output.status.success(), "{}", text_of(&output));
    }
}

#[test]
fn nothing_of_a_hostile_role_runs_with_rights() {
    let stage = Stage::new("hostile_role");
    for statement in STATEMENTS {
        stage.run(&["advise", "--rehearse=twin", "-c", statement]);
    }
}

/// EXECUTE checks the domain of a parameter, also of a NULL, with the rights of whoever executes it.
#[test]
fn a_parameter_of_a_domain_is_not_checked_with_rights() {
    let stage = Stage::new("hostile_domain");
    stage.database.run(
        "SET ROLE lowly; CREATE DOMAIN app.narrow AS app.checked;
         CREATE TABLE app.plain (id int, c app.narrow);
         INSERT INTO app.plain SELECT n, n FROM generate_series(1, 20000) AS n; ANALYZE app.plain",
    );
    let statements = [
        "SELECT id FROM app.plain WHERE c = $1::app.narrow AND id > $2",
        "UPDATE app.plain SET c = $1 WHERE id = $2",
        "SELECT id FROM app.plain WHERE c = $1",
    ];
    let asked: Vec<&str> = statements.iter().flat_map(|sql| ["-c", sql]).collect();
    for mode in ["--rehearse=off", "--rehearse=twin"] {
        let report = stage.database.advise(&[&[mode], asked.as_slice()].concat());
        stage.assert_harmless(mode);
        for statement in report["workload"]["statements"].as_array().unwrap() {
            assert_eq!(statement["status"], "planned", "{statement:#}");
        }
    }
}

/// The file is made by a superuser, and used without a server.
#[test]
fn nothing_of_a_hostile_role_runs_from_a_twin_file() {
    let stage = Stage::new("hostile_file");
    let twin = stage.folder.path().join("file.twin");
    let twin = twin.to_str().unwrap();
    let statements: Vec<&str> = STATEMENTS.iter().flat_map(|sql| ["-c", sql]).collect();
    stage.run(
        &[
            &["snapshot", "--sample", "--all-tables", "-o", twin],
            statements.as_slice(),
        ]
        .concat(),
    );
    let arguments = [&["advise", "--snapshot", twin], statements.as_slice()].concat();
    let mut command = program();
    command.args(&arguments);
    stage.check(command, &arguments);
}

/// Each element is tried by `app.attack`, which returns those that succeeded.
const ATTACK: &str = r#"
CREATE SCHEMA app;
CREATE FUNCTION app.attack() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $attack$
DECLARE
    super text := (SELECT min(rolname) FROM pg_roles WHERE rolsuper);
    directory text := '/tmp';
    attempt text;
    done text := '';
BEGIN
    FOREACH attempt IN ARRAY ARRAY[
        'COPY (SELECT 1) TO PROGRAM ''true''',
        'COPY (SELECT 1) TO ''/tmp/pgrehearse-proof''',
        'CREATE TEMP TABLE passwd (l text); COPY passwd FROM ''/etc/passwd''',
        'SELECT pg_read_file(''/etc/passwd'')',
        'SELECT pg_read_file(''postgresql.auto.conf'')',
        'SELECT pg_read_binary_file(''PG_VERSION'')',
        'SELECT pg_ls_dir(''.'')',
        'SELECT pg_stat_file(''PG_VERSION'')',
        'SELECT lo_import(''/etc/passwd'')',
        'SELECT lo_export(lo_create(0), ''/tmp/pgrehearse-proof'')',
        'SELECT app.renamed_import(''/etc/passwd'')',
        'ALTER SYSTEM SET work_mem = ''1MB''',
        'SELECT rolpassword FROM pg_authid',
        'SELECT * FROM pg_hba_file_rules',
        'SELECT 1 / length(current_setting(''unix_socket_directories''))',
        'UPDATE pg_proc SET prosecdef = true',
        'UPDATE pg_index SET indisvalid = false',
        'DELETE FROM pg_statistic',
        'CREATE ROLE other SUPERUSER',
        'ALTER ROLE CURRENT_USER SUPERUSER',
        'GRANT pg_execute_server_program TO CURRENT_USER',
        'GRANT pg_read_server_files TO CURRENT_USER',
        'CREATE FUNCTION app.c() RETURNS int LANGUAGE c AS ''/tmp/x.so'', ''f''',
        'CREATE FUNCTION app.i(text) RETURNS oid LANGUAGE internal AS ''be_lo_import''',
        'CREATE EXTENSION pageinspect SCHEMA app',
        'LOAD ''/tmp/x.so''',
        'SET session_preload_libraries = ''x''',
        'SET session_replication_role = replica',
        'SET allow_system_table_mods = on',
        'CREATE TABLESPACE t LOCATION ''/tmp''',
        'SELECT pg_reload_conf()',
        'SELECT 1 / count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = ' || quote_literal(super) ||
            ' AND pg_terminate_backend(pid)',
        'SET ROLE ' || quote_ident(super),
        'SET SESSION AUTHORIZATION ' || quote_ident(super),
        'RESET SESSION AUTHORIZATION; SELECT 1 / (current_setting(''is_superuser'') = ''on'')::int',
        'RESET ROLE; SELECT 1 / (current_setting(''is_superuser'') = ''on'')::int',
        'SELECT app.dblink_connect(' || quote_literal('host=' || directory || ' dbname=postgres user=' || super) || ')',
        'SELECT app.dblink_connect(' || quote_literal('host=' || directory || ' dbname=postgres user=' || super || ' password=x') || ')',
        'SELECT app.dblink_connect_u(' || quote_literal('host=' || directory || ' dbname=postgres user=' || super) || ')',
        'SELECT app.dblink_connect_u(' || quote_literal('host=' || directory || ' dbname=postgres') || ')'
    ] LOOP
        BEGIN
            EXECUTE attempt;
            done := done || ' [' || attempt || ']';
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
    RETURN 'ran as ' || session_user || ' superuser ' || current_setting('is_superuser') || ' did:' || done || '.';
END $attack$;
CREATE FUNCTION app.renamed_import(text) RETURNS oid LANGUAGE internal AS 'be_lo_import';
CREATE TABLE app.t (id int, v text);
INSERT INTO app.t SELECT n, 'v' || n FROM generate_series(1, 10000) AS n;
ANALYZE app.t;
"#;

fn connection(conninfo: &str) -> (Settings, SessionOptions) {
    let typed = Typed {
        dbname: Some(conninfo.to_owned()),
        ..Typed::default()
    };
    let no_variables: [(&str, &str); 0] = [];
    let settings = resolve(&typed, &Environment::new(no_variables, None), &OsFiles).unwrap();
    let options = SessionOptions {
        safety: Safety::default(),
        interrupt: Interrupt::never(),
        trace: None,
    };
    (settings, options)
}

fn twin_of(database: &Database) -> Twin {
    let no_prompt = |_: &str| Ok(String::new());
    let (settings, options) = connection(&cluster().conninfo_of(&database.name));
    let server = Session::connect(&settings, &no_prompt, options).unwrap();
    let snapshot = server.snapshot(&Scope::Everything).unwrap();
    let options = ClusterOptions {
        without_checksums: true,
        access: Access::Password,
        ..ClusterOptions::default()
    };
    let binaries = Binaries::find(WhenMissing::Explain).unwrap();
    let copy = Cluster::start(&binaries, &options, &|| false).unwrap();
    let (settings, options) = connection(&copy.conninfo());
    let admin = Session::connect_to_own(&settings, &no_prompt, options).unwrap();
    Twin::load(&snapshot, copy, admin).unwrap()
}

/// The plan of a statement, as text, with and without a candidate.
fn plans(twin: &mut Twin, sql: &str) -> [String; 2] {
    let mut workload = Workload::default();
    file::read("workload.sql", sql, &mut workload).unwrap();
    let plain = Question::plans(Target::Twin, workload.statements());
    let index = NamedIndex {
        name: "candidate".to_owned(),
        definition: parse_index("CREATE INDEX i ON app.t (v)").unwrap(),
    };
    let with_index = Question {
        indexes: vec![index],
        ..plain.clone()
    };
    [plain, with_index].map(|question| {
        let plans = twin.ask(&question).unwrap().into_plans();
        let outcomes: Vec<&PlanOutcome> = plans.values().collect();
        format!("{outcomes:?}")
    })
}

/// What the planner evaluates runs, in the twin, as the role that plans, which can do nothing.
#[test]
fn a_function_that_the_twin_evaluates_has_no_rights() {
    let database = Database::new("hostile_folded", ATTACK);
    let has_dblink = database
        .client()
        .batch_execute("CREATE EXTENSION dblink SCHEMA app")
        .is_ok();
    eprintln!("dblink: {has_dblink}");
    let mut twin = twin_of(&database);
    for plan in plans(&mut twin, "SELECT * FROM app.t WHERE v = app.attack()") {
        assert!(
            plan.contains("ran as postgres superuser off did:."),
            "{plan}"
        );
    }
    // It planned as usual all the same.
    let [before, after] = plans(&mut twin, "SELECT * FROM app.t WHERE v = 'v7'");
    assert!(
        !before.contains("Index") && after.contains("candidate"),
        "{after}"
    );
}

/// Without the password nobody is let in, not even the user that the server runs as.
#[test]
fn nobody_enters_a_twin_without_its_password() {
    let options = ClusterOptions {
        access: Access::Password,
        ..ClusterOptions::default()
    };
    let binaries = Binaries::find(WhenMissing::Explain).unwrap();
    let copy = Cluster::start(&binaries, &options, &|| false).unwrap();
    let conninfo = copy.conninfo();
    assert!(postgres::Client::connect(&conninfo, postgres::NoTls).is_ok());
    let (without, _) = conninfo.split_once(" password=").unwrap();
    for password in ["", " password=postgres"] {
        let refused = postgres::Client::connect(
            &format!("{without}{password} dbname=postgres"),
            postgres::NoTls,
        );
        assert!(refused.is_err());
    }
    assert!(!copy.directory().join("password").exists());
}

fn start(access: Access) -> Cluster {
    let options = ClusterOptions {
        access,
        ..ClusterOptions::default()
    };
    let binaries = Binaries::find(WhenMissing::Explain).unwrap();
    Cluster::start(&binaries, &options, &|| false).unwrap()
}

/// Whether the superuser of a server can write a file beside its directory, read one there, and
/// reach a port of this machine.
fn reached(copy: &Cluster) -> [bool; 3] {
    // TMPDIR may be in /dev/shm, and a server may read /dev.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let secret = secret.to_str().unwrap();
    let proof = folder.path().join("proof");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut client = postgres::Client::connect(&copy.conninfo(), postgres::NoTls).unwrap();
    let mut run = |program: &str| {
        let sql = format!("COPY (SELECT 1) TO PROGRAM '{program}'");
        client.batch_execute(&sql).is_ok()
    };
    assert!(run("cat >/dev/null"), "the superuser may run programs");
    run(&format!("touch {}", proof.display()));
    let read = run(&format!("cat {secret} >/dev/null"));
    run(&format!("cat; bash -c \": </dev/tcp/127.0.0.1/{port}\""));
    [proof.exists(), read, listener.accept().is_ok()]
}

/// The operating system is the second line: behind it even the superuser stays inside.
#[test]
fn the_processes_of_a_twin_are_confined() {
    assert_eq!(
        reached(&start(Access::Trust)),
        [true; 3],
        "the test reaches nothing"
    );
    let confined = start(Access::Password);
    let confinement = confined.confinement();
    let [written, read, connected] = reached(&confined);
    let escaped = (
        confinement.files && (written || read),
        confinement.network && connected,
    );
    assert_eq!(
        escaped,
        (false, false),
        "{confinement:?} {written} {read} {connected}"
    );
    eprintln!("{confinement:?}");
    let directory = confined.directory().to_owned();
    drop(confined);
    assert!(!directory.exists());
}
