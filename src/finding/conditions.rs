//! Conditions from an index's point of view: what of them could be keys, and what stands in the way.

use super::subject::Subject;
use crate::catalog::Table;
use crate::plan::{Node, NodeType};
use crate::sql::{Expression, Shape};

/// Rows read in vain that are worth a word.
pub(super) const MIN_REMOVED: f64 = 1_000.0;
/// A scan is selective when it keeps at most this share of what it reads.
pub(super) const MAX_KEPT: f64 = 0.10;
/// Without ANALYZE: fetching the rows one random page each would have to be this many times cheaper than the scan.
/// (For a function of a column the planner guesses half a per cent of the rows, which has to pass here.)
const MIN_GAIN: f64 = 2.0;

/// Columns an index could have as keys.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Keys {
    /// Compared with `=`, `IN` or `IS NULL`.
    pub(super) equal: Vec<String>,
    /// Compared with `<` and the like.
    pub(super) range: Vec<String>,
    /// Wanted in this order.
    pub(super) order: Vec<String>,
}

impl Keys {
    /// Equalities first, then the order, then at most one range (nothing after a range narrows the scan; an order after one is lost).
    pub(super) fn in_order(&self) -> Vec<String> {
        let mut columns: Vec<String> = Vec::new();
        let bare = |column: &str| {
            column
                .split(" DESC")
                .next()
                .unwrap_or(column)
                .split(" NULLS")
                .next()
                .unwrap_or(column)
                .to_owned()
        };
        let range = if self.order.is_empty() {
            self.range.iter().take(1)
        } else {
            self.range.iter().take(0)
        };
        for column in self.equal.iter().chain(&self.order).chain(range) {
            if !columns.iter().any(|known| bare(known) == bare(column)) {
                columns.push(column.clone());
            }
        }
        columns
    }

    pub(super) fn is_empty(&self) -> bool {
        self.equal.is_empty() && self.range.is_empty()
    }

    /// Adds what a condition on the relation offers.
    pub(super) fn add(&mut self, condition: &Expression, relation: &Relation<'_>) {
        for conjunct in conjuncts(condition) {
            match relation.key_of(conjunct) {
                Some((key, Comparison::Equal)) if !self.equal.contains(&key) => {
                    self.equal.push(key)
                }
                Some((key, Comparison::Range)) if !self.range.contains(&key) => {
                    self.range.push(key)
                }
                _ => {}
            }
        }
    }
}

/// How a key is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Range,
}

/// One relation of the plan, as its conditions see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relation<'a> {
    alias: Option<&'a str>,
    pub(super) table: Option<&'a Table>,
}

impl<'a> Relation<'a> {
    pub(super) fn of(subject: &Subject<'a>, node: &'a Node) -> Relation<'a> {
        Relation {
            alias: node.alias(),
            table: subject.table(node),
        }
    }

    /// Does the expression read columns of this relation and of no other? Without VERBOSE a scan's own columns are unqualified.
    pub(super) fn owns(&self, expression: &Expression) -> bool {
        let own_names = expression
            .relations
            .iter()
            .all(|relation| Some(relation.as_str()) == self.alias);
        !expression.columns.is_empty() && own_names
    }

    /// The plain column behind an expression, also behind a cast that only relabels (`(name)::text` of a varchar). Without a
    /// catalog a cast to text is taken for one: nearly all of them are.
    pub(super) fn plain_column<'e>(&self, expression: &'e Expression) -> Option<&'e Expression> {
        match &expression.shape {
            Shape::Column(_) => Some(expression),
            Shape::Cast { operand, type_name } => {
                let Shape::Column(name) = &operand.shape else {
                    return None;
                };
                let relabels = match self.table.and_then(|table| table.column(name)) {
                    Some(column) => column.is_relabelled_by(type_name),
                    None => type_name == "text",
                };
                relabels.then_some(operand.as_ref())
            }
            _ => None,
        }
    }

    /// The key a condition offers an index on this relation.
    pub(super) fn key_of(&self, conjunct: &Expression) -> Option<(String, Comparison)> {
        let key = |operand: &Expression, comparison| {
            Some((
                self.plain_column(operand)
                    .filter(|_| self.owns(operand))?
                    .text
                    .clone(),
                comparison,
            ))
        };
        match &conjunct.shape {
            Shape::Binary {
                operator,
                left,
                right,
            } => {
                let comparison = comparison(operator)?;
                if self.owns(left) && !self.owns(right) {
                    key(left, comparison)
                } else if self.owns(right) && !self.owns(left) {
                    key(right, comparison)
                } else {
                    None
                }
            }
            Shape::AnyOf {
                operator,
                operand,
                array,
            } if operator == "=" && !self.owns(array) => key(operand, Comparison::Equal),
            Shape::NullTest {
                operand,
                negated: false,
            } => key(operand, Comparison::Equal),
            Shape::Not(operand) if matches!(operand.shape, Shape::Column(_)) => {
                key(operand, Comparison::Equal)
            }
            Shape::Column(_) => key(conjunct, Comparison::Equal),
            _ => None,
        }
    }
}

