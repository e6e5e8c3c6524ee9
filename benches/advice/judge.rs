//! Judged by what is really there: the indexes of a set are created, and the server is asked for
//! costs, sizes and times.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use pgrehearse::internals::workload::{Statement, Workload, file};
use postgres::error::SqlState;
use postgres::{Client, SimpleQueryMessage};
use serde::Serialize;
use serde_json::Value;

use super::server::Server;

/// Statements and indexes that are summed up together: those on these tables.
#[derive(Debug, Clone)]
pub struct Group {
    pub name: String,
    pub tables: BTreeSet<String>,
}

/// An index that was created.
#[derive(Debug, Clone, Serialize)]
pub struct Built {
    /// What stands behind ON.
    pub definition: String,
    pub table: String,
    pub bytes: u64,
    pub create_ms: f64,
}

/// A statement without and with the set.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    pub id: String,
    pub calls: f64,
    pub tables: BTreeSet<String>,
    pub before: f64,
    pub after: f64,
    /// Median of three executions; a statement that takes longer than [`PATIENCE`] counts as that
    /// long.
    pub time_before_ms: Option<f64>,
    pub time_after_ms: Option<f64>,
}

/// What a set is really worth.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verdict {
    pub statements: Vec<Judged>,
    pub indexes: Vec<Built>,
}

pub const PATIENCE: &str = "60s";
pub const PATIENCE_MS: f64 = 60_000.0;

struct Existing {
    name: String,
    built: Built,
}

pub struct Judge {
    client: Client,
    /// Its transactions are read-only.
    reader: Client,
    statements: Vec<Statement>,
    existing: BTreeMap<String, Existing>,
    number: usize,
    with_times: bool,
    /// By statement and plan.
    times: BTreeMap<(String, String), Option<f64>>,
}

impl Judge {
    pub fn new(server: &Server, database: &str, workload: &str, with_times: bool) -> Judge {
        let mut statements = Workload::default();
        file::read("workload.sql", workload, &mut statements).unwrap();
        let mut reader = server.client(database);
        reader
            .batch_execute(&format!(
                "SET default_transaction_read_only = on; SET statement_timeout = '{PATIENCE}'"
            ))
            .unwrap();
        Judge {
            client: server.client(database),
            reader,
            statements: statements.statements().to_vec(),
            existing: BTreeMap::new(),
            number: 0,
            with_times,
            times: BTreeMap::new(),
        }
    }

    /// Creates what is missing of this set, removes what is not in it, and compares.
    pub fn judge(&mut self, proposed: &[String]) -> Verdict {
        let time_before = self.times_without();
        let wanted = self.build(proposed);
        let after: Vec<(f64, BTreeSet<String>)> = self.costs();
        let before = self.costs_without();
        let time_after: Vec<Option<f64>> = self.times();
        let mut statements = Vec::with_capacity(self.statements.len());
        for (position, statement) in self.statements.iter().enumerate() {
            statements.push(Judged {
                id: statement.id.0.clone(),
                calls: statement.calls,
                tables: before[position].1.clone(),
                before: before[position].0,
                after: after[position].0,
                time_before_ms: time_before[position],
                time_after_ms: time_after[position],
            });
        }
        let indexes = wanted
            .iter()
            .map(|definition| self.existing[definition].built.clone())
            .collect();
        Verdict {
            statements,
            indexes,
        }
    }

    /// The definitions of the set's indexes.
    fn build(&mut self, proposed: &[String]) -> Vec<String> {
        let definition = |statement: &String| {
            Some(
                statement
                    .split_once(" ON ")?
                    .1
                    .trim_end_matches(';')
                    .to_owned(),
            )
        };
        let is_index = |statement: &&String| statement.starts_with("CREATE INDEX");
        let wanted: Vec<String> = proposed
            .iter()
            .filter(is_index)
            .filter_map(definition)
            .collect();
        let superfluous: Vec<String> = self
            .existing
            .keys()
            .filter(|one| !wanted.contains(one))
            .cloned()
            .collect();
        for definition in superfluous {
            let gone = self.existing.remove(&definition).unwrap();
            self.client
                .batch_execute(&format!("DROP INDEX {}", gone.name))
                .unwrap();
        }
        for statement in proposed {
            match definition(statement).filter(|_| is_index(&statement)) {
                Some(definition) => self.create(&definition),
                None => self.client.batch_execute(statement).unwrap(),
            }
        }
        wanted
    }

