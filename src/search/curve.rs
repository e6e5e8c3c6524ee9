//! What each further index brings: the cost of the workload by the size of its indexes.
//!
//! By the known plans, which takes no question. A plan that was seen is possible with every set that
//! has its indexes, so no set costs more than is said here.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::costs::Costs;
use super::greedy::Search;
use super::trial::{TrialId, TrialSet};
use crate::model::{Bytes, Cost};
use crate::planner::PlannerError;

/// The cost of the workload by the size of its new indexes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// Each is larger than the one before and costs less. The first is without any new index.
    pub points: Vec<CurvePoint>,
    /// The place of the chosen set.
    pub chosen: usize,
    /// The place where the curve bends most: up to there the room is used best. After Satopaa,
    /// Albrecht, Irwin, Raghavan: "Finding a 'Kneedle' in a Haystack" (2011).
    pub knee: usize,
}

/// A set on the way from no index to all that bring something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// The size of all indexes of the set.
    pub size: Bytes,
    /// How many they are.
    pub indexes: usize,
    /// What the workload costs at most with them, and what its writes pay for them: Σ calls × cost.
    pub cost: Cost,
}

impl Search<'_, '_> {
    /// The curve through the chosen set, whatever the budget is.
    pub(super) fn curve(&mut self, chosen: &[TrialId]) -> Result<Curve, PlannerError> {
        let has_time = self.known.has_time()?;
        let budget = self.budget.take();
        self.known.pause();
        let points = self.points(chosen, has_time);
        self.known.resume();
        self.budget = budget;
        Ok(through(self.point(chosen), points))
    }

    /// Sets of many sizes: what is left of the chosen set without what saves least for its size, and
    /// what is picked beside it, or from the beginning, as long as it saves.
    fn points(&self, chosen: &[TrialId], has_time: bool) -> Vec<CurvePoint> {
        let mut points = vec![self.point(&[])];
        let mut set = chosen.to_vec();
        while let Some(least) = self.least_first(&set).first().copied() {
            set.retain(|id| *id != least);
            points.push(self.point(&set));
        }
        if has_time {
            points.extend(self.grown(chosen.to_vec()));
            points.extend(self.grown(Vec::new()));
        }
        points
    }

    /// The set with one idea after the other of the known plans that saves most for its size, as long
    /// as one does. What an idea saves beside more indexes is mostly less, so it is looked at again
    /// only where it would be the next one by what it saved before (Leskovec et al.:
    /// "Cost-effective Outbreak Detection in Networks", 2007).
    fn grown(&self, beginning: Vec<TrialId>) -> Vec<CurvePoint> {
        let ideas = self.known.ideas();
        let per_byte = |chosen: &[TrialId], set: &TrialSet, now: &Costs, idea: &[TrialId]| {
            let offer = self.offer_as_known(idea, chosen, set, now)?;
            Some((offer.gain / offer.size.0.max(1) as f64, offer.ids))
        };
        let (mut chosen, mut points) = (beginning, Vec::new());
        let mut set: TrialSet = chosen.iter().copied().collect();
        let mut now = self.known.model(&set);
        let mut queue: BinaryHeap<Idea> = BinaryHeap::new();
        for (number, idea) in ideas.iter().enumerate() {
            let worth = per_byte(&chosen, &set, &now, idea).map(|(worth, _)| worth);
            queue.extend(worth.map(|worth| Idea { worth, number }));
        }
        while let Some(next) = queue.pop() {
            let idea = ideas.get(next.number).map_or(&[][..], Vec::as_slice);
            let Some((worth, ids)) = per_byte(&chosen, &set, &now, idea) else {
                continue;
            };
            let again = Idea { worth, ..next };
            if queue.peek().is_some_and(|other| *other > again) {
                queue.push(again);
                continue;
            }
            chosen.extend(&ids);
            self.drop_unneeded_as_known(&mut chosen, &ids);
            set = chosen.iter().copied().collect();
            now = self.known.model(&set);
            points.push(self.point(&chosen));
        }
        points
    }

    fn point(&self, set: &[TrialId]) -> CurvePoint {
        CurvePoint {
            size: self.size(set),
            indexes: set.len(),
            cost: Cost(self.model_sum(set)),
        }
    }
}

/// One of the ideas, by number; that which saves most for its size is greatest.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Idea {
    worth: f64,
    number: usize,
}

impl Eq for Idea {}

impl PartialOrd for Idea {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Idea {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_number = other.number.cmp(&self.number);
        self.worth.total_cmp(&other.worth).then(by_number)
    }
}

/// The points that cost less than all smaller ones, with this one among them.
fn through(chosen: CurvePoint, mut points: Vec<CurvePoint>) -> Curve {
    points.retain(|point| point.size > chosen.size || point.cost.0 > chosen.cost.0);
    points.push(chosen);
    points.sort_by(|a, b| {
        let by_cost = a.cost.0.total_cmp(&b.cost.0);
        a.size
            .cmp(&b.size)
            .then(by_cost)
            .then(a.indexes.cmp(&b.indexes))
    });
    let mut cheaper: Vec<CurvePoint> = Vec::new();
    for point in points {
        if cheaper.last().is_none_or(|last| point.cost.0 < last.cost.0) {
            cheaper.push(point);
        }
    }
    Curve {
        chosen: cheaper
            .iter()
            .position(|point| *point == chosen)
            .unwrap_or_default(),
        knee: knee(&cheaper),
        points: cheaper,
    }
}

/// The place of the point that is farthest above the line from the first to the last one.
fn knee(points: &[CurvePoint]) -> usize {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return 0;
    };
    let size = (last.size.0 - first.size.0).max(1) as f64;
    let saved = (first.cost.0 - last.cost.0).max(f64::MIN_POSITIVE);
    let above = |point: &CurvePoint| {
        (first.cost.0 - point.cost.0) / saved - (point.size.0 - first.size.0) as f64 / size
    };
    let mut best = (0, 0.0);
    for (place, point) in points.iter().enumerate() {
        if above(point) > best.1 {
            best = (place, above(point));
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(size: u64, indexes: usize, cost: f64) -> CurvePoint {
        CurvePoint {
            size: Bytes(size),
            indexes,
            cost: Cost(cost),
        }
    }

    #[test]
    fn what_is_larger_and_saves_no_more_is_not_on_the_curve() {
        let chosen = point(50, 3, 20.0);
        let points = vec![
            point(0, 0, 100.0),
            point(10, 1, 40.0),
            point(20, 2, 45.0),
            point(40, 2, 25.0),
            point(90, 4, 19.0),
            point(95, 5, 19.0),
        ];
        let curve = through(chosen, points);
        let sizes: Vec<u64> = curve.points.iter().map(|point| point.size.0).collect();
        assert_eq!(sizes, [0, 10, 40, 50, 90]);
        assert_eq!(curve.points[curve.chosen], chosen);
        assert_eq!(curve.points[curve.knee].size, Bytes(10));
    }

    #[test]
    fn without_any_index_there_is_one_point() {
        let curve = through(point(0, 0, 100.0), vec![point(0, 0, 100.0)]);
        assert_eq!((curve.points.len(), curve.chosen, curve.knee), (1, 0, 0));
    }

    #[test]
    fn a_straight_line_has_no_knee() {
        let line: Vec<CurvePoint> = (0..5)
            .map(|place| point(place * 10, place as usize, 100.0 - place as f64 * 20.0))
            .collect();
        assert_eq!(knee(&line), 0);
    }
}
