//! Throwaway servers: their locale, and the removal of those that killed processes left.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User, chown};
use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::locale::{LocaleError, LocaleProvider};
use pgrehearse::internals::cluster::{
    Binaries, Cluster, ClusterError, ClusterLocale, ClusterOptions,
};
use postgres::{Client, NoTls};
use tempfile::TempDir;

/// A generous time limit for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn binaries() -> Binaries {
    Binaries::find(WhenMissing::Explain).unwrap()
}

fn start(locale: ClusterLocale) -> Result<Cluster, ClusterError> {
    let settings = "work_mem = '77MB'\nshared_buffers = 32MB\n".to_owned();
    let options = ClusterOptions {
        settings,
        locale,
        without_checksums: true,
        ..ClusterOptions::default()
    };
    Cluster::start(&binaries(), &options, &|| false)
}

fn ask(cluster: &Cluster, sql: &str) -> String {
    Client::connect(&cluster.conninfo(), NoTls)
        .unwrap()
        .query_one(sql, &[])
        .unwrap()
        .get(0)
}

#[test]
fn a_server_has_the_requested_options() {
    let starting = Cluster::begin(
        &binaries(),
        &ClusterOptions {
            settings: "work_mem = '77MB'\n".to_owned(),
            locale: ClusterLocale::libc("LATIN1", "C"),
            without_checksums: true,
            ..ClusterOptions::default()
        },
    );
    let cluster = starting.unwrap().wait(&|| false).unwrap();
    let settings = ["server_encoding", "work_mem", "data_checksums"]
        .map(|name| ask(&cluster, &format!("SHOW {name}")));
    assert_eq!(settings, ["LATIN1", "77MB", "off"]);
    assert_eq!(
        ask(
            &cluster,
            "SELECT datcollate::text FROM pg_database WHERE datname = 'postgres'"
        ),
        "C"
    );
    let owner = fs::metadata(cluster.data_directory().join("base"))
        .unwrap()
        .uid();
    let ours = Uid::effective().as_raw();
    assert_eq!(owner, cluster.server_user().map_or(ours, |user| user.uid));
    let directory = cluster.directory().to_owned();
    drop(cluster);
    assert!(!directory.exists(), "nothing stays");
}

#[test]
fn a_locale_that_is_not_installed_has_its_own_error() {
    let name = "xx_YY'; exit 7; \"$0\".UTF-8";
    match start(ClusterLocale::libc("UTF8", name)).err().unwrap() {
        ClusterError::Locale(LocaleError::NotInstalled { locale }) => assert_eq!(locale, name),
        other => panic!("{other}"),
    }
    let error = start(ClusterLocale::libc("KLINGON", "C")).err().unwrap();
    assert!(
        matches!(error, ClusterError::Locale(LocaleError::Refused { .. })),
        "{error}"
    );
}

