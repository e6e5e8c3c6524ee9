//! Twin files are data from strangers: none writes outside the twin's directory, takes more memory
//! or disk than it may, or hangs; each ends with a clear error or does no harm.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use pgrehearse::internals::model::QualifiedName;
use pgrehearse::internals::twin::file::TwinFile;
use pgrehearse::internals::twin::metapage::Metapage;
use pgrehearse::internals::twin::snapshot::{SystemTable, Values};

use crate::live::{Database, program, text_of};

const TABLES: &str = "CREATE TABLE job (id bigint PRIMARY KEY, state text NOT NULL, note text);
     INSERT INTO job SELECT n, CASE WHEN n % 100 = 0 THEN 'QUEUED' ELSE 'DONE' END, 'note ' || n
     FROM generate_series(1, 20000) AS n;
     CREATE STATISTICS job_both (ndistinct) ON state, note FROM job;
     ANALYZE job;";

/// A file that `snapshot` wrote.
fn good(name: &str, directory: &Path) -> TwinFile {
    let database = Database::new(name, TABLES);
    let path = directory.join("good.twin");
    let sql = "SELECT * FROM job WHERE note = 'note 7' AND state = 'DONE'";
    let output = database
        .program(&["snapshot", "-c", sql, "-o", path.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    TwinFile::read(std::fs::File::open(path).unwrap()).unwrap()
}

fn advise(file: &TwinFile, directory: &Path) -> Output {
    let path = directory.join("changed.twin");
    std::fs::write(&path, file.to_bytes().unwrap()).unwrap();
    let output = program()
        .args(["advise", "--snapshot"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(
        !text_of(&output).contains("panicked"),
        "{}",
        text_of(&output)
    );
    output
}

fn table_mut<'f>(file: &'f mut TwinFile, name: &str) -> &'f mut SystemTable {
    let mut tables = file.snapshot.system_tables.iter_mut();
    tables.find(|table| table.name == name).unwrap()
}

/// A row of a catalog with NULL in all other columns.
fn add_row(file: &mut TwinFile, catalog: &str, values: &[(&str, &str)]) {
    let table = table_mut(file, catalog);
    let value = |column: &String| {
        let value = values.iter().find(|(name, _)| name == column);
        value.map(|(_, value)| (*value).to_owned())
    };
    let row = table.columns.iter().map(value).collect();
    table.rows.push(row);
}

type Change = Box<dyn Fn(&mut TwinFile)>;

fn changes(outside: &Path) -> Vec<(&'static str, Change)> {
    let path = format!("{}/pg_tblspc/../elsewhere", outside.display());
    vec![
        (
            "of pg_tablespace is invalid",
            Box::new(move |file| {
                let row = [("oid", path.as_str()), ("spcname", "x"), ("spcowner", "10")];
                add_row(file, "pg_tablespace", &row);
            }),
        ),
        (
            "pg_authid",
            Box::new(|file| {
                file.snapshot.system_tables.push(SystemTable {
                    name: "pg_authid".to_owned(),
                    columns: vec!["oid".to_owned()],
                    rows: vec![vec![Some("16999".to_owned())]],
                });
            }),
        ),
        (
            "of pg_proc is invalid",
            Box::new(|file| add_row(file, "pg_proc", &[("oid", "1242"), ("proname", "boolin")])),
        ),
        (
            "is not a relation of it",
            Box::new(|file| {
                let row = [("oid", "17000"), ("ev_class", "1260"), ("rulename", "r")];
                add_row(file, "pg_rewrite", &row);
            }),
        ),
        (
            "is not the relation that pg_class says",
            Box::new(|file| {
                file.snapshot.files[0].name = QualifiedName::new("pg_catalog", "pg_authid");
            }),
        ),
        (
            "has 9223372036854775808 blocks",
            Box::new(|file| file.snapshot.files[0].blocks = 1 << 63),
        ),
        (
            "the first page of",
            Box::new(|file| {
                let mut files = file.snapshot.files.iter_mut();
                let index = files.find(|file| file.kind == "i").unwrap();
                index.metapage = Some(Metapage::Btree { level: u32::MAX });
            }),
        ),
        (
            "extended statistics are invalid",
            Box::new(|file| {
                let text = "'; COPY (SELECT 1) TO PROGRAM 'true'; --".to_owned();
                file.snapshot.extended_statistics[0].ndistinct = Some(text);
            }),
        ),
    ]
}

#[test]
fn what_is_none_of_a_servers_is_refused_before_a_twin_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let good = good("hostile_refused", directory.path());
    let outside = directory.path().join("outside");
    for (expected, change) in changes(&outside) {
        let mut file = good.clone();
        change(&mut file);
        let output = advise(&file, directory.path());
        assert_eq!(output.status.code(), Some(1), "{expected}");
        let said = text_of(&output);
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(said.contains("changed.twin: "), "{said}");
        assert!(!outside.exists(), "{expected}");
    }
}

/// Settings that are none of a planner's, most common values of another type, a layout that no
/// type has, a cast that PostgreSQL's own statements would use.
#[test]
fn what_the_server_would_trust_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let good = good("hostile_trusted", directory.path());
    let mut file = good.clone();
    for (name, value) in [
        ("dynamic_library_path", "/nowhere"),
        ("session_preload_libraries", "/nowhere/x.so"),
        ("transaction_read_only", "on"),
        ("role", "none"),
    ] {
        let (name, value) = (name.to_owned(), value.to_owned());
        file.snapshot.settings.insert(name, value);
    }
    for statistic in &mut file.snapshot.statistics {
        for slot in statistic.slots.iter_mut().filter(|slot| slot.kind == 1) {
            slot.values = Some(Values {
                element_type: 23,
                literal: "{1,2}".to_owned(),
            });
        }
    }
    let output = advise(&file, directory.path());
    assert!(output.status.success(), "{}", text_of(&output));

    let mut file = good;
    let attributes = table_mut(&mut file, "pg_attribute");
    let (name, length) = ["attname", "attlen"]
        .map(|column| attributes.position(column).unwrap())
        .into();
    for row in &mut attributes.rows {
        if row[name].as_deref() == Some("note") {
            row[length] = Some("8".to_owned());
        }
    }
    let output = advise(&file, directory.path());
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    let said = text_of(&output);
    assert!(said.contains("has another layout than its type"), "{said}");
}

#[test]
fn an_interrupt_is_answered_while_a_file_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("never.twin");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    let mut child = program()
        .args(["advise", "--snapshot"])
        .arg(&fifo)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        // Repeated, because the program may not have installed its handler yet, and only until it
        // could end by itself.
        assert!(began.elapsed() < Duration::from_secs(60), "it hangs");
        std::thread::sleep(Duration::from_millis(1_000));
        let _ = kill(Pid::from_raw(child.id() as i32), Signal::SIGINT);
        std::thread::sleep(Duration::from_millis(1_000));
    };
    assert_eq!(status.code(), Some(130), "{status}");
}
