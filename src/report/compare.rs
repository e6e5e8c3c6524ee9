//! Two JSON reports of `advise`, one after the other: which recommendations were created, which are
//! still missing, which are new, and what was predicted against what came.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::columns::{Cell, left, lines, right};
use super::style::{BAD, BOLD, DIM, GOOD, MIN_WIDTH, PLAIN, styled};
use super::words::count;
use crate::model::printable::printable_sql;
use crate::model::{Cost, Millis, factor_text, printable};
use crate::text_layout::{indent, truncate};

/// A cost or a time that changed by less than this factor is the same.
const MIN_FACTOR: f64 = 1.1;

/// Columns of a statement's name.
const NAME_COLUMNS: usize = 40;

/// What is read of a report. Other fields, of this and of later versions, are ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ReportRead {
    schema_version: u32,
    workload: WorkloadRead,
    recommendations: Vec<IndexRead>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct WorkloadRead {
    statements: Vec<StatementRead>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct StatementRead {
    id: String,
    sql: String,
    value_class: Option<Value>,
    mean_time_ms: Option<f64>,
    cost_before: Option<f64>,
    cost_after: Option<f64>,
    plan_before: Option<Value>,
    recommendations: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct IndexRead {
    id: String,
    ddl: String,
}

impl ReportRead {
    /// Reads a report.
    ///
    /// # Errors
    /// When it is no report of `advise`, or one of a version that is not known.
    pub fn from_json(json: &str) -> Result<ReportRead, String> {
        let report: ReportRead = serde_json::from_str(json)
            .map_err(|error| format!("it is no JSON report of pgrehearse advise: {error}"))?;
        match report.schema_version {
            super::json::SCHEMA_VERSION => Ok(report),
            other => Err(format!("its schema_version {other} is not known")),
        }
    }

    fn statement(&self, wanted: &StatementRead) -> Option<&StatementRead> {
        let written = |one: &&StatementRead| one.value_class.is_none();
        let mut statements = self.workload.statements.iter().filter(written);
        statements.find(|one| one.id == wanted.id && one.sql == wanted.sql)
    }
}

/// What became of a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// A plan of the later report uses it.
    Created,
    /// It is recommended again.
    Missing,
    /// It is not recommended any more, and no plan uses it.
    Gone,
    /// Only the later report has it.
    New,
}

/// A recommendation of either report.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ComparedIndex {
    /// Its id in the report that has it, the earlier one if both have.
    pub id: String,
    /// What creates it.
    pub ddl: String,
    /// What became of it.
    pub fate: Fate,
}

/// A statement of both reports.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ComparedStatement {
    /// Its name.
    pub id: String,
    /// Its cost in the earlier report.
    pub cost_before: Option<f64>,
    /// What the earlier report predicted with all its recommendations.
    pub cost_predicted: Option<f64>,
    /// Its cost in the later report.
    pub cost_now: Option<f64>,
    /// The mean time of a call in the earlier report.
    pub mean_time_before_ms: Option<f64>,
    /// The same in the later report.
    pub mean_time_now_ms: Option<f64>,
    /// Were all indexes created that it was promised?
    pub all_created: bool,
}

/// The comparison.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// Recommendations of both reports, those of the earlier one first.
    pub indexes: Vec<ComparedIndex>,
    /// Statements of both reports, in the order of the earlier one.
    pub statements: Vec<ComparedStatement>,
    /// How many statements only the earlier report has.
    pub statements_gone: usize,
    /// How many statements only the later report has.
    pub statements_new: usize,
}

