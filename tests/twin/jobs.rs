//! Several twins answer at the same time, and as one does.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgrehearse::internals::db::{NamedColumns, Twins};
use pgrehearse::internals::index::NamedIndex;
use pgrehearse::internals::planner::{
    Answer, Planner, PlannerError, Preparation, Question, RefusalCause, Target, TwinState,
};
use pgrehearse::internals::report::json::Report;
use pgrehearse::internals::report::run_measurements::RunMeasurements;
use pgrehearse::{Bytes, Catalog, Limits, QualifiedName, Rehearse, Workload, advise};

use crate::candidates::named;
use crate::exactness::{Pair, load, load_into, start, workload};
use crate::live::Database;

const TABLES: usize = 6;

/// Tables whose columns are alike, so that the planner has to choose between indexes of the same
/// cost; one of them is partitioned.
fn schema() -> String {
    let mut sql = String::new();
    for number in 1..TABLES {
        let _ = write!(
            sql,
            "CREATE TABLE shelf{number} (id bigint PRIMARY KEY, room int NOT NULL, place int NOT NULL, label text, weight int, tags int[], span int4range);
             INSERT INTO shelf{number} SELECT n, n % 400, n % 400, 'label ' || n % 900, n * 7 % 1000, ARRAY[n % 70, n % 90], int4range(n, n + 5)
             FROM generate_series(1, 20000) AS n;"
        );
    }
    let _ = write!(
        sql,
        "CREATE TABLE shelf{TABLES} (id bigint, room int NOT NULL, place int NOT NULL, label text, weight int, tags int[], span int4range) PARTITION BY HASH (id);
         CREATE TABLE shelf_a PARTITION OF shelf{TABLES} FOR VALUES WITH (modulus 2, remainder 0);
         CREATE TABLE shelf_b PARTITION OF shelf{TABLES} FOR VALUES WITH (modulus 2, remainder 1);
         INSERT INTO shelf{TABLES} SELECT n, n % 400, n % 400, 'label ' || n % 900, n * 7 % 1000, ARRAY[n % 70, n % 90], int4range(n, n + 5)
         FROM generate_series(1, 20000) AS n;
         ANALYZE;"
    );
    sql
}

fn statements() -> String {
    let mut sql = String::new();
    for number in 1..=TABLES {
        let next = number % TABLES + 1;
        let _ = write!(
            sql,
            "SELECT * FROM shelf{number} WHERE room = 17;
             SELECT * FROM shelf{number} WHERE room = 17 AND place = 18;
             SELECT id FROM shelf{number} WHERE label = 'label 7' AND weight > 900;
             SELECT * FROM shelf{number} WHERE room = 3 ORDER BY weight LIMIT 5;
             SELECT * FROM shelf{number} WHERE upper(label) = 'LABEL 12';
             SELECT a.id FROM shelf{number} a JOIN shelf{next} b ON b.place = a.room AND b.room = 9 WHERE a.weight < 20;
             SELECT count(*) FROM shelf{number} WHERE weight BETWEEN 10 AND 12;
             SELECT id FROM shelf{number} WHERE tags @> ARRAY[7, 17];
             SELECT id FROM shelf{number} WHERE span && int4range(40, 44);"
        );
    }
    sql
}

fn candidates() -> Vec<NamedIndex> {
    let mut candidates = Vec::new();
    for number in 1..=TABLES {
        for (place, columns) in [
            "(room)",
            "(place)",
            "(room, place)",
            "(place, room)",
            "(label)",
            "(label, weight)",
            "(weight, label)",
            "(room, weight)",
            "(upper(label))",
            "(weight)",
            "(label) WHERE weight > 900",
        ]
        .into_iter()
        .enumerate()
        {
            let line = format!("ON public.shelf{number} {columns}");
            candidates.push(named(&line, 100 * number + place));
        }
    }
    candidates
}

/// Each candidate alone, then growing sets of them.
fn questions(candidates: &[NamedIndex], sql: &str) -> Vec<Question> {
    let workload = workload(sql);
    let plans = || Question::plans(Target::Twin, workload.statements());
    let alone = candidates.iter();
    let alone = alone.map(|index| plans().with_indexes(std::slice::from_ref(index)));
    let sets = (1..candidates.len()).step_by(5);
    let sets = sets.map(|number| plans().with_indexes(&candidates[..number]));
    alone.chain(sets).collect()
}

/// Compares answer by answer: all of them are too much to print.
fn same(answers: &[Answer], expected: &[Answer]) {
    assert_eq!(answers.len(), expected.len());
    for (number, (answer, expected)) in answers.iter().zip(expected).enumerate() {
        let (Answer::Planned(answer), Answer::Planned(expected)) = (answer, expected) else {
            panic!("{number}: {answer:?} {expected:?}");
        };
        assert_eq!(answer.indexes, expected.indexes, "question {number}");
        for (id, plan) in &expected.plans {
            assert_eq!(&answer.plans[id], plan, "question {number}, statement {id}");
        }
        assert_eq!(answer, expected, "question {number}");
    }
}

