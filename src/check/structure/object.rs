//! One object of a dump: what it is, its name, and how it is dropped.

use crate::sql::leading_words;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Schema,
    Extension,
    Type,
    Domain,
    Enum,
    Sequence,
    Table,
    Function,
    Aggregate,
    View,
    MaterializedView,
    Index,
    Constraint,
    Trigger,
    Policy,
    Rule,
    Statistics,
    /// A statement that is executed where it is new, and has no reverse.
    Other,
}

impl Kind {
    /// Columns and tables must not need it any more.
    pub(super) fn is_dropped_last(self) -> bool {
        matches!(
            self,
            Kind::Schema
                | Kind::Extension
                | Kind::Type
                | Kind::Domain
                | Kind::Enum
                | Kind::Sequence
                | Kind::Table
                | Kind::Function
                | Kind::Aggregate
        )
    }
}

/// An object of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The table that it is on.
    pub(super) table: Option<String>,
    pub(super) sql: String,
}

impl Object {
    /// None of what changes no plan: rows, comments, owners, settings.
    pub(super) fn of(sql: &str) -> Option<Object> {
        let words = leading_words(sql, 4);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let after = |count: usize| behind_words(sql, count);
        let (kind, rest) = match words.as_slice() {
            ["create", "schema", ..] => (Kind::Schema, after(2)),
            ["create", "extension", ..] => (Kind::Extension, after(2)),
            ["create", "domain", ..] => (Kind::Domain, after(2)),
            ["create", "type", ..] if sql.to_ascii_uppercase().contains(" AS ENUM") => {
                (Kind::Enum, after(2))
            }
            ["create", "type", ..] => (Kind::Type, after(2)),
            ["create", "sequence", ..] => (Kind::Sequence, after(2)),
            ["create", "table", ..] => (Kind::Table, after(2)),
            ["create", "unlogged", "table", ..] => (Kind::Table, after(3)),
            ["create", "function" | "procedure", ..] => (Kind::Function, after(2)),
            ["create", "or", "replace", "function" | "procedure"] => (Kind::Function, after(4)),
            ["create", "aggregate", ..] => (Kind::Aggregate, after(2)),
            ["create", "view", ..] => (Kind::View, after(2)),
            ["create", "or", "replace", "view"] => (Kind::View, after(4)),
            ["create", "materialized", "view", ..] => (Kind::MaterializedView, after(3)),
            ["create", "index", ..] => (Kind::Index, after(2)),
            ["create", "unique", "index", ..] => (Kind::Index, after(3)),
            ["create", "trigger", ..] => (Kind::Trigger, after(2)),
            ["create", "policy", ..] => (Kind::Policy, after(2)),
            ["create", "rule", ..] => (Kind::Rule, after(2)),
            ["create", "statistics", ..] => (Kind::Statistics, after(2)),
            ["alter", "table", ..] => return of_alter_table(sql),
            ["create", ..] | ["alter", "sequence" | "index", ..] => return other(sql),
            _ => return None,
        };
        let (name, rest) = match kind {
            Kind::Function | Kind::Aggregate => with_arguments(rest)?,
            _ => name_at(rest)?,
        };
        let table = match kind {
            Kind::Index | Kind::Trigger | Kind::Policy => table_behind_on(rest),
            Kind::Rule => table_behind(rest, " TO "),
            _ => None,
        };
        Some(Object {
            kind,
            name,
            table,
            sql: sql.trim_end().to_owned(),
        })
    }

    /// Is it dropped first and made anew, where it is written otherwise?
    pub(super) fn is_made_anew(&self) -> bool {
        !matches!(
            self.kind,
            Kind::Table | Kind::Enum | Kind::View | Kind::Function | Kind::Other
        )
    }

    pub(super) fn drop(&self) -> Option<String> {
        let name = &self.name;
        let table = self.table.as_deref().unwrap_or_default();
        Some(match self.kind {
            Kind::Schema => format!("DROP SCHEMA {name}"),
            Kind::Extension => format!("DROP EXTENSION {name}"),
            Kind::Type | Kind::Enum => format!("DROP TYPE {name}"),
            Kind::Domain => format!("DROP DOMAIN {name}"),
            Kind::Sequence => format!("DROP SEQUENCE IF EXISTS {name}"),
            Kind::Table => format!("DROP TABLE {name}"),
            Kind::Function => format!("DROP ROUTINE {}", without_defaults(name)),
            Kind::Aggregate => format!("DROP AGGREGATE {name}"),
            Kind::View => format!("DROP VIEW {name}"),
            Kind::MaterializedView => format!("DROP MATERIALIZED VIEW {name}"),
            Kind::Index => {
                // An index is in the schema of its table.
                let schema = table.rsplit_once('.').map(|(schema, _)| schema);
                let schema = schema.map_or_else(String::new, |schema| format!("{schema}."));
                format!("DROP INDEX {schema}{name}")
            }
            Kind::Constraint => format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
            Kind::Trigger => format!("DROP TRIGGER {name} ON {table}"),
            Kind::Policy => format!("DROP POLICY {name} ON {table}"),
            Kind::Rule => format!("DROP RULE {name} ON {table}"),
            Kind::Statistics => format!("DROP STATISTICS {name}"),
            Kind::Other => return None,
        })
    }
}

