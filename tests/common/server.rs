//! A throwaway PostgreSQL server with TLS, for the connection tests only.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::unistd::{Uid, User, chown};
use pgrehearse::internals::cluster::Binaries;
use pgrehearse::internals::cluster::binaries::WhenMissing;
use tempfile::TempDir;

const HBA: &str = "\
local     all all                         trust
hostssl   all ssl_only       127.0.0.1/32 trust
hostnossl all plain_only     127.0.0.1/32 trust
hostssl   all certified      127.0.0.1/32 cert
host      all anyone         127.0.0.1/32 trust
host      all with_password  127.0.0.1/32 scram-sha-256
";

const ROLES: &str = "create role ssl_only login; create role plain_only login; create role certified login; \
                     create role anyone login; create role with_password login password 'right'";

/// The server's programs, found by the search.
fn binaries() -> &'static Path {
    static BINARIES: OnceLock<Binaries> = OnceLock::new();
    let find = || Binaries::find(WhenMissing::Explain).unwrap();
    &BINARIES.get_or_init(find).directory
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct KeyedCertificate {
    pub certificate: String,
    pub key: String,
}

/// A running server; dropping it stops it and removes its files.
pub struct Server {
    directory: TempDir,
    owner: Option<User>,
    pub port: u16,
}

impl Server {
    /// Creates a cluster and starts it with the certificate.
    pub fn start(certificate: &KeyedCertificate, client_authority: &str) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("conn-")
            .tempdir_in("/tmp")
            .unwrap();
        let owner = if Uid::effective().is_root() {
            User::from_name("postgres").unwrap()
        } else {
            None
        };
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Self {
            directory,
            owner,
            port,
        };
        server.own(server.path());
        let data = server.data();
        server.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
            ],
        );
        server.write("data/pg_hba.conf", HBA);
        server.write("data/client-ca.crt", client_authority);
        server.write("data/postgresql.auto.conf", &server.configuration());
        server.write_certificate(certificate);
        server.control("start");
        server
            .psql(
                &format!(
                    "host={} port={} user=postgres dbname=postgres",
                    server.path().display(),
                    port
                ),
                ROLES,
            )
            .unwrap();
        server
    }

    /// Restarts the server with another certificate.
    pub fn restart_with(&self, certificate: &KeyedCertificate) {
        self.write_certificate(certificate);
        self.control("restart");
    }

    /// Restarts the server with one more line of configuration.
    pub fn restart_configured(&self, line: &str) {
        self.write(
            "data/postgresql.auto.conf",
            &format!("{}{line}\n", self.configuration()),
        );
        self.control("restart");
    }

    /// The directory of the server's socket.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a statement with psql, in a clean environment; returns psql's output or error.
    pub fn psql(&self, conninfo: &str, sql: &str) -> Result<String, String> {
        let output = Command::new("psql")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .args(["-X", "-w", "-At", "-d", conninfo, "-c", sql])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    fn configuration(&self) -> String {
        format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\nssl = on\nfsync = off\n\
             ssl_ca_file = 'client-ca.crt'\n",
            self.port,
            self.path().display()
        )
    }

    fn write_certificate(&self, certificate: &KeyedCertificate) {
        self.write("data/server.crt", &certificate.certificate);
        self.write("data/server.key", &certificate.key);
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        self.own(&file);
        file
    }

    fn own(&self, path: &Path) {
        if let Some(owner) = &self.owner {
            chown(path, Some(owner.uid), Some(owner.gid)).unwrap();
        }
    }

    fn data(&self) -> String {
        self.path().join("data").display().to_string()
    }

    fn control(&self, action: &str) {
        let log = self.path().join("log").display().to_string();
        self.run(
            "pg_ctl",
            &["-D", &self.data(), "-l", &log, "-w", "-m", "fast", action],
        );
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(binaries().join(program));
        command.args(arguments).current_dir(self.path());
        if let Some(owner) = &self.owner {
            command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
        }
        let log = fs::File::create(self.path().join(format!("{program}.out"))).unwrap();
        let status = command
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .status()
            .unwrap();
        let read = |name: &str| fs::read_to_string(self.path().join(name)).unwrap_or_default();
        assert!(
            status.success(),
            "{program}: {} {}",
            read(&format!("{program}.out")),
            read("log")
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.path().join("data/postmaster.pid").exists() {
            self.control("stop");
        }
    }
}
