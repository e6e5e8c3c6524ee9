//! The interactive interface in a real terminal (tmux), against a throwaway server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a test may stop at the first surprise; it uses only part of the tools it shares"
)]

#[path = "common/live.rs"]
mod live;

#[path = "tui/outage.rs"]
mod outage;
#[path = "tui/panics.rs"]
mod panics;
#[path = "tui/tmux.rs"]
mod tmux;

use std::path::Path;
use std::time::{Duration, Instant};

use live::Database;
use tmux::{PATIENCE, Tmux};

const RECORDING: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/fixtures/recordings/002-table-sync.json"
);

/// 20 000 rows at 10 ms each: a build that would take too long for a test.
const SLOW_TABLE: &str = "CREATE TABLE job (id bigint PRIMARY KEY, note text);
     INSERT INTO job SELECT n, 'note ' || n FROM generate_series(1, 20000) AS n;
     CREATE FUNCTION slow(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN x; END $$;
     ANALYZE job;";

const BUILDING: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgrehearse' AND datname = current_database() \
                        AND state = 'active' AND query LIKE 'CREATE INDEX%'";
/// Counts every CREATE INDEX of the database, also one that is rolled back: a sequence is not.
const COUNTING: &str = "CREATE SEQUENCE started;
     CREATE FUNCTION count_start() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('public.started'); END $$;
     CREATE EVENT TRIGGER counting ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION count_start();";
/// The number of those, from 0.
const STARTED: &str = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.started";
const OURS: &str = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgrehearse' AND datname = current_database()";

fn target(database: &Database) -> String {
    format!(
        "-d '{}'",
        live::cluster()
            .conninfo_of(&database.name)
            .replace('\'', r"'\''")
    )
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn from_the_worst_statement_to_the_ddl() {
    let database = Database::sample("tui_sync", "002-table-sync", "0.1");
    database.run(COUNTING);
    let before = database.catalog();
    let workload = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/workloads/002-table-sync/workload.sql"
    );
    let tmux = Tmux::start(
        "sync",
        "100x30",
        &format!("{} -f {workload}", target(&database)),
    );
    tmux.wait_for("The search has ended");
    tmux.wait_for("the workload's cost falls");
    assert_eq!(database.text(STARTED), "0", "a session only reads until R");
    tmux.keys(&["Enter"]);
    tmux.wait_for("plan · ");
    tmux.keys(&["c", "b"]);
    tmux.wait_for("RECOMMENDED SET");
    tmux.keys(&["4"]);
    tmux.wait_for("Predicted: planned with in the planner twin");
    tmux.keys(&["Space"]);
    tmux.wait_for("Predicted: planned with in the planner twin");
    tmux.keys(&["R"]);
    tmux.wait_for("Build on the server?");
    tmux.wait_for("public.transactions (");
    tmux.keys(&["y"]);
    tmux.wait_for("Built together, planned and rolled back");
    tmux.wait_for("Verified: ");
    assert_ne!(database.text(STARTED), "0", "what is counted is counted");
    let started = database.text(STARTED);
    tmux.keys(&["a", "w", "C-u"]);
    tmux.text("mine.sql");
    tmux.keys(&["Enter"]);
    tmux.wait_for("Written to mine.sql");
    tmux.keys(&["n"]);
    tmux.text("create index mine on transactions (status, created)");
    tmux.keys(&["Enter"]);
    tmux.wait_for("YOUR INDEX");
    assert_eq!(database.text(STARTED), started, "the twin tests it");
    tmux.keys(&["q"]);
    tmux.wait_for("Your own indexes and statements are written nowhere");
    tmux.keys(&["y"]);
    tmux.wait_for("EXIT 0");

    assert_eq!(
        database.catalog(),
        before,
        "nothing of all that was rehearsed is left"
    );
    let ddl = std::fs::read_to_string(tmux.directory().join("mine.sql")).unwrap();
    assert!(ddl.lines().count() >= 2, "{ddl}");
    database.run("DROP EVENT TRIGGER counting");
    ddl.lines().for_each(|statement| database.run(statement));
}

/// A table that is written to, and a statement that an index helps.
const WRITTEN_TABLE: &str = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);
     INSERT INTO t SELECT n, n % 1000, n % 77 FROM generate_series(1, 20000) AS n; ANALYZE t;";

