//! A condition with constants becomes the index's predicate; the rest of the statement gives the keys.
//!
//! Only for conditions that name a *kind* of row ([`super::kinds`]): a predicate on a value that changes from call to call (a user,
//! a date) would serve one call. And only when few rows satisfy it.

use super::composite::key_lists;
use super::partial_eligibility::kept_share;
use super::{Ask, ascending};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, ConditionKind};
use crate::sql::Expression;

/// A predicate that keeps more rows than this saves too little over the whole index.
const MAX_SHARE: f64 = 0.35;

/// `<>`, NOT IN and `IS NOT NULL` leave out what nobody asks for, and need not leave much.
const MAX_SHARE_OF_THE_REST: f64 = 0.8;

pub(super) fn generate(ask: Ask<'_>) -> Vec<Index> {
    let partial = |part: Part<'_>| {
        let lists = part.lists.into_iter();
        lists
            .map(|keys| ask.btree(keys).partial(part.predicate.clone()))
            .collect::<Vec<_>>()
    };
    parts(ask).into_iter().flat_map(partial).collect()
}

/// A part of the table that is worth an index.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    /// Which rows it holds.
    pub(super) predicate: Expression,
    /// The statement's conditions that say so: they need no key any more.
    pub(super) settled: Vec<&'a Condition>,
    /// The key lists that go with it.
    pub(super) lists: Vec<Vec<IndexKey>>,
}

/// What may be a predicate, or a part of one.
struct Term<'a> {
    expression: Expression,
    share: f64,
    largest_share: f64,
    /// The key of an index that holds these rows and nothing else is asked of them.
    own_key: Option<Key>,
    /// None for an OR, which is no condition of the statement's.
    condition: Option<&'a Condition>,
}

/// The predicates worth trying, each with the key lists that go with it.
pub(super) fn parts(ask: Ask<'_>) -> Vec<Part<'_>> {
    let conditions = ask
        .relation
        .conditions
        .iter()
        .filter_map(|condition| of_condition(condition, ask));
    let terms: Vec<Term<'_>> = conditions
        .chain(
            ask.relation
                .alternatives
                .iter()
                .filter_map(|arms| of_arms(arms, ask)),
        )
        .collect();
    term_sets(&terms)
        .into_iter()
        .map(|set| part(ask, &set))
        .collect()
}

fn of_condition<'a>(condition: &'a Condition, ask: Ask<'_>) -> Option<Term<'a>> {
    let share = kept_share(condition, ask)?;
    let largest_share = match condition.kind {
        ConditionKind::NotNull | ConditionKind::Inequality | ConditionKind::Exclusion => {
            MAX_SHARE_OF_THE_REST
        }
        _ => MAX_SHARE,
    };
    let own_key = match condition.kind {
        ConditionKind::RowPredicate => condition.columns().into_iter().next().map(Key::Column),
        _ => Some(condition.key.clone()),
    };
    Some(Term {
        expression: condition.expression.clone(),
        share,
        largest_share,
        own_key,
        condition: Some(condition),
    })
}

/// `state = 'NEW' OR state = 'LOST' AND owner = 7`: of each arm what names kinds; together it is implied by the whole.
fn of_arms<'a>(arms: &'a [Vec<Condition>], ask: Ask<'_>) -> Option<Term<'a>> {
    let mut rarest_of_arms: Vec<Expression> = Vec::new();
    let mut share = 0.0;
    let mut own_key = None;
    for arm in arms {
        let kinds = arm
            .iter()
            .filter_map(|condition| of_condition(condition, ask));
        let rarest = kinds.min_by(|a, b| a.share.total_cmp(&b.share))?;
        share += rarest.share;
        own_key = own_key.or(rarest.own_key);
        if !rarest_of_arms.contains(&rarest.expression) {
            rarest_of_arms.push(rarest.expression);
        }
    }
    (rarest_of_arms.len() > 1).then(|| Term {
        expression: Expression::any(rarest_of_arms),
        share,
        largest_share: MAX_SHARE,
        own_key,
        condition: None,
    })
}

/// Each selective one by itself, all facts about the row together, and all of them together.
fn term_sets<'t, 'a>(terms: &'t [Term<'a>]) -> Vec<Vec<&'t Term<'a>>> {
    let selective = terms.iter().filter(|term| term.share <= term.largest_share);
    let mut sets: Vec<Vec<&Term<'_>>> = selective.map(|term| vec![term]).collect();
    let is_fact = |term: &&Term<'_>| {
        term.condition
            .is_some_and(|condition| condition.kind == ConditionKind::RowPredicate)
    };
    let facts: Vec<&Term<'_>> = terms.iter().filter(is_fact).collect();
    let share: f64 = terms.iter().map(|term| term.share).product();
    let all = (share <= MAX_SHARE_OF_THE_REST).then(|| terms.iter().collect::<Vec<_>>());
    for set in [Some(facts), all]
        .into_iter()
        .flatten()
        .filter(|set| set.len() > 1)
    {
        if !sets.iter().any(|known| known.len() == set.len()) {
            sets.push(set);
        }
    }
    sets
}

/// What is left of the statement gives the keys; where that is nothing, or only what it is joined on, the predicate's own column.
fn part<'a>(ask: Ask<'_>, set: &[&Term<'a>]) -> Part<'a> {
    let settled: Vec<&Condition> = set.iter().filter_map(|term| term.condition).collect();
    let mut lists = key_lists(ask, &settled);
    let joined = ask.join_keys();
    if lists.iter().flatten().all(|key| joined.contains(&key.key)) {
        lists.extend(
            set.iter()
                .find_map(|term| term.own_key.clone())
                .map(|key| ascending(&[key])),
        );
    }
    let parts = set.iter().map(|term| term.expression.clone()).collect();
    Part {
        predicate: Expression::all(parts),
        settled,
        lists,
    }
}
