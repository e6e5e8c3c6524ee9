//! Places in a statement that get values, and classes of values.

use crate::catalog::Column;
use crate::sql::ValuePlace;
use crate::workload::{Frequency, Seen};

/// How many times the rows of a rare value the most common one has to have.
pub(super) const MIN_SKEW: f64 = 4.0;

pub(super) const FREQUENCIES: [Frequency; 4] = [
    Frequency::MostCommon,
    Frequency::Median,
    Frequency::Rare,
    Frequency::Absent,
];

/// The position of [`Frequency::Absent`] among them.
pub(super) const ABSENT: usize = 3;

/// A value for each of [`FREQUENCIES`], with its share of the calls.
pub(super) type Values = [Option<(String, f64)>; 4];

/// A place in a statement that gets values.
pub(super) struct Slot<'c> {
    pub(super) place: ValuePlace,
    /// Other literals that are the same value of a column of the same name, in another table or
    /// query.
    pub(super) also: Vec<ValuePlace>,
    /// What reports call it: `$1`, or the column of a literal.
    pub(super) label: String,
    pub(super) values: Values,
    pub(super) kind: Kind,
    /// The column that is compared, and the rows of its table; none for a LIMIT.
    pub(super) column: Option<&'c Column>,
    pub(super) rows: f64,
}

/// What a value is for. Only the shares of values of a column count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Value,
    LowerBound,
    UpperBound,
    /// The beginning of a text.
    Beginning,
    Limit,
}

/// A class of values.
pub(super) struct Found {
    pub(super) frequency: Frequency,
    pub(super) share: f64,
    /// The statement with them.
    pub(super) sql: String,
    /// What has which value.
    pub(super) values: Vec<(String, String)>,
    pub(super) seen: Option<Seen>,
}
