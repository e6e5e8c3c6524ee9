//! A throwaway server for the tests of one binary, a database for each test, and the program run
//! against it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock, PoisonError};

use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Binaries, Cluster, ClusterOptions};
use postgres::{Client, NoTls, SimpleQueryMessage};
use serde_json::Value;

/// pg_stat_statements is loaded; tests that need its view create the extension in their database.
/// All tests share the statistics of statements: the least used ones must not be evicted meanwhile.
const SETTINGS: &str = "shared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.max = 50000\nmax_connections = 100\n";

/// The server; it ends with this process.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let binaries = Binaries::find(WhenMissing::Explain)
            .expect("a PostgreSQL server (14 to 18) is needed: scripts/ensure-postgres.sh");
        let options = ClusterOptions {
            settings: SETTINGS.to_owned(),
            ..ClusterOptions::default()
        };
        Cluster::start(&binaries, &options, &|| false).expect("the throwaway server starts")
    })
}

/// A database for one test.
pub struct Database {
    pub name: String,
}

impl Database {
    /// A new, empty database with these contents.
    pub fn new(name: &str, sql: &str) -> Database {
        let database = Database {
            name: name.to_owned(),
        };
        let mut client = connect("postgres");
        client
            .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            .unwrap();
        client
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        database.run(sql);
        database
    }

    /// A new database with one of the sample workloads; its finish.sql is run too.
    pub fn sample(name: &str, sample: &str, scale: &str) -> Database {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/workloads")
            .join(sample);
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let database = Database::new(name, &read("schema.sql"));
        database.run(&format!(
            "SET pgrehearse.scale = '{scale}';\n{}",
            read("data.sql")
        ));
        read("finish.sql")
            .lines()
            .for_each(|statement| database.run(statement));
        database
    }

    /// A connection for the test itself.
    pub fn client(&self) -> Client {
        connect(&self.name)
    }

    /// Runs a script.
    pub fn run(&self, sql: &str) {
        self.client().batch_execute(sql).unwrap();
    }

    /// Runs a script that changes roles. All databases of the server share them, and two that
    /// change the same one at the same time fail: one test does it at a time.
    #[allow(dead_code, reason = "few tests change roles")]
    pub fn run_with_roles(&self, sql: &str) {
        static ROLES: Mutex<()> = Mutex::new(());
        let _alone = ROLES.lock().unwrap_or_else(PoisonError::into_inner);
        self.run(sql);
    }

    /// All rows of a query as text.
    pub fn text(&self, sql: &str) -> String {
        let rows = self.client().simple_query(sql).unwrap();
        let row = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).unwrap_or("NULL").to_owned())
                    .collect::<Vec<_>>()
                    .join("|"),
            ),
            _ => None,
        };
        rows.iter().filter_map(row).collect::<Vec<_>>().join("\n")
    }

    /// Everything in the catalog that a run could leave behind, as text to compare. Left out is
    /// what CREATE INDEX and ANALYZE update in place (row and page counts), as the README says.
    pub fn catalog(&self) -> String {
        [
            "SELECT oid, relname, relkind, relfilenode, relnamespace, relowner, relacl FROM pg_class ORDER BY oid",
            "SELECT indexrelid, indisvalid, indkey FROM pg_index ORDER BY 1",
            "SELECT attrelid, attnum, attname, attstattarget, attisdropped FROM pg_attribute ORDER BY 1, 2",
            "SELECT starelid, staattnum, stainherit, stanullfrac, stadistinct, md5(coalesce(stavalues1::text, '')) FROM pg_statistic ORDER BY 1, 2, 3",
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_' ORDER BY 1",
            "SELECT conrelid, conname FROM pg_constraint ORDER BY 1, 2",
            "SELECT proname FROM pg_proc ORDER BY oid",
            "SELECT oid, stxname, stxrelid, stxkind FROM pg_statistic_ext ORDER BY 1",
            "SELECT stxoid, md5(pg_statistic_ext_data::text) FROM pg_statistic_ext_data ORDER BY 1, 2",
            "SELECT schemaname, matviewname, ispopulated, md5(definition) FROM pg_matviews ORDER BY 1, 2",
            "SELECT extname FROM pg_extension ORDER BY 1",
            "SELECT gid FROM pg_prepared_xacts ORDER BY 1",
            "SELECT classid, objid, refobjid, deptype FROM pg_depend ORDER BY 1, 2, 3, 4",
        ]
        .map(|sql| self.text(sql))
        .join("\n--\n")
    }

    /// The program with this database as its target.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command
            .args(arguments)
            .arg("-d")
            .arg(cluster().conninfo_of(&self.name));
        command
    }

    /// Runs `advise --format json`, which must succeed.
    pub fn advise(&self, arguments: &[&str]) -> Value {
        let output = self
            .program(&[&["advise", "--format", "json"], arguments].concat())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

pub fn connect(database: &str) -> Client {
    Client::connect(&cluster().conninfo_of(database), NoTls).unwrap()
}

/// The program, without the environment's connection variables.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgrehearse"));
    for variable in [
        "PGHOST",
        "PGPORT",
        "PGUSER",
        "PGDATABASE",
        "PGPASSWORD",
        "PGSERVICE",
        "PGOPTIONS",
        "COLUMNS",
        "NO_COLOR",
    ] {
        command.env_remove(variable);
    }
    command
}

/// The program's output, for messages.
pub fn text_of(output: &Output) -> String {
    format!(
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The recommendations whose DDL contains all of these texts.
pub fn recommended<'r>(report: &'r Value, texts: &[&str]) -> Vec<&'r Value> {
    entries(report, "recommendations", texts)
}

/// The rejected candidates whose DDL contains all of these texts.
pub fn rejected<'r>(report: &'r Value, texts: &[&str]) -> Vec<&'r Value> {
    entries(report, "rejected", texts)
}

fn entries<'r>(report: &'r Value, list: &str, texts: &[&str]) -> Vec<&'r Value> {
    let contains = |entry: &&Value| {
        texts
            .iter()
            .all(|text| entry["ddl"].as_str().unwrap().contains(text))
    };
    report[list]
        .as_array()
        .unwrap()
        .iter()
        .filter(contains)
        .collect()
}

/// The statement of that name in a report.
pub fn statement<'r>(report: &'r Value, id: &str) -> &'r Value {
    report["workload"]["statements"]
        .as_array()
        .unwrap()
        .iter()
        .find(|statement| statement["id"] == id)
        .unwrap()
}

/// A file with this text that lives as long as the returned guard.
pub fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".sql").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}
