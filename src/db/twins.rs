//! Several planner twins of one server, which answer questions at the same time.
//!
//! A question makes indexes visible by changing rows of `pg_index`, and two transactions cannot
//! change one row at the same time. So each further process is a server of its own. All answer
//! alike: what a twin learns is kept in a log, which each of them follows in its order, and a
//! candidate has the same OIDs in each. The others are started in the background: at once, where
//! the questions of a workload will probably take long, or else once so much was asked that it is
//! worth it. The sooner they are there, the less they have to make up for.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::sampling::SampleRequest;
use super::twin::Reserved;
use super::{DbError, NamedColumns, SampleSource, Twin};
use crate::catalog::Catalog;
use crate::model::{Bytes, Gap, QualifiedName};
use crate::planner::{
    Answer, NamedIndex, Planned, Planner, PlannerError, Question, Target, one_by_one,
};
use crate::twin::snapshot::{Oid, TableSample};
use crate::workload::Statement;

mod kept_sample;

use kept_sample::KeptSample;

/// Others are started once the first twin has planned statements for so long: it takes about as long
/// to start one.
const WORTH_ANOTHER: Duration = Duration::from_secs(2);

/// How often a statement is planned in a run, roughly: from 80 times (22 statements of TPC-H) to 120
/// (30 of TPC-DS) within a budget.
const PLANNED_OFTEN: u32 = 100;

/// Statements of one question are planned by several twins where each gets at least so many.
const MIN_STATEMENTS_EACH: usize = 4;

/// Makes another twin of the same server, as it was first; none if that fails.
pub type MakeTwin = Arc<dyn Fn() -> Option<Twin> + Send + Sync>;

/// What all twins learn, in the order in which they have to.
enum Learned {
    Candidate(NamedIndex, Reserved),
    Sample(KeptSample),
    RealSize(NamedIndex, Bytes),
}

/// What has to be read for some indexes.
struct Needed<'i> {
    /// The indexes that wait for nothing.
    at_once: Vec<&'i NamedIndex>,
    /// In order.
    steps: Vec<Step<'i>>,
}

/// Rows that have to be read, and the indexes that need no others after these.
struct Step<'i> {
    request: SampleRequest,
    ready: Vec<&'i NamedIndex>,
}

/// Planner twins of one server.
pub struct Twins {
    first: Twin,
    /// All others that are ready.
    others: Vec<Twin>,
    starting: Vec<JoinHandle<Option<Twin>>>,
    /// How many there may be besides the first one, and how they are made.
    may_start: Option<(usize, MakeTwin)>,
    log: Vec<Learned>,
    /// The definitions of the candidates in the log.
    candidates: BTreeSet<String>,
    /// So many things may be done at the same time.
    jobs: usize,
    /// Others that are stopping; the last field, so that the first one stops at the same time.
    stopping: Stopping,
}

/// Threads that stop twins, which are waited for.
#[derive(Default)]
struct Stopping(Vec<JoinHandle<()>>);

impl Drop for Stopping {
    fn drop(&mut self) {
        for thread in self.0.drain(..) {
            // Its twin has stopped as far as it could.
            let _ = thread.join();
        }
    }
}

impl Twins {
    /// One twin, to which as many are added as there are `jobs`.
    pub fn new(first: Twin, jobs: usize, another: MakeTwin) -> Twins {
        let mut twins = Twins::one(first);
        twins.jobs = jobs;
        twins.may_start = (jobs > 1).then(|| (jobs - 1, another));
        twins
    }

    /// All statements of a workload were planned once in this time. Where that says that planning
    /// them will take long, the other twins are started now.
    pub fn expecting(mut self, planned_once: Duration) -> Twins {
        if planned_once * PLANNED_OFTEN >= 2 * WORTH_ANOTHER {
            self.start_others();
        }
        self
    }

