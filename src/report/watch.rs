//! What `watch` has counted and said, and what is new of an advice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::style::{BOLD, GOOD, MIN_WIDTH, styled};
use super::words::count;
use crate::advise::Advice;
use crate::model::printable::printable_sql;
use crate::model::{Cost, factor_text, printable};
use crate::text_layout::indent;
use crate::workload::{StatementId, Workload};

/// The version of the file that keeps this.
const VERSION: u32 = 1;

/// What was counted and said by now.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Watched {
    version: u32,
    /// Calls, and total time in milliseconds, of each statement.
    counted: BTreeMap<StatementId, (f64, f64)>,
    /// The definitions of the indexes that were recommended.
    said: BTreeSet<String>,
}

impl Watched {
    /// Reads what [`Watched::to_json`] wrote.
    ///
    /// # Errors
    /// When it is something else, in a sentence.
    pub fn from_json(bytes: &[u8]) -> Result<Watched, String> {
        let read: Watched = serde_json::from_slice(bytes)
            .map_err(|error| format!("this is no state of pgrehearse watch: {error}"))?;
        match read.version {
            VERSION => Ok(read),
            other => Err(format!("version {other} of this file is not known")),
        }
    }

    /// As a file.
    ///
    /// # Errors
    /// When a number has no JSON form, which does not happen for counters.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let written = Watched {
            version: VERSION,
            ..self.clone()
        };
        Ok(serde_json::to_string_pretty(&written)? + "\n")
    }

    /// What was executed since the last round: those that took most time.
    pub fn since(&self, all: &Workload, top: usize) -> Workload {
        let since = all.since(&self.counted);
        let mut ranked: Vec<_> = since.statements().iter().collect();
        let total = |statement: &crate::workload::Statement| {
            statement.total_time_ms().unwrap_or(statement.calls)
        };
        ranked.sort_by(|a, b| total(b).total_cmp(&total(a)).then(a.id.cmp(&b.id)));
        let kept: BTreeSet<&StatementId> = ranked
            .into_iter()
            .take(top)
            .map(|statement| &statement.id)
            .collect();
        since.only(&|id| kept.contains(id))
    }

    /// From now on this is counted.
    pub fn count(&mut self, all: &Workload) {
        let counted = all.statements().iter().map(|statement| {
            let total_ms = statement.total_time_ms().unwrap_or(0.0);
            (statement.id.clone(), (statement.calls, total_ms))
        });
        self.counted = counted.collect();
    }

    /// What is recommended and was not said before; it is said now.
    pub fn news(&mut self, advice: &Advice) -> News {
        let mut new = Vec::new();
        for recommendation in &advice.recommendations {
            let definition = recommendation.index.definition.definition();
            if !self.said.insert(definition.clone()) {
                continue;
            }
            let statements = recommendation.benefits.iter().map(|benefit| Helped {
                name: benefit.statement.0.clone(),
                sql: text_of(advice, &benefit.statement),
                cost_before: benefit.before.0,
                cost_after: benefit.after.0,
            });
            new.push(NewIndex {
                ddl: recommendation.creation.statements().cloned().collect(),
                size_bytes: recommendation.size.0,
                statements: statements.collect(),
                definition,
            });
        }
        News {
            database: advice.catalog.server.database.clone(),
            new,
        }
    }
}

/// The text of a statement, with whatever values.
fn text_of(advice: &Advice, id: &StatementId) -> String {
    let mut statements = advice.statements.iter();
    let found = statements.find(|one| one.statement.id == *id);
    found.map_or_else(String::new, |one| one.statement.as_written().to_owned())
}

/// What is new.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct News {
    /// The database.
    pub database: String,
    /// The indexes that are recommended for the first time.
    pub new: Vec<NewIndex>,
}

impl News {
    /// Is nothing new?
    pub fn is_empty(&self) -> bool {
        self.new.is_empty()
    }
}

/// An index that is recommended for the first time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewIndex {
    /// Its table and keys.
    pub definition: String,
    /// The statements that create it.
    pub ddl: Vec<String>,
    /// Its estimated size.
    pub size_bytes: u64,
    /// The statements that it helps.
    pub statements: Vec<Helped>,
}

/// A statement that an index helps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Helped {
    /// Its name.
    pub name: String,
    /// Its text.
    pub sql: String,
    /// Its cost without the index.
    pub cost_before: f64,
    /// Its cost with it.
    pub cost_after: f64,
}

/// What is new as JSON.
///
/// # Errors
/// When a number has no JSON form, which does not happen for costs.
pub fn news_json(news: &News) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(news)? + "\n")
}

