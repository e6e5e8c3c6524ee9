//! The report for people: the verdict first, then each statement's two plans side by side, everything that was tried and turned
//! down, and last, next to the prompt, the indexes to create.
//!
//! Text is styled with ANSI sequences throughout; whoever writes it to a file or a plain terminal strips them. Everything from
//! outside goes through `printable` on its way in.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};

use super::json::Measured;
use crate::advise::{Advice, Recommendation, Rejected, StatementAdvice, StatementStatus};
use crate::catalog::Catalog;
use crate::finding::{Finding, Severity, findings};
use crate::model::{
    Bytes, Cost, factor_text, group_thousands, printable,
    printable::{printable_lines, printable_sql},
};
use crate::plan::Plan;
use crate::planner::Evidence;
use crate::sentences;
use crate::verdict::{Change, MinImprovement};

pub mod layout;
mod remedies;
pub(crate) mod side_by_side;
pub mod tree;
mod what_if;

use layout::{indented, padded_line};

/// A headline.
pub(crate) const BOLD: Style = Style::new().bold();
/// What may be skipped.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Better, or only after.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Worse, or only before.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// Costly.
pub(crate) const HOT: Style = AnsiColor::Yellow.on_default().bold();

/// How wide the report may be, in terminal columns; narrower than this it is not made.
pub const NARROWEST: usize = 60;

/// Writes the report.
pub fn write(advice: &Advice, measured: Measured, width: usize) -> String {
    let width = width.max(NARROWEST);
    let mut text = String::new();
    summary(&mut text, advice, width);
    for statement in advice
        .statements
        .iter()
        .filter(|statement| statement.status == StatementStatus::Planned)
    {
        statement_block(&mut text, statement, &advice.catalog, width);
    }
    not_planned(&mut text, advice);
    rejected(&mut text, advice, width);
    existing(&mut text, advice, width);
    hypothetical_drops(&mut text, advice, width);
    if let Some(what_if) = &advice.what_if {
        what_if::write(&mut text, what_if, width);
    }
    recommendations(&mut text, advice, width);
    remedies::write(&mut text, advice, width);
    notices(&mut text, advice, width);
    closing(&mut text, advice, measured, width);
    text
}

/// A text in a style.
pub(crate) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

fn summary(text: &mut String, advice: &Advice, width: usize) {
    let server = &advice.catalog.server;
    let planned = advice
        .statements
        .iter()
        .filter(|statement| statement.status == StatementStatus::Planned)
        .count();
    let version = server.version.split(' ').next().unwrap_or_default();
    let title = format!(
        "PostgreSQL {} · {} · {planned} of {} statements planned",
        printable(version),
        printable(&server.database),
        advice.statements.len()
    );
    let _ = writeln!(text, "{}", styled(BOLD, title));
    let _ = writeln!(text, "{}\n", indented(&headline(advice), "", width));
}

/// The verdict in a sentence.
fn headline(advice: &Advice) -> String {
    let total = |cost: &dyn Fn(&StatementAdvice) -> Option<Cost>| {
        Cost(
            advice
                .statements
                .iter()
                .filter_map(|s| Some(s.statement.calls * cost(s)?.0))
                .sum(),
        )
    };
    let (before, after) = (
        total(&StatementAdvice::cost_before),
        total(&StatementAdvice::cost_after),
    );
    let indexes = count(advice.recommendations.len(), "index", "indexes");
    let size: Bytes = advice
        .recommendations
        .iter()
        .map(|recommendation| recommendation.size)
        .sum();
    if advice.recommendations.is_empty() {
        no_index(advice)
    } else {
        let factor = factor_text(before.factor_to(after));
        format!(
            "With {indexes} ({size}) the workload's cost (calls × cost) falls from {before} to {after}: {factor} lower."
        )
    }
}

/// That nothing is recommended means something only if everything could be tested.
fn no_index(advice: &Advice) -> String {
    let untested = advice
        .rejected
        .iter()
        .filter(|candidate| candidate.reason().is_passing())
        .count();
    match untested {
        0 => "No index was seen to help.".to_owned(),
        _ => format!(
            "No index is recommended, but {} could not be tested now.",
            count(untested, "candidate", "candidates")
        ),
    }
}

