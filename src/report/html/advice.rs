//! The advice of a run as a page.

use std::collections::BTreeMap;

use askama::Template;

use super::head::{Head, heat};
use super::plan;
use crate::advise::foreign::ForeignServer;
use crate::advise::what_if::WhatIf;
use crate::advise::{Advice, Rejected, StatementAdvice, StatementStatus};
use crate::finding::{Finding, findings};
use crate::model::printable::{printable_lines, printable_sql};
use crate::model::{factor_text, group_thousands, printable};
use crate::planner::Evidence;
use crate::remedy::Effect;
use crate::report::closing::closing;
use crate::report::gains::{Basis, Gains, IndexGain, StatementShare};
use crate::report::headline::{headline, optimality};
use crate::report::notices::short_notices;
use crate::report::run_measurements::RunMeasurements;
use crate::report::short::{gain, mostly_for, shown_indexes};
use crate::report::text::recommendation;
use crate::report::words::{count, execution_text, more, percent, sentence, sql_line, title};
use crate::sentences;
use crate::verdict::Change;

/// Columns of a statement in a list.
const LINE_COLUMNS: usize = 200;

#[derive(Debug, Template)]
#[template(path = "advice.html")]
struct Page {
    head: Head,
    evidence: String,
    basis: &'static str,
    indexes: Vec<IndexPart>,
    /// How many of the indexes bring most.
    first: usize,
    rest_title: String,
    setbacks: Vec<Setback>,
    notices: Vec<String>,
    statements: Vec<StatementPart>,
    remedies: Vec<RemedyPart>,
    existing: Vec<ExistingPart>,
    drops: Vec<DropPart>,
    foreign: Vec<ForeignPart>,
    what_if: Option<WhatIfPart>,
    rejected: Vec<RejectedPart>,
    rejected_summary: String,
    details: Vec<String>,
}

#[derive(Debug)]
struct IndexPart {
    id: String,
    anchor: String,
    saves: String,
    heat: u8,
    so_far: String,
    size: String,
    upkeep: String,
    mostly_for: String,
    definition: String,
    explanation: String,
    facts: String,
    sql: String,
    benefits: Vec<BenefitPart>,
}

#[derive(Debug)]
struct BenefitPart {
    statement: String,
    anchor: Option<String>,
    before: String,
    after: String,
    factor: String,
}

#[derive(Debug)]
struct Setback {
    statement: String,
    text: String,
    sql: String,
}

#[derive(Debug)]
struct StatementPart {
    id: String,
    anchor: String,
    share: String,
    heat: u8,
    gain: String,
    class: &'static str,
    used: String,
    indexes: Vec<(String, String)>,
    line: String,
    sql: String,
    notes: Vec<String>,
    values: Vec<String>,
    plans: String,
}

#[derive(Debug)]
struct RemedyPart {
    id: String,
    kind: String,
    table: String,
    explanation: String,
    sql: String,
    effects: Vec<String>,
}

#[derive(Debug)]
struct ExistingPart {
    index: String,
    kind: String,
    size: String,
    detail: String,
    sql: String,
}

#[derive(Debug)]
struct DropPart {
    index: String,
    size: String,
    scans: String,
    effect: String,
}

#[derive(Debug)]
struct ForeignPart {
    name: String,
    note: String,
    sql: String,
}

#[derive(Debug)]
struct WhatIfPart {
    conditions: String,
    result: String,
    rows: Vec<WhatIfRow>,
    sql: String,
}

#[derive(Debug)]
struct WhatIfRow {
    statement: String,
    costs: Vec<String>,
    flip: String,
}

#[derive(Debug)]
struct RejectedPart {
    definition: String,
    size: String,
    reason: String,
    detail: String,
}

fn safe(text: &str) -> String {
    printable(text).into_owned()
}

fn sql_of<'s>(statements: impl IntoIterator<Item = &'s String>) -> String {
    let statements = statements.into_iter();
    let lines: Vec<String> = statements
        .map(|sql| {
            sql.lines()
                .map(printable_sql)
                .collect::<Vec<_>>()
                .join("\n")
        })
        .collect();
    lines.join("\n")
}

