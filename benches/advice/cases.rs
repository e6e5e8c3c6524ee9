//! The cases of `fixtures/cases`: the statements are executed without advice, with the expert's,
//! and with the program's.

use std::collections::{BTreeMap, BTreeSet};

use pgrehearse::internals::sql::split::highest_parameter;
use postgres::Client;
use postgres::error::SqlState;
use serde::Serialize;

use super::advisor::{Program, Proposal, Task};
use super::case_files::{self, Case, Named};
use super::case_verdict::{Compared, Followed, Index, Measured, Verdict, judge, worst_factor};
use super::figures::megabytes;
use super::judge::{EXECUTED, PATIENCE, PATIENCE_MS, explained, values_of};
use super::options::Options;
use super::server::Server;

/// A statement that takes longer, in milliseconds, is executed once.
pub const LONG_MS: f64 = 4000.0;

/// A case with its verdict.
#[derive(Debug, Serialize)]
pub struct Outcome {
    case: String,
    verdict: Verdict,
    /// Why there are no figures.
    error: Option<String>,
    proposal: Proposal,
    statements: Vec<Compared>,
    expert: Followed,
    ours: Followed,
}

/// All cases of a directory, or those with these names.
pub fn named(names: &[String], options: &Options) -> impl Iterator<Item = Case> {
    let folder = options.dir.clone().unwrap_or_else(case_files::folder);
    let all = case_files::names(&folder);
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        eprintln!("there is no case {unknown} in {}", folder.display());
        std::process::exit(2);
    }
    let names = if names.is_empty() {
        all
    } else {
        names.to_vec()
    };
    names
        .into_iter()
        .map(move |name| Case::read(&folder, &name))
}

/// All cases, or those with these names.
pub fn run(server: &Server, names: &[String], options: &Options) -> Vec<Outcome> {
    let cases = named(names, options);
    println!(
        "{:<28} {:<8} {:>10} {:>8} {:>9} {:>9} {:>8}",
        "case", "verdict", "statements", "worst", "size", "expert's", "advise"
    );
    let mut outcomes = Vec::new();
    for case in cases {
        let outcome = outcome(server, &case, options);
        println!("{}", row(&outcome));
        if options.details {
            print_details(&case, &outcome);
        }
        outcomes.push(outcome);
    }
    println!("{}", summary(&outcomes));
    outcomes
}

fn outcome(server: &Server, case: &Case, options: &Options) -> Outcome {
    let place = Place::of(server, case);
    let mut outcome = Outcome {
        case: case.name.clone(),
        verdict: Verdict::Failed,
        error: None,
        proposal: Proposal::default(),
        statements: Vec::new(),
        expert: Followed::default(),
        ours: Followed::default(),
    };
    let judged = fill(&mut outcome, &place, options);
    outcome.error = judged.err();
    server.drop(&place.database);
    outcome
}

fn fill(outcome: &mut Outcome, place: &Place<'_>, options: &Options) -> Result<(), String> {
    place.load()?;
    outcome.proposal = proposal(place, options)?;
    (outcome.statements, outcome.expert, outcome.ours) = compared(place, &outcome.proposal)?;
    outcome.verdict = judge(&outcome.statements, &outcome.ours, &outcome.expert);
    Ok(())
}

pub fn proposal(place: &Place<'_>, options: &Options) -> Result<Proposal, String> {
    let mut arguments = place.case.about.args.clone();
    arguments.extend_from_slice(&options.advise);
    let program = Program {
        file: options.program.as_deref(),
        options: &arguments,
    };
    program.ask(Task {
        conninfo: &place.conninfo(&place.database),
        workload: &place.case.workload,
        budget: None,
    })
}

fn compared(
    place: &Place<'_>,
    proposal: &Proposal,
) -> Result<(Vec<Compared>, Followed, Followed), String> {
    let case = place.case;
    let expert_queries = case.expert_queries.iter();
    let expert_queries = expert_queries
        .map(|one| (one.name.clone(), one.sql.clone()))
        .collect();
    // Values of parameters are not known.
    let mut rewrites = proposal.rewrites.clone();
    rewrites.retain(|_, sql| highest_parameter(sql) == 0);
    let (before, _) = place.measure(&[], &BTreeMap::new());
    let (expert, by_expert) = place.measure(&case.expert, &expert_queries);
    let (ours, by_us) = place.measure(&proposal.statements, &rewrites);
    if let Some(error) = by_expert.errors.first() {
        return Err(format!("expert.sql: {error}"));
    }
    let mut statements = Vec::with_capacity(case.measured.len());
    let measured = before.into_iter().zip(expert).zip(ours);
    for (statement, ((before, expert), ours)) in case.measured.iter().zip(measured) {
        statements.push(Compared {
            name: statement.name.clone(),
            before: before.map_err(|error| format!("{}: {error}", statement.name))?,
            expert: expert.map_err(|error| format!("expert's {}: {error}", statement.name))?,
            ours,
        });
    }
    Ok((statements, by_expert, by_us))
}

