//! Records a real session of the interface for the README, docs/screens/session.svg: runs
//! `pgrehearse demo --tui` in tmux, types keys, reads the screen after each, and writes an animated
//! SVG. `make session-picture` runs it (tmux and PostgreSQL are needed; a minute).

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a tool of the project itself"
)]

#[path = "drawing/escapes.rs"]
mod escapes;
#[path = "drawing/svg.rs"]
mod svg;

use std::fmt::Write as _;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;

const COLUMNS: u16 = 110;
const LINES: u16 = 28;

/// What is typed, how that is called below the picture, and for how long the screen is shown.
const KEYS: [(&str, &str, f64); 10] = [
    ("j", "↓", 0.8),
    ("Enter", "Enter: its plan", 4.0),
    ("b", "b: before and after", 4.5),
    ("4", "4: the indexes", 3.5),
    ("j", "↓", 0.6),
    ("Space", "Space: without this one", 3.0),
    ("u", "u: undo", 1.5),
    ("1", "1: the workload, with what each statement gains", 3.0),
    ("5", "5: the report", 4.0),
    ("q", "q: leave", 2.0),
];

/// A screen with what is written below it.
struct Frame {
    screen: Buffer,
    caption: String,
    seconds: f64,
}

/// The terminal; dropping it ends it.
struct Terminal {
    socket: String,
}

impl Terminal {
    fn start(command: &str) -> Terminal {
        let socket = format!("pgrehearse-session-{}", std::process::id());
        let terminal = Terminal { socket };
        let (columns, lines) = (COLUMNS.to_string(), LINES.to_string());
        let size = ["-x", &columns, "-y", &lines];
        let window = [&["new-session", "-d"][..], &size, &[command]].concat();
        terminal.tmux(&[&["-f", "/dev/null"], &window[..]].concat());
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-L", &self.socket])
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn screen(&self) -> Buffer {
        escapes::screen(&self.tmux(&["capture-pane", "-e", "-p"]), COLUMNS, LINES)
    }

    fn shows(&self, text: &str) -> bool {
        self.tmux(&["capture-pane", "-p"]).contains(text)
    }

    fn wait_for(&self, text: &str) {
        let began = Instant::now();
        while !self.shows(text) {
            assert!(
                began.elapsed() < Duration::from_secs(180),
                "no {text:?} on the screen"
            );
            sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn main() {
    let program = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "target/release/pgrehearse".to_owned());
    let terminal = Terminal::start(&format!("{program} demo --tui --scale 0.2"));
    let frames = record(&terminal);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/screens/session.svg");
    let picture = picture(&frames);
    std::fs::write(path, &picture).unwrap();
    println!(
        "{path}: {} frames, {} kB",
        frames.len(),
        picture.len() / 1000
    );
}

fn record(terminal: &Terminal) -> Vec<Frame> {
    terminal.wait_for("jobs-fetch-runnable");
    let mut frames = Vec::new();
    let mut add = |caption: &str, seconds: f64| {
        let frame = Frame {
            screen: terminal.screen(),
            caption: caption.to_owned(),
            seconds,
        };
        frames.push(frame);
    };
    let command = "$ pgrehearse demo --tui";
    let mut frames_of_search = 0;
    const END: &str = "The search has ended";
    while !terminal.shows(END) && frames_of_search < 6 {
        add(command, 0.7);
        frames_of_search += 1;
        sleep(Duration::from_secs(4));
    }
    terminal.wait_for(END);
    add(command, 2.5);
    for (key, caption, seconds) in KEYS {
        if key != "q" {
            terminal.tmux(&["send-keys", key]);
            sleep(Duration::from_millis(700));
            add(caption, seconds);
        }
    }
    frames
}

/// The frames one after the other, for ever; without animation, the one of both plans.
fn picture(frames: &[Frame]) -> String {
    let total: f64 = frames.iter().map(|frame| frame.seconds).sum();
    let mut style = String::from(".f{visibility:hidden}.c{fill:#f5c95b;font-weight:bold}\n");
    let mut groups = String::new();
    let mut begin = 0.0;
    for (number, frame) in frames.iter().enumerate() {
        let (from, to) = (
            begin / total * 100.0,
            (begin + frame.seconds) / total * 100.0,
        );
        let before = if number == 0 {
            ""
        } else {
            "0%{visibility:hidden}"
        };
        let _ = writeln!(
            style,
            "@keyframes k{number}{{{before}{from:.3}%{{visibility:visible}}{to:.3}%,100%{{visibility:hidden}}}}#f{number}{{animation:k{number} {total:.1}s step-end infinite}}"
        );
        let _ = writeln!(groups, "<g id=\"f{number}\" class=\"f\">");
        svg::write_cells(&mut groups, &frame.screen);
        let y = usize::from(LINES) * svg::HEIGHT + 26;
        let caption = svg::escaped(&frame.caption);
        let _ = writeln!(
            groups,
            "<text class=\"c\" x=\"9\" y=\"{y}\">{caption}</text>\n</g>"
        );
        begin += frame.seconds;
    }
    let still = frames
        .iter()
        .position(|frame| frame.caption.starts_with("b:"));
    let still = still.unwrap_or_default();
    let _ = writeln!(
        style,
        "@media (prefers-reduced-motion:reduce){{.f{{animation:none!important}}#f{still}{{visibility:visible}}}}"
    );
    let beginning = svg::beginning(COLUMNS, LINES + 2);
    format!(
        "{beginning}<title>A session of pgrehearse</title>\n<style>{style}</style>\n{groups}</svg>\n"
    )
}
