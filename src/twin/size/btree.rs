//! B-tree: how `CREATE INDEX` packs leaf and internal pages (src/backend/access/nbtree/nbtsort.c,
//! nbtdedup.c, nbtutils.c).

use super::groups::{Groups, distinct_prefix, key_groups};
use super::tuple::{SampleRows, mean};
use super::{
    EqualKeys, IndexSize, LINE_POINTER_BYTES, PAGE_BYTES, PAGE_HEADER_BYTES, StoredColumn,
    max_align,
};
use crate::twin::metapage::Metapage;

/// `BTREE_DEFAULT_FILLFACTOR` (src/include/access/nbtree.h).
pub const DEFAULT_FILLFACTOR: u8 = 90;
/// `BTREE_NONLEAF_FILLFACTOR`.
const INTERNAL_FILLFACTOR: u8 = 70;
/// `sizeof(BTPageOpaqueData)`, at the end of each page.
const SPECIAL_BYTES: f64 = 16.0;
/// A posting list tuple is at most this long: a tenth of a page without the line pointer
/// (nbtsort.c, `_bt_load`: `maxpostingsize`), and a multiple of 8.
const MAX_POSTING_TUPLE_BYTES: f64 = 808.0;
/// `sizeof(ItemPointerData)`.
const TID_BYTES: f64 = 6.0;
/// A heap TID that is appended to a pivot tuple if no key column distinguishes it (`_bt_truncate`).
const PIVOT_TID_BYTES: f64 = 8.0;
/// The first item of an internal page has no key (nbtsort.c, `_bt_sortaddtup`).
const FIRST_DOWNLINK_BYTES: f64 = 12.0;

/// Facts about a B-tree that is not built.
#[derive(Debug, Clone, PartialEq)]
pub struct BtreeFacts {
    /// Rows in the index: for a partial index those that satisfy its predicate.
    pub rows: f64,
    /// Key columns, in order.
    pub keys: Vec<StoredColumn>,
    /// Columns of `INCLUDE`.
    pub include: Vec<StoredColumn>,
    /// Equal keys among those rows.
    pub equal_keys: EqualKeys,
    /// `CREATE UNIQUE INDEX` builds no posting lists.
    pub unique: bool,
    /// The storage parameter `deduplicate_items`, on by default.
    pub deduplicate_items: bool,
    /// The storage parameter, in percent: [`DEFAULT_FILLFACTOR`].
    pub fillfactor: u8,
}

impl BtreeFacts {
    /// An index on these columns without options.
    pub fn new(rows: f64, keys: Vec<StoredColumn>, equal_keys: EqualKeys) -> BtreeFacts {
        BtreeFacts {
            rows,
            keys,
            include: Vec::new(),
            equal_keys,
            unique: false,
            deduplicate_items: true,
            fillfactor: DEFAULT_FILLFACTOR,
        }
    }

    /// `BTGetDeduplicateItems` and `_bt_allequalimage`: no posting lists with INCLUDE, nor where
    /// equal keys may have different bytes.
    fn builds_posting_lists(&self) -> bool {
        self.deduplicate_items
            && !self.unique
            && self.include.is_empty()
            && self.keys.iter().all(|column| column.deduplicates)
    }
}

/// The size of a freshly built B-tree.
pub fn size(facts: &BtreeFacts) -> IndexSize {
    let rows = facts.rows.max(0.0).round();
    if rows < 1.0 {
        return IndexSize {
            pages: 1,
            tuples: 0.0,
            metapage: Some(Metapage::Btree { level: 0 }),
        };
    }
    let items = leaf_items(facts, rows);
    let per_leaf = items.per_page(free_bytes(facts.fillfactor));
    // A page is closed when the item after its last one comes: that one is its high key
    // (`_bt_buildadd`).
    let leaves = pages_for(items.count, per_leaf);
    let pivot_bytes = pivot_bytes(facts, rows, items.count);
    let per_internal = downlinks_per_page(pivot_bytes);
    let (mut pages, mut level, mut on_level) = (leaves + 1.0, 0, leaves);
    while on_level > 1.0 {
        on_level = pages_for(on_level, per_internal);
        pages += on_level;
        level += 1;
    }
    IndexSize {
        pages: pages as u64,
        tuples: rows,
        metapage: Some(Metapage::Btree { level }),
    }
}

/// The last page of a level holds up to one item more than the others, whose last item moves to the
/// next page.
fn pages_for(items: f64, per_page: f64) -> f64 {
    ((items - 1.0) / per_page).ceil().max(1.0)
}

/// `BTGetTargetPageFreeSpace`.
fn free_bytes(fillfactor: u8) -> f64 {
    (PAGE_BYTES * u64::from(100_u8.saturating_sub(fillfactor)) / 100) as f64
}

/// Bytes for items on a page that is being filled: without the header, the special space, the line
/// pointer reserved for the high key, and the one that `PageGetFreeSpace` reserves.
fn room() -> f64 {
    PAGE_BYTES as f64 - PAGE_HEADER_BYTES - SPECIAL_BYTES - 2.0 * LINE_POINTER_BYTES
}

