//! The connection service file: named groups of connection parameters.
//!
//! Source: PostgreSQL documentation, "The Connection Service File". The file of the user
//! (`PGSERVICEFILE`, else `~/.pg_service.conf`) is searched first, then `pg_service.conf` of the
//! system's configuration directory. Written here because the existing crates (`pg-client-config`,
//! `postgres-service`) lead straight to tokio-postgres's `Config`, which has no place for
//! `verify-full`, `sslrootcert` or the password file, and name neither file nor line in their
//! errors.

use std::io;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::{ConninfoError, ServiceLineProblem};
use super::files::Files;
use super::keywords::Parameters;
use super::origin::Origin;

/// Where Debian and Ubuntu have what libpq calls its system configuration directory.
const DEFAULT_SYSTEM_CONFIGURATION: &str = "/etc/postgresql-common";

/// The parameters of the service that `chosen` (or else the environment) names; none if no service
/// is named.
pub(super) fn parameters(
    chosen: &Parameters,
    environment: &Environment,
    files: &dyn Files,
) -> Result<Parameters, ConninfoError> {
    let Some(name) = chosen.text("service") else {
        return Ok(Parameters::default());
    };
    let user_file = chosen.text("servicefile").map(Path::new);
    if let Some(file) = user_file
        && files.kind(file).is_none()
    {
        return Err(ConninfoError::ServiceFileMissing {
            file: file.to_owned(),
        });
    }
    let searched = candidates(user_file, environment);
    for file in &searched {
        if let Some(parameters) = read_service(file, name, files)? {
            return Ok(parameters);
        }
    }
    Err(ConninfoError::ServiceNotFound {
        name: name.to_owned(),
        searched,
    })
}

fn candidates(user_file: Option<&Path>, environment: &Environment) -> Vec<PathBuf> {
    let user_file = user_file
        .map(Path::to_owned)
        .or_else(|| environment.home().map(|home| home.join(".pg_service.conf")));
    let system = environment
        .system_configuration()
        .unwrap_or_else(|| PathBuf::from(DEFAULT_SYSTEM_CONFIGURATION));
    user_file
        .into_iter()
        .chain([system.join("pg_service.conf")])
        .collect()
}

fn read_service(
    file: &Path,
    name: &str,
    files: &dyn Files,
) -> Result<Option<Parameters>, ConninfoError> {
    match files.read(file) {
        Ok(text) => parse(&text, name, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ConninfoError::ServiceFileUnreadable {
            file: file.to_owned(),
            source,
        }),
    }
}

/// The parameters of the section `name`, if the file has it. Lines of other sections are not
/// checked.
fn parse(text: &str, name: &str, file: &Path) -> Result<Option<Parameters>, ConninfoError> {
    let origin = Origin::Service {
        name: name.to_owned(),
        file: file.to_owned(),
    };
    let mut found: Option<Parameters> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if section.strip_suffix(']') == Some(name) {
                found = Some(Parameters::default());
            }
        } else if let Some(parameters) = &mut found {
            set_from_line(parameters, line, &origin).map_err(|problem| {
                ConninfoError::ServiceFileSyntax {
                    file: file.to_owned(),
                    line: index + 1,
                    problem,
                }
            })?;
        }
    }
    Ok(found)
}

/// Within a section the first value of a keyword counts.
fn set_from_line(
    parameters: &mut Parameters,
    line: &str,
    origin: &Origin,
) -> Result<(), ServiceLineProblem> {
    if line.starts_with("ldap") {
        return Err(ServiceLineProblem::Ldap);
    }
    let (keyword, value) = line
        .split_once('=')
        .ok_or(ServiceLineProblem::MissingEquals)?;
    let (keyword, value) = (keyword.trim_end(), value.trim_start());
    if matches!(keyword, "service" | "servicefile") {
        return Err(ServiceLineProblem::Nested);
    }
    if parameters.contains(keyword) {
        return Ok(());
    }
    parameters
        .set(keyword, value.to_owned(), origin)
        .map_err(|error| ServiceLineProblem::Parameter(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::super::files::FileKind::Shared;
    use super::super::files::fake::FakeFiles;
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    const FILE: &str = "# comment\n[other]\nnonsense\n\n[mydb]\nhost=somehost\nport=5433\nport=1\n#x\npassword=a = b \n[last]\nhost=z\n";

    fn look_up(
        chosen: &[(&str, &str)],
        environment: &[(&str, &str)],
        files: &FakeFiles,
    ) -> Result<Parameters, ConninfoError> {
        let mut parameters = Parameters::default();
        for (keyword, value) in chosen {
            parameters
                .set(keyword, (*value).to_owned(), &Origin::ConnectionString)
                .unwrap();
        }
        super::parameters(
            &parameters,
            &Environment::new(environment.iter().copied(), None),
            files,
        )
    }

    #[test]
    fn a_section_is_read_from_the_first_file_that_has_it() {
        let files = FakeFiles::default()
            .with(
                "/home/me/.pg_service.conf",
                Shared,
                "[only-mine]\nhost=mine",
            )
            .with("/etc/postgresql-common/pg_service.conf", Shared, FILE)
            .with("/sys/pg_service.conf", Shared, "[mydb]\nhost=sys");
        let home = ("HOME", "/home/me");
        let cases: [(&str, Pairs, &str); 3] = [
            ("only-mine", &[home], "mine"),
            ("mydb", &[home], "somehost"),
            ("mydb", &[home, ("PGSYSCONFDIR", "/sys")], "sys"),
        ];
        for (service, environment, host) in cases {
            let found = look_up(&[("service", service)], environment, &files).unwrap();
            assert_eq!(found.text("host"), Some(host), "{service} {environment:?}");
        }
    }

    #[test]
    fn the_first_value_counts_and_a_value_goes_to_the_end_of_the_line() {
        let files = FakeFiles::default().with("/s", Shared, FILE);
        let found = look_up(&[("service", "mydb"), ("servicefile", "/s")], &[], &files).unwrap();
        assert_eq!(found.text("port"), Some("5433"));
        assert_eq!(found.text("password"), Some("a = b"));
    }

    #[test]
    fn errors_name_file_and_line() {
        let cases = [
            (
                "[mydb]\nnonsense",
                "syntax error in service file \"/s\", line 2: missing \"=\"",
            ),
            (
                "[mydb]\n\nservice=x",
                "syntax error in service file \"/s\", line 3: nested service specifications are not supported",
            ),
            (
                "[mydb]\nhots=x",
                "syntax error in service file \"/s\", line 2: invalid connection option \"hots\" in service \"mydb\" of /s",
            ),
            (
                "[x]",
                "definition of service \"mydb\" not found (looked in /s, /etc/postgresql-common/pg_service.conf)",
            ),
        ];
        for (text, expected) in cases {
            let files = FakeFiles::default().with("/s", Shared, text);
            let error =
                look_up(&[("service", "mydb"), ("servicefile", "/s")], &[], &files).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let error = look_up(
            &[("service", "mydb"), ("servicefile", "/s")],
            &[],
            &FakeFiles::default(),
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "service file \"/s\" not found");
    }
}
