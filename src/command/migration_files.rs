//! The files of a migration: a file, standard input, a directory in the layout of a migration tool, or two
//! dumps of a schema (`old.sql..new.sql`).
//!
//! Most tools execute a file in one transaction, which decides what works (CREATE INDEX CONCURRENTLY does
//! not) and how long locks are held; so does the check.

use std::path::{Path, PathBuf};

use super::CommandError;
use super::workload::read_file;
use crate::check::script::{Handling, Step, steps};
use crate::check::structure::difference;
use crate::check::up_part::up_part;

/// The statements of all files, in order; those of a directory in the order of the versions that their
/// names begin with.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Step>, CommandError> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in of_directory(path)? {
                all.extend(of_file(&file)?);
            }
        } else if let Some((old, new)) = two_dumps(path) {
            let script = difference(&read_file(&old)?, &read_file(&new)?);
            all.extend(steps(&path.display().to_string(), &script));
        } else {
            all.extend(of_file(path)?);
        }
    }
    if all.is_empty() {
        return Err(CommandError::Usage(
            "the migration has no statements".to_owned(),
        ));
    }
    Ok(all)
}

fn of_file(path: &Path) -> Result<Vec<Step>, CommandError> {
    let name = if path == Path::new("-") {
        "stdin".to_owned()
    } else {
        path.display().to_string()
    };
    let text = read_file(path)?;
    let part = up_part(&text);
    let tool = match &part {
        Some(part) => part.in_transaction.then_some(part.tool),
        None => tool_with_transactions(path, &text),
    };
    let text = part.map_or(text, |part| part.text);
    Ok(in_transaction(steps(&name, &text), tool))
}

/// The tool that executes this file in one transaction, as far as its name tells. psql, and what has no
/// version in its name, does not.
fn tool_with_transactions(path: &Path, text: &str) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let lower = name.to_lowercase();
    let is_version = name.strip_prefix('V').or_else(|| name.strip_prefix("R__"));
    if lower == "up.sql" {
        // Diesel (https://docs.rs/diesel_migrations): `run_in_transaction = false` in metadata.toml.
        let metadata = std::fs::read_to_string(path.with_file_name("metadata.toml"));
        let is_off = |line: &str| {
            line.replace(' ', "")
                .starts_with("run_in_transaction=false")
        };
        let is_off = metadata.is_ok_and(|text| text.lines().any(is_off));
        return (!is_off).then_some("Diesel");
    }
    let is_off = text
        .lines()
        .next()
        .is_some_and(|line| line.trim() == "-- no-transaction");
    if lower.ends_with(".up.sql") && !is_off {
        return Some("golang-migrate, sqlx");
    }
    if lower == "migration.sql" {
        return Some("Prisma");
    }
    (is_version.is_some() && name.contains("__")).then_some("Flyway")
}

/// The steps between BEGIN and COMMIT, unless they have transactions of their own. Flyway sees by itself
/// what cannot run in one, and one statement that is sent alone is in none.
fn in_transaction(mut steps: Vec<Step>, tool: Option<&str>) -> Vec<Step> {
    let (Some(tool), Some(first), Some(last)) = (tool, steps.first(), steps.last()) else {
        return steps;
    };
    let has_own = |step: &Step| matches!(step.handling, Handling::Begin | Handling::Commit);
    let is_alone =
        steps.len() == 1 && !matches!(tool, "Diesel" | "goose" | "dbmate" | "sql-migrate");
    let is_flyways = tool == "Flyway" && steps.iter().any(|step| runs_alone(&step.sql));
    if steps.iter().any(has_own) || is_alone || is_flyways {
        return steps;
    }
    let control = |word: &str, handling: Handling, at: &Step| Step {
        sql: format!("{word} /* by {tool} */"),
        handling,
        ..at.clone()
    };
    let begin = control("BEGIN", Handling::Begin, first);
    let commit = control("COMMIT", Handling::Commit, last);
    steps.insert(0, begin);
    steps.push(commit);
    steps
}

