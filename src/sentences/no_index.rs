//! Why no index helps a statement.

use super::not_indexable::called;
use super::{not_indexable, refusal, rejection};
use crate::advise::no_index_helps::{IndexChoice, LowerPageCost, NoIndexHelps};
use crate::advise::rejection::Rejection;
use crate::catalog::Mutable;
use crate::index::Index;
use crate::model::{Cost, QualifiedName, group_thousands};
use crate::planner::RefusalCause;
use crate::verdict::{MinImprovement, Reason};

/// Without recommendations, whether no index helps or not all were tested: by why each candidate is
/// not recommended.
pub fn none_recommended(reasons: impl Iterator<Item = Reason>) -> String {
    match reasons.filter(|reason| reason.is_untested()).count() {
        0 => "No index helps".to_owned(),
        1 => "No index is recommended, but 1 candidate was not tested".to_owned(),
        more => format!("No index is recommended, but {more} candidates were not tested"),
    }
}

/// Why no index helps a statement, in a sentence.
pub fn no_index(reason: &NoIndexHelps) -> String {
    match reason {
        NoIndexHelps::ReadsNoTable => "it reads no table itself; what functions and triggers read for it is not seen here (auto_explain.log_nested_statements logs that)".to_owned(),
        NoIndexHelps::OnForeignServer(server) => on_foreign_server(server),
        NoIndexHelps::NoCondition(table) => {
            format!("nothing filters, orders or groups the rows of {table}")
        }
        NoIndexHelps::TableTooSmall {
            table,
            pages,
            whole,
            one_row,
        } => table_too_small(table, *pages, *whole, *one_row),
        NoIndexHelps::AlreadyIndexed {
            table,
            scan,
            indexes,
            conditions,
            not_by_first,
        } => already_indexed(table, scan, indexes, conditions) + &without_first(not_by_first),
        NoIndexHelps::BeingBuilt(index) => being_built(index),
        NoIndexHelps::Incomplete(index) => incomplete(index),
        NoIndexHelps::ReadsMost {
            table,
            returned,
            rows,
        } => reads_most(table, *returned, *rows),
        NoIndexHelps::Candidate {
            index,
            before,
            after,
            rejection,
        } => kept_out(index, (*before, *after), rejection),
        NoIndexHelps::GainsTooLittle {
            index,
            before,
            after,
            min_improvement,
        } => gains_too_little(index, (*before, *after), *min_improvement),
        NoIndexHelps::LowerPageCost(lower) => at_lower_page_cost(lower),
        NoIndexHelps::NotIndexable(expression) => not_indexable(expression),
        NoIndexHelps::NotIndexableFilter { filter, table } => {
            format!("no index can serve {filter} on {table}")
        }
        NoIndexHelps::Volatile {
            table,
            filter,
            call,
        } => volatile(table, filter, call),
        NoIndexHelps::NotTested {
            refused,
            candidates,
            cause,
        } => not_tested(*refused, *candidates, cause),
        NoIndexHelps::NoCandidateHelped {
            candidates,
            best,
            now,
        } => no_candidate_helped(*candidates, best.as_ref(), *now),
    }
}

fn not_tested(refused: usize, candidates: usize, cause: &RefusalCause) -> String {
    format!(
        "{refused} of {candidates} candidates could not be tested: {}",
        refusal(cause)
    )
}

fn incomplete(index: &QualifiedName) -> String {
    format!(
        "the index {index} is for it and lacks parts: the existing indexes say how it is completed"
    )
}

fn on_foreign_server(server: &str) -> String {
    format!(
        "its rows come from the server {server}: the indexes that would help are those of the tables there"
    )
}

fn being_built(index: &QualifiedName) -> String {
    format!("{index} is being built now by another session: advise again once it is valid")
}

fn volatile(table: &QualifiedName, filter: &str, call: &Mutable) -> String {
    let function = called(call);
    let remedy = if call.own {
        format!(
            "If its result does not change within a statement: ALTER FUNCTION {function} STABLE"
        )
    } else {
        format!(
            "If one value for the whole statement is meant: (SELECT {}(…))",
            call.called
        )
    };
    format!(
        "{function} is VOLATILE: PostgreSQL evaluates it for every row of {table}, so no index can answer {filter}. {remedy}"
    )
}

fn named(index: &Index) -> String {
    format!("an index on {}", index.definition())
}

fn table_too_small(table: &QualifiedName, pages: u64, whole: Cost, one_row: Cost) -> String {
    let pages = match pages {
        1 => "1 page".to_owned(),
        pages => format!("{} pages", group_thousands(pages as f64, 0)),
    };
    format!(
        "{table} has {pages}: to read it whole costs {whole}, one row through an index at least {one_row}"
    )
}

fn reads_most(table: &QualifiedName, returned: f64, rows: f64) -> String {
    format!(
        "{} of the {} rows of {table} are needed ({:.0} %)",
        group_thousands(returned, 0),
        group_thousands(rows, 0),
        returned / rows * 100.0
    )
}

fn already_indexed(
    table: &QualifiedName,
    scan: &str,
    indexes: &[String],
    conditions: &[String],
) -> String {
    let how = if conditions.is_empty() {
        "in the order that the query needs".to_owned()
    } else {
        format!("with all conditions on it: {}", conditions.join(" and "))
    };
    let indexes = indexes.join(" and ");
    format!("{table} is read by {scan} of {indexes} {how}")
}

fn without_first(index: &Option<String>) -> String {
    let Some(index) = index else {
        return String::new();
    };
    format!(
        ". No condition is on the first column of {index}, which decides how much of a GiST index is read; the planner's cost does not \
         know that, and --analyze measures whether an index on the others alone is faster"
    )
}

fn kept_out(index: &Index, (before, after): (Cost, Cost), rejected: &Rejection) -> String {
    format!(
        "{} would lower it, {before} → {after}, but: {}",
        named(index),
        why(rejected)
    )
}

fn gains_too_little(
    index: &Index,
    (before, after): (Cost, Cost),
    min_improvement: MinImprovement,
) -> String {
    format!(
        "the best, {}, is used and saves {:.1} % ({before} → {after}); a gain is {:.0} % or more",
        named(index),
        before.saved_share(after) * 100.0,
        min_improvement.0 * 100.0
    )
}

fn why(rejected: &Rejection) -> String {
    match rejected.reason() {
        Reason::OverBudget => "it does not fit into --budget".to_owned(),
        Reason::TooManyIndexes => "--max-indexes are reached".to_owned(),
        Reason::UpkeepTooHigh => "writes would pay more for it than reads gain".to_owned(),
        _ => rejection(rejected),
    }
}

fn at_lower_page_cost(lower: &LowerPageCost) -> String {
    let LowerPageCost {
        index,
        now,
        at,
        cost,
    } = lower;
    let index = match index {
        IndexChoice::Existing(name) => name.clone(),
        IndexChoice::Candidate(index) => named(index),
    };
    format!(
        "the planner would use {index} only at random_page_cost = {at} or less (it is {now}); it would cost {cost} there"
    )
}

fn no_candidate_helped(candidates: usize, best: Option<&(Index, Cost)>, now: Cost) -> String {
    match best {
        Some((index, cost)) => format!(
            "of {candidates} tested, none was used; with {} it costs {cost} as before ({now})",
            named(index)
        ),
        None => "there is no candidate index for it".to_owned(),
    }
}
