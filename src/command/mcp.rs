//! `pgrehearse mcp`: the tools of [`crate::mcp`], each of them this program with other arguments.
//!
//! A process of its own for each call: what it does is what the command line does, a call that
//! fails takes nothing with it, and no credentials are in a message, because the connection is that of the
//! options and of the environment. Nothing is built or executed: `advise` runs with
//! `--rehearse=twin`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::config::NO_CONFIG;
use super::{CommandError, Outcome};
use super::{snapshot, twin_resources};
use crate::cli::{Cli, McpArgs};
use crate::mcp::{self, AdviseParameters, CheckParameters, Resource, ToolRequest, Tools};

/// Columns of texts for assistants.
const COLUMNS: &str = "110";

/// A longer answer is cut.
const MAX_BYTES: usize = 60_000;

pub(super) fn run(cli: &Cli, arguments: &McpArgs) -> Result<Outcome, CommandError> {
    let failed = |error: std::io::Error| CommandError::Other(error.to_string());
    if cli.connection.asks_for_password() {
        let message =
            "nobody can be asked for a password here: use .pgpass, a service or PGPASSWORD";
        return Err(CommandError::Usage(message.to_owned()));
    }
    if let Some(file) = &arguments.snapshot {
        std::fs::File::open(file).map_err(|error| CommandError::unreadable(file, &error))?;
    }
    let tools = Arc::new(Program {
        program: std::env::current_exe().map_err(failed)?,
        connection: cli.connection.arguments(),
        snapshot: arguments.snapshot.clone(),
        directory: tempfile::tempdir().map_err(failed)?,
        running: Mutex::default(),
    });
    let served = mcp::serve(Arc::<Program>::clone(&tools));
    tools.interrupt();
    served.map_err(CommandError::Other)?;
    Ok(Outcome::Done)
}

/// This program, run once for each call.
struct Program {
    program: PathBuf,
    connection: Vec<OsString>,
    snapshot: Option<PathBuf>,
    /// Holds the recording of the last advice.
    directory: TempDir,
    /// The processes of the calls that go on.
    running: Mutex<BTreeSet<u32>>,
}

impl Tools for Program {
    fn answer(&self, request: ToolRequest) -> Result<String, String> {
        match request {
            ToolRequest::Explain { sql } => self.explain(sql),
            ToolRequest::Review { plan } => {
                let arguments = words(&["review", "-", "--format", "text"]);
                self.output(arguments, Some(&plan))
            }
            ToolRequest::Advise(parameters) => self.advise(parameters),
            ToolRequest::Check(parameters) => self.check(parameters),
            ToolRequest::Recommendation { id } => self.part("--explain", &id),
            ToolRequest::Statement { name } => self.part("--statement", &name),
        }
    }

    fn resources(&self) -> Vec<Resource> {
        match &self.snapshot {
            Some(_) => twin_resources::list(),
            None => Vec::new(),
        }
    }

    fn read(&self, name: &str) -> Result<Option<String>, String> {
        let Some(path) = &self.snapshot else {
            return Ok(None);
        };
        if !twin_resources::list().iter().any(|one| one.name == name) {
            return Ok(None);
        }
        let file = snapshot::read_whole(path).map_err(|error| error.to_string())?;
        Ok(twin_resources::text_of(&file, name).map(shortened))
    }
}

impl Program {
    fn recording(&self) -> PathBuf {
        self.directory.path().join("advice.json")
    }

    /// Where the planner is: a twin file, or the server.
    fn source(&self) -> Vec<OsString> {
        match &self.snapshot {
            Some(file) => vec!["--snapshot".into(), file.into()],
            None => self.connection.clone(),
        }
    }

    fn explain(&self, sql: String) -> Result<String, String> {
        let mut arguments = match &self.snapshot {
            Some(_) => words(&["advise", "--rehearse=off", "--verbose"]),
            None => words(&["explain", "--format", "text"]),
        };
        arguments.extend(self.source());
        arguments.extend(["--command".into(), sql.into()]);
        self.output(arguments, None)
    }

