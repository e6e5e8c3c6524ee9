//! The cases of `fixtures/cases`, as their files describe them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pgrehearse::internals::sql::literals;
use pgrehearse::internals::sql::split::split;
use pgrehearse::internals::workload::{Statement, Workload, file};
use serde::Deserialize;

/// A database, statements that are to become fast, and what an expert does for them.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub about: About,
    /// Statements that create the tables and their rows.
    pub setup: Vec<String>,
    /// What the program is asked about.
    pub workload: String,
    /// What is executed: `measure.sql`, or the workload.
    pub measured: Vec<Named>,
    /// Statements that create the expert's indexes.
    pub expert: Vec<String>,
    /// How the expert writes some of the statements.
    pub expert_queries: Vec<Named>,
}

/// `case.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// What is asked, in a sentence.
    pub problem: String,
    /// What the expert does, in a sentence.
    pub expert: String,
    /// The role that asks and executes; the superuser if there is none.
    pub user: Option<String>,
    /// The tables have no statistics.
    #[serde(default)]
    pub noanalyze: bool,
    /// More arguments for `pgrehearse advise`.
    #[serde(default)]
    pub args: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Named {
    pub name: String,
    pub sql: String,
    /// The literals that an annotation calls fixed.
    pub fixed: BTreeSet<String>,
}

/// Those of the project.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases")
}

/// All of a folder, by name.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            names.push(entry.file_name().into_string().unwrap());
        }
    }
    names.sort_unstable();
    names
}

impl Case {
    pub fn read(folder: &Path, name: &str) -> Case {
        let folder = folder.join(name);
        let optional = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
        let text = |file: &str| optional(file).unwrap_or_else(|| panic!("{name} has no {file}"));
        let about = serde_json::from_str(&text("case.json"))
            .unwrap_or_else(|error| panic!("{name}/case.json: {error}"));
        let workload = text("workload.sql");
        let measured = optional("measure.sql").unwrap_or_else(|| workload.clone());
        Case {
            name: name.to_owned(),
            about,
            setup: statements(&text("setup.sql")),
            measured: named(&measured),
            workload,
            expert: statements(&optional("expert.sql").unwrap_or_default()),
            expert_queries: named(&optional("expert_query.sql").unwrap_or_default()),
        }
    }
}

fn statements(text: &str) -> Vec<String> {
    let pieces = split(text).into_iter();
    pieces
        .map(|piece| piece.sql.to_owned())
        .filter(|sql| !sql.is_empty())
        .collect()
}

pub fn named(text: &str) -> Vec<Named> {
    let mut workload = Workload::default();
    file::read("statements.sql", text, &mut workload).unwrap();
    let statements = workload.statements().iter();
    statements
        .map(|one| Named {
            name: one.id.0.clone(),
            sql: one.sql.clone(),
            fixed: fixed(one),
        })
        .collect()
}

fn fixed(statement: &Statement) -> BTreeSet<String> {
    let all = literals(&statement.sql).unwrap_or_default();
    let fixed = statement.fixed_literals.iter();
    fixed.filter_map(|place| all.get(*place).cloned()).collect()
}