fn statement_block(
    text: &mut String,
    statement: &StatementAdvice,
    catalog: &Catalog,
    width: usize,
) {
    let (Some(before), Some(cost_before), Some(cost_after)) = (
        &statement.before,
        statement.cost_before(),
        statement.cost_after(),
    ) else {
        return;
    };
    let calls = if statement.statement.calls > 1.0 {
        format!(" · {} calls", group_thousands(statement.statement.calls, 0))
    } else {
        String::new()
    };
    let name = format!("{}{calls}", printable(&statement.statement.id.0));
    let (style, gain) = match statement.change {
        Some(Change::Better) => (
            GOOD,
            format!(
                "{cost_before} → {cost_after}  {} lower",
                factor_text(cost_before.factor_to(cost_after))
            ),
        ),
        Some(Change::Worse) => (
            BAD,
            format!(
                "{cost_before} → {cost_after}  WORSE by {}",
                factor_text(cost_after.factor_to(cost_before))
            ),
        ),
        _ => (DIM, format!("{cost_before}  unchanged")),
    };
    let used = if statement.recommendations.is_empty() {
        String::new()
    } else {
        format!("  [{}]", statement.recommendations.join(", "))
    };
    let _ = writeln!(
        text,
        "{}",
        padded_line(
            &styled(BOLD, name),
            &styled(style, format!("{gain}{used}")),
            '─',
            width
        )
    );
    if let Some((before, after)) = &statement.executed {
        let _ = writeln!(
            text,
            "  {}",
            styled(DIM, format!("executed: {}", effort(before, after)))
        );
    }
    text.push_str(&side_by_side::write(
        before,
        statement.after.as_ref(),
        width,
    ));
    if let Some(no_index) = &statement.no_index {
        let line = format!(
            "no index helps: {}",
            printable(&sentences::no_index(no_index))
        );
        let _ = writeln!(text, "{}", styled(DIM, indented(&line, "  ", width)));
    }
    top_findings(text, before, catalog, width);
    text.push('\n');
}

/// What two executions took.
pub(super) fn effort(before: &Plan, after: &Plan) -> String {
    let seen = |plan: &Plan| {
        let time = plan.execution_time().unwrap_or_default();
        match plan.shared_blocks() {
            Some(blocks) => format!("{time}, {} blocks", group_thousands(blocks, 0)),
            None => time.to_string(),
        }
    };
    format!("{} → {}", seen(before), seen(after))
}

/// What is to be said about a statement besides indexes, which the rest of the report is about.
fn top_findings(text: &mut String, plan: &Plan, catalog: &Catalog, width: usize) {
    const MOST: usize = 2;
    let about_index = |finding: &Finding| {
        finding
            .action
            .as_ref()
            .is_some_and(|sql| sql.starts_with("CREATE INDEX"))
    };
    let findings = findings(plan, Some(catalog)).into_iter();
    let more =
        findings.filter(|finding| finding.severity >= Severity::Warning && !about_index(finding));
    for Finding {
        rule,
        message,
        action,
        ..
    } in more.take(MOST)
    {
        let action = action.map_or_else(String::new, |action| format!(" {action}"));
        let line = format!("{rule}: {}{}", printable(&message), printable(&action));
        let _ = writeln!(text, "{}", styled(HOT, indented(&line, "  ! ", width)));
    }
}

fn not_planned(text: &mut String, advice: &Advice) {
    let failed: Vec<_> = advice
        .statements
        .iter()
        .filter(|statement| statement.status != StatementStatus::Planned)
        .collect();
    if failed.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "{}",
        styled(
            BOLD,
            format!(
                "NOT PLANNED  {}",
                count(failed.len(), "statement", "statements")
            )
        )
    );
    for statement in failed {
        let _ = writeln!(
            text,
            "  {}  ({})",
            printable(&statement.statement.id.0),
            printable(&statement.statement.place)
        );
        for line in printable_lines(statement.error.as_deref().unwrap_or_default()).lines() {
            let _ = writeln!(text, "      {}", styled(BAD, line));
        }
    }
    text.push('\n');
}

fn recommendations(text: &mut String, advice: &Advice, width: usize) {
    if advice.recommendations.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", styled(BOLD, recommended_heading(advice)));
    for recommendation in &advice.recommendations {
        recommendation_block(text, recommendation, advice, width);
    }
    text.push('\n');
}

