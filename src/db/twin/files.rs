//! Files in the twin's data directory: copies of small ones, extended to production's size as
//! sparse files.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::OPERATION;
use crate::cluster::Cluster;
use crate::db::row::field;
use crate::db::{DbError, Session};
use crate::twin::checks::ObjectOid;
use crate::twin::page::BLOCK_BYTES;
use crate::twin::snapshot::Oid;

/// The directory of the twin's database.
pub(super) struct DataDirectory {
    /// `PGDATA`.
    root: PathBuf,
    /// `base/<oid of the database>`.
    database: PathBuf,
    /// Blocks in a file before the next one begins (`RELSEG_SIZE`; `segment_size`).
    segment_blocks: u64,
    /// The user who must own the files, if not us.
    owner: Option<(u32, u32)>,
    next: Oid,
}

/// The first file number for new files; no server reaches it soon.
pub(super) const FIRST_FILE: Oid = 1 << 30;

impl DataDirectory {
    pub(super) fn of(cluster: &Cluster, session: &Session) -> Result<DataDirectory, DbError> {
        let sql = "SELECT d.oid, (SELECT s.setting::bigint FROM pg_settings s WHERE s.name = 'segment_size') AS segment_blocks \
                   FROM pg_database d WHERE d.datname = current_database()";
        let rows = session.query(OPERATION, sql, &[])?;
        let Some(row) = rows.first() else {
            return Err(DbError::Missing("the twin has no database".to_owned()));
        };
        let root = cluster.data_directory();
        let database = root
            .join("base")
            .join(field::<Oid>(row, "oid")?.to_string());
        let segment_blocks = field::<i64>(row, "segment_blocks")?.unsigned_abs();
        let owner = cluster.server_user().map(|user| (user.uid, user.gid));
        Ok(DataDirectory {
            root,
            database,
            segment_blocks,
            owner,
            next: FIRST_FILE,
        })
    }

    /// Creates the tablespaces, with their files in the same directory as all others: only their
    /// costs matter. (`GetDatabasePath`, src/common/relpath.c: `pg_tblspc/<oid>/PG_<major>_<catalog
    /// version>/<database>`.)
    pub(super) fn create_tablespaces(
        &self,
        session: &Session,
        tablespaces: &[ObjectOid],
    ) -> Result<(), DbError> {
        let sql = "SELECT 'PG_' || current_setting('server_version_num')::integer / 10000 || '_' || catalog_version_no AS version \
                   FROM pg_control_system()";
        if tablespaces.is_empty() {
            return Ok(());
        }
        let rows = session.query(OPERATION, sql, &[])?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let version: String = field(row, "version")?;
        for oid in tablespaces {
            let place = self
                .root
                .join("pg_tblspc")
                .join(oid.to_string())
                .join(&version);
            let link = place.join(self.database.file_name().unwrap_or_default());
            let made = fs::create_dir_all(&place)
                .and_then(|()| std::os::unix::fs::symlink(&self.database, link));
            let given = made.and_then(|()| {
                let directories = place
                    .ancestors()
                    .take_while(|directory| !directory.ends_with("pg_tblspc"));
                directories
                    .into_iter()
                    .try_for_each(|directory| self.give(directory))
            });
            given.map_err(|error| failed(&place, &error))?;
        }
        Ok(())
    }

    /// An empty file with this number.
    pub(super) fn create_empty(&self, number: Oid) -> Result<(), DbError> {
        self.write(number, &[], 0)
    }

    /// A sequence has one block. The planner measures it and does not read it.
    pub(super) fn create_sequence(&self, number: Oid) -> Result<(), DbError> {
        self.write(number, &[], 1)
    }

    /// A new file with this beginning and this number of blocks; returns its number.
    pub(super) fn create(&mut self, beginning: &[u8], blocks: u64) -> Result<Oid, DbError> {
        let number = self.next;
        self.next += 1;
        self.write(
            number,
            beginning,
            blocks.max((beginning.len() / BLOCK_BYTES) as u64),
        )?;
        Ok(number)
    }

    /// Replaces the file with this number by one with this beginning and number of blocks.
    pub(super) fn replace(
        &self,
        number: Oid,
        beginning: &[u8],
        blocks: u64,
    ) -> Result<(), DbError> {
        self.write(
            number,
            beginning,
            blocks.max((beginning.len() / BLOCK_BYTES) as u64),
        )
    }

    /// At most the first `at_most` bytes of a file that the server wrote, if it exists; `path` is
    /// the result of `pg_relation_filepath`.
    pub(super) fn read(&self, path: &str, at_most: usize) -> Result<Vec<u8>, DbError> {
        use std::io::Read;
        if !is_of_relation(path) {
            return Err(DbError::Missing(format!("{path} is not a relation's file")));
        }
        let path = self.root.join(path);
        let mut bytes = Vec::new();
        let read = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(&path)
            .and_then(|file| file.take(at_most as u64).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path, &error)),
            _ => Ok(bytes),
        }
    }

    /// All segments but the last one are full, and another one follows each full segment
    /// (src/backend/storage/smgr/md.c).
    fn write(&self, number: Oid, beginning: &[u8], blocks: u64) -> Result<(), DbError> {
        let mut left = blocks;
        for segment in 0u64.. {
            let name = if segment == 0 {
                number.to_string()
            } else {
                format!("{number}.{segment}")
            };
            let path = self.database.join(name);
            let here = left.min(self.segment_blocks);
            let content = if segment == 0 { beginning } else { &[] };
            self.write_segment(&path, content, here)
                .map_err(|error| failed(&path, &error))?;
            left -= here;
            if here < self.segment_blocks {
                break;
            }
        }
        Ok(())
    }

    /// The server's user must own the files to open and remove them.
    fn give(&self, path: &Path) -> io::Result<()> {
        match self.owner {
            Some((user, group)) => std::os::unix::fs::chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    fn write_segment(&self, path: &Path, content: &[u8], blocks: u64) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(path)?;
        file.write_all(content)?;
        file.set_len(blocks * BLOCK_BYTES as u64)?;
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        match self.owner {
            Some((user, group)) => std::os::unix::fs::fchown(&file, Some(user), Some(group)),
            None => Ok(()),
        }
    }
}

/// Is this `base/5/16384` or `pg_tblspc/16385/PG_15_202209061/5/16384`? The session that may run
/// functions of others also asks for paths.
fn is_of_relation(path: &str) -> bool {
    let mut parts = path.split('/');
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '.'))
    };
    matches!(parts.next(), Some("base" | "pg_tblspc")) && parts.all(is_part)
}

fn failed(path: &Path, error: &io::Error) -> DbError {
    DbError::Query {
        operation: OPERATION,
        message: format!("{}: {error}", path.display()),
        state: None,
    }
}
