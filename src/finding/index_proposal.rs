//! Indexes that findings propose: candidates of the generators that the advice uses
//! (`src/candidate`), made for one relation of the plan. So a finding never proposes an index that
//! the advice would not test.

use std::borrow::Cow;

use super::subject::Subject;
use crate::candidate;
use crate::catalog::{Catalog, contrib_classes};
use crate::index::{Extension, Index, Key, Method};
use crate::model::QualifiedName;
use crate::plan::Node;
use crate::predicate::{Condition, ConditionKind, OrderKey, Relation, RelationUse};
use crate::sql::Expression;

/// What an index could do about a finding.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum IndexProposal {
    /// It would have to be created.
    Create(Box<Index>),
    /// The planner has one and does not use it.
    Existing(QualifiedName),
}

impl IndexProposal {
    /// `CREATE INDEX CONCURRENTLY ON public.jobs (state, run_at);`; nothing for an index that
    /// exists.
    pub(super) fn statement(&self, subject: &Subject<'_>, scan: &Node) -> Option<String> {
        match self {
            IndexProposal::Create(index) => Some(format!(
                "{} {};",
                subject.create_index_on(scan)?,
                index.body()
            )),
            IndexProposal::Existing(_) => None,
        }
    }
}

/// The best candidate for a use of a relation, and what creates it. None where no index helps, or
/// where one exists.
pub(super) fn create_index(
    subject: &Subject<'_>,
    scan: &Node,
    relation: &RelationUse,
) -> Option<String> {
    propose(subject, relation)?.statement(subject, scan)
}

/// The best plain btree among the candidates for a use of a relation.
pub(super) fn propose(subject: &Subject<'_>, relation: &RelationUse) -> Option<IndexProposal> {
    propose_in(subject.plan_catalog(), relation)
}

/// The index that a use of a relation asks for, by its conditions and orders alone: a plain btree,
/// or else one of another method. None where no index helps, or where one exists.
pub fn proposed_index(relation: &RelationUse, catalog: &Catalog) -> Option<Index> {
    let other_method = || {
        let candidates = candidate::for_relation(relation, catalog)
            .to_try
            .into_iter();
        let mut others = candidates.filter(|candidate| {
            !matches!(
                candidate.index.method,
                Method::Btree | Method::Hash | Method::Brin
            )
        });
        Some(others.next()?.index)
    };
    match propose_in(catalog, relation) {
        Some(IndexProposal::Create(index)) => Some(*index),
        Some(IndexProposal::Existing(_)) => None,
        None => other_method(),
    }
}

fn propose_in(catalog: &Catalog, relation: &RelationUse) -> Option<IndexProposal> {
    let candidates = candidate::for_relation(relation, catalog);
    let wanted = WantedKeys::of(relation);
    let missing = candidates.to_try.into_iter().map(|candidate| {
        let score = wanted.score(&candidate.index);
        (score, IndexProposal::Create(Box::new(candidate.index)))
    });
    let existing = candidates.covered.into_iter().map(|covered| {
        let score = wanted.score(&covered.index);
        (score, IndexProposal::Existing(covered.existing.name))
    });
    let (score, best) = missing.chain(existing).max_by_key(|(score, _)| *score)?;
    (score.matching > 0).then_some(best)
}

/// A catalog that knows no operator classes, with those of the extensions that come with
/// PostgreSQL.
pub(super) fn with_contrib_classes(catalog: &Catalog) -> Cow<'_, Catalog> {
    let mut catalog = Cow::Borrowed(catalog);
    if catalog.operator_classes.is_empty() {
        let classes = contrib_classes::EXTENSIONS.iter().flat_map(|name| {
            contrib_classes::of_extension(&Extension {
                name: (*name).to_owned(),
                schema: String::new(),
            })
            .collect::<Vec<_>>()
        });
        catalog.to_mut().operator_classes = classes.collect();
    }
    catalog
}

/// The index with which a search for a part of a text, `LIKE '%…%'`, finds its rows.
///
/// A plan without the server's catalog does not tell which extensions there are: those that come
/// with PostgreSQL are assumed.
pub(super) fn substring_index(
    subject: &Subject<'_>,
    relation: &RelationUse,
    searched: &Condition,
) -> Option<IndexProposal> {
    let catalog = with_contrib_classes(subject.plan_catalog());
    let serves = |index: &Index| {
        index.method == Method::Gin
            && matches!(index.keys.as_slice(), [key] if key.key == searched.key)
    };
    let candidates = candidate::for_relation(relation, &catalog);
    let mut missing = candidates.to_try.into_iter();
    if let Some(candidate) = missing.find(|candidate| serves(&candidate.index)) {
        return Some(IndexProposal::Create(Box::new(candidate.index)));
    }
    let mut covered = candidates.covered.into_iter();
    let covered = covered.find(|covered| serves(&covered.index))?;
    Some(IndexProposal::Existing(covered.existing.name))
}

