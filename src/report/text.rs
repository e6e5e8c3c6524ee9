//! The report as text: the summary first, then each statement's two plans side by side, every
//! rejected candidate, and last, next to the prompt, the indexes to create.
//!
//! All text is styled with ANSI sequences. The caller removes them for a file or a terminal without
//! colours. Everything from outside passes through `printable`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};

use super::run_measurements::RunMeasurements;
use super::style::{BAD, BOLD, DIM, GOOD, HOT, MIN_WIDTH, styled};
use crate::advise::foreign::{ForeignServer, RemoteStatement};
use crate::advise::{
    Advice, Benefit, Followed, Recommendation, Rejected, StatementAdvice, StatementStatus,
};
use crate::catalog::Catalog;
use crate::finding::{Finding, Severity, findings};
use crate::model::{
    Bytes, Cost, factor_text, group_thousands, printable,
    printable::{printable_lines, printable_sql},
};
use crate::plan::Plan;
use crate::planner::Evidence;
use crate::planner::counted::Tally;
use crate::sentences;
use crate::text_layout::{indent, titled_rule, truncate};
use crate::verdict::{Change, MinImprovement};
use crate::workload::Statement;

mod curve;
mod gain;
mod remedies;
pub(crate) mod side_by_side;
pub mod tree;
mod values;
mod what_if;

use gain::gain;

/// Writes the report.
pub fn write(advice: &Advice, measured: &RunMeasurements, width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    let mut text = String::new();
    summary(&mut text, advice, width);
    let planned = |statement: &&StatementAdvice| statement.status == StatementStatus::Planned;
    for statement in advice.as_written().filter(planned) {
        statement_block(&mut text, statement, advice, width);
    }
    not_planned(&mut text, advice, width);
    rejected(&mut text, advice, width);
    existing(&mut text, advice, width);
    hypothetical_drops(&mut text, advice, width);
    if let Some(what_if) = &advice.what_if {
        what_if::write(&mut text, what_if, width);
    }
    foreign_servers(&mut text, advice, width);
    recommendations(&mut text, advice, width);
    curve::write(&mut text, advice.curve.as_ref());
    remedies::write(&mut text, advice, width);
    notices(&mut text, advice, width);
    closing(&mut text, advice, measured, width);
    text
}

fn summary(text: &mut String, advice: &Advice, width: usize) {
    let server = &advice.catalog.server;
    let planned = advice
        .as_written()
        .filter(|statement| statement.status == StatementStatus::Planned)
        .count();
    let version = server.version.split(' ').next().unwrap_or_default();
    let statements = match advice.as_written().count() {
        0 => "no workload".to_owned(),
        number => format!("{planned} of {number} statements planned"),
    };
    let title = format!(
        "PostgreSQL {} · {} · {statements}",
        printable(version),
        printable(&server.database),
    );
    let _ = writeln!(text, "{}", styled(BOLD, title));
    let _ = writeln!(text, "{}\n", indent(&headline(advice), "", width));
}

/// The summary in a sentence.
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
        format!("{}{}", no_index(advice), headline_elsewhere(advice))
    } else {
        let factor = factor_text(before.factor_to(after));
        format!(
            "With {indexes} ({size}) the workload's cost (calls × cost) falls from {before} to {after}: {factor} lower.{}{}",
            optimality(advice),
            headline_elsewhere(advice)
        )
    }
}

/// A smaller gap would be printed as 0.0 %.
const LEAST_GAP_PERCENT: f64 = 0.05;

/// How far from the best set the recommended one can be, with a space before.
fn optimality(advice: &Advice) -> String {
    advice.optimality.map_or_else(String::new, |optimality| {
        let candidates = count(optimality.candidates, "candidate", "candidates");
        let limits = if optimality.is_limited {
            " within the limits"
        } else {
            ""
        };
        let gap = 100.0 * optimality.gap();
        if gap < LEAST_GAP_PERCENT {
            return format!(" That is the best that {candidates} allow{limits}.");
        }
        format!(" That is at most {gap:.1} % above the best that {candidates} allow{limits}.")
    })
}