/// The interface on that table, once the search has ended.
fn searched(name: &str, database: &Database) -> Tmux {
    // What a session wrote is in the counters soon after its end.
    wait_until("the counters", || {
        database.text("SELECT n_tup_ins FROM pg_stat_user_tables") == "20000"
    });
    let statement = "-c 'SELECT * FROM t WHERE a = 5'";
    let tmux = Tmux::start(name, "100x30", &format!("{} {statement}", target(database)));
    tmux.wait_for("The search has ended");
    tmux
}

#[test]
fn nothing_is_built_that_was_declined_and_own_indexes_need_no_build() {
    let database = Database::new("tui_declined", WRITTEN_TABLE);
    let tmux = searched("declined", &database);
    tmux.keys(&["4"]);
    tmux.wait_for("tested in the planner twin, not built");
    tmux.keys(&["R"]);
    tmux.wait_for("building 1 index on public.t (1) for about");
    tmux.keys(&["n"]);
    tmux.wait_for("✗ not built: the builds were declined");
    tmux.keys(&["n"]);
    tmux.text("t (b)");
    tmux.keys(&["Enter"]);
    tmux.wait_for("YOUR INDEX");
    tmux.keys(&["4", "R"]);
    tmux.wait_for("Build on the server?");
    tmux.keys(&["y"]);
    tmux.wait_for("Built together, planned and rolled back");
    tmux.keys(&["x", "n"]);
    tmux.text("t (b, id)");
    tmux.keys(&["Enter"]);
    tmux.wait_for("t_b_id_idx: no statement gains enough from it");
    tmux.keys(&["C-c", "C-c"]);
    tmux.wait_for("EXIT 0");
}

#[test]
fn a_role_that_owns_nothing_tests_an_index_of_its_own() {
    let database = Database::new(
        "tui_reader",
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);
         INSERT INTO t SELECT n, n % 1000, n % 77 FROM generate_series(1, 20000) AS n; ANALYZE t;",
    );
    database.run_with_roles(
        "DO $$ BEGIN CREATE ROLE tui_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT ON t TO tui_reader;",
    );
    let conninfo = live::cluster().conninfo_of(&database.name);
    let reader = conninfo.replace("user=postgres", "user=tui_reader");
    let statement = "-c 'SELECT * FROM t WHERE a = 5 AND b = 3'";
    let tmux = Tmux::start("reader", "100x30", &format!("-d '{reader}' {statement}"));
    tmux.wait_for("The search has ended");
    tmux.keys(&["n"]);
    tmux.text("CREATE INDEX of_my_own ON t (b, id)");
    tmux.keys(&["Enter"]);
    tmux.wait_for("YOUR INDEX");
    tmux.keys(&["4", "R"]);
    tmux.wait_for("You do not own t: connect as the owner");
    assert!(!tmux.screen().contains("Build on the server?"));
    tmux.keys(&["C-c", "C-c"]);
    tmux.wait_for("EXIT 0");
}

#[test]
fn ctrl_c_ends_the_question_of_the_interface_and_the_program() {
    let database = Database::new("tui_question", WRITTEN_TABLE);
    let tmux = searched("question", &database);
    tmux.keys(&["R"]);
    tmux.wait_for("Build on the server?");
    tmux.keys(&["C-c"]);
    tmux.wait_for("EXIT 0");
    tmux.assert_given_back("Ctrl-C");
    wait_until("the end of the session", || database.text(OURS).is_empty());
}

/// `advise` on that table in a terminal, while it asks whether it may build.
fn advise_asking(name: &str, database: &Database) -> Tmux {
    wait_until("the counters", || {
        database.text("SELECT n_tup_ins FROM pg_stat_user_tables") == "20000"
    });
    let arguments = format!(
        "advise {} --format json --output advice.json -c 'SELECT * FROM t WHERE a = 5'",
        target(database)
    );
    let tmux = Tmux::start(name, "200x30", &arguments);
    tmux.wait_for("pgrehearse: building 1 index on public.t (1) for about");
    tmux.wait_for("build them? [y/N]");
    tmux
}

