//! A panic in the interface and one in its worker, in a real terminal. The program has no switch
//! that makes it panic, so these tests run their own executable in the terminal, as a program
//! around the library's event loop, terminal and worker.

use std::path::Path;
use std::sync::Arc;

use pgrehearse::internals::advise::advise;
use pgrehearse::internals::planner::recording::{Recording, Replay};
use pgrehearse::internals::planner::{Answer, NamedIndex, PlannerError, Question};
use pgrehearse::internals::tui::backend::{Ask, Backend, CancelToken, During};
use pgrehearse::internals::tui::session_data::SessionData;
use pgrehearse::internals::tui::theme::Theme;
use pgrehearse::internals::tui::{self, Start};

use super::RECORDING;
use super::tmux::Tmux;

/// The program panics when this file exists.
const TRIGGER: &str = "panic-now";

/// This executable, running one of the programs below instead of the tests.
fn program(name: &str) -> String {
    let executable = std::env::current_exe().unwrap();
    format!(
        "env RUST_BACKTRACE=0 {} panics::{name} --exact --ignored --nocapture",
        executable.display()
    )
}

fn session_data() -> SessionData {
    let recording: Recording =
        serde_json::from_str(&std::fs::read_to_string(RECORDING).unwrap()).unwrap();
    let advice = advise(
        &recording.workload,
        &recording.limits,
        &mut Replay::new(&recording),
        &|_| {},
    )
    .unwrap();
    SessionData::new("a recording".to_owned(), advice, &recording)
}

#[test]
#[ignore = "the program of a_panic_of_the_interface_…, no test"]
fn interface_with_a_bug() {
    let stop = || {
        assert!(
            !Path::new(TRIGGER).exists(),
            "said by\nthe bug of the interface"
        );
        false
    };
    tui::run(
        Start::SessionData(Box::new(session_data())),
        Theme::Colours,
        &stop,
    )
    .unwrap();
}

#[test]
#[ignore = "the program of a_panic_of_the_worker_…, no test"]
fn worker_with_a_bug() {
    tui::run(
        Start::Live(Box::new(Buggy { runs: 0 })),
        Theme::Colours,
        &|| false,
    )
    .unwrap();
}

/// Panics in the first run and in every rehearsal.
struct Buggy {
    runs: usize,
}

impl Backend for Buggy {
    fn advise(&mut self, _: &During<'_>) -> Result<SessionData, PlannerError> {
        self.runs += 1;
        assert!(self.runs > 1, "the bug of the first run");
        Ok(session_data())
    }

    fn may_build(&mut self, _: &[NamedIndex], _: Ask<'_>) -> bool {
        true
    }

    fn ask(&mut self, _: &Question) -> Result<Answer, PlannerError> {
        panic!("the bug of the rehearsal")
    }

    fn connect(&mut self) -> Result<(), PlannerError> {
        Ok(())
    }

    fn lost(&mut self) -> Option<String> {
        None
    }

    fn cancel_token(&self) -> Arc<dyn CancelToken> {
        Arc::new(NoCancelToken)
    }
}

struct NoCancelToken;

impl CancelToken for NoCancelToken {
    fn cancel(&self) {}
    fn reset(&self) {}
}

#[test]
fn a_panic_of_the_interface_gives_the_terminal_back_and_can_be_read() {
    let tmux = Tmux::start_command("bug", "100x30", &program("interface_with_a_bug"));
    tmux.wait_for("the workload's cost falls");
    assert!(!tmux.is_given_back(), "the interface has the terminal");
    std::fs::write(tmux.directory().join(TRIGGER), "").unwrap();
    tmux.wait_for("EXIT 101");
    tmux.assert_given_back("panic");
    let screen = tmux.screen();
    assert!(
        screen.contains("panicked at tests/tui/panics.rs"),
        "{screen}"
    );
    // In raw mode each line would begin where the one before ended.
    assert!(
        screen
            .lines()
            .any(|line| line == "the bug of the interface"),
        "{screen}"
    );
}

#[test]
fn a_panic_of_the_worker_is_shown_and_the_interface_goes_on() {
    let tmux = Tmux::start_command("worker", "120x30", &program("worker_with_a_bug"));
    tmux.wait_for("a bug in pgrehearse");
    assert!(
        !tmux.screen().contains("panicked at"),
        "nothing is written over the screen: {}",
        tmux.screen()
    );
    tmux.keys(&["r"]);
    tmux.wait_for("the workload's cost falls");
    tmux.keys(&["4", "n"]);
    tmux.text("transactions (status, user_id)");
    tmux.keys(&["Enter"]);
    tmux.wait_for("a bug in pgrehearse");
    tmux.keys(&["Escape", "1"]);
    tmux.wait_for("the workload's cost falls");
    tmux.keys(&["q"]);
    tmux.wait_for("EXIT 0");
    tmux.assert_given_back("q");
    let screen = tmux.screen();
    for bug in ["the bug of the first run", "the bug of the rehearsal"] {
        assert!(
            screen.lines().any(|line| line == bug),
            "the reports come when the terminal is free again: {screen}"
        );
    }
}
