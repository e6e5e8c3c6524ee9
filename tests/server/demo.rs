//! `pgrehearse demo`: its server is gone afterwards in every case.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::live::{program, text_of};

/// A temporary directory that the server's user can enter, too.
fn place() -> TempDir {
    let place = tempfile::Builder::new()
        .prefix("d")
        .tempdir_in("/tmp")
        .unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    place
}

fn demo(place: &TempDir) -> Command {
    let mut command = program();
    command
        .args(["demo", "--scale", "0.02", "--no-install", "--verbose"])
        .env("TMPDIR", place.path());
    command
}

fn left(place: &TempDir) -> Vec<String> {
    fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn servers_in(place: &TempDir) -> usize {
    let listing = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    listing
        .lines()
        .filter(|line| line.contains(place.path().to_str().unwrap()))
        .count()
}

fn wait_until_clean(place: &TempDir) {
    let began = Instant::now();
    while !left(place).is_empty() || servers_in(place) > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "left: {:?}, servers: {}",
            left(place),
            servers_in(place)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_demo_reports_on_all_five_systems_and_cleans_up() {
    let place = place();
    let output = demo(&place).output().unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for statement in [
        "jobs-fetch-runnable",
        "refs-orphans",
        "n26-3a-blocked-count",
        "games-by-name",
        "gigs-events-of-one-hour",
    ] {
        assert!(text.contains(statement), "{statement}");
    }
    assert!(
        output.stderr.is_empty(),
        "no progress where there is no terminal: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!((left(&place), servers_in(&place)), (Vec::new(), 0));
}

#[test]
fn an_interrupted_demo_cleans_up() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let place = place();
        let mut child = demo(&place)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while servers_in(&place) == 0 && began.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(200));
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let status = child.wait().unwrap();
        if signal != Signal::SIGKILL {
            assert_eq!(status.code(), Some(130), "{signal}");
        }
        wait_until_clean(&place);
    }
}
