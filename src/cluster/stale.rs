//! Throwaway servers whose owner and keeper were both killed. The next process that starts a server
//! finds and removes them.
//!
//! Each directory has a file `lock`. The owner and its keeper hold one lock on it together (flock):
//! it is free only when both are gone, in whatever way they ended. The process that gets the lock
//! owns the directory and may use or remove it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg, OFlag};
use nix::unistd::Uid;
use tempfile::TempDir;

use super::sockets;
use super::user::{ServerUser, command};

/// The file that is locked.
pub(super) const LOCK: &str = "lock";

const PREFIX: &str = "pgrehearse-";

/// After an immediate shutdown, the server itself kills its remaining processes after 5 s.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// A new directory, locked. Before it is locked, another process may take it for a stale one and
/// remove it; then another directory is made.
pub(super) fn claim(place: &Path) -> io::Result<(TempDir, Flock<File>)> {
    loop {
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(place)?;
        let file = match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(directory.path().join(LOCK))
        {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        match lock(file) {
            Ok(Some(lock)) => return Ok((directory, lock)),
            Ok(None) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The lock, unless another process holds it, or held it and removed the file.
fn lock(file: File) -> io::Result<Option<Flock<File>>> {
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(if lock.metadata()?.nlink() > 0 {
            Some(lock)
        } else {
            None
        }),
        Err((_, nix::Error::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(error.into()),
    }
}

/// Removes stale servers in the directory for temporary files. What cannot be removed stays,
/// without a message.
pub(super) fn sweep(place: &Path, user: Option<&ServerUser>) {
    let Ok(entries) = fs::read_dir(place) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        if let Some(_lock) = abandoned(&entry.path(), user) {
            dispose(&entry.path(), user);
        }
    }
}

/// The lock of a directory that a pgrehearse process made and that no process uses now. A directory
/// without a lock file is not ours.
fn abandoned(directory: &Path, user: Option<&ServerUser>) -> Option<Flock<File>> {
    let is_ours =
        |uid: u32| uid == Uid::effective().as_raw() || user.is_some_and(|user| user.uid == uid);
    let metadata = fs::symlink_metadata(directory).ok()?;
    if !metadata.is_dir() || !is_ours(metadata.uid()) {
        return None;
    }
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(directory.join(LOCK))
        .ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || !is_ours(metadata.uid()) {
        return None;
    }
    lock(file).ok().flatten()
}

/// Stops the server of a directory, if one is running, and removes the directory. The lock file is
/// removed last, so that the next attempt finds what a failed one left. All of this runs as the
/// server's user, without root's privileges.
pub(super) fn dispose(directory: &Path, user: Option<&ServerUser>) {
    let Ok(metadata) = fs::symlink_metadata(directory) else {
        return;
    };
    // A directory that was made but not yet given to that user belongs to root.
    let user = user.filter(|user| user.uid == metadata.uid());
    if !stop_server(&directory.join("data"), user) {
        return;
    }
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let contents = entries
        .filter(|entry| entry.file_name() != LOCK)
        .map(|entry| entry.path());
    // The socket's directory first, because a file among the contents names it.
    let removed = remove(sockets::left_by(directory).into_iter().collect(), user)
        && remove(contents.collect(), user);
    if removed {
        remove(vec![directory.to_owned()], user);
        // The directory is empty, but its parent is not writable for the server's user.
        let _ = fs::remove_dir(directory);
    }
}

/// Whether all of them are gone.
fn remove(paths: Vec<PathBuf>, user: Option<&ServerUser>) -> bool {
    paths.is_empty()
        || run(command(Path::new("rm"), user)
            .arg("-rf")
            .arg("--")
            .args(paths))
}

fn run(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether its server has ended.
fn stop_server(data: &Path, user: Option<&ServerUser>) -> bool {
    let Some(server) = Postmaster::of(data) else {
        return true;
    };
    let began = Instant::now();
    while server.is_running() {
        // Repeated, because a server that has just started may not have installed its signal
        // handlers.
        run(command(Path::new("/bin/sh"), user)
            .arg("-c")
            .arg("kill -QUIT \"$1\"")
            .arg("sh")
            .arg(&server.pid));
        if began.elapsed() > STOP_PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// What a data directory contains about its server.
struct Postmaster {
    pid: String,
    data: String,
}

impl Postmaster {
    /// From postmaster.pid: the first line is the process, the second one the data directory
    /// (src/include/utils/pidfile.h).
    fn of(data: &Path) -> Option<Postmaster> {
        let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let (pid, named) = (lines.next()?.trim(), lines.next()?);
        let is_number = !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit());
        let is_here = fs::canonicalize(named).ok()? == fs::canonicalize(data).ok()?;
        (is_number && is_here).then(|| Postmaster {
            pid: pid.to_owned(),
            data: named.to_owned(),
        })
    }

    /// Whether that process is a server of that directory, and not another process with the same
    /// number: its command line must be the one that the keeper used.
    fn is_running(&self) -> bool {
        command_line(&self.pid).contains(&format!("/postgres -D {} -k ", self.data))
    }
}

/// The command line of a process; empty when there is none.
fn command_line(pid: &str) -> String {
    if Path::new("/proc/self/cmdline").exists() {
        let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        return String::from_utf8_lossy(&bytes).replace('\0', " ");
    }
    let output = command(Path::new("ps"), None)
        .args(["-ww", "-o", "command=", "-p", pid])
        .output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}
