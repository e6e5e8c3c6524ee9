//! What findings about existing indexes rest on.

use std::collections::{BTreeMap, BTreeSet};

use crate::advise::drop_effects::DropEffects;
use crate::advise::recommendation::Recommendation;
use crate::catalog::Catalog;
use crate::model::{Bytes, Millis, QualifiedName};

/// Existing indexes with their size if they were rebuilt.
pub(in crate::advise) type FreshSizes = BTreeMap<QualifiedName, Bytes>;

/// What the findings rest on.
#[derive(Debug, Clone, Copy)]
pub(in crate::advise) struct Observed<'a> {
    pub(in crate::advise) catalog: &'a Catalog,
    /// What is recommended.
    pub(in crate::advise) recommendations: &'a [Recommendation],
    /// What drops of existing indexes would do.
    pub(in crate::advise) drop_effects: &'a DropEffects,
    /// Names of indexes that some plan of the workload uses, without or with the recommended
    /// indexes.
    pub(in crate::advise) used: &'a BTreeSet<String>,
    /// Sizes of fresh builds.
    pub(in crate::advise) fresh_sizes: &'a FreshSizes,
    /// Minimum time without a scan after which an index counts as unused.
    pub(in crate::advise) unused_after: Millis,
}
