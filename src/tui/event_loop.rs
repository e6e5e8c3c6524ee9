//! The loop around the pure core: waits for an event, updates the model, performs the effects, and
//! draws if something changed.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::ascii;
use super::backend::{Backend, Worker};
use super::burst::{Burst, PASTE_GAP};
use super::exports::write_file;
use super::model::{Effect, Model, Msg, Response};
use super::session_data::SessionData;
use super::terminal::Tty;
use super::theme::Theme;
use super::update::update;
use crate::planner::Rollback;

/// How soon a response or a signal is noticed; keys are noticed at once.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How often the elapsed time is drawn.
const TICK_INTERVAL: Duration = Duration::from_millis(100);

/// How long the worker may take to roll back before the program is suspended to the shell.
const MAX_ROLLBACK: Duration = Duration::from_secs(30);

/// What to show.
pub enum Start {
    /// Data from a file.
    SessionData(Box<SessionData>),
    /// A run on a server.
    Live(Box<dyn Backend>),
}

/// How the session ended.
pub struct SessionEnd {
    /// What to print after the terminal is restored.
    pub print: Option<String>,
    /// Whether the rollback of a running build is confirmed.
    pub rollback: Rollback,
}

/// Runs the interface until the user quits or `stop` returns true (SIGTERM).
///
/// # Errors
/// When the terminal cannot be used.
pub fn run(start: Start, theme: Theme, stop: &dyn Fn() -> bool) -> io::Result<SessionEnd> {
    let (sender, responses) = channel();
    let tty = Tty::take()?;
    let size = tty.size()?;
    let (model, worker, effects) = match start {
        Start::SessionData(session_data) => {
            (Model::offline(*session_data, size, theme), None, Vec::new())
        }
        Start::Live(backend) => {
            let (model, effects) = Model::live(size, theme);
            (
                model,
                Some(Worker::start(backend, sender.clone())?),
                effects,
            )
        }
    };
    let model = Model {
        is_ascii: !ascii::is_unicode(|name| std::env::var(name).ok()),
        ..model
    };
    let mut session = Session {
        tty,
        model,
        worker,
        sender,
        print: None,
        running: true,
    };
    let ended = session.run(effects, &responses, stop);
    let Session {
        tty, worker, print, ..
    } = session;
    // The terminal is restored before the server rolls back.
    drop(tty);
    if let Some(worker) = worker {
        worker.finish();
    }
    let rollback = responses.try_iter().filter_map(|msg| match msg {
        Msg::Response(_, Response::Cancelled(rollback)) => Some(rollback),
        _ => None,
    });
    let rollback = rollback.last().unwrap_or(Rollback::Confirmed);
    ended.map(|()| SessionEnd { print, rollback })
}

struct Session {
    tty: Tty,
    model: Model,
    worker: Option<Worker>,
    sender: Sender<Msg>,
    print: Option<String>,
    running: bool,
}

impl Session {
    fn run(
        &mut self,
        effects: Vec<Effect>,
        responses: &Receiver<Msg>,
        stop: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let began = Instant::now();
        let mut ticked = began;
        self.perform(effects)?;
        self.tty.draw(&self.model)?;
        while self.running && !stop() {
            let mut changed = false;
            if let Some(msg) = self.tty.wait(POLL_INTERVAL)? {
                // Pending keys are handled together, so that a key that was held down does not go
                // on after it is released.
                let mut burst = self.collect(msg)?;
                while let Some(msg) = burst.next(&self.model) {
                    changed = self.handle(msg)?;
                }
            }
            while let Ok(msg) = responses.try_recv() {
                changed = self.handle(msg)?;
            }
            let is_busy = self.model.jobs.main.is_some() || !self.model.jobs.short.is_empty();
            if is_busy && ticked.elapsed() >= TICK_INTERVAL {
                ticked = Instant::now();
                changed = self.handle(Msg::Tick(began.elapsed()))?;
            }
            if changed && self.running {
                self.tty.draw(&self.model)?;
            }
        }
        Ok(())
    }

    /// A message, and all that came with it.
    fn collect(&self, first: Msg) -> io::Result<Burst> {
        let mut burst = Burst::default();
        burst.push(first);
        loop {
            let patience = match burst.may_go_on(&self.model) {
                true => PASTE_GAP,
                false => Duration::ZERO,
            };
            match self.tty.wait(patience)? {
                Some(msg) => burst.push(msg),
                None => return Ok(burst),
            }
        }
    }

    fn handle(&mut self, msg: Msg) -> io::Result<bool> {
        let effects = update(&mut self.model, msg);
        self.perform(effects)?;
        Ok(true)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Quit => self.running = false,
                Effect::Suspend => self.suspend()?,
                Effect::Send(job, request) => self
                    .worker
                    .iter()
                    .for_each(|worker| worker.send(job, request.clone())),
                Effect::Cancel(job) => self.worker.iter().for_each(|worker| worker.cancel(job)),
                Effect::Answer(is_yes) => {
                    self.worker.iter().for_each(|worker| worker.answer(is_yes))
                }
                Effect::WriteFile { path, text } => {
                    self.post(Msg::Exported(write_file(&path, &text)));
                }
                Effect::Copy(text) => {
                    self.tty.copy(&text)?;
                    self.post(Msg::Exported(Ok(
                        "Copied to the clipboard, if the terminal supports OSC 52".to_owned(),
                    )));
                }
                Effect::PrintOnExit(ddl) => self.print = ddl,
                Effect::Edit(what, text) => {
                    let edited = self.tty.edit(&text)?;
                    self.post(Msg::Edited(what, edited));
                }
                Effect::TakeMouse(takes) => self.tty.take_mouse(takes)?,
            }
        }
        Ok(())
    }

    /// Suspends once nothing is open on the server any more; else it says why not.
    fn suspend(&mut self) -> io::Result<()> {
        let began = Instant::now();
        while self.worker.as_ref().is_some_and(Worker::is_busy) {
            if began.elapsed() > MAX_ROLLBACK {
                self.post(Msg::Exported(Err(
                    "Not suspended: the server has not rolled back yet".to_owned(),
                )));
                self.post(Msg::Resumed);
                return Ok(());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        self.tty.suspend()?;
        self.post(Msg::Resumed);
        Ok(())
    }

    /// Sends a message that the next iteration handles.
    fn post(&self, msg: Msg) {
        let _ = self.sender.send(msg);
    }
}