/// What a scan asks for in some of its properties and those of other nodes.
pub(super) fn relation_use(
    subject: &Subject<'_>,
    scan: &Node,
    properties: &[(&Node, &'static str)],
) -> Option<RelationUse> {
    let relation = subject.relation(scan)?;
    let mut wanted = RelationUse::new(
        scan.id,
        relation.table.name.clone(),
        relation.alias.to_owned(),
    );
    for (node, property) in properties {
        if let Some(condition) = subject.condition(node, property) {
            wanted.add_conditions(&condition, relation);
        }
    }
    Some(wanted)
}

/// As [`relation_use`], of properties of the scan itself.
pub(super) fn scan_use(
    subject: &Subject<'_>,
    scan: &Node,
    properties: &[&'static str],
) -> Option<RelationUse> {
    let properties: Vec<_> = properties
        .iter()
        .map(|property| (scan, *property))
        .collect();
    relation_use(subject, scan, &properties)
}

/// The plain columns that a use compares with single values.
pub(super) fn equal_columns(relation: &RelationUse) -> Vec<Key> {
    let mut columns = lookups(relation, is_equality);
    columns.retain(|key| key.column().is_some());
    columns
}

/// Does a use look up plain columns, which an index would find?
pub(super) fn looks_up_columns(relation: &RelationUse) -> bool {
    let is_lookup = |kind| is_equality(kind) || kind == ConditionKind::Range;
    lookups(relation, is_lookup)
        .iter()
        .any(|key| key.column().is_some())
}

/// Does a filter compare a plain column of the relation with something that is known, so that an
/// index would find its rows?
pub(super) fn has_column_lookup(filter: &Expression, relation: Relation<'_>, scan: &Node) -> bool {
    let name = relation.table.name.clone();
    let mut wanted = RelationUse::new(scan.id, name, relation.alias.to_owned());
    wanted.add_conditions(filter, relation);
    looks_up_columns(&wanted)
}

fn is_equality(kind: ConditionKind) -> bool {
    matches!(
        kind,
        ConditionKind::Equality | ConditionKind::Membership | ConditionKind::Null
    )
}

fn lookups(relation: &RelationUse, wanted: impl Fn(ConditionKind) -> bool) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for condition in &relation.conditions {
        if wanted(condition.kind) && !keys.contains(&condition.key) {
            keys.push(condition.key.clone());
        }
    }
    keys
}

/// The keys an index should have: those of equalities in any order, then the order of the rows, or
/// else one range (nothing after a range narrows the scan; an order after one is lost).
struct WantedKeys {
    equal: Vec<Key>,
    after: Vec<Key>,
}

/// How well a candidate's keys are those that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    matching: usize,
    /// Fewer other keys are better.
    others: std::cmp::Reverse<usize>,
}

impl WantedKeys {
    /// Plain columns, where any are compared: of an expression there are no statistics before the
    /// index is built.
    fn of(relation: &RelationUse) -> WantedKeys {
        let mut equal = lookups(relation, is_equality);
        let mut ranges = lookups(relation, |kind| kind == ConditionKind::Range);
        if looks_up_columns(relation) {
            equal.retain(|key| key.column().is_some());
            ranges.retain(|key| key.column().is_some());
        }
        let order = relation.orders.first();
        let after = match order {
            Some(order) => order.iter().map(|term| term.key.clone()).collect(),
            None => ranges.into_iter().take(1).collect::<Vec<Key>>(),
        };
        let after = after
            .into_iter()
            .filter(|key| !equal.contains(key))
            .collect();
        WantedKeys { equal, after }
    }

    fn score(&self, index: &Index) -> Score {
        let is_plain = index.method == Method::Btree
            && index.predicate.is_none()
            && index.include.is_empty()
            && index.keys.iter().all(|key| key.operator_class.is_none());
        let is_wanted =
            |(position, key): (usize, &Key)| match position.checked_sub(self.equal.len()) {
                None => self.equal.contains(key),
                Some(position) => self.after.get(position) == Some(key),
            };
        let keys = index.keys.iter().map(|key| &key.key).enumerate();
        let matching = keys.take_while(|key| is_plain && is_wanted(*key)).count();
        Score {
            matching,
            others: std::cmp::Reverse(index.keys.len() - matching),
        }
    }
}

/// `state, run_at DESC`.
pub(super) fn order_text(order: &[OrderKey]) -> String {
    let terms: Vec<String> = order.iter().map(ToString::to_string).collect();
    terms.join(", ")
}

/// `state, kind`.
pub(super) fn keys_text(keys: &[Key]) -> String {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    keys.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::parse_index;

    #[test]
    fn equalities_come_first_in_any_order_and_other_keys_count_against_an_index() {
        let column = |name: &str| Key::Column(name.to_owned());
        let wanted = WantedKeys {
            equal: vec![column("a"), column("b")],
            after: vec![column("c")],
        };
        let score = |definition: &str| {
            wanted.score(&parse_index(&format!("CREATE INDEX i ON t {definition}")).unwrap())
        };
        assert!(score("(b, a, c)") == score("(a, b, c)"));
        assert!(score("(a, b, c)") > score("(a, b, c, d)"));
        assert!(score("(a, b, c, d)") > score("(a, b)"));
        assert!(score("(a, b)") > score("(a, c)"));
        assert_eq!(score("(c, a)").matching, 0);
        assert_eq!(score("(a, b, c) WHERE d").matching, 0);
    }
}
