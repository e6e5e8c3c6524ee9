//! A recommendation in two sentences: what the planner does now and then for which statement, and
//! what the index costs.

use super::refusal;
use crate::advise::explanation::{AccessPath, Explanation, Gain};
use crate::model::{Bytes, QualifiedName, factor_text};

/// The explanation of a recommendation; empty where no statement gains enough.
pub fn explanation(facts: &Explanation) -> String {
    let Some(gain) = &facts.gain else {
        return String::new();
    };
    let rows = if facts.is_partial {
        " of a row that satisfies its predicate"
    } else {
        ""
    };
    format!(
        "{} {}; every write to {}{rows} has to keep it up to date.{}",
        gain_sentence(gain),
        size(facts),
        facts.table,
        superseded(&facts.supersedes)
    )
}

fn gain_sentence(gain: &Gain) -> String {
    let others = match gain.others {
        0 => String::new(),
        1 => " and one more statement".to_owned(),
        more => format!(" and {more} more statements"),
    };
    let today = match &gain.today {
        Some(path) => access_path(path),
        None => "its present access path".to_owned(),
    };
    let then = gain
        .then
        .as_ref()
        .map_or_else(|| "a scan".to_owned(), access_path);
    let benefit = &gain.benefit;
    let factor = factor_text(benefit.before.factor_to(benefit.after));
    let executed = gain
        .times
        .map(|(before, after)| format!("; executed, {before} → {after}"));
    format!(
        "For {}{others} the planner replaces {today} by {then} of this index{}{}: cost {} → {}, {factor} lower{}.",
        benefit.statement,
        part_served(gain),
        beside(&gain.beside),
        benefit.before,
        benefit.after,
        executed.unwrap_or_default()
    )
}

/// `Sort over Seq Scan`
fn access_path(path: &AccessPath) -> String {
    let index = path.index.as_ref();
    let index = index.map(|index| format!(" using {index}"));
    let scan = format!("{}{}", path.scan, index.unwrap_or_default());
    match &path.sort {
        Some(sort) => format!("{sort} over {scan}"),
        None => scan,
    }
}

/// `, for its conditions on a and b and its order, among the rows where …`
fn part_served(gain: &Gain) -> String {
    let conditions = match gain.columns.as_slice() {
        [] => None,
        [one] => Some(format!("its condition on {one}")),
        [first @ .., last] => Some(format!("its conditions on {} and {last}", first.join(", "))),
    };
    let order = gain.in_order.then(|| "its order".to_owned());
    let parts: Vec<String> = conditions.into_iter().chain(order).collect();
    let served = if parts.is_empty() {
        String::new()
    } else {
        format!(", for {}", parts.join(" and "))
    };
    let predicate = gain.predicate.as_ref();
    let rows = predicate.map(|predicate| format!(", among the rows where {predicate}"));
    served + &rows.unwrap_or_default()
}

fn beside(others: &[String]) -> String {
    if others.is_empty() {
        String::new()
    } else {
        format!(", together with {}", others.join(" and "))
    }
}

fn size(facts: &Explanation) -> String {
    let size = facts.size;
    match (facts.build_time, &facts.not_built) {
        (Some(time), _) => format!("It takes {size} and was built in {time}"),
        (None, Some(cause)) => format!(
            "It will take about {size}, as predicted by the planner twin alone ({})",
            refusal(cause)
        ),
        (None, None) => {
            format!("It will take about {size}, as predicted by the planner twin alone")
        }
    }
}

/// ` It replaces public.t_a_idx (12 MB), which can then be dropped.`, or nothing.
fn superseded(indexes: &[(QualifiedName, Bytes)]) -> String {
    if indexes.is_empty() {
        return String::new();
    }
    let named = indexes
        .iter()
        .map(|(name, size)| format!("{name} ({size})"));
    let named: Vec<String> = named.collect();
    format!(
        " It replaces {}, which can then be dropped.",
        named.join(" and ")
    )
}
