//! A few partitions that stand for all of a table: facts, samples and sizes of indexes come from
//! these, and the others get what the one of the most similar size has, in proportion. So the work for
//! a candidate does not grow with the number of partitions.

use std::collections::BTreeMap;

use super::metapage::Metapage;
use super::size::IndexSize;
use super::snapshot::Oid;

/// Tables of more partitions than this are looked at through as many of them.
pub const MAX_REPRESENTATIVES: usize = 16;

/// A partition with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionSize {
    /// The table.
    pub table: Oid,
    /// The blocks of its file.
    pub blocks: u64,
}

/// For each partition the one that stands for it, perhaps itself. Chosen at equal distances in the
/// order of their sizes, the smallest and the largest among them.
pub fn representatives(partitions: &[PartitionSize]) -> BTreeMap<Oid, PartitionSize> {
    let mut ordered = partitions.to_vec();
    ordered.sort_by_key(|partition| (partition.blocks, partition.table));
    let last = ordered.len().saturating_sub(1);
    if last < MAX_REPRESENTATIVES {
        return ordered.iter().map(|own| (own.table, *own)).collect();
    }
    let steps = MAX_REPRESENTATIVES - 1;
    let standing: Vec<PartitionSize> = (0..=steps)
        .filter_map(|step| ordered.get(step * last / steps).copied())
        .collect();
    let nearest = |own: &PartitionSize| {
        let distance = |other: &&PartitionSize| {
            // Itself, if it is one of them.
            (own.blocks.abs_diff(other.blocks), other.table != own.table)
        };
        standing.iter().min_by_key(distance).copied()
    };
    ordered
        .iter()
        .filter_map(|own| Some((own.table, nearest(own)?)))
        .collect()
}

/// The size of an index on one partition, from that of the same index on the one that stands for it.
pub fn scaled(size: IndexSize, of: PartitionSize, own: PartitionSize) -> IndexSize {
    let ratio = own.blocks as f64 / of.blocks.max(1) as f64;
    if own.blocks == of.blocks {
        return size;
    }
    // The first page is there in any case.
    let pages = 1 + ((size.pages.saturating_sub(1)) as f64 * ratio).ceil() as u64;
    IndexSize {
        pages,
        tuples: (size.tuples * ratio).round(),
        metapage: size.metapage.map(|metapage| match metapage {
            Metapage::Btree { .. } if pages <= 2 => Metapage::Btree { level: 0 },
            Metapage::Gin {
                entry_pages,
                data_pages,
                entries,
                ..
            } => {
                let scaled = |number: u32| (f64::from(number) * ratio).ceil() as u32;
                Metapage::Gin {
                    total_pages: u32::try_from(pages).unwrap_or(u32::MAX),
                    entry_pages: scaled(entry_pages),
                    data_pages: scaled(data_pages),
                    entries: (entries as f64 * ratio).ceil() as i64,
                    pending_pages: 0,
                }
            }
            same => same,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(blocks: impl IntoIterator<Item = u64>) -> Vec<PartitionSize> {
        let numbered = (20_000..).zip(blocks);
        numbered
            .map(|(table, blocks)| PartitionSize { table, blocks })
            .collect()
    }

    #[test]
    fn few_partitions_stand_for_themselves() {
        let few = partitions([5; MAX_REPRESENTATIVES]);
        let standing = representatives(&few);
        assert!(few.iter().all(|own| standing[&own.table] == *own));
    }

    #[test]
    fn of_many_the_smallest_the_largest_and_some_between_stand_for_all() {
        let many = partitions(0..2_000);
        let standing = representatives(&many);
        assert_eq!(standing.len(), 2_000);
        let used: std::collections::BTreeSet<u64> = standing.values().map(|of| of.blocks).collect();
        assert_eq!(used.len(), MAX_REPRESENTATIVES);
        assert!(used.contains(&0) && used.contains(&1_999));
        for own in &many {
            let of = standing[&own.table];
            assert!(own.blocks.abs_diff(of.blocks) <= 2_000 / (2 * 15) + 1);
        }
    }

    #[test]
    fn equal_partitions_are_represented_by_one_of_them() {
        let many = partitions([7; 100]);
        let standing = representatives(&many);
        assert!(standing.values().all(|of| of.blocks == 7));
    }

    #[test]
    fn sizes_grow_with_the_table_and_keep_their_first_page() {
        let [of, own] = [100, 250].map(|blocks| PartitionSize { table: 1, blocks });
        let size = IndexSize {
            pages: 31,
            tuples: 1_000.0,
            metapage: Some(Metapage::Btree { level: 1 }),
        };
        let larger = scaled(size, of, own);
        assert_eq!((larger.pages, larger.tuples), (76, 2_500.0));
        assert_eq!(larger.metapage, Some(Metapage::Btree { level: 1 }));
        let empty = scaled(size, of, PartitionSize { blocks: 0, ..own });
        assert_eq!((empty.pages, empty.tuples), (1, 0.0));
        assert_eq!(empty.metapage, Some(Metapage::Btree { level: 0 }));
    }
}
