//! The seam to the server, and the thread it lives on. Questions go in over a channel, messages come out; a question can be given
//! up while it is being answered, and the latest one wins.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::dossier::{Dossier, Group};
use super::model::{Ask, Msg, Progress, Reply};
use crate::index::NamedIndex;
use crate::rehearsal::{Answer, Event, PlanOutcome, PlannerError, Refusal, Rollback};
use crate::workload::{Statement, StatementId};

/// Somebody with a server.
pub trait Backend: Send {
    /// The whole run.
    ///
    /// # Errors
    /// When the server cannot be asked, or the run was cancelled; everything is rolled back then.
    fn advise(&mut self, observer: &dyn Fn(Event<'_>)) -> Result<Dossier, PlannerError>;

    /// Indexes with the statements on their tables, built in one transaction and rolled back.
    ///
    /// # Errors
    /// As with [`Backend::advise`].
    fn rehearse(&mut self, indexes: &[NamedIndex], statements: &[Statement]) -> Result<Answer, PlannerError>;

    /// Stops what runs.
    fn brake(&self) -> Arc<dyn Brake>;
}

/// Stops what runs on the server.
pub trait Brake: Send + Sync {
    /// Cancels the running statement, and all that follows until it is released.
    fn pull(&self);
    /// Lets the next work run.
    fn release(&self);
}

/// The thread with the server.
pub struct Worker {
    questions: Sender<(u64, Ask)>,
    brake: Arc<dyn Brake>,
    given_up: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl Worker {
    /// Starts it; answers go to this sender.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start(backend: Box<dyn Backend>, answers: Sender<Msg>) -> std::io::Result<Worker> {
        let (questions, asked) = channel();
        let brake = backend.brake();
        let given_up = Arc::new(AtomicU64::new(0));
        let desk = Desk { backend, answers, brake: brake.clone(), given_up: given_up.clone() };
        let thread = std::thread::Builder::new().name("server".to_owned()).spawn(move || desk.work(&asked))?;
        Ok(Worker { questions, brake, given_up, thread })
    }

    /// Asks; the answer comes as a message.
    pub fn ask(&self, job: u64, ask: Ask) {
        // A worker that is gone has said so in a message of its own.
        let _ = self.questions.send((job, ask));
    }

    /// Gives this job up, at once.
    pub fn cancel(&self, job: u64) {
        self.given_up.fetch_max(job, Ordering::SeqCst);
        self.brake.pull();
    }

    /// Gives everything up and waits until it is rolled back.
    pub fn finish(self) {
        self.cancel(u64::MAX);
        drop(self.questions);
        let _ = self.thread.join();
    }
}

/// The worker's side.
struct Desk {
    backend: Box<dyn Backend>,
    answers: Sender<Msg>,
    brake: Arc<dyn Brake>,
    given_up: Arc<AtomicU64>,
}

impl Desk {
    fn work(mut self, asked: &Receiver<(u64, Ask)>) {
        while let Ok((job, ask)) = asked.recv() {
            // Released first, looked after that: a cancel in between is seen here, one after it pulls the brake again.
            self.brake.release();
            let given_up = self.given_up.load(Ordering::SeqCst) >= job;
            let reply = if given_up { Reply::Cancelled(Rollback::Confirmed) } else { self.answer(job, ask) };
            if self.answers.send(Msg::Answered(job, reply)).is_err() {
                return;
            }
        }
    }

    fn answer(&mut self, job: u64, ask: Ask) -> Reply {
        let answers = self.answers.clone();
        let backend = &mut self.backend;
        let answered = catch_unwind(AssertUnwindSafe(|| match ask {
            Ask::Advise => {
                let progress = std::cell::RefCell::new(Progress::default());
                let observer = |event: Event<'_>| {
                    let mut progress = progress.borrow_mut();
                    follow(&mut progress, event);
                    let _ = answers.send(Msg::Progress(job, progress.clone()));
                };
                backend.advise(&observer).map(|dossier| Reply::Advised(Box::new(dossier)))
            }
            Ask::Prove { entries, groups } => {
                prove(backend.as_mut(), &groups).map(|proof| Reply::Proved(entries, proof))
            }
            Ask::Rehearse { index, statements } => {
                let answer = backend.rehearse(std::slice::from_ref(&index), &statements);
                answer.map(|answer| Reply::Rehearsed(index, Box::new(answer)))
            }
        }));
        match answered {
            Ok(Ok(reply)) => reply,
            Ok(Err(PlannerError::Interrupted { rollback })) => Reply::Cancelled(rollback),
            Ok(Err(error)) => Reply::Lost(error.to_string()),
            Err(_) => Reply::Lost("a bug in pgrehearse: the work stopped in the middle".to_owned()),
        }
    }
}

/// One transaction after the other; a statement on tables of one group only, so that it is planned once.
fn prove(
    backend: &mut dyn Backend,
    groups: &[Group],
) -> Result<Result<BTreeMap<StatementId, PlanOutcome>, Refusal>, PlannerError> {
    let mut plans = BTreeMap::new();
    for group in groups {
        match backend.rehearse(&group.indexes, &group.statements)? {
            Answer::Planned(planned) => plans.extend(planned.plans),
            Answer::Refused(refusal) => return Ok(Err(refusal)),
        }
    }
    Ok(Ok(plans))
}

fn follow(progress: &mut Progress, event: Event<'_>) {
    match event {
        Event::Begin { what, steps } => *progress = Progress { what: what.to_owned(), steps, ..Progress::default() },
        Event::Step(about) => {
            progress.step += 1;
            progress.about = about.to_owned();
        }
        Event::End => {}
    }
}
