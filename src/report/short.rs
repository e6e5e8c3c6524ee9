//! The report that is printed by default: what to do, what it brings and what it costs, on one
//! screen. Everything else is one option away.

use std::fmt::Write as _;

use super::closing::closing;
use super::columns::{Cell, left, lines, right};
use super::gains::{Basis, Gains, IndexGain, StatementShare};
use super::headline::{headline, optimality};
use super::notices::{is_without_statistics, short_notices};
use super::run_measurements::RunMeasurements;
use super::style::{BAD, BOLD, DIM, GOOD, HOT, MIN_WIDTH, PLAIN, styled};
use super::text::{recommendation, what_if};
use super::words::{count, execution_text, percent, sql_line, title};
use crate::advise::{Advice, StatementAdvice, StatementStatus};
use crate::model::printable::printable_sql;
use crate::model::{Bytes, factor_text, printable};
use crate::planner::Evidence;
use crate::remedy::{Kind, Remedy};
use crate::sentences;
use crate::text_layout::{indent, truncate};
use crate::verdict::Change;

mod also;

/// Of more indexes than this, only those are shown that bring most.
const ALL_INDEXES: usize = 10;

/// At least and at most this many of them.
const SHOWN_INDEXES: (usize, usize) = (3, 8);

/// Of the statements, this many of the largest are shown.
const SHOWN_STATEMENTS: usize = 8;

/// Of what goes wrong, this many of each kind are shown.
const SHOWN_SETBACKS: usize = 5;

/// A name of a statement takes at most this many columns.
const NAME_COLUMNS: usize = 30;

/// An index of a partitioned table is created by two statements for each partition and one more. More
/// than these are not shown; some of them would leave an index that is not valid.
const SHOWN_DDL: usize = 7;

/// Columns of a line that is not cut.
const UNCUT: usize = usize::MAX / 2;

/// Writes the report.
pub fn write(advice: &Advice, measured: &RunMeasurements, width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    let gains = Gains::of(advice);
    let shown = shown_indexes(&gains);
    let mut text = String::new();
    let _ = writeln!(text, "{}", styled(DIM, title(advice)));
    let verdict = verdict(advice, &gains, shown.len());
    let _ = writeln!(text, "{}\n", styled(BOLD, indent(&verdict, "", width)));
    what_to_do(&mut text, (advice, &gains), shown, width);
    statements(&mut text, (advice, &gains), width);
    worse(&mut text, advice, width);
    not_planned(&mut text, advice, width);
    also::write(&mut text, advice, width);
    if let Some(what_if) = &advice.what_if {
        what_if::write(&mut text, what_if, width);
    }
    notices(&mut text, advice, width);
    let line = indent(&closing(advice, measured), "", width);
    let _ = writeln!(text, "{}", styled(DIM, line));
    let _ = writeln!(text, "{}", styled(DIM, indent(&read_on(advice), "", width)));
    text
}

fn verdict(advice: &Advice, gains: &Gains<'_>, shown: usize) -> String {
    let all = gains.indexes.len();
    let most = if shown < all {
        let whole = gains.indexes.last().map_or(0.0, |last| last.so_far);
        let so_far = gains.indexes.get(shown - 1).map_or(0.0, |last| last.so_far);
        let part = percent(so_far / whole.max(f64::MIN_POSITIVE));
        format!(" {shown} of the {all} bring {part} of that.")
    } else {
        String::new()
    };
    format!("{}{most}{}", headline(advice, gains), optimality(advice))
}

/// Those that are worth a line each.
pub(super) fn shown_indexes<'g, 'a>(gains: &'g Gains<'a>) -> &'g [IndexGain<'a>] {
    let all = gains.indexes.as_slice();
    if all.len() <= ALL_INDEXES {
        return all;
    }
    let (min, max) = SHOWN_INDEXES;
    let number = gains.first_indexes().clamp(min, max);
    all.get(..number).unwrap_or(all)
}

