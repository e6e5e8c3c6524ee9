//! Pages that make an almost empty index look like a large one to the planner, byte for byte as
//! PostgreSQL writes them (little-endian, 8 kB blocks).
//!
//! The planner opens an index for three things: a btree's height, a btree's first and last entry
//! (`get_actual_variable_range`, src/backend/utils/adt/selfuncs.c), and the counters in the
//! metapages of GIN and BRIN. The rest of the file is only measured, and may be a hole.

use super::metapage::Metapage;

/// `BLCKSZ`; other sizes are refused before anything is written.
pub const BLOCK_BYTES: usize = 8192;

/// `PageHeaderData` (src/include/storage/bufpage.h).
const HEADER_BYTES: usize = 24;
const LAYOUT_VERSION: u16 = 4;

/// `BTPageOpaqueData` (src/include/access/nbtree.h): prev, next, level, flags, cycle id.
const BTREE_SPECIAL_BYTES: usize = 16;
const BTREE_MAGIC: u32 = 0x0005_3162;
const BTREE_VERSION: u32 = 4;
const BTP_LEAF: u16 = 1 << 0;
const BTP_ROOT: u16 = 1 << 1;
const BTP_META: u16 = 1 << 3;
/// The offset of `btm_allequalimage` in `BTMetaPageData`.
const ALL_EQUAL_IMAGE: usize = HEADER_BYTES + 40;
/// An `IndexTuple` of eight bytes without a key: minus infinity (`INDEX_ALT_TID_MASK`, no
/// attributes).
const MINUS_INFINITY: u16 = 0x2000 | 8;

/// `LP_NORMAL` (src/include/storage/itemid.h).
const LINE_POINTER_NORMAL: u32 = 1 << 15;

/// `GIN_META` (src/include/access/ginblock.h).
const GIN_META: u16 = 1 << 3;
const GIN_VERSION: u32 = 2;
const INVALID_BLOCK: u32 = u32::MAX;

const BRIN_MAGIC: u32 = 0xA810_9CFA;
const BRIN_VERSION: u32 = 1;
/// `BRIN_PAGETYPE_META` (src/include/access/brin_page.h).
const BRIN_META: u16 = 0xF091;

/// `SPGIST_MAGIC_NUMBER`, `SPGIST_META`, `SPGIST_PAGE_ID` (src/include/access/spgist_private.h).
const SPGIST_MAGIC: u32 = 0xBA0B_ABEE;
const SPGIST_META: u16 = 1 << 0;
const SPGIST_PAGE_ID: u16 = 0xFF82;
/// `SpGistMetaPageData`: the magic number and the cache of last used pages.
const SPGIST_META_BYTES: usize = 4 + 8 * 8;

/// The first blocks of an index with this metapage and this number of blocks; the rest of its file
/// is sparse. `built` is the beginning of the same index built over the twin's few rows.
pub fn first_blocks(metapage: &Metapage, blocks: u64, built: &[u8]) -> Vec<u8> {
    match *metapage {
        Metapage::Btree { .. } if blocks <= 1 => btree_metapage(0, 0, equal_image(built)),
        Metapage::Btree { level } => btree(level, built),
        Metapage::Gin {
            total_pages,
            entry_pages,
            data_pages,
            entries,
            pending_pages,
        } => gin(
            [pending_pages, total_pages, entry_pages, data_pages],
            entries,
        ),
        Metapage::Brin {
            pages_per_range,
            last_revmap_page,
        } => brin(pages_per_range, last_revmap_page),
        Metapage::Spgist => spgist(),
    }
}

/// Reads what the planner would read from a real metapage.
pub fn read_metapage(method: &str, block: &[u8]) -> Option<Metapage> {
    let word = |offset: usize| {
        block
            .get(HEADER_BYTES + offset..)?
            .first_chunk()
            .copied()
            .map(u32::from_le_bytes)
    };
    match method {
        "btree" if word(0)? == BTREE_MAGIC => Some(Metapage::Btree { level: word(20)? }),
        "gin" => Some(Metapage::Gin {
            pending_pages: word(12)?,
            total_pages: word(24)?,
            entry_pages: word(28)?,
            data_pages: word(32)?,
            entries: i64::from_le_bytes(block.get(HEADER_BYTES + 40..)?.first_chunk().copied()?),
        }),
        "brin" if word(0)? == BRIN_MAGIC => Some(Metapage::Brin {
            pages_per_range: word(8)?,
            last_revmap_page: word(12)?,
        }),
        _ => None,
    }
}

