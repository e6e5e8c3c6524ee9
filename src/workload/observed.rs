//! The values that a statement had in its executions, as a log has them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::sql::{ValuePlace, literal_texts, literal_value, with_values};

/// A literal with at least this many values, in statements that are otherwise the same, is a
/// parameter.
pub const MIN_DISTINCT_VALUES: usize = 4;

/// A statement as it was executed with some values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedValues {
    /// Its text with these values.
    pub sql: String,
    /// How many executions had them, of those that were compared.
    pub executions: u64,
}

/// The literals of a statement in its executions. An IN list may be longer in one text than in
/// another, so only texts with the same number of literals are compared.
#[derive(Debug, Default)]
pub(super) struct ObservedLiterals {
    executions: usize,
    /// How many executions had these literals, as SQL.
    values: BTreeMap<Vec<String>, u64>,
    /// By the number of literals, which of them are values of parameters.
    bound: BTreeMap<usize, BTreeSet<usize>>,
}

impl ObservedLiterals {
    /// Later executions are not compared.
    const MAX_EXECUTIONS: usize = 100;

    /// A parameter that had one value in fewer executions than this may have others in the next
    /// ones.
    const MIN_EXECUTIONS: u64 = 10;

    /// A parameter that had this many values has others, too.
    const MIN_VALUES_OF_PARAMETER: usize = 2;

    pub(super) fn takes_more(&self) -> bool {
        self.executions < Self::MAX_EXECUTIONS
    }

    /// Adds an execution; `bound` are the positions of literals that are values of parameters.
    pub(super) fn add(&mut self, sql: &str, bound: BTreeSet<usize>) {
        self.executions += 1;
        let Some(literals) = literal_texts(sql) else {
            return;
        };
        if !bound.is_empty() {
            self.bound.entry(literals.len()).or_default().extend(bound);
        }
        *self.values.entry(literals).or_default() += 1;
    }

    pub(super) fn merge(&mut self, later: ObservedLiterals) {
        if !self.takes_more() {
            return;
        }
        self.executions += later.executions;
        for (literals, executions) in later.values {
            *self.values.entry(literals).or_default() += executions;
        }
        for (length, bound) in later.bound {
            self.bound.entry(length).or_default().extend(bound);
        }
    }

    /// The positions of the literals of this text that vary.
    pub(super) fn varying(&self, sql: &str) -> BTreeSet<usize> {
        let length = literal_texts(sql).map_or(0, |literals| literals.len());
        let bound = self.bound.get(&length);
        let executions: u64 = self.of_length(length).map(|(_, number)| number).sum();
        let varies = |position: &usize| {
            let of_position = self
                .of_length(length)
                .filter_map(|(all, _)| all.get(*position));
            let distinct: BTreeSet<String> = of_position.map(|text| literal_value(text)).collect();
            if bound.is_some_and(|bound| bound.contains(position)) {
                distinct.len() >= Self::MIN_VALUES_OF_PARAMETER || executions < Self::MIN_EXECUTIONS
            } else {
                distinct.len() >= MIN_DISTINCT_VALUES
            }
        };
        (0..length).filter(varies).collect()
    }

    /// This text with the values of all executions, where they differ and are enough to go by.
    pub(super) fn texts(&self, sql: &str) -> Vec<ObservedValues> {
        let length = literal_texts(sql).map_or(0, |literals| literals.len());
        let executions: u64 = self.of_length(length).map(|(_, number)| number).sum();
        if executions < Self::MIN_EXECUTIONS || self.of_length(length).count() < 2 {
            return Vec::new();
        }
        let with = |(literals, executions): (&Vec<String>, u64)| {
            let places = literals.iter().enumerate();
            let places = places.map(|(at, text)| (ValuePlace::Literal(at), text.clone()));
            let sql = with_values(sql, &places.collect())?;
            Some(ObservedValues { sql, executions })
        };
        self.of_length(length).filter_map(with).collect()
    }

    fn of_length(&self, length: usize) -> impl Iterator<Item = (&Vec<String>, u64)> {
        let all = self.values.iter();
        all.filter(move |(literals, _)| literals.len() == length)
            .map(|(literals, executions)| (literals, *executions))
    }
}
