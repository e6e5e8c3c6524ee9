//! Connecting to a real server: each `sslmode` with valid and invalid certificates, passwords, and
//! cancelling.
//!
//! Each result is compared with psql's: libpq is the specification.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pgrehearse::internals::db::connect::{ConnectError, Connected, connect};
use pgrehearse::internals::db::conninfo::{
    Environment, OsFiles, Settings, Typed, Warning, resolve,
};

#[path = "common/certificates.rs"]
mod certificates;
#[path = "common/server.rs"]
mod server;

use certificates::{Authority, authority, intermediate, self_signed, signed, version_1};
use server::{KeyedCertificate, Server};

const IS_ENCRYPTED: &str =
    "select ssl from pg_catalog.pg_stat_ssl where pid = pg_catalog.pg_backend_pid()";

fn settings(conninfo: &str, home: &Path, variables: &[(&str, &str)]) -> Settings {
    let home = home.display().to_string();
    let variables = variables.iter().copied().chain([("HOME", home.as_str())]);
    let typed = Typed {
        dbname: Some(conninfo.to_owned()),
        ..Typed::default()
    };
    resolve(
        &typed,
        &Environment::new(variables, Some("anyone".to_owned())),
        &OsFiles,
    )
    .unwrap()
}

fn nobody_to_ask(_: &str) -> io::Result<String> {
    Err(io::Error::other("no terminal"))
}

async fn failure(settings: &Settings) -> String {
    match connect(settings, &nobody_to_ask).await {
        Ok(_) => panic!("{settings}: connected"),
        Err(error) => error.to_string(),
    }
}

async fn ask(connected: &Connected, sql: &str) -> String {
    let messages = connected.client.simple_query(sql).await.unwrap();
    let row = messages.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    row.unwrap_or_default()
}

/// `t` encrypted, `f` not encrypted, otherwise the error.
async fn verdict(conninfo: &str, home: &Path) -> Result<String, String> {
    let typed = Typed {
        dbname: Some(conninfo.to_owned()),
        ..Typed::default()
    };
    let environment = Environment::new(
        [("HOME", home.display().to_string())],
        Some("anyone".to_owned()),
    );
    let settings = resolve(&typed, &environment, &OsFiles).map_err(|error| error.to_string())?;
    match connect(&settings, &nobody_to_ask).await {
        Ok(connected) => Ok(ask(&connected, IS_ENCRYPTED).await),
        Err(error) => Err(error.to_string()),
    }
}

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let file = directory.join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// The files that `sslrootcert` can name.
struct Roots {
    directory: tempfile::TempDir,
    root: Authority,
    middle: Authority,
    alone: KeyedCertificate,
}

impl Roots {
    fn new() -> Self {
        let root = authority("root");
        let middle = intermediate("middle", &root);
        let roots = Self {
            directory: tempfile::tempdir().unwrap(),
            root,
            middle,
            alone: self_signed("localhost"),
        };
        let (root, middle) = (roots.root.pem(), roots.middle.pem());
        let alone = roots.alone.certificate.clone();
        let other = authority("other").pem();
        let both = format!("{root}{middle}");
        for (name, text) in [
            ("root", root),
            ("middle", middle),
            ("alone", alone),
            ("other", other),
            ("both", both),
        ] {
            write(roots.directory.path(), name, &text);
        }
        roots
    }

    /// `mode file user` as connection parameters.
    fn parameters(&self, case: &str) -> String {
        let words: Vec<&str> = case.split_whitespace().collect();
        let [mode, file, user] = words[..] else {
            panic!("{case}: not mode, file and user")
        };
        format!(
            "sslmode={mode} sslrootcert={} user={user}",
            self.directory.path().join(file).display()
        )
    }
}

type Cases = &'static [(&'static str, &'static str)];