/// Without recommendations, says whether every candidate could be tested.
pub(super) fn no_index(advice: &Advice) -> String {
    if advice.statements.is_empty() {
        let found = count(advice.existing.len(), "problem", "problems");
        return format!("Only the existing indexes were checked, without a workload: {found}.");
    }
    let reasons = advice.rejected.iter().map(Rejected::reason);
    format!("{}.", sentences::none_recommended(reasons))
}

fn statement_block(text: &mut String, statement: &StatementAdvice, advice: &Advice, width: usize) {
    let (Some(before), Some(cost_before), Some(cost_after)) = (
        &statement.before,
        statement.cost_before(),
        statement.cost_after(),
    ) else {
        return;
    };
    let name = statement_name(statement);
    let (style, gain) = gain(statement.change, cost_before, cost_after);
    let used = if statement.recommendations.is_empty() {
        String::new()
    } else {
        format!("  [{}]", statement.recommendations.join(", "))
    };
    let gain = styled(style, format!("{gain}{used}"));
    let _ = writeln!(text, "{}", titled_rule(&styled(BOLD, name), &gain, width));
    if let Some(sql) = shortened_text(&statement.statement, width.saturating_sub(2)) {
        let _ = writeln!(text, "  {}", styled(DIM, sql));
    }
    if let Some((before, after)) = &statement.executed {
        let _ = writeln!(
            text,
            "  {}",
            styled(DIM, format!("executed: {}", execution_text(before, after)))
        );
    }
    if let Some(restated) = &statement.restated {
        let line = printable(&sentences::restated(restated)).into_owned();
        let _ = writeln!(text, "{}", styled(HOT, indent(&line, "  ", width)));
    }
    if let Some(reason) = &statement.not_executed {
        let line = format!(
            "not executed: {}",
            printable(&sentences::not_executed(reason))
        );
        let _ = writeln!(text, "{}", styled(HOT, indent(&line, "  ", width)));
    }
    text.push_str(&side_by_side::write(
        before,
        statement.after.as_ref(),
        width,
    ));
    values::write(text, statement, advice, width);
    if let Some(no_index) = &statement.no_index {
        let line = format!(
            "no index helps: {}",
            printable(&sentences::no_index(no_index))
        );
        let _ = writeln!(text, "{}", styled(DIM, indent(&line, "  ", width)));
    }
    top_findings(text, before, &advice.catalog, width);
    text.push('\n');
}

/// The statement's text in a line, where its name says nothing about it.
pub(super) fn shortened_text(statement: &Statement, columns: usize) -> Option<String> {
    if statement.is_named() {
        return None;
    }
    let words: Vec<&str> = statement.as_written().split_whitespace().collect();
    Some(truncate(&printable_sql(&words.join(" ")), columns))
}

/// `job-list · 1,200 calls`.
fn statement_name(statement: &StatementAdvice) -> String {
    let Statement { id, .. } = &statement.statement;
    let calls = statement.statement.calls_with_any_values();
    let calls = if calls > 1.0 {
        format!(" · {} calls", group_thousands(calls, 0))
    } else {
        String::new()
    };
    format!("{}{calls}", printable(&id.0))
}

/// Time and blocks of two executions.
pub(super) fn execution_text(before: &Plan, after: &Plan) -> String {
    let text = |plan: &Plan| {
        let time = plan.execution_time().unwrap_or_default();
        match plan.shared_blocks() {
            Some(blocks) => format!("{time}, {} blocks", group_thousands(blocks, 0)),
            None => time.to_string(),
        }
    };
    format!("{} → {}", text(before), text(after))
}

/// Findings about a statement that do not suggest an index, which the rest of the report covers.
fn top_findings(text: &mut String, plan: &Plan, catalog: &Catalog, width: usize) {
    const MAX_FINDINGS: usize = 2;
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
    } in more.take(MAX_FINDINGS)
    {
        let action = action.map_or_else(String::new, |action| format!(" {action}"));
        let line = format!("{rule}: {}{}", printable(&message), printable_sql(&action));
        let _ = writeln!(text, "{}", styled(HOT, indent(&line, "  ! ", width)));
    }
}

