//! The values that a statement had in its executions, as a log has them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::log;
use crate::sql::{ValuePlace, bound_literals, literal_texts, literal_value, with_values};

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

/// A statement as it was logged, with its parameters (`$1 = '5'`).
#[derive(Debug, Clone)]
pub(super) struct Logged {
    sql: String,
    parameters: Option<String>,
}

impl Logged {
    pub(super) fn new(sql: &str, parameters: Option<&str>) -> Logged {
        Logged {
            sql: sql.to_owned(),
            parameters: parameters.map(str::to_owned),
        }
    }

    /// The statement with the logged values in the places of its parameters, and the positions of
    /// these values among its literals.
    pub(super) fn with_parameters(&self) -> (String, BTreeSet<usize>) {
        let bound = || {
            let values = log::parameter_values(self.parameters.as_deref()?)?;
            let values: BTreeMap<ValuePlace, String> = values
                .into_iter()
                .map(|(number, literal)| (ValuePlace::Parameter(number), literal))
                .collect();
            let sql = with_values(&self.sql, &values)?;
            Some((sql, bound_literals(&self.sql, &values)))
        };
        bound().unwrap_or_else(|| (self.sql.clone(), BTreeSet::new()))
    }
}

/// The first executions of a statement as they were logged. They are read when all are known.
#[derive(Debug, Default)]
pub(super) struct ObservedTexts {
    executions: u64,
    bytes: usize,
    /// Texts that were executed in a row, each with its parameters.
    texts: Vec<(String, Vec<Repeated>)>,
}

/// Parameters, and how many executions in a row had them.
type Repeated = (Option<String>, u64);

impl ObservedTexts {
    /// Later executions are not compared.
    const MAX_EXECUTIONS: u64 = 100;

    /// The memory for the texts of one statement.
    const MAX_BYTES: usize = 32 * 1024;

    fn takes_more(&self) -> bool {
        self.executions < Self::MAX_EXECUTIONS && self.bytes < Self::MAX_BYTES
    }

    /// Adds an execution, unless enough are known.
    pub(super) fn add(&mut self, sql: &str, parameters: Option<&str>) {
        if !self.takes_more() {
            return;
        }
        self.executions += 1;
        if self.texts.last().is_none_or(|(text, _)| text != sql) {
            self.bytes += sql.len();
            self.texts.push((sql.to_owned(), Vec::new()));
        }
        let Some((_, values)) = self.texts.last_mut() else {
            return;
        };
        match values.last_mut() {
            Some((last, times)) if last.as_deref() == parameters => *times += 1,
            _ => {
                self.bytes += parameters.map_or(0, str::len);
                values.push((parameters.map(str::to_owned), 1));
            }
        }
    }

    pub(super) fn merge(&mut self, later: ObservedTexts) {
        if self.takes_more() {
            self.executions += later.executions;
            self.bytes += later.bytes;
            self.texts.extend(later.texts);
        }
    }

    /// The literals of all texts.
    pub(super) fn literals(&self) -> ObservedLiterals {
        let mut literals = ObservedLiterals::default();
        for (sql, values) in &self.texts {
            for (parameters, executions) in values {
                let logged = Logged::new(sql, parameters.as_deref());
                literals.add(&logged, *executions);
            }
        }
        literals
    }
}

/// The literals of a statement in its executions. An IN list may be longer in one text than in
/// another, so only texts with the same number of literals are compared.
#[derive(Debug, Default)]
pub(super) struct ObservedLiterals {
    /// How many executions had these literals, as SQL.
    values: BTreeMap<Vec<String>, u64>,
    /// By the number of literals, which of them are values of parameters.
    bound: BTreeMap<usize, BTreeSet<usize>>,
}

impl ObservedLiterals {
    /// A parameter that had one value in fewer executions than this may have others in the next
    /// ones.
    const MIN_EXECUTIONS: u64 = 10;

    /// A parameter that had this many values has others, too.
    const MIN_VALUES_OF_PARAMETER: usize = 2;

    /// Adds executions with one text.
    fn add(&mut self, logged: &Logged, executions: u64) {
        let (sql, bound) = logged.with_parameters();
        let Some(literals) = literal_texts(&sql) else {
            return;
        };
        if !bound.is_empty() {
            self.bound.entry(literals.len()).or_default().extend(bound);
        }
        *self.values.entry(literals).or_default() += executions;
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