/// The metapage, one leaf with the smallest and the largest entry, and above it a chain of pages
/// that contain only a downlink: block n + 1 is of level n.
fn btree(level: u32, built: &[u8]) -> Vec<u8> {
    let mut blocks = btree_metapage(level + 1, level, equal_image(built));
    let leaf = built
        .get(BLOCK_BYTES..2 * BLOCK_BYTES)
        .filter(|block| is_leaf(block))
        .map(<[u8]>::to_vec);
    let mut leaf = leaf.unwrap_or_else(|| btree_page(0, BTP_LEAF, None));
    set_root(&mut leaf, level == 0);
    blocks.append(&mut leaf);
    for above in 1..=level {
        let root = if above == level { BTP_ROOT } else { 0 };
        blocks.append(&mut btree_page(above, root, Some(above)));
    }
    blocks
}

/// Does the metapage of a freshly built btree say that equal keys have the same bytes, so that they
/// can share a tuple (`btm_allequalimage`)? False with INCLUDE columns, too.
pub fn deduplicates(built: &[u8]) -> bool {
    equal_image(built) != 0
}

/// Whether the keys can be deduplicated, as the build stored it.
fn equal_image(built: &[u8]) -> u8 {
    built.get(ALL_EQUAL_IMAGE).copied().unwrap_or(1)
}

/// `root` is 0 (`P_NONE`) in an index without entries.
fn btree_metapage(root: u32, level: u32, equal_image: u8) -> Vec<u8> {
    let mut body = Vec::new();
    for word in [BTREE_MAGIC, BTREE_VERSION, root, level, root, level, 0, 0] {
        body.extend(word.to_le_bytes());
    }
    body.extend((-1.0f64).to_le_bytes());
    body.push(equal_image);
    body.resize(48, 0);
    page(
        &body,
        HEADER_BYTES + body.len(),
        BLOCK_BYTES - BTREE_SPECIAL_BYTES,
        &btree_special(0, BTP_META),
    )
}

/// A page of a level; its only tuple, if any, points to `child`.
fn btree_page(level: u32, flags: u16, child: Option<u32>) -> Vec<u8> {
    let special = BLOCK_BYTES - BTREE_SPECIAL_BYTES;
    let Some(child) = child else {
        return page(&[], HEADER_BYTES, special, &btree_special(level, flags));
    };
    let upper = special - 8;
    let line_pointer = upper as u32 | LINE_POINTER_NORMAL | (8 << 17);
    let mut bytes = page(
        &line_pointer.to_le_bytes(),
        HEADER_BYTES + 4,
        upper,
        &btree_special(level, flags),
    );
    let [low, high] = [child as u16, (child >> 16) as u16];
    for (number, word) in [high, low, 0, MINUS_INFINITY].into_iter().enumerate() {
        put(&mut bytes, upper + 2 * number, &word.to_le_bytes());
    }
    put(&mut bytes, 16, &(special as u16).to_le_bytes());
    bytes
}

fn btree_special(level: u32, flags: u16) -> Vec<u8> {
    let mut special = vec![0; 8];
    special.extend(level.to_le_bytes());
    special.extend(flags.to_le_bytes());
    special.extend([0, 0]);
    special
}

fn is_leaf(block: &[u8]) -> bool {
    block
        .get(BLOCK_BYTES - 4)
        .is_some_and(|flags| u16::from(*flags) & BTP_LEAF != 0)
}

fn set_root(block: &mut [u8], root: bool) {
    if let Some(flags) = block.get_mut(BLOCK_BYTES - 4) {
        *flags = if root {
            *flags | BTP_ROOT as u8
        } else {
            *flags & !(BTP_ROOT as u8)
        };
    }
}