impl Comparison {
    /// Compares an earlier report with a later one.
    pub fn new(before: &ReportRead, now: &ReportRead) -> Comparison {
        let used = used_indexes(now);
        let fate = |index: &IndexRead| {
            let again = now
                .recommendations
                .iter()
                .any(|other| body(&other.ddl) == body(&index.ddl));
            match name(&index.ddl) {
                Some(name) if used.contains(&name) => Fate::Created,
                _ if again => Fate::Missing,
                _ => Fate::Gone,
            }
        };
        let mut indexes: Vec<ComparedIndex> = before
            .recommendations
            .iter()
            .map(|index| compared(index, fate(index)))
            .collect();
        let is_new = |index: &&IndexRead| {
            !before
                .recommendations
                .iter()
                .any(|other| body(&other.ddl) == body(&index.ddl))
        };
        let new = now.recommendations.iter().filter(is_new);
        indexes.extend(new.map(|index| compared(index, Fate::New)));
        let created: BTreeSet<String> = indexes
            .iter()
            .filter(|index| index.fate == Fate::Created)
            .map(|index| index.id.clone())
            .collect();
        let written = |report: &ReportRead| -> usize {
            let statements = report.workload.statements.iter();
            statements.filter(|one| one.value_class.is_none()).count()
        };
        let statements = statements(before, now, &created);
        Comparison {
            statements_gone: written(before) - statements.len(),
            statements_new: written(now).saturating_sub(statements.len()),
            indexes,
            statements,
        }
    }

    fn number(&self, fate: Fate) -> usize {
        self.indexes
            .iter()
            .filter(|index| index.fate == fate)
            .count()
    }
}

fn compared(index: &IndexRead, fate: Fate) -> ComparedIndex {
    ComparedIndex {
        id: index.id.clone(),
        ddl: index.ddl.clone(),
        fate,
    }
}

fn statements(
    before: &ReportRead,
    now: &ReportRead,
    created: &BTreeSet<String>,
) -> Vec<ComparedStatement> {
    let written = before
        .workload
        .statements
        .iter()
        .filter(|one| one.value_class.is_none());
    let both = written.filter_map(|one| Some((one, now.statement(one)?)));
    both.map(|(one, later)| ComparedStatement {
        id: one.id.clone(),
        cost_before: one.cost_before,
        cost_predicted: one.cost_after,
        cost_now: later.cost_before,
        mean_time_before_ms: one.mean_time_ms,
        mean_time_now_ms: later.mean_time_ms,
        all_created: !one.recommendations.is_empty()
            && one.recommendations.iter().all(|id| created.contains(id)),
    })
    .collect()
}

/// What an index is, without its name.
fn body(ddl: &str) -> &str {
    ddl.split_once(" ON ").map_or(ddl, |(_, body)| body)
}

/// The name that a CREATE INDEX gives; none if there is none.
fn name(ddl: &str) -> Option<String> {
    let create = ddl.split_once(" ON ")?.0.rsplit_once("INDEX ")?.1;
    let name = create.trim_start_matches("CONCURRENTLY ").trim();
    let plain = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    Some(plain.map_or_else(|| name.to_owned(), |name| name.replace("\"\"", "\"")))
}

/// The indexes that the plans of a report use as the server is.
fn used_indexes(report: &ReportRead) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let plans = report.workload.statements.iter();
    let mut open: Vec<&Value> = plans.filter_map(|one| one.plan_before.as_ref()).collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(index)) = fields.get("Index Name") {
                    used.insert(index.clone());
                }
                open.extend(fields.values());
            }
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    used
}

/// The comparison as JSON, indented, with a newline at the end.
///
/// # Errors
/// When a number has no JSON form, which does not happen for numbers that were read from JSON.
pub fn write_json(comparison: &Comparison) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(comparison)? + "\n")
}

/// The comparison as text.
pub fn write_text(comparison: &Comparison, width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}\n",
        styled(BOLD, indent(&verdict(comparison), "", width))
    );
    for (fate, title) in [
        (Fate::Missing, "STILL MISSING"),
        (Fate::New, "NEW"),
        (Fate::Gone, "NO LONGER RECOMMENDED, and not used"),
        (Fate::Created, "CREATED"),
    ] {
        indexes(&mut text, comparison, (fate, title));
    }
    statements_text(&mut text, comparison, width);
    text
}

