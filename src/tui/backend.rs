//! The seam to the server, and the thread it lives on. Questions go in over a channel, messages come out; a question can be given
//! up while it is being answered, and the latest one wins.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::model::{Ask, Msg, Progress, Reply};
use super::session_data::{Group, SessionData};
use crate::index::NamedIndex;
use crate::rehearsal::{Answer, Comparison, Event, PlannerError, Refusal, Rollback};
use crate::workload::Statement;

/// Somebody with a server.
pub trait Backend: Send {
    /// The whole run.
    ///
    /// # Errors
    /// When the server cannot be asked, or the run was cancelled; everything is rolled back then.
    fn advise(&mut self, observer: &dyn Fn(Event<'_>)) -> Result<SessionData, PlannerError>;

    /// Indexes with the statements on their tables, built in one transaction and rolled back; without indexes, things as they are.
    ///
    /// # Errors
    /// As with [`Backend::advise`].
    fn rehearse(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError>;

    /// Stops what runs.
    fn cancel_token(&self) -> Arc<dyn CancelToken>;
}

/// Stops what runs on the server.
pub trait CancelToken: Send + Sync {
    /// Cancels the running statement, and all that follows until it is released.
    fn cancel(&self);
    /// Lets the next work run.
    fn release(&self);
}

/// The thread with the server.
pub struct Worker {
    questions: Sender<(u64, Ask)>,
    cancel_token: Arc<dyn CancelToken>,
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
        let cancel_token = backend.cancel_token();
        let given_up = Arc::new(AtomicU64::new(0));
        let desk = Desk {
            backend,
            answers,
            cancel_token: cancel_token.clone(),
            given_up: given_up.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("server".to_owned())
            .spawn(move || desk.work(&asked))?;
        Ok(Worker {
            questions,
            cancel_token,
            given_up,
            thread,
        })
    }

    /// Asks; the answer comes as a message.
    pub fn ask(&self, job: u64, ask: Ask) {
        // A worker that is gone has said so in a message of its own.
        let _ = self.questions.send((job, ask));
    }

    /// Gives this job up, at once.
    pub fn cancel(&self, job: u64) {
        self.given_up.fetch_max(job, Ordering::SeqCst);
        self.cancel_token.cancel();
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
    cancel_token: Arc<dyn CancelToken>,
    given_up: Arc<AtomicU64>,
}

impl Desk {
    fn work(mut self, asked: &Receiver<(u64, Ask)>) {
        while let Ok((job, ask)) = asked.recv() {
            // Released first, looked after that: a cancel in between is seen here, one after it pulls the brake again.
            self.cancel_token.release();
            let given_up = self.given_up.load(Ordering::SeqCst) >= job;
            let reply = if given_up {
                Reply::Cancelled(Rollback::Confirmed)
            } else {
                self.answer(job, ask)
            };
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
                backend
                    .advise(&observer)
                    .map(|session_data| Reply::Advised(Box::new(session_data)))
            }
            Ask::Prove { entries, groups } => {
                prove(backend.as_mut(), &groups).map(|proof| Reply::Proved(entries, proof))
            }
            Ask::Rehearse { index, statements } => {
                let compared = compare(backend.as_mut(), std::slice::from_ref(&index), &statements);
                compared.map(|compared| Reply::Rehearsed(index, compared.map(Box::new)))
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
) -> Result<Result<Vec<Comparison>, Refusal>, PlannerError> {
    groups
        .iter()
        .map(|group| compare(backend, &group.indexes, &group.statements))
        .collect()
}

/// With the indexes first, then without: see [`Comparison`].
fn compare(
    backend: &mut dyn Backend,
    indexes: &[NamedIndex],
    statements: &[Statement],
) -> Result<Result<Comparison, Refusal>, PlannerError> {
    let after = match backend.rehearse(indexes, statements)? {
        Answer::Planned(planned) => planned,
        Answer::Refused(refusal) => return Ok(Err(refusal)),
    };
    Ok(match backend.rehearse(&[], statements)? {
        Answer::Planned(planned) => Ok(Comparison {
            before: planned.plans,
            after,
        }),
        Answer::Refused(refusal) => Err(refusal),
    })
}

fn follow(progress: &mut Progress, event: Event<'_>) {
    match event {
        Event::Begin { what, steps } => {
            *progress = Progress {
                what: what.to_owned(),
                steps,
                ..Progress::default()
            }
        }
        Event::Step(about) => {
            progress.step += 1;
            progress.about = about.to_owned();
        }
        Event::End => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::index::parse_index;
    use crate::rehearsal::Planned;

    /// Answers everything, and remembers how many indexes it was asked about.
    struct Willing(Arc<Mutex<Vec<usize>>>);

    impl Backend for Willing {
        fn advise(&mut self, _observer: &dyn Fn(Event<'_>)) -> Result<SessionData, PlannerError> {
            Ok(SessionData::default())
        }

        fn rehearse(
            &mut self,
            indexes: &[NamedIndex],
            _statements: &[Statement],
        ) -> Result<Answer, PlannerError> {
            self.0.lock().unwrap().push(indexes.len());
            Ok(Answer::Planned(Planned::default()))
        }

        fn cancel_token(&self) -> Arc<dyn CancelToken> {
            Arc::new(NoCancelToken)
        }
    }

    struct NoCancelToken;

    impl CancelToken for NoCancelToken {
        fn cancel(&self) {}
        fn release(&self) {}
    }

    #[test]
    fn the_plans_before_are_taken_again_after_each_build() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answers, answered) = channel();
        let worker = Worker::start(Box::new(Willing(asked.clone())), answers).unwrap();
        let index = NamedIndex {
            name: "i".to_owned(),
            definition: parse_index("CREATE INDEX ON public.t (a)").unwrap(),
        };
        worker.ask(
            1,
            Ask::Rehearse {
                index: index.clone(),
                statements: Vec::new(),
            },
        );
        assert!(matches!(
            answered.recv(),
            Ok(Msg::Answered(1, Reply::Rehearsed(_, Ok(_))))
        ));
        let group = Group {
            indexes: vec![index.clone(), index],
            statements: Vec::new(),
        };
        worker.ask(
            2,
            Ask::Prove {
                entries: [0, 1].into(),
                groups: vec![group],
            },
        );
        assert!(
            matches!(answered.recv(), Ok(Msg::Answered(2, Reply::Proved(_, Ok(proof)))) if proof.len() == 1)
        );
        worker.finish();
        assert_eq!(*asked.lock().unwrap(), [1, 0, 2, 0]);
    }
}
