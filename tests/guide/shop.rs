//! The server, and the files of the documents.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Binaries, Cluster, ClusterOptions};
use postgres::{Client, NoTls};
use tempfile::TempDir;

const SETTINGS: &str = "shared_preload_libraries = 'pg_stat_statements'\n";

/// Files that the documents talk of, and what makes them before the first command.
const PREPARE: [&str; 11] = [
    "pgrehearse advise -d shop -f workload.sql --rehearse=twin --quiet --record run.json",
    "cp run.json monday.json && cp run.json friday.json",
    "pgrehearse explain -d shop -f workload.sql --save before",
    "cp -r before after",
    "pgrehearse snapshot -d shop -f workload.sql --all-tables -o prod.twin",
    "for name in shop before after yesterday today; do cp prod.twin $name.twin; done",
    "pgrehearse check --snapshot prod.twin --baseline plans/ --update",
    "mkdir db/migrations",
    "echo 'ALTER TABLE orders ADD COLUMN comment text;' >db/migrations/next.sql",
    "printf '%s\\n' 'SELECT count(*) FROM orders WHERE customer_id = 11;' >new-queries.sql",
    "psql -d shop -X -q -c 'EXPLAIN SELECT * FROM orders WHERE total > 990' >plan.txt",
];

/// A throwaway server with the database `shop`, and a directory with the files.
pub struct Shop {
    cluster: Cluster,
    /// Where psql is.
    programs: String,
    files: TempDir,
}

/// The one that most documents share: they change nothing.
pub fn shared() -> &'static Shop {
    static SHOP: OnceLock<Shop> = OnceLock::new();
    SHOP.get_or_init(Shop::open)
}

impl Shop {
    /// Starts the server and makes the files.
    pub fn open() -> Shop {
        let binaries = Binaries::find(WhenMissing::Explain)
            .expect("a PostgreSQL server (14 to 18) is needed: scripts/ensure-postgres.sh");
        let options = ClusterOptions {
            settings: SETTINGS.to_owned(),
            ..ClusterOptions::default()
        };
        let cluster = Cluster::start(&binaries, &options, &|| false).unwrap();
        let shop = Shop {
            cluster,
            programs: binaries.directory.display().to_string(),
            files: tempfile::tempdir().unwrap(),
        };
        shop.fill();
        shop.write_files();
        shop
    }

    fn fill(&self) {
        let mut client = self.client("postgres");
        client.batch_execute("CREATE DATABASE shop").unwrap();
        let mut client = self.client("shop");
        client.batch_execute(include_str!("shop.sql")).unwrap();
        // What pg_stat_statements has to tell.
        for statement in include_str!("workload.sql").split_inclusive(';') {
            if !statement.trim().is_empty() {
                client.batch_execute(statement).unwrap();
            }
        }
    }

    fn client(&self, database: &str) -> Client {
        Client::connect(&self.cluster.conninfo_of(database), NoTls).unwrap()
    }

