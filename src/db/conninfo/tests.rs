//! Precedence of the sources, and what is never shown.

use std::path::PathBuf;
use std::time::Duration;

use super::files::FileKind;
use super::files::fake::FakeFiles;
use super::*;

type Pairs<'a> = &'a [(&'a str, &'a str)];

const SERVICES: &str =
    "[svc]\nhost=svc-host\nport=7\nuser=svc-user\ndbname=svc-db\npassword=svc-password\n";

fn files() -> FakeFiles {
    FakeFiles::default()
        .with("/tmp", FileKind::Directory, "")
        .with("/home/me/.pg_service.conf", FileKind::Shared, SERVICES)
        .with(
            "/home/me/.pgpass",
            FileKind::Private,
            "a:*:*:*:for-a\nlocalhost:*:*:*:for-localhost\n*:*:*:guest:for-guest",
        )
}

fn typed(dbname: &str) -> Typed {
    Typed {
        dbname: Some(dbname.to_owned()),
        ..Typed::default()
    }
}

fn settings(typed: &Typed, variables: &[(&str, &str)]) -> Result<Settings, ConninfoError> {
    let variables = variables.iter().copied().chain([("HOME", "/home/me")]);
    resolve(
        typed,
        &Environment::new(variables, Some("me".to_owned())),
        &files(),
    )
}

