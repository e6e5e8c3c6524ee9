//! What the database knows about the workload's tables, as a value: columns, statistics, sizes,
//! indexes, settings.
//!
//! Loaded from a server by `db`, or from a recording: the value is the same. Numbers are the
//! server's own.

pub mod contrib_classes;
pub mod counters;
mod counters_elsewhere;
pub mod create_index;
pub mod entries_written;
mod foreign_table;
mod policy_settings;
pub mod selectivity;
mod tables;

pub use counters::Counters;
pub use counters_elsewhere::CountersElsewhere;
pub use foreign_table::ForeignTable;
pub use policy_settings::compared_settings;
pub use tables::{
    CallKind, Catalog, Column, ColumnStatistics, Enforcement, ExistingIndex, ForeignKey,
    MissingPart, Mutable, OperatorClass, Partition, PoliciesOfOthers, Policy, PolicySetting,
    Server, Stage, Table, TableKind, Writes,
};
