//! What the operating system can forbid a throwaway server in which code of strangers may run: the
//! second line behind the rights that this code has in SQL.
//!
//! Landlock and seccomp restrict the thread that calls them and what it starts, for good. So a
//! thread of its own restricts itself, starts the keeper, and ends; the keeper's initdb and server
//! inherit everything, and so does whatever they would start.

use std::io;
use std::path::Path;
use std::process::{Child, Command};

/// What the system forbids a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Files: it may write in its own directory only, and read what programs need (Linux 5.13 and
    /// later, Landlock).
    pub files: bool,
    /// The network, and programs with more privileges than their caller (Linux, seccomp).
    pub network: bool,
}

/// Starts a command that is confined as far as the system can: it writes in these directories only.
pub(super) fn spawn(
    command: &mut Command,
    writable: &[&Path],
    programs: &Path,
) -> io::Result<(Child, Confinement)> {
    let start = || {
        let confinement = system::confine(writable, programs);
        command.spawn().map(|child| (child, confinement))
    };
    std::thread::scope(|threads| threads.spawn(start).join())
        .unwrap_or_else(|_| Err(io::Error::other("the thread that starts it has failed")))
}

#[cfg(target_os = "linux")]
mod system {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use landlock::{
        ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
        RulesetStatus, Scope, path_beneath_rules,
    };
    use nix::libc;
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, TargetArch,
    };

    use super::Confinement;

    /// What programs of a distribution consist of, and what they read.
    const READABLE: &[&str] = &[
        "/bin",
        "/dev",
        "/etc",
        "/gnu/store",
        "/lib",
        "/lib32",
        "/lib64",
        "/nix/store",
        "/opt",
        "/proc",
        "/sbin",
        "/sys",
        "/usr",
        "/var/cache/postgresql",
        "/var/lib/sss",
    ];

    /// Restricts this thread.
    pub(super) fn confine(writable: &[&Path], programs: &Path) -> Confinement {
        let status = landlock(writable, &readable(programs));
        Confinement {
            files: status.is_ok_and(|status| status != RulesetStatus::NotEnforced),
            network: seccomp().is_some_and(|filter| seccompiler::apply_filter(&filter).is_ok()),
        }
    }

    /// What the server programs may read: everything, if they do not run with less. (They may need
    /// libraries at an unusual place.)
    fn readable(programs: &Path) -> Vec<PathBuf> {
        let programs = programs.canonicalize().unwrap_or(programs.to_owned());
        let mut readable: Vec<PathBuf> = READABLE.iter().map(PathBuf::from).collect();
        readable.extend(installation(&programs));
        let probe = || {
            let mut postgres = Command::new(programs.join("postgres"));
            postgres
                .arg("--version")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            landlock(&[], &readable).is_ok()
                && postgres.status().is_ok_and(|status| status.success())
        };
        let runs = std::thread::scope(|threads| threads.spawn(probe).join());
        if runs.is_ok_and(|runs| runs) {
            readable
        } else {
            vec![PathBuf::from("/")]
        }
    }

    /// The directory that an installation is in: above `bin`, and all of Homebrew.
    fn installation(programs: &Path) -> Vec<PathBuf> {
        let homebrew = programs
            .ancestors()
            .find(|path| path.ends_with("Cellar"))
            .and_then(Path::parent);
        let above = match programs.parent() {
            Some(above) if programs.ends_with("bin") && above != Path::new("/") => above,
            _ => programs,
        };
        std::iter::once(above)
            .chain(homebrew)
            .map(Path::to_owned)
            .collect()
    }

    /// Everything that is not listed here is forbidden. The keeper removes the directories
    /// themselves, so it may remove directories, which are empty then, where they are.
    fn landlock(writable: &[&Path], readable: &[PathBuf]) -> Result<RulesetStatus, RulesetError> {
        let abi = ABI::V6;
        let above = writable.iter().filter_map(|path| path.parent());
        let status = Ruleset::default()
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::from_all(abi))?
            .scope(Scope::from_all(abi))?
            .create()?
            .add_rules(path_beneath_rules(readable, AccessFs::from_read(abi)))?
            .add_rules(path_beneath_rules(["/dev/null"], AccessFs::from_file(abi)))?
            .add_rules(path_beneath_rules(writable, AccessFs::from_all(abi)))?
            .add_rules(path_beneath_rules(above, AccessFs::RemoveDir))?
            .restrict_self()?;
        Ok(status.ruleset)
    }

    /// Sockets only between processes of this machine, and no calls that get around that, look into
    /// other processes or change what this one sees.
    fn seccomp() -> Option<BpfProgram> {
        let is_network = SeccompCondition::new(
            0,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::Ne,
            libc::AF_UNIX.unsigned_abs().into(),
        );
        let network = SeccompRule::new(vec![is_network.ok()?]).ok()?;
        let mut rules = BTreeMap::from([(libc::SYS_socket, vec![network])]);
        rules.extend(
            [
                libc::SYS_io_uring_setup,
                libc::SYS_ptrace,
                libc::SYS_process_vm_readv,
                libc::SYS_process_vm_writev,
                libc::SYS_bpf,
                libc::SYS_unshare,
                libc::SYS_setns,
                libc::SYS_mount,
            ]
            .map(|call| (call, Vec::new())),
        );
        let filter = SeccompFilter::new(
            rules,
            SeccompAction::Allow,
            SeccompAction::Errno(libc::EACCES.unsigned_abs()),
            TargetArch::try_from(std::env::consts::ARCH).ok()?,
        );
        filter.ok()?.try_into().ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::Path;

    use super::Confinement;

    /// This system has nothing that a program may use without rights.
    pub(super) fn confine(_: &[&Path], _: &Path) -> Confinement {
        Confinement::default()
    }
}