fn not_planned(text: &mut String, advice: &Advice, width: usize) {
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
        if let Some(sql) = shortened_text(&statement.statement, width.saturating_sub(6)) {
            let _ = writeln!(text, "      {}", styled(DIM, sql));
        }
        let error = sentences::error(statement).unwrap_or_default();
        for line in printable_lines(&error).lines() {
            let _ = writeln!(text, "      {}", styled(BAD, line));
        }
    }
    text.push('\n');
}

/// Writes a section for each server.
fn foreign_servers(text: &mut String, advice: &Advice, width: usize) {
    for server in &advice.foreign_servers {
        foreign_server(text, (server, advice), width);
    }
}

/// What is to be done elsewhere, with a space before.
fn headline_elsewhere(advice: &Advice) -> String {
    let mut sentences = String::new();
    for server in &advice.foreign_servers {
        let (number, how) = match advice.followed(server) {
            Some(there) => (there.recommendations.len(), "recommended"),
            None => (server.to_try.len(), "to try, unproved"),
        };
        if number > 0 {
            let indexes = count(number, "index", "indexes");
            let _ = write!(
                sentences,
                " On {}: {indexes} {how}.",
                printable(&server.name)
            );
        }
    }
    sentences
}

fn foreign_server(text: &mut String, (server, advice): (&ForeignServer, &Advice), width: usize) {
    let database = server
        .database
        .as_ref()
        .map_or_else(String::new, |name| format!(" (database {name})"));
    let title = format!("FOREIGN SERVER  {}{database}", server.name);
    let _ = writeln!(text, "{}", styled(BOLD, printable(&title)));
    for statement in &server.statements {
        sent_there(text, (server, advice), statement, width);
    }
    for index in advice.unproved(server) {
        let _ = writeln!(text, "    {}", styled(GOOD, printable_sql(&index.ddl)));
        let of: Vec<&str> = index.statements.iter().map(|id| id.0.as_str()).collect();
        let line = format!("for {}", printable(&of.join(", ")));
        let _ = writeln!(text, "{}", styled(DIM, indent(&line, "      ", width)));
    }
    if let Some(note) = sentences::foreign_server(server, advice.followed.get(&server.name)) {
        let _ = writeln!(
            text,
            "{}",
            styled(DIM, indent(&printable(&note), "  ", width))
        );
    }
    if let Some(Followed::Advised {
        advice,
        left_behind,
    }) = advice.followed.get(&server.name)
    {
        advised_there(text, (server, advice), *left_behind, width);
    }
    text.push('\n');
}

/// What a statement sends, and how that fares there.
fn sent_there(
    text: &mut String,
    (server, advice): (&ForeignServer, &Advice),
    statement: &RemoteStatement,
    width: usize,
) {
    let there = advice.followed(server).and_then(|advice| {
        let mut statements = advice.as_written();
        statements.find(|there| there.statement.id == statement.id)
    });
    let calls = if statement.calls > 1.0 {
        format!(" · {} calls", group_thousands(statement.calls, 0))
    } else {
        String::new()
    };
    let fares = there.map_or_else(String::new, |there| format!("  {}", costs_there(there)));
    let _ = writeln!(text, "  {}{calls}{fares}", printable(&statement.of.0));
    let words: Vec<&str> = statement.sql.split_whitespace().collect();
    let sql = truncate(&printable_sql(&words.join(" ")), width.saturating_sub(4));
    let _ = writeln!(text, "    {}", styled(DIM, sql));
    if let Some(filter) = &statement.not_pushed_down {
        let line = sentences::not_pushed_down(filter, &server.name);
        let line = indent(&printable(&line), "    ! ", width);
        let _ = writeln!(text, "{}", styled(HOT, line));
    }
}

fn costs_there(there: &StatementAdvice) -> String {
    match (there.cost_before(), there.cost_after()) {
        (Some(before), Some(after)) => {
            let (style, gain) = gain(there.change, before, after);
            styled(style, gain)
        }
        _ => printable(&sentences::error(there).unwrap_or_default()).into_owned(),
    }
}