    /// One twin only.
    pub fn one(first: Twin) -> Twins {
        Twins {
            first,
            others: Vec::new(),
            starting: Vec::new(),
            may_start: None,
            log: Vec::new(),
            candidates: BTreeSet::new(),
            jobs: 1,
            stopping: Stopping::default(),
        }
    }

    /// How many answer by now.
    pub fn number(&self) -> usize {
        1 + self.others.len()
    }

    /// What they lack for these tables.
    pub fn gaps(&self, tables: &BTreeSet<QualifiedName>) -> Vec<Gap> {
        self.first.gaps(tables)
    }

    /// Fetches the rows that estimates of these indexes need, shows them to `fetched`, and creates
    /// the indexes that waited for them, each in one of the twins. With several jobs the next rows
    /// are read from the source while the twins store the last ones.
    ///
    /// # Errors
    /// When the connection to the source or a twin is lost.
    pub fn fetch_samples<'i>(
        &mut self,
        indexes: impl IntoIterator<Item = &'i NamedIndex>,
        named: &NamedColumns,
        source: &dyn SampleSource,
        fetched: &mut dyn FnMut(&TableSample),
    ) -> Result<(), DbError> {
        let Needed { at_once, steps } = self.needed(indexes, named)?;
        for index in at_once {
            self.keep_candidate(index)?;
        }
        let mut read = |step: &Step<'_>| {
            let sample = source.sample(&step.request)?;
            if let Some(sample) = &sample {
                fetched(sample);
            }
            Ok(sample)
        };
        if self.jobs < 2 || steps.len() < 2 {
            for step in steps {
                let sample = read(&step)?;
                self.take_sample(sample, &step.ready)?;
            }
        } else {
            self.take_while_reading(steps, &mut read)?;
        }
        self.grow()
    }

    fn take_while_reading(
        &mut self,
        steps: Vec<Step<'_>>,
        read: &mut dyn FnMut(&Step<'_>) -> Result<Option<TableSample>, DbError>,
    ) -> Result<(), DbError> {
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel::<(Option<TableSample>, Step<'_>)>(1);
            let taking = scope.spawn(|| {
                let mut received = receiver.into_iter();
                received.try_for_each(|(sample, step)| self.take_sample(sample, &step.ready))
            });
            let mut is_read = Ok(());
            for step in steps {
                match read(&step) {
                    // Where it has stopped, it says why.
                    Ok(sample) => {
                        if sender.send((sample, step)).is_err() {
                            break;
                        }
                    }
                    Err(error) => {
                        is_read = Err(error);
                        break;
                    }
                }
            }
            drop(sender);
            let is_taken = joined(taking);
            is_taken.and(is_read)
        })
    }

    /// What has to be read for these indexes, and which of them wait for it. Candidates get their
    /// OIDs in the order in which they are named here.
    fn needed<'i>(
        &mut self,
        indexes: impl IntoIterator<Item = &'i NamedIndex>,
        named: &NamedColumns,
    ) -> Result<Needed<'i>, DbError> {
        let mut steps: Vec<Step<'i>> = Vec::new();
        let mut waiting: Vec<(&'i NamedIndex, BTreeSet<Oid>)> = Vec::new();
        for index in indexes {
            if self.candidates.contains(&definition(index)) {
                continue;
            }
            let needed = self.first.needed_samples(index, named)?;
            for request in needed.requests {
                let mut same = steps.iter_mut();
                match same.find(|step| step.request.relation == request.relation) {
                    // With further columns.
                    Some(step) => step.request = request,
                    None => steps.push(Step {
                        request,
                        ready: Vec::new(),
                    }),
                }
            }
            self.first.reserve(index)?;
            waiting.push((index, needed.tables));
        }
        let mut at_once = Vec::new();
        for (index, tables) in waiting {
            let of_it = |step: &Step<'_>| tables.contains(&step.request.relation);
            let last = steps.iter().rposition(of_it);
            match last.and_then(|last| steps.get_mut(last)) {
                Some(step) => step.ready.push(index),
                None => at_once.push(index),
            }
        }
        Ok(Needed { at_once, steps })
    }

    /// Stores a sample, and creates the indexes that waited for it.
    fn take_sample(
        &mut self,
        sample: Option<TableSample>,
        ready: &[&NamedIndex],
    ) -> Result<(), DbError> {
        if let Some(sample) = sample {
            self.learn_sample(&sample)?;
        }
        for index in ready {
            self.keep_candidate(index)?;
        }
        self.create_together(ready)?;
        self.grow()
    }

    /// Each twin creates some of these candidates; the others find their sizes estimated when they
    /// are asked about them.
    fn create_together(&mut self, indexes: &[&NamedIndex]) -> Result<(), DbError> {
        let next = AtomicUsize::new(0);
        let results = of_each(&mut self.first, &mut self.others, |twin| {
            while let Some(index) = indexes.get(next.fetch_add(1, Ordering::Relaxed)) {
                // Why it cannot be created is said when it is asked about.
                let _ = twin.know(index)?;
            }
            Ok(())
        });
        self.keep_those_that_answered(results)
    }

    fn learn_sample(&mut self, sample: &TableSample) -> Result<(), DbError> {
        let may_start = self.may_start.is_some() || !self.starting.is_empty();
        let log = &self.log;
        let results = of_each(&mut self.first, &mut self.others, |twin| {
            take(twin, log, sample)
        });
        self.keep_those_that_answered(results)?;
        if may_start {
            match KeptSample::keep(sample) {
                Ok(kept) => self.log.push(Learned::Sample(kept)),
                // Another twin would lack it, and answer differently.
                Err(_) => self.start_no_others(),
            }
        }
        Ok(())
    }

    fn start_others(&mut self) {
        let Some((number, another)) = self.may_start.take() else {
            return;
        };
        for _ in 0..number {
            let another = Arc::clone(&another);
            self.starting.push(thread::spawn(move || another()));
        }
    }

    /// Those that are starting are not taken in, and no more are started.
    fn start_no_others(&mut self) {
        self.may_start = None;
        for twin in std::mem::take(&mut self.starting) {
            drop(twin.join());
        }
    }

    /// Samples are kept only as long as another twin may need them.
    fn forget_samples(&mut self) {
        if self.may_start.is_some() || !self.starting.is_empty() {
            return;
        }
        let is_sample = |learned: &Learned| matches!(learned, Learned::Sample(_));
        self.log.retain(|learned| !is_sample(learned));
    }

    /// The server built this index: from now on it has that size here, too.
    ///
    /// # Errors
    /// When a connection is lost.
    pub fn keep_real_size(&mut self, index: &NamedIndex, size: Bytes) -> Result<(), DbError> {
        self.learn(Learned::RealSize(index.clone(), size))
    }

    fn keep_candidate(&mut self, index: &NamedIndex) -> Result<(), DbError> {
        if self.candidates.insert(definition(index)) {
            let reserved = self.first.reserve(index)?;
            self.learn(Learned::Candidate(index.clone(), reserved))?;
        }
        Ok(())
    }

    fn learn(&mut self, learned: Learned) -> Result<(), DbError> {
        let place = self.log.len();
        self.log.push(learned);
        let log = &self.log;
        let results = of_each(&mut self.first, &mut self.others, |twin| {
            follow(twin, log, place)
        });
        self.keep_those_that_answered(results)
    }

    /// Another twin that failed is not asked any more; the first one must not fail.
    fn keep_those_that_answered(
        &mut self,
        (of_first, results): (Result<(), DbError>, Vec<Result<(), DbError>>),
    ) -> Result<(), DbError> {
        of_first?;
        let mut has_failed = Vec::with_capacity(results.len());
        for result in results {
            match result {
                Err(error @ DbError::Interrupted { .. }) => return Err(error),
                other => has_failed.push(other.is_err()),
            }
        }
        let mut has_failed = has_failed.into_iter();
        self.others.retain(|_| !has_failed.next().unwrap_or(false));
        Ok(())
    }

    /// Starts the others when it is worth it, and takes in those that are ready.
    fn grow(&mut self) -> Result<(), DbError> {
        if self.first.planned_for() >= WORTH_ANOTHER {
            self.start_others();
        }
        let (ready, starting) = std::mem::take(&mut self.starting)
            .into_iter()
            .partition(JoinHandle::is_finished);
        self.starting = starting;
        let ready: Vec<JoinHandle<Option<Twin>>> = ready;
        let ready = ready
            .into_iter()
            .filter_map(|twin| twin.join().ok().flatten());
        for mut twin in ready {
            twin.share_estimates(&self.first);
            let mut places = 0..self.log.len();
            match places.try_for_each(|place| follow(&mut twin, &self.log, place)) {
                Ok(()) => self.others.push(twin),
                Err(error @ DbError::Interrupted { .. }) => return Err(error),
                Err(_) => {}
            }
        }
        self.forget_samples();
        Ok(())
    }

    /// All questions are about new indexes, and nothing else.
    fn answer_together(&mut self, questions: &[Question]) -> Result<Vec<Answer>, DbError> {
        for index in questions.iter().flat_map(|question| &question.indexes) {
            self.keep_candidate(index)?;
        }
        self.grow()?;
        let parts = divided(questions, self.number());
        let mut answered = self.answer_parts(&parts)?;
        for (place, part) in parts.iter().enumerate() {
            if let Entry::Vacant(missing) = answered.entry(place) {
                missing.insert(self.first.answer(&part.question)?);
            }
        }
        let mut answers: Vec<Answer> = Vec::with_capacity(questions.len());
        for (place, answer) in answered {
            match answers.last_mut() {
                Some(last) if parts.get(place).is_some_and(|part| part.continues) => {
                    add(last, answer);
                }
                _ => answers.push(answer),
            }
        }
        Ok(answers)
    }

    /// The answers by place. A twin that fails is not asked any more, and its part has no answer,
    /// unless it is the first one.
    fn answer_parts(&mut self, parts: &[Part]) -> Result<BTreeMap<usize, Answer>, DbError> {
        let next = AtomicUsize::new(0);
        if parts.len() < 2 || self.others.is_empty() {
            let (answered, error) = answer_some(&mut self.first, parts, &next);
            return error.map_or(Ok(answered), Err);
        }
        let (first, others) = (&mut self.first, &mut self.others);
        let of_each = thread::scope(|scope| {
            let running: Vec<_> = others
                .iter_mut()
                .map(|twin| scope.spawn(|| answer_some(twin, parts, &next)))
                .collect();
            let of_first = answer_some(first, parts, &next);
            let of_others = running.into_iter().map(joined);
            (of_first, of_others.collect::<Vec<_>>())
        });
        let ((mut answered, error), of_others) = of_each;
        let mut results = Vec::with_capacity(of_others.len());
        for (some, error) in of_others {
            answered.extend(some);
            results.push(error.map_or(Ok(()), Err));
        }
        self.keep_those_that_answered((Ok(()), results))?;
        error.map_or(Ok(answered), Err)
    }
}

