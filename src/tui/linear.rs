//! `--accessible`: the same session as linear text, for screen readers and for terminals that cannot
//! move a cursor. A line is read, its answer is printed; nothing is ever drawn again.

mod text;

use std::collections::VecDeque;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::backend::Worker;
use super::event_loop::{SessionEnd, Start};
use super::exports::write_file;
use super::keymap::Key;
use super::list::Movement;
use super::model::{Effect, Model, Msg, Overlay, Pane, Response, Size};
use super::screen::indexes::IndexRow;
use super::theme::Theme;
use super::update::update;
use crate::model::printable;
use crate::planner::Rollback;

/// How soon a response or a signal is noticed.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The size that scrolling is computed for; nothing is cut to it.
const SIZE: Size = Size {
    columns: 80,
    lines: 24,
};

/// Runs the session until the user quits, standard input ends, or `stop` returns true (SIGTERM).
///
/// # Errors
/// When standard output is closed.
pub fn run(start: Start, stop: &dyn Fn() -> bool) -> io::Result<SessionEnd> {
    let (sender, events) = channel();
    let (model, worker, effects) = match start {
        Start::SessionData(data) => (Model::offline(*data, SIZE, Theme::Plain), None, Vec::new()),
        Start::Live(backend) => {
            let (model, effects) = Model::live(SIZE, Theme::Plain);
            let (messages, received) = channel();
            let worker = Worker::start(backend, messages)?;
            forward(received, sender.clone(), Event::Worker)?;
            (model, Some(worker), effects)
        }
    };
    read_lines(sender)?;
    // Whoever pipes lines wants to know what is known in the end.
    let waits = !io::stdin().is_terminal();
    let mut lines = VecDeque::new();
    let mut session = Linear {
        model,
        worker,
        print: None,
        running: true,
        told: String::new(),
        total: String::new(),
        phase: String::new(),
        began: Instant::now(),
        rollback: Rollback::Confirmed,
    };
    say(text::WELCOME)?;
    session.perform(effects)?;
    session.tell_state()?;
    while session.running && !stop() {
        match events.recv_timeout(POLL_INTERVAL) {
            Ok(Event::Line(line)) => lines.push_back(line),
            Ok(Event::Worker(msg)) => session.handle(msg)?,
            Err(_) => {}
        }
        while session.running && !(waits && session.is_busy()) {
            match lines.pop_front() {
                Some(Some(line)) => session.line(&line)?,
                Some(None) => session.running = false,
                None => break,
            }
        }
    }
    if let Some(worker) = session.worker.take() {
        worker.finish();
    }
    for event in events.try_iter() {
        if let Event::Worker(Msg::Response(_, Response::Cancelled(rollback))) = event {
            session.rollback = rollback;
        }
    }
    Ok(SessionEnd {
        print: session.print,
        rollback: session.rollback,
    })
}

enum Event {
    /// A line of standard input; none at its end.
    Line(Option<String>),
    Worker(Msg),
}

