//! The linear program behind the lower bound: which fractional choice of indexes saves most, as far
//! as is known of what statements cost at least.
//!
//! Of each statement sets of indexes are known without which it costs at least so much. To cost less
//! than the highest of these costs, it must have some index of that set; to cost less than the next
//! one, also some index of the next set; and so on. What a fractional choice has of a set is how far
//! that step may be gone. So what a statement saves is a concave function of the choice, and each of
//! its tangents is a constraint; they are added where the choice so far exceeds them (Kelley: "The
//! Cutting-Plane Method for Solving Convex Programs", 1960).

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem, Solution, Variable};

use super::plans::Facts;
use crate::model::Cost;

/// The solver's rounding, as a share.
pub(super) const ROUNDING: f64 = 1e-6;

/// How much of what a statement can save a choice may exceed a tangent before it is added.
const EXCESS: f64 = 1e-4;

/// How often tangents are added after statements became better known.
const MAX_STEPS: usize = 40;

/// An index that can be chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choosable {
    /// The least that writes pay for it.
    pub(super) write_cost: f64,
    /// Its share of the budget; 0 without one.
    pub(super) share_of_budget: f64,
}

/// The program, solved for the tangents so far.
pub(super) struct Relaxation {
    indexes: Vec<Choosable>,
    max_indexes: Option<usize>,
    /// For each statement, what it can save at all, as a share of what all can.
    ranges: Vec<f64>,
    /// With the places of their statements.
    tangents: Vec<(usize, Tangent)>,
    /// None: the solver fails with further tangents.
    solved: Option<Solved>,
    /// What is paid if nothing is saved.
    now: f64,
    /// What the objective counts in.
    unit: f64,
    /// Of the last program that was solved: its cost, and how much of each index is chosen.
    cost: f64,
    choice: Vec<f64>,
}

struct Solved {
    solution: Solution,
    choices: Vec<Variable>,
    /// For each statement, the share of what it can save at all that it saves.
    saved: Vec<Variable>,
}

impl Relaxation {
    /// Nothing is known yet but what each statement costs with everything and with nothing. None:
    /// there is nothing to save, or the solver fails.
    pub(super) fn new(
        facts: &[Facts],
        indexes: Vec<Choosable>,
        max_indexes: Option<usize>,
    ) -> Option<Relaxation> {
        let now: f64 = facts.iter().map(|facts| facts.calls * facts.now).sum();
        let ranges = facts.iter().map(|facts| facts.calls * facts.range());
        let unit: f64 = ranges.clone().sum();
        if unit <= 0.0 {
            return None;
        }
        let mut relaxation = Relaxation {
            indexes,
            max_indexes,
            ranges: ranges.map(|range| range / unit).collect(),
            tangents: Vec::new(),
            solved: None,
            now,
            unit,
            cost: 0.0,
            choice: Vec::new(),
        };
        relaxation.keep(relaxation.solved_anew()?);
        Some(relaxation)
    }

    /// What is known now is added, as far as the solver comes.
    pub(super) fn learn(&mut self, facts: &[Facts]) {
        for _ in 0..MAX_STEPS {
            let Some(solved) = self.solved.take() else {
                break;
            };
            let exceeded = facts.iter().enumerate().filter_map(|(place, facts)| {
                let tangent = Tangent::of(facts, &self.choice)?;
                let saved = solved.solution.var_value(*solved.saved.get(place)?);
                let exceeds = saved > tangent.value(&self.choice) + EXCESS;
                exceeds.then_some((place, tangent))
            });
            let exceeded: Vec<(usize, Tangent)> = exceeded.collect();
            if exceeded.is_empty() {
                self.solved = Some(solved);
                break;
            }
            let first = self.tangents.len();
            self.tangents.extend(exceeded);
            // What goes wrong step by step may go well from the beginning.
            let solved = solved.with(self.tangents.get(first..).unwrap_or_default());
            if let Some(solved) = solved.or_else(|| self.solved_anew()) {
                self.keep(solved);
            }
        }
    }

    fn keep(&mut self, solved: Solved) {
        let cost = self.now + self.unit * solved.solution.objective();
        self.cost = cost - ROUNDING * (cost.abs() + self.unit);
        let choices = solved.choices.iter();
        let share = |choice: &Variable| solved.solution.var_value(*choice).clamp(0.0, 1.0);
        self.choice = choices.map(share).collect();
        self.solved = Some(solved);
    }