/// What the thread returned; a panic goes on here.
fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(returned) => returned,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Answers one part after the other that no twin has taken yet.
fn answer_some(
    twin: &mut Twin,
    parts: &[Part],
    next: &AtomicUsize,
) -> (BTreeMap<usize, Answer>, Option<DbError>) {
    let mut answered = BTreeMap::new();
    loop {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let Some(part) = parts.get(place) else {
            return (answered, None);
        };
        match twin.answer(&part.question) {
            Ok(answer) => answered.insert(place, answer),
            Err(error) => return (answered, Some(error)),
        };
    }
}

/// A question, or some of its statements.
struct Part {
    question: Question,
    /// Is it about more statements of the question before?
    continues: bool,
}

/// The questions, in so many parts that each twin has something to do.
fn divided(questions: &[Question], twins: usize) -> Vec<Part> {
    let each = twins.div_ceil(questions.len().max(1));
    let mut parts = Vec::with_capacity(questions.len());
    for question in questions {
        let statements = question.statements.len().div_ceil(each);
        let statements = statements.max(MIN_STATEMENTS_EACH);
        if question.statements.len() <= statements {
            parts.push(Part {
                question: question.clone(),
                continues: false,
            });
            continue;
        }
        for (number, statements) in question.statements.chunks(statements).enumerate() {
            let statements: Vec<Statement> = statements.to_vec();
            parts.push(Part {
                question: Question {
                    statements,
                    ..question.clone()
                },
                continues: number > 0,
            });
        }
    }
    parts
}