/// Mode, root file and user, with the expectation: encrypted (`t`), not (`f`), or a part of the
/// message.
const RIGHT_HOST: Cases = &[
    ("disable root anyone", "f"),
    ("disable none ssl_only", "no pg_hba.conf entry"),
    ("allow none anyone", "f"),
    ("allow none ssl_only", "t"),
    ("prefer none anyone", "t"),
    ("prefer none ssl_only", "t"),
    ("prefer none plain_only", "f"),
    ("prefer other anyone", "f"),
    ("prefer other ssl_only", "certificate verify failed"),
    ("require none anyone", "t"),
    ("require none plain_only", "no pg_hba.conf entry"),
    ("require root anyone", "t"),
    ("require other anyone", "certificate verify failed"),
    ("verify-ca root anyone", "t"),
    ("verify-ca other anyone", "certificate verify failed"),
    ("verify-ca none anyone", "does not exist"),
    ("verify-full root anyone", "t"),
    ("verify-full none anyone", "does not exist"),
];
const WRONG_HOST: Cases = &[
    ("require root anyone", "t"),
    ("verify-ca root anyone", "t"),
    (
        "verify-full root anyone",
        "certificate for \"elsewhere.example\" does not match host name \"localhost\"",
    ),
];
const COMMON_NAME: Cases = &[("verify-full root anyone", "t")];
const OTHER_COMMON_NAME: Cases = &[
    ("verify-ca root anyone", "t"),
    ("verify-full root anyone", "does not match host name"),
];
const INTERMEDIATE: Cases = &[
    ("verify-full both anyone", "t"),
    ("verify-full root anyone", "certificate verify failed"),
    ("verify-full middle anyone", "certificate verify failed"),
];
const SELF_SIGNED: Cases = &[
    ("require none anyone", "t"),
    ("verify-ca alone anyone", "t"),
    ("verify-full alone anyone", "t"),
    ("verify-ca root anyone", "certificate verify failed"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sslmode_judges_as_psql_does() {
    let roots = Roots::new();
    let exhibits = [
        (
            "right host",
            signed("ignored", &["localhost"], &roots.root),
            RIGHT_HOST,
        ),
        (
            "wrong host",
            signed("localhost", &["elsewhere.example"], &roots.root),
            WRONG_HOST,
        ),
        (
            "common name only",
            signed("localhost", &[], &roots.root),
            COMMON_NAME,
        ),
        (
            "other common name",
            signed("elsewhere", &[], &roots.root),
            OTHER_COMMON_NAME,
        ),
        (
            "the alternative name is an address",
            signed("localhost", &["10.0.0.1"], &roots.root),
            COMMON_NAME,
        ),
        (
            "signed by the intermediate",
            signed("x", &["localhost"], &roots.middle),
            INTERMEDIATE,
        ),
        ("self-signed", roots.alone.clone(), SELF_SIGNED),
    ];
    let server = Server::start(&exhibits[0].1, &roots.root.pem());
    for (what, certificate, cases) in &exhibits {
        server.restart_with(certificate);
        for (case, expected) in *cases {
            let parameters = roots.parameters(case);
            let conninfo = format!(
                "host=localhost port={} dbname=postgres {parameters}",
                server.port
            );
            let ours = verdict(&conninfo, roots.directory.path()).await;
            let psqls = server.psql(&conninfo, IS_ENCRYPTED);
            assert_eq!(
                ours.as_ref().ok(),
                psqls.as_ref().ok(),
                "{what}, {case}: {ours:?} but psql: {psqls:?}"
            );
            let shown = ours.unwrap_or_else(|message| message);
            assert!(
                shown == *expected || (expected.len() > 1 && shown.contains(expected)),
                "{what}, {case}: {shown}"
            );
        }
    }
}

/// webpki cannot read such a certificate; if it is not verified, that must not matter, in any TLS
/// version.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unverified_certificate_may_be_of_version_1() {
    let files = tempfile::tempdir().unwrap();
    let certificate = version_1("localhost");
    let root = write(files.path(), "root.crt", &certificate.certificate);
    let server = Server::start(&certificate, &certificate.certificate);
    for line in [
        "",
        "ssl_max_protocol_version = 'TLSv1.2'",
        "ssl_min_protocol_version = 'TLSv1.3'",
    ] {
        server.restart_configured(line);
        for mode in [
            "prefer".to_owned(),
            "require".to_owned(),
            format!("verify-full sslrootcert={}", root.display()),
        ] {
            let conninfo = format!(
                "host=localhost port={} dbname=postgres user=ssl_only sslmode={mode}",
                server.port
            );
            assert_eq!(
                verdict(&conninfo, Path::new("/nonexistent"))
                    .await
                    .as_deref(),
                Ok("t"),
                "{line} {mode}"
            );
        }
    }
}

struct World {
    server: Server,
    files: tempfile::TempDir,
    client: KeyedCertificate,
}

impl World {
    fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let root = authority("root");
        write(files.path(), "root.crt", &root.pem());
        let server = Server::start(&signed("server", &["localhost"], &root), &root.pem());
        Self {
            server,
            files,
            client: signed("certified", &[], &root),
        }
    }

    /// Settings for a verified connection.
    fn settings(&self, more: &str, variables: &[(&str, &str)]) -> Settings {
        let root = self.files.path().join("root.crt");
        let conninfo = format!(
            "host=localhost hostaddr=127.0.0.1 port={} dbname=postgres sslmode=verify-full sslrootcert={} {more}",
            self.server.port,
            root.display()
        );
        settings(&conninfo, self.files.path(), variables)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_over_tls() {
    let world = World::new();
    passwords_come_from_everywhere(&world).await;
    a_refused_password_is_explained(&world).await;
    the_prompt_is_used_only_when_needed(&world).await;
    a_client_certificate_logs_in(&world).await;
    cancelling_ends_a_query(&world).await;
    options_reach_the_session(&world).await;
    servers_are_tried_in_turn(&world).await;
    a_silent_server_is_given_up(&world).await;
    sockets_need_no_tls(&world).await;
    the_kind_of_session_is_checked(&world).await;
    broken_files_are_named(&world).await;
}

async fn passwords_come_from_everywhere(world: &World) {
    let pass_file = write(
        world.files.path(),
        "pass",
        "localhost:*:postgres:with_password:right\n",
    );
    let pass_file = pass_file.display().to_string();
    let cases: [(&str, &[(&str, &str)]); 3] = [
        ("user=with_password password=right", &[]),
        ("user=with_password", &[("PGPASSWORD", "right")]),
        ("user=with_password", &[("PGPASSFILE", pass_file.as_str())]),
    ];
    for (more, variables) in cases {
        let connected = connect(&world.settings(more, variables), &nobody_to_ask)
            .await
            .unwrap();
        assert_eq!(
            ask(&connected, "select current_user").await,
            "with_password"
        );
        assert_eq!(ask(&connected, "show application_name").await, "pgrehearse");
    }
}

async fn a_refused_password_is_explained(world: &World) {
    let port = world.server.port;
    let wrong = failure(&world.settings("user=with_password password=wr0ng", &[])).await;
    let expected = format!(
        "connection to server at \"localhost\" (127.0.0.1), port {port} failed: FATAL:  password authentication failed for user \
         \"with_password\""
    );
    assert_eq!(wrong, expected);
    let twice = world.settings(
        "host=localhost,localhost hostaddr=127.0.0.1,127.0.0.1 user=with_password password=wr0ng",
        &[],
    );
    assert_eq!(
        failure(&twice).await,
        expected,
        "the next server is not asked after a refusal"
    );
    let pass_file = write(world.files.path(), "wrong", "*:*:*:*:wr0ng\n")
        .display()
        .to_string();
    let from_file =
        failure(&world.settings("user=with_password", &[("PGPASSFILE", &pass_file)])).await;
    assert_eq!(
        from_file,
        format!("{expected}\npassword retrieved from file \"{pass_file}\"")
    );
    let settings = world.settings("user=with_password password=wr0ng", &[]);
    let error = connect(&settings, &nobody_to_ask)
        .await
        .map(|_| ())
        .unwrap_err();
    assert!(!format!("{error:?} {error:#?} {error} {settings:?}").contains("wr0ng"));
    fs::set_permissions(&pass_file, fs::Permissions::from_mode(0o644)).unwrap();
    let shared = world.settings("user=with_password", &[("PGPASSFILE", &pass_file)]);
    assert_eq!(
        shared.warnings,
        [Warning::PasswordFileReadableByOthers(PathBuf::from(
            &pass_file
        ))]
    );
}

async fn the_prompt_is_used_only_when_needed(world: &World) {
    let asked = AtomicUsize::new(0);
    let answer = |text: &str| {
        assert!(
            text == "Password for user with_password: " || text == "Password for user anyone: "
        );
        asked.fetch_add(1, Ordering::Relaxed);
        Ok("right".to_owned())
    };
    connect(&world.settings("user=with_password", &[]), &answer)
        .await
        .unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    connect(&world.settings("user=anyone", &[]), &answer)
        .await
        .unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let always = Settings {
        password_prompt: pgrehearse::internals::db::conninfo::PasswordPrompt::Always,
        ..world.settings("user=with_password password=wr0ng", &[])
    };
    connect(&always, &answer).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    let alone = failure(&world.settings("user=with_password", &[])).await;
    assert!(alone.ends_with(
        "no password supplied, and none can be asked for: no terminal (set PGPASSWORD or use a password file)"
    ));
    assert!(matches!(
        connect(&always, &nobody_to_ask).await,
        Err(ConnectError::Prompt(_))
    ));
}

async fn a_client_certificate_logs_in(world: &World) {
    let certificate = write(world.files.path(), "client.crt", &world.client.certificate)
        .display()
        .to_string();
    let key = write(world.files.path(), "client.key", &world.client.key)
        .display()
        .to_string();
    let with = format!("user=certified sslcert={certificate} sslkey={key}");
    let connected = connect(&world.settings(&with, &[]), &nobody_to_ask)
        .await
        .unwrap();
    assert_eq!(ask(&connected, "select current_user").await, "certified");
    let without = failure(&world.settings("user=certified", &[])).await;
    assert!(
        without.ends_with("FATAL:  connection requires a valid client certificate"),
        "{without}"
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let shared = failure(&world.settings(&with, &[])).await;
    assert!(
        shared.starts_with(&format!(
            "private key file \"{key}\" has group or world access"
        )),
        "{shared}"
    );
}

async fn cancelling_ends_a_query(world: &World) {
    let socket = format!(
        "host={} port={} dbname=postgres user=anyone",
        world.server.path().display(),
        world.server.port
    );
    for settings in [
        world.settings("user=ssl_only", &[]),
        settings(&socket, world.files.path(), &[]),
    ] {
        let connected = connect(&settings, &nobody_to_ask).await.unwrap();
        let started = Instant::now();
        let cancel = connected.cancel.clone();
        let canceller = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            cancel.cancel().await
        });
        let error = connected
            .client
            .simple_query("select pg_sleep(60)")
            .await
            .unwrap_err();
        canceller.await.unwrap().unwrap();
        assert_eq!(
            error.code(),
            Some(&tokio_postgres::error::SqlState::QUERY_CANCELED),
            "{settings}"
        );
        assert!(started.elapsed() < Duration::from_secs(10), "{settings}");
        assert_eq!(ask(&connected, "select 'alive'").await, "alive");
    }
}

async fn options_reach_the_session(world: &World) {
    let settings = world.settings(
        "user=anyone",
        &[("PGOPTIONS", "-c geqo=off -c work_mem=1234kB")],
    );
    let spawned = tokio::spawn(async move { connect(&settings, &nobody_to_ask).await });
    let connected = spawned.await.unwrap().unwrap();
    assert_eq!(ask(&connected, "show geqo").await, "off");
    assert_eq!(ask(&connected, "show work_mem").await, "1234kB");
    drop(connected.client);
    connected.task.await.unwrap().unwrap();
}

async fn servers_are_tried_in_turn(world: &World) {
    let port = world.server.port;
    let conninfo = format!(
        "host=/nowhere,127.0.0.1,localhost port=5432,1,{port} user=anyone dbname=postgres sslmode=require"
    );
    assert_eq!(
        verdict(&conninfo, world.files.path()).await.as_deref(),
        Ok("t")
    );
    let unreachable = verdict(
        "host=/nowhere,127.0.0.1 port=5432,1 user=anyone",
        world.files.path(),
    )
    .await
    .unwrap_err();
    assert_eq!(
        unreachable,
        "connection to server on socket \"/nowhere/.s.PGSQL.5432\" failed: No such file or directory — is the server running \
         locally and accepting connections on that socket?\n\
         connection to server at \"127.0.0.1\", port 1 failed: Connection refused — is the server running on that host and \
         accepting TCP/IP connections?"
    );
    let no_such_host = verdict("host=nowhere.invalid user=anyone", world.files.path())
        .await
        .unwrap_err();
    assert!(
        no_such_host.contains("could not translate host name to address"),
        "{no_such_host}"
    );
    let no_database = verdict(
        &format!("postgres://anyone@localhost:{port}/absent"),
        world.files.path(),
    )
    .await
    .unwrap_err();
    assert!(
        no_database.ends_with("FATAL:  database \"absent\" does not exist"),
        "{no_database}"
    );
}

async fn a_silent_server_is_given_up(world: &World) {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let started = Instant::now();
    let conninfo = format!("host=127.0.0.1 port={port} user=anyone connect_timeout=1");
    let timeout = verdict(&conninfo, world.files.path()).await.unwrap_err();
    assert!(timeout.ends_with("failed: timeout expired"), "{timeout}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

async fn sockets_need_no_tls(world: &World) {
    let path = world.server.path().display();
    let conninfo = format!(
        "host={path} port={} user=anyone dbname=postgres sslmode=verify-full",
        world.server.port
    );
    assert_eq!(
        verdict(&conninfo, Path::new("/nonexistent"))
            .await
            .as_deref(),
        Ok("f")
    );
    assert_eq!(
        world.server.psql(&conninfo, IS_ENCRYPTED).as_deref(),
        Ok("f")
    );
}

async fn the_kind_of_session_is_checked(world: &World) {
    for (wanted, options, expected) in [
        ("read-write", "", None),
        ("primary", "", None),
        ("prefer-standby", "", None),
        ("read-only", "-c default_transaction_read_only=on", None),
        ("read-only", "", Some("session is not read-only")),
        (
            "read-write",
            "-c default_transaction_read_only=on",
            Some("session is read-only"),
        ),
        ("standby", "", Some("server is not in hot standby mode")),
    ] {
        let more = format!("user=anyone target_session_attrs={wanted} options='{options}'");
        let outcome = connect(&world.settings(&more, &[]), &nobody_to_ask)
            .await
            .map(|_| ());
        let message = outcome.err().map(|error| error.to_string());
        let matches = match (&message, expected) {
            (None, None) => true,
            (Some(message), Some(expected)) => message.ends_with(expected),
            _ => false,
        };
        assert!(matches, "{more}: {message:?}");
    }
}

async fn broken_files_are_named(world: &World) {
    let broken = write(world.files.path(), "broken.crt", "no certificate");
    let more = format!("user=anyone sslrootcert={}", broken.display());
    let message = failure(&world.settings(&more, &[])).await;
    assert_eq!(
        message,
        format!(
            "certificate file \"{}\" contains no certificate",
            broken.display()
        )
    );
}