    fn advise(&self, parameters: AdviseParameters) -> Result<String, String> {
        let mut arguments = words(&["advise", "--rehearse=twin", "--format", "text"]);
        arguments.extend(self.source());
        arguments.extend(["--record".into(), self.recording().into()]);
        match (
            &parameters.sql,
            parameters.pg_stat_statements,
            &self.snapshot,
        ) {
            (Some(_), true, _) => {
                return Err("give sql or pg_stat_statements, not both".to_owned());
            }
            (None, true, Some(_)) => {
                return Err("there is no server: a twin file has its own workload".to_owned());
            }
            (Some(_), false, _) | (None, false, Some(_)) => {}
            (None, true, None) => arguments.push("--pg-stat-statements".into()),
            (None, false, None) => {
                return Err("no workload: give sql, or set pg_stat_statements".to_owned());
            }
        }
        let options = [
            ("--command", parameters.sql),
            ("--budget", parameters.budget),
            (
                "--max-indexes",
                parameters.max_indexes.map(|number| number.to_string()),
            ),
            ("--top", parameters.top.map(|number| number.to_string())),
        ];
        for (option, value) in options {
            if let Some(value) = value {
                arguments.push(format!("{option}={value}").into());
            }
        }
        // What a failed run leaves must not be taken for the advice.
        let _ = std::fs::remove_file(self.recording());
        self.output(arguments, None)
    }

    fn check(&self, parameters: CheckParameters) -> Result<String, String> {
        let mut arguments = words(&["check", "--format=text", "--migrate=-"]);
        arguments.extend(self.source());
        match (parameters.sql, &self.snapshot) {
            (Some(sql), _) => arguments.push(format!("--command={sql}").into()),
            (None, Some(_)) => {}
            (None, None) => return Err("no workload: give sql".to_owned()),
        }
        self.output(arguments, Some(&parameters.migration))
    }

    /// A part of the last advice.
    fn part(&self, option: &str, name: &str) -> Result<String, String> {
        let recording = self.recording();
        if !recording.exists() {
            return Err("there is no advice yet: call advise first".to_owned());
        }
        let mut arguments = vec!["review".into(), recording.into()];
        arguments.push(format!("{option}={name}").into());
        self.output(arguments, None)
    }

    /// What the program prints.
    fn output(&self, arguments: Vec<OsString>, input: Option<&str>) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .args(["--color=never", "--progress=none", "--quiet"])
            .env("COLUMNS", COLUMNS)
            // No file may turn --analyze on.
            .env(NO_CONFIG, "1")
            .stdin(input.map_or_else(Stdio::null, |_| Stdio::piped()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let id = child.id();
        self.running().insert(id);
        let mut stdin = child.stdin.take();
        let text = input.unwrap_or_default().to_owned();
        // The program may print before it has read everything.
        let writer = std::thread::spawn(move || {
            if let Some(stdin) = &mut stdin {
                let _ = stdin.write_all(text.as_bytes());
            }
        });
        let output = child.wait_with_output();
        self.running().remove(&id);
        let _ = writer.join();
        let output = output.map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| shortened(String::from_utf8_lossy(bytes).into_owned());
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&[output.stdout, output.stderr].concat()))
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeSet<u32>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks what still runs to roll back and end.
    fn interrupt(&self) {
        for id in self.running().iter() {
            if let Ok(id) = i32::try_from(*id) {
                let _ = kill(Pid::from_raw(id), Signal::SIGINT);
            }
        }
    }
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn shortened(mut text: String) -> String {
    if text.len() <= MAX_BYTES {
        return text;
    }
    let mut end = MAX_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push_str("\n… cut: ask for one recommendation or statement\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_answers_are_cut_between_characters() {
        let text = shortened("é".repeat(MAX_BYTES));
        assert!(text.len() < MAX_BYTES + 100 && text.contains("… cut:"));
        assert_eq!(shortened("short".to_owned()), "short");
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        let tools = Program {
            program: PathBuf::from("/nowhere/pgrehearse"),
            connection: Vec::new(),
            snapshot: None,
            directory: tempfile::tempdir().unwrap(),
            running: Mutex::default(),
        };
        let advise = |parameters| tools.answer(ToolRequest::Advise(parameters)).unwrap_err();
        assert!(advise(AdviseParameters::default()).starts_with("no workload"));
        let both = AdviseParameters {
            sql: Some("SELECT 1".to_owned()),
            pg_stat_statements: true,
            ..AdviseParameters::default()
        };
        assert!(advise(both).contains("not both"));
        let name = "r1".to_owned();
        let part = tools.answer(ToolRequest::Statement { name }).unwrap_err();
        assert!(part.contains("call advise first"));
    }
}