fn forward(
    received: Receiver<Msg>,
    sender: Sender<Event>,
    event: fn(Msg) -> Event,
) -> io::Result<()> {
    let pass = move || {
        for msg in received {
            if sender.send(event(msg)).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("messages".to_owned());
    thread.spawn(pass).map(drop)
}

fn read_lines(sender: Sender<Event>) -> io::Result<()> {
    let read = move || {
        for line in io::stdin().lock().lines() {
            if sender.send(Event::Line(line.ok())).is_err() {
                return;
            }
        }
        let _ = sender.send(Event::Line(None));
    };
    let thread = std::thread::Builder::new().name("lines".to_owned());
    thread.spawn(read).map(drop)
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.trim_end())?;
    out.flush()
}

struct Linear {
    model: Model,
    worker: Option<Worker>,
    print: Option<String>,
    running: bool,
    /// What was said last, so that it is not said twice.
    told: String,
    /// The total that was said last.
    total: String,
    phase: String,
    began: Instant,
    rollback: Rollback,
}

impl Linear {
    fn update(&mut self, msg: Msg) -> io::Result<()> {
        let effects = update(&mut self.model, msg);
        self.perform(effects)
    }

    fn handle(&mut self, msg: Msg) -> io::Result<()> {
        self.model.jobs.now = self.began.elapsed();
        let is_prediction = matches!(msg, Msg::Response(_, Response::Predicted(_, Some(_))));
        self.update(msg)?;
        let total = text::totals(&self.model);
        if is_prediction && total != self.total {
            say(&total)?;
            self.total = total;
        }
        self.tell_state()
    }

    /// Is something asked whose answer is not there? A question to the user waits for a line.
    fn is_busy(&self) -> bool {
        let jobs = &self.model.jobs;
        self.model.question.is_none() && (jobs.main.is_some() || !jobs.short.is_empty())
    }

    /// Says what has changed: a phase, a message, a question.
    fn tell_state(&mut self) -> io::Result<()> {
        let phase = self.model.jobs.main.as_ref();
        let phase = phase.map_or_else(String::new, |job| job.progress.what.clone());
        if phase != self.phase && !phase.is_empty() {
            say(&format!("Now: {}.", printable(&phase)))?;
        }
        self.phase = phase;
        let mut said = String::new();
        if let Some(message) = &self.model.message {
            said = printable(&message.text).into_owned();
        }
        if let Some(question) = &self.model.question {
            said = format!(
                "{} {} Type yes or no.",
                question.title,
                printable(&question.text)
            );
        }
        if let Pane::Failed(why) = &self.model.data {
            said = format!("Failed: {}. Type resume to try again.", printable(why));
        }
        if said != self.told && !said.is_empty() {
            say(&said)?;
        }
        self.told = said;
        Ok(())
    }

    fn perform(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Quit => self.running = false,
                Effect::Send(job, request) => self
                    .worker
                    .iter()
                    .for_each(|worker| worker.send(job, request.clone())),
                Effect::Cancel(job) => self.worker.iter().for_each(|worker| worker.cancel(job)),
                Effect::Answer(is_yes) => {
                    self.worker.iter().for_each(|worker| worker.answer(is_yes));
                }
                Effect::WriteFile { path, text } => {
                    self.update(Msg::Exported(write_file(&path, &text)))?;
                }
                Effect::Copy(text) => say(&text)?,
                Effect::PrintOnExit(ddl) => self.print = ddl,
                // The terminal is not taken over.
                Effect::Suspend | Effect::TakeMouse(_) => {}
                Effect::Edit(..) => say("An editor is not opened here: type new and the index.")?,
            }
        }
        Ok(())
    }

    /// Does what a line says, and prints the answer.
    fn line(&mut self, line: &str) -> io::Result<()> {
        let line = line.trim();
        self.told.clear();
        self.model.message = None;
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let number = rest.parse::<usize>().ok().filter(|number| *number > 0);
        match (word.to_lowercase().as_str(), number) {
            ("yes" | "y", _) if self.model.question.is_some() => {
                self.update(Msg::Key(Key::Char('y')))?;
            }
            ("no" | "n", _) if self.model.question.is_some() => {
                self.update(Msg::Key(Key::Char('n')))?;
            }
            ("" | "statements", _) => say(&text::statements(&self.model))?,
            ("statement", number) => {
                self.select_statement(number);
                say(&text::statement(&self.model))?;
            }
            ("plan", number) => {
                self.select_statement(number);
                self.update(Msg::Key(Key::Char('2')))?;
                say(&text::plan(&self.model))?;
            }
            ("compare", number) => {
                self.select_statement(number);
                self.update(Msg::Key(Key::Char('3')))?;
                say(&text::compared(&self.model))?;
            }
            ("indexes", _) => say(&text::indexes(&self.model))?,
            ("on" | "off", Some(number)) => self.switch(number, word.eq_ignore_ascii_case("on"))?,
            ("report", _) if rest.is_empty() => say(&text::report(&self.model))?,
            ("help", _) => say(&text::help())?,
            ("new", _) if !rest.is_empty() => self.command("new", Some(rest))?,
            ("create", _) => self.command("new", Some(line))?,
            _ => self.command(line, None)?,
        }
        self.tell_state()
    }

    /// A command of `:`, and what is typed after it.
    fn command(&mut self, command: &str, typed: Option<&str>) -> io::Result<()> {
        self.update(Msg::Key(Key::Char(':')))?;
        self.update(Msg::Paste(command.to_owned()))?;
        self.update(Msg::Key(Key::Enter))?;
        let is_asked = matches!(self.model.navigation.overlay, Overlay::Prompt(_));
        if let Some(typed) = typed.filter(|_| is_asked) {
            self.update(Msg::Paste(typed.to_owned()))?;
            self.update(Msg::Key(Key::Enter))?;
        }
        if let Some(error) = text::error_of_prompt(&self.model) {
            say(&error)?;
            self.update(Msg::Key(Key::Esc))?;
        }
        Ok(())
    }

    fn select_statement(&mut self, number: Option<usize>) {
        let length = self.model.workload.visible.len();
        if let Some(number) = number {
            let list = &mut self.model.workload.list;
            list.select(Movement::To(number - 1), length, length);
            self.model.plan.statement = None;
            self.model.compare.statement = None;
            self.model.navigation.screen = super::keymap::Screen::Workload;
        }
    }

    /// Switches the index with this number on or off.
    fn switch(&mut self, number: usize, on: bool) -> io::Result<()> {
        let rows = text::listed_rows(&self.model);
        let Some(row) = rows.get(number - 1).copied() else {
            return say(&format!("There is no index {number}."));
        };
        let is_on = match row {
            IndexRow::Index(index) => self.model.selection.indexes().contains(&index),
            IndexRow::Existing(finding) => self.model.selection.switches().fixes.contains(&finding),
            IndexRow::Heading(_) => return Ok(()),
        };
        if is_on != on {
            self.update(Msg::Key(Key::Char('4')))?;
            let place = self
                .model
                .indexes
                .rows
                .iter()
                .position(|known| *known == row);
            self.model.indexes.list.selected = place.unwrap_or(0);
            self.update(Msg::Key(Key::Char(' ')))?;
        }
        self.total = text::totals(&self.model);
        say(&self.total)
    }
}
