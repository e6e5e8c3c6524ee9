//! The files of a migration: a file, standard input, or a directory in the layout of a migration tool.

use std::path::{Path, PathBuf};

use super::CommandError;
use super::workload::read_file;
use crate::check::script::{Step, steps};

/// The statements of all files, in order; those of a directory in the order of the versions that their
/// names begin with.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Step>, CommandError> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in of_directory(path)? {
                all.extend(of_file(&file)?);
            }
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
    Ok(steps(&name, &read_file(path)?))
}

/// Files of SQL that go forward.
fn of_directory(directory: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let failed =
        |error: std::io::Error| CommandError::Other(format!("{}: {error}", directory.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let has = |name: &str| path.join(name).is_file();
        if path.is_dir() && has("up.sql") {
            files.push(path.join("up.sql"));
        } else if path.is_dir() && has("migration.sql") {
            files.push(path.join("migration.sql"));
        } else if goes_forward(&path) {
            files.push(path);
        }
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
    lower.ends_with(".sql") && !lower.ends_with(".down.sql") && !is_undo
}

/// Versions compare as numbers, as in Flyway: `V2__a.sql` is before `V10__b.sql`. Repeatable ones
/// (`R__…`) come last.
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
    let numbers = version[..end].split(|c: char| !c.is_ascii_digit());
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
    fn what_has_no_statements_is_no_migration() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m.sql");
        std::fs::write(&path, "-- nothing\n").unwrap();
        assert_eq!(read(&[path]).unwrap_err().exit_status(), 2);
        let empty = read(&[directory.path().join("missing.sql")]).unwrap_err();
        assert_eq!(empty.exit_status(), 2);
    }
}
