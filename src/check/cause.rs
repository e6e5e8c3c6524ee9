//! Why a plan is another one: which part of a snapshot, exchanged alone, brings the change.
//!
//! 1. Parts that alone bring the very plan of afterwards.
//! 2. Else those that alone bring the same kind of change: another plan, or a cost that rises or falls.
//! 3. Else those without which the change is gone: only together they bring it.
//! 4. Else the part that alone changes the cost most.

use super::comparison::{Cause, StatementChange, change};
use super::shape::{Renamed, shape};
use crate::planner::PlanOutcome;

/// How a statement is planned with one part exchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchanged {
    /// The part.
    pub part: Cause,
    /// As before, but with this part as afterwards.
    pub alone: PlanOutcome,
    /// As afterwards, but with this part as before; none if nobody has asked.
    pub without: Option<PlanOutcome>,
}

/// The causes of a change, sorted.
pub fn causes(before: &PlanOutcome, after: &PlanOutcome, exchanged: &[Exchanged]) -> Vec<Cause> {
    let Some(happened) = between(before, after) else {
        return Vec::new();
    };
    if happened == StatementChange::Same {
        return Vec::new();
    }
    let is_after = |one: &Exchanged| is_same_plan(&one.alone, after);
    let is_alike = |one: &Exchanged| between(before, &one.alone) == Some(happened);
    let is_needed = |one: &Exchanged| {
        let without = one.without.as_ref();
        without.and_then(|plan| between(before, plan)) == Some(StatementChange::Same)
    };
    let ways: [&dyn Fn(&Exchanged) -> bool; 3] =
        [&|one| is_alike(one) && is_after(one), &is_alike, &is_needed];
    for way in ways {
        let found: Vec<Cause> = parts(exchanged.iter().filter(|one| way(one)));
        if !found.is_empty() {
            return found;
        }
    }
    parts(largest(before, exchanged).into_iter())
}

/// Is the part of each cause needed to know the causes: is there none that alone explains the change?
pub fn needs_more(before: &PlanOutcome, after: &PlanOutcome, exchanged: &[Exchanged]) -> bool {
    let happened = between(before, after);
    exchanged
        .iter()
        .all(|one| between(before, &one.alone) != happened)
}

fn between(before: &PlanOutcome, after: &PlanOutcome) -> Option<StatementChange> {
    change(before, after, &Renamed::new())
}

fn is_same_plan(one: &PlanOutcome, other: &PlanOutcome) -> bool {
    one.plan().map(shape) == other.plan().map(shape)
}

fn parts<'e>(exchanged: impl Iterator<Item = &'e Exchanged>) -> Vec<Cause> {
    let mut parts: Vec<Cause> = exchanged.map(|one| one.part).collect();
    parts.sort_unstable();
    parts
}

/// The part that alone moves the cost furthest, if any does.
fn largest<'e>(before: &PlanOutcome, exchanged: &'e [Exchanged]) -> Option<&'e Exchanged> {
    let cost = before.plan()?.total_cost();
    let moved = |one: &Exchanged| {
        let plan = one.alone.plan();
        plan.map_or(0.0, |plan| cost.saved_share(plan.total_cost()).abs())
    };
    let moves = exchanged.iter().filter(|one| moved(one) > 0.0);
    moves.max_by(|one, other| moved(one).total_cmp(&moved(other)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Plan;

    fn outcome(node: &str, cost: f64) -> PlanOutcome {
        let plan = json!({"Plan": {"Node Type": node, "Relation Name": "t", "Total Cost": cost}});
        PlanOutcome::Plan(Plan::from_json(plan).unwrap())
    }

    fn alone(part: Cause, node: &str, cost: f64) -> Exchanged {
        Exchanged {
            part,
            alone: outcome(node, cost),
            without: None,
        }
    }

    #[test]
    fn what_only_changes_the_cost_is_no_cause_of_a_flip() {
        let (before, after) = (outcome("Index Scan", 100.0), outcome("Seq Scan", 300.0));
        let exchanged = [
            alone(Cause::Size, "Index Scan", 150.0),
            alone(Cause::Schema, "Seq Scan", 200.0),
            alone(Cause::Settings, "Bitmap Heap Scan", 120.0),
        ];
        assert_eq!(causes(&before, &after, &exchanged), [Cause::Schema]);
        assert_eq!(
            causes(&before, &after, &exchanged[2..]),
            [Cause::Settings],
            "another plan, if none brings this one"
        );
        assert!(!needs_more(&before, &after, &exchanged));
        assert!(needs_more(&before, &after, &exchanged[..1]));
    }

    #[test]
    fn what_makes_it_cheaper_is_no_cause_of_a_higher_cost() {
        let (before, after) = (outcome("Seq Scan", 100.0), outcome("Seq Scan", 150.0));
        let exchanged = [
            alone(Cause::Statistics, "Seq Scan", 60.0),
            alone(Cause::Size, "Seq Scan", 190.0),
        ];
        assert_eq!(causes(&before, &after, &exchanged), [Cause::Size]);
        assert_eq!(causes(&before, &before, &exchanged), []);
    }

    #[test]
    fn parts_that_only_together_make_the_difference_are_all_named() {
        let (before, after) = (outcome("Index Scan", 100.0), outcome("Seq Scan", 150.0));
        let mut exchanged = [
            alone(Cause::Statistics, "Index Scan", 103.0),
            alone(Cause::Size, "Index Scan", 104.0),
            alone(Cause::Settings, "Index Scan", 100.0),
        ];
        assert_eq!(causes(&before, &after, &exchanged), [Cause::Size]);
        for one in &mut exchanged[..2] {
            one.without = Some(before.clone());
        }
        exchanged[2].without = Some(after.clone());
        assert_eq!(
            causes(&before, &after, &exchanged),
            [Cause::Statistics, Cause::Size]
        );
    }

    #[test]
    fn a_statement_that_cannot_run_any_more_has_its_own_causes() {
        let before = outcome("Seq Scan", 100.0);
        let failed = PlanOutcome::Failed("ERROR: no".to_owned());
        let exchanged = [
            alone(Cause::Statistics, "Seq Scan", 150.0),
            Exchanged {
                part: Cause::Schema,
                alone: failed.clone(),
                without: None,
            },
        ];
        assert_eq!(causes(&before, &failed, &exchanged), [Cause::Schema]);
    }
}