    /// With all tangents so far; none if the solver fails.
    fn solved_anew(&self) -> Option<Solved> {
        let mut problem = Problem::new(OptimizationDirection::Minimize);
        let choices: Vec<Variable> = self
            .indexes
            .iter()
            .map(|index| problem.add_var(index.write_cost / self.unit, (0.0, 1.0)))
            .collect();
        let ranges = self.ranges.iter();
        let saved: Vec<Variable> = ranges
            .map(|range| problem.add_var(-range, (0.0, 1.0)))
            .collect();
        let mut size = LinearExpr::empty();
        let mut number = LinearExpr::empty();
        for (index, choice) in self.indexes.iter().zip(&choices) {
            size.add(*choice, index.share_of_budget);
            number.add(*choice, 1.0);
        }
        problem.add_constraint(size, ComparisonOp::Le, 1.0);
        if let Some(most) = self.max_indexes {
            problem.add_constraint(number, ComparisonOp::Le, most as f64);
        }
        for (place, tangent) in &self.tangents {
            let terms = tangent.terms(*saved.get(*place)?, &choices)?;
            problem.add_constraint(terms, ComparisonOp::Le, tangent.constant);
        }
        Some(Solved {
            solution: problem.solve().ok()?,
            choices,
            saved,
        })
    }

    /// No choice costs less: Σ calls × cost, and what writes pay.
    pub(super) fn cost(&self) -> Cost {
        Cost(self.cost)
    }

    /// How much of each index is chosen.
    pub(super) fn choice(&self) -> &[f64] {
        &self.choice
    }
}

impl Solved {
    /// With these tangents, too; none if the solver fails.
    fn with(mut self, tangents: &[(usize, Tangent)]) -> Option<Solved> {
        for (place, tangent) in tangents {
            let terms = tangent.terms(*self.saved.get(*place)?, &self.choices)?;
            let added = self
                .solution
                .add_constraint(terms, ComparisonOp::Le, tangent.constant);
            self.solution = added.ok()?;
        }
        Some(self)
    }
}

/// The share of what a statement can save that it saves at most: a constant, and for each index a share
/// of that index.
struct Tangent {
    constant: f64,
    shares: Vec<f64>,
}

impl Tangent {
    /// At this choice. None: the statement cannot save anything.
    fn of(facts: &Facts, choice: &[f64]) -> Option<Tangent> {
        let range = facts.range();
        if range <= ROUNDING * facts.now {
            return None;
        }
        let mut tangent = Tangent {
            constant: 0.0,
            shares: vec![0.0; choice.len()],
        };
        let mut reach = 1.0;
        let mut narrowest: Option<&[usize]> = None;
        for (level, next) in facts.levels.iter().zip(facts.levels.iter().skip(1)) {
            let missing = level.missing.iter();
            let present: f64 = missing.filter_map(|trial| choice.get(*trial)).sum();
            if present < reach {
                reach = present;
                narrowest = Some(&level.missing);
            }
            let step = (level.cost - next.cost) / range;
            match narrowest {
                None => tangent.constant += step,
                Some(missing) => {
                    for trial in missing {
                        *tangent.shares.get_mut(*trial)? += step;
                    }
                }
            }
        }
        Some(tangent)
    }

    /// What has to be at most the constant.
    fn terms(&self, saved: Variable, choices: &[Variable]) -> Option<LinearExpr> {
        let mut terms = LinearExpr::empty();
        terms.add(saved, 1.0);
        for (place, share) in self.shares.iter().enumerate() {
            if *share > 0.0 {
                terms.add(*choices.get(place)?, -share);
            }
        }
        Some(terms)
    }

    fn value(&self, choice: &[f64]) -> f64 {
        let of_each = self.shares.iter().zip(choice);
        self.constant + of_each.map(|(share, chosen)| share * chosen).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::plans::Level;

    fn level<const N: usize>(cost: f64, missing: [usize; N]) -> Level {
        Level {
            cost,
            missing: missing.to_vec(),
        }
    }

    fn facts(levels: Vec<Level>) -> Facts {
        Facts {
            calls: 2.0,
            now: levels[0].cost,
            floor: levels[levels.len() - 1].cost,
            levels,
        }
    }

    fn bound(facts: &[Facts], sizes: &[f64]) -> f64 {
        let indexes: Vec<Choosable> = sizes
            .iter()
            .map(|size| Choosable {
                write_cost: 0.0,
                share_of_budget: *size,
            })
            .collect();
        let mut relaxation = Relaxation::new(facts, indexes, None).unwrap();
        relaxation.learn(facts);
        relaxation.cost().0
    }

    /// 100 without any; 40 with the first or the second; 10 with the first.
    fn one() -> Vec<Facts> {
        vec![facts(vec![
            level(100.0, [0, 1]),
            level(40.0, [0]),
            level(10.0, []),
        ])]
    }

    #[test]
    fn a_step_is_gone_as_far_as_there_is_an_index_for_it_and_for_those_before() {
        let is = |sizes: &[f64], expected: f64| {
            let bound = bound(&one(), sizes);
            assert!((bound - expected).abs() < 1.0, "{sizes:?}: {bound}");
        };
        is(&[1.0, 1.0], 20.0);
        // Half of the first one goes both steps half.
        is(&[2.0, 9.0], 2.0 * (100.0 - 90.0 / 2.0));
        // The second one makes the first step whole.
        is(&[9.0, 1.0], 2.0 * 40.0);
    }

    #[test]
    fn nothing_to_save_has_no_bound() {
        let facts = [facts(vec![level(100.0, [])])];
        assert!(Relaxation::new(&facts, Vec::new(), None).is_none());
    }
}
