//! The file system operations that resolving a connection needs.

use std::fs;
use std::io;
use std::path::Path;

/// Access to the file system; tests have their own implementation.
pub trait Files {
    /// The text of a file.
    ///
    /// # Errors
    /// The system's error; [`io::ErrorKind::NotFound`] means that an optional file does not exist.
    fn read(&self, file: &Path) -> io::Result<String>;

    /// What is at the path, if anything.
    fn kind(&self, path: &Path) -> Option<FileKind>;
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A plain file that only its owner can read or write.
    Private,
    /// A plain file that its group or everyone can read or write.
    Shared,
    /// A directory.
    Directory,
    /// A socket, a device, …
    Other,
}

/// The real file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsFiles;

impl Files for OsFiles {
    fn read(&self, file: &Path) -> io::Result<String> {
        fs::read_to_string(file)
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        let metadata = fs::metadata(path).ok()?;
        Some(if metadata.is_dir() {
            FileKind::Directory
        } else if !metadata.is_file() {
            FileKind::Other
        } else if open_to_others(&metadata) {
            FileKind::Shared
        } else {
            FileKind::Private
        })
    }
}

#[cfg(unix)]
fn open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

/// Elsewhere the directory is assumed to be protected, as libpq does.
#[cfg(not(unix))]
fn open_to_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
pub(super) mod fake {
    use super::{FileKind, Files};
    use std::collections::BTreeMap;
    use std::io;
    use std::path::{Path, PathBuf};

    /// Files that exist only in a test.
    #[derive(Default)]
    pub(in super::super) struct FakeFiles(BTreeMap<PathBuf, (FileKind, String)>);

    impl FakeFiles {
        pub(in super::super) fn with(mut self, path: &str, kind: FileKind, text: &str) -> Self {
            self.0.insert(PathBuf::from(path), (kind, text.to_owned()));
            self
        }
    }

    impl Files for FakeFiles {
        fn read(&self, file: &Path) -> io::Result<String> {
            self.0
                .get(file)
                .map(|(_, text)| text.clone())
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        }

        fn kind(&self, path: &Path) -> Option<FileKind> {
            self.0.get(path).map(|(kind, _)| *kind)
        }
    }
}
