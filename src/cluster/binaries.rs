//! Where PostgreSQL's server programs are: found by the same script that `make` uses, so that there
//! is one list of places.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Finds a server installation (14–18) or installs one with the system's package manager. The
/// search takes about 30 ms; finding out what could be installed takes a second or two.
const SCRIPT: &str = include_str!("../../scripts/ensure-postgres.sh");

/// Names the directory to use instead of searching.
const VARIABLE: &str = "PGREHEARSE_PG_BIN";

/// A directory with `initdb` and `postgres` of a supported version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The directory.
    pub directory: PathBuf,
    /// Their major version, as 15.
    pub major: u32,
}

/// What to do when there are no server programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    /// Install them with the system's package manager, and print every command on standard error.
    Install,
    /// Say in the error what to install. Finding that out takes a second or two.
    Explain,
    /// Nothing: the error says only that there are none.
    #[cfg(test)]
    Leave,
}

/// There are no server programs.
#[derive(Debug, thiserror::Error)]
pub enum BinariesError {
    /// The script could not be run.
    #[error("could not look for PostgreSQL's server programs: {0}")]
    Script(#[from] std::io::Error),
    /// No server programs are installed.
    #[error("{}", missing(.major.as_ref(), advice))]
    Missing {
        /// The requested version; `None` if any supported version was requested.
        major: Option<u32>,
        /// What to do about it, in lines; empty if it was already printed or not requested.
        advice: String,
    },
    /// The given directory has another version.
    #[error(
        "the server programs in {} are of PostgreSQL {found}, but PostgreSQL {wanted} is needed: name their directory with \
         --pg-bin or {VARIABLE}",
        directory.display()
    )]
    WrongMajor {
        /// The directory.
        directory: PathBuf,
        /// The major version of what is there.
        found: u32,
        /// The version that is needed.
        wanted: u32,
    },
    /// The given directory has no server programs of PostgreSQL.
    #[error("{} is not the directory of a PostgreSQL server's programs: {reason}", directory.display())]
    NotADirectoryOfPrograms {
        /// The directory.
        directory: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

fn missing(major: Option<&u32>, advice: &str) -> String {
    let wanted = major.map_or_else(
        || "PostgreSQL server (14 to 18)".to_owned(),
        |major| format!("PostgreSQL {major} server"),
    );
    let mut text = format!("no {wanted} is installed on this machine");
    if major.is_some() {
        text += ": install it, or name the directory of its programs with --pg-bin";
    }
    if !advice.is_empty() {
        let _ = write!(text, "\n{advice}");
    }
    text
}

impl Binaries {
    /// Looks for the server programs of any supported version.
    ///
    /// # Errors
    /// When there are none, and none could be installed.
    pub fn find(when_missing: WhenMissing) -> Result<Binaries, BinariesError> {
        search(None, when_missing, &path())
    }

    /// The server programs in this directory, of any version.
    ///
    /// # Errors
    /// When there are none.
    pub fn in_directory(directory: &Path) -> Result<Binaries, BinariesError> {
        check(directory, None)
    }

    /// The server programs of one major version: those in `pg_bin`, otherwise in the directory that
    /// the variable `PGREHEARSE_PG_BIN` names, otherwise those that the search finds.
    ///
    /// # Errors
    /// When the given directory has another version, or there are no such programs and none could
    /// be installed.
    pub fn find_major(
        major: u32,
        pg_bin: Option<&Path>,
        when_missing: WhenMissing,
    ) -> Result<Binaries, BinariesError> {
        let variable = std::env::var_os(VARIABLE)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        match pg_bin.or(variable.as_deref()) {
            Some(directory) => check(directory, Some(major)),
            None => search(Some(major), when_missing, &path()),
        }
    }
}

/// Where the script's own programs are (`sed`, `find`), if PATH does not say.
const SYSTEM_PATH: &str = "/usr/bin:/bin";

/// The PATH, and after it the system's own directories.
fn path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    if !path.is_empty() {
        path.push(":");
    }
    path.push(SYSTEM_PATH);
    path
}

/// Runs the script with these directories as the PATH.
fn search(
    major: Option<u32>,
    when_missing: WhenMissing,
    path: &OsStr,
) -> Result<Binaries, BinariesError> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-s").arg("--").env("PATH", path);
    if let Some(major) = major {
        shell
            .arg("--major")
            .arg(major.to_string())
            .env_remove(VARIABLE);
    }
    match when_missing {
        WhenMissing::Install => &mut shell,
        WhenMissing::Explain => shell.arg("--check").stderr(Stdio::piped()),
        #[cfg(test)]
        WhenMissing::Leave => shell.args(["--check", "--quiet"]).stderr(Stdio::piped()),
    };
    let mut running = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut input) = running.stdin.take() {
        // The script may end before it has read all its input.
        let _ = input.write_all(SCRIPT.as_bytes());
    }
    let output = running.wait_with_output()?;
    let directory = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !directory.is_empty() {
        return check(Path::new(&directory), major);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said
        .lines()
        .map(|line| line.strip_prefix("ensure-postgres: ").unwrap_or(line))
        .collect();
    Err(BinariesError::Missing {
        major,
        advice: lines.join("\n"),
    })
}

