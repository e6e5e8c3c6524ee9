//! The first page of an index, as far as the planner reads it.

use serde::{Deserialize, Serialize};

/// What the planner reads from an index's first page.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metapage {
    /// `btm_fastlevel` (src/include/access/nbtree.h).
    Btree {
        /// Levels above the leaves.
        level: u32,
    },
    /// `GinMetaPageData` (src/include/access/ginblock.h), counted by the last VACUUM.
    Gin {
        /// All pages.
        total_pages: u32,
        /// Pages of the entry tree.
        entry_pages: u32,
        /// Pages of posting trees.
        data_pages: u32,
        /// Entries.
        entries: i64,
        /// Pages of the pending list.
        pending_pages: u32,
    },
    /// `BrinMetaPageData` (src/include/access/brin_page.h).
    Brin {
        /// `pages_per_range`.
        pages_per_range: u32,
        /// The last page of the range map.
        last_revmap_page: u32,
    },
    /// Nothing but that it is one (`spgGetCache`, src/backend/access/spgist/spgutils.c).
    Spgist,
}