/// The database of a case. What is measured happens in copies of it, so nothing is left for the
/// next.
pub struct Place<'a> {
    pub server: &'a Server,
    pub case: &'a Case,
    pub database: String,
}

impl<'a> Place<'a> {
    pub fn of(server: &'a Server, case: &'a Case) -> Place<'a> {
        Place {
            server,
            case,
            database: format!("bench_case_{}", case.name.replace(['-', '.'], "_")),
        }
    }

    pub fn load(&self) -> Result<(), String> {
        self.server.create(&self.database, "template1");
        let mut client = self.prepared(&self.database);
        for statement in &self.case.setup {
            // psql knows the name of its database.
            let statement = statement.replace(":\"DBNAME\"", &self.database);
            client
                .batch_execute(&statement)
                .map_err(|error| format!("setup.sql: {}", message(&error)))?;
        }
        // Counts of changes only arrive when a session ends.
        drop(client);
        self.vacuum(&mut self.server.client(&self.database));
        Ok(())
    }

    pub fn conninfo(&self, database: &str) -> String {
        let conninfo = self.server.conninfo_of(database);
        match &self.case.about.user {
            Some(user) => format!("{conninfo} user={user}"),
            None => conninfo,
        }
    }

    /// A session of the superuser, in a database whose settings are those of every case.
    fn prepared(&self, database: &str) -> Client {
        let mut client = self.server.client("postgres");
        client
            .batch_execute(&format!("ALTER DATABASE {database} SET jit = off"))
            .unwrap();
        self.server.client(database)
    }

    fn vacuum(&self, client: &mut Client) {
        if !self.case.about.noanalyze {
            client.batch_execute("VACUUM ANALYZE").unwrap();
        }
    }

    /// A copy of the database in which this advice was followed, and a session of the one who asks.
    pub fn copied(&self, copy: &str, advice: &[String]) -> (Client, Followed) {
        self.server.create(copy, &self.database);
        let followed = follow(&mut self.prepared(copy), advice);
        self.vacuum(&mut self.server.client(copy));
        let mut client = Client::connect(&self.conninfo(copy), postgres::NoTls).unwrap();
        client
            .batch_execute(&format!("SET statement_timeout = '{PATIENCE}'"))
            .unwrap();
        (client, followed)
    }

    /// Follows advice, and executes the statements, or those in their place.
    fn measure(
        &self,
        advice: &[String],
        rewrites: &BTreeMap<String, String>,
    ) -> (Vec<Result<Measured, String>>, Followed) {
        let copy = format!("{}_copy", self.database);
        let (mut client, followed) = self.copied(&copy, advice);
        let followed = Followed {
            rewritten: rewritten(&self.case.measured, rewrites),
            ..followed
        };
        let statements = self.case.measured.iter();
        let measured = statements
            .map(|one| measured(&mut client, rewrites.get(&one.name).unwrap_or(&one.sql)))
            .collect();
        drop(client);
        self.server.drop(&copy);
        (measured, followed)
    }
}

fn rewritten(statements: &[Named], rewrites: &BTreeMap<String, String>) -> BTreeSet<String> {
    let names = statements.iter().map(|one| one.name.clone());
    names.filter(|name| rewrites.contains_key(name)).collect()
}

/// Creates what is advised.
fn follow(client: &mut Client, advice: &[String]) -> Followed {
    let before = indexes(client);
    let refused = |statement: &String| {
        let error = client.batch_execute(statement).err()?;
        Some(format!("{}: {statement}", message(&error)))
    };
    let errors = advice.iter().filter_map(refused).collect();
    let mut created: BTreeMap<u32, Index> = BTreeMap::new();
    let mut bytes = 0;
    for (oid, one) in indexes(client) {
        if before.contains_key(&oid) {
            continue;
        }
        bytes += one.bytes;
        let index = created.entry(one.root).or_insert_with(|| Index {
            name: String::new(),
            parts: BTreeSet::new(),
        });
        if oid == one.root {
            index.name = one.name;
        } else {
            index.parts.insert(one.name);
        }
    }
    Followed {
        bytes,
        indexes: created.into_values().collect(),
        rewritten: BTreeSet::new(),
        errors,
    }
}

struct Existing {
    name: String,
    /// The partitioned index that it is a part of, or itself.
    root: u32,
    bytes: u64,
}

