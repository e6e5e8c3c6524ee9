//! Several planner twins of one server, which answer questions at the same time.
//!
//! A question makes indexes visible by changing rows of `pg_index`, and two transactions cannot
//! change one row at the same time. So each further process is a server of its own. All answer
//! alike: what a twin learns is kept in a log, which each of them follows in its order, and a
//! candidate has the same OIDs in each. The others are started in the background, once so much was
//! asked that it is worth it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::sampling::SampleSource;
use super::twin::Reserved;
use super::{DbError, Twin};
use crate::catalog::Catalog;
use crate::model::{Bytes, Gap, QualifiedName};
use crate::planner::{
    Answer, NamedIndex, Planned, Planner, PlannerError, Question, Target, one_by_one,
};
use crate::twin::snapshot::TableSample;
use crate::workload::Statement;

/// Others are started once the first twin has planned statements for so long: it takes about as long
/// to start one.
const WORTH_ANOTHER: Duration = Duration::from_secs(2);

/// Samples are kept until the others are there. If they take more memory, the others are started at
/// once: so many rows are sampled for large workloads.
const MAX_KEPT_SAMPLES: usize = 32 << 20;

/// Statements of one question are planned by several twins where each gets at least so many.
const MIN_STATEMENTS_EACH: usize = 4;

/// Makes another twin of the same server, as it was first; none if that fails.
pub type MakeTwin = Arc<dyn Fn() -> Option<Twin> + Send + Sync>;

/// What all twins learn, in the order in which they have to.
enum Learned {
    Candidate(NamedIndex, Reserved),
    Sample(TableSample),
    RealSize(NamedIndex, Bytes),
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
    /// The memory that the samples in the log take, in bytes.
    kept_samples: usize,
}

impl Twins {
    /// One twin, to which as many are added as there are `jobs`.
    pub fn new(first: Twin, jobs: usize, another: MakeTwin) -> Twins {
        let mut twins = Twins::one(first);
        twins.may_start = (jobs > 1).then(|| (jobs - 1, another));
        twins
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
            kept_samples: 0,
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

    /// Fetches the rows that estimates of these indexes need, and shows them to `fetched`.
    ///
    /// # Errors
    /// When the connection to the source or a twin is lost.
    pub fn fetch_samples(
        &mut self,
        indexes: &[NamedIndex],
        words: &BTreeSet<String>,
        source: &dyn SampleSource,
        fetched: &mut dyn FnMut(&TableSample),
    ) -> Result<(), DbError> {
        for index in indexes {
            if self.candidates.contains(&definition(index)) {
                continue;
            }
            for sample in self.first.fetch_samples(index, words, source)? {
                fetched(&sample);
                self.kept_samples += bytes_of(&sample);
                self.learn(Learned::Sample(sample))?;
            }
            self.keep_candidate(index)?;
        }
        self.grow()
    }

    /// Samples are large: they are kept only as long as another twin may need them.
    fn forget_samples(&mut self) {
        if self.may_start.is_some() || !self.starting.is_empty() {
            return;
        }
        self.kept_samples = 0;
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
        let (first, log) = (&mut self.first, &self.log);
        let (of_first, of_others) = thread::scope(|scope| {
            let others = self.others.iter_mut();
            let running: Vec<_> = others
                .map(|twin| scope.spawn(|| follow(twin, log, place)))
                .collect();
            let of_first = follow(first, log, place);
            let of_others = running.into_iter().map(joined);
            (of_first, of_others.collect::<Vec<_>>())
        });
        of_first?;
        self.keep_those_that_answered(of_others)
    }

    /// Another twin that failed is not asked any more.
    fn keep_those_that_answered(
        &mut self,
        results: Vec<Result<(), DbError>>,
    ) -> Result<(), DbError> {
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
        let is_worth_it = self.first.planned_for() >= WORTH_ANOTHER;
        if (is_worth_it || self.kept_samples > MAX_KEPT_SAMPLES)
            && let Some((number, another)) = self.may_start.take()
        {
            for _ in 0..number {
                let another = Arc::clone(&another);
                self.starting.push(thread::spawn(move || another()));
            }
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
        self.keep_those_that_answered(results)?;
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

/// About how much memory a sample takes.
fn bytes_of(sample: &TableSample) -> usize {
    let values = sample.values.iter().flatten();
    let bytes = values.map(|value| {
        size_of::<Option<String>>() + value.as_ref().map_or(0, |text| text.len().max(16))
    });
    bytes.sum()
}

fn definition(index: &NamedIndex) -> String {
    index.definition.create(&index.name)
}

/// Takes what is at this place of the log. The size of a candidate is estimated by the rows that
/// were there when it was named first: before others come, it is created.
fn follow(twin: &mut Twin, log: &[Learned], place: usize) -> Result<(), DbError> {
    match log.get(place) {
        Some(Learned::Candidate(index, reserved)) => twin.keep_reserved(index, *reserved),
        Some(Learned::Sample(sample)) => {
            for learned in log.iter().take(place) {
                if let Learned::Candidate(index, _) = learned
                    && twin.is_on(index, sample.relation)?
                {
                    // Why it cannot be created is said when it is asked about.
                    let _ = twin.know(index)?;
                }
            }
            twin.add_sample(sample)?;
        }
        Some(Learned::RealSize(index, size)) => twin.keep_real_size(index, *size)?,
        None => {}
    }
    Ok(())
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
        for twin in std::mem::take(&mut self.starting) {
            drop(twin.join());
        }
    }
}
