//! The differences as text: the totals, the join order, the changes, and both plans side by side.

use std::fmt::Write as _;

use super::total::{self, Total};
use super::{ChangeKind, Diff, NamedPlan, NodeChange, Numbers, Pairs};
use crate::model::{Cost, Millis, factor_text, group_thousands, printable};
use crate::report::markdown::{escaped, fenced};
use crate::report::style::{BAD, BOLD, DIM, GOOD, HOT, MIN_WIDTH, styled};
use crate::report::text::side_by_side;
use crate::text_layout::{indent, truncate};

/// All comparisons for a terminal of that width, with their sums when there are several.
pub fn write_text(diffs: &[Diff<'_>], pairs: &Pairs<'_>, width: usize) -> String {
    let mut texts: Vec<String> = diffs.iter().map(|diff| diff.text(width)).collect();
    let width = width.max(MIN_WIDTH);
    let mut end = String::new();
    for line in unpaired(pairs) {
        let _ = writeln!(
            end,
            "{}",
            styled(HOT, indent(&format!("! {line}"), "", width))
        );
    }
    for (name, sum) in sums(diffs) {
        let line = indent(&format!("{name:<10} {sum}"), "", width);
        let _ = writeln!(end, "{}", styled(BOLD, line));
    }
    if !end.is_empty() {
        texts.push(end);
    }
    texts.join("\n")
}

/// All comparisons to paste into an issue.
pub fn write_markdown(diffs: &[Diff<'_>], pairs: &Pairs<'_>, width: usize) -> String {
    let mut texts: Vec<String> = diffs.iter().map(|diff| diff.markdown(width)).collect();
    let lines = unpaired(pairs).into_iter().map(|line| escaped(&line));
    let sums = sums(diffs);
    let sums = sums
        .iter()
        .map(|(name, sum)| format!("**{name}** {}", escaped(sum)));
    let end: Vec<String> = lines
        .chain(sums)
        .map(|line| format!("- {line}\n"))
        .collect();
    if !end.is_empty() {
        texts.push(end.concat());
    }
    texts.join("\n")
}

/// The plans without a partner, in sentences.
fn unpaired(pairs: &Pairs<'_>) -> Vec<String> {
    const MAX_TEXT: usize = 60;
    let line = |plan: &NamedPlan<'_>, side: &str| {
        let what = plan.query.map_or_else(String::new, |query| {
            let words: Vec<&str> = query.split_whitespace().collect();
            format!(": {}", truncate(&printable(&words.join(" ")), MAX_TEXT))
        });
        format!("only {side} ({}){what}", printable(plan.file))
    };
    let before = pairs.only_before.iter().map(|plan| line(plan, "before"));
    let after = pairs.only_after.iter().map(|plan| line(plan, "after"));
    before.chain(after).collect()
}

/// The sums over several pairs.
fn sums(diffs: &[Diff<'_>]) -> Vec<(&'static str, String)> {
    if diffs.len() < 2 {
        return Vec::new();
    }
    let line = |total: Total, write: &dyn Fn(f64) -> String| {
        let sum = arrow(
            (Some(total.before), Some(total.after)),
            write,
            Threshold::None,
        );
        format!(
            "{} in {} pairs: {} lower, {} higher",
            sum.unwrap_or_default(),
            total.pairs,
            total.lower,
            total.higher
        )
    };
    let cost =
        total::cost(diffs).map(|total| ("total cost", line(total, &|cost| Cost(cost).to_string())));
    let time =
        total::time(diffs).map(|total| ("total time", line(total, &|ms| Millis(ms).to_string())));
    cost.into_iter().chain(time).collect()
}

impl Diff<'_> {
    /// For a terminal of that width.
    pub fn text(&self, width: usize) -> String {
        let width = width.max(MIN_WIDTH);
        let mut text = String::new();
        let title = format!(
            "{} → {}",
            printable(&self.report.before.file),
            printable(&self.report.after.file)
        );
        let _ = writeln!(text, "{}", styled(BOLD, truncate(&title, width)));
        for warning in &self.report.warnings {
            let line = format!("! {}", printable(warning));
            let _ = writeln!(text, "{}", styled(HOT, indent(&line, "  ", width)));
        }
        for (name, change) in self.totals() {
            let _ = writeln!(text, "  {name:<10} {change}");
        }
        if let Some(order) = &self.report.join_order {
            let line = format!(
                "join order {} → {}",
                printable(&order.before),
                printable(&order.after)
            );
            let _ = writeln!(text, "{}", styled(HOT, indent(&line, "  ", width)));
        }
        text.push('\n');
        for change in &self.report.changes {
            write_change(&mut text, change, width);
        }
        if self.report.changes.is_empty() {
            let _ = writeln!(text, "  {}", styled(DIM, "no node changed"));
        }
        text.push('\n');
        text.push_str(&side_by_side::write(self.before, Some(self.after), width));
        text
    }

    /// To paste into an issue.
    pub fn markdown(&self, width: usize) -> String {
        let (before, after) = (&self.report.before, &self.report.after);
        let mut text = format!(
            "### {} → {}\n\n",
            escaped(&before.file),
            escaped(&after.file)
        );
        for warning in &self.report.warnings {
            let _ = writeln!(text, "**{}**\n", escaped(warning));
        }
        text.push_str("| | before → after |\n|---|---|\n");
        for (name, change) in self.totals() {
            let _ = writeln!(text, "| {name} | {} |", escaped(&change));
        }
        if let Some(order) = &self.report.join_order {
            let _ = writeln!(
                text,
                "| join order | {} → {} |",
                escaped(&order.before),
                escaped(&order.after)
            );
        }
        text.push('\n');
        for change in &self.report.changes {
            let (what, numbers) = (what(change), numbers(change));
            let _ = writeln!(
                text,
                "- **{}** {}{}",
                word(change.kind),
                escaped(&what),
                escaped(&behind(&numbers))
            );
        }
        let sides = side_by_side::write(self.before, Some(self.after), width.max(MIN_WIDTH));
        let sides = anstream::adapter::strip_str(&sides).to_string();
        let _ = writeln!(text, "\n```\n{}```", fenced(&sides));
        text
    }

    /// The totals that both or one of the plans have.
    pub(in crate::report) fn totals(&self) -> Vec<(&'static str, String)> {
        let (before, after) = (&self.report.before, &self.report.after);
        let mut totals = changes(&before.numbers, &after.numbers, Threshold::None);
        let planning = (before.planning_time_ms, after.planning_time_ms);
        let execution = (before.execution_time_ms, after.execution_time_ms);
        for (name, pair) in [("execution", execution), ("planning", planning)] {
            totals.extend(
                arrow(pair, |ms| Millis(ms).to_string(), Threshold::None).map(|text| (name, text)),
            );
        }
        totals
    }
}

/// Are all numbers shown, or only those that changed?
#[derive(Debug, Clone, Copy, PartialEq)]
enum Threshold {
    None,
    Changed,
}

fn write_change(text: &mut String, change: &NodeChange, width: usize) {
    let style = match change.kind {
        ChangeKind::Added => GOOD,
        ChangeKind::Removed => BAD,
        ChangeKind::Numbers => DIM,
        _ => HOT,
    };
    let line = format!("{:<12} {}", word(change.kind), printable(&what(change)));
    let _ = writeln!(text, "{}", styled(style, indent(&line, "  ", width)));
    let numbers = numbers(change);
    if !numbers.is_empty() {
        let _ = writeln!(
            text,
            "{}",
            styled(DIM, indent(&numbers, "               ", width))
        );
    }
}

fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::AccessPath => "access path",
        ChangeKind::JoinMethod => "join method",
        ChangeKind::Method => "method",
        ChangeKind::Numbers => "numbers",
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
    }
}

