//! A throwaway PostgreSQL server: for the demo and for tests that need a real one.
//!
//! It is in a temporary directory, listens on a Unix socket only, and only this process uses it. A
//! small shell script, the keeper, starts the server and waits on a pipe whose other end this
//! process holds. When the process ends, in whatever way (Ctrl-C, a panic, `kill -9`), the pipe
//! closes, and the keeper stops the server and removes the directory. If the keeper was killed,
//! too, the next process that starts a cluster removes what is left (`src/cluster/stale.rs`).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::Flock;

mod access;
pub mod binaries;
mod confine;
mod error;
pub mod locale;
mod sockets;
mod stale;
mod user;

pub use access::{Access, new_password};
pub use binaries::{Binaries, BinariesError};
pub use confine::Confinement;
pub use error::ClusterError;
pub use locale::ClusterLocale;
pub use user::ServerUser;

use access::{Credentials, PASSWORD_FILE};
use sockets::Sockets;
use user::{command, server_user};

/// The server's options. The default: UTF8, locale C.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterOptions {
    /// More lines for its configuration file (`name = value`, each ended by a newline). They
    /// override ours.
    pub settings: String,
    /// Encoding and locale.
    pub locale: ClusterLocale,
    /// Turns data checksums off, which are on by default from PostgreSQL 18: a process that writes
    /// pages into the server's files then need not compute them.
    pub without_checksums: bool,
    /// Who may connect.
    pub access: Access,
}

/// A server that is starting: initdb runs. Dropping it stops initdb and removes the files.
pub struct Starting {
    cluster: Cluster,
}

/// A running throwaway server. Dropping it stops the server and removes its files.
pub struct Cluster {
    directory: PathBuf,
    /// The directory of its socket: the same one, or a short one.
    sockets: PathBuf,
    user: Option<ServerUser>,
    keeper: Child,
    locale: ClusterLocale,
    credentials: Credentials,
    confinement: Confinement,
    /// The lock that shows other processes that the directory is in use; we and the keeper hold it.
    /// The last field, so that it is released last.
    _lock: Flock<File>,
}

/// The keeper's script. Its arguments are the directory, the directory of the binaries, the directory
/// of the socket, limits (`c=0`) for `ulimit`, and more arguments for initdb. It also runs initdb, so that from the beginning a process exists that
/// removes the directory. The trap is for a signal to the keeper itself. SIGINT is an immediate
/// shutdown for the server, but a shell starts background processes with SIGINT ignored, and a new
/// server may not have installed its handlers yet: SIGTERM ends such a server. Both signals can be
/// lost between the shell's fork and the server's exec, so they are repeated until the server is
/// gone.
///
/// Its standard output is the lock of the directory: the keeper holds it, and initdb does (as 3),
/// but the server must not.
const KEEPER: &str = r#"
directory=$1 programs=$2 sockets=$3 limits=$4
shift 4
server=
stop() {
    trap '' TERM HUP
    if [ -n "$server" ]; then
        (while kill -TERM "$server" && kill -INT "$server"; do sleep 1; done) </dev/null >/dev/null 2>&1 &
        again=$!
        wait "$server"
        kill -KILL "$again"
    fi 2>/dev/null
    rm -rf "$sockets" "$directory"
    exit 0
}
trap stop TERM HUP
for limit in $limits; do ulimit "-${limit%=*}" "${limit#*=}"; done 2>/dev/null
true >"$directory/initdb.log" || exit 1
if "$programs/initdb" -D "$directory/data" --no-sync --no-instructions "$@" \
    3>&1 >"$directory/initdb.log" 2>&1 </dev/null
then
    cat "$directory/settings.conf" >>"$directory/data/postgresql.auto.conf"
    "$programs/postgres" -D "$directory/data" -k "$sockets" >"$directory/server.log" 2>&1 </dev/null &
    server=$!
else
    mv "$directory/initdb.log" "$directory/initdb.failed"
fi
read -r _ || true
stop
"#;