/// What a recommendation rests on.
fn recommended_heading(advice: &Advice) -> &'static str {
    let built = advice
        .recommendations
        .iter()
        .filter(|index| index.evidence == Evidence::RolledBackTransaction)
        .count();
    if built == advice.recommendations.len() {
        "RECOMMENDED  each was built, seen to be used by the planner, and rolled back"
    } else if built == 0 {
        "RECOMMENDED  each was seen to be used by the planner twin; nothing was built"
    } else {
        "RECOMMENDED  each was built, seen to be used by the planner, and rolled back, or seen in the planner twin where it says so"
    }
}

/// Sizes and times, measured or foreseen.
fn facts(recommendation: &Recommendation) -> String {
    let Recommendation {
        size,
        build_time,
        write_block,
        ..
    } = recommendation;
    match (
        recommendation.evidence,
        &recommendation.not_built,
        recommendation.predicted_size,
    ) {
        (Evidence::RolledBackTransaction, _, predicted) => {
            let predicted = predicted.map(|predicted| format!(" (predicted {predicted})"));
            let built = build_time.map(|time| format!(" · built in {time}"));
            let blocked = write_block.map(|time| format!(" · writers blocked {time}"));
            let parts = [predicted, built, blocked];
            format!("{size}{}", parts.into_iter().flatten().collect::<String>())
        }
        (Evidence::PlannerTwin, Some(refusal), _) => {
            format!(
                "about {size} · planner twin only: {}",
                printable(&sentences::refusal(&refusal.cause))
            )
        }
        (Evidence::PlannerTwin, None, _) => format!("about {size} · planner twin only"),
    }
}

/// What was foreseen is told where it is off by more than this share.
const SLIGHTEST: MinImprovement = MinImprovement(0.01);

fn recommendation_block(
    text: &mut String,
    recommendation: &Recommendation,
    advice: &Advice,
    width: usize,
) {
    let index = &recommendation.index.definition;
    let features: Vec<&str> = std::iter::once(index.method.name())
        .chain(index.features().into_iter().map(|feature| feature.name()))
        .collect();
    let facts = format!("{} · {}", features.join(" "), facts(recommendation));
    let _ = writeln!(text, "\n{}  {}", styled(BOLD, &recommendation.id), facts);
    for statement in recommendation.creation.statements() {
        let _ = writeln!(text, "    {}", styled(GOOD, printable_sql(statement)));
    }
    for benefit in &recommendation.benefits {
        let helped = advice
            .statements
            .iter()
            .find(|statement| statement.statement.id == benefit.statement);
        let foreseen = helped
            .and_then(|statement| statement.predicted)
            .filter(|_| recommendation.evidence == Evidence::RolledBackTransaction)
            .filter(|(_, after)| Change::between(benefit.after, *after, SLIGHTEST) != Change::Same)
            .map_or_else(String::new, |(_, after)| format!("  (foreseen {after})"));
        let executed = helped
            .and_then(|statement| statement.executed.as_ref())
            .map_or_else(String::new, |(before, after)| {
                format!("  executed: {}", effort(before, after))
            });
        let gain = format!(
            "{}  {} → {}  {} lower{foreseen}{executed}",
            printable(&benefit.statement.0),
            benefit.before,
            benefit.after,
            factor_text(benefit.before.factor_to(benefit.after))
        );
        let _ = writeln!(text, "{}", indented(&gain, "    ", width));
    }
    if recommendation.write_cost.0 > 0.0 {
        let _ = writeln!(
            text,
            "    the workload's writes pay {} in all to keep it up to date",
            recommendation.write_cost
        );
    }
    for replaced in &recommendation.replaces {
        let _ = writeln!(
            text,
            "    makes redundant: {}",
            printable(&replaced.to_string())
        );
    }
    let _ = writeln!(
        text,
        "{}",
        styled(
            DIM,
            indented(
                &printable(&sentences::explanation(&recommendation.explanation)),
                "    ",
                width
            )
        )
    );
}

/// Table by table, each candidate with its reason on its own line or lines.
fn rejected(text: &mut String, advice: &Advice, width: usize) {
    if advice.rejected.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "{}",
        styled(
            BOLD,
            format!(
                "REJECTED  {}",
                count(advice.rejected.len(), "candidate", "candidates")
            )
        )
    );
    let mut by_table: BTreeMap<String, Vec<&Rejected>> = BTreeMap::new();
    for candidate in &advice.rejected {
        by_table
            .entry(candidate.index.definition.table.to_string())
            .or_default()
            .push(candidate);
    }
    for (name, candidates) in by_table {
        let _ = writeln!(text, "on {}", printable(&name));
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        for candidate in candidates {
            table.add_row(rejected_row(candidate, &name));
        }
        for line in table.lines() {
            let _ = writeln!(text, " {}", line.trim_end());
        }
    }
    text.push('\n');
}

