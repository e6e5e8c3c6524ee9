//! The directory of a throwaway server's socket: the server's own one, or a short one beside it
//! where its path is too long for a socket or has characters that mean something in the server's
//! list of socket directories.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::user::ServerUser;

/// The file of a cluster that names its socket directory, if that is another directory.
pub(super) const NAMED_IN: &str = "sockets";

const PREFIX: &str = "pgrehearse-socket-";

/// Where such directories are made; the first one that can be written to.
const PLACES: &[&str] = &["/tmp", "/var/tmp", "/dev/shm"];

/// `sun_path` has 108 bytes on Linux and 104 on macOS, the last one for a NUL.
const MAX_PATH_BYTES: usize = 103;

const SOCKET: &str = "/.s.PGSQL.5432";

/// A socket directory.
pub(super) enum Sockets {
    /// The cluster's own directory.
    Own(PathBuf),
    /// Another one, which is removed on drop until the keeper exists.
    Short(TempDir),
}

impl Sockets {
    /// A socket directory for a cluster in this directory, which does not yet belong to the
    /// server's user.
    pub(super) fn of(directory: &Path, user: Option<&ServerUser>) -> io::Result<Sockets> {
        if fits(directory) {
            return Ok(Sockets::Own(directory.to_owned()));
        }
        let made = PLACES.iter().map(|place| {
            tempfile::Builder::new()
                .prefix(PREFIX)
                .permissions(fs::Permissions::from_mode(0o700))
                .tempdir_in(place)
        });
        let short = made
            .reduce(Result::or)
            .unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))?;
        if let Some(user) = user {
            std::os::unix::fs::chown(short.path(), Some(user.uid), Some(user.gid))?;
        }
        let name = short.path().as_os_str().as_encoded_bytes();
        fs::write(directory.join(NAMED_IN), name)?;
        Ok(Sockets::Short(short))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Sockets::Own(path) => path,
            Sockets::Short(directory) => directory.path(),
        }
    }

    /// The path; from now on somebody else removes the directory.
    pub(super) fn keep(self) -> PathBuf {
        match self {
            Sockets::Own(path) => path,
            Sockets::Short(directory) => directory.keep(),
        }
    }
}

fn fits(directory: &Path) -> bool {
    let path = directory.as_os_str().as_encoded_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    path.len() + SOCKET.len() <= MAX_PATH_BYTES && path.iter().all(is_plain)
}

/// The socket directory that a cluster which is no longer used has left, if it is another one. The
/// file that names it was in the hands of the server's user, so only a directory of ours counts.
pub(super) fn left_by(directory: &Path) -> Option<PathBuf> {
    let named = PathBuf::from(fs::read_to_string(directory.join(NAMED_IN)).ok()?);
    let is_our_name = named.file_name()?.to_string_lossy().starts_with(PREFIX);
    let is_our_place = PLACES
        .iter()
        .any(|place| named.parent() == Some(Path::new(place)));
    let owner = fs::symlink_metadata(directory).ok()?.uid();
    let metadata = fs::symlink_metadata(&named).ok()?;
    (is_our_name && is_our_place && metadata.is_dir() && metadata.uid() == owner).then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_plain_paths_hold_the_socket_themselves() {
        for (path, expected) in [
            ("/tmp/pgrehearse-a1B2c3", true),
            ("/tmp/with space/pgrehearse-a1", false),
            ("/tmp/a,b/pgrehearse-a1", false),
            ("/tmp/é/pgrehearse-a1", false),
        ] {
            assert_eq!(fits(Path::new(path)), expected, "{path}");
        }
        let of_length = |length: usize| format!("/{}", "a".repeat(length - 1));
        assert!(fits(Path::new(&of_length(89))));
        assert!(!fits(Path::new(&of_length(90))));
    }

    #[test]
    fn only_a_directory_of_ours_is_taken_for_one_that_was_left() {
        let cluster = tempfile::tempdir().unwrap();
        let ours = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in("/tmp")
            .unwrap();
        let other = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let named = |path: &Path| {
            fs::write(cluster.path().join(NAMED_IN), path.to_str().unwrap()).unwrap();
            left_by(cluster.path())
        };
        assert_eq!(named(ours.path()), Some(ours.path().to_owned()));
        assert_eq!(named(other.path()), None);
        assert_eq!(named(&ours.path().join("../../etc")), None);
        assert_eq!(named(Path::new("/tmp/pgrehearse-socket-none")), None);
    }
}
