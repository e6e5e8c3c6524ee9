//! The yardstick: what simple advisors do. Btrees on one and two columns of the conditions, joins
//! and orders, one picked after the other by what it saves (under a budget: by what it saves for
//! its size), asked of the same planner twin.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use pgrehearse::internals::catalog::Catalog;
use pgrehearse::internals::db::conninfo::{Environment, OsFiles, Typed, resolve};
use pgrehearse::internals::db::{Interrupt, Safety, Scope, Server, Session, SessionOptions, Twin};
use pgrehearse::internals::index::{Index, IndexKey, Key, naming};
use pgrehearse::internals::model::{Bytes, Millis, QualifiedName};
use pgrehearse::internals::plan::Plan;
use pgrehearse::internals::planner::{
    Answer, NamedIndex, PlanOutcome, Planned, Planner, Question, Target,
};
use pgrehearse::internals::predicate::{ConditionKind, RelationUse, relation_uses};
use pgrehearse::internals::workload::{Statement, StatementId, Workload, file};

use super::advisor::{Proposal, Task};
use super::server::throwaway;
use pgrehearse::internals::cluster::Access;

/// Some statement has to become so much cheaper.
const MIN_SHARE: f64 = 0.1;

pub fn advise(task: Task<'_>) -> Proposal {
    let began = Instant::now();
    let mut workload = Workload::default();
    file::read("workload.sql", task.workload, &mut workload).unwrap();
    let session = session(task.conninfo);
    let mut server = Server::new(&session);
    let plans = planned(
        server
            .ask(&Question::plans(Target::Server, workload.statements()))
            .unwrap(),
    )
    .plans;
    let plan_of = |statement: &Statement| {
        plans
            .get(&statement.id)
            .and_then(PlanOutcome::plan)
            .cloned()
    };
    let plans: Vec<(Statement, Plan)> = workload
        .statements()
        .iter()
        .filter_map(|one| Some((one.clone(), plan_of(one)?)))
        .collect();
    let tables: BTreeSet<QualifiedName> =
        plans.iter().flat_map(|(_, plan)| plan.tables()).collect();
    let catalog = server.catalog(&tables).unwrap();

    let candidates = candidates(&plans, &catalog);
    let twin = twin_of(&session);
    let mut search = Search::new(twin, candidates, &plans);
    let chosen = search.choose(task.budget);
    let size: u64 = chosen.iter().map(|position| search.sizes[*position]).sum();
    let index = |position: &usize| {
        let NamedIndex {
            name,
            definition: index,
        } = &search.candidates[*position];
        format!("{};", index.create(name))
    };
    Proposal {
        statements: chosen.iter().map(index).collect(),
        predicted_bytes: size,
        wall_s: began.elapsed().as_secs_f64(),
        twin_explains: search.explains,
        server_explains: workload.statements().len() as u64,
        ..Proposal::default()
    }
}

fn session(conninfo: &str) -> Session {
    let typed = Typed {
        dbname: Some(conninfo.to_owned()),
        ..Typed::default()
    };
    let no_variables: [(&str, &str); 0] = [];
    let settings = resolve(&typed, &Environment::new(no_variables, None), &OsFiles).unwrap();
    let long = Millis(3_600_000.0);
    let safety = Safety {
        lock_timeout: long,
        statement_timeout: long,
        build_timeout: Some(long),
        max_write_block: long,
        max_total_write_block: long,
    };
    let options = SessionOptions {
        safety,
        interrupt: Interrupt::never(),
        trace: None,
    };
    Session::connect(&settings, &|_| Ok(String::new()), options).unwrap()
}

fn twin_of(session: &Session) -> Twin {
    let snapshot = session.snapshot(&Scope::Everything).unwrap();
    let cluster = throwaway("shared_buffers = 32MB\n", Access::Password);
    let own = self::session(&cluster.conninfo());
    Twin::load(&snapshot, cluster, own).unwrap()
}

fn planned(answer: Answer) -> Planned {
    match answer {
        Answer::Planned(planned) => planned,
        Answer::Refused(refusal) => panic!("{refusal:?}"),
    }
}

/// One and two columns that one statement compares, joins or sorts by.
fn candidates(plans: &[(Statement, Plan)], catalog: &Catalog) -> Vec<NamedIndex> {
    let mut indexes: BTreeSet<Index> = BTreeSet::new();
    for relation in plans
        .iter()
        .flat_map(|(_, plan)| relation_uses(plan, catalog))
    {
        let columns = columns(&relation);
        let index = |keys: &[&Key]| {
            let keys = keys
                .iter()
                .map(|key| IndexKey::ascending((*key).clone()))
                .collect();
            Index::btree(relation.table.clone(), keys)
        };
        for first in &columns {
            indexes.insert(index(&[first]));
            indexes.extend(
                columns
                    .iter()
                    .filter(|second| *second != first)
                    .map(|second| index(&[first, second])),
            );
        }
    }
    let exists = |index: &Index| {
        let existing = catalog
            .table(&index.table)
            .into_iter()
            .flat_map(|table| &table.indexes);
        existing
            .filter_map(|existing| existing.index.as_ref())
            .any(|existing| existing.subsumes(index))
    };
    indexes.retain(|index| !exists(index));
    let names = naming::names(&indexes, &catalog.taken_names);
    names
        .into_iter()
        .zip(indexes)
        .map(|(name, index)| NamedIndex {
            name,
            definition: index,
        })
        .collect()
}