/// All indexes of users, by their OID.
fn indexes(client: &mut Client) -> BTreeMap<u32, Existing> {
    let sql = "SELECT c.oid, c.relname::text, coalesce(pg_partition_root(c.oid)::oid, c.oid), pg_relation_size(c.oid) \
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relkind IN ('i', 'I') AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')";
    let rows = client.query(sql, &[]).unwrap();
    let existing = |row: &postgres::Row| Existing {
        name: row.get(1),
        root: row.get(2),
        bytes: u64::try_from(row.get::<_, i64>(3)).unwrap(),
    };
    rows.iter().map(|row| (row.get(0), existing(row))).collect()
}

/// The median of three executions after a first one. What a statement writes is rolled back.
fn measured(client: &mut Client, sql: &str) -> Result<Measured, String> {
    let mut ask = |options| {
        client.batch_execute("BEGIN").unwrap();
        let answer = explained(client, options, sql);
        client.batch_execute("ROLLBACK").unwrap();
        answer
    };
    let planned = ask("").map_err(|error| message(&error))?;
    let mut measured = Measured {
        cost: planned["Plan"]["Total Cost"].as_f64().unwrap(),
        ms: 0.0,
        indexes: BTreeSet::new(),
    };
    values_of(&planned["Plan"], "Index Name", &mut |name| {
        measured.indexes.insert(name.to_owned());
    });
    let mut times = Vec::new();
    for number in 0..4 {
        let ms = match ask(EXECUTED) {
            Ok(answer) => answer["Execution Time"].as_f64().unwrap(),
            Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => PATIENCE_MS,
            Err(error) => return Err(message(&error)),
        };
        if number > 0 || ms > LONG_MS {
            times.push(ms);
        }
        if ms > LONG_MS {
            break;
        }
    }
    times.sort_by(f64::total_cmp);
    measured.ms = times[times.len() / 2];
    Ok(measured)
}

/// What the server says, which the error itself leaves out.
pub fn message(error: &postgres::Error) -> String {
    let said = error.as_db_error().map(|said| said.message().to_owned());
    said.unwrap_or_else(|| error.to_string())
}

fn good(outcome: &Outcome) -> usize {
    let good = outcome.statements.iter().filter(|one| one.is_good());
    good.count()
}

fn row(outcome: &Outcome) -> String {
    let Outcome {
        case,
        verdict,
        statements,
        expert,
        ours,
        ..
    } = outcome;
    let row = format!(
        "{case:<28} {:<8} {:>10} {:>8} {:>9} {:>9} {:>8}{}",
        verdict.name(),
        format!("{}/{}", good(outcome), statements.len()),
        format!("{:.1}x", worst_factor(statements)),
        megabytes(ours.bytes),
        megabytes(expert.bytes),
        format!("{:.1} s", outcome.proposal.wall_s),
        notes(outcome)
    );
    row.trim_end().to_owned()
}

/// What a row says in words.
fn notes(outcome: &Outcome) -> String {
    let mut notes = Vec::new();
    let unused = outcome.ours.unused(&outcome.statements);
    if !unused.is_empty() {
        notes.push(format!("unused: {}", unused.join(", ")));
    }
    let unmeasured = outcome.proposal.rewrites.values();
    let unmeasured = unmeasured.filter(|sql| highest_parameter(sql) > 0).count();
    if unmeasured > 0 {
        notes.push(format!(
            "rewrites with parameters, not executed: {unmeasured}"
        ));
    }
    notes.extend(outcome.ours.errors.iter().cloned());
    for one in &outcome.statements {
        if let Err(error) = &one.ours {
            notes.push(format!("{}: {error}", one.name));
        }
    }
    notes.extend(outcome.error.clone());
    notes.iter().map(|note| format!("  {note}")).collect()
}

fn print_details(case: &Case, outcome: &Outcome) {
    println!("   {}: {}", case.about.problem, case.about.expert);
    for statement in &outcome.proposal.statements {
        println!("   {statement}");
    }
    for one in &outcome.statements {
        let ours = one.ours.as_ref();
        let told = |measured: &Measured| format!("{:.2} ms ({:.0})", measured.ms, measured.cost);
        let rewritten = if outcome.ours.rewritten.contains(&one.name) {
            ", rewritten"
        } else {
            ""
        };
        println!(
            "   {:<28} {:>22} -> {:>22}{rewritten}; expert {}",
            one.name,
            told(&one.before),
            ours.map_or_else(|_| "fails".to_owned(), told),
            told(&one.expert)
        );
    }
}

fn summary(outcomes: &[Outcome]) -> String {
    let of = |verdict| outcomes.iter().filter(|one| one.verdict == verdict).count();
    let statements: usize = outcomes.iter().map(|one| one.statements.len()).sum();
    format!(
        "{} of {} cases good, {} of {statements} statements; {} harmful, {} failed",
        of(Verdict::Good),
        outcomes.len(),
        outcomes.iter().map(good).sum::<usize>(),
        of(Verdict::Harmful),
        of(Verdict::Failed)
    )
}
