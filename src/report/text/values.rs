//! What a statement costs with other values than those it was given with.

use std::fmt::Write as _;

use super::gain::gain;
use crate::advise::{Advice, StatementAdvice};
use crate::model::printable;
use crate::report::style::{DIM, styled};
use crate::text_layout::indent;
use crate::workload::ValueClass;

/// The place of a share, on a line that has none.
const FURTHER_LINES: &str = "         ";

/// A line for each class of values, with its share of the calls; nothing where there are none.
pub(super) fn write(text: &mut String, statement: &StatementAdvice, advice: &Advice, width: usize) {
    let classes = advice.classes_of(&statement.statement.id);
    let classes: Vec<(&ValueClass, &StatementAdvice)> = classes.collect();
    let cost_after = |statement: &StatementAdvice| statement.cost_after().map(|cost| cost.0);
    let all = classes.iter().map(|(_, with_values)| *with_values);
    let mut costs: Vec<f64> = all.chain([statement]).filter_map(cost_after).collect();
    costs.sort_by(|a, b| b.total_cmp(a));
    let most_expensive = match costs.as_slice() {
        [first, second, ..] if first > second => *first,
        _ => f64::INFINITY,
    };
    for (number, (class, with_values)) in classes.iter().enumerate() {
        let (Some(before), Some(after)) = (with_values.cost_before(), with_values.cost_after())
        else {
            continue;
        };
        if number == 0 {
            let share = statement.statement.calls / statement.statement.calls_with_any_values();
            let line = format!(
                "planned also with other values; the plans above count for {} of the calls:",
                percent(share)
            );
            let _ = writeln!(text, "{}", styled(DIM, indent(&line, "  ", width)));
        }
        let (style, gain) = gain(with_values.change, before, after);
        let dearest = if after.0 >= most_expensive {
            styled(DIM, " · the most expensive")
        } else {
            String::new()
        };
        let line = format!(
            "{}  {}{}{}{dearest}",
            styled(style, gain),
            class.frequency.title(),
            seen(class),
            named(class)
        );
        let lines = indent(&line, FURTHER_LINES, width);
        let share = format!("    {:>4} ", percent(class.share));
        let _ = writeln!(text, "{}", share + lines.trim_start());
    }
}

/// `, seen in 3 of 40 executions`; nothing where the values are those of statistics.
fn seen(class: &ValueClass) -> String {
    class.seen.map_or_else(String::new, |seen| {
        format!(", seen in {} of {} executions", seen.executions, seen.of)
    })
}

/// ` ($1 = 'failed', $2 = 20)`; nothing where no value is known.
fn named(class: &ValueClass) -> String {
    let values = class.values.iter();
    let values = values.map(|(name, value)| format!("{} = {}", printable(name), printable(value)));
    let values = values.collect::<Vec<_>>().join(", ");
    if values.is_empty() {
        return values;
    }
    format!(" ({})", styled(DIM, values))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
