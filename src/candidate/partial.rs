//! A condition with constants becomes the index's predicate; the rest of the statement gives the
//! keys.
//!
//! Only for conditions that select a category of rows ([`super::partial_eligibility`]): a predicate
//! on a value that changes from call to call (a user, a date) would serve one call. And only when
//! few rows satisfy it.

use super::composite::key_lists;
use super::context::{CandidateContext, ascending};
use super::partial_eligibility::{MAX_SHARE, kept_share};
use crate::index::{Index, IndexKey, Key};
use crate::predicate::{Condition, ConditionKind};
use crate::sql::Expression;

/// So few rows are read as they come: their index needs no order.
const MAX_SHARE_OF_OWN_KEY: f64 = 0.02;

/// Where a key finds so few rows, a predicate on a value saves nothing and costs all other values
/// their index: `user_id = 7 AND role = 'OWNER'`.
const FEW_ROWS: f64 = 30.0;

/// `IS NULL` names a kind of rows, however many they are now, and as a key it would stand between an
/// equality and an order.
const MAX_SHARE_OF_NULL: f64 = 1.0;

/// `<>`, NOT IN and `IS NOT NULL` exclude rows that are not queried; a small excluded share is
/// enough.
const MAX_SHARE_OF_EXCLUSION: f64 = 0.8;

pub(super) fn generate(context: CandidateContext<'_>) -> Vec<Index> {
    let partial = |part: Part<'_>| {
        let lists = part.lists.into_iter();
        lists
            .map(|keys| context.btree(keys).partial(part.predicate.clone()))
            .collect::<Vec<_>>()
    };
    parts(context).into_iter().flat_map(partial).collect()
}

/// A part of the table that an index could be limited to.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    /// Which rows it holds.
    pub(super) predicate: Expression,
    /// The conditions of the statement that the predicate implies: they need no key.
    pub(super) implied: Vec<&'a Condition>,
    /// The key lists that go with it.
    pub(super) lists: Vec<Vec<IndexKey>>,
}

/// A condition that may be a predicate, or a part of one.
struct Term<'a> {
    expression: Expression,
    share: f64,
    largest_share: f64,
    /// The key of the index where the statement asks for nothing else of these rows.
    own_key: Option<Key>,
    /// None for an OR, which is not among the statement's conditions.
    condition: Option<&'a Condition>,
}

/// The predicates worth trying, each with the key lists that go with it. None where the statement
/// names one row by a unique key: `id = 7 AND version = 3`.
pub(super) fn parts(context: CandidateContext<'_>) -> Vec<Part<'_>> {
    if context.finds_one_row() {
        return Vec::new();
    }
    let conditions = context
        .relation
        .conditions
        .iter()
        .filter_map(|condition| of_condition(condition, context));
    let terms: Vec<Term<'_>> = conditions
        .chain(
            context
                .relation
                .alternatives
                .iter()
                .filter_map(|arms| of_arms(arms, context)),
        )
        .collect();
    term_sets(&terms)
        .into_iter()
        .map(|set| part(context, &set))
        .collect()
}

fn of_condition<'a>(condition: &'a Condition, context: CandidateContext<'_>) -> Option<Term<'a>> {
    let share = kept_share(condition, context)?;
    if is_one_of_many_values(condition, context) && context.rows_beside(condition) <= FEW_ROWS {
        return None;
    }
    let largest_share = match condition.kind {
        ConditionKind::NotNull | ConditionKind::Inequality | ConditionKind::Exclusion => {
            MAX_SHARE_OF_EXCLUSION
        }
        ConditionKind::Null => MAX_SHARE_OF_NULL,
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

/// A value of a state, and no flag, no NULL, and not what the author says is fixed: the next call may
/// ask for another one.
fn is_one_of_many_values(condition: &Condition, context: CandidateContext<'_>) -> bool {
    let is_flag = |name: &String| {
        let column = context.table.column(name);
        column.is_some_and(|column| column.type_name == "boolean")
    };
    let of_value = matches!(
        condition.kind,
        ConditionKind::Equality | ConditionKind::Membership | ConditionKind::Range
    );
    of_value
        && matches!(&condition.key, Key::Column(name) if !is_flag(name))
        && !context.profile.is_fixed(context.statement, condition)
}

/// `state = 'NEW' OR state = 'LOST' AND owner = 7`: the most selective category of each arm; the
/// whole condition implies them together.
fn of_arms<'a>(arms: &'a [Vec<Condition>], context: CandidateContext<'_>) -> Option<Term<'a>> {
    let mut rarest_of_arms: Vec<Expression> = Vec::new();
    let mut share = 0.0;
    let mut own_key = None;
    for arm in arms {
        let categories = arm
            .iter()
            .filter_map(|condition| of_condition(condition, context));
        let rarest = categories.min_by(|a, b| a.share.total_cmp(&b.share))?;
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

/// Each selective term by itself, all row predicates together, and all terms together.
fn term_sets<'t, 'a>(terms: &'t [Term<'a>]) -> Vec<Vec<&'t Term<'a>>> {
    let selective = terms.iter().filter(|term| term.share <= term.largest_share);
    let mut sets: Vec<Vec<&Term<'_>>> = selective.map(|term| vec![term]).collect();
    let is_row_predicate = |term: &&Term<'_>| {
        term.condition
            .is_some_and(|condition| condition.kind == ConditionKind::RowPredicate)
    };
    let row_predicates: Vec<&Term<'_>> = terms.iter().filter(is_row_predicate).collect();
    let share: f64 = terms.iter().map(|term| term.share).product();
    let has_null = terms.iter().any(|term| {
        term.condition
            .is_some_and(|condition| condition.kind == ConditionKind::Null)
    });
    let all =
        (share <= MAX_SHARE_OF_EXCLUSION || has_null).then(|| terms.iter().collect::<Vec<_>>());
    for set in [Some(row_predicates), all]
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

/// The other conditions of the statement give the keys; where there are none, or only joins, the
/// predicate's own column does.
fn part<'a>(context: CandidateContext<'_>, set: &[&Term<'a>]) -> Part<'a> {
    let implied: Vec<&Condition> = set.iter().filter_map(|term| term.condition).collect();
    let mut lists = key_lists(context, &implied);
    let joined = context.join_keys();
    let own_key = set.iter().find_map(|term| term.own_key.clone());
    let is_rare = set.iter().any(|term| term.share <= MAX_SHARE_OF_OWN_KEY);
    if is_rare || lists.iter().flatten().all(|key| joined.contains(&key.key)) {
        lists.extend(own_key.map(|key| ascending(&[key])));
    }
    let parts = set.iter().map(|term| term.expression.clone()).collect();
    Part {
        predicate: Expression::all(parts),
        implied,
        lists,
    }
}