fn verdict(comparison: &Comparison) -> String {
    let were = comparison.indexes.len() - comparison.number(Fate::New);
    let mut parts = Vec::new();
    for (fate, words) in [
        (Fate::Created, "created and used"),
        (Fate::Missing, "still missing"),
        (Fate::Gone, "no longer recommended"),
    ] {
        match comparison.number(fate) {
            0 => {}
            number => parts.push(format!("{number} {words}")),
        }
    }
    let of_them = if parts.is_empty() {
        String::new()
    } else {
        format!(": {}", parts.join(", "))
    };
    let new = match comparison.number(Fate::New) {
        0 => "Nothing is new.".to_owned(),
        number => format!("{number} new."),
    };
    format!(
        "{} recommended{of_them}. {new}",
        count(were, "index was", "indexes were")
    )
}

fn indexes(text: &mut String, comparison: &Comparison, (fate, title): (Fate, &str)) {
    let mut found = comparison
        .indexes
        .iter()
        .filter(|index| index.fate == fate)
        .peekable();
    if found.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "{}", styled(BOLD, title));
    let style = match fate {
        Fate::Missing | Fate::New => GOOD,
        Fate::Created | Fate::Gone => DIM,
    };
    for index in found {
        let _ = writeln!(text, "-- {}", printable(&index.id));
        for line in index.ddl.lines() {
            let _ = writeln!(text, "{}", styled(style, printable_sql(line)));
        }
    }
    text.push('\n');
}

fn statements_text(text: &mut String, comparison: &Comparison, width: usize) {
    let rows: Vec<Vec<Cell>> = comparison.statements.iter().filter_map(row).collect();
    if !rows.is_empty() {
        let _ = writeln!(
            text,
            "{}",
            styled(BOLD, "STATEMENTS  what was predicted, and what came")
        );
        let header = ["", "predicted", "cost now", "time now"].map(|title| right(DIM, title));
        let all: Vec<Vec<Cell>> = std::iter::once(header.into()).chain(rows).collect();
        for line in lines(&all, width) {
            let _ = writeln!(text, "{line}");
        }
        text.push('\n');
    }
    for (number, which) in [
        (comparison.statements_gone, "earlier"),
        (comparison.statements_new, "later"),
    ] {
        if number > 0 {
            let line = format!(
                "{} only in the {which} report",
                count(number, "statement is", "statements are")
            );
            let _ = writeln!(text, "{}", styled(DIM, line));
        }
    }
}

/// A statement for which something was promised and done, or that has changed; none for others.
fn row(statement: &ComparedStatement) -> Option<Vec<Cell>> {
    let (before, now) = (statement.cost_before?, statement.cost_now?);
    let times = statement
        .mean_time_before_ms
        .zip(statement.mean_time_now_ms);
    let has_changed = |before: f64, now: f64| {
        let factor = Cost(before).factor_to(Cost(now));
        !(1.0 / MIN_FACTOR..=MIN_FACTOR).contains(&factor)
    };
    let is_shown = statement.all_created
        || has_changed(before, now)
        || times.is_some_and(|(before, now)| has_changed(before, now));
    let predicted = statement.cost_predicted.filter(|_| statement.all_created);
    let predicted = predicted.map_or_else(|| "–".to_owned(), |after| change(before, after).1);
    let (cost_style, cost) = change(before, now);
    let (time_style, time) = times.map_or((PLAIN, "–".to_owned()), |(before, now)| {
        let (style, factor) = change(before, now);
        (style, format!("{factor}, {}", Millis(now)))
    });
    is_shown.then(|| {
        vec![
            left(PLAIN, truncate(&printable(&statement.id), NAME_COLUMNS)),
            right(PLAIN, predicted),
            right(cost_style, cost),
            right(time_style, time),
        ]
    })
}