/// The number of indexes that `advise` built.
fn indexes_built(tmux: &Tmux) -> u64 {
    report(tmux)["rehearsal"]["indexes_built"].as_u64().unwrap()
}

fn report(tmux: &Tmux) -> serde_json::Value {
    let report = std::fs::read_to_string(tmux.directory().join("advice.json")).unwrap();
    serde_json::from_str(&report).unwrap()
}

#[test]
fn advise_builds_what_was_agreed_to() {
    let database = Database::new("advise_agreed", WRITTEN_TABLE);
    let tmux = advise_asking("agreed", &database);
    tmux.text("y");
    tmux.keys(&["Enter"]);
    tmux.wait_for("EXIT 0");
    assert_eq!(indexes_built(&tmux), 1);
}

#[test]
fn advise_builds_nothing_that_was_declined_or_interrupted() {
    let database = Database::new("advise_declined", WRITTEN_TABLE);
    let tmux = advise_asking("no", &database);
    tmux.text("n");
    tmux.keys(&["Enter"]);
    tmux.wait_for("EXIT 0");
    assert_eq!(indexes_built(&tmux), 0);

    let tmux = advise_asking("interrupt", &database);
    tmux.keys(&["C-c"]);
    tmux.wait_for("EXIT 130");
    tmux.assert_given_back("Ctrl-C");
    // What the twin had found until then is reported.
    assert_eq!(indexes_built(&tmux), 0);
    assert_eq!(report(&tmux)["rehearsal"]["interrupted"], true);
}

#[test]
fn a_cancelled_build_ends_on_the_server_at_once() {
    let database = Database::new("tui_cancel", SLOW_TABLE);
    let before = database.catalog();
    let limits = "--yes --rehearse transaction --statement-timeout 10min --max-write-block 10min -c 'SELECT * FROM job WHERE slow(id) = 5'";
    let tmux = Tmux::start(
        "cancel",
        "80x24",
        &format!("{} {limits}", target(&database)),
    );
    wait_until("the build", || database.text(BUILDING) == "1");
    tmux.wait_for("testing candidates");
    tmux.keys(&["Escape"]);
    tmux.wait_for("Stop?");
    tmux.keys(&["y"]);
    tmux.wait_for("Stopped; r goes on");
    wait_until("the end of the build", || database.text(BUILDING) == "0");
    assert_eq!(database.catalog(), before);
    let mut client = database.client();
    client
        .batch_execute(
            "SET lock_timeout = '1s'; UPDATE job SET note = 'writers go on' WHERE id = 1",
        )
        .unwrap();

    tmux.keys(&["r"]);
    wait_until("the second build", || database.text(BUILDING) == "1");
    tmux.keys(&["C-c", "C-c"]);
    tmux.wait_for("EXIT 0");
    wait_until("the end of the session", || database.text(OURS).is_empty());
}

#[test]
fn ctrl_z_in_the_middle_of_a_build_leaves_no_lock_behind() {
    let database = Database::new("tui_suspend", SLOW_TABLE);
    let limits = "--yes --rehearse transaction --statement-timeout 10min --max-write-block 10min -c 'SELECT * FROM job WHERE slow(id) = 5'";
    let tmux = Tmux::start(
        "build-suspended",
        "80x24",
        &format!("{} {limits}", target(&database)),
    );
    wait_until("the build", || database.text(BUILDING) == "1");
    tmux.keys(&["C-z"]);
    tmux.wait_for("EXIT");
    tmux.assert_given_back("Ctrl-Z");
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgrehearse' \
                AND datname = current_database() AND state <> 'idle'";
    assert_eq!(
        database.text(open),
        "0",
        "nothing is open while it stands still"
    );
    let mut client = database.client();
    client
        .batch_execute(
            "SET lock_timeout = '1s'; UPDATE job SET note = 'writers go on' WHERE id = 1",
        )
        .unwrap();
    tmux.text("clear; fg; echo LEFT");
    tmux.keys(&["Enter"]);
    wait_until("the search goes on", || database.text(BUILDING) == "1");
    tmux.keys(&["C-c", "C-c"]);
    tmux.wait_for("LEFT");
    wait_until("the end of the session", || database.text(OURS).is_empty());
}