fn rejected_row(candidate: &Rejected, table: &str) -> [String; 4] {
    let about = if candidate.evidence == Some(Evidence::PlannerTwin) {
        "≈ "
    } else {
        ""
    };
    let size = candidate
        .size
        .map_or_else(|| "–".to_owned(), |size| format!("{about}{size}"));
    let definition = candidate.index.definition.definition();
    let definition = definition
        .strip_prefix(table)
        .unwrap_or(&definition)
        .trim_start();
    [
        printable(definition).into_owned(),
        size,
        candidate.reason().name().to_owned(),
        printable(&sentences::rejection(&candidate.rejection)).into_owned(),
    ]
}

fn existing(text: &mut String, advice: &Advice, width: usize) {
    if advice.existing.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", styled(BOLD, "EXISTING INDEXES"));
    for finding in &advice.existing {
        let index = finding.index.to_string();
        let size = match finding.expected_size {
            Some(expected) => format!("{} → about {expected}", finding.size),
            None => finding.size.to_string(),
        };
        let about = format!(
            "{} {} ({size}): {}",
            finding.kind.name(),
            printable(&index),
            printable(&finding.detail)
        );
        let _ = writeln!(text, "{}", indented(&about, "  ", width));
        let _ = writeln!(text, "    {}", printable(&finding.statement()));
    }
    text.push('\n');
}

/// What would become of the workload without an index that is there.
fn hypothetical_drops(text: &mut String, advice: &Advice, width: usize) {
    if advice.drops.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "{}",
        styled(
            BOLD,
            "WITHOUT AN EXISTING INDEX  as the planner twin would plan, recommended indexes in place"
        )
    );
    for drop in &advice.drops {
        let scans = group_thousands(drop.scans as f64, 0);
        let index = format!(
            "  {} ({}, scanned {scans} times)",
            printable(&drop.index.to_string()),
            drop.size
        );
        let worse: Vec<String> = drop
            .worse
            .iter()
            .map(|worse| {
                let factor = factor_text(worse.without.factor_to(worse.with));
                format!(
                    "{} {} → {}, {factor} worse",
                    printable(&worse.statement.0),
                    worse.with,
                    worse.without
                )
            })
            .collect();
        let effect = if worse.is_empty() {
            "no statement of this workload gets worse".to_owned()
        } else {
            worse.join("; ")
        };
        let _ = writeln!(
            text,
            "{}",
            indented(&format!("{}: {effect}", index.trim_start()), "  ", width)
        );
    }
    text.push('\n');
}

fn notices(text: &mut String, advice: &Advice, width: usize) {
    for notice in &advice.notices {
        let _ = writeln!(
            text,
            "{}",
            styled(
                HOT,
                indented(&printable(&sentences::notice(notice)), "! ", width)
            )
        );
    }
}

fn closing(text: &mut String, advice: &Advice, measured: Measured, width: usize) {
    let tally = &advice.rehearsal.tally;
    let asked = match tally.twin_questions {
        0 => String::new(),
        questions => format!(
            "The planner twin was asked about {}. ",
            count(questions, "set", "sets")
        ),
    };
    let waits = tally.longest_write_block.zip(tally.total_write_block);
    let waits = waits.map(|(longest, total)| {
        format!(" Writers waited {longest} at most at a time, {total} in all.")
    });
    let built = match tally.transactions {
        0 => "Nothing was built.".to_owned(),
        transactions => format!(
            "{} built in {}, all rolled back; {} left behind.{}",
            count(tally.indexes_built, "index", "indexes"),
            count(transactions, "transaction", "transactions"),
            measured.left_behind,
            waits.unwrap_or_default(),
        ),
    };
    let line = format!("{asked}{built} It took {}.", measured.total);
    let _ = writeln!(text, "{}", styled(DIM, indented(&line, "", width)));
    let _ = writeln!(
        text,
        "{}",
        styled(BOLD, indented(&headline(advice), "", width))
    );
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