/// `12.0× lower`, `1.50× higher`, `the same`.
fn change(before: f64, now: f64) -> (anstyle::Style, String) {
    let (before, now) = (Cost(before), Cost(now));
    match before.factor_to(now) {
        lower if lower >= MIN_FACTOR => (GOOD, format!("{} lower", factor_text(lower))),
        higher if higher <= 1.0 / MIN_FACTOR => (
            BAD,
            format!("{} higher", factor_text(now.factor_to(before))),
        ),
        _ => (DIM, "the same".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(statements: &Value, indexes: &[(&str, &str)]) -> ReportRead {
        let recommendations: Vec<Value> = indexes
            .iter()
            .map(|(id, ddl)| json!({"id": id, "ddl": ddl}))
            .collect();
        let report = json!({"schema_version": 1, "workload": {"statements": statements},
            "recommendations": recommendations, "of_a_later_version": true});
        ReportRead::from_json(&report.to_string()).unwrap()
    }

    fn statement(
        id: &str,
        costs: (f64, f64),
        time: f64,
        index: Option<&str>,
        uses: &[&str],
    ) -> Value {
        json!({"id": id, "sql": format!("SELECT '{id}'"), "value_class": null, "mean_time_ms": time,
            "cost_before": costs.0, "cost_after": costs.1, "recommendations": uses,
            "plan_before": {"Plan": {"Node Type": "Limit", "Plans": [{"Index Name": index}]}}})
    }

    fn compared() -> Comparison {
        let before = report(
            &json!([
                statement("a", (1_000.0, 10.0), 50.0, None, &["r1"]),
                statement("b", (500.0, 5.0), 20.0, None, &["r2"]),
                statement("gone", (1.0, 1.0), 1.0, None, &[]),
            ]),
            &[
                (
                    "r1",
                    "CREATE INDEX CONCURRENTLY \"t_A_idx\" ON public.t USING btree (\"A\");",
                ),
                (
                    "r2",
                    "CREATE INDEX CONCURRENTLY t_b_idx ON public.t USING btree (b);",
                ),
                (
                    "r3",
                    "CREATE INDEX CONCURRENTLY t_c_idx ON public.t USING btree (c);",
                ),
            ],
        );
        let now = report(
            &json!([
                statement("a", (11.0, 11.0), 0.5, Some("t_A_idx"), &[]),
                statement("b", (500.0, 5.0), 21.0, None, &["r1"]),
            ]),
            &[
                (
                    "r1",
                    "CREATE INDEX CONCURRENTLY t_b_idx1 ON public.t USING btree (b);",
                ),
                (
                    "r2",
                    "CREATE INDEX CONCURRENTLY t_d_idx ON public.t USING btree (d);",
                ),
            ],
        );
        Comparison::new(&before, &now)
    }

    #[test]
    fn each_recommendation_has_a_fate() {
        let comparison = compared();
        let fates: Vec<(&str, Fate)> = comparison
            .indexes
            .iter()
            .map(|index| (index.id.as_str(), index.fate))
            .collect();
        let expected = [
            ("r1", Fate::Created),
            ("r2", Fate::Missing),
            ("r3", Fate::Gone),
            ("r2", Fate::New),
        ];
        assert_eq!(fates, expected);
        assert_eq!(
            (comparison.statements_gone, comparison.statements_new),
            (1, 0)
        );
    }

    #[test]
    fn a_prediction_is_shown_beside_what_came() {
        let text = write_text(&compared(), 100);
        let text = anstream::adapter::strip_str(&text).to_string();
        for part in [
            "3 indexes were recommended: 1 created and used, 1 still missing, 1 no longer recommended. 1 new.",
            "STILL MISSING\n-- r2\nCREATE INDEX CONCURRENTLY t_b_idx",
            "100× lower",
            "90.9× lower",
            "1 statement is only in the earlier report",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("\nb "), "nothing changed for it: {text}");
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let refused = |json: &str| ReportRead::from_json(json).unwrap_err();
        assert!(refused("[]").starts_with("it is no JSON report"));
        let other =
            json!({"schema_version": 9, "workload": {"statements": []}, "recommendations": []});
        assert!(refused(&other.to_string()).contains("schema_version 9"));
    }
}
