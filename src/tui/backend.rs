//! The boundary to the server, and the thread it runs on. Requests go in over a channel, messages
//! come out. A search or verification can be cancelled while it runs; short requests are answered
//! between two questions of a search.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::model::{Msg, Progress, Request, Response};
use super::session_data::{BuildGroup, SessionData};
use crate::index::NamedIndex;
use crate::planner::{
    Answer, Comparison, Event, PlanOutcome, Planner, PlannerError, Question, Refusal, RefusalCause,
    Rollback, Target,
};
use crate::workload::Statement;

/// Asks the user whether what this text says may be built. A question that is cancelled is a no.
pub type Ask<'a> = &'a dyn Fn(String) -> bool;

/// How soon a question to the user notices that its request is cancelled.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How often the connection is looked at while nothing is asked.
const IDLE_INTERVAL: Duration = Duration::from_secs(2);

/// What a run tells and is told while it goes on.
pub struct During<'a> {
    /// Follows its progress.
    pub observer: &'a dyn Fn(Event<'_>),
    /// Takes what is known so far.
    pub known: &'a dyn Fn(SessionData),
    /// Asks before something is built.
    pub ask: Ask<'a>,
    /// Answers short requests with this planner, between two questions of the run.
    pub between: &'a dyn Fn(&mut dyn Planner),
}

