//! A throwaway PostgreSQL server: for the demo and for tests that need a real one.
//!
//! It lies in a temporary directory, listens on a Unix socket only, and belongs to nobody but us. A small shell, the keeper,
//! starts the server and waits on a pipe whose other end this process holds: when the process ends, however it ends (Ctrl-C, a
//! panic, `kill -9`), the pipe closes, and the keeper stops the server and removes the directory.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::unistd::{Uid, User};
use tempfile::TempDir;

pub mod binaries;

pub use binaries::{Binaries, BinariesError};

/// Why there is no throwaway server.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No place for it.
    #[error("could not make a temporary directory for the throwaway cluster: {0}")]
    Directory(#[source] io::Error),
    /// Running as root, and no other user to run the server as (PostgreSQL refuses to run as root).
    #[error("running as root, and there is neither a user \"postgres\" nor \"nobody\" to run the server as")]
    NoUser,
    /// A program could not be started.
    #[error("could not run {program}: {error}")]
    Run {
        /// Which.
        program: String,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// initdb or the server failed; its own words are in the text.
    #[error("{what} failed:\n{log}")]
    Failed {
        /// What was being done.
        what: &'static str,
        /// The end of its output.
        log: String,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// A running throwaway server. Dropping it stops the server and removes its files.
pub struct Cluster {
    directory: PathBuf,
    keeper: Child,
}

/// What the keeper does; `$1` is the directory, `$2` the directory of the binaries. It makes the cluster, too, so that from the
/// first moment on somebody is there to remove it. The trap covers a keeper that is itself told to end. SIGINT makes a server stop
/// at once, but a shell starts what runs in the background with SIGINT ignored, and a server that has only just been started may
/// not have changed that yet: SIGTERM ends such a one.
const KEEPER: &str = r#"
server=
stop() { [ -z "$server" ] || { kill -TERM "$server"; kill -INT "$server"; wait "$server"; } 2>/dev/null; rm -rf "$1"; exit 0; }
trap 'stop "$1"' TERM HUP
if "$2/initdb" -D "$1/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync --no-instructions \
    >"$1/initdb.log" 2>&1 </dev/null
then
    cat "$1/settings.conf" >>"$1/data/postgresql.auto.conf"
    "$2/postgres" -D "$1/data" -k "$1" >"$1/server.log" 2>&1 </dev/null &
    server=$!
else
    mv "$1/initdb.log" "$1/initdb.failed"
fi
read -r _ || true
stop "$1"
"#;

/// Settings of a server whose data nobody will miss. (Commits stay synchronous: VACUUM marks no page all-visible before the commit that
/// filled it is in the log, and index-only scans would look expensive.)
const SETTINGS: &str = "\
listen_addresses = ''
unix_socket_permissions = 0700
fsync = off
full_page_writes = off
autovacuum = off
max_wal_size = 4GB
checkpoint_timeout = 1d
shared_buffers = 256MB
max_connections = 40
log_min_messages = warning
";

const START_PATIENCE: Duration = Duration::from_secs(30);

impl Cluster {
    /// Makes and starts a cluster (UTF8, locale C) with these binaries. `should_stop` is asked now and then.
    ///
    /// # Errors
    /// When there is no place, no user to run it as, or initdb or the server fails.
    pub fn start(binaries: &Binaries, should_stop: &dyn Fn() -> bool) -> Result<Cluster, ClusterError> {
        Cluster::start_with(binaries, "", should_stop)
    }

    /// As [`Cluster::start`], with more lines for its configuration file.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_with(
        binaries: &Binaries,
        settings: &str,
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Cluster, ClusterError> {
        let owner = server_user()?;
        let directory = tempfile::Builder::new().prefix("pgrehearse-").tempdir().map_err(ClusterError::Directory)?;
        fs::write(directory.path().join("settings.conf"), format!("{SETTINGS}{settings}"))
            .map_err(ClusterError::Directory)?;
        own(directory.path(), owner.as_ref()).map_err(ClusterError::Directory)?;
        let cluster = keep(binaries, directory, owner.as_ref())?;
        cluster.wait_until_ready(should_stop)?;
        Ok(cluster)
    }

    /// A connection string for its superuser and the database `postgres`.
    pub fn conninfo(&self) -> String {
        self.conninfo_of("postgres")
    }

    /// A connection string for its superuser and a database.
    pub fn conninfo_of(&self, database: &str) -> String {
        format!("host={} port=5432 user=postgres dbname={database}", self.directory.display())
    }

    /// Where it lies; also its socket directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn wait_until_ready(&self, should_stop: &dyn Fn() -> bool) -> Result<(), ClusterError> {
        let began = Instant::now();
        while !self.is_ready() {
            if should_stop() {
                return Err(ClusterError::Interrupted);
            }
            if let Ok(log) = fs::read_to_string(self.directory.join("initdb.failed")) {
                return Err(ClusterError::Failed { what: "initdb", log: tail(&log) });
            }
            if self.log().contains("FATAL:") || began.elapsed() > START_PATIENCE {
                return Err(ClusterError::Failed { what: "starting the throwaway server", log: self.log() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The last line of postmaster.pid says "ready" once connections are accepted (src/include/utils/pidfile.h).
    fn is_ready(&self) -> bool {
        let file = fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default();
        file.lines().nth(7).is_some_and(|line| line.trim() == "ready")
    }

    /// The end of the server's log.
    pub fn log(&self) -> String {
        tail(&fs::read_to_string(self.directory.join("server.log")).unwrap_or_default())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Root may not run a server: another user has to. Anybody else runs it as themselves.
fn server_user() -> Result<Option<User>, ClusterError> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let known = ["postgres", "nobody"].iter().find_map(|name| User::from_name(name).ok().flatten());
    known.map(Some).ok_or(ClusterError::NoUser)
}

fn own(directory: &Path, owner: Option<&User>) -> io::Result<()> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    match owner {
        Some(user) => std::os::unix::fs::chown(directory, Some(user.uid.as_raw()), Some(user.gid.as_raw())),
        None => Ok(()),
    }
}

fn command(program: &Path, owner: Option<&User>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").stdin(Stdio::null());
    if let Some(user) = owner {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    // A Ctrl-C in the terminal is ours to handle.
    command.process_group(0);
    command
}

/// From here on the keeper removes the directory.
fn keep(binaries: &Binaries, directory: TempDir, owner: Option<&User>) -> Result<Cluster, ClusterError> {
    let mut shell = command(Path::new("/bin/sh"), owner);
    shell.arg("-c").arg(KEEPER).arg("pgrehearse-keeper").arg(directory.path()).arg(&binaries.directory);
    let keeper = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let keeper = keeper.map_err(|error| ClusterError::Run { program: "/bin/sh".to_owned(), error })?;
    Ok(Cluster { directory: directory.keep(), keeper })
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
