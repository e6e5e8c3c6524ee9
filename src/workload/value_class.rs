//! Values of one class: a statement is called with other values than the one that a workload shows,
//! and an index that is best for one may be wrong for the others.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::statement_id::StatementId;

/// A statement planned with values of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueClass {
    /// The statement of the workload.
    pub of: StatementId,
    /// How frequent the values are.
    pub frequency: Frequency,
    /// Its share of the statement's calls, 0 to 1.
    pub share: f64,
    /// What has which value: `$1` and `'failed'`, or the column of a literal and its value.
    pub values: Vec<(String, String)>,
    /// In how many executions values of the class were seen, where they are those of a log and not of
    /// statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// How often something was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// In so many executions.
    pub executions: u64,
    /// Of so many that were compared.
    pub of: u64,
}

/// How many rows a value has, or how many are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// The most common value.
    MostCommon,
    /// The value of the row in the middle.
    Median,
    /// A value that is none of the common ones.
    Rare,
    /// A value that no row has.
    Absent,
    /// Bounds that most rows are within.
    WideRange,
    /// Bounds that many rows are within.
    MediumRange,
    /// Bounds that few rows are within.
    NarrowRange,
    /// LIMIT for a page.
    SmallLimit,
    /// LIMIT for everything that a program reads at once.
    LargeLimit,
    /// The statement as others execute it, to whom row-level security policies apply that do not
    /// apply to the role that asks. The values are those of settings that the policies read.
    UnderPolicies,
    /// The same with values that few rows have.
    UnderPoliciesRare,
}

impl Frequency {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Frequency::MostCommon => "most common",
            Frequency::Median => "median",
            Frequency::Rare => "rare",
            Frequency::Absent => "absent",
            Frequency::WideRange => "wide range",
            Frequency::MediumRange => "medium range",
            Frequency::NarrowRange => "narrow range",
            Frequency::SmallLimit => "small limit",
            Frequency::LargeLimit => "large limit",
            Frequency::UnderPolicies => "under policies",
            Frequency::UnderPoliciesRare => "under policies, rare",
        }
    }
}

impl Frequency {
    /// What it is of: `rare values`, `narrow range`, `under policies`.
    pub fn title(self) -> String {
        match self {
            Frequency::UnderPolicies
            | Frequency::WideRange
            | Frequency::MediumRange
            | Frequency::NarrowRange => self.name().to_owned(),
            Frequency::SmallLimit => "small LIMIT".to_owned(),
            Frequency::LargeLimit => "large LIMIT".to_owned(),
            Frequency::UnderPoliciesRare => "under policies, rare values".to_owned(),
            _ => format!("{} values", self.name()),
        }
    }

    /// Are policies of others the reason?
    pub fn is_under_policies(self) -> bool {
        matches!(
            self,
            Frequency::UnderPolicies | Frequency::UnderPoliciesRare
        )
    }

    /// As a word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Frequency::MostCommon => "most_common",
            Frequency::Median => "median",
            Frequency::Rare => "rare",
            Frequency::Absent => "absent",
            Frequency::WideRange => "wide_range",
            Frequency::MediumRange => "medium_range",
            Frequency::NarrowRange => "narrow_range",
            Frequency::SmallLimit => "small_limit",
            Frequency::LargeLimit => "large_limit",
            Frequency::UnderPolicies => "under_policies",
            Frequency::UnderPoliciesRare => "under_policies_rare",
        }
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl ValueClass {
    /// The name of the statement with these values.
    pub fn id(&self) -> StatementId {
        StatementId(format!("{}[{}]", self.of, self.frequency))
    }
}
