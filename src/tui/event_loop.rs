//! The loop around the pure core: waits for something to happen, updates, does what is to be done, draws when something changed.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::backend::{Backend, Worker};
use super::look::Look;
use super::model::{Effect, Model, Msg, Reply};
use super::session_data::SessionData;
use super::terminal::{Tty, write_ddl};
use super::update::update;
use crate::planner::Rollback;

/// How soon an answer or a signal is noticed; keys are noticed at once.
const PATIENCE: Duration = Duration::from_millis(50);

/// So often at most the elapsed time is drawn.
const TICK: Duration = Duration::from_millis(100);

/// What to show.
pub enum Start {
    /// Something that is there already.
    SessionData(Box<SessionData>),
    /// What this will find out.
    Live(Box<dyn Backend>),
}

/// How it ended.
pub struct Ended {
    /// What the user wanted printed.
    pub print: Option<String>,
    /// What became of what was being built.
    pub rollback: Rollback,
}

/// Runs the interface until the user leaves it, or `stop` says so (SIGTERM).
///
/// # Errors
/// When the terminal cannot be used.
pub fn run(start: Start, look: Look, stop: &dyn Fn() -> bool) -> io::Result<Ended> {
    let (sender, answers) = channel();
    let tty = Tty::take()?;
    let size = tty.size()?;
    let (model, worker, effects) = match start {
        Start::SessionData(session_data) => {
            (Model::offline(*session_data, size, look), None, Vec::new())
        }
        Start::Live(backend) => {
            let (model, effects) = Model::live(size, look);
            (
                model,
                Some(Worker::start(backend, sender.clone())?),
                effects,
            )
        }
    };
    let mut session = Session {
        tty,
        model,
        worker,
        sender,
        print: None,
        goes_on: true,
    };
    let ended = session.run(effects, &answers, stop);
    let Session {
        tty, worker, print, ..
    } = session;
    // The terminal is the user's again while the server rolls back.
    drop(tty);
    if let Some(worker) = worker {
        worker.finish();
    }
    let rollback = answers.try_iter().filter_map(|msg| match msg {
        Msg::Answered(_, Reply::Cancelled(rollback)) => Some(rollback),
        _ => None,
    });
    let rollback = rollback.last().unwrap_or(Rollback::Confirmed);
    ended.map(|()| Ended { print, rollback })
}

struct Session {
    tty: Tty,
    model: Model,
    worker: Option<Worker>,
    sender: Sender<Msg>,
    print: Option<String>,
    goes_on: bool,
}

impl Session {
    fn run(
        &mut self,
        effects: Vec<Effect>,
        answers: &Receiver<Msg>,
        stop: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let began = Instant::now();
        let mut ticked = began;
        self.perform(effects)?;
        self.tty.draw(&self.model)?;
        while self.goes_on && !stop() {
            let mut changed = false;
            if let Some(msg) = self.tty.wait(PATIENCE)? {
                changed = self.happened(msg)?;
                // Keys that wait already are taken together: a key held down does not run on after it was let go.
                while let Some(msg) = self.tty.wait(Duration::ZERO)? {
                    self.happened(msg)?;
                }
            }
            while let Ok(msg) = answers.try_recv() {
                changed = self.happened(msg)?;
            }
            if self.model.desk.job.is_some() && ticked.elapsed() >= TICK {
                ticked = Instant::now();
                changed = self.happened(Msg::Tick(began.elapsed()))?;
            }
            if changed && self.goes_on {
                self.tty.draw(&self.model)?;
            }
        }
        Ok(())
    }

    fn happened(&mut self, msg: Msg) -> io::Result<bool> {
        let effects = update(&mut self.model, msg);
        self.perform(effects)?;
        Ok(true)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Quit => self.goes_on = false,
                Effect::Suspend => self.tty.suspend()?,
                Effect::Ask(job, ask) => self
                    .worker
                    .iter()
                    .for_each(|worker| worker.ask(job, ask.clone())),
                Effect::Cancel(job) => self.worker.iter().for_each(|worker| worker.cancel(job)),
                Effect::WriteFile(ddl) => self.tell(Msg::Exported(write_ddl(&ddl))),
                Effect::Copy(ddl) => {
                    self.tty.copy(&ddl)?;
                    self.tell(Msg::Exported(Ok(
                        "sent to the terminal's clipboard (if it allows OSC 52)".to_owned(),
                    )));
                }
                Effect::PrintOnExit(ddl) => self.print = ddl,
            }
        }
        Ok(())
    }

    /// Comes back as a message with the next round.
    fn tell(&self, msg: Msg) {
        let _ = self.sender.send(msg);
    }
}