/// The items of the leaf level, line pointers included: plain tuples and posting lists.
#[derive(Debug, Clone, Copy, Default)]
struct Items {
    count: f64,
    bytes: f64,
    squares: f64,
    /// Bytes without the TIDs of posting lists, which a high key does not keep.
    keys: f64,
    smallest: f64,
    largest: f64,
}

impl Items {
    fn add(&mut self, count: f64, bytes: f64, key_bytes: f64) {
        let (item, key) = (bytes + LINE_POINTER_BYTES, key_bytes + LINE_POINTER_BYTES);
        self.smallest = if self.count > 0.0 {
            self.smallest.min(item)
        } else {
            item
        };
        self.largest = self.largest.max(item);
        self.count += count;
        self.bytes += count * item;
        self.squares += count * item * item;
        self.keys += count * key;
    }

    /// Items that stay on a page: `_bt_buildadd` closes it when less than `free` bytes would be
    /// left, its last item counted without its posting list, or when the next item does not fit;
    /// the last item then moves to the next page.
    fn per_page(&self, free: f64) -> f64 {
        let limit = room() - free;
        let mean = self.bytes / self.count;
        let key = self.keys / self.count;
        if self.largest - self.smallest < 0.5 {
            return constant_per_page(mean, key, limit);
        }
        // Renewal theory: the sum passes a limit by half of the item that crosses it, and long
        // items cross it more often.
        let lying_there = self.squares / self.bytes;
        let full = (limit - key + lying_there / 2.0).min(room() - lying_there);
        (full / mean).max(1.0)
    }
}

/// `_bt_buildadd` for items of the same size.
fn constant_per_page(item: f64, key: f64, limit: f64) -> f64 {
    let by_fillfactor = ((limit - key) / item).floor() + 1.0;
    let by_space = ((room() - 8.0 + LINE_POINTER_BYTES) / item).floor() - 1.0;
    by_fillfactor.min(by_space).max(1.0)
}

fn leaf_items(facts: &BtreeFacts, rows: f64) -> Items {
    let stored = SampleRows::draw(facts.keys.iter().chain(&facts.include));
    let tuples = stored.tuple_bytes(facts.keys.len() + facts.include.len());
    let mut items = Items::default();
    let posting = facts.builds_posting_lists();
    if !posting || facts.equal_keys.distinct(rows) >= 0.995 * rows {
        let share = rows / tuples.len().max(1) as f64;
        tuples
            .iter()
            .for_each(|bytes| items.add(share, *bytes, *bytes));
        return items;
    }
    let not_null = match facts.keys.as_slice() {
        [only] => SampleRows::draw([&StoredColumn {
            null_fraction: 0.0,
            ..only.clone()
        }])
        .tuple_bytes(1),
        _ => tuples,
    };
    let key_bytes = mean(&not_null);
    for group in key_groups(rows, &facts.keys, &facts.equal_keys) {
        add_group(
            &mut items,
            group,
            if group.is_null { 16.0 } else { key_bytes },
        );
    }
    items
}

/// The items of a group of equal keys: full posting lists and the remainder (nbtdedup.c,
/// `_bt_dedup_save_htid`, `_bt_form_posting`).
fn add_group(items: &mut Items, group: Groups, key_bytes: f64) {
    let most_tids = ((MAX_POSTING_TUPLE_BYTES - key_bytes) / TID_BYTES)
        .floor()
        .max(1.0);
    let size = group.rows.max(1.0);
    let count = group.count * group.rows / size;
    if most_tids < 2.0 {
        items.add(count * size, key_bytes, key_bytes);
        return;
    }
    let full = (size / most_tids).floor();
    if full > 0.0 {
        items.add(
            count * full,
            key_bytes + max_align(most_tids * TID_BYTES),
            key_bytes,
        );
    }
    let left = size - full * most_tids;
    if left >= 1.5 {
        items.add(
            count,
            key_bytes + max_align(left.round() * TID_BYTES),
            key_bytes,
        );
    } else if left >= 0.5 {
        items.add(count, key_bytes, key_bytes);
    }
}

/// Mean bytes of a pivot tuple: the key columns up to the first that distinguishes two neighbouring
/// items, or all of them and a TID (nbtutils.c, `_bt_truncate`).
fn pivot_bytes(facts: &BtreeFacts, rows: f64, items: f64) -> f64 {
    let keys = facts.keys.len();
    let whole = facts.equal_keys.distinct(rows);
    let stored = SampleRows::draw(&facts.keys);
    let (mut told_apart, mut bytes) = (0.0, 0.0);
    for count in 1..=keys {
        let prefix = facts.keys.get(..count).unwrap_or_default();
        let distinct = if count == keys {
            whole
        } else {
            distinct_prefix(rows, prefix).min(whole)
        };
        let share = (distinct / items).clamp(told_apart, 1.0);
        bytes += (share - told_apart) * mean(&stored.tuple_bytes(count));
        told_apart = share;
    }
    bytes + (1.0 - told_apart) * (mean(&stored.tuple_bytes(keys)) + PIVOT_TID_BYTES)
}

