//! How soon the program shows something, and how much memory it takes: `pgrehearse review FILE` in
//! a terminal of its own, measured from outside. The aims: the first screen of a recorded run
//! within 50 ms, and less than 50 MB with a plan of 10 000 nodes.
//!
//! Run with `cargo bench --bench start`. Memory is what Linux says in /proc: at rest with the plan
//! opened, and at most.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark may stop at the first surprise, and prints what it measured"
)]

#[path = "common/plans.rs"]
mod plans;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};

const RUNS: usize = 20;

/// Nothing takes longer than this.
const PATIENCE: Duration = Duration::from_secs(20);

/// The terminal is at rest when nothing was written for so long.
const QUIET: Duration = Duration::from_millis(100);

/// In the footer of every screen.
const DRAWN: &str = "quit";

fn main() {
    // Among tests a benchmark only has to build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    println!(
        "{:<22} {:>17} {:>13} {:>10} {:>10}",
        "", "first screen, ms", "(fastest)", "rest, MB", "most, MB"
    );
    measure(
        "recorded run",
        Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/fixtures/recordings/002-table-sync.json"
        )),
    );
    let small = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/findings/sort-spilled/good.json"
    );
    measure("small plan", Path::new(small));
    for shape in plans::SHAPES {
        let file = directory.path().join(format!("{shape}.json"));
        std::fs::write(&file, plans::shaped(shape).to_string()).unwrap();
        measure(&format!("10 000 nodes, {shape}"), &file);
    }
}

fn measure(name: &str, file: &Path) {
    let runs: Vec<[f64; 3]> = (0..RUNS).map(|_| Session::start(file).finish()).collect();
    let [first_screen, rest, most] = [0, 1, 2].map(|column| {
        let mut values: Vec<f64> = runs.iter().map(|run| run[column]).collect();
        values.sort_by(f64::total_cmp);
        (values[0], values[RUNS / 2])
    });
    println!(
        "{name:<22} {:>17.1} {:>13.1} {:>10.1} {:>10.1}",
        first_screen.1, first_screen.0, rest.1, most.1
    );
}

/// The program in a terminal.
struct Session {
    program: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    first_screen: Duration,
}

impl Session {
    /// Until the first screen.
    fn start(file: &Path) -> Session {
        let size = Winsize {
            ws_row: 40,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let terminal = openpty(&size, None).unwrap();
        let side = || Stdio::from(terminal.slave.try_clone().unwrap());
        let began = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgrehearse"));
        command
            .arg("review")
            .arg(file)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR");
        let program = command
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        let keys = File::from(terminal.master);
        let screen = written(keys.try_clone().unwrap());
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(DRAWN) {
            seen.extend(screen.recv_timeout(PATIENCE).expect("a first screen"));
        }
        Session {
            program,
            keys,
            screen,
            first_screen: began.elapsed(),
        }
    }

    /// Opens the plan, goes to its last node, looks at the memory and leaves. Milliseconds to the
    /// first screen, MB at rest, MB at most.
    fn finish(mut self) -> [f64; 3] {
        self.keys.write_all(b"\rG").unwrap();
        while self.screen.recv_timeout(QUIET).is_ok() {}
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.program.id())).unwrap();
        let megabytes = |field: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(field))
                .expect("Linux tells it");
            // Linux' kB has 1024 bytes.
            line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1.024 / 1000.0
        };
        let memory = ["VmRSS:", "VmHWM:"].map(megabytes);
        self.keys.write_all(b"q").unwrap();
        while self.screen.try_recv().is_ok() {}
        assert!(self.program.wait().unwrap().success());
        [
            self.first_screen.as_secs_f64() * 1000.0,
            memory[0],
            memory[1],
        ]
    }
}

/// What a program writes to its terminal, until it ends.
fn written(mut terminal: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(length) = terminal.read(&mut buffer) {
            if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}
