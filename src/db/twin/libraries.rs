//! Extension libraries that this machine does not have.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{OPERATION, Twin};
use crate::db::row::field;
use crate::db::{DbError, Session};
use crate::model::{Gap, GapCause};
use crate::twin::Snapshot;
use crate::twin::checks::Checked;
use crate::twin::libraries::{libraries, tables_with};

/// The suffix of a library's file name (`DLSUFFIX`).
const SUFFIXES: &[&str] = &["", ".so", ".dylib"];

impl Twin {
    /// A gap for each library: without it, its functions cannot be called, and the planner needs
    /// some of them.
    pub(super) fn missing_libraries(&self, snapshot: &Snapshot) -> Result<Vec<Gap>, DbError> {
        let sql = "SELECT setting AS directory FROM pg_catalog.pg_config WHERE name = 'PKGLIBDIR'";
        let rows = self.admin.query(OPERATION, sql, &[])?;
        let Some(row) = rows.first() else {
            return Ok(Vec::new());
        };
        let directory: String = field(row, "directory")?;
        let absent = libraries(snapshot)
            .into_iter()
            .filter(|(library, _)| !is_there(library, Path::new(&directory)));
        let gap = |(library, functions): (String, _)| Gap {
            tables: tables_with(snapshot, &functions),
            cause: GapCause::LibraryMissing {
                library,
                directory: directory.clone(),
                major_version: snapshot.origin.major(),
            },
        };
        Ok(absent
            .map(gap)
            .filter(|gap| !gap.tables.is_empty())
            .collect())
    }
}

/// Libraries of functions that are there and belong to no extension of this installation: that
/// no control file names, and that are not called like an extension.
pub(super) fn other_modules(
    session: &Session,
    checked: &Checked<'_>,
) -> Result<Vec<String>, DbError> {
    let mut wanted: Vec<String> = libraries(checked.snapshot()).into_keys().collect();
    let sql = "SELECT setting AS directory FROM pg_catalog.pg_config WHERE name = 'SHAREDIR'";
    let rows = session.query(OPERATION, sql, &[])?;
    let Some(row) = rows.first() else {
        return Ok(wanted);
    };
    let directory: String = field(row, "directory")?;
    let controls = fs::read_dir(Path::new(&directory).join("extension"));
    let mut known: BTreeSet<String> = BTreeSet::new();
    for path in controls
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
    {
        if path.extension().is_none_or(|suffix| suffix != "control") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        known.insert(format!("$libdir/{name}"));
        let text = fs::read_to_string(&path).unwrap_or_default();
        known.extend(text.lines().filter_map(module_path).map(str::to_owned));
    }
    wanted.retain(|library| !known.contains(library));
    Ok(wanted)
}

/// `$libdir/postgis-3` of `module_pathname = '$libdir/postgis-3'`
fn module_path(line: &str) -> Option<&str> {
    let (name, value) = line.split_once('=')?;
    let quoted = value.trim().strip_prefix('\'')?;
    let (path, _) = quoted.split_once('\'')?;
    (name.trim() == "module_pathname").then_some(path)
}

/// The path where the server looks for it (`expand_dynamic_library_name`,
/// src/backend/utils/fmgr/dfmgr.c).
fn is_there(library: &str, directory: &Path) -> bool {
    let path = match library.strip_prefix("$libdir/") {
        Some(name) => directory.join(name),
        None => directory.join(PathBuf::from(library)),
    };
    SUFFIXES.iter().any(|suffix| {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        Path::new(&name).is_file()
    })
}
