//! The boundary to the server, and the thread it runs on. Requests go in over a channel, messages
//! come out; a request can be cancelled while it runs, and the latest one wins.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::model::{Msg, Progress, Request, Response};
use super::session_data::{BuildGroup, SessionData};
use crate::index::NamedIndex;
use crate::planner::{Answer, Comparison, Event, PlannerError, Refusal, RefusalCause, Rollback};
use crate::workload::Statement;

/// Asks the user whether what this text says may be built. A question that is cancelled is a no.
pub type Ask<'a> = &'a dyn Fn(String) -> bool;

/// How soon a question to the user notices that its request is cancelled.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Runs requests on a server.
pub trait Backend: Send {
    /// The whole run; before it builds anything, it asks.
    ///
    /// # Errors
    /// When the server fails or the run was cancelled; everything is rolled back then.
    fn advise(
        &mut self,
        observer: &dyn Fn(Event<'_>),
        ask: Ask<'_>,
    ) -> Result<SessionData, PlannerError>;

    /// May these indexes be built? Asks, unless that is known.
    fn may_build(&mut self, indexes: &[NamedIndex], ask: Ask<'_>) -> bool;

    /// Plans the statements with the indexes built in one transaction, which is rolled back;
    /// without indexes, as the server is.
    ///
    /// # Errors
    /// As with [`Backend::advise`].
    fn rehearse(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError>;

    /// A token that cancels the running request.
    fn cancel_token(&self) -> Arc<dyn CancelToken>;
}

/// Cancels what runs on the server.
pub trait CancelToken: Send + Sync {
    /// Cancels the running statement and all later ones until [`CancelToken::reset`].
    fn cancel(&self);
    /// Allows statements to run again.
    fn reset(&self);
}

/// The thread with the server.
pub struct Worker {
    requests: Sender<(u64, Request)>,
    answers: Sender<bool>,
    cancel_token: Arc<dyn CancelToken>,
    cancelled_through: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl Worker {
    /// Starts it; responses go to this sender.
    ///
    /// When the thread cannot be started.
    /// When there can be no thread.
    pub fn start(backend: Box<dyn Backend>, responses: Sender<Msg>) -> std::io::Result<Worker> {
        let (requests, received) = channel();
        let (answers, answered) = channel();
        let cancel_token = backend.cancel_token();
        let cancelled_through = Arc::new(AtomicU64::new(0));
        let worker_thread = WorkerThread {
            backend,
            responses,
            answered,
            cancel_token: cancel_token.clone(),
            cancelled_through: cancelled_through.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("server".to_owned())
            .spawn(move || worker_thread.work(&received))?;
        Ok(Worker {
            requests,
            answers,
            cancel_token,
            cancelled_through,
            thread,
        })
    }

    /// Sends a request; the response comes as a message.
    pub fn send(&self, job: u64, request: Request) {
        // A worker that has ended has sent a message about it.
        let _ = self.requests.send((job, request));
    }

    /// Answers the question that a request has asked.
    pub fn answer(&self, is_yes: bool) {
        let _ = self.answers.send(is_yes);
    }

    /// Cancels this request immediately.
    pub fn cancel(&self, job: u64) {
        self.cancelled_through.fetch_max(job, Ordering::SeqCst);
        self.cancel_token.cancel();
    }

    /// Cancels everything and waits until it is rolled back.
    pub fn finish(self) {
        self.cancel(u64::MAX);
        drop(self.requests);
        let _ = self.thread.join();
    }
}

/// The worker's side.
struct WorkerThread {
    backend: Box<dyn Backend>,
    responses: Sender<Msg>,
    answered: Receiver<bool>,
    cancel_token: Arc<dyn CancelToken>,
    cancelled_through: Arc<AtomicU64>,
}

impl WorkerThread {
    fn work(mut self, received: &Receiver<(u64, Request)>) {
        while let Ok((job, request)) = received.recv() {
            // Reset first, then check: a cancel in between is noticed here, and a later one cancels
            // through the token.
            self.cancel_token.reset();
            let cancelled = self.cancelled_through.load(Ordering::SeqCst) >= job;
            let response = if cancelled {
                Response::Cancelled(Rollback::Confirmed)
            } else {
                self.handle(job, request)
            };
            if self.responses.send(Msg::Response(job, response)).is_err() {
                return;
            }
        }
    }

    fn handle(&mut self, job: u64, request: Request) -> Response {
        let responses = self.responses.clone();
        let backend = &mut self.backend;
        let (answered, cancelled) = (&self.answered, &self.cancelled_through);
        let ask = |question: String| {
            // An answer to an earlier question, whose request was cancelled.
            answered.try_iter().for_each(drop);
            let _ = responses.send(Msg::Asked(job, question));
            wait_for_answer(answered, || cancelled.load(Ordering::SeqCst) >= job)
        };
        let handled = catch_unwind(AssertUnwindSafe(|| match request {
            Request::Advise => {
                let progress = std::cell::RefCell::new(Progress::default());
                let observer = |event: Event<'_>| {
                    let mut progress = progress.borrow_mut();
                    record_progress(&mut progress, event);
                    let _ = responses.send(Msg::Progress(job, progress.clone()));
                };
                backend
                    .advise(&observer, &ask)
                    .map(|session_data| Response::Advised(Box::new(session_data)))
            }
            Request::Verify { indexes, groups } => {
                let built = groups.iter().flat_map(|group| group.indexes.clone());
                if !backend.may_build(&built.collect::<Vec<_>>(), &ask) {
                    return Ok(Response::Verified(indexes, Err(declined())));
                }
                verify(backend.as_mut(), &groups)
                    .map(|verified| Response::Verified(indexes, verified))
            }
            Request::Rehearse { index, statements } => {
                if !backend.may_build(std::slice::from_ref(&index), &ask) {
                    return Ok(Response::Rehearsed(index, Err(declined())));
                }
                let compared = compare(backend.as_mut(), std::slice::from_ref(&index), &statements);
                compared.map(|compared| Response::Rehearsed(index, compared.map(Box::new)))
            }
        }));
        match handled {
            Ok(Ok(response)) => response,
            Ok(Err(PlannerError::Interrupted { rollback })) => Response::Cancelled(rollback),
            Ok(Err(error)) => Response::Failed(error.to_string()),
            Err(_) => {
                Response::Failed("a bug in pgrehearse: the work stopped in the middle".to_owned())
            }
        }
    }
}

fn declined() -> Refusal {
    RefusalCause::Declined.into()
}

/// The user's answer; no, if the request is cancelled before.
fn wait_for_answer(answers: &Receiver<bool>, is_cancelled: impl Fn() -> bool) -> bool {
    while !is_cancelled() {
        match answers.recv_timeout(POLL_INTERVAL) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    false
}

/// One transaction after the other; a statement on tables of one group only, so that it is planned
/// once.
fn verify(
    backend: &mut dyn Backend,
    groups: &[BuildGroup],
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

fn record_progress(progress: &mut Progress, event: Event<'_>) {
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
        Event::Detail(detail) => progress.about = detail.to_owned(),
        Event::End | Event::Builds(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::index::parse_index;
    use crate::planner::Planned;

    #[test]
    fn a_detail_is_shown_and_is_no_further_step() {
        let mut progress = Progress::default();
        let what = "choosing";
        for event in [
            Event::Begin { what, steps: 1 },
            Event::Step("sets of indexes"),
            Event::Detail("at most 5 % above"),
        ] {
            record_progress(&mut progress, event);
        }
        assert_eq!((progress.step, progress.steps), (1, 1));
        assert_eq!(progress.about, "at most 5 % above");
    }

    /// Answers every request and counts the indexes in it.
    struct StubBackend(Arc<Mutex<Vec<usize>>>, Consent);

    #[derive(Clone, Copy, PartialEq)]
    enum Consent {
        Given,
        Asked,
    }

    impl Backend for StubBackend {
        fn advise(
            &mut self,
            _observer: &dyn Fn(Event<'_>),
            _ask: Ask<'_>,
        ) -> Result<SessionData, PlannerError> {
            Ok(SessionData::default())
        }

        fn may_build(&mut self, indexes: &[NamedIndex], ask: Ask<'_>) -> bool {
            self.1 == Consent::Given || ask(format!("{} indexes", indexes.len()))
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
        fn reset(&self) {}
    }

    fn named() -> NamedIndex {
        NamedIndex {
            name: "i".to_owned(),
            definition: parse_index("CREATE INDEX ON public.t (a)").unwrap(),
        }
    }

    /// What a worker with this backend does with a test of one index after `react`, and how often
    /// its server was asked.
    fn tested_after(react: impl Fn(&Worker)) -> (Msg, usize) {
        let rehearsed = Arc::new(Mutex::new(Vec::new()));
        let (responses, received) = channel();
        let backend = StubBackend(rehearsed.clone(), Consent::Asked);
        let worker = Worker::start(Box::new(backend), responses).unwrap();
        let request = Request::Rehearse {
            index: Box::new(named()),
            statements: Vec::new(),
        };
        worker.send(1, request);
        let question = received.recv().unwrap();
        assert!(matches!(question, Msg::Asked(1, text) if text == "1 indexes"));
        react(&worker);
        let response = received.recv().unwrap();
        worker.finish();
        let rehearsed = rehearsed.lock().unwrap().len();
        (response, rehearsed)
    }

    #[test]
    fn nothing_is_built_before_the_answer() {
        let (response, rehearsed) = tested_after(|worker| worker.answer(true));
        assert!(matches!(
            response,
            Msg::Response(1, Response::Rehearsed(_, Ok(_)))
        ));
        assert_eq!(rehearsed, 2);
        let (response, rehearsed) = tested_after(|worker| worker.answer(false));
        assert!(
            matches!(response, Msg::Response(1, Response::Rehearsed(_, Err(refusal))) if refusal.cause == RefusalCause::Declined)
        );
        assert_eq!(rehearsed, 0);
    }

    #[test]
    fn a_question_ends_with_its_request() {
        let (_, rehearsed) = tested_after(|worker| worker.cancel(1));
        assert_eq!(rehearsed, 0);
    }

    #[test]
    fn the_plans_before_are_taken_again_after_each_build() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (responses, received) = channel();
        let backend = StubBackend(asked.clone(), Consent::Given);
        let worker = Worker::start(Box::new(backend), responses).unwrap();
        let index = named();
        worker.send(
            1,
            Request::Rehearse {
                index: Box::new(index.clone()),
                statements: Vec::new(),
            },
        );
        assert!(matches!(
            received.recv(),
            Ok(Msg::Response(1, Response::Rehearsed(_, Ok(_))))
        ));
        let group = BuildGroup {
            indexes: vec![index.clone(), index],
            statements: Vec::new(),
        };
        worker.send(
            2,
            Request::Verify {
                indexes: [0, 1].into(),
                groups: vec![group],
            },
        );
        assert!(
            matches!(received.recv(), Ok(Msg::Response(2, Response::Verified(_, Ok(verified)))) if verified.len() == 1)
        );
        worker.finish();
        assert_eq!(*asked.lock().unwrap(), [1, 0, 2, 0]);
    }
}
