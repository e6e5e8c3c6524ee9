//! The statements of a migration, and what is done with each.
//!
//! The text is of somebody else. In the twin it is executed by a role without rights, and only what
//! is listed here is executed at all: what defines objects, and what a script needs around that.

use crate::sql::fingerprint::can_be_planned;
use crate::sql::psql::{Variables, plain};
use crate::sql::split::split;
use crate::sql::{RelationName, leading_words, relation_names};

/// A statement of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its text.
    pub sql: String,
    /// The file that it is from.
    pub file: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// What is done with it.
    pub handling: Handling,
}

/// What is done with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// It is executed.
    Run,
    /// It begins a transaction.
    Begin,
    /// It ends a transaction.
    Commit,
    /// It ends a transaction and takes back what was done in it.
    Rollback,
    /// It is only planned: it reads or writes rows, and the twin has none.
    Plan,
    /// It is not executed: the statistics are already those of production.
    Analyze,
    /// It makes a schema, which needs a right that the twin's role has not.
    CreateSchema,
    /// It installs an extension, which the twin does itself for some of them.
    CreateExtension,
    /// It is not executed.
    LeaveOut(LeftOut),
}

/// Why a statement is not executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// It is about roles and privileges, which change no plan.
    Privileges,
    /// It reads or writes rows in a way that cannot be planned (COPY).
    Rows,
    /// It reaches outside the database, or is no part of a migration.
    Outside,
    /// It is of no known kind.
    Unknown,
}

/// What a definition may be about; the rest is not executed.
const DEFINED: &[&str] = &[
    "aggregate",
    "cast",
    "collation",
    "constraint",
    "default",
    "domain",
    "function",
    "index",
    "materialized",
    "operator",
    "or",
    "policy",
    "procedure",
    "recursive",
    "routine",
    "rule",
    "schema",
    "sequence",
    "statistics",
    "table",
    "temp",
    "temporary",
    "text",
    "trigger",
    "type",
    "unique",
    "unlogged",
    "view",
];

/// The statements of a script, in order.
pub fn steps(file: &str, text: &str) -> Vec<Step> {
    let script = plain(text, &Variables::new());
    let pieces = split(&script.sql);
    let pieces = pieces.iter().filter(|piece| !piece.sql.is_empty());
    pieces
        .map(|piece| Step {
            sql: piece.sql.to_owned(),
            file: file.to_owned(),
            line: piece.line,
            handling: handling(piece.sql),
        })
        .collect()
}

/// What is done with a statement, from its first words.
fn handling(sql: &str) -> Handling {
    let words = leading_words(sql, 12);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["begin", ..] | ["start", "transaction", ..] => Handling::Begin,
        ["commit" | "end", rest @ ..] if !rest.contains(&"prepared") => Handling::Commit,
        ["rollback", rest @ ..] if rest.contains(&"to") => Handling::Run,
        ["rollback" | "abort", ..] => Handling::Rollback,
        ["analyze" | "analyse", ..] => Handling::Analyze,
        ["create", "schema", ..] => Handling::CreateSchema,
        ["create", "extension", ..] => Handling::CreateExtension,
        ["grant" | "revoke" | "reassign" | "security", ..]
        | ["alter", "default", "privileges", ..]
        | ["create" | "alter" | "drop", "role" | "user" | "group", ..] => {
            Handling::LeaveOut(LeftOut::Privileges)
        }
        ["alter", rest @ ..] if rest.windows(2).any(|pair| pair == ["owner", "to"]) => {
            Handling::LeaveOut(LeftOut::Privileges)
        }
        ["create" | "alter" | "drop", about, ..] if DEFINED.contains(about) => Handling::Run,
        [
            "comment" | "truncate" | "reindex" | "cluster" | "vacuum" | "refresh" | "lock" | "do",
            ..,
        ]
        | [
            "savepoint" | "release" | "set" | "reset" | "show" | "discard",
            ..,
        ] => Handling::Run,
        ["copy", ..] => Handling::LeaveOut(LeftOut::Rows),
        ["select", ..] if relation_names(sql).is_empty() => Handling::Run,
        _ if can_be_planned(sql) => Handling::Plan,
        [
            "create" | "alter" | "drop" | "import" | "load" | "listen" | "notify" | "checkpoint",
            ..,
        ]
        | [
            "call" | "prepare" | "execute" | "deallocate" | "declare" | "commit" | "end",
            ..,
        ] => Handling::LeaveOut(LeftOut::Outside),
        _ => Handling::LeaveOut(LeftOut::Unknown),
    }
}

/// The relations that the statements name: a twin of them is needed.
pub fn relations(steps: &[Step]) -> std::collections::BTreeSet<RelationName> {
    steps
        .iter()
        .flat_map(|step| relation_names(&step.sql))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_keeps_its_line() {
        let text = "-- first\nCREATE TABLE a (x int);\n\n/* two */\nSELECT ';' FROM a;\n";
        let steps = steps("m.sql", text);
        let lines: Vec<(usize, Handling)> = steps
            .iter()
            .map(|step| (step.line, step.handling))
            .collect();
        assert_eq!(lines, [(2, Handling::Run), (4, Handling::Plan)]);
    }

    #[test]
    fn only_known_definitions_are_executed() {
        for (sql, expected) in [
            ("ALTER TABLE t ADD c int", Handling::Run),
            ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", Handling::Run),
            ("CREATE OR REPLACE VIEW v AS SELECT 1", Handling::Run),
            ("DO $$ BEGIN END $$", Handling::Run),
            ("SELECT set_config('search_path', '', false)", Handling::Run),
            ("UPDATE t SET a = 1", Handling::Plan),
            ("WITH x AS (DELETE FROM t) SELECT 1", Handling::Plan),
            ("ANALYZE t", Handling::Analyze),
            ("ROLLBACK TO s", Handling::Run),
            ("START TRANSACTION", Handling::Begin),
            ("END", Handling::Commit),
            ("CREATE EXTENSION dblink", Handling::CreateExtension),
            (
                "ALTER TABLE t OWNER TO x",
                Handling::LeaveOut(LeftOut::Privileges),
            ),
            (
                "ALTER ROLE x SUPERUSER",
                Handling::LeaveOut(LeftOut::Privileges),
            ),
            (
                "COPY t FROM PROGRAM 'id'",
                Handling::LeaveOut(LeftOut::Rows),
            ),
            (
                "ALTER SYSTEM SET a = b",
                Handling::LeaveOut(LeftOut::Outside),
            ),
            ("CREATE SERVER s", Handling::LeaveOut(LeftOut::Outside)),
            ("CREATE LANGUAGE c", Handling::LeaveOut(LeftOut::Outside)),
            ("LOAD 'x'", Handling::LeaveOut(LeftOut::Outside)),
            ("frobnicate", Handling::LeaveOut(LeftOut::Unknown)),
        ] {
            assert_eq!(handling(sql), expected, "{sql}");
        }
    }
}