fn downlinks_per_page(pivot_bytes: f64) -> f64 {
    let limit = room() - free_bytes(INTERNAL_FILLFACTOR);
    let item = pivot_bytes + LINE_POINTER_BYTES;
    (1.0 + ((limit - FIRST_DOWNLINK_BYTES) / item).floor()).max(2.0)
}

#[cfg(test)]
mod tests {
    use super::super::sample::SampledKeys;
    use super::*;

    const MILLION: f64 = 1e6;

    fn built(facts: &BtreeFacts) -> (u64, u32) {
        match size(facts).metapage {
            Some(Metapage::Btree { level }) => (size(facts).pages, level),
            _ => panic!("a B-tree has a root"),
        }
    }

    fn plain(rows: f64, keys: Vec<StoredColumn>) -> BtreeFacts {
        BtreeFacts::new(rows, keys, EqualKeys::Distinct(rows))
    }

    fn int4() -> StoredColumn {
        StoredColumn::fixed(4, 4)
    }

    /// PostgreSQL 15, rows of `generate_series(0, 999999)`.
    #[test]
    fn unique_values_are_packed_as_the_server_packs_them() {
        assert_eq!(built(&plain(MILLION, vec![int4()])), (2745, 2));
        assert_eq!(
            built(&plain(MILLION, vec![StoredColumn::fixed(16, 1)])),
            (3853, 2),
            "uuid"
        );
        assert_eq!(
            built(&plain(MILLION, vec![StoredColumn::variable(4, 33.0, 0.0)])),
            (7210, 2),
            "md5 as text"
        );
        let pair = [
            StoredColumn {
                distinct_values: Some(10.0),
                ..int4()
            },
            StoredColumn {
                distinct_values: Some(MILLION),
                ..StoredColumn::fixed(8, 8)
            },
        ];
        assert_eq!(built(&plain(MILLION, pair.to_vec())), (3853, 2));
        let include = vec![StoredColumn::variable(4, 33.0, 0.0)];
        assert_eq!(
            built(&BtreeFacts {
                include,
                ..plain(MILLION, vec![int4()])
            }),
            (7171, 2)
        );
        assert_eq!(
            built(&BtreeFacts {
                fillfactor: 70,
                ..plain(MILLION, vec![int4()])
            }),
            (3537, 2)
        );
    }

    /// One row more is one page or level more.
    #[test]
    fn the_edges_are_exact() {
        assert_eq!(built(&plain(0.0, vec![int4()])), (1, 0));
        assert_eq!(built(&plain(366.0, vec![int4()])), (2, 0));
        assert_eq!(built(&plain(367.0, vec![int4()])), (2, 0));
        assert_eq!(built(&plain(368.0, vec![int4()])), (4, 1));
        assert_eq!(built(&plain(104_000.0, vec![int4()])), (287, 1));
        assert_eq!(built(&plain(105_000.0, vec![int4()])), (291, 2));
    }

    fn near(facts: &BtreeFacts, pages: f64, by: f64) {
        let estimate = built(facts).0 as f64;
        assert!(
            (estimate / pages - 1.0).abs() <= by,
            "{estimate} is not {pages}"
        );
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn equal_keys_share_posting_lists() {
        let with = |distinct: f64, key: StoredColumn| BtreeFacts {
            equal_keys: EqualKeys::Distinct(distinct),
            ..plain(
                MILLION,
                vec![StoredColumn {
                    distinct_values: Some(distinct),
                    ..key
                }],
            )
        };
        near(&with(10.0, int4()), 850.0, 0.01);
        near(
            &with(
                2.0,
                StoredColumn {
                    common_fractions: vec![0.5, 0.5],
                    ..StoredColumn::fixed(1, 1)
                },
            ),
            849.0,
            0.01,
        );
        // Seven rows each, which statistics do not show: spread at random they take a little more
        // or less.
        near(&with(142_858.0, int4()), 1330.0, 0.05);
        near(
            &with(
                500_000.0,
                StoredColumn {
                    null_fraction: 0.5,
                    ..int4()
                },
            ),
            1796.0,
            0.02,
        );
        // Without posting lists there is one tuple for each row again.
        near(
            &BtreeFacts {
                unique: true,
                ..with(10.0, int4())
            },
            2745.0,
            0.01,
        );
        near(
            &BtreeFacts {
                deduplicate_items: false,
                ..with(10.0, int4())
            },
            2745.0,
            0.01,
        );
        near(
            &with(
                10.0,
                StoredColumn {
                    deduplicates: false,
                    ..int4()
                },
            ),
            2745.0,
            0.01,
        );
    }

    #[test]
    fn a_sample_of_keys_says_how_many_are_equal() {
        let sampled = SampledKeys {
            groups: vec![(2_000, 10)],
            as_before: 0,
            page_share: 1.0,
        };
        let facts = BtreeFacts {
            equal_keys: EqualKeys::Sampled(sampled),
            ..plain(MILLION, vec![int4()])
        };
        near(&facts, 850.0, 0.01);
    }
}