fn what_to_do(
    text: &mut String,
    (advice, gains): (&Advice, &Gains<'_>),
    shown: &[IndexGain<'_>],
    width: usize,
) {
    if shown.is_empty() {
        return;
    }
    let evidence = recommendation::recommended_heading(advice);
    heading(text, "WHAT TO DO", evidence, width);
    let header = ["", "saves", "so far", "size", "writes pay"];
    let header = header.map(|title| right(DIM, title)).into_iter();
    let mut rows: Vec<Vec<Cell>> = vec![header.chain([left(DIM, "mostly for")]).collect()];
    rows.extend(shown.iter().map(|gain| index_row(gain, gains, advice)));
    for line in lines(&rows, width) {
        let _ = writeln!(text, "{line}");
    }
    let rest = gains.indexes.get(shown.len()..).unwrap_or_default();
    if !rest.is_empty() {
        let size: Bytes = rest.iter().map(|gain| gain.index.size).sum();
        let saves: f64 = rest.iter().map(|gain| gain.share).sum();
        let line = format!(
            "and {} more ({size}), which save {} together: -v shows them, --format sql writes all",
            rest.len(),
            percent(saves)
        );
        let _ = writeln!(text, "{}", styled(DIM, indent(&line, "", width)));
    }
    text.push('\n');
    for line in shown_ddl(shown) {
        let _ = writeln!(text, "{}", styled(GOOD, line));
    }
    text.push('\n');
}

/// A title, and what it is about behind it or, where that is too wide, below.
fn heading(text: &mut String, title: &str, about: &str, width: usize) {
    let is_wide = title.len() + 2 + about.chars().count() > width;
    let between = if is_wide { "\n" } else { "  " };
    let about = styled(DIM, indent(about, "", width));
    let _ = writeln!(text, "{}{between}{about}", styled(BOLD, title));
}

fn index_row(gain: &IndexGain<'_>, gains: &Gains<'_>, advice: &Advice) -> Vec<Cell> {
    let table = &gain.index.index.definition.table;
    let guessed = match is_without_statistics(&advice.notices, table) {
        true => "guessed, without statistics: ",
        false => "",
    };
    let about = match gain.index.evidence {
        Evidence::PlannerTwin => "≈ ",
        Evidence::RolledBackTransaction => "",
    };
    vec![
        left(BOLD, gain.index.id.as_str()),
        right(GOOD, percent(gain.share)),
        right(PLAIN, percent(gain.so_far)),
        right(PLAIN, format!("{about}{}", gain.index.size)),
        right(PLAIN, percent(gain.upkeep)),
        left(PLAIN, format!("{guessed}{}", mostly_for(gain, gains))),
    ]
}

/// The statement that gains most by an index, and how many others gain something.
pub(super) fn mostly_for(gain: &IndexGain<'_>, gains: &Gains<'_>) -> String {
    let helped: Vec<&StatementShare<'_>> = gains.helped_by(gain.index).collect();
    let Some(first) = helped.first() else {
        return String::new();
    };
    let id = printable(&first.statement.statement.id.0);
    let factor = factor_text(first.cost.0.factor_to(first.cost.1));
    match helped.len() - 1 {
        0 => format!("{id} {factor} lower"),
        others => format!("{id} {factor} lower, {others} more"),
    }
}

/// What creates these indexes. ANALYZE is run once for each table.
pub(super) fn shown_ddl(shown: &[IndexGain<'_>]) -> Vec<String> {
    let mut written = Vec::new();
    let mut afterwards: Vec<&String> = Vec::new();
    for gain in shown {
        let creation = &gain.index.creation;
        let statements = creation.create.as_slice();
        if statements.len() > SHOWN_DDL {
            let definition = gain.index.index.definition.definition();
            written.push(format!(
                "-- {}: {}, on each partition: --format sql writes its {} statements",
                gain.index.id,
                printable(&definition),
                statements.len()
            ));
            continue;
        }
        written.extend(statements.iter().map(|sql| printable_sql(sql).into_owned()));
        for sql in &creation.afterwards {
            if !afterwards.contains(&sql) {
                afterwards.push(sql);
            }
        }
    }
    written.extend(
        afterwards
            .into_iter()
            .map(|sql| printable_sql(sql).into_owned()),
    );
    written
}

fn statements(text: &mut String, (advice, gains): (&Advice, &Gains<'_>), width: usize) {
    if gains.statements.is_empty() {
        return;
    }
    let of = match gains.basis {
        Basis::Time => "share of the measured time, and what the plan costs then",
        Basis::Cost => "share of the cost (calls × cost of the plan), and what it costs then",
    };
    heading(text, "STATEMENTS", of, width);
    let shown = gains.statements.iter().take(SHOWN_STATEMENTS);
    let rows: Vec<Vec<Cell>> = shown.map(statement_row).collect();
    for line in lines(&rows, width) {
        let _ = writeln!(text, "{line}");
    }
    let more = gains.statements.len() - rows.len();
    if more > 0 {
        let line = format!("and {more} more: -v shows all, with their plans");
        let _ = writeln!(text, "{}", styled(DIM, line));
    }
    if let Some(line) = not_helped(advice, gains) {
        let _ = writeln!(text, "{}", styled(DIM, indent(&line, "", width)));
    }
    text.push('\n');
}

fn statement_row(share: &StatementShare<'_>) -> Vec<Cell> {
    let advice = share.statement;
    let (style, gain) = gain(share);
    vec![
        left(
            PLAIN,
            truncate(&printable(&advice.statement.id.0), NAME_COLUMNS),
        ),
        right(PLAIN, percent(share.share)),
        right(style, gain),
        left(PLAIN, used(advice)),
        left(DIM, sql_line(&advice.statement, UNCUT)),
    ]
}

/// How a statement fares, over all its values, or as it was measured.
pub(super) fn gain(share: &StatementShare<'_>) -> (anstyle::Style, String) {
    let (before, after) = share.cost;
    match (share.statement.change, &share.statement.executed) {
        (Some(Change::Better), Some((before, after))) => (GOOD, execution_text(before, after)),
        (Some(Change::Worse), _) => {
            let factor = factor_text(after.factor_to(before));
            (BAD, format!("WORSE by {factor}"))
        }
        _ if before.factor_to(after) >= 1.005 => {
            let factor = factor_text(before.factor_to(after));
            (GOOD, format!("{factor} lower"))
        }
        _ => (DIM, "unchanged".to_owned()),
    }
}

/// `r1, r2`, or `r1, r2, …`.
fn used(advice: &StatementAdvice) -> String {
    const SHOWN: usize = 2;
    let ids = &advice.recommendations;
    let shown: Vec<&str> = ids.iter().take(SHOWN).map(String::as_str).collect();
    let more = if ids.len() > SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}

/// Of how many statements no index helps, and why.
fn not_helped(advice: &Advice, gains: &Gains<'_>) -> Option<String> {
    let reasons = advice
        .as_written()
        .filter_map(|statement| statement.no_index.as_ref());
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for reason in reasons {
        let name = reason.reason().name();
        match counted.iter_mut().find(|(seen, _)| *seen == name) {
            Some((_, number)) => *number += 1,
            None => counted.push((name, 1)),
        }
    }
    counted.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let number: usize = counted.iter().map(|(_, number)| number).sum();
    let unhelped = gains
        .statements
        .iter()
        .filter(|share| share.statement.no_index.is_some());
    let share: f64 = unhelped.map(|share| share.share).sum();
    let reason = |(name, number): &(&str, usize)| format!("{} ({number})", name.replace('_', " "));
    let reasons: Vec<String> = counted.iter().map(reason).collect();
    (number > 0).then(|| {
        format!(
            "No index helps {} ({} of the whole): {}{}",
            count(number, "statement", "statements"),
            percent(share),
            reasons.join(", "),
            rewritten(advice).unwrap_or_default()
        )
    })
}

/// Which of those that no index helps cost less when they are rewritten.
fn rewritten(advice: &Advice) -> Option<String> {
    let is_of = |statement: &StatementAdvice, remedy: &Remedy| {
        let mut effects = remedy.benefits.iter();
        remedy.kind == Kind::Rewrite
            && effects.any(|effect| effect.statement == statement.statement.id)
    };
    let unhelped = advice
        .as_written()
        .filter(|statement| statement.no_index.is_some());
    let ids: Vec<&str> = unhelped
        .filter_map(|statement| {
            let mut remedies = advice.remedies.iter();
            remedies.find(|remedy| is_of(statement, remedy))
        })
        .map(|remedy| remedy.id.as_str())
        .collect();
    let what = count(ids.len(), "is", "are");
    (!ids.is_empty()).then(|| format!("; {what} better rewritten ({})", ids.join(", ")))
}

fn worse(text: &mut String, advice: &Advice, width: usize) {
    let worse = |statement: &&StatementAdvice| statement.change == Some(Change::Worse);
    let found: Vec<&StatementAdvice> = advice.statements.iter().filter(worse).collect();
    let row = |statement: &&StatementAdvice| {
        let (before, after) = (statement.cost_before(), statement.cost_after());
        let factor = before
            .zip(after)
            .map_or(1.0, |(before, after)| after.factor_to(before));
        vec![
            left(
                PLAIN,
                truncate(&printable(&statement.statement.id.0), NAME_COLUMNS),
            ),
            right(BAD, format!("{} more expensive", factor_text(factor))),
            left(PLAIN, used(statement)),
            left(DIM, sql_line(&statement.statement, UNCUT)),
        ]
    };
    setbacks(text, "WORSE", (&found, &row), width);
}

fn not_planned(text: &mut String, advice: &Advice, width: usize) {
    let failed = |statement: &&StatementAdvice| statement.status != StatementStatus::Planned;
    let found: Vec<&StatementAdvice> = advice.statements.iter().filter(failed).collect();
    let row = |statement: &&StatementAdvice| {
        let error = sentences::error(statement).unwrap_or_default();
        let error = error.lines().next().unwrap_or_default();
        vec![
            left(
                PLAIN,
                truncate(&printable(&statement.statement.id.0), NAME_COLUMNS),
            ),
            left(BAD, printable(error)),
        ]
    };
    setbacks(text, "NOT PLANNED", (&found, &row), width);
}

type Row<'r, 'a> = &'r dyn Fn(&&'a StatementAdvice) -> Vec<Cell>;

fn setbacks<'a>(
    text: &mut String,
    title: &str,
    (found, row): (&[&'a StatementAdvice], Row<'_, 'a>),
    width: usize,
) {
    if found.is_empty() {
        return;
    }
    let number = count(found.len(), "statement", "statements");
    heading(text, title, &number, width);
    let rows: Vec<Vec<Cell>> = found.iter().take(SHOWN_SETBACKS).map(row).collect();
    for line in lines(&rows, width) {
        let _ = writeln!(text, "{line}");
    }
    if found.len() > SHOWN_SETBACKS {
        let more = found.len() - SHOWN_SETBACKS;
        let _ = writeln!(text, "{}", styled(DIM, format!("and {more} more: -v")));
    }
    text.push('\n');
}

fn notices(text: &mut String, advice: &Advice, width: usize) {
    let short = short_notices(&advice.notices);
    for (sentence, more) in &short.first {
        let more = match more {
            0 => String::new(),
            more => format!(" (and {more} more like this: -v)"),
        };
        let line = format!("{}{more}", printable(sentence));
        let _ = writeln!(text, "{}", styled(HOT, indent(&line, "! ", width)));
    }
    if short.details > 0 {
        let line = format!(
            "{} about how this was found: -v",
            count(short.details, "note", "notes")
        );
        let _ = writeln!(text, "{}", styled(DIM, line));
    }
}

/// What shows more.
fn read_on(advice: &Advice) -> String {
    let one = advice.recommendations.first().map_or_else(
        || "--statement NAME: one statement".to_owned(),
        |first| {
            format!(
                "--explain {}, --statement NAME: one index, one statement",
                first.id
            )
        },
    );
    format!(
        "-v: plans, and all candidates. {one}. --format sql|html|markdown|json: a migration, a page, … \
         With --record FILE, pgrehearse review FILE shows any of these without the server."
    )
}

#[cfg(test)]
mod tests;
