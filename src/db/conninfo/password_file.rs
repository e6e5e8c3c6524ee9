//! The password file: which password belongs to which server, database and user.
//!
//! Source: PostgreSQL documentation, "The Password File". Lines of
//! `hostname:port:database:username:password`; `*` matches anything; `\` escapes `:` and `\`; the
//! first line that matches counts. A file that others can read is not used at all.

use std::io;
use std::path::{Path, PathBuf};

use super::error::Warning;
use super::files::{FileKind, Files};

/// What a line must match.
#[derive(Debug, Clone, Copy)]
pub(super) struct Login<'a> {
    /// The names the host goes by: a socket directory that is the default one is also called
    /// `localhost`.
    pub(super) host_names: &'a [&'a str],
    pub(super) port: u16,
    pub(super) dbname: &'a str,
    pub(super) user: &'a str,
}

/// A password file that was found and may be used.
pub(super) struct PasswordFile {
    pub(super) path: PathBuf,
    text: String,
}

impl PasswordFile {
    /// Reads the file. No file gives none; a file that must not or cannot be used gives a warning.
    pub(super) fn open(path: &Path, files: &dyn Files) -> Result<Option<Self>, Warning> {
        match files.kind(path) {
            None => return Ok(None),
            Some(FileKind::Shared) => {
                return Err(Warning::PasswordFileReadableByOthers(path.to_owned()));
            }
            Some(FileKind::Directory | FileKind::Other) => {
                return Err(Warning::PasswordFileNotPlain(path.to_owned()));
            }
            Some(FileKind::Private) => {}
        }
        match files.read(path) {
            Ok(text) => Ok(Some(Self {
                path: path.to_owned(),
                text,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Warning::PasswordFileUnreadable {
                file: path.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// The password of the first line that matches.
    pub(super) fn password(&self, login: Login<'_>) -> Option<String> {
        self.text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .find_map(|line| password_in(line, login))
    }
}

fn password_in(line: &str, login: Login<'_>) -> Option<String> {
    let fields = split_fields(line);
    let [host, port, dbname, user, password, ..] = fields.as_slice() else {
        return None;
    };
    let matches = login.host_names.iter().any(|name| host.matches(name))
        && port.matches(&login.port.to_string())
        && dbname.matches(login.dbname)
        && user.matches(login.user);
    matches.then(|| password.text.clone())
}

/// One field, without its escapes.
#[derive(Default)]
struct Field {
    text: String,
    is_wildcard: bool,
}

impl Field {
    fn matches(&self, text: &str) -> bool {
        self.is_wildcard || self.text == text
    }
}

fn split_fields(line: &str) -> Vec<Field> {
    let mut fields = vec![Field::default()];
    let mut escaped_any = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let Some(field) = fields.last_mut() else {
            break;
        };
        match character {
            ':' => {
                fields.push(Field::default());
                escaped_any = false;
                continue;
            }
            '\\' => {
                field.text.push(characters.next().unwrap_or('\\'));
                escaped_any = true;
            }
            _ => field.text.push(character),
        }
        field.is_wildcard = field.text == "*" && !escaped_any;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::super::files::fake::FakeFiles;
    use super::*;

    fn look_up(
        text: &str,
        host_names: &[&str],
        port: u16,
        dbname: &str,
        user: &str,
    ) -> Option<String> {
        let files = FakeFiles::default().with("/p", FileKind::Private, text);
        let file = PasswordFile::open(Path::new("/p"), &files)
            .unwrap()
            .unwrap();
        file.password(Login {
            host_names,
            port,
            dbname,
            user,
        })
    }

    #[test]
    fn the_first_matching_line_gives_the_password() {
        let cases: [(&str, Option<&str>); 11] = [
            ("db1:5432:app:me:pw", Some("pw")),
            ("*:*:*:*:pw", Some("pw")),
            (
                "db2:*:*:*:no\n#db1:*:*:*:no\ndb1:*:*:me:first\n*:*:*:*:second",
                Some("first"),
            ),
            ("db1:5433:*:*:pw", None),
            ("db1:*:other:*:pw", None),
            ("db1:*:*:you:pw", None),
            ("\\*:*:*:*:pw", None),
            (r"*:*:*:*:a\:b\\c", Some(r"a:b\c")),
            ("*:*:*:*:pw\r\n", Some("pw")),
            ("*:*:*:*", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                look_up(text, &["db1"], 5432, "app", "me").as_deref(),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn names_with_colons_are_escaped() {
        assert_eq!(
            look_up(r"\:\:1:*:a\:b:*:pw", &["::1"], 1, "a:b", "me").as_deref(),
            Some("pw")
        );
    }

    #[test]
    fn a_default_socket_directory_is_also_localhost() {
        let names = ["/tmp", "localhost"];
        assert_eq!(
            look_up("localhost:*:*:*:pw", &names, 1, "d", "u").as_deref(),
            Some("pw")
        );
        assert_eq!(
            look_up("/tmp:*:*:*:pw", &names, 1, "d", "u").as_deref(),
            Some("pw")
        );
    }

    #[test]
    fn a_file_that_others_can_read_is_not_used() {
        let open = |kind| {
            PasswordFile::open(
                Path::new("/p"),
                &FakeFiles::default().with("/p", kind, "*:*:*:*:pw"),
            )
        };
        assert!(matches!(
            open(FileKind::Shared),
            Err(Warning::PasswordFileReadableByOthers(_))
        ));
        assert!(matches!(
            open(FileKind::Directory),
            Err(Warning::PasswordFileNotPlain(_))
        ));
        assert!(matches!(
            PasswordFile::open(Path::new("/p"), &FakeFiles::default()),
            Ok(None)
        ));
    }
}
