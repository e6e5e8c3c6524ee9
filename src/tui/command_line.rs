//! The commands that `:` takes: a table for dispatch, completion and help, as the key table is for
//! keys.

use super::keymap::{Action, Screen};
use super::screen::indexes::IndexSort;
use super::screen::workload::Sort;

/// What a command does.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// The same as a key.
    Do(Action),
    /// A new index.
    NewIndex,
    /// Sort the statements.
    SortStatements(Sort),
    /// Sort the indexes.
    SortIndexes(IndexSort),
    /// Switch on so many of the recommended indexes, the best first.
    Best(usize),
    /// Write what is shown, the DDL, the report or the recording.
    Write(WriteWhat, String),
    /// Stop the search.
    Stop,
    /// Leave the mouse to the terminal, or take it.
    TakeMouse(bool),
    /// Quit without asking.
    QuitAnyway,
}

/// What a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteWhat {
    /// What is on the screen.
    Shown,
    /// The DDL of the indexes that are on.
    Ddl,
    /// The report.
    Report,
    /// The recording.
    Recording,
}

/// A command's name, what it takes, and what it does.
struct Known {
    name: &'static str,
    takes: &'static str,
    parse: fn(&str) -> Result<Command, String>,
}

const COMMANDS: &[Known] = &[
    known("all", "", |_| Ok(Command::Do(Action::EnableRecommended))),
    known("best", "N", best),
    known("ddl", "FILE", |rest| write(WriteWhat::Ddl, rest)),
    known("edit", "", |_| Ok(Command::Do(Action::EditIndex))),
    known("help", "", |_| Ok(Command::Do(Action::Help))),
    known("mouse", "on|off", mouse),
    known("new", "", |_| Ok(Command::NewIndex)),
    known("none", "", |_| Ok(Command::Do(Action::DisableAll))),
    known("print", "", |_| Ok(Command::Do(Action::PrintOnExit))),
    known("quit", "", |_| Ok(Command::Do(Action::Quit))),
    known("quit!", "", |_| Ok(Command::QuitAnyway)),
    known("read", "", |_| Ok(Command::Do(Action::ReadStatement))),
    known("record", "FILE.json", |rest| {
        write(WriteWhat::Recording, rest)
    }),
    known("redo", "", |_| Ok(Command::Do(Action::Redo))),
    known(
        "report",
        "FILE.txt|.html|.md|.json|.sql",
        |rest| match rest.is_empty() {
            true => Ok(Command::Do(Action::Show(Screen::Report))),
            false => write(WriteWhat::Report, rest),
        },
    ),
    known("resume", "", |_| Ok(Command::Do(Action::Retry))),
    known("sort", "COLUMN", sort),
    known("stop", "", |_| Ok(Command::Stop)),
    known("undo", "", |_| Ok(Command::Do(Action::Undo))),
    known("verify", "", |_| Ok(Command::Do(Action::Verify))),
    known("write", "FILE", |rest| write(WriteWhat::Shown, rest)),
];

const fn known(
    name: &'static str,
    takes: &'static str,
    parse: fn(&str) -> Result<Command, String>,
) -> Known {
    Known { name, takes, parse }
}

/// The command in a line. A name may be as short as it is clear; `q`, `q!` and `w` are those of vi.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn parse(line: &str) -> Result<Command, String> {
    let line = line.trim();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let name = match name {
        "q" => "quit",
        "q!" => "quit!",
        "w" => "write",
        other => other,
    };
    let mut exact = COMMANDS.iter().filter(|known| known.name == name);
    let fitting: Vec<&Known> = match exact.next() {
        Some(known) => vec![known],
        None => {
            let commands = COMMANDS.iter();
            commands
                .filter(|known| known.name.starts_with(name))
                .collect()
        }
    };
    match fitting.as_slice() {
        [known] => (known.parse)(rest.trim()),
        [] => Err(format!("There is no command {name:?}; Tab lists them")),
        several => {
            let names: Vec<&str> = several.iter().map(|known| known.name).collect();
            Err(format!("{name:?} may be {}", names.join(", ")))
        }
    }
}

/// What may stand in a command line, for completion.
pub fn words() -> Vec<String> {
    let names = COMMANDS.iter().map(|known| known.name.to_owned());
    let sorts = Sort::ALL.iter().map(|sort| sort.name().to_owned());
    names.chain(sorts).collect()
}

/// What the commands take, in one line.
pub fn usage() -> String {
    let usage = |known: &Known| match known.takes {
        "" => known.name.to_owned(),
        takes => format!("{} {takes}", known.name),
    };
    COMMANDS.iter().map(usage).collect::<Vec<_>>().join(" · ")
}

fn best(rest: &str) -> Result<Command, String> {
    rest.parse()
        .map(Command::Best)
        .map_err(|_| "How many of the best indexes? As in :best 3".to_owned())
}

fn write(what: WriteWhat, path: &str) -> Result<Command, String> {
    match path {
        "" => Err("Which file? As in :write FILE".to_owned()),
        path => Ok(Command::Write(what, path.to_owned())),
    }
}

fn mouse(rest: &str) -> Result<Command, String> {
    match rest {
        "on" => Ok(Command::TakeMouse(true)),
        "off" => Ok(Command::TakeMouse(false)),
        _ => Err(":mouse on, or :mouse off to mark text with the terminal".to_owned()),
    }
}

fn sort(rest: &str) -> Result<Command, String> {
    let statements = Sort::ALL.into_iter().find(|sort| sort.name() == rest);
    let indexes = IndexSort::ALL
        .into_iter()
        .find(|sort| sort.name().split(' ').next() == Some(rest));
    match (statements, indexes) {
        (Some(sort), _) => Ok(Command::SortStatements(sort)),
        (None, Some(sort)) => Ok(Command::SortIndexes(sort)),
        (None, None) => {
            let names = Sort::ALL.map(Sort::name).join(", ");
            Err(format!(
                "By which column? {names}; indexes by rank, table, size, statements"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_short() {
        assert_eq!(parse("q"), Ok(Command::Do(Action::Quit)));
        assert_eq!(parse(" best  3 "), Ok(Command::Best(3)));
        assert_eq!(parse("so cost"), Ok(Command::SortStatements(Sort::Cost)));
        assert_eq!(
            parse("sort size"),
            Ok(Command::SortIndexes(IndexSort::Size))
        );
        let file = "a file.sql".to_owned();
        assert_eq!(
            parse("w a file.sql"),
            Ok(Command::Write(WriteWhat::Shown, file))
        );
    }

    #[test]
    fn what_is_unclear_says_why() {
        for (line, why) in [
            ("re", "may be read, record, redo, report, resume"),
            ("drop", "no command"),
            ("best x", "How many"),
            ("write", "Which file"),
            ("sort foo", "By which column"),
            ("mouse", ":mouse on"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }

    #[test]
    fn every_command_is_one_of_its_own_names() {
        for known in COMMANDS {
            assert!(usage().contains(known.name));
            assert!(words().contains(&known.name.to_owned()));
        }
    }
}
