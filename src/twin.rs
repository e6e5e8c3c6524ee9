//! The planner twin: a throwaway server with production's catalogs and statistics and sparse files
//! of production's size. Its planner answers as production's planner would.
//!
//! This room has the values and the bytes: what is copied ([`snapshot`]), the pages that make an
//! almost empty index look like a large one ([`page`]), statistics from `pg_stats`, which every
//! role may read ([`pg_stats_row`]), the sizes of indexes that are not built ([`size`]), and
//! whether two planners agree ([`agreement`]). The room `db` reads the snapshot from a server and
//! runs the throwaway server.

pub mod agreement;
pub mod array_literal;
pub mod checks;
pub mod dependencies;
pub mod exchange;
pub mod file;
pub mod foreign_options;
pub mod growth;
pub mod libraries;
pub mod metapage;
pub mod page;
pub mod pg_stats_row;
pub mod redaction;
pub mod redraw;
pub mod representatives;
pub mod scalar;
pub mod size;
pub mod snapshot;
pub mod upgrade;

pub use snapshot::Snapshot;