#[test]
fn a_signal_in_the_middle_of_a_build_rolls_back_and_gives_the_terminal_back() {
    let database = Database::new("tui_signal", SLOW_TABLE);
    let before = database.catalog();
    let limits = "--yes --rehearse transaction --statement-timeout 10min --max-write-block 10min -c 'SELECT * FROM job WHERE slow(id) = 5'";
    let tmux = Tmux::start(
        "build-signal",
        "80x24",
        &format!("{} {limits}", target(&database)),
    );
    wait_until("the build", || database.text(BUILDING) == "1");
    tmux.signal("TERM");
    tmux.wait_for("EXIT 130");
    tmux.assert_given_back("SIGTERM");
    wait_until("the end of the session", || database.text(OURS).is_empty());
    assert_eq!(database.catalog(), before);
}

#[test]
fn a_lost_connection_is_shown_and_made_again() {
    let database = Database::new(
        "tui_lost",
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);
        INSERT INTO t SELECT n, n % 1000, n % 77 FROM generate_series(1, 20000) AS n; ANALYZE t;",
    );
    let tmux = Tmux::start(
        "lost",
        "120x40",
        &format!(
            "{} --yes -c 'SELECT * FROM t WHERE a = 5'",
            target(&database)
        ),
    );
    tmux.wait_for("the workload's cost falls");
    tmux.wait_for("The search has ended");
    database.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgrehearse' AND datname = current_database()");
    // Nothing is asked: it is noticed all the same.
    tmux.keys(&["4"]);
    tmux.wait_for("Connection lost");
    tmux.keys(&["n"]);
    tmux.text("t (b)");
    tmux.keys(&["Enter"]);
    tmux.wait_for("YOUR INDEX");
    tmux.keys(&["C-c", "C-c"]);
    tmux.wait_for("EXIT 0");
}

#[test]
fn the_terminal_is_given_back_after_a_signal() {
    for signal in ["TERM", "INT", "HUP"] {
        let tmux = Tmux::start(
            &format!("signal-{signal}"),
            "80x24",
            &format!("review {RECORDING}"),
        );
        tmux.wait_for("the workload's cost falls");
        tmux.signal(signal);
        tmux.wait_for("EXIT 130");
        tmux.assert_given_back(signal);
    }
}

#[test]
fn the_terminal_is_given_back_by_ctrl_c_ctrl_z_and_q() {
    let tmux = Tmux::start("ctrl-c", "80x24", &format!("review {RECORDING}"));
    tmux.wait_for("the workload's cost falls");
    tmux.keys(&["C-c"]);
    tmux.wait_for("EXIT 0");
    tmux.assert_given_back("Ctrl-C");

    let tmux = Tmux::start("suspend", "80x24", &format!("review {RECORDING}"));
    tmux.wait_for("the workload's cost falls");
    tmux.keys(&["C-z"]);
    tmux.wait_for("EXIT");
    tmux.assert_given_back("Ctrl-Z");
    tmux.text("clear; fg; stty -g >stty.after; echo LEFT");
    tmux.keys(&["Enter"]);
    tmux.wait_for("the workload's cost falls");
    tmux.keys(&["4", "p", "q"]);
    tmux.wait_for("CREATE INDEX CONCURRENTLY transactions_updated_idx");
    tmux.wait_for("LEFT");
    tmux.assert_given_back("fg and q");
}

#[test]
fn it_follows_the_size_of_the_terminal() {
    let tmux = Tmux::start("resize", "80x24", &format!("review {RECORDING}"));
    tmux.wait_for("the workload's cost falls");
    tmux.keys(&["4", "End"]);
    tmux.resize("30x8");
    tmux.wait_for("30×8 is too small");
    tmux.resize("200x60");
    tmux.wait_for("user_balance");
    tmux.wait_for("with the selected indexes");
    tmux.keys(&["q"]);
    tmux.wait_for("EXIT 0");
}