fn described(typed: &Typed, variables: &[(&str, &str)]) -> String {
    settings(typed, variables)
        .map_or_else(|error| error.to_string(), |settings| settings.to_string())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn sources_rank_as_in_psql() {
    let all = Typed {
        dbname: Some("db".to_owned()),
        host: Some("h".to_owned()),
        port: Some("1".to_owned()),
        username: Some("u".to_owned()),
        password_prompt: false,
    };
    let with_string = |dbname: &str| Typed {
        dbname: Some(dbname.to_owned()),
        ..all.clone()
    };
    let environment = [
        ("PGHOST", "e"),
        ("PGPORT", "9"),
        ("PGUSER", "eu"),
        ("PGDATABASE", "ed"),
    ];
    let service = [environment.as_slice(), &[("PGSERVICE", "svc")]].concat();
    let cases: [(&str, &Typed, Pairs, &str); 15] = [
        ("defaults", &Typed::default(), &[], "me@/tmp:5432/me"),
        (
            "dbname defaults to the user",
            &Typed::default(),
            &[("PGUSER", "x")],
            "x@/tmp:5432/x",
        ),
        ("environment", &Typed::default(), &environment, "eu@e:9/ed"),
        (
            "empty variables count as unset",
            &Typed::default(),
            &[("PGHOST", "")],
            "me@/tmp:5432/me",
        ),
        (
            "service over environment",
            &Typed::default(),
            &service,
            "svc-user@svc-host:7/svc-db",
        ),
        ("options over both", &all, &service, "u@h:1/db"),
        (
            "string over options",
            &with_string("host=c user=cu"),
            &environment,
            "cu@c:1/ed",
        ),
        (
            "URI over options",
            &with_string("postgres://cu@c:3/cd"),
            &environment,
            "cu@c:3/cd",
        ),
        (
            "string names the service",
            &typed("service=svc port=8"),
            &environment,
            "svc-user@svc-host:8/svc-db",
        ),
        (
            "URI names the service",
            &typed("postgresql:///?service=svc"),
            &environment,
            "svc-user@svc-host:7/svc-db",
        ),
        (
            "an empty host hides the environment",
            &typed("host=''"),
            &environment,
            "eu@/tmp:9/ed",
        ),
        ("plain name", &typed("app"), &[], "me@/tmp:5432/app"),
        (
            "several hosts",
            &typed("host=a,b port=1,2"),
            &[],
            "me@a:1,b:2/me",
        ),
        (
            "URI with several hosts",
            &typed("postgres://a:1,[::1]:2/x"),
            &[],
            "me@a:1,[::1]:2/x",
        ),
        (
            "unknown service",
            &typed("service=nope"),
            &[],
            "definition of service \"nope\" not found (looked in \
            /home/me/.pg_service.conf, /etc/postgresql-common/pg_service.conf)",
        ),
    ];
    for (what, typed, variables, expected) in cases {
        assert_eq!(described(typed, variables), expected, "{what}");
    }
}

#[test]
fn the_password_comes_from_the_highest_source_that_has_one() {
    let cases: [(&str, Pairs, Option<&str>); 8] = [
        (
            "host=a password=typed",
            &[("PGPASSWORD", "env")],
            Some("typed"),
        ),
        ("host=a", &[("PGPASSWORD", "env")], Some("env")),
        (
            "service=svc",
            &[("PGPASSWORD", "env")],
            Some("svc-password"),
        ),
        ("host=a", &[], Some("for-a")),
        (
            "host=a password=''",
            &[("PGPASSWORD", "env")],
            Some("for-a"),
        ),
        ("dbname=x", &[], Some("for-localhost")),
        ("host=b", &[], None),
        ("host=b user=guest", &[], Some("for-guest")),
    ];
    for (string, variables, expected) in cases {
        let settings = settings(&typed(string), variables).unwrap();
        let password = settings.endpoints[0]
            .password
            .as_ref()
            .map(|password| password.secret.reveal());
        assert_eq!(password, expected, "{string} {variables:?}");
    }
    let several = settings(&typed("host=a,b"), &[]).unwrap();
    assert!(several.endpoints[0].password.is_some() && several.endpoints[1].password.is_none());
}

#[test]
fn a_shared_password_file_is_a_warning() {
    let shared = FakeFiles::default().with("/p", FileKind::Shared, "*:*:*:*:x");
    let environment = Environment::new([("PGPASSFILE", "/p")], Some("me".to_owned()));
    let settings = resolve(&Typed::default(), &environment, &shared).unwrap();
    assert_eq!(
        settings.warnings,
        [Warning::PasswordFileReadableByOthers(PathBuf::from("/p"))]
    );
    assert_eq!(settings.endpoints[0].password, None);
}

#[test]
fn numbers_and_options_are_read() {
    let settings = settings(
        &typed("connect_timeout=3 keepalives=0 tcp_user_timeout=1500 target_session_attrs=primary"),
        &[("PGOPTIONS", "-c geqo=off")],
    )
    .unwrap();
    assert_eq!(settings.connect_timeout, Some(Duration::from_secs(3)));
    assert_eq!(settings.options.as_deref(), Some("-c geqo=off"));
    assert!(!settings.tcp.keepalives);
    assert_eq!(settings.tcp.user_timeout, Some(Duration::from_millis(1500)));
    assert_eq!(settings.target_session_attrs, TargetSessionAttrs::Primary);
    for no_limit in ["0", "-1"] {
        assert_eq!(
            self::settings(&typed(&format!("connect_timeout={no_limit}")), &[])
                .unwrap()
                .connect_timeout,
            None
        );
    }
    assert_eq!(
        described(&Typed::default(), &[("PGCONNECT_TIMEOUT", "soon")]),
        "invalid value for connection option \"connect_timeout\" in environment variable PGCONNECT_TIMEOUT: expected an integer"
    );
}

#[test]
fn the_user_must_be_known() {
    let error = resolve(&Typed::default(), &Environment::default(), &files()).unwrap_err();
    assert!(matches!(error, ConninfoError::NoUserName));
}

#[test]
fn verify_full_needs_a_host_name() {
    let error = settings(&typed("hostaddr=127.0.0.1 sslmode=verify-full"), &[]).unwrap_err();
    assert!(matches!(error, ConninfoError::HostNameMissing));
}

#[test]
fn passwords_are_never_shown() {
    let good = [
        "postgres://u:sekret@h/db",
        "host=h password=sekret",
        "host=h password='sek\\'ret sekret'",
    ];
    for text in good {
        let typed = typed(text);
        let settings = settings(&typed, &[("PGPASSWORD", "sekret")]).unwrap();
        let environment = Environment::new([("PGPASSWORD", "sekret")], None);
        for shown in [
            format!("{typed:?}"),
            format!("{settings:?}"),
            settings.to_string(),
            format!("{environment:?}"),
        ] {
            assert!(!shown.contains("sek"), "{text}: {shown}");
        }
    }
    let malformed = [
        "postgres://u:sek/ret@h/db",
        "postgres://u:sekret%@h/db",
        "postgres://u:sekret@h:port/db",
        "postgress://u:sekret@h/db",
        "mysql://u:sekret@h/db?x=1",
        "password=sekret host",
        "password=sekret hots=x",
        "password='sekret",
        "password=pass sekret",
        "port=sekret",
        "sslmode=sekret",
        "connect_timeout=sekret",
        "hostaddr=sekret",
    ];
    for text in malformed {
        let error = settings(&typed(text), &[]).unwrap_err();
        for shown in [
            error.to_string(),
            format!("{error:?}"),
            format!("{error:#?}"),
        ] {
            assert!(
                !shown.contains("sek") && !shown.contains("ret@"),
                "{text}: {shown}"
            );
        }
    }
}
