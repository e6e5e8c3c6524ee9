//! A recommended index with all that is known of it.

use std::fmt::Write as _;

use crate::advise::{Advice, Benefit, Recommendation};
use crate::model::printable::printable_sql;
use crate::model::{factor_text, printable};
use crate::planner::Evidence;
use crate::report::style::{BOLD, DIM, GOOD, styled};
use crate::report::words::{execution_text, shortened_text};
use crate::sentences;
use crate::text_layout::indent;
use crate::verdict::{Change, MinImprovement};

/// What the recommendations are based on.
pub(in crate::report) fn recommended_heading(advice: &Advice) -> &'static str {
    let built = advice
        .recommendations
        .iter()
        .filter(|index| index.evidence == Evidence::RolledBackTransaction)
        .count();
    if built == advice.recommendations.len() {
        "each index was built, used by the planner, and rolled back"
    } else if built == 0 {
        "each index is used by the planner twin; nothing was built"
    } else {
        "each index was built, used by the planner, and rolled back, or tested only in the planner twin where noted"
    }
}

/// Sizes and times, measured or predicted.
pub(in crate::report) fn facts(recommendation: &Recommendation) -> String {
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

/// Writes the index: its DDL, what it gains each statement, and what it costs.
pub(in crate::report) fn recommendation_block(
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