pub(super) fn comparison(operator: &str) -> Option<Comparison> {
    match operator {
        "=" => Some(Comparison::Equal),
        "<" | "<=" | ">" | ">=" => Some(Comparison::Range),
        _ => None,
    }
}

/// The ANDed parts of a condition.
pub(super) fn conjuncts(condition: &Expression) -> &[Expression] {
    match &condition.shape {
        Shape::And(parts) => parts,
        _ => std::slice::from_ref(condition),
    }
}

/// The keys that conditions of a node offer.
pub(super) fn keys<'a>(subject: &Subject<'a>, node: &'a Node, properties: &[&'static str]) -> Keys {
    let relation = Relation::of(subject, node);
    let mut keys = Keys::default();
    for property in properties {
        if let Some(condition) = subject.condition(node, property) {
            keys.add(&condition, &relation);
        }
    }
    keys
}

/// A scan that throws away most of what it reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Waste {
    /// What that takes, in the unit of the basis.
    pub(super) impact: f64,
    /// Rows read, when they were counted.
    pub(super) read: Option<f64>,
    /// Rows kept, counted or expected.
    pub(super) kept: f64,
}

impl Waste {
    /// `reads 300,000 rows to keep 600`, or `expects to keep 600 rows`.
    pub(super) fn text(&self) -> String {
        let kept = super::subject::count(self.kept);
        match self.read {
            Some(read) => format!("reads {} rows to keep {kept}", super::subject::count(read)),
            None => format!("reads the whole table to keep an expected {kept} rows"),
        }
    }
}

/// Does a node's filter throw away most of what it reads? Counted with ANALYZE; without, judged by whether fetching the expected
/// rows one by one would cost much less than the scan does (`random_page_cost`, 4 when it is not known).
pub(super) fn waste(subject: &Subject<'_>, node: &Node) -> Option<Waste> {
    node.filter()?;
    let own = subject.own(node.id);
    if !subject.is_reportable(own) {
        return None;
    }
    if subject.measured() {
        let metrics = subject.of(node);
        let (kept, removed) = (metrics.rows_total()?, metrics.removed.by_filter);
        let read = kept + removed;
        let wasteful = removed >= MIN_REMOVED && kept <= MAX_KEPT * read;
        return wasteful.then(|| Waste {
            impact: own * removed / read,
            read: Some(read),
            kept,
        });
    }
    if *node.node_type() != NodeType::SeqScan {
        return None;
    }
    let random_page = subject
        .setting("random_page_cost")
        .and_then(|cost| cost.parse().ok())
        .unwrap_or(4.0_f64);
    let kept = node.plan_rows()?;
    let one_by_one = kept * random_page.max(1.0);
    (one_by_one * MIN_GAIN <= node_cost(node)).then_some(Waste {
        impact: own,
        read: None,
        kept,
    })
}

/// The cost of one execution of a scan, without the penalty of a disabled one.
fn node_cost(node: &Node) -> f64 {
    crate::plan::metrics::cost::without_penalty(node.total_cost().0)
}