#[test]
fn a_tiny_terminal_shows_a_message_and_is_restored() {
    let tmux = Tmux::start("tiny", "20x4", &format!("review {RECORDING}"));
    tmux.wait_for("20×4 is too small");
    tmux.keys(&["Enter", "4", "?", "?"]);
    tmux.resize("1x1");
    tmux.resize("80x24");
    tmux.wait_for("with the selected indexes");
    tmux.resize("20x4");
    tmux.wait_for("20×4 is too small");
    tmux.keys(&["q"]);
    tmux.wait_for("EXIT 0");
    tmux.assert_given_back("q");
}

#[test]
fn plans_are_reviewed_and_reports_stay_reports() {
    let plans = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/plans/samples");
    let tmux = Tmux::start("plans", "120x40", &format!("review {plans}"));
    tmux.wait_for("28 plans");
    tmux.keys(&["Enter"]);
    tmux.wait_for("plan · ");
    tmux.keys(&["q"]);
    tmux.wait_for("EXIT 0");
    let tmux = Tmux::start(
        "report",
        "120x40",
        &format!("review --format text {RECORDING} | tail -3"),
    );
    tmux.wait_for("pgrehearse review FILE shows any of these");
    assert!(Path::new(RECORDING).exists());
}

#[test]
fn a_migration_is_looked_at_before_and_after() {
    let database = Database::new("tui_check", WRITTEN_TABLE);
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (twin, migration) = (path("shop.twin"), path("next.sql"));
    std::fs::write(
        &migration,
        "CREATE INDEX by_a ON t (a); ALTER TABLE t DROP COLUMN b;",
    )
    .unwrap();
    let snapshot = database
        .program(&[
            "snapshot",
            "-o",
            &twin,
            "-c",
            "SELECT * FROM t WHERE a = 5",
            "-c",
            "SELECT b FROM t",
        ])
        .output()
        .unwrap();
    assert!(snapshot.status.success(), "{}", live::text_of(&snapshot));
    let check = format!("check --tui --snapshot {twin} --migrate {migration} --fail-on cannot-run");
    let tmux = Tmux::start("check", "120x40", &check);
    tmux.wait_for("1 cannot run · 1 flipped");
    tmux.wait_for("plan flipped");
    tmux.keys(&["/"]);
    tmux.text("a = 5");
    tmux.keys(&["Enter", "b"]);
    tmux.wait_for("PLAN FLIPPED");
    tmux.wait_for("on by_a");
    tmux.keys(&["5"]);
    tmux.wait_for("DROP COLUMN b");
    tmux.keys(&["q"]);
    tmux.wait_for("EXIT 4");
    tmux.assert_given_back("q");
}

#[test]
fn a_terminal_that_is_closed_ends_the_program() {
    let socket = format!("pgrehearse-{}-closed", std::process::id());
    let tmux = |arguments: &[&str]| {
        std::process::Command::new("tmux")
            .args(["-L", &socket])
            .args(arguments)
            .output()
            .unwrap()
    };
    let command = format!("{} review {RECORDING}", env!("CARGO_BIN_EXE_pgrehearse"));
    tmux(&[
        "-f",
        "/dev/null",
        "new-session",
        "-d",
        "-x",
        "80",
        "-y",
        "24",
        &command,
    ]);
    let screen = || String::from_utf8_lossy(&tmux(&["capture-pane", "-p"]).stdout).into_owned();
    wait_until("the first screen", || {
        screen().contains("the workload's cost falls")
    });
    let pid = String::from_utf8_lossy(&tmux(&["list-panes", "-F", "#{pane_pid}"]).stdout)
        .trim()
        .to_owned();
    let alive = || Path::new("/proc").join(&pid).exists();
    assert!(alive());
    tmux(&["kill-server"]);
    wait_until("the end of the program", || !alive());
}