fn other(sql: &str) -> Option<Object> {
    (!sql.to_ascii_uppercase().contains(" OWNER TO ")).then(|| Object {
        kind: Kind::Other,
        name: sql.to_owned(),
        table: None,
        sql: sql.trim_end().to_owned(),
    })
}

/// `ALTER TABLE [ONLY] t ADD CONSTRAINT c …` is an object; the rest is executed where it is new.
fn of_alter_table(sql: &str) -> Option<Object> {
    let words = leading_words(sql, 3);
    let is_only = words.get(2).is_some_and(|word| word == "only");
    let (table, rest) = name_at(behind_words(sql, if is_only { 3 } else { 2 }))?;
    let words = leading_words(rest, 2);
    if words != ["add", "constraint"] {
        return other(sql);
    }
    let (name, _) = name_at(behind_words(rest, 2))?;
    Some(Object {
        kind: Kind::Constraint,
        name,
        table: Some(table),
        sql: sql.trim_end().to_owned(),
    })
}

/// The text behind so many words.
pub(super) fn behind_words(sql: &str, count: usize) -> &str {
    let mut rest = sql.trim_start();
    for _ in 0..count {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
    rest
}

/// The name at the beginning, as it is written, and what follows. IF NOT EXISTS is passed over.
pub(super) fn name_at(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let text = if leading_words(text, 3) == ["if", "not", "exists"] {
        behind_words(text, 3)
    } else {
        text
    };
    let mut is_quoted = false;
    let end = text.find(|c: char| {
        if c == '"' {
            is_quoted = !is_quoted;
        }
        !is_quoted && (c.is_whitespace() || matches!(c, '(' | ',' | ';'))
    });
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}

/// The name of a function with its arguments.
fn with_arguments(text: &str) -> Option<(String, &str)> {
    let (name, rest) = name_at(text)?;
    let mut depth = 0usize;
    let close = rest.find(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })?;
    let (arguments, rest) = rest.split_at(close + 1);
    Some((format!("{name}{arguments}"), rest))
}

/// The name with the types of its arguments.
fn without_defaults(name: &str) -> String {
    let Some((name, arguments)) = name.split_once('(') else {
        return name.to_owned();
    };
    let arguments = super::list::parts(arguments.strip_suffix(')').unwrap_or(arguments));
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|argument| argument.split(" DEFAULT ").next().unwrap_or(argument))
        .collect();
    format!("{name}({})", arguments.join(", "))
}

/// The name behind the first ON, without ONLY.
fn table_behind_on(rest: &str) -> Option<String> {
    let at = rest
        .to_ascii_uppercase()
        .find(" ON ")
        .or_else(|| rest.starts_with("ON ").then_some(0))?;
    let rest = behind_words(rest.get(at..)?, 1);
    let is_only = leading_words(rest, 1) == ["only"];
    let rest = behind_words(rest, usize::from(is_only));
    let end = rest
        .find(|c: char| c.is_whitespace() || c == '(')
        .unwrap_or(rest.len());
    rest.get(..end).map(str::to_owned)
}

fn table_behind(rest: &str, word: &str) -> Option<String> {
    let at = rest.to_ascii_uppercase().find(word)?;
    name_at(rest.get(at + word.len()..)?).map(|(name, _)| name)
}

/// New values of an enum; where one is gone, the type would have to be made anew.
pub(super) fn extended_enum(before: &str, now: &str, name: &str) -> Vec<String> {
    let (old, new) = (labels(before), labels(now));
    if !old.iter().all(|label| new.contains(label)) {
        return vec![format!("DROP TYPE {name}"), now.to_owned()];
    }
    let mut statements = Vec::new();
    let mut previous: Option<&String> = None;
    for label in &new {
        if !old.contains(label) {
            let place = match (previous, old.first()) {
                (Some(previous), _) => format!(" AFTER {previous}"),
                (None, Some(first)) => format!(" BEFORE {first}"),
                (None, None) => String::new(),
            };
            statements.push(format!("ALTER TYPE {name} ADD VALUE {label}{place}"));
        }
        previous = Some(label);
    }
    statements
}

/// The labels with their quotes.
fn labels(sql: &str) -> Vec<String> {
    let list = sql.find('(').and_then(|at| sql.get(at + 1..));
    let list = list.unwrap_or_default().trim_end().trim_end_matches(')');
    super::list::parts(list)
}