/// What is new as text.
pub fn news_text(news: &News, width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    let mut text = String::new();
    let what = count(news.new.len(), "new recommendation", "new recommendations");
    let title = format!("{what} · {}", printable(&news.database));
    let _ = writeln!(text, "{}", styled(BOLD, title));
    for index in &news.new {
        let _ = writeln!(text);
        for ddl in &index.ddl {
            let _ = writeln!(text, "{}", styled(GOOD, printable_sql(ddl)));
        }
        for helped in &index.statements {
            let (before, after) = (Cost(helped.cost_before), Cost(helped.cost_after));
            let factor = factor_text(before.factor_to(after));
            let first = helped.sql.split_whitespace().collect::<Vec<_>>().join(" ");
            let said = format!(
                "{}: {before} → {after}, {factor} lower: {first}",
                helped.name
            );
            let said = crate::text_layout::truncate(&printable(&said), width.saturating_sub(2));
            let _ = writeln!(text, "{}", indent(&said, "  ", width));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advise::advise;
    use crate::model::Bytes;
    use crate::planner::test_planner::{TestPlanner, seq_scan, table};
    use crate::verdict::Limits;
    use crate::workload::Usage;

    fn counted(statements: &[(&str, f64, f64)]) -> Workload {
        let mut workload = Workload::default();
        for (name, calls, mean_ms) in statements {
            let usage = Usage {
                calls: *calls,
                mean_time_ms: Some(*mean_ms),
            };
            let sql = format!("SELECT '{name}'");
            workload.add(name, &sql, usage, "pg_stat_statements".to_owned());
        }
        workload
    }

    #[test]
    fn only_what_was_executed_since_the_last_round_counts() {
        let mut watched = Watched::default();
        let first = counted(&[("a", 100.0, 2.0), ("b", 10.0, 1.0), ("c", 1.0, 1.0)]);
        assert_eq!(
            watched.since(&first, 50).statements().len(),
            3,
            "at first all of it"
        );
        watched.count(&first);
        // a: 100 calls more at 4 ms each; b: none; c: reset meanwhile; d: new.
        let second = counted(&[
            ("a", 200.0, 3.0),
            ("b", 10.0, 1.0),
            ("c", 0.5, 8.0),
            ("d", 7.0, 0.1),
        ]);
        let since = watched.since(&second, 50);
        let seen: Vec<(&str, f64, f64)> = since
            .statements()
            .iter()
            .map(|one| (one.id.0.as_str(), one.calls, one.mean_time_ms.unwrap()))
            .collect();
        assert_eq!(seen, [("a", 100.0, 4.0), ("c", 0.5, 8.0), ("d", 7.0, 0.1)]);
        let two: Vec<String> = watched
            .since(&second, 2)
            .statements()
            .iter()
            .map(|one| one.id.0.clone())
            .collect();
        assert_eq!(two, ["a", "c"], "those that took most time, in their order");
    }

    #[test]
    fn a_recommendation_is_said_once_also_after_a_restart() {
        let scan = seq_scan("orders", 1_000.0).filter("(orders.a = 5)");
        let mut planner = TestPlanner::new([table("orders", &["id bigint", "a bigint"])])
            .statement("s", "SELECT * FROM orders WHERE a = 5", scan)
            .index("orders (a)", Bytes(8192), &[("s", 50.0)]);
        let workload = planner.workload().clone();
        let advice = advise(&workload, &Limits::default(), &mut planner, &|_| {}).unwrap();
        let mut watched = Watched::default();
        let news = watched.news(&advice);
        assert_eq!(news.new.len(), 1);
        assert_eq!(
            news.new[0].statements[0].sql,
            "SELECT * FROM orders WHERE a = 5"
        );
        let text = anstream::adapter::strip_str(&news_text(&news, 100)).to_string();
        assert!(
            text.contains("1 new recommendation") && text.contains("CREATE INDEX"),
            "{text}"
        );
        assert!(text.contains("s: 1,000 → 50.00, 20.0× lower"), "{text}");
        let kept = watched.to_json().unwrap();
        let mut again = Watched::from_json(kept.as_bytes()).unwrap();
        assert!(again.news(&advice).is_empty());
        assert!(Watched::from_json(b"{}").is_err());
        let other = kept.replace("\"version\": 1", "\"version\": 9");
        assert!(
            Watched::from_json(other.as_bytes())
                .unwrap_err()
                .contains("version 9")
        );
    }
}
