//! GiST, SP-GiST and bloom: a tuple for each row, so that the size of a sample's index scales in
//! proportion.

use super::{IndexSize, LINE_POINTER_BYTES, StoredColumn, whole_pages};

/// An index that was built on a sample of the table's rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleBuild {
    /// Rows of the sample that the index covers.
    pub rows: f64,
    /// Its pages.
    pub pages: u64,
}

/// The size of a GiST or SP-GiST index from indexes on samples in the table's order (the order
/// changes how pages are filled): in proportion to them, the largest weighing most. The samples
/// should be of a sixteenth, a quarter and all of the sampled rows: all pages of an index on evenly
/// spread values split at about the same time, and its pages are half full soon after that and full
/// before. `None` if no sample has a row.
pub fn extrapolate(rows: f64, builds: &[SampleBuild]) -> Option<IndexSize> {
    let squares: f64 = builds.iter().map(|build| build.rows * build.rows).sum();
    if squares < 1.0 {
        return None;
    }
    let per_row = builds
        .iter()
        .map(|build| build.pages as f64 * build.rows)
        .sum::<f64>()
        / squares;
    Some(IndexSize {
        pages: whole_pages(rows * per_row, 1),
        tuples: rows,
        metapage: None,
    })
}

/// How a GiST index of this operator class is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GistBuild {
    /// Row by row, with page splits.
    Inserted,
    /// Sorted, with pages filled to 90 % (`point_ops` from PostgreSQL 14, and btree_gist's classes
    /// from 18).
    Sorted,
}

/// GiST without a sample (src/backend/access/gist/gistbuild.c): the width is that of the stored key
/// (`pg_opclass.opckeytype`): a box for a polygon or circle, a box also for a point.
pub fn gist(rows: f64, key: &StoredColumn, build: GistBuild) -> IndexSize {
    let fill = match build {
        GistBuild::Inserted => 0.62,
        GistBuild::Sorted => 0.9,
    };
    let tuples = super::tuple::SampleRows::draw([key]).tuple_bytes(1);
    let item = super::tuple::mean(&tuples) + LINE_POINTER_BYTES;
    let per_page = (fill * 8152.0 / item).max(1.0);
    let leaves = (rows / per_page).ceil().max(1.0);
    let upper = if leaves > 1.0 {
        (leaves / per_page).ceil()
    } else {
        0.0
    };
    IndexSize {
        pages: whole_pages(leaves + upper, 1),
        tuples: rows,
        metapage: None,
    }
}

/// SP-GiST without a sample (src/backend/access/spgist): leaf tuples of 12 bytes and the value,
/// line pointers, and pages about two thirds full; a metapage and two roots.
pub fn spgist(rows: f64, key: &StoredColumn) -> IndexSize {
    const FIXED_PAGES: f64 = 3.0;
    let width = if key.type_length > 0 {
        f64::from(key.type_length)
    } else {
        key.average_width_bytes
    };
    let item = super::max_align(12.0 + width) + LINE_POINTER_BYTES;
    let estimate = FIXED_PAGES + rows * item / (0.66 * 8152.0);
    IndexSize {
        pages: whole_pages(estimate, 3),
        tuples: rows,
        metapage: None,
    }
}

/// The extension bloom (contrib/bloom/blutils.c): a TID and a signature of `signature_bits` (80
/// unless set) for each row, packed without line pointers.
pub fn bloom(rows: f64, signature_bits: u32) -> IndexSize {
    const ROOM_BYTES: f64 = 8192.0 - 24.0 - 8.0;
    let tuple = 6.0 + 2.0 * (f64::from(signature_bits) / 16.0).ceil().max(1.0);
    let per_page = (ROOM_BYTES / tuple).floor().max(1.0);
    IndexSize {
        pages: 1 + whole_pages(rows / per_page, 0),
        tuples: rows,
        metapage: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PostgreSQL 15: GiST on int4range, SP-GiST on inet, bloom on a million rows.
    #[test]
    fn trees_grow_in_proportion() {
        let builds = [
            SampleBuild {
                rows: 5_000.0,
                pages: 39,
            },
            SampleBuild {
                rows: 20_000.0,
                pages: 153,
            },
        ];
        let pages = extrapolate(160_000.0, &builds).unwrap().pages as f64;
        assert!((pages / 1215.0 - 1.0).abs() < 0.03, "{pages}");
        assert_eq!(extrapolate(10.0, &[]), None);
        assert_eq!(bloom(1e6, 80).pages, 1962);
    }

    #[test]
    fn without_a_sample_the_order_of_magnitude_is_right() {
        let range = StoredColumn::variable(4, 14.0, 1.0);
        let gist = gist(160_000.0, &range, GistBuild::Inserted).pages as f64;
        assert!((0.5..2.0).contains(&(gist / 1215.0)), "{gist}");
        let inet = StoredColumn::variable(4, 7.0, 0.0);
        let spgist = spgist(160_000.0, &inet).pages as f64;
        assert!((0.5..2.0).contains(&(spgist / 985.0)), "{spgist}");
    }
}