/// `Seq Scan on jobs → Index Scan using jobs_pkey on jobs`, or the title if there is only one.
fn what(change: &NodeChange) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before.title != after.title => {
            format!("{} → {}", before.title, after.title)
        }
        (_, Some(side)) | (Some(side), None) => side.title.clone(),
        (None, None) => String::new(),
    }
}

/// The numbers of a change that are not the same on both sides.
fn numbers(change: &NodeChange) -> String {
    let (Some(before), Some(after)) = (&change.before, &change.after) else {
        return String::new();
    };
    let changes = changes(&before.numbers, &after.numbers, Threshold::Changed);
    changes
        .into_iter()
        .map(|(name, text)| format!("{name} {text}"))
        .collect::<Vec<_>>()
        .join(" · ")
}

fn behind(numbers: &str) -> String {
    if numbers.is_empty() {
        String::new()
    } else {
        format!(": {numbers}")
    }
}

fn changes(before: &Numbers, after: &Numbers, threshold: Threshold) -> Vec<(&'static str, String)> {
    let count = |number: f64| group_thousands(number, 0);
    let all = [
        (
            "cost",
            arrow(
                (before.cost, after.cost),
                |cost| Cost(cost).to_string(),
                threshold,
            ),
        ),
        (
            "time",
            arrow(
                (before.time_ms, after.time_ms),
                |ms| Millis(ms).to_string(),
                threshold,
            ),
        ),
        ("rows", arrow((before.rows, after.rows), count, threshold)),
        (
            "blocks",
            arrow((before.blocks, after.blocks), count, threshold),
        ),
        (
            "temp",
            arrow((before.temp_blocks, after.temp_blocks), count, threshold),
        ),
    ];
    all.into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .collect()
}

/// `12,395 → 8.44 (1,469× lower)`.
fn arrow(
    pair: (Option<f64>, Option<f64>),
    write: impl Fn(f64) -> String,
    threshold: Threshold,
) -> Option<String> {
    let (before, after) = match pair {
        (None, None) => return None,
        (Some(before), Some(after)) => (before, after),
        (before, after) => {
            let write = |number: Option<f64>| number.map_or_else(|| "?".to_owned(), &write);
            return (threshold == Threshold::None)
                .then(|| format!("{} → {}", write(before), write(after)));
        }
    };
    if write(before) == write(after) {
        return (threshold == Threshold::None).then(|| format!("{} unchanged", write(before)));
    }
    let (factor, way) = if after < before {
        (before / after, "lower")
    } else {
        (after / before, "higher")
    };
    let factor = if factor.is_finite() {
        format!(" ({} {way})", factor_text(factor))
    } else {
        String::new()
    };
    Some(format!("{} → {}{factor}", write(before), write(after)))
}
