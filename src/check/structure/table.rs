//! Tables of a dump: columns and the constraints among them.

use super::list::{enclosed, parts};
use super::object::{Kind, Object, behind_words, name_at};
use crate::sql::leading_words;

/// A table without its named constraints, and these as objects of their own.
pub(super) fn taken_apart(object: Object) -> Vec<Object> {
    let Some((head, content, tail)) = (object.kind == Kind::Table)
        .then(|| enclosed(&object.sql))
        .flatten()
    else {
        return vec![object];
    };
    let (constraints, columns): (Vec<String>, Vec<String>) = parts(content)
        .into_iter()
        .partition(|part| leading_words(part, 1) == ["constraint"]);
    if constraints.is_empty() {
        return vec![object];
    }
    let table = Object {
        sql: format!("{head}(\n    {}\n){tail}", columns.join(",\n    ")),
        ..object.clone()
    };
    let of_constraint = |text: String| {
        let (name, _) = name_at(behind_words(&text, 1))?;
        Some(Object {
            kind: Kind::Constraint,
            name,
            table: Some(object.name.clone()),
            sql: format!("ALTER TABLE {} ADD {text}", object.name),
        })
    };
    let constraints = constraints.into_iter().filter_map(of_constraint);
    [table].into_iter().chain(constraints).collect()
}

/// What makes the columns of one those of the other; dropped ones at the end.
pub(super) fn altered(before: &str, now: &str, table: &str, last: &mut Vec<String>) -> Vec<String> {
    let (old, new) = (columns(before), columns(now));
    let mut statements = Vec::new();
    for column in &new {
        let same = old.iter().find(|old| old.name == column.name);
        match same {
            None => statements.push(format!(
                "ALTER TABLE {table} ADD COLUMN {} {}",
                column.name, column.text
            )),
            Some(old) if old.text == column.text => {}
            Some(old) => statements.extend(column.from(old, table)),
        }
    }
    let is_gone = |old: &&Column| new.iter().all(|column| column.name != old.name);
    let gone = old.iter().filter(is_gone);
    last.extend(gone.map(|old| format!("ALTER TABLE {table} DROP COLUMN {}", old.name)));
    statements
}

/// A column as pg_dump prints it: type, DEFAULT or GENERATED, NOT NULL.
struct Column {
    name: String,
    text: String,
    type_name: String,
    default: Option<String>,
    is_not_null: bool,
    is_generated: bool,
}

impl Column {
    fn of(part: &str) -> Option<Column> {
        let (name, text) = name_at(part)?;
        let text = text.trim();
        let is_not_null = text.ends_with(" NOT NULL");
        let rest = text.strip_suffix(" NOT NULL").unwrap_or(text);
        let (type_name, default) = match rest.split_once(" DEFAULT ") {
            Some((type_name, default)) => (type_name, Some(default.to_owned())),
            None => (rest, None),
        };
        Some(Column {
            name,
            text: text.to_owned(),
            type_name: type_name.to_owned(),
            default,
            is_not_null,
            is_generated: text.contains(" GENERATED "),
        })
    }

    fn from(&self, old: &Column, table: &str) -> Vec<String> {
        let name = &self.name;
        if self.is_generated || old.is_generated {
            return vec![
                format!("ALTER TABLE {table} DROP COLUMN {name}"),
                format!("ALTER TABLE {table} ADD COLUMN {name} {}", self.text),
            ];
        }
        let alter = |what: String| format!("ALTER TABLE {table} ALTER COLUMN {name} {what}");
        let mut statements = Vec::new();
        if self.type_name != old.type_name {
            let type_name = &self.type_name;
            let bare = type_name.split(" COLLATE ").next().unwrap_or(type_name);
            statements.push(alter(format!("TYPE {type_name} USING {name}::{bare}")));
        }
        if self.default != old.default {
            statements.push(alter(match &self.default {
                Some(default) => format!("SET DEFAULT {default}"),
                None => "DROP DEFAULT".to_owned(),
            }));
        }
        if self.is_not_null != old.is_not_null {
            let word = if self.is_not_null { "SET" } else { "DROP" };
            statements.push(alter(format!("{word} NOT NULL")));
        }
        statements
    }
}

fn columns(sql: &str) -> Vec<Column> {
    let content = enclosed(sql).map(|(_, content, _)| content);
    let parts = parts(content.unwrap_or_default());
    parts.iter().filter_map(|part| Column::of(part)).collect()
}
