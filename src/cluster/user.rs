//! The user that runs the server's programs: PostgreSQL refuses to run as root.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User};

use super::error::ClusterError;

/// The user that a server runs as when we are root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUser {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
}

/// Root may not run a server, so it needs another user. Every other user runs it directly.
pub(super) fn server_user() -> Result<Option<ServerUser>, ClusterError> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let known = ["postgres", "nobody"]
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten());
    let user = known.ok_or(ClusterError::NoUser)?;
    Ok(Some(ServerUser {
        name: user.name,
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
    }))
}

/// A command that runs as that user, without our environment.
pub(super) fn command(program: &Path, user: Option<&ServerUser>) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    // Only we handle a Ctrl-C in the terminal; the program must not get it.
    command.process_group(0);
    command
}