fn columns(relation: &RelationUse) -> BTreeSet<Key> {
    let searchable = |kind| {
        matches!(
            kind,
            ConditionKind::Equality
                | ConditionKind::Membership
                | ConditionKind::Range
                | ConditionKind::Null
        )
    };
    let compared = relation
        .conditions
        .iter()
        .filter(|one| searchable(one.kind))
        .map(|one| one.key.clone());
    let sorted = relation
        .orders
        .iter()
        .flatten()
        .map(|order| order.key.clone());
    compared
        .chain(sorted)
        .filter(|key| matches!(key, Key::Column(_)))
        .collect()
}

struct Search {
    twin: Twin,
    candidates: Vec<NamedIndex>,
    sizes: Vec<u64>,
    statements: Vec<(Statement, BTreeSet<QualifiedName>)>,
    known: BTreeMap<(StatementId, Vec<usize>), f64>,
    explains: u64,
}

/// A candidate's gain as it was when it was last asked about.
#[derive(Debug, Clone, Copy)]
struct Gain {
    position: usize,
    gain: f64,
    asked_in: usize,
}

impl Search {
    fn new(twin: Twin, candidates: Vec<NamedIndex>, plans: &[(Statement, Plan)]) -> Search {
        let statements = plans
            .iter()
            .map(|(statement, plan)| (statement.clone(), plan.tables()))
            .collect();
        let sizes = vec![0; candidates.len()];
        Search {
            twin,
            candidates,
            sizes,
            statements,
            known: BTreeMap::new(),
            explains: 0,
        }
    }

    /// Gains mostly fall as the set grows, so only those are asked about again whose last gain is
    /// still the largest.
    fn choose(&mut self, budget: Option<Bytes>) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let mut gains: Vec<Gain> = (0..self.candidates.len())
            .map(|position| self.gain(&chosen, position))
            .filter(|one| one.gain > 0.0)
            .collect();
        let worth = |search: &Search, one: &Gain| match budget {
            Some(_) => one.gain / search.sizes[one.position] as f64,
            None => one.gain,
        };
        loop {
            let taken: u64 = chosen.iter().map(|position| self.sizes[*position]).sum();
            gains.retain(|one| {
                one.gain > 0.0
                    && budget.is_none_or(|budget| taken + self.sizes[one.position] <= budget.0)
            });
            let best = (0..gains.len())
                .max_by(|a, b| worth(self, &gains[*a]).total_cmp(&worth(self, &gains[*b])));
            let Some(best) = best else { return chosen };
            if gains[best].asked_in == chosen.len() {
                chosen.push(gains.remove(best).position);
            } else {
                gains[best] = self.gain(&chosen, gains[best].position);
            }
        }
    }

    fn gain(&mut self, chosen: &[usize], position: usize) -> Gain {
        let with = [chosen, &[position]].concat();
        let (mut gain, mut best_share) = (0.0, 0.0_f64);
        for number in 0..self.statements.len() {
            if self.statements[number]
                .1
                .contains(&self.candidates[position].definition.table)
            {
                let (now, then) = (self.cost(number, chosen), self.cost(number, &with));
                gain += self.statements[number].0.calls * (now - then);
                best_share = best_share.max((now - then) / now);
            }
        }
        let gain = if best_share >= MIN_SHARE { gain } else { 0.0 };
        Gain {
            position,
            gain,
            asked_in: chosen.len(),
        }
    }

    fn cost(&mut self, number: usize, set: &[usize]) -> f64 {
        let (statement, tables) = &self.statements[number];
        let mut set: Vec<usize> = set
            .iter()
            .copied()
            .filter(|position| tables.contains(&self.candidates[*position].definition.table))
            .collect();
        set.sort_unstable();
        let key = (statement.id.clone(), set);
        if let Some(cost) = self.known.get(&key) {
            return *cost;
        }
        let indexes: Vec<NamedIndex> = key
            .1
            .iter()
            .map(|position| self.candidates[*position].clone())
            .collect();
        let planned = planned(
            self.twin
                .ask(
                    &Question::plans(Target::Server, std::slice::from_ref(statement))
                        .with_indexes(&indexes),
                )
                .unwrap(),
        );
        self.explains += 1;
        for (position, build) in key.1.iter().zip(&planned.indexes) {
            self.sizes[*position] = build.size.0;
        }
        let cost = planned.plans[&statement.id]
            .plan()
            .expect("it was planned before")
            .total_cost()
            .0;
        self.known.insert(key, cost);
        cost
    }
}
