//! A terminal for a test: a tmux server of its own with one window, in which a shell starts the
//! program.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A generous time limit for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The file with the output of `stty` before and after the program.
const BEFORE: &str = "stty.before";
const AFTER: &str = "stty.after";

/// A terminal in which the program runs; dropping it removes it.
pub struct Tmux {
    socket: String,
    directory: tempfile::TempDir,
}

impl Tmux {
    /// Starts the program with these arguments, in an empty directory, in a terminal of
    /// `COLUMNSxLINES`. When it ends, `EXIT status` is printed and the shell stays.
    pub fn start(name: &str, size: &str, arguments: &str) -> Tmux {
        Tmux::start_command(
            name,
            size,
            &format!("{} {arguments}", env!("CARGO_BIN_EXE_pgrehearse")),
        )
    }

    /// As [`Tmux::start`], with any command.
    pub fn start_command(name: &str, size: &str, command: &str) -> Tmux {
        let tmux = Tmux {
            socket: format!("pgrehearse-{}-{name}", std::process::id()),
            directory: tempfile::tempdir().unwrap(),
        };
        let (columns, lines) = size.split_once('x').unwrap();
        let script = tmux.directory.path().join("start.sh");
        let text = format!(
            "set -m\nPS1='$ '\nstty -g >{BEFORE}\n{command}\nstatus=$?\nstty -g >{AFTER}\necho EXIT $status\n"
        );
        std::fs::write(&script, text).unwrap();
        let directory = tmux.directory.path().to_str().unwrap().to_owned();
        // Not bash: it restores the terminal's modes itself, which would hide that the program did
        // not.
        let shell = format!("env ENV={} dash -i", script.display());
        let window = [
            "new-session",
            "-d",
            "-x",
            columns,
            "-y",
            lines,
            "-c",
            &directory,
            &shell,
        ];
        tmux.run(&[&["-f", "/dev/null"], &window[..]].concat());
        tmux
    }

    /// The program's working directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command
            .args(["-L", &self.socket])
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR");
        for variable in [
            "PGHOST",
            "PGPORT",
            "PGUSER",
            "PGDATABASE",
            "PGPASSWORD",
            "PGSERVICE",
            "PGOPTIONS",
        ] {
            command.env_remove(variable);
        }
        let output = command
            .output()
            .expect("tmux is needed: apt-get install tmux");
        assert!(
            output.status.success(),
            "tmux {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Presses keys, by their names in tmux.
    pub fn keys(&self, keys: &[&str]) {
        for key in keys {
            self.run(&["send-keys", key]);
        }
    }

    /// Types text.
    pub fn text(&self, text: &str) {
        self.run(&["send-keys", "-l", text]);
    }

    /// The text on the screen.
    pub fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// Waits until the screen shows this text, even if the terminal wrapped its lines.
    pub fn wait_for(&self, text: &str) {
        let began = Instant::now();
        while !self.screen().contains(text) {
            assert!(
                began.elapsed() < PATIENCE,
                "{text:?} did not come:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Resizes the terminal.
    pub fn resize(&self, size: &str) {
        let (columns, lines) = size.split_once('x').unwrap();
        self.run(&["resize-window", "-x", columns, "-y", lines]);
    }

    /// Sends a signal to the program, the shell's child.
    pub fn signal(&self, signal: &str) {
        let shell = self.run(&["display-message", "-p", "#{pane_pid}"]);
        let children = Command::new("pgrep")
            .args(["-P", shell.trim()])
            .output()
            .unwrap();
        let children = String::from_utf8_lossy(&children.stdout).into_owned();
        let child = children.lines().next().expect("the program runs");
        assert!(
            Command::new("kill")
                .args([&format!("-{signal}"), child])
                .status()
                .unwrap()
                .success()
        );
    }

    fn modes(&self) -> String {
        let format = "alternate:#{alternate_on} mouse:#{mouse_any_flag} cursor:#{cursor_flag}";
        self.run(&["display-message", "-p", format])
            .trim()
            .to_owned()
    }

    /// Does the terminal show the shell's screen, without mouse reports and with a cursor?
    pub fn is_given_back(&self) -> bool {
        self.modes() == "alternate:0 mouse:0 cursor:1"
    }

    /// Asserts that the terminal is as it was before the program started: its screen, mouse and
    /// cursor as tmux sees them, and the line discipline (raw mode, echo) as `stty` saw it right
    /// after the program stopped or ended.
    pub fn assert_given_back(&self, when: &str) {
        assert!(self.is_given_back(), "{when}: {}", self.modes());
        let saved = |file: &str| std::fs::read_to_string(self.directory().join(file)).unwrap();
        assert_eq!(saved(AFTER), saved(BEFORE), "{when}");
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux")
            .args(["-L", &self.socket, "kill-server"])
            .output();
    }
}