/// Limits of a server in which code of strangers may run, as far as the system has them: no core
/// files, 2 GB in a file (units of 512 bytes), and 4 GB of address space in a process (units of 1
/// kB). A limit of processes would count all those of the user, also of other programs.
const LIMITS: &str = "c=0 f=4194304 v=4194304";

/// Settings of a server whose data are disposable. (Commits stay synchronous: VACUUM marks a page
/// all-visible only when the commit that filled it is in the WAL. Otherwise index-only scans would
/// look expensive.)
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

/// Maximum time for initdb and the start of the server together.
const START_PATIENCE: Duration = Duration::from_secs(60);

impl Starting {
    /// Waits until the server accepts connections, and calls `should_stop` repeatedly.
    ///
    /// # Errors
    /// When initdb or the server fails ([`ClusterError::Locale`] if only the locale is the reason),
    /// takes more than a minute, or `should_stop` returns true.
    pub fn wait(mut self, should_stop: &dyn Fn() -> bool) -> Result<Cluster, ClusterError> {
        let began = Instant::now();
        while !self.cluster.is_ready() {
            if should_stop() {
                return Err(ClusterError::Interrupted);
            }
            self.check()?;
            if began.elapsed() > START_PATIENCE {
                return Err(ClusterError::Slow {
                    seconds: START_PATIENCE.as_secs(),
                    log: self.cluster.log(),
                });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = fs::remove_file(self.cluster.directory.join(PASSWORD_FILE));
        Ok(self.cluster)
    }

    /// Fails if initdb or the server has failed.
    fn check(&mut self) -> Result<(), ClusterError> {
        let directory = &self.cluster.directory;
        if let Ok(log) = fs::read_to_string(directory.join("initdb.failed")) {
            let refused = self.cluster.locale.refused(&log).map(ClusterError::Locale);
            return Err(refused.unwrap_or(ClusterError::Failed {
                what: "initdb",
                log: tail(&log),
            }));
        }
        let log = self.cluster.log();
        if log.contains("FATAL:") {
            return Err(ClusterError::Failed {
                what: "starting the throwaway server",
                log,
            });
        }
        match (self.cluster.keeper.try_wait(), &self.cluster.user) {
            (Ok(Some(status)), Some(user)) if status.code() == Some(1) => {
                Err(ClusterError::Closed {
                    user: user.name.clone(),
                    directory: directory.clone(),
                })
            }
            (Ok(Some(_)), _) => Err(ClusterError::Failed {
                what: "supervising the throwaway server",
                log,
            }),
            _ => Ok(()),
        }
    }
}

impl Cluster {
    /// Creates and starts a cluster with these binaries, and calls `should_stop` repeatedly.
    ///
    /// # Errors
    /// When there is no directory for it, no user to run it as, or initdb or the server fails
    /// ([`ClusterError::Locale`] if only the locale is the reason).
    pub fn start(
        binaries: &Binaries,
        options: &ClusterOptions,
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Cluster, ClusterError> {
        Cluster::begin(binaries, options)?.wait(should_stop)
    }

    /// The first half of [`Cluster::start`]: returns at once, while initdb runs in the background.
    /// Also in the background, it removes the servers that killed processes left.
    ///
    /// # Errors
    /// When there is no directory for it, no user to run it as, no shell, or no such locale in that
    /// version of PostgreSQL.
    pub fn begin(binaries: &Binaries, options: &ClusterOptions) -> Result<Starting, ClusterError> {
        let mut arguments = options.locale.arguments(binaries.major)?;
        if options.without_checksums && binaries.major >= 18 {
            arguments.push("--no-data-checksums".to_owned());
        }
        let user = server_user()?;
        // The keeper runs in another directory.
        let place = std::path::absolute(std::env::temp_dir()).unwrap_or_else(|_| "/tmp".into());
        let cannot = |error| ClusterError::Directory {
            place: place.clone(),
            error,
        };
        let (directory, lock) = stale::claim(&place).map_err(cannot)?;
        let credentials = Credentials::new(options.access).map_err(cannot)?;
        credentials.write(directory.path()).map_err(cannot)?;
        arguments.extend(credentials.arguments(directory.path()));
        fs::write(
            directory.path().join("settings.conf"),
            format!("{SETTINGS}{}", options.settings),
        )
        .map_err(cannot)?;
        let sockets = Sockets::of(directory.path(), user.as_ref()).map_err(cannot)?;
        own(directory.path(), user.as_ref()).map_err(cannot)?;
        let mut shell = command(Path::new("/bin/sh"), user.as_ref());
        shell
            .arg("-c")
            .arg(KEEPER)
            .arg("pgrehearse-keeper")
            .arg(directory.path())
            .arg(&binaries.directory)
            .arg(sockets.path())
            .arg(match options.access {
                Access::Trust => "",
                Access::Password => LIMITS,
            });
        shell
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(lock.try_clone().map_err(cannot)?)
            .stderr(Stdio::null());
        let started = match options.access {
            Access::Trust => shell.spawn().map(|keeper| (keeper, Confinement::default())),
            Access::Password => confine::spawn(
                &mut shell,
                &[directory.path(), sockets.path()],
                &binaries.directory,
            ),
        };
        let (keeper, confinement) = started.map_err(|error| ClusterError::Run {
            program: "/bin/sh".to_owned(),
            error,
        })?;
        // From here on the keeper removes the directories.
        let locale = options.locale.clone();
        let cluster = Cluster {
            directory: directory.keep(),
            sockets: sockets.keep(),
            user: user.clone(),
            keeper,
            locale,
            credentials,
            confinement,
            _lock: lock,
        };
        std::thread::spawn(move || stale::sweep(&place, user.as_ref()));
        Ok(Starting { cluster })
    }

    /// A connection string for its superuser and the database `postgres`.
    pub fn conninfo(&self) -> String {
        self.conninfo_of("postgres")
    }

    /// A connection string for its superuser and a database.
    pub fn conninfo_of(&self, database: &str) -> String {
        let host = self.sockets.display();
        let credentials = &self.credentials;
        format!("host={host} port=5432 {credentials} dbname={database}")
    }

    /// A connection string for another role with a password, and the database `postgres`; both are
    /// quoted.
    pub fn conninfo_as(&self, role: &str, password: &str) -> String {
        format!(
            "host={} port=5432 user={} password={} dbname=postgres",
            self.sockets.display(),
            access::quote(role),
            access::quote(password)
        )
    }

    /// What the operating system forbids its processes.
    pub fn confinement(&self) -> Confinement {
        self.confinement
    }

    /// Does every connection need a password that only this process knows?
    pub fn needs_password(&self) -> bool {
        self.credentials.has_password()
    }

    /// Its encoding and locale, as requested.
    pub fn locale(&self) -> &ClusterLocale {
        &self.locale
    }

    /// Its directory.
    #[cfg(any(test, feature = "internals"))]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The server's data directory, with `base` and `global`.
    pub fn data_directory(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The user who must own the files in the data directory, because the server could not open
    /// them otherwise; `None` when the server runs as our user.
    pub fn server_user(&self) -> Option<&ServerUser> {
        self.user.as_ref()
    }

    /// The last line of postmaster.pid says "ready" once connections are accepted
    /// (src/include/utils/pidfile.h).
    fn is_ready(&self) -> bool {
        let file =
            fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default();
        file.lines()
            .next_back()
            .is_some_and(|line| line.trim() == "ready")
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
        // The keeper failed or was killed.
        if self.directory.exists() {
            stale::dispose(&self.directory, self.user.as_ref());
        }
    }
}

/// Gives the directory, and what is in it already, to the server's user.
fn own(directory: &Path, user: Option<&ServerUser>) -> io::Result<()> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    let Some(user) = user else { return Ok(()) };
    for path in [
        directory.join(stale::LOCK),
        directory.join("settings.conf"),
        directory.join(PASSWORD_FILE),
        directory.join(sockets::NAMED_IN),
        directory.to_owned(),
    ]
    .iter()
    .filter(|path| path.exists())
    {
        std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid))?;
    }
    Ok(())
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