/// Runs requests on a server and its planner twin.
pub trait Backend: Send {
    /// The whole run. It builds nothing on the server, unless that was agreed to when the session
    /// began. A run that was cancelled before goes on where it stopped.
    ///
    /// # Errors
    /// When the server fails or the run was cancelled; everything is rolled back then.
    fn advise(&mut self, during: &During<'_>) -> Result<SessionData, PlannerError>;

    /// May these indexes be built? Asks, unless that is known.
    fn may_build(&mut self, indexes: &[NamedIndex], ask: Ask<'_>) -> bool;

    /// Answers one question: the server, or the planner twin.
    ///
    /// # Errors
    /// As with [`Backend::advise`].
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError>;

    /// Connects again, if the connection was lost.
    ///
    /// # Errors
    /// When the server does not answer.
    fn connect(&mut self) -> Result<(), PlannerError>;

    /// Why there is no connection any more, if it was lost. Nothing is sent to find out.
    fn lost(&mut self) -> Option<String>;

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
    /// Requests that are not answered yet.
    pending: Arc<AtomicUsize>,
    thread: std::thread::JoinHandle<()>,
}

impl Worker {
    /// Starts it; responses go to this sender.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(backend: Box<dyn Backend>, responses: Sender<Msg>) -> std::io::Result<Worker> {
        let (requests, received) = channel();
        let (answers, answered) = channel();
        let cancel_token = backend.cancel_token();
        let cancelled_through = Arc::new(AtomicU64::new(0));
        let pending = Arc::new(AtomicUsize::new(0));
        let worker_thread = WorkerThread {
            backend,
            desk: Desk {
                responses,
                received,
                waiting: RefCell::default(),
                pending: pending.clone(),
            },
            answered,
            cancel_token: cancel_token.clone(),
            cancelled_through: cancelled_through.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("server".to_owned())
            .spawn(move || worker_thread.work())?;
        Ok(Worker {
            requests,
            answers,
            cancel_token,
            cancelled_through,
            pending,
            thread,
        })
    }

    /// Sends a request; the response comes as a message.
    pub fn send(&self, job: u64, request: Request) {
        self.pending.fetch_add(1, Ordering::SeqCst);
        // A worker that has ended has sent a message about it.
        let _ = self.requests.send((job, request));
    }

    /// Answers the question that a request has asked.
    pub fn answer(&self, is_yes: bool) {
        let _ = self.answers.send(is_yes);
    }

    /// Cancels this request immediately, and every one before it.
    pub fn cancel(&self, job: u64) {
        self.cancelled_through.fetch_max(job, Ordering::SeqCst);
        self.cancel_token.cancel();
    }

    /// Is something asked for and not answered, so that it may be open on the server?
    pub fn is_busy(&self) -> bool {
        self.pending.load(Ordering::SeqCst) > 0 && !self.thread.is_finished()
    }

    /// Cancels everything and waits until it is rolled back.
    pub fn finish(self) {
        self.cancel(u64::MAX);
        drop(self.requests);
        let _ = self.thread.join();
    }
}

/// Where requests come in and responses go out.
struct Desk {
    responses: Sender<Msg>,
    received: Receiver<(u64, Request)>,
    /// Requests that came while another was answered.
    waiting: RefCell<VecDeque<(u64, Request)>>,
    pending: Arc<AtomicUsize>,
}

impl Desk {
    /// What waits, or what comes within some time.
    fn next(&self, patience: Duration) -> Result<(u64, Request), RecvTimeoutError> {
        if let Some(waiting) = self.waiting.borrow_mut().pop_front() {
            return Ok(waiting);
        }
        self.received.recv_timeout(patience)
    }

    /// Takes in what has come by now.
    fn collect(&self) {
        self.waiting.borrow_mut().extend(self.received.try_iter());
    }

    /// Is there a newer question about the selected indexes? Then an older one is not answered.
    fn is_outdated(&self, request: &Request) -> bool {
        self.collect();
        let predicts = |request: &Request| matches!(request, Request::Predict { .. });
        let waiting = self.waiting.borrow();
        predicts(request) && waiting.iter().any(|(_, other)| predicts(other))
    }

    fn respond(&self, job: u64, response: Response) -> bool {
        self.pending.fetch_sub(1, Ordering::SeqCst);
        self.responses.send(Msg::Response(job, response)).is_ok()
    }

    /// Answers the short requests that have come by now.
    fn answer_short(&self, planner: &mut dyn Planner) {
        self.collect();
        loop {
            let mut waiting = self.waiting.borrow_mut();
            let next = waiting.iter().position(|(_, request)| request.is_short());
            let Some((job, request)) = next.and_then(|next| waiting.remove(next)) else {
                return;
            };
            drop(waiting);
            let response = match self.is_outdated(&request) {
                true => outdated(request),
                false => response_of(short(request, &mut |question| planner.ask(question))),
            };
            self.respond(job, response);
        }
    }
}

/// The worker's side.
struct WorkerThread {
    backend: Box<dyn Backend>,
    desk: Desk,
    answered: Receiver<bool>,
    cancel_token: Arc<dyn CancelToken>,
    cancelled_through: Arc<AtomicU64>,
}

impl WorkerThread {
    fn work(mut self) {
        let mut is_lost = false;
        loop {
            let (job, request) = match self.desk.next(IDLE_INTERVAL) {
                Ok(next) => next,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    // Told once; the next request connects again.
                    if !is_lost && let Some(why) = self.lost() {
                        is_lost = true;
                        let _ = self.desk.responses.send(Msg::Lost(why));
                    }
                    continue;
                }
            };
            is_lost = false;
            // Reset first, then check: a cancel in between is noticed here, and a later one cancels
            // through the token.
            self.cancel_token.reset();
            let cancelled = self.cancelled_through.load(Ordering::SeqCst) >= job;
            let response = if cancelled && !request.is_short() {
                Response::Cancelled(Rollback::Confirmed)
            } else {
                self.handle(job, request)
            };
            if !self.desk.respond(job, response) {
                return;
            }
        }
    }

    fn lost(&mut self) -> Option<String> {
        let backend = &mut self.backend;
        catch_unwind(AssertUnwindSafe(|| backend.lost())).unwrap_or(None)
    }

    fn handle(&mut self, job: u64, request: Request) -> Response {
        let backend = &mut self.backend;
        let desk = &self.desk;
        let (answered, cancelled) = (&self.answered, &self.cancelled_through);
        let ask = |question: String| {
            // An answer to an earlier question, whose request was cancelled.
            answered.try_iter().for_each(drop);
            let _ = desk.responses.send(Msg::Asked(job, question));
            wait_for_answer(answered, || cancelled.load(Ordering::SeqCst) >= job)
        };
        let handled = catch_unwind(AssertUnwindSafe(|| match request {
            Request::Advise => advise(backend.as_mut(), desk, job, &ask),
            Request::Verify { indexes, groups } => {
                let built = groups.iter().flat_map(|group| group.indexes.clone());
                if !backend.may_build(&built.collect::<Vec<_>>(), &ask) {
                    let declined = RefusalCause::Declined.into();
                    return Ok(Response::Verified(indexes, Err(declined)));
                }
                let verified = verify(backend.as_mut(), &groups)?;
                Ok(Response::Verified(indexes, verified))
            }
            Request::Connect => backend.connect().map(|()| Response::Connected),
            other if desk.is_outdated(&other) => Ok(outdated(other)),
            other => short(other, &mut |question| backend.ask(question)),
        }));
        match handled {
            Ok(response) => response_of(response),
            Err(_) => {
                Response::Failed("a bug in pgrehearse: the work stopped in the middle".to_owned())
            }
        }
    }
}

fn response_of(answered: Result<Response, PlannerError>) -> Response {
    match answered {
        Ok(response) => response,
        Err(PlannerError::Interrupted { rollback }) => Response::Cancelled(rollback),
        Err(error) => Response::Failed(error.to_string()),
    }
}

fn advise(
    backend: &mut dyn Backend,
    desk: &Desk,
    job: u64,
    ask: Ask<'_>,
) -> Result<Response, PlannerError> {
    let progress = RefCell::new(Progress::default());
    let observer = |event: Event<'_>| {
        let mut progress = progress.borrow_mut();
        record_progress(&mut progress, event);
        let _ = desk.responses.send(Msg::Progress(job, progress.clone()));
    };
    let known = |session_data: SessionData| {
        let _ = desk.responses.send(Msg::Known(job, Box::new(session_data)));
    };
    let between = |planner: &mut dyn Planner| desk.answer_short(planner);
    let during = During {
        observer: &observer,
        known: &known,
        ask,
        between: &between,
    };
    backend
        .advise(&during)
        .map(|session_data| Response::Advised(Box::new(session_data)))
}

