//! What could not be read about tables, and why.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::QualifiedName;

/// Something that the planner twin lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The tables that it is about; empty when it is about all.
    #[serde(default)]
    pub tables: BTreeSet<QualifiedName>,
    /// What is missing, and why.
    #[serde(flatten)]
    pub cause: GapCause,
}

/// What the planner twin lacks, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum GapCause {
    /// The role may not read the table or some of its columns.
    TableNotReadable {
        /// The role that connected.
        role: String,
    },
    /// Row-level security policies apply to the role, so not all values can be read.
    RowSecurity,
    /// The statistics were read from views, which do not show all of them.
    StatisticsHidden {
        /// Those that are missing.
        statistics: HiddenStatistics,
        /// The role that connected.
        role: String,
    },
    /// A foreign table.
    ForeignTable,
    /// A table of an access method other than `heap`.
    AccessMethod {
        /// Its name (`pg_am.amname`).
        access_method: String,
    },
    /// An extension's library is not installed here.
    LibraryMissing {
        /// As functions name it (`pg_proc.probin`).
        library: String,
        /// Where it is missing (`pg_config --pkglibdir`).
        directory: String,
        /// The server's major version.
        major_version: u32,
    },
    /// The server's locale is not installed here: the twin has the locale C.
    LocaleMissing {
        /// The server's.
        locale: String,
    },
    /// The operating system does not forbid the twin's processes all that it could: the second line
    /// behind the rights that copied code has in SQL.
    Unconfined(Unprotected),
    /// Sizes of candidates are estimated on some partitions, and extrapolated to the others.
    ManyPartitions {
        /// The partitioned table.
        table: QualifiedName,
        /// Its partitions.
        partitions: usize,
        /// Those that are looked at.
        looked_at: usize,
    },
    /// A text, in files of pgrehearse 0.1.
    #[serde(untagged)]
    Text {
        /// What is missing, and what follows.
        what: String,
        /// What would help.
        remedy: Option<String>,
    },
}

/// What the operating system does not keep the twin's processes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unprotected {
    /// Other files than the twin's own (Landlock).
    Files,
    /// The network (seccomp).
    Network,
    /// Both.
    FilesAndNetwork,
}

/// Statistics that only `pg_statistic` has, or that policies hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenStatistics {
    /// All of a table with row-level security.
    OfTable,
    /// Those of expressions in indexes.
    OfExpressions,
    /// Some of CREATE STATISTICS.
    Extended,
    /// Those of ranges, and of types with an ANALYZE function of their own.
    OfSpecialTypes,
}

impl Gap {
    /// The part of the gap that is about these tables; none when it is about others.
    pub fn about(&self, tables: &BTreeSet<QualifiedName>) -> Option<Gap> {
        let about: BTreeSet<QualifiedName> = self.tables.intersection(tables).cloned().collect();
        (self.tables.is_empty() || !about.is_empty()).then(|| Gap {
            tables: about,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_written_and_read() {
        let gap = Gap {
            tables: BTreeSet::from([QualifiedName::new("shop", "orders")]),
            cause: GapCause::StatisticsHidden {
                statistics: HiddenStatistics::Extended,
                role: "advisor".to_owned(),
            },
        };
        let written = serde_json::to_value(&gap).unwrap();
        assert_eq!(written["what"], "statistics_hidden");
        assert_eq!(serde_json::from_value::<Gap>(written).unwrap(), gap);
    }

    #[test]
    fn a_text_of_an_older_file_is_kept() {
        let older = r#"{"what": "statistics are missing", "remedy": "GRANT something"}"#;
        let gap: Gap = serde_json::from_str(older).unwrap();
        let expected = GapCause::Text {
            what: "statistics are missing".to_owned(),
            remedy: Some("GRANT something".to_owned()),
        };
        assert_eq!(gap.cause, expected);
        assert_eq!(
            serde_json::to_value(&gap).unwrap()["remedy"],
            "GRANT something"
        );
    }
}