/// Does the statement refuse to run in a transaction, by its words?
fn runs_alone(sql: &str) -> bool {
    let words = crate::sql::leading_words(sql, 4);
    words.iter().any(|word| word == "concurrently")
        || words.first().is_some_and(|word| word == "vacuum")
}

/// `old.sql..new.sql`, where both are files and there is none with the whole name.
fn two_dumps(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let text = path.to_str().filter(|_| !path.exists())?;
    let pairs = text.match_indices("..").map(|(at, dots)| {
        let (old, new) = (text.get(..at), text.get(at + dots.len()..));
        (
            PathBuf::from(old.unwrap_or_default()),
            PathBuf::from(new.unwrap_or_default()),
        )
    });
    pairs
        .into_iter()
        .find(|(old, new)| old.is_file() && new.is_file())
}

/// Files of SQL that go forward.
fn of_directory(directory: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let failed =
        |error: std::io::Error| CommandError::Other(format!("{}: {error}", directory.display()));
    let mut files = Vec::new();
    let mut of_directories = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let has = |name: &str| path.join(name).is_file();
        if path.is_dir() && has("up.sql") {
            of_directories.push(path.join("up.sql"));
        } else if path.is_dir() && has("migration.sql") {
            of_directories.push(path.join("migration.sql"));
        } else if goes_forward(&path) {
            files.push(path);
        }
    }
    // What lies beside the directories of migrations is none.
    if !of_directories.is_empty() {
        files = of_directories;
    }
    files.sort_by_key(|path| key(path));
    if files.is_empty() {
        return Err(CommandError::Other(format!(
            "{}: no migrations in it (NAME.sql, NAME.up.sql, NAME/up.sql, NAME/migration.sql)",
            directory.display()
        )));
    }
    Ok(files)
}

/// A file of SQL that does not take a migration back (`.down.sql`; Flyway's `U1__…`).
fn goes_forward(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(name) = name.filter(|_| path.is_file()) else {
        return false;
    };
    let lower = name.to_lowercase();
    let is_undo = name.starts_with('U') && name[1..].starts_with(|c: char| c.is_ascii_digit());
    lower.ends_with(".sql") && !is_back(&lower) && !is_undo
}

fn is_back(name: &str) -> bool {
    [".down.sql", "_down.sql", ".undo.sql", ".rollback.sql"]
        .iter()
        .any(|end| name.ends_with(end))
        || name == "down.sql"
}

