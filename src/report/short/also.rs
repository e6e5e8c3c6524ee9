//! What else helps, a line each: remedies, existing indexes that are in the way, other servers.

use std::fmt::Write as _;

use crate::advise::{Advice, ExistingFinding};
use crate::model::printable::printable_sql;
use crate::model::{Bytes, factor_text, printable};
use crate::remedy::{Effect, Kind, Remedy};
use crate::report::style::{BOLD, DIM, GOOD, styled};
use crate::report::words::count;
use crate::text_layout::indent;

/// Of each kind, this many are shown.
const SHOWN: usize = 5;

/// Writes the section, unless nothing else helps.
pub(super) fn write(text: &mut String, advice: &Advice, width: usize) {
    let mut lines: Vec<String> = Vec::new();
    shown(&mut lines, &advice.remedies, "remedies", remedy);
    shown(&mut lines, &advice.existing, "existing indexes", existing);
    lines.extend(
        advice
            .foreign_servers
            .iter()
            .filter(|server| {
                !advice.unproved(server).is_empty() || advice.followed(server).is_some()
            })
            .map(|server| comment(&format!("what to do on {}: -v", printable(&server.name)))),
    );
    lines.extend(idle(advice).map(|line| comment(&line)));
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", styled(BOLD, "WHAT ELSE HELPS"));
    for line in lines {
        let is_comment = anstream::adapter::strip_str(&line)
            .to_string()
            .starts_with("--");
        let line = if is_comment {
            indent(&line, "", width)
        } else {
            line
        };
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
}

fn shown<T>(lines: &mut Vec<String>, all: &[T], what: &str, line: impl Fn(&T) -> String) {
    lines.extend(all.iter().take(SHOWN).map(line));
    if all.len() > SHOWN {
        lines.push(comment(&format!(
            "and {} more {what}: -v",
            all.len() - SHOWN
        )));
    }
}

fn comment(text: &str) -> String {
    styled(DIM, format!("-- {text}"))
}

/// `ANALYZE public.jobs;  -- m1: another plan for jobs-queue`.
fn remedy(remedy: &Remedy) -> String {
    let effects = remedy.expected();
    let effect = effects
        .iter()
        .max_by(|a, b| factor(a).total_cmp(&factor(b)));
    let brings = effect.map_or_else(String::new, |effect| {
        let others = match effects.len() - 1 {
            0 => String::new(),
            others => format!(", {others} more"),
        };
        format!("{}{others}", brings(effect))
    });
    let kind = remedy.kind.name().replace('_', " ");
    match remedy.kind {
        Kind::Analyze
        | Kind::CreateStatistics
        | Kind::Vacuum
        | Kind::RemoteEstimates
        | Kind::AlterPolicy => {
            let sql: Vec<_> = remedy
                .statements
                .iter()
                .map(|sql| printable_sql(sql))
                .collect();
            let why = comment(&format!("{}: {brings}", remedy.id));
            format!("{}  {why}", styled(GOOD, sql.join(" ")))
        }
        Kind::Rewrite | Kind::MaterializedView => comment(&format!(
            "{id}: {kind}, {brings}: --explain {id} shows it",
            id = remedy.id
        )),
    }
}

fn factor(effect: &Effect) -> f64 {
    effect.cost.0.factor_to(effect.cost.1)
}

fn brings(effect: &Effect) -> String {
    let id = printable(&effect.statement.0);
    match factor(effect) {
        lower if lower >= 1.05 => format!("{id} {} lower", factor_text(lower)),
        _ if effect.plan_changed => format!("another plan for {id}"),
        _ => format!("better estimates for {id}"),
    }
}

/// `DROP INDEX CONCURRENTLY public.a;  -- duplicate, frees 3.1 MB`.
fn existing(finding: &ExistingFinding) -> String {
    let kind = finding.kind().name().replace('_', " ");
    let frees = match finding.freed() {
        Bytes(0) => String::new(),
        freed => format!(", frees {freed}"),
    };
    match finding.statements().as_slice() {
        [] => comment(&format!(
            "{}: {kind}{frees}; -v says why",
            printable(&finding.index.to_string())
        )),
        [only] => {
            let why = comment(&format!("{kind}{frees}"));
            format!("{}  {why}", styled(GOOD, printable_sql(only)))
        }
        [_, more @ ..] => comment(&format!(
            "{}: {kind}, repaired by {} statements: -v",
            printable(&finding.index.to_string()),
            more.len() + 1
        )),
    }
}

/// Existing indexes without which nothing of the workload gets worse.
fn idle(advice: &Advice) -> Option<String> {
    let idle = advice.drops.iter().filter(|drop| drop.worse.is_empty());
    let (mut number, mut size) = (0, Bytes(0));
    for drop in idle {
        number += 1;
        size.0 += drop.size.0;
    }
    (number > 0).then(|| {
        format!(
            "without {} ({size}) no statement of this workload gets worse: -v names them",
            count(number, "existing index", "existing indexes")
        )
    })
}