/// Adds the plans of further statements of the same question.
fn add(answer: &mut Answer, more: Answer) {
    match (&mut *answer, more) {
        (Answer::Planned(planned), Answer::Planned(more)) => {
            let Planned { plans, settled, .. } = more;
            planned.plans.extend(plans);
            planned.settled.extend(settled);
        }
        (Answer::Planned(_), refused @ Answer::Refused(_)) => *answer = refused,
        (Answer::Refused(_), _) => {}
    }
}

fn definition(index: &NamedIndex) -> String {
    index.definition.create(&index.name)
}

/// Takes what is at this place of the log.
fn follow(twin: &mut Twin, log: &[Learned], place: usize) -> Result<(), DbError> {
    match log.get(place) {
        Some(Learned::Candidate(index, reserved)) => twin.keep_reserved(index, *reserved),
        Some(Learned::Sample(kept)) => {
            let before = log.get(..place).unwrap_or_default();
            take(twin, before, &kept.read()?)?;
        }
        Some(Learned::RealSize(index, size)) => twin.keep_real_size(index, *size)?,
        None => {}
    }
    Ok(())
}

/// The size of a candidate is estimated by the rows that were there when it was named first: before
/// others come, it is created.
fn take(twin: &mut Twin, before: &[Learned], sample: &TableSample) -> Result<(), DbError> {
    for learned in before {
        if let Learned::Candidate(index, _) = learned
            && twin.is_on(index, sample.relation)?
        {
            // Why it cannot be created is said when it is asked about.
            let _ = twin.know(index)?;
        }
    }
    twin.add_sample(sample).map(|_| ())
}