/// A question about the selected indexes that a newer one replaces.
fn outdated(request: Request) -> Response {
    match request {
        Request::Predict { indexes, .. } => Response::Predicted(indexes, None),
        _ => Response::Cancelled(Rollback::Confirmed),
    }
}

/// Answers a short request by questions to a planner.
fn short(
    request: Request,
    ask: &mut dyn FnMut(&Question) -> Result<Answer, PlannerError>,
) -> Result<Response, PlannerError> {
    match request {
        Request::TryIndex { index, statements } => {
            let indexes = std::slice::from_ref(&*index);
            let compared = or_no_twin(compare(Target::Twin, indexes, &statements, ask))?;
            Ok(Response::Tried(index, compared.map(Box::new)))
        }
        Request::Predict {
            indexes,
            named,
            statements,
        } => {
            let compared = or_no_twin(compare(Target::Twin, &named, &statements, ask))?;
            let compared = compared.map(Box::new);
            Ok(Response::Predicted(indexes, Some(compared)))
        }
        Request::Plan(statement) => {
            let question = Question::plans(Target::Server, std::slice::from_ref(&*statement));
            let mut plans = ask(&question)?.into_plans();
            let outcome = plans.remove(&statement.id).unwrap_or(PlanOutcome::Empty);
            Ok(Response::Planned(statement, Box::new(outcome)))
        }
        Request::Connect => Ok(Response::Connected),
        Request::Advise | Request::Verify { .. } => Ok(Response::Failed(
            "a bug in pgrehearse: this request is not short".to_owned(),
        )),
    }
}