/// Whether these are programs of that version; asks the programs.
fn check(directory: &Path, wanted: Option<u32>) -> Result<Binaries, BinariesError> {
    let fault = |reason: String| BinariesError::NotADirectoryOfPrograms {
        directory: directory.to_owned(),
        reason,
    };
    if !directory.is_dir() {
        return Err(fault("it is not a directory".to_owned()));
    }
    let found = version_of(&directory.join("postgres")).map_err(fault)?;
    let initdb = version_of(&directory.join("initdb")).map_err(fault)?;
    if found != initdb {
        return Err(fault(format!(
            "its postgres is of version {found}, its initdb of version {initdb}"
        )));
    }
    match wanted {
        Some(wanted) if wanted != found => Err(BinariesError::WrongMajor {
            directory: directory.to_owned(),
            found,
            wanted,
        }),
        _ => Ok(Binaries {
            directory: std::path::absolute(directory)?,
            major: found,
        }),
    }
}

/// The major version of a program: 15 of "postgres (PostgreSQL) 15.18 (Debian …)".
fn version_of(program: &Path) -> Result<u32, String> {
    let name = program.file_name().unwrap_or_default().display();
    if !program.is_file() {
        return Err(format!("it has no {name}"));
    }
    // The program runs in another directory, where a relative path would name another file.
    let output = Command::new(std::path::absolute(program).map_err(|error| error.to_string())?)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("its {name} does not run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let version = said
        .split_once("(PostgreSQL) ")
        .map(|(_, version)| version.split(|c: char| !c.is_ascii_digit()));
    let major = version
        .and_then(|mut numbers| numbers.next())
        .and_then(|major| major.parse().ok());
    major.ok_or_else(|| {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if words.is_empty() {
            format!("its {name} is not PostgreSQL's")
        } else {
            format!("its {name} says: {words}")
        }
    })
}

#[cfg(test)]
mod tests {

    use tempfile::TempDir;

    use super::*;

    /// A directory of programs that only print a version.
    fn programs(versions: &[(&str, &str)]) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, version) in versions {
            let file = directory.path().join(name);
            write_program(&file, &format!("echo '{name} (PostgreSQL) {version}'"));
        }
        directory
    }

    /// Another process writes the file: a child that another test starts at the same time would
    /// inherit our open file, and a file that is open for writing cannot be executed ("text file
    /// busy").
    fn write_program(file: &Path, commands: &str) {
        let write = "printf '#!/bin/sh\n%s\n' \"$1\" > \"$0\" && chmod 755 \"$0\"";
        let status = Command::new("sh")
            .args(["-c", write])
            .arg(file)
            .arg(commands)
            .status()
            .unwrap();
        assert!(status.success());
    }

    fn all(version: &str) -> TempDir {
        programs(&[
            ("postgres", version),
            ("initdb", version),
            ("pg_ctl", version),
        ])
    }

    #[test]
    fn a_directory_that_was_named_is_asked_for_its_version() {
        let seventeen = all("17.3 (Debian 17.3-1)");
        let found = Binaries::find_major(17, Some(seventeen.path()), WhenMissing::Leave).unwrap();
        assert_eq!(
            found,
            Binaries {
                directory: seventeen.path().to_owned(),
                major: 17
            }
        );
        let error =
            Binaries::find_major(15, Some(seventeen.path()), WhenMissing::Install).unwrap_err();
        assert!(
            matches!(
                error,
                BinariesError::WrongMajor {
                    found: 17,
                    wanted: 15,
                    ..
                }
            ),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains("are of PostgreSQL 17, but PostgreSQL 15 is needed"),
            "{error}"
        );
        let to_come = all("19beta1");
        assert_eq!(check(to_come.path(), None).unwrap().major, 19);
    }

    #[test]
    fn a_directory_without_programs_is_none() {
        let reason = |directory: &Path| match check(directory, Some(17)).unwrap_err() {
            BinariesError::NotADirectoryOfPrograms { reason, .. } => reason,
            other => panic!("{other}"),
        };
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(reason(empty.path()), "it has no postgres");
        assert_eq!(reason(&empty.path().join("gone")), "it is not a directory");
        let mixed = programs(&[("postgres", "17.3"), ("initdb", "16.9")]);
        assert_eq!(
            reason(mixed.path()),
            "its postgres is of version 17, its initdb of version 16"
        );
        let client = programs(&[("postgres", "17.3")]);
        assert_eq!(reason(client.path()), "it has no initdb");
        write_program(
            &client.path().join("initdb"),
            "echo 'no library' >&2; exit 127",
        );
        assert_eq!(reason(client.path()), "its initdb says: no library");
    }

    #[test]
    fn the_search_takes_the_version_wanted_and_no_other() {
        let (fifteen, seventeen) = (all("15.2"), all("17.3"));
        let path = std::env::join_paths([
            fifteen.path(),
            seventeen.path(),
            Path::new("/usr/bin"),
            Path::new("/bin"),
        ]);
        let path = path.unwrap();
        for (wanted, directory) in [(17, &seventeen), (15, &fifteen)] {
            let found = search(Some(wanted), WhenMissing::Leave, &path).unwrap();
            assert_eq!(
                found,
                Binaries {
                    directory: directory.path().to_owned(),
                    major: wanted
                }
            );
        }
    }

    /// Version 13 is not supported, so the search never finds it.
    #[test]
    fn what_is_missing_is_said() {
        let path = path();
        let error = search(Some(13), WhenMissing::Explain, &path).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no PostgreSQL 13 server is installed on this machine: install it, or name the directory of its programs with --pg-bin\n\
             --major 13: supported are 14 to 18"
        );
        let error = BinariesError::Missing {
            major: None,
            advice: String::new(),
        };
        assert_eq!(
            error.to_string(),
            "no PostgreSQL server (14 to 18) is installed on this machine"
        );
    }
}