/// Calls a function with each twin at the same time: what it returns for the first, and for the
/// others.
fn of_each(
    first: &mut Twin,
    others: &mut [Twin],
    call: impl Fn(&mut Twin) -> Result<(), DbError> + Sync,
) -> (Result<(), DbError>, Vec<Result<(), DbError>>) {
    thread::scope(|scope| {
        let others = others.iter_mut();
        let running: Vec<_> = others.map(|twin| scope.spawn(|| call(twin))).collect();
        let of_first = call(first);
        let of_others = running.into_iter().map(joined);
        (of_first, of_others.collect())
    })
}

impl Planner for Twins {
    /// Ignores the target of a question: there are only twins.
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        if question.is_plain() && !question.is_baseline() {
            let mut answers = self.answer_together(std::slice::from_ref(question))?;
            if let Some(answer) = answers.pop() {
                return Ok(answer);
            }
        }
        for index in &question.indexes {
            self.keep_candidate(index)?;
        }
        self.first.ask(question)
    }

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        let is_plain = |question: &Question| {
            question.target == Target::Twin && question.is_plain() && !question.is_baseline()
        };
        if questions.iter().all(is_plain) {
            return Ok(self.answer_together(questions)?);
        }
        one_by_one(self, questions)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.first.catalog(tables)
    }
}

impl Drop for Twins {
    /// A twin that is being started would leave its server behind.
    fn drop(&mut self) {
        self.start_no_others();
        let others = std::mem::take(&mut self.others).into_iter();
        self.stopping.0 = others
            .map(|twin| thread::spawn(move || drop(twin)))
            .collect();
    }
}