#[test]
fn a_provider_is_available_from_its_version_on() {
    let major = binaries().major;
    let german = |provider, name: &str| ClusterLocale {
        provider,
        provider_locale: Some(name.to_owned()),
        ..ClusterLocale::default()
    };
    let of = "SELECT datlocprovider::text FROM pg_database WHERE datname = 'postgres'";
    for (since, sign, locale) in [
        (15, "i", german(LocaleProvider::Icu, "de-DE")),
        (17, "b", german(LocaleProvider::Builtin, "C.UTF-8")),
    ] {
        match start(locale) {
            Ok(cluster) => assert_eq!((ask(&cluster, of).as_str(), major >= since), (sign, true)),
            Err(ClusterError::Locale(LocaleError::Unknown { .. })) => {
                assert!(major < since, "{sign}")
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn other_failures_do_not_blame_the_locale() {
    let options = ClusterOptions {
        settings: "work_mem = 'a lot'\n".to_owned(),
        ..ClusterOptions::default()
    };
    let error = Cluster::start(&binaries(), &options, &|| false)
        .err()
        .unwrap();
    assert!(
        matches!(&error, ClusterError::Failed { log, .. } if log.contains("work_mem")),
        "{error}"
    );
    let error = Cluster::begin(&binaries(), &ClusterOptions::default())
        .unwrap()
        .wait(&|| true)
        .err()
        .unwrap();
    assert!(matches!(error, ClusterError::Interrupted), "{error}");
}

/// The first signals arrive before the new process handles them as a server.
#[test]
fn a_server_that_misses_its_first_signals_gets_them_again() {
    let programs = place();
    let initdb = "case $1 in --version) echo 'initdb (PostgreSQL) 15.0' ;; *) mkdir \"$2\" ;; esac";
    let postgres = "trap '' TERM; sleep 1; trap 'exit 0' TERM; while :; do sleep 0.1; done";
    for (name, commands) in [("initdb", initdb), ("postgres", postgres)] {
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\"";
        let file = programs.path().join(name);
        assert!(
            Command::new("sh")
                .args(["-c", write])
                .arg(file)
                .arg(commands)
                .status()
                .unwrap()
                .success()
        );
    }
    let binaries = Binaries {
        directory: programs.path().to_owned(),
        major: 15,
    };
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let starting = Cluster::begin(&binaries, &ClusterOptions::default()).unwrap();
        // Waits until the process that ignores signals exists.
        std::thread::sleep(Duration::from_millis(500));
        done.send(starting.wait(&|| true).err()).unwrap();
    });
    let error = is_done
        .recv_timeout(PATIENCE)
        .expect("the keeper gets rid of it")
        .unwrap();
    assert!(matches!(error, ClusterError::Interrupted), "{error}");
}

/// The other process of the tests below: keeps a cluster until its standard input ends.
#[test]
#[ignore = "the tests of stale servers start it"]
fn hold_one_for_another_test() {
    let cluster = Cluster::start(&binaries(), &ClusterOptions::default(), &|| false).unwrap();
    println!("\nholding {}", cluster.directory().display());
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// A directory for temporary files, without the servers of other tests.
fn place() -> TempDir {
    let place = tempfile::Builder::new()
        .prefix("s")
        .tempdir_in("/tmp")
        .unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    place
}

/// A process with a cluster.
struct Holder {
    process: Child,
    /// Kept open, because the test harness prints a last line.
    _output: BufReader<ChildStdout>,
    directory: PathBuf,
}

fn launch(place: &TempDir) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "cluster::hold_one_for_another_test",
        "--ignored",
        "--nocapture",
    ]);
    command
        .env("TMPDIR", place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn holding(mut process: Child) -> Holder {
    let mut output = BufReader::new(process.stdout.take().unwrap());
    loop {
        let mut line = String::new();
        assert!(
            output.read_line(&mut line).unwrap() > 0,
            "the other process has no cluster"
        );
        if let Some(directory) = line.trim_end().strip_prefix("holding ") {
            return Holder {
                process,
                _output: output,
                directory: directory.into(),
            };
        }
    }
}

impl Holder {
    fn new(place: &TempDir) -> Holder {
        holding(launch(place))
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.process.id()).unwrap()
    }

    fn postmaster(&self) -> i32 {
        let file = fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap();
        file.lines().next().unwrap().parse().unwrap()
    }

    fn keeper(&self) -> i32 {
        let listing = Command::new("ps")
            .args(["-A", "-o", "pid=,ppid=,args="])
            .output()
            .unwrap();
        let listing = String::from_utf8(listing.stdout).unwrap();
        let parent = self.process.id().to_string();
        let is_it = |line: &&str| {
            line.split_whitespace().nth(1) == Some(&parent) && line.contains("pgrehearse-keeper")
        };
        let line = listing.lines().find(is_it).expect("a keeper");
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Kills the process and its keeper, so that neither can remove the cluster. Returns it and its
    /// server.
    fn abandon(mut self) -> (PathBuf, i32) {
        let server = self.postmaster();
        for pid in [self.keeper(), self.pid()] {
            kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        }
        self.process.wait().unwrap();
        assert!(
            runs(server) && self.directory.exists(),
            "nothing is left to stop it"
        );
        (self.directory, server)
    }

    fn answers(&self) -> bool {
        let conninfo = format!(
            "host={} user=postgres dbname=postgres",
            self.directory.display()
        );
        Client::connect(&conninfo, NoTls)
            .is_ok_and(|mut client| client.simple_query("SELECT 1").is_ok())
    }

    fn end(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
        assert!(!self.directory.exists());
    }
}

/// Whether a process exists that is not a zombie.
fn runs(pid: i32) -> bool {
    let listing = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8(listing.stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_next_server_that_starts_removes_stale_ones() {
    let place = place();
    let living = Holder::new(&place);
    let (stale, server) = Holder::new(&place).abandon();
    let next = Holder::new(&place);
    wait_until("the stale one is gone", || !stale.exists());
    assert!(
        !runs(server),
        "it was stopped before its files were removed"
    );
    assert!(living.answers() && next.answers());
    living.end();
    next.end();
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn two_servers_that_start_at_once_do_not_hinder_each_other() {
    let place = place();
    let stale = [Holder::new(&place).abandon(), Holder::new(&place).abandon()];
    let next = [launch(&place), launch(&place), launch(&place)].map(holding);
    wait_until("both stale ones are gone", || {
        stale.iter().all(|(directory, _)| !directory.exists())
    });
    assert!(
        !stale.iter().any(|(_, server)| runs(*server)),
        "they were stopped before their files were removed"
    );
    assert!(next.iter().all(Holder::answers));
    next.into_iter().for_each(Holder::end);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

/// A cluster whose owner lives, although its keeper was killed, is not stale.
#[test]
fn a_server_without_its_keeper_is_left_to_its_owner() {
    let place = place();
    let living = Holder::new(&place);
    kill(Pid::from_raw(living.keeper()), Signal::SIGKILL).unwrap();
    let (stale, _) = Holder::new(&place).abandon();
    let next = Holder::new(&place);
    wait_until("the stale one is gone", || !stale.exists());
    assert!(living.answers());
    let server = living.postmaster();
    living.end();
    wait_until("the owner stopped it", || !runs(server));
    next.end();
}

fn given_to_the_server(path: &Path) {
    let user = ["postgres", "nobody"]
        .iter()
        .find_map(|name| User::from_name(name).unwrap());
    if let (true, Some(user)) = (Uid::effective().is_root(), user) {
        chown(path, Some(user.uid), Some(user.gid)).unwrap();
    }
}

#[test]
fn what_only_looks_like_a_stale_server_is_not_touched() {
    let place = place();
    let path = |name: &str| place.path().join(name);
    // Without a lock; a link to a directory elsewhere that has one; another name.
    for directory in ["pgrehearse-unlocked", "elsewhere", "pgrehearse-old"] {
        fs::create_dir(path(directory)).unwrap();
        fs::write(path(directory).join("precious"), "").unwrap();
        given_to_the_server(&path(directory));
    }
    fs::write(path("elsewhere/lock"), "").unwrap();
    given_to_the_server(&path("elsewhere/lock"));
    symlink(path("elsewhere"), path("pgrehearse-link")).unwrap();
    // Its lock is a link to a file elsewhere.
    symlink(path("elsewhere/lock"), path("pgrehearse-unlocked/lock")).unwrap();
    // A process that has the number of an old server: the directory is stale, but not what its
    // links point to.
    let mut unrelated = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    fs::create_dir_all(path("pgrehearse-stale/data")).unwrap();
    let postmaster = format!(
        "{}\n{}\n",
        unrelated.id(),
        path("pgrehearse-stale/data").display()
    );
    fs::write(path("pgrehearse-stale/data/postmaster.pid"), postmaster).unwrap();
    fs::write(path("pgrehearse-stale/lock"), "").unwrap();
    symlink(path("elsewhere"), path("pgrehearse-stale/outside")).unwrap();
    for name in [
        "pgrehearse-stale/data/postmaster.pid",
        "pgrehearse-stale/data",
        "pgrehearse-stale/lock",
        "pgrehearse-stale",
    ] {
        given_to_the_server(&path(name));
    }
    let next = Holder::new(&place);
    wait_until("the stale one is gone", || {
        !path("pgrehearse-stale").exists()
    });
    next.end();
    for directory in [
        "pgrehearse-unlocked",
        "elsewhere",
        "pgrehearse-old",
        "pgrehearse-link",
    ] {
        assert!(path(directory).join("precious").exists(), "{directory}");
    }
    assert!(runs(i32::try_from(unrelated.id()).unwrap()));
    unrelated.kill().unwrap();
    unrelated.wait().unwrap();
}