    fn create(&mut self, definition: &str) {
        if self.existing.contains_key(definition) {
            return;
        }
        self.number += 1;
        let name = format!("bench_{}", self.number);
        let began = Instant::now();
        self.client
            .batch_execute(&format!("CREATE INDEX {name} ON {definition}"))
            .unwrap();
        let create_ms = began.elapsed().as_secs_f64() * 1000.0;
        let about = "SELECT pg_relation_size(c.oid), t.relname::text, i.indexprs IS NOT NULL \
                     FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = i.indrelid \
                     WHERE c.relname = $1";
        let row = self.client.query_one(about, &[&name]).unwrap();
        let (bytes, table, has_expression): (i64, String, bool) =
            (row.get(0), row.get(1), row.get(2));
        if has_expression {
            self.client
                .batch_execute(&format!("ANALYZE {table}"))
                .unwrap();
        }
        let bytes = u64::try_from(bytes).unwrap();
        let built = Built {
            definition: definition.to_owned(),
            table,
            bytes,
            create_ms,
        };
        self.existing
            .insert(definition.to_owned(), Existing { name, built });
    }

    /// Each statement's cost, and the tables of its plan.
    fn costs(&mut self) -> Vec<(f64, BTreeSet<String>)> {
        let client = &mut self.client;
        let cost = |statement: &Statement| {
            let plan = explain(client, &statement.sql);
            let mut tables = BTreeSet::new();
            values_of(&plan, "Relation Name", &mut |table| {
                tables.insert(table.to_owned());
            });
            (plan["Total Cost"].as_f64().unwrap(), tables)
        };
        self.statements.iter().map(cost).collect()
    }

    /// Under the same statistics: the indexes are dropped in a transaction that is rolled back.
    fn costs_without(&mut self) -> Vec<(f64, BTreeSet<String>)> {
        self.without(Judge::costs)
    }

    fn without<Answer>(&mut self, ask: impl FnOnce(&mut Judge) -> Answer) -> Answer {
        self.client.batch_execute("BEGIN").unwrap();
        for existing in self.existing.values() {
            self.client
                .batch_execute(&format!("DROP INDEX {}", existing.name))
                .unwrap();
        }
        let answer = ask(self);
        self.client.batch_execute("ROLLBACK").unwrap();
        answer
    }

    /// Measured once, while there are no indexes.
    fn times_without(&mut self) -> Vec<Option<f64>> {
        if !self.existing.is_empty() {
            let known =
                |statement: &Statement| self.times.get(&(statement.id.0.clone(), String::new()));
            return self
                .statements
                .iter()
                .map(|statement| known(statement).copied().flatten())
                .collect();
        }
        let times = self.times();
        for (statement, time) in self.statements.iter().zip(&times) {
            self.times
                .entry((statement.id.0.clone(), String::new()))
                .or_insert(*time);
        }
        times
    }

    /// Each read-only statement's time; a plan that was executed already is not executed again.
    fn times(&mut self) -> Vec<Option<f64>> {
        if !self.with_times {
            return vec![None; self.statements.len()];
        }
        let mut times = Vec::with_capacity(self.statements.len());
        for statement in &self.statements {
            let plan = shape(&explain(&mut self.client, &statement.sql));
            let key = (statement.id.0.clone(), plan);
            let reader = &mut self.reader;
            times.push(
                *self
                    .times
                    .entry(key)
                    .or_insert_with(|| median_time(reader, &statement.sql)),
            );
        }
        times
    }
}

fn explain(client: &mut Client, sql: &str) -> Value {
    explained(client, "", sql).expect(sql)["Plan"].take()
}

/// Executes it, and says how long that took, too.
pub const EXECUTED: &str = "ANALYZE, TIMING OFF, ";

/// What EXPLAIN with these options, each with a comma behind it, answers.
pub fn explained(client: &mut Client, options: &str, sql: &str) -> Result<Value, postgres::Error> {
    let messages = client.simple_query(&format!("EXPLAIN ({options}FORMAT JSON) {sql}"))?;
    let text = messages.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    let mut answer: Value = serde_json::from_str(&text.expect("EXPLAIN answers")).unwrap();
    Ok(answer[0].take())
}

/// None when it is not read-only.
fn median_time(client: &mut Client, sql: &str) -> Option<f64> {
    let mut times = Vec::with_capacity(3);
    for _ in 0..3 {
        match explained(client, EXECUTED, sql) {
            Ok(answer) => times.push(answer["Execution Time"].as_f64().unwrap()),
            Err(error) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
                return None;
            }
            Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => {
                return Some(PATIENCE_MS);
            }
            Err(error) => panic!("{error}: {sql}"),
        }
    }
    times.sort_by(f64::total_cmp);
    Some(times[1])
}

/// What makes a plan another one; the numbers do not.
fn shape(plan: &Value) -> String {
    let mut shape = String::new();
    for property in [
        "Node Type",
        "Index Name",
        "Relation Name",
        "Index Cond",
        "Filter",
        "Join Filter",
    ] {
        values_of(plan, property, &mut |value| shape += &format!("{value};"));
    }
    shape
}

/// The texts of one property, from top to bottom.
pub fn values_of(plan: &Value, property: &str, take: &mut dyn FnMut(&str)) {
    if let Some(value) = plan[property].as_str() {
        take(value);
    }
    for child in plan["Plans"].as_array().into_iter().flatten() {
        values_of(child, property, take);
    }
}