fn advised_there(
    text: &mut String,
    (server, advice): (&ForeignServer, &Advice),
    left_behind: Option<usize>,
    width: usize,
) {
    if advice.recommendations.is_empty() {
        let _ = writeln!(text, "  {}", no_index(advice));
    } else {
        let heading = format!("on {}: {}", server.name, recommended_heading(advice));
        let _ = writeln!(text, "  {}", styled(BOLD, printable(&heading)));
        for recommendation in &advice.recommendations {
            recommendation_block(text, recommendation, advice, width);
        }
    }
    let tally = advice.rehearsal.tally;
    if let Some(left_behind) = left_behind
        && tally.indexes_built > 0
    {
        let line = format!(
            "{}: {} built in {}, all rolled back; {left_behind} left behind.",
            server.name,
            count(tally.indexes_built, "index", "indexes"),
            count(tally.transactions, "transaction", "transactions"),
        );
        let _ = writeln!(text, "{}", indent(&printable(&line), "  ", width));
    }
    for notice in &advice.notices {
        let line = format!("{}: {}", server.name, sentences::notice(notice));
        let _ = writeln!(text, "{}", indent(&printable(&line), "! ", width));
    }
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

/// What the recommendations are based on.
fn recommended_heading(advice: &Advice) -> &'static str {
    let built = advice
        .recommendations
        .iter()
        .filter(|index| index.evidence == Evidence::RolledBackTransaction)
        .count();
    if built == advice.recommendations.len() {
        "RECOMMENDED  each index was built, used by the planner, and rolled back"
    } else if built == 0 {
        "RECOMMENDED  each index is used by the planner twin; nothing was built"
    } else {
        "RECOMMENDED  each index was built, used by the planner, and rolled back, or tested only in the planner twin where noted"
    }
}

/// Sizes and times, measured or predicted.
fn facts(recommendation: &Recommendation) -> String {
    let Recommendation {
        size,
        build_time,
        write_block,
        built_with,
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
            let blocked = write_block.map(|time| format!(" · locked for writes {time}"));
            let together = (!built_with.is_empty())
                .then(|| format!(" · together with {}", built_with.join(", ")));
            let parts = [predicted, built, blocked, together];
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

/// A prediction is shown where it deviates by more than this share.
const MIN_SHOWN_DEVIATION: MinImprovement = MinImprovement(0.01);

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
        let gain = benefit_line(benefit, recommendation, advice);
        let _ = writeln!(text, "{}", indent(&gain, "    ", width));
    }
    if recommendation.write_cost.0 > 0.0 {
        let _ = writeln!(
            text,
            "    maintaining it costs the workload's writes {} in total",
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
            indent(
                &printable(&sentences::explanation(&recommendation.explanation)),
                "    ",
                width
            )
        )
    );
}

/// Columns of a statement's text beside what an index brings it.
const MAX_BENEFIT_TEXT: usize = 60;

/// `queue  120 → 8.3  14 × lower`
fn benefit_line(benefit: &Benefit, recommendation: &Recommendation, advice: &Advice) -> String {
    let helped = advice
        .statements
        .iter()
        .find(|statement| statement.statement.id == benefit.statement);
    let shown = helped
        .and_then(|statement| shortened_text(&statement.statement, MAX_BENEFIT_TEXT))
        .map_or_else(String::new, |sql| format!("  {sql}"));
    let predicted = helped
        .and_then(|statement| statement.predicted)
        .filter(|_| recommendation.evidence == Evidence::RolledBackTransaction)
        .filter(|(_, after)| {
            Change::between(benefit.after, *after, MIN_SHOWN_DEVIATION) != Change::Same
        })
        .map_or_else(String::new, |(_, after)| format!("  (predicted {after})"));
    let executed = helped
        .and_then(|statement| statement.executed.as_ref())
        .map_or_else(String::new, |(before, after)| {
            format!("  executed: {}", execution_text(before, after))
        });
    format!(
        "{}{shown}  {} → {}  {} lower{predicted}{executed}",
        printable(&benefit.statement.0),
        benefit.before,
        benefit.after,
        factor_text(benefit.before.factor_to(benefit.after))
    )
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
        let size = match finding.expected_size() {
            Some(expected) => format!("{} → about {expected}", finding.size),
            None => finding.size.to_string(),
        };
        let about = format!(
            "{} {} ({size}): {}",
            finding.kind().name(),
            printable(&index),
            printable(&sentences::existing_index(finding))
        );
        let _ = writeln!(text, "{}", indent(&about, "  ", width));
        for statement in finding.statements() {
            let _ = writeln!(text, "    {}", printable_sql(&statement));
        }
    }
    text.push('\n');
}