/// The page of a run.
pub fn write(advice: &Advice, measured: &RunMeasurements) -> String {
    let gains = Gains::of(advice);
    let anchors = anchors(&gains);
    let indexes: Vec<IndexPart> = gains
        .indexes
        .iter()
        .map(|gain| index(gain, &gains, &anchors))
        .collect();
    let first = shown_indexes(&gains).len();
    let rest = gains.indexes.get(first..).unwrap_or_default();
    let rest_saves: f64 = rest.iter().map(|gain| gain.share).sum();
    let statements = gains.statements.iter();
    let details = advice
        .notices
        .iter()
        .map(|notice| safe(&sentences::notice(notice)));
    let to_know = short_notices(&advice.notices).first;
    let mut page = Page {
        head: head(advice, measured, &gains),
        evidence: sentence(recommendation::recommended_heading(advice)),
        basis: match gains.basis {
            Basis::Time => "The largest share of the measured time first.",
            Basis::Cost => "The largest share of the cost (calls × cost of the plan) first.",
        },
        indexes,
        first,
        rest_title: format!(
            "{}, which save {} together",
            more(rest.len(), "index", "indexes"),
            percent(rest_saves)
        ),
        setbacks: setbacks(advice),
        notices: to_know.iter().map(|(text, _)| safe(text)).collect(),
        statements: statements
            .map(|share| statement(share, advice, &anchors))
            .collect(),
        remedies: remedies(advice),
        existing: existing(advice),
        drops: drops(advice),
        foreign: advice
            .foreign_servers
            .iter()
            .map(|server| foreign(server, advice))
            .collect(),
        what_if: advice.what_if.as_ref().map(what_if),
        rejected: advice.rejected.iter().map(rejected).collect(),
        rejected_summary: rejected_summary(advice),
        details: details.collect(),
    };
    page.head.parts = parts(&page);
    page.render().unwrap_or_default()
}

impl Page {
    fn first_indexes(&self) -> &[IndexPart] {
        self.indexes.get(..self.first).unwrap_or(&self.indexes)
    }

    fn other_indexes(&self) -> &[IndexPart] {
        self.indexes.get(self.first..).unwrap_or_default()
    }
}

fn head(advice: &Advice, measured: &RunMeasurements, gains: &Gains<'_>) -> Head {
    Head {
        title: format!("pgrehearse: {}", title(advice)),
        kicker: title(advice),
        below: optimality(advice).trim().to_owned(),
        closing: safe(&closing(advice, measured)),
        ..Head::new(safe(&headline(advice, gains)))
    }
}

/// The parts that there are.
fn parts(page: &Page) -> Vec<(String, String)> {
    let all = [
        ("do", "What to do", !page.indexes.is_empty()),
        (
            "setbacks",
            "Worse or not planned",
            !page.setbacks.is_empty(),
        ),
        ("notices", "To know", !page.notices.is_empty()),
        ("workload", "Workload", !page.statements.is_empty()),
        ("indexes", "Recommended indexes", !page.indexes.is_empty()),
        ("remedies", "What else helps", !page.remedies.is_empty()),
        (
            "existing",
            "Existing indexes",
            !page.existing.is_empty() || !page.drops.is_empty(),
        ),
        ("foreign", "Other servers", !page.foreign.is_empty()),
        ("what-if", "What if", page.what_if.is_some()),
        ("rejected", "Rejected candidates", !page.rejected.is_empty()),
        ("notes", "Notes", !page.details.is_empty()),
    ];
    let there = all.into_iter().filter(|(_, _, is_there)| *is_there);
    there
        .map(|(id, name, _)| (id.to_owned(), name.to_owned()))
        .collect()
}

/// Where each statement is on the page, by its id.
fn anchors(gains: &Gains<'_>) -> BTreeMap<String, String> {
    let mut anchors = BTreeMap::new();
    for (number, share) in gains.statements.iter().enumerate() {
        let anchor = format!("s{}", number + 1);
        let written = &share.statement.statement.id;
        for id in share.with_values.iter().chain([written]) {
            anchors.insert(id.0.clone(), anchor.clone());
        }
    }
    anchors
}

fn index(gain: &IndexGain<'_>, gains: &Gains<'_>, anchors: &BTreeMap<String, String>) -> IndexPart {
    let index = gain.index;
    let about = match index.evidence {
        Evidence::PlannerTwin => "≈ ",
        Evidence::RolledBackTransaction => "",
    };
    let benefits = index.benefits.iter().map(|benefit| BenefitPart {
        statement: safe(&benefit.statement.0),
        anchor: anchors.get(&benefit.statement.0).cloned(),
        before: benefit.before.to_string(),
        after: benefit.after.to_string(),
        factor: format!(
            "{} lower",
            factor_text(benefit.before.factor_to(benefit.after))
        ),
    });
    IndexPart {
        id: index.id.clone(),
        anchor: format!("index-{}", index.id),
        saves: percent(gain.share),
        heat: heat(gain.share),
        so_far: percent(gain.so_far),
        size: format!("{about}{}", index.size),
        upkeep: percent(gain.upkeep),
        mostly_for: mostly_for(gain, gains),
        definition: safe(&index.index.definition.definition()),
        explanation: safe(&sentences::explanation(&index.explanation)),
        facts: recommendation::facts(index),
        sql: sql_of(index.creation.statements()),
        benefits: benefits.collect(),
    }
}

