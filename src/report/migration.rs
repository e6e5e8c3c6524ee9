//! The advice as a file of SQL that runs as it is, and one that takes it back.
//!
//! It is for `psql -f` and for migration tools that run a file outside of a transaction: CREATE INDEX
//! CONCURRENTLY fails in one. `IF NOT EXISTS` makes it run again after a failure; because it would
//! take an invalid index that a failed build left for a good one
//! (<https://www.postgresql.org/docs/current/sql-createindex.html>, "Building Indexes Concurrently"),
//! the last statement checks that each index is there and valid.

use std::fmt::Write as _;

use super::gains::{Gains, IndexGain};
use super::headline::headline;
use super::short::mostly_for;
use super::words::{percent, title};
use crate::advise::{Advice, Followed};
use crate::model::printable::printable_sql;
use crate::model::{QualifiedName, printable, quote_literal};
use crate::planner::Evidence;
use crate::remedy::{Kind, Remedy};
use crate::sentences;

/// How long statements wait for a lock behind which others queue.
const LOCK_TIMEOUT: &str = "2s";

/// Which way a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Creates what is recommended.
    Up,
    /// Drops it again.
    Down,
}

/// Writes the file.
pub fn write(advice: &Advice, direction: Direction) -> String {
    let gains = Gains::of(advice);
    let mut file = Migration::new(advice, &gains, direction);
    match direction {
        Direction::Up => up(&mut file, advice, &gains),
        Direction::Down => down(&mut file, advice, &gains),
    }
    file.finish()
}

fn up(file: &mut Migration, advice: &Advice, gains: &Gains<'_>) {
    for gain in &gains.indexes {
        index(file, gain, gains);
    }
    for remedy in &advice.remedies {
        remedy_statements(file, remedy);
    }
    file.analyze_all();
    file.check(gains);
    drops(file, advice);
    elsewhere(file, advice);
}

fn down(file: &mut Migration, advice: &Advice, gains: &Gains<'_>) {
    let created = |remedy: &&Remedy| remedy.kind == Kind::CreateStatistics;
    for remedy in advice.remedies.iter().rev().filter(created) {
        let statements = remedy.statements.iter();
        let names = statements.filter_map(|sql| sql.strip_prefix("CREATE STATISTICS "));
        for name in names.map(leading_name) {
            file.blank();
            file.comment(&remedy.id);
            file.run(&format!("DROP STATISTICS IF EXISTS {name};"));
        }
    }
    for gain in gains.indexes.iter().rev() {
        let name = name_of(gain);
        let is_whole = gain
            .index
            .creation
            .create
            .iter()
            .any(|sql| is_concurrent(sql))
            && !gain
                .index
                .creation
                .create
                .iter()
                .any(|sql| sql.contains(" ON ONLY "));
        let how = if is_whole { " CONCURRENTLY" } else { "" };
        file.blank();
        file.comment(&gain.index.id);
        file.run(&format!("DROP INDEX{how} IF EXISTS {name};"));
    }
}

fn index(file: &mut Migration, gain: &IndexGain<'_>, gains: &Gains<'_>) {
    let about = match gain.index.evidence {
        Evidence::RolledBackTransaction => "",
        Evidence::PlannerTwin => "about ",
    };
    file.blank();
    file.comment(&format!(
        "{}: saves {} ({} so far) · {about}{} · writes pay {} · {}",
        gain.index.id,
        percent(gain.share),
        percent(gain.so_far),
        gain.index.size,
        percent(gain.upkeep),
        mostly_for(gain, gains)
    ));
    for sql in &gain.index.creation.create {
        file.run(&if_not_exists(sql));
    }
    for sql in &gain.index.creation.afterwards {
        file.later(sql);
    }
}

/// Statistics and VACUUM run; what changes a statement or what it means is left to the reader.
fn remedy_statements(file: &mut Migration, remedy: &Remedy) {
    let runs = matches!(
        remedy.kind,
        Kind::Analyze | Kind::CreateStatistics | Kind::Vacuum
    );
    file.blank();
    file.comment(&format!("{}: {}", remedy.id, sentences::remedy(remedy)));
    for sql in &remedy.statements {
        if !runs {
            file.not_run(sql);
        } else if sql.starts_with("ANALYZE ") {
            file.later(sql);
        } else {
            file.run(&if_not_exists(sql));
        }
    }
}

/// Drops are decided by those who know what else uses the index.
fn drops(file: &mut Migration, advice: &Advice) {
    for finding in &advice.existing {
        let statements = finding.statements();
        if statements.is_empty() {
            continue;
        }
        file.blank();
        file.comment(&format!(
            "{} {}, not done here: {}",
            finding.kind().name().replace('_', " "),
            finding.index,
            sentences::existing_index(finding)
        ));
        for sql in &statements {
            file.not_run(sql);
        }
    }
}

fn elsewhere(file: &mut Migration, advice: &Advice) {
    for (server, followed) in &advice.followed {
        let Followed::Advised { advice, .. } = followed else {
            continue;
        };
        for index in &advice.recommendations {
            file.blank();
            file.comment(&format!("{} runs on the server {server}:", index.id));
            for sql in index.creation.statements() {
                file.not_run(sql);
            }
        }
    }
}