fn gin([pending, total, entry, data]: [u32; 4], entries: i64) -> Vec<u8> {
    let mut body = Vec::new();
    for word in [
        INVALID_BLOCK,
        INVALID_BLOCK,
        0,
        pending,
        0,
        0,
        total,
        entry,
        data,
        0,
    ] {
        body.extend(word.to_le_bytes());
    }
    body.extend(entries.to_le_bytes());
    body.extend(GIN_VERSION.to_le_bytes());
    body.resize(56, 0);
    let mut special = INVALID_BLOCK.to_le_bytes().to_vec();
    special.extend([0, 0]);
    special.extend(GIN_META.to_le_bytes());
    page(
        &body,
        HEADER_BYTES + body.len(),
        BLOCK_BYTES - special.len(),
        &special,
    )
}

fn brin(pages_per_range: u32, last_revmap_page: u32) -> Vec<u8> {
    let mut body = Vec::new();
    for word in [BRIN_MAGIC, BRIN_VERSION, pages_per_range, last_revmap_page] {
        body.extend(word.to_le_bytes());
    }
    let mut special = vec![0; 6];
    special.extend(BRIN_META.to_le_bytes());
    page(
        &body,
        HEADER_BYTES + body.len(),
        BLOCK_BYTES - special.len(),
        &special,
    )
}

fn spgist() -> Vec<u8> {
    let mut body = SPGIST_MAGIC.to_le_bytes().to_vec();
    body.resize(SPGIST_META_BYTES, 0);
    let special: Vec<u8> = [SPGIST_META, 0, 0, SPGIST_PAGE_ID]
        .into_iter()
        .flat_map(u16::to_le_bytes)
        .collect();
    page(
        &body,
        HEADER_BYTES + body.len(),
        BLOCK_BYTES - special.len(),
        &special,
    )
}

/// A block with a header, its contents, and the special space at its end.
fn page(body: &[u8], lower: usize, upper: usize, special: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; BLOCK_BYTES];
    put(&mut bytes, 12, &(lower as u16).to_le_bytes());
    put(&mut bytes, 14, &(upper as u16).to_le_bytes());
    put(
        &mut bytes,
        16,
        &((BLOCK_BYTES - special.len()) as u16).to_le_bytes(),
    );
    put(
        &mut bytes,
        18,
        &(BLOCK_BYTES as u16 | LAYOUT_VERSION).to_le_bytes(),
    );
    put(&mut bytes, HEADER_BYTES, body);
    put(&mut bytes, BLOCK_BYTES - special.len(), special);
    bytes
}

fn put(bytes: &mut [u8], offset: usize, what: &[u8]) {
    if let Some(place) = bytes.get_mut(offset..offset + what.len()) {
        place.copy_from_slice(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let all = [
            ("btree", Metapage::Btree { level: 3 }),
            (
                "gin",
                Metapage::Gin {
                    total_pages: 9,
                    entry_pages: 4,
                    data_pages: 3,
                    entries: 1 << 40,
                    pending_pages: 2,
                },
            ),
            (
                "brin",
                Metapage::Brin {
                    pages_per_range: 16,
                    last_revmap_page: 7,
                },
            ),
        ];
        for (method, metapage) in all {
            let blocks = first_blocks(&metapage, 100, &[]);
            assert_eq!(blocks.len() % BLOCK_BYTES, 0);
            assert_eq!(read_metapage(method, &blocks), Some(metapage));
        }
        assert_eq!(read_metapage("btree", &[0; BLOCK_BYTES]), None);
        assert_eq!(read_metapage("gin", &[]), None);
    }

    #[test]
    fn a_btree_is_a_chain_from_the_root_to_one_leaf() {
        let blocks = first_blocks(&Metapage::Btree { level: 2 }, 100, &[]);
        assert_eq!(blocks.len(), 4 * BLOCK_BYTES);
        let flags = |block: usize| blocks[(block + 1) * BLOCK_BYTES - 4];
        assert_eq!([flags(0), flags(1), flags(2), flags(3)], [8, 1, 0, 2]);
    }
}