/// Versions compare as numbers, as in Flyway: `V2__a.sql` is before `V10__b.sql`. Repeatable ones
/// (`R__…`) come last. A dash separates nothing: `2017-08-31-230457_a` is after `20140924113530_b`, as
/// in Diesel.
fn key(path: &Path) -> (bool, Vec<u64>, String) {
    let named = match path.file_name().and_then(|name| name.to_str()) {
        Some("up.sql" | "migration.sql") => path.parent().unwrap_or(path),
        _ => path,
    };
    let name = named.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    let version = name.trim_start_matches(['V', 'v']);
    let end = version
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '_' | '-'))
        .unwrap_or(version.len());
    let version = version[..end].replace('-', "");
    let numbers = version.split(|c: char| !c.is_ascii_digit());
    let numbers = numbers.filter_map(|number| number.parse().ok()).collect();
    (name.starts_with("R__"), numbers, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&str]) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        for name in names {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "SELECT 1;").unwrap();
        }
        let files = of_directory(directory.path()).unwrap();
        let relative = files
            .iter()
            .map(|file| file.strip_prefix(directory.path()).unwrap());
        relative.map(|file| file.display().to_string()).collect()
    }

    #[test]
    fn migrations_are_in_the_order_of_their_versions() {
        assert_eq!(
            order(&[
                "V10__b.sql",
                "V2__a.sql",
                "R__views.sql",
                "U2__a.sql",
                "notes.txt"
            ]),
            ["V2__a.sql", "V10__b.sql", "R__views.sql"]
        );
        assert_eq!(
            order(&[
                "20240102_b.up.sql",
                "20240102_b.down.sql",
                "20231231_a.up.sql"
            ]),
            ["20231231_a.up.sql", "20240102_b.up.sql"]
        );
        assert_eq!(
            order(&[
                "2024-01-02-b/up.sql",
                "2024-01-02-b/down.sql",
                "2023-05-01-a/up.sql"
            ]),
            ["2023-05-01-a/up.sql", "2024-01-02-b/up.sql"]
        );
    }

    #[test]
    fn a_date_with_dashes_is_one_number() {
        assert_eq!(
            order(&["2017-08-31-230457_b/up.sql", "20140924113530_a/up.sql"]),
            ["20140924113530_a/up.sql", "2017-08-31-230457_b/up.sql"]
        );
    }

    #[test]
    fn what_is_no_migration_is_left_out() {
        assert_eq!(
            order(&["2024-01-02-b/up.sql", "2024-01-02-b/down.sql", "data.sql"]),
            ["2024-01-02-b/up.sql"]
        );
        assert_eq!(order(&["1_a_down.sql", "1_a.sql"]), ["1_a.sql"]);
    }

    fn statements(files: &[(&str, &str)]) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let steps = read(&[directory.path().to_owned()]).unwrap();
        steps.into_iter().map(|step| step.sql).collect()
    }

    #[test]
    fn a_file_is_in_a_transaction_where_its_tool_makes_one() {
        let two = "CREATE TABLE a ();\nCREATE TABLE b ();";
        assert_eq!(
            statements(&[("1_a/up.sql", "CREATE TABLE a ();")]),
            [
                "BEGIN /* by Diesel */",
                "CREATE TABLE a ()",
                "COMMIT /* by Diesel */"
            ]
        );
        let off = [
            ("1_a/up.sql", two),
            ("1_a/metadata.toml", "run_in_transaction = false\n"),
        ];
        assert_eq!(statements(&off).len(), 2);
        assert_eq!(statements(&[("V1__a.sql", two)]).len(), 4);
        let alone = "CREATE INDEX CONCURRENTLY i ON a (b);\nANALYZE a;";
        assert_eq!(statements(&[("V1__a.sql", alone)]).len(), 2);
        assert_eq!(statements(&[("1_a.up.sql", two)]).len(), 4);
        assert_eq!(statements(&[("1_a.up.sql", "CREATE TABLE a ();")]).len(), 1);
        let own = "BEGIN;\nCREATE TABLE a ();\nCOMMIT;";
        assert_eq!(statements(&[("1_a.up.sql", own)]).len(), 3);
        let marked = "-- +goose Up\nCREATE TABLE a ();\n-- +goose Down\nDROP TABLE a;";
        assert_eq!(
            statements(&[("1_a.sql", marked)]),
            [
                "BEGIN /* by goose */",
                "CREATE TABLE a ()",
                "COMMIT /* by goose */"
            ]
        );
        assert_eq!(statements(&[("1_a.sql", two)]).len(), 2, "psql");
    }

    #[test]
    fn two_dumps_are_a_migration() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (
            directory.path().join("old.sql"),
            directory.path().join("new.sql"),
        );
        std::fs::write(&old, "CREATE TABLE a (\n    b integer\n);\n").unwrap();
        std::fs::write(&new, "CREATE TABLE a (\n    b integer,\n    c text\n);\n").unwrap();
        let both = PathBuf::from(format!("{}..{}", old.display(), new.display()));
        let steps = read(&[both]).unwrap();
        assert_eq!(steps.len(), 1);
        assert_eq!(steps[0].sql, "ALTER TABLE a ADD COLUMN c text");
    }

    #[test]
    fn what_has_no_statements_is_no_migration() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m.sql");
        std::fs::write(&path, "-- nothing\n").unwrap();
        assert_eq!(read(&[path]).unwrap_err().exit_status(), 2);
        let empty = read(&[directory.path().join("missing.sql")]).unwrap_err();
        assert_eq!(empty.exit_status(), 2);
    }
}