/// Costs of the workload without an existing index.
fn hypothetical_drops(text: &mut String, advice: &Advice, width: usize) {
    if advice.drops.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "{}",
        styled(
            BOLD,
            "WITHOUT AN EXISTING INDEX  costs in the planner twin, with the recommended indexes"
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
            indent(&format!("{}: {effect}", index.trim_start()), "  ", width)
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
                indent(&printable(&sentences::notice(notice)), "! ", width)
            )
        );
    }
}

fn closing(text: &mut String, advice: &Advice, measured: &RunMeasurements, width: usize) {
    let parts = [
        twin_sentence(advice),
        Some(built_sentence(advice, measured.left_behind)),
        Some(sentences::checked_tables(&advice.checked)),
        measured.total.map(|total| format!("The run took {total}.")),
    ];
    let line = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let _ = writeln!(text, "{}", styled(DIM, indent(&line, "", width)));
    let _ = writeln!(
        text,
        "{}",
        styled(BOLD, indent(&headline(advice), "", width))
    );
}

fn twin_sentence(advice: &Advice) -> Option<String> {
    let sets = advice.rehearsal.tally.twin_questions;
    (sets > 0).then(|| {
        format!(
            "The planner twin planned with {}.",
            count(sets, "set of indexes", "sets of indexes")
        )
    })
}

/// What was built, and what is left of it; a replay has no catalog to check.
fn built_sentence(advice: &Advice, left_behind: Option<usize>) -> String {
    let tally = &advice.rehearsal.tally;
    let silent = advice.rehearsal.server_silent;
    let unseen = silent.filter(|silence| !silence.rollback_seen).map(
        |_| "A transaction was open when the server stopped answering, and its end was not seen.",
    );
    if tally.transactions == 0 {
        return unseen.unwrap_or("Nothing was built.").to_owned();
    }
    let unseen = unseen.map_or_else(String::new, |unseen| format!(" {unseen}"));
    let left = left_behind.map_or_else(String::new, |left| format!("; {left} left behind"));
    format!(
        "{} built in {}{}, all rolled back{left}.{}{}{unseen}",
        count(tally.indexes_built, "index", "indexes"),
        count(tally.transactions, "transaction", "transactions"),
        built_again(tally),
        locked_sentence(tally),
        waits_sentence(tally)
    )
}

/// Why indexes were built more than once.
fn built_again(tally: &Tally) -> String {
    let times = |number: usize, why: &str| {
        (number > 0).then(|| format!("{} again to {why}", count(number, "build", "builds")))
    };
    let reasons = [
        times(tally.built_again_to_plan, "plan with another set"),
        times(tally.built_again_to_execute, "execute statements"),
    ];
    let reasons: Vec<String> = reasons.into_iter().flatten().collect();
    if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join(", "))
    }
}

fn locked_sentence(tally: &Tally) -> String {
    let locked = tally.longest_write_block.zip(tally.total_write_block);
    let sentence = locked.map(|(longest, total)| {
        format!(" Tables were locked for writes at most {longest} at a time, {total} in total.")
    });
    sentence.unwrap_or_default()
}

/// How long others really waited, where that is known.
fn waits_sentence(tally: &Tally) -> String {
    match tally.longest_wait.zip(tally.total_wait) {
        None => String::new(),
        Some((_, total)) if total.0 <= 0.0 => " Nobody was seen waiting for that.".to_owned(),
        Some((longest, total)) => {
            format!(
                " Other sessions waited for that at most {longest} at a time, {total} in total."
            )
        }
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