#[test]
fn several_twins_answer_as_one_does() {
    let database = Database::new("twin_jobs", &schema());
    let (pair, snapshot) = Pair::seen_by(&database, "postgres");
    let Pair { server, twin } = pair;
    let names = ["room", "place", "label", "weight", "tags", "span"].map(str::to_owned);
    let mut columns = NamedColumns::default();
    columns.add(&BTreeSet::new(), &names.into());
    let candidates = candidates();
    let questions = questions(&candidates, &statements());

    let (of_many, of_early) = (load(&snapshot), load(&snapshot));
    let servers: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let started = Arc::clone(&servers);
    let another = Arc::new(move || {
        let copy = start();
        started.lock().unwrap().push(copy.data_directory());
        Some(load_into(copy, &snapshot))
    });
    let mut one = Twins::one(twin);
    let mut many = Twins::new(of_many, 3, another.clone());
    // Here all are there before the first sample.
    let mut early = Twins::new(of_early, 3, another).expecting(Duration::from_secs(60));
    while early.number() < 3 {
        early
            .fetch_samples([], &columns, &server, &mut |_| {})
            .unwrap();
    }
    servers.lock().unwrap().clear();
    for twins in [&mut one, &mut many, &mut early] {
        // All at once, where rows are read while others are stored, and one by one.
        let (half, rest) = candidates.split_at(candidates.len() / 2);
        for indexes in std::iter::once(half).chain(rest.chunks(1)) {
            twins
                .fetch_samples(indexes, &columns, &server, &mut |_| {})
                .unwrap();
        }
    }
    let expected = one.ask_all(&questions).unwrap();
    assert!(
        expected
            .iter()
            .all(|answer| matches!(answer, Answer::Planned(_)))
    );
    same(&early.ask_all(&questions).unwrap(), &expected);
    drop(early);
    // The others are taken in once they are ready: before, between and after the answers are the
    // same.
    while many.number() < 3 {
        same(&many.ask_all(&questions).unwrap(), &expected);
    }
    same(&many.ask_all(&questions).unwrap(), &expected);
    let reversed: Vec<Question> = questions.iter().rev().cloned().collect();
    let mut answers = many.ask_all(&reversed).unwrap();
    answers.reverse();
    same(&answers, &expected);
    same(&[many.ask(&questions[70]).unwrap()], &expected[70..71]);
    assert_eq!(one.number(), 1);

    same_advice(&mut one, &mut many);

    // One of the other servers ends, and its part is asked again.
    let ended = servers.lock().unwrap()[0].clone();
    let pid = fs::read_to_string(ended.join("postmaster.pid")).unwrap();
    let pid: i32 = pid.lines().next().unwrap().parse().unwrap();
    kill(Pid::from_raw(pid), Signal::SIGQUIT).unwrap();
    same(&many.ask_all(&questions).unwrap(), &expected);
    same(&many.ask_all(&questions).unwrap(), &expected);
    assert_eq!(many.number(), 2);
}

fn same_advice(one: &mut Twins, many: &mut Twins) {
    let workload = workload(&statements());
    let tables = (1..=TABLES).map(|number| QualifiedName::new("public", format!("shelf{number}")));
    let catalog = one.catalog(&tables.collect()).unwrap();
    let of_one = report(one, &catalog, &workload);
    let of_many = report(many, &catalog, &workload);
    for (one, many) in of_one.lines().zip(of_many.lines()) {
        assert_eq!(one, many);
    }
    assert_eq!(of_one.len(), of_many.len());
}

/// Twins in the place of a server with this catalog: each has counters of its own.
struct Alone<'t>(&'t mut Twins, Catalog);

impl Planner for Alone<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        let is_possible = question.target == Target::Twin
            || question.is_baseline()
            || question.hypothesis.is_some();
        if is_possible {
            self.0.ask(question)
        } else {
            Ok(Answer::Refused(RefusalCause::NoServer.into()))
        }
    }

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        self.0.ask_all(questions)
    }

    fn catalog(&mut self, _tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        Ok(self.1.clone())
    }

    fn prepare_twin(
        &mut self,
        _tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        Ok(TwinState::Ready.into())
    }
}

fn report(twins: &mut Twins, catalog: &Catalog, workload: &Workload) -> String {
    let limits = Limits {
        rehearse: Rehearse::Twin,
        budget: Some(Bytes(3 << 20)),
        ..Limits::default()
    };
    let advice = advise(
        workload,
        &limits,
        &mut Alone(twins, catalog.clone()),
        &|_| {},
    )
    .unwrap();
    assert!(
        advice.recommendations.len() >= 4,
        "{}",
        advice.recommendations.len()
    );
    Report::new(&advice, &RunMeasurements::default())
        .to_json()
        .unwrap()
}

/// An index that is built several times in a run may have another size each time.
#[test]
fn a_real_size_takes_the_place_of_another() {
    let sql = "CREATE TABLE shelf (room int, place int);
               INSERT INTO shelf SELECT n % 900, n FROM generate_series(1, 30000) AS n; ANALYZE;";
    let database = Database::new("twin_real_sizes", sql);
    let Pair { mut twin, .. } = Pair::of(&database);
    let index = named("ON public.shelf (room)", 1);
    let workload = workload("SELECT * FROM shelf WHERE room = 17");
    let question = Question::plans(Target::Twin, workload.statements())
        .with_indexes(std::slice::from_ref(&index));
    for pages in [40, 90, 50, 90, 70] {
        let size = Bytes(pages * 8192);
        twin.keep_real_size(&index, size).unwrap();
        let Answer::Planned(planned) = twin.ask(&question).unwrap() else {
            panic!()
        };
        assert_eq!(planned.indexes[0].size, size);
        let plan = planned.plans.values().next().unwrap().plan().unwrap();
        assert!(plan.index_names().contains(index.name.as_str()), "{plan:?}");
    }
}
