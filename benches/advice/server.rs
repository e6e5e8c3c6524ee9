//! The server that the advice is about: a throwaway one, or one that was named.

use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Access, Binaries, Cluster, ClusterOptions};
use postgres::{Client, NoTls};

/// Room for the data and for building indexes on it; what the planner goes by stays at its
/// defaults.
const SETTINGS: &str = "\
shared_buffers = 2GB
maintenance_work_mem = 512MB
max_wal_size = 16GB
wal_level = minimal
max_wal_senders = 0
";

/// Set on a database once it holds all its data.
const LOADED: &str = "pgrehearse bench: loaded";

pub struct Server {
    conninfo: String,
    _cluster: Option<Cluster>,
}

impl Server {
    pub fn start(given: Option<&str>) -> Server {
        if let Some(conninfo) = given {
            return Server {
                conninfo: conninfo.to_owned(),
                _cluster: None,
            };
        }
        let cluster = throwaway(SETTINGS, Access::Trust);
        let conninfo = format!(
            "host={} port=5432 user=postgres",
            cluster.directory().display()
        );
        Server {
            conninfo,
            _cluster: Some(cluster),
        }
    }

    pub fn conninfo_of(&self, database: &str) -> String {
        format!("{} dbname={database}", self.conninfo)
    }

    pub fn client(&self, database: &str) -> Client {
        Client::connect(&self.conninfo_of(database), NoTls)
            .expect("the server accepts a connection")
    }

    /// A database with this content: loaded now, or by an earlier run, whose indexes are removed.
    pub fn database(&self, name: &str, load: impl FnOnce()) {
        let mut client = self.client("postgres");
        let comment = "SELECT 1 FROM pg_database WHERE datname = $1 AND shobj_description(oid, 'pg_database') = $2";
        if client
            .query_opt(comment, &[&name, &LOADED])
            .unwrap()
            .is_none()
        {
            self.create(name, "template1");
            load();
            client
                .batch_execute(&format!("COMMENT ON DATABASE {name} IS '{LOADED}'"))
                .unwrap();
        }
        remove_indexes(&mut self.client(name));
    }

    /// A new database, in place of one of that name, with what is in the template.
    pub fn create(&self, name: &str, template: &str) {
        self.drop(name);
        self.client("postgres")
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .unwrap();
    }

    pub fn drop(&self, name: &str) {
        self.client("postgres")
            .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            .unwrap();
    }
}

/// A throwaway server of the version that is installed.
pub fn throwaway(settings: &str, access: Access) -> Cluster {
    let binaries = Binaries::find(WhenMissing::Explain)
        .expect("a PostgreSQL server (14 to 18) is needed: scripts/ensure-postgres.sh");
    let options = ClusterOptions {
        settings: settings.to_owned(),
        without_checksums: true,
        access,
        ..ClusterOptions::default()
    };
    Cluster::start(&binaries, &options, &|| false).expect("the throwaway server starts")
}

/// What a run that was stopped has left behind.
fn remove_indexes(client: &mut Client) {
    let left = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'i' AND relname ~ '^bench_[0-9]+$'";
    for row in client.query(left, &[]).unwrap() {
        client
            .batch_execute(&format!("DROP INDEX {}", row.get::<_, String>(0)))
            .unwrap();
    }
}