fn setbacks(advice: &Advice) -> Vec<Setback> {
    let found = advice.statements.iter().filter_map(|statement| {
        let text = match (statement.status, statement.change) {
            (StatementStatus::Planned, Some(Change::Worse)) => {
                let (before, after) = (statement.cost_before()?, statement.cost_after()?);
                let factor = factor_text(after.factor_to(before));
                format!("gets {factor} more expensive")
            }
            (StatementStatus::Planned, _) => return None,
            _ => format!(
                "was not planned: {}",
                printable(&sentences::error(statement).unwrap_or_default())
            ),
        };
        Some(Setback {
            statement: safe(&statement.statement.id.0),
            text,
            sql: sql_line(&statement.statement, LINE_COLUMNS),
        })
    });
    found.collect()
}

fn statement(
    share: &StatementShare<'_>,
    advice: &Advice,
    anchors: &BTreeMap<String, String>,
) -> StatementPart {
    let one = share.statement;
    let id = safe(&one.statement.id.0);
    let used = one.recommendations.iter();
    let indexes = used.map(|id| (format!("index-{id}"), id.clone()));
    let class = match one.change {
        Some(Change::Better) => "good",
        Some(Change::Worse) => "bad",
        _ => "",
    };
    StatementPart {
        anchor: anchors
            .get(&one.statement.id.0)
            .cloned()
            .unwrap_or_default(),
        share: percent(share.share),
        heat: heat(share.share),
        gain: gain(share).1,
        class,
        used: one.recommendations.join(", "),
        indexes: indexes.collect(),
        line: sql_line(&one.statement, LINE_COLUMNS),
        sql: printable_lines(one.statement.as_written()),
        notes: notes(one),
        values: values(one, advice),
        plans: plans(one, advice, &id),
        id,
    }
}

/// What is to say about a statement.
fn notes(one: &StatementAdvice) -> Vec<String> {
    let calls = one.statement.calls_with_any_values();
    let called = (calls > 1.0).then(|| format!("{} calls.", group_thousands(calls, 0)));
    let executed = one.executed.as_ref();
    let executed =
        executed.map(|(before, after)| format!("Executed: {}.", execution_text(before, after)));
    let restated = one.restated.as_ref().map(sentences::restated);
    let not_executed = one.not_executed.as_ref().map(sentences::not_executed);
    let twin_only = one.twin_only.as_ref().map(sentences::twin_only);
    let no_index = one.no_index.as_ref().map(sentences::no_index);
    let all = [
        called,
        executed,
        restated,
        not_executed.map(|why| format!("Not executed: {why}.")),
        twin_only.map(|why| format!("It was {why}.")),
        no_index.map(|why| format!("No index helps: {why}.")),
    ];
    all.into_iter().flatten().map(|note| safe(&note)).collect()
}

fn values(one: &StatementAdvice, advice: &Advice) -> Vec<String> {
    let classes = advice.classes_of(&one.statement.id);
    let lines = classes.filter_map(|(class, with_values)| {
        let (before, after) = (with_values.cost_before()?, with_values.cost_after()?);
        let named = class
            .values
            .iter()
            .map(|(name, value)| format!("{name} = {value}"));
        let named: Vec<String> = named.collect();
        Some(safe(&format!(
            "{}, {} of the calls: cost {before} → {after} ({})",
            class.frequency.title(),
            percent(class.share),
            named.join(", ")
        )))
    });
    lines.collect()
}

fn plans(one: &StatementAdvice, advice: &Advice, id: &str) -> String {
    let Some(before) = &one.before else {
        return String::new();
    };
    // Which index helps is what the rest of the page says, from tests.
    let about_index = |finding: &Finding| {
        let action = finding.action.as_ref();
        action.is_some_and(|sql| sql.starts_with("CREATE INDEX"))
    };
    let findings = findings(before, Some(&advice.catalog)).into_iter();
    let findings: Vec<Finding> = findings.filter(|finding| !about_index(finding)).collect();
    match &one.after {
        Some(after) => plan::two(before, after, &findings, id),
        None => plan::one(before, &findings, id),
    }
}