/// That there is no twin is a refusal: the interface can go on without one.
fn or_no_twin<T>(
    compared: Result<Result<T, Refusal>, PlannerError>,
) -> Result<Result<T, Refusal>, PlannerError> {
    match compared {
        Err(PlannerError::NoTwin) => Ok(Err(RefusalCause::NoTwin.into())),
        other => other,
    }
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
        .map(|group| {
            let mut ask = |question: &Question| backend.ask(question);
            compare(Target::Server, &group.indexes, &group.statements, &mut ask)
        })
        .collect()
}

/// With the indexes first, then without: see [`Comparison`].
fn compare(
    target: Target,
    indexes: &[NamedIndex],
    statements: &[Statement],
    ask: &mut dyn FnMut(&Question) -> Result<Answer, PlannerError>,
) -> Result<Result<Comparison, Refusal>, PlannerError> {
    let without = Question::plans(target, statements);
    let after = match ask(&without.clone().with_indexes(indexes))? {
        Answer::Planned(planned) => planned,
        Answer::Refused(refusal) => return Ok(Err(refusal)),
    };
    Ok(match ask(&without)? {
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

    /// Answers every question and counts the indexes in it.
    struct StubBackend {
        asked: Asked,
        consent: Consent,
        /// What a run does between two questions.
        run: fn(&During<'_>),
        has_twin: bool,
    }

    /// What a server and its twin were asked.
    type Asked = Arc<Mutex<Vec<(Target, usize)>>>;

    #[derive(Clone, Copy, PartialEq)]
    enum Consent {
        Given,
        Asked,
    }

    impl StubBackend {
        fn new(consent: Consent) -> (StubBackend, Asked) {
            let asked = Arc::new(Mutex::new(Vec::new()));
            let backend = StubBackend {
                asked: asked.clone(),
                consent,
                run: |_| {},
                has_twin: true,
            };
            (backend, asked)
        }
    }

    impl Backend for StubBackend {
        fn advise(&mut self, during: &During<'_>) -> Result<SessionData, PlannerError> {
            (self.run)(during);
            Ok(SessionData::default())
        }

        fn may_build(&mut self, indexes: &[NamedIndex], ask: Ask<'_>) -> bool {
            self.consent == Consent::Given || ask(format!("{} indexes", indexes.len()))
        }

        fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
            if question.target == Target::Twin && !self.has_twin {
                return Err(PlannerError::NoTwin);
            }
            let asked = (question.target, question.indexes.len());
            self.asked.lock().unwrap().push(asked);
            Ok(Answer::Planned(Planned::default()))
        }

        fn connect(&mut self) -> Result<(), PlannerError> {
            Ok(())
        }

        fn lost(&mut self) -> Option<String> {
            Some("it is gone".to_owned())
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

    fn verify_two() -> Request {
        Request::Verify {
            indexes: [0, 1].into(),
            groups: vec![BuildGroup {
                indexes: vec![named(), named()],
                statements: Vec::new(),
            }],
        }
    }

    fn try_index() -> Request {
        Request::TryIndex {
            index: Box::new(named()),
            statements: Vec::new(),
        }
    }

    fn predict(index: usize) -> Request {
        Request::Predict {
            indexes: [index].into(),
            named: vec![named()],
            statements: Vec::new(),
        }
    }

    /// What a worker does with a verification after `react`, and what its server was asked.
    fn verified_after(react: impl Fn(&Worker)) -> (Msg, Vec<(Target, usize)>) {
        let (backend, asked) = StubBackend::new(Consent::Asked);
        let (responses, received) = channel();
        let worker = Worker::start(Box::new(backend), responses).unwrap();
        worker.send(1, verify_two());
        assert!(worker.is_busy());
        let question = received.recv().unwrap();
        assert!(matches!(question, Msg::Asked(1, text) if text == "2 indexes"));
        react(&worker);
        let response = received.recv().unwrap();
        assert!(!worker.is_busy(), "it may be suspended now");
        worker.finish();
        let asked = asked.lock().unwrap().clone();
        (response, asked)
    }

    #[test]
    fn nothing_is_built_before_the_answer() {
        let (response, asked) = verified_after(|worker| worker.answer(true));
        assert!(matches!(
            response,
            Msg::Response(1, Response::Verified(_, Ok(verified))) if verified.len() == 1
        ));
        let expected = [(Target::Server, 2), (Target::Server, 0)];
        assert_eq!(
            asked, expected,
            "the plans before are taken again after the build"
        );
        let (response, asked) = verified_after(|worker| worker.answer(false));
        assert!(
            matches!(response, Msg::Response(1, Response::Verified(_, Err(refusal))) if refusal.cause == RefusalCause::Declined)
        );
        assert_eq!(asked, []);
    }

    #[test]
    fn a_question_ends_with_its_request() {
        let (_, asked) = verified_after(|worker| worker.cancel(1));
        assert_eq!(asked, []);
    }

    #[test]
    fn an_index_of_the_user_is_tested_in_the_twin_and_never_built() {
        let (backend, asked) = StubBackend::new(Consent::Asked);
        let (responses, received) = channel();
        let worker = Worker::start(Box::new(backend), responses).unwrap();
        worker.send(1, try_index());
        assert!(matches!(
            received.recv(),
            Ok(Msg::Response(1, Response::Tried(_, Ok(_))))
        ));
        worker.finish();
        assert_eq!(
            *asked.lock().unwrap(),
            [(Target::Twin, 1), (Target::Twin, 0)]
        );
    }

    #[test]
    fn that_there_is_no_twin_is_no_lost_connection() {
        let (backend, _) = StubBackend::new(Consent::Given);
        let backend = StubBackend {
            has_twin: false,
            ..backend
        };
        let (responses, received) = channel();
        let worker = Worker::start(Box::new(backend), responses).unwrap();
        for (job, request) in [(1, try_index()), (2, predict(0))] {
            worker.send(job, request);
            let refusal = match received.recv() {
                Ok(Msg::Response(1, Response::Tried(_, Err(refusal)))) => refusal,
                Ok(Msg::Response(2, Response::Predicted(_, Some(Err(refusal))))) => refusal,
                other => panic!("{other:?}"),
            };
            assert_eq!(refusal.cause, RefusalCause::NoTwin);
        }
        worker.finish();
    }

    #[test]
    fn short_requests_are_answered_while_a_run_goes_on_and_outdated_ones_are_not() {
        use crate::planner::test_planner::{TestPlanner, table};
        let (backend, _) = StubBackend::new(Consent::Given);
        let backend = StubBackend {
            run: |during| {
                // Until the requests have come.
                std::thread::sleep(Duration::from_millis(200));
                let mut planner = TestPlanner::new([table("t", &["a bigint"])]);
                (during.between)(&mut planner);
            },
            ..backend
        };
        let (responses, received) = channel();
        let worker = Worker::start(Box::new(backend), responses).unwrap();
        worker.send(1, Request::Advise);
        worker.send(2, predict(0));
        worker.send(3, predict(1));
        worker.send(4, verify_two());
        let mut order = Vec::new();
        for _ in 0..4 {
            match received.recv().unwrap() {
                Msg::Response(job, response) => {
                    let is_outdated = matches!(response, Response::Predicted(_, None));
                    order.push((job, is_outdated));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(
            order,
            [(2, true), (3, false), (1, false), (4, false)],
            "a verification waits for the end of the run"
        );
        worker.finish();
    }

    #[test]
    fn a_connection_that_is_lost_while_nothing_is_asked_is_told_once() {
        let (backend, _) = StubBackend::new(Consent::Given);
        let (responses, received) = channel();
        let worker = Worker::start(Box::new(backend), responses).unwrap();
        let lost = received.recv_timeout(10 * IDLE_INTERVAL).unwrap();
        assert!(matches!(lost, Msg::Lost(why) if why.contains("it is gone")));
        assert!(received.recv_timeout(2 * IDLE_INTERVAL).is_err());
        worker.finish();
    }
}