/// `"a b"."c"` of `"a b"."c" ON …`.
fn leading_name(sql: &str) -> &str {
    let mut quoted = false;
    let end = sql.find(|character: char| {
        quoted ^= character == '"';
        character == ' ' && !quoted
    });
    end.and_then(|end| sql.get(..end)).unwrap_or(sql)
}

fn name_of(gain: &IndexGain<'_>) -> QualifiedName {
    let index = &gain.index.index;
    QualifiedName::new(index.definition.table.schema.clone(), index.name.clone())
}

fn is_concurrent(sql: &str) -> bool {
    sql.starts_with("CREATE INDEX CONCURRENTLY ") || sql.starts_with("DROP INDEX CONCURRENTLY ")
}

/// The statement, which does nothing where what it creates exists.
fn if_not_exists(sql: &str) -> String {
    let creates = [
        "CREATE INDEX CONCURRENTLY ",
        "CREATE INDEX ",
        "CREATE STATISTICS ",
    ];
    let found = creates
        .iter()
        .find_map(|create| Some((create, sql.strip_prefix(create)?)));
    match found {
        Some((_, rest)) if rest.starts_with("IF NOT EXISTS ") => sql.to_owned(),
        Some((create, rest)) => format!("{create}IF NOT EXISTS {rest}"),
        None => sql.to_owned(),
    }
}

/// What a statement takes for locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// It waits for older transactions, and nobody waits for it.
    Unlimited,
    /// Others queue behind it.
    Limited,
}

struct Migration {
    text: String,
    waiting: Option<Waiting>,
    later: Vec<String>,
    statements: usize,
}

impl Migration {
    fn new(advice: &Advice, gains: &Gains<'_>, direction: Direction) -> Migration {
        let mut file = Migration {
            text: String::new(),
            waiting: None,
            later: Vec::new(),
            statements: 0,
        };
        let version = env!("CARGO_PKG_VERSION");
        let takes = match direction {
            Direction::Up => "",
            Direction::Down => ": takes back what --format sql creates",
        };
        file.comment(&format!("pgrehearse {version}{takes}"));
        file.comment(&title(advice));
        file.comment(&headline(advice, gains));
        file.comment("Run it outside of a transaction: psql -v ON_ERROR_STOP=1 -f FILE");
        file
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn comment(&mut self, text: &str) {
        let _ = writeln!(self.text, "-- {}", printable(text));
    }

    /// A statement as a comment.
    fn not_run(&mut self, sql: &str) {
        for line in sql.lines() {
            let _ = writeln!(self.text, "--   {}", printable(line));
        }
    }

    fn run(&mut self, sql: &str) {
        let is_unlocked =
            is_concurrent(sql) || sql.starts_with("VACUUM ") || sql.starts_with("ANALYZE ");
        self.wait(if is_unlocked {
            Waiting::Unlimited
        } else {
            Waiting::Limited
        });
        self.statements += 1;
        let _ = writeln!(self.text, "{}", printable_sql(sql));
    }

    fn wait(&mut self, waiting: Waiting) {
        if self.waiting.is_none() {
            self.text += "SET statement_timeout = 0;\n";
        }
        if self.waiting == Some(waiting) {
            return;
        }
        self.waiting = Some(waiting);
        self.text += &match waiting {
            Waiting::Unlimited => {
                "-- This waits for older transactions, and no session waits for it. A timeout would leave an invalid index.\n\
                 SET lock_timeout = 0;\n"
                    .to_owned()
            }
            Waiting::Limited => format!("SET lock_timeout = '{LOCK_TIMEOUT}';\n"),
        };
    }

    /// Runs once, when everything is created.
    fn later(&mut self, sql: &str) {
        if !self.later.iter().any(|known| known == sql) {
            self.later.push(sql.to_owned());
        }
    }

    fn analyze_all(&mut self) {
        let later = std::mem::take(&mut self.later);
        if !later.is_empty() {
            self.blank();
        }
        for sql in later {
            self.run(&sql);
        }
    }

    /// Fails where an index is missing or invalid.
    fn check(&mut self, gains: &Gains<'_>) {
        if gains.indexes.is_empty() {
            return;
        }
        let names: Vec<String> = gains
            .indexes
            .iter()
            .map(|gain| printable_sql(&quote_literal(&name_of(gain).to_string())).into_owned())
            .collect();
        let names = names.join(", ");
        let body = include_str!("migration/check.sql").replace("{names}", &names);
        let mut tag = "check".to_owned();
        while body.contains(&format!("${tag}$")) {
            tag.push('_');
        }
        self.blank();
        self.comment("Fails if an index is missing or invalid.");
        let _ = writeln!(self.text, "DO ${tag}$\n{body}${tag}$;");
        self.statements += 1;
    }

    fn finish(mut self) -> String {
        if self.waiting.is_some() {
            self.text += "\nRESET lock_timeout;\nRESET statement_timeout;\n";
        }
        if self.statements == 0 {
            self.text += "\n-- There is nothing to run.\n";
        }
        self.text
    }
}

#[cfg(test)]
mod tests;
