//! Short pieces of text that several reports have.

use std::collections::BTreeSet;

use crate::advise::{Advice, Rejected, StatementAdvice, StatementStatus};
use crate::model::printable::printable_sql;
use crate::model::{factor_text, group_thousands, printable};
use crate::plan::Plan;
use crate::remedy::{Effect, Kind, Remedy};
use crate::sentences;
use crate::text_layout::truncate;
use crate::workload::{Statement, StatementId};

/// `1 index`, `3 indexes`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `1 more index`, `3 more indexes`.
pub(super) fn more(number: usize, one: &str, many: &str) -> String {
    format!("{number} more {}", if number == 1 { one } else { many })
}

/// As a sentence of its own.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str())
}

/// `PostgreSQL 15.18 · shop · 56 of 56 statements planned`.
pub(super) fn title(advice: &Advice) -> String {
    let server = &advice.catalog.server;
    let planned = |statement: &&StatementAdvice| statement.status == StatementStatus::Planned;
    let planned = advice.as_written().filter(planned).count();
    let version = server.version.split(' ').next().unwrap_or_default();
    let statements = match advice.as_written().count() {
        0 => "no workload".to_owned(),
        1 if planned == 1 => "1 statement planned".to_owned(),
        number => format!("{planned} of {number} statements planned"),
    };
    format!(
        "PostgreSQL {} · {} · {statements}",
        printable(version),
        printable(&server.database),
    )
}

/// Without recommendations, says whether there was something to plan, and whether every candidate
/// could be tested.
pub(super) fn no_index(advice: &Advice) -> String {
    if advice.statements.is_empty() {
        let found = count(advice.existing.len(), "problem", "problems");
        return format!("Only the existing indexes were checked, without a workload: {found}.");
    }
    let planned = |statement: &StatementAdvice| statement.status == StatementStatus::Planned;
    if !advice.as_written().any(planned) {
        return match advice.as_written().count() {
            1 => "Nothing was planned: the only statement failed.".to_owned(),
            all => format!("Nothing was planned: none of the {all} statements could be."),
        };
    }
    let reasons = advice.rejected.iter().map(Rejected::reason);
    let none = format!("{}.", sentences::none_recommended(reasons));
    match written_another_way(advice) {
        Some(other) => format!("{none} {other}"),
        None => none,
    }
}

/// `Written another way, users-by-day is 12.2× cheaper (m1).`
fn written_another_way(advice: &Advice) -> Option<String> {
    let rewrites = advice.remedies.iter();
    let rewrites = rewrites.filter(|remedy| remedy.kind == Kind::Rewrite);
    let factor = |effect: &Effect| effect.cost.0.factor_to(effect.cost.1);
    let cheaper: Vec<(&Remedy, &Effect)> = rewrites
        .flat_map(|remedy| remedy.benefits.iter().map(move |effect| (remedy, effect)))
        .filter(|(_, effect)| factor(effect) >= 1.05)
        .collect();
    let (remedy, most) = cheaper
        .iter()
        .max_by(|(_, a), (_, b)| factor(a).total_cmp(&factor(b)))?;
    let statements: BTreeSet<&StatementId> = cheaper
        .iter()
        .map(|(_, effect)| &effect.statement)
        .collect();
    let (id, times) = (printable(&most.statement.0), factor_text(factor(most)));
    Some(match statements.len() {
        1 => format!(
            "Written another way, {id} is {times} cheaper ({}).",
            remedy.id
        ),
        all => format!(
            "Written another way, {all} statements are cheaper, {id} most: {times} ({}).",
            remedy.id
        ),
    })
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

/// The statement's text in a line, where its name says nothing about it.
pub(super) fn shortened_text(statement: &Statement, columns: usize) -> Option<String> {
    if statement.is_named() {
        return None;
    }
    Some(sql_line(statement, columns))
}

/// The statement's text in a line; where it does not fit, without what it selects, which is long in
/// the statements of ORMs and says less than its tables and conditions.
pub(crate) fn sql_line(statement: &Statement, columns: usize) -> String {
    let words: Vec<&str> = statement.as_written().split_whitespace().collect();
    let line = words.join(" ");
    let short = if line.chars().count() > columns.min(MAX_LIST) {
        without_list(&line)
    } else {
        None
    };
    truncate(&printable_sql(&short.unwrap_or(line)), columns)
}

/// A longer line than this loses its list even where it fits.
const MAX_LIST: usize = 60;

/// A shorter list stays.
const MIN_LIST: usize = 24;

/// `SELECT … FROM orders WHERE …`; none where the list is short, or there is none.
fn without_list(line: &str) -> Option<String> {
    line.get(..7)
        .filter(|begin| begin.eq_ignore_ascii_case("select "))?;
    let (mut depth, mut quote) = (0_usize, None);
    for (place, byte) in line.bytes().enumerate() {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.saturating_sub(1),
            (None, b' ') if depth == 0 => {
                let word = line.get(place..place + 6);
                if word.is_some_and(|word| word.eq_ignore_ascii_case(" from ")) {
                    let is_long = place > 7 + MIN_LIST;
                    return is_long.then(|| format!("{}…{}", &line[..7], &line[place..]));
                }
            }
            _ => {}
        }
    }
    None
}

/// A share in per cent: `41 %`, `0.4 %`; `–` for nothing. Only the whole is 100 %.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        nothing if nothing < 0.005 => "–".to_owned(),
        little if little < 0.1 => "<0.1 %".to_owned(),
        small if small < 10.0 => format!("{percent:.1} %"),
        nearly if (99.5..99.995).contains(&nearly) => {
            format!("{:.1} %", (percent * 10.0).trunc() / 10.0)
        }
        _ => format!("{percent:.0} %"),
    }
}

/// `job-list · 1,200 calls`.
pub(super) fn statement_name(statement: &StatementAdvice) -> String {
    let Statement { id, .. } = &statement.statement;
    let calls = statement.statement.calls_with_any_values();
    let calls = if calls > 1.0 {
        format!(" · {} calls", group_thousands(calls, 0))
    } else {
        String::new()
    };
    format!("{}{calls}", printable(&id.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_gives_way_to_tables_and_conditions() {
        let list = "\"t\".\"from x\" AS t0, extract(day FROM at), ' from '";
        assert_eq!(
            without_list(&format!("select {list} from \"t\" where a = 1")),
            Some("select … from \"t\" where a = 1".to_owned())
        );
        for whole in [
            "SELECT a FROM t",
            "UPDATE t SET a = 1",
            "SELECT 'é from '",
            "é",
        ] {
            assert_eq!(without_list(whole), None, "{whole}");
        }
    }

    #[test]
    fn shares_are_rounded_but_nothing_becomes_all_or_nothing() {
        for (share, text) in [
            (0.0, "–"),
            (0.0004, "<0.1 %"),
            (0.004, "0.4 %"),
            (0.413, "41 %"),
            (0.994, "99 %"),
            (0.9989, "99.8 %"),
            (0.99994, "99.9 %"),
            (1.0, "100 %"),
            (-0.031, "-3.1 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }
}