    /// The first value of a query.
    pub fn query(&self, sql: &str) -> String {
        let rows = self.client("shop").simple_query(sql).unwrap();
        let mut rows = rows.into_iter().filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => Some(row.get(0)?.to_owned()),
            _ => None,
        });
        rows.next().unwrap()
    }

    fn write_files(&self) {
        let place = self.files.path();
        let write = |name: &str, text: &str| fs::write(place.join(name), text).unwrap();
        write("workload.sql", include_str!("workload.sql"));
        write("postgresql.csv", include_str!("postgresql.csv"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::copy(
            root.join("fixtures/logs/14-text.log"),
            place.join("postgresql.log"),
        )
        .unwrap();
        std::os::unix::fs::symlink(root.join("fixtures"), place.join("fixtures")).unwrap();
        std::os::unix::fs::symlink(root.join("scripts"), place.join("scripts")).unwrap();
        let bin = place.join("bin");
        fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_pgrehearse"), bin.join("pgrehearse"))
            .unwrap();
        // Programs of others.
        let target = place.join("target/release");
        fs::create_dir_all(&target).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_pgrehearse"), target.join("pgrehearse"))
            .unwrap();
        fs::create_dir(place.join("db")).unwrap();
        for name in ["mail", "curl"] {
            script(&bin.join(name), "cat >/dev/null");
        }
        // As an assistant starts it: `claude mcp add NAME -- COMMAND …`
        script(
            &bin.join("claude"),
            r#"shift 4
request='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"0"}}}'
echo "$request" | "$@" | grep -q serverInfo"#,
        );
        // A branch that changes the schema.
        let git = "git -c user.name=test -c user.email=test@example.org";
        let repository = format!(
            "pg_dump --schema-only -d shop >db/structure.sql && git init -q -b main . && git add db/structure.sql && \
             {git} commit -q -m schema && echo 'CREATE INDEX orders_state ON public.orders (state);' >>db/structure.sql"
        );
        for command in PREPARE.into_iter().chain([repository.as_str()]) {
            if let Err(output) = self.run(&self.files, command, 0) {
                panic!("{command}: {output}");
            }
        }
    }

    /// A new directory with the files.
    pub fn place(&self) -> TempDir {
        let place = tempfile::tempdir().unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(format!("{}/.", self.files.path().display()))
            .arg(place.path())
            .status();
        assert!(copied.unwrap().success());
        place
    }

    /// Runs a command of the shell there; an error is what it printed.
    pub fn run(&self, place: &TempDir, command: &str, expected: i32) -> Result<(), String> {
        let output = self.output(place, command);
        if output.status.code() == Some(expected) {
            return Ok(());
        }
        Err(format!(
            "{} instead of {expected}\n{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ))
    }

    pub fn output(&self, place: &TempDir, command: &str) -> Output {
        let conninfo = self.cluster.conninfo();
        let value = |name: &str| {
            let mut parts = conninfo.split(' ').filter_map(|part| part.split_once('='));
            let found = parts.find(|(key, _)| *key == name);
            found.map(|(_, value)| value.trim_matches('\'').to_owned())
        };
        let directory = place.path().display().to_string();
        let command = without_surroundings(command, &directory);
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command.as_str()])
            .current_dir(place.path())
            .env("PATH", format!("{directory}/bin:{}:{path}", self.programs))
            .env("PGREHEARSE_NO_CONFIG", "1")
            .env_remove("COLUMNS")
            .stdin(std::process::Stdio::null());
        let variables = [
            ("PGHOST", "host"),
            ("PGPORT", "port"),
            ("PGUSER", "user"),
            ("PGPASSWORD", "password"),
        ];
        for (variable, key) in variables {
            match value(key) {
                Some(value) => shell.env(variable, value),
                None => shell.env_remove(variable),
            };
        }
        if command.contains("pgrehearse demo") {
            shell.env("PGREHEARSE_SCALE", "0.02");
        }
        shell.output().unwrap()
    }
}

/// What a test can type instead of a person.
fn without_surroundings(command: &str, directory: &str) -> String {
    // Of a line of a crontab, what it runs; its files are here.
    let command = command.trim_start_matches("0 7 * * *").trim_start();
    let command = command.replace("/var/lib/pgrehearse", &format!("{directory}/db"));
    let command = command.replace("/tmp/old.sql", &format!("{directory}/old.sql"));
    let words: Vec<&str> = command.split_whitespace().collect();
    if words.starts_with(&["pgrehearse", "watch"]) && !command.contains("--once") {
        return format!("timeout --preserve-status -s INT 6 {command}");
    }
    // The interactive session, as text: tests/tui.rs draws it.
    let is_program = words.first() == Some(&"pgrehearse");
    let is_without_command = words.get(1).is_some_and(|word| word.starts_with('-'));
    if is_program && (is_without_command || command.contains("--tui")) {
        let (command, _) = command.split_once('#').unwrap_or((&command, ""));
        return format!("echo quit | {command} --accessible");
    }
    command
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