fn remedies(advice: &Advice) -> Vec<RemedyPart> {
    let effect = |effect: &Effect| {
        let (before, after) = effect.cost;
        let plan = if effect.plan_changed {
            ", another plan"
        } else {
            ""
        };
        safe(&format!(
            "{}: cost {before} → {after}{plan}",
            effect.statement
        ))
    };
    let all = advice.remedies.iter().map(|remedy| RemedyPart {
        id: remedy.id.clone(),
        kind: remedy.kind.name().replace('_', " "),
        table: safe(&remedy.table.to_string()),
        explanation: safe(&sentences::remedy(remedy)),
        sql: sql_of(&remedy.statements),
        effects: remedy.benefits.iter().map(effect).collect(),
    });
    all.collect()
}

fn existing(advice: &Advice) -> Vec<ExistingPart> {
    let all = advice.existing.iter().map(|finding| ExistingPart {
        index: safe(&finding.index.to_string()),
        kind: finding.kind().name().replace('_', " "),
        size: finding.size.to_string(),
        detail: safe(&sentences::existing_index(finding)),
        sql: sql_of(&finding.statements()),
    });
    all.collect()
}

fn drops(advice: &Advice) -> Vec<DropPart> {
    let all = advice.drops.iter().map(|drop| {
        let worse = drop.worse.iter().map(|worse| {
            let factor = factor_text(worse.without.factor_to(worse.with));
            format!("{} {factor} more expensive", worse.name())
        });
        let worse: Vec<String> = worse.collect();
        DropPart {
            index: safe(&drop.index.to_string()),
            size: drop.size.to_string(),
            scans: group_thousands(drop.scans as f64, 0),
            effect: if worse.is_empty() {
                "no statement of this workload gets worse".to_owned()
            } else {
                safe(&worse.join("; "))
            },
        }
    });
    all.collect()
}

fn foreign(server: &ForeignServer, advice: &Advice) -> ForeignPart {
    let created = advice.followed(server).into_iter().flat_map(|advice| {
        let recommended = advice.recommendations.iter();
        recommended.flat_map(|index| index.creation.statements())
    });
    let to_try = advice.unproved(server).iter().map(|index| &index.ddl);
    let note = sentences::foreign_server(server, advice.followed.get(&server.name));
    ForeignPart {
        name: safe(&server.name),
        note: safe(&note.unwrap_or_default()),
        sql: sql_of(created.chain(to_try)),
    }
}

fn what_if(what_if: &WhatIf) -> WhatIfPart {
    let rows = what_if.statements.iter().map(|one| {
        let costs = [
            one.cost_before.0,
            one.cost_before.1,
            one.cost_after.0,
            one.cost_after.1,
            one.cost_rechosen,
        ];
        let flip = one
            .flip
            .as_ref()
            .map(|(now, then)| format!("{now} → {then}"));
        WhatIfRow {
            statement: safe(&one.statement.0),
            costs: costs.iter().map(ToString::to_string).collect(),
            flip: safe(&flip.unwrap_or_default()),
        }
    });
    let started = what_if.started.iter();
    let result = match (what_if.started.len(), what_if.stopped.len()) {
        (0, 0) => "The same indexes would be recommended.".to_owned(),
        (more, fewer) => format!(
            "{} recommended then, {} no longer.",
            count(more, "other index is", "other indexes are"),
            count(fewer, "index", "indexes")
        ),
    };
    WhatIfPart {
        conditions: safe(&what_if.conditions.to_string()),
        result,
        rows: rows.collect(),
        sql: sql_of(started.flat_map(|index| index.creation.statements())),
    }
}

fn rejected(candidate: &Rejected) -> RejectedPart {
    let about = match candidate.evidence {
        Some(Evidence::PlannerTwin) => "≈ ",
        _ => "",
    };
    RejectedPart {
        definition: safe(&candidate.index.definition.definition()),
        size: candidate
            .size
            .map_or_else(|| "–".to_owned(), |size| format!("{about}{size}")),
        reason: candidate.reason().name().replace('_', " "),
        detail: safe(&sentences::rejection(&candidate.rejection)),
    }
}

/// `not chosen 12, redundant 3`.
fn rejected_summary(advice: &Advice) -> String {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for candidate in &advice.rejected {
        *counted.entry(candidate.reason().name()).or_default() += 1;
    }
    let mut counted: Vec<(&str, usize)> = counted.into_iter().collect();
    counted.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let words = counted
        .iter()
        .map(|(name, number)| format!("{} {number}", name.replace('_', " ")));
    words.collect::<Vec<_>>().join(", ")
}
