//! Extension libraries that this machine does not have.

use std::path::{Path, PathBuf};

use super::{OPERATION, Twin};
use crate::db::DbError;
use crate::db::catalog::field;
use crate::model::{Gap, GapCause};
use crate::twin::Snapshot;
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
