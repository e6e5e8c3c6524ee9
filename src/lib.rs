//! pgrehearse: rehearse an index before you build it.

pub mod advise;
pub mod candidate;
pub mod catalog;
pub mod cluster;
pub mod db;
pub mod index;
pub mod model;
pub mod plan;
pub mod predicate;
pub mod rehearsal;
pub mod sql;
pub mod verdict;
pub mod workload;
