//! Estimates the size of an index: facts from the twin and from samples are the input of the model
//! in `src/twin/size.rs`.

use super::Twin;
use super::facts::{ColumnStatistics, TableFacts};
use super::index_part::{IndexPart, IndexPartColumn};
use super::observed::{Observed, ObservedColumn, gin_builds};
use crate::db::DbError;
use crate::db::explain::{EXPLAIN, plan_of};
use crate::db::session::PipelineStep;
use crate::index::Index;
use crate::twin::metapage::Metapage;
use crate::twin::size::brin::{self, BrinFacts, BrinSummary};
use crate::twin::size::btree::{self, BtreeFacts};
use crate::twin::size::gin::{self, GinFacts};
use crate::twin::size::hash::{self, HashFacts};
use crate::twin::size::tree::{self, GistBuild};
use crate::twin::size::{EqualKeys, IndexSize, StoredColumn};

const OPERATION: &str = "estimating an index in the planner twin";

/// The planner's default width of a varlena without statistics (`get_typavgwidth`,
/// src/backend/utils/cache/lsyscache.c).
const UNKNOWN_WIDTH_BYTES: f64 = 32.0;
/// The longest computed value, with its header of four bytes, that an index stores with one byte of
/// header instead.
const MAX_SHORT_BYTES: f64 = 130.0;
/// Bits of a bloom index's signature by default.
const SIGNATURE_BITS: u32 = 80;

/// The table and the facts about the index's rows.
struct IndexedRows<'k> {
    table: &'k TableFacts,
    /// Rows of the table.
    table_rows: f64,
    /// Rows of the index.
    rows: f64,
    observed: Option<Observed>,
    /// The planner's estimate of distinct keys.
    distinct: Option<f64>,
}

impl Twin {
    /// The estimated size of a part of an index, and its rows.
    pub(super) fn estimate(
        &mut self,
        index: &Index,
        part: &IndexPart,
    ) -> Result<IndexSize, DbError> {
        let by_keys = matches!(part.method.as_str(), "btree" | "hash");
        let is_plain = part.predicate.is_none() && part.keys().all(|column| column.attribute > 0);
        let is_simple = is_plain && (!by_keys || part.keys().count() == 1);
        let observed = if is_simple {
            None
        } else {
            self.observe(part, by_keys)?
        };
        let builds = match part.method.as_str() {
            "gin" | "gist" | "spgist" => self.build_on_samples(part)?,
            _ => Vec::new(),
        };
        let Some(table) = self.facts.get(&part.table).cloned() else {
            return Ok(IndexSize {
                pages: 1,
                tuples: 0.0,
                metapage: metapage_of_tree(part),
            });
        };
        let planned = if observed.is_none() && !is_simple {
            self.planned(part, by_keys)?
        } else {
            None
        };
        let known = self.known_rows(&table, part, observed, planned);
        Ok(match part.method.as_str() {
            "btree" => known.btree(part),
            "hash" => known.hash(part),
            "brin" => known.brin(
                part,
                index
                    .pages_per_range
                    .unwrap_or(brin::DEFAULT_PAGES_PER_RANGE),
            ),
            "gin" => gin::extrapolate(known.rows, &gin_builds(&builds))
                .unwrap_or_else(|| known.gin(part)),
            "gist" | "spgist" => {
                let sizes: Vec<_> = builds.iter().map(|(build, _)| *build).collect();
                let size = tree::extrapolate(known.rows, &sizes);
                IndexSize {
                    metapage: metapage_of_tree(part),
                    ..size.unwrap_or_else(|| known.tree(part))
                }
            }
            "bloom" => tree::bloom(known.rows, SIGNATURE_BITS),
            _ => known.btree(part),
        })
    }

    fn known_rows<'k>(
        &self,
        table: &'k TableFacts,
        part: &IndexPart,
        observed: Option<Observed>,
        planned: Option<Planned>,
    ) -> IndexedRows<'k> {
        let side = self.side(part.table);
        // The planner never takes a table for empty.
        let of_table = if table.pages == 0 { 0.0 } else { table.rows };
        let table_rows = side
            .filter(|side| side.is_whole)
            .map_or(of_table, |side| side.rows);
        let rows = match (&part.predicate, side, &observed, &planned) {
            (None, ..) => table_rows,
            (Some(_), Some(side), Some(observed), _) if side.is_whole => observed.rows,
            // No row among n satisfies it: probably fewer than one in n does.
            (Some(_), Some(side), Some(observed), _) => {
                table_rows * observed.rows.max(0.5) / side.rows
            }
            (Some(_), _, _, Some(planned)) => planned.rows.min(table_rows),
            (Some(_), ..) => table_rows,
        };
        IndexedRows {
            table,
            table_rows,
            rows,
            observed,
            distinct: planned.and_then(|planned| planned.distinct),
        }
    }

    /// The planner's own estimates of the predicate's rows and of distinct keys among them.
    fn planned(&self, part: &IndexPart, with_keys: bool) -> Result<Option<Planned>, DbError> {
        let keys: Vec<&str> = part.keys().map(|column| column.text.as_str()).collect();
        let list = if with_keys {
            format!("DISTINCT {}", keys.join(", "))
        } else {
            String::new()
        };
        let sql = format!(
            "{EXPLAIN}SELECT {list} FROM ONLY {}{}",
            part.table_name,
            part.filter()
        );
        let Ok(answers) = self
            .session
            .attempt(OPERATION, vec![PipelineStep::Statement(sql)])?
        else {
            return Ok(None);
        };
        let Some(plan) = answers.first().and_then(|rows| plan_of(rows)) else {
            return Ok(None);
        };
        let top = plan.root().plan_rows().unwrap_or(0.0);
        let scan = plan.nodes().iter().find(|node| node.table().is_some());
        let rows = scan.and_then(|node| node.plan_rows()).unwrap_or(top);
        Ok(Some(Planned {
            rows,
            distinct: with_keys.then_some(top.min(rows.max(1.0))),
        }))
    }
}

/// The planner's row estimate.
#[derive(Debug, Clone, Copy)]
struct Planned {
    rows: f64,
    distinct: Option<f64>,
}

impl IndexedRows<'_> {
    fn statistics(&self, column: &IndexPartColumn) -> Option<&ColumnStatistics> {
        self.table
            .columns
            .get(&column.attribute)?
            .statistics
            .as_ref()
    }

    fn observed_column(&self, number: usize) -> Option<ObservedColumn> {
        self.observed.as_ref()?.columns.get(number).copied()
    }

    fn columns(&self, part: &IndexPart) -> Vec<StoredColumn> {
        part.columns
            .iter()
            .enumerate()
            .map(|(number, column)| self.column(part, column, number))
            .collect()
    }

    fn column(&self, part: &IndexPart, column: &IndexPartColumn, number: usize) -> StoredColumn {
        let stored = StoredColumn {
            type_length: column.length,
            deduplicates: part.deduplicates,
            ..StoredColumn::fixed(column.length, column.alignment)
        };
        let observed = self.observed_column(number);
        match (self.statistics(column), observed) {
            (Some(statistics), _) => {
                self.column_by_statistics(&stored, statistics, part, column, observed)
            }
            (None, Some(observed)) => StoredColumn {
                average_width_bytes: short_width(observed.width_bytes),
                width_deviation_bytes: observed.width_deviation_bytes,
                null_fraction: observed.null_fraction,
                ..stored
            },
            (None, None) => StoredColumn {
                average_width_bytes: UNKNOWN_WIDTH_BYTES,
                ..stored
            },
        }
    }

    fn column_by_statistics(
        &self,
        stored: &StoredColumn,
        statistics: &ColumnStatistics,
        part: &IndexPart,
        column: &IndexPartColumn,
        observed: Option<ObservedColumn>,
    ) -> StoredColumn {
        let widths = StoredColumn::variable(
            column.alignment,
            statistics.width_bytes,
            statistics.width_deviation_bytes,
        );
        let stored = StoredColumn {
            average_width_bytes: widths.average_width_bytes,
            width_deviation_bytes: widths.width_deviation_bytes,
            null_fraction: observed
                .map_or(statistics.null_fraction, |observed| observed.null_fraction),
            distinct_values: Some(statistics.distinct_values(self.table_rows)),
            common_fractions: statistics.common_fractions.clone(),
            ..stored.clone()
        };
        match &part.predicate {
            Some(predicate)
                if observed.is_none()
                    && predicate.contains(&format!("{} IS NOT NULL", column.text)) =>
            {
                stored.without_nulls()
            }
            // A predicate on the column itself changes the distribution of its values.
            Some(predicate) if predicate.contains(&column.text) => StoredColumn {
                common_fractions: Vec::new(),
                distinct_values: None,
                ..stored
            },
            _ => stored,
        }
    }

    fn equal_keys(&self, part: &IndexPart) -> EqualKeys {
        if let Some(keys) = self
            .observed
            .as_ref()
            .and_then(|observed| observed.keys.clone())
            && !keys.groups.is_empty()
        {
            return EqualKeys::Sampled(keys);
        }
        let of_column = || {
            let statistics = part
                .keys()
                .next()
                .and_then(|column| self.statistics(column))?;
            Some(statistics.distinct_values(self.table_rows))
        };
        EqualKeys::Distinct(
            self.distinct
                .or_else(of_column)
                .unwrap_or(self.rows)
                .min(self.rows.max(1.0)),
        )
    }

    fn btree(&self, part: &IndexPart) -> IndexSize {
        let mut keys = self.columns(part);
        let include = keys.split_off(part.key_count.min(keys.len()));
        let facts = BtreeFacts::new(self.rows, keys, self.equal_keys(part));
        btree::size(&BtreeFacts {
            include,
            unique: part.is_unique,
            deduplicate_items: part.deduplicate_items,
            fillfactor: part.fillfactor.unwrap_or(facts.fillfactor),
            ..facts
        })
    }

    fn hash(&self, part: &IndexPart) -> IndexSize {
        let key = self
            .columns(part)
            .into_iter()
            .next()
            .unwrap_or_else(|| StoredColumn::fixed(4, 4));
        hash::size(&HashFacts {
            table_rows: self.table.rows,
            rows: self.rows,
            key,
            equal_keys: self.equal_keys(part),
            fillfactor: hash::DEFAULT_FILLFACTOR,
        })
    }

    fn brin(&self, part: &IndexPart, pages_per_range: u32) -> IndexSize {
        let summary = |(column, stored): (&IndexPartColumn, StoredColumn)| {
            let class = column.class.as_deref().unwrap_or_default();
            let summary = if class.ends_with("_minmax_multi_ops") {
                BrinSummary::MinmaxMulti
            } else if class.ends_with("_bloom_ops") {
                let distinct_values = stored.distinct_values.unwrap_or(self.rows);
                BrinSummary::Bloom {
                    distinct_per_range: -0.1,
                    distinct_values,
                }
            } else if class.contains("inclusion") {
                BrinSummary::Inclusion
            } else {
                BrinSummary::Minmax
            };
            (stored, summary)
        };
        let columns = part
            .columns
            .iter()
            .zip(self.columns(part))
            .map(summary)
            .collect();
        brin::size(&BrinFacts {
            rows: self.rows,
            heap_pages: self.table.pages,
            pages_per_range,
            columns,
        })
    }

    /// By a rule of thumb.
    fn gin(&self, part: &IndexPart) -> IndexSize {
        const ITEMS: f64 = 10.0;
        let Some(column) = part.columns.first() else {
            return gin::without_sample(&GinFacts {
                rows: self.rows,
                items_per_row: ITEMS,
                distinct_items: None,
                item_bytes: 8.0,
            });
        };
        let statistics = self.statistics(column);
        let width = statistics.map_or(UNKNOWN_WIDTH_BYTES, |statistics| statistics.width_bytes);
        let hashed = column.length > 0;
        // Trigrams: one for about each character; else values of about ten bytes.
        let class = column.class.as_deref().unwrap_or_default();
        let guess = if class.contains("trgm") {
            width
        } else {
            (width / 10.0).max(1.0)
        };
        gin::without_sample(&GinFacts {
            rows: self.rows,
            items_per_row: statistics
                .and_then(|statistics| statistics.elements)
                .unwrap_or(guess),
            distinct_items: None,
            item_bytes: if hashed {
                f64::from(column.length)
            } else {
                10.0
            },
        })
    }

    /// GiST and SP-GiST by a rule of thumb.
    fn tree(&self, part: &IndexPart) -> IndexSize {
        let key = self
            .columns(part)
            .into_iter()
            .next()
            .unwrap_or_else(|| StoredColumn::fixed(8, 8));
        if part.method == "spgist" {
            return tree::spgist(self.rows, &key);
        }
        let class = part
            .columns
            .first()
            .and_then(|column| column.class.as_deref())
            .unwrap_or_default();
        let build = if class == "point_ops" {
            GistBuild::Sorted
        } else {
            GistBuild::Inserted
        };
        tree::gist(self.rows, &key, build)
    }
}

/// The planner opens the metapage of SP-GiST, but reads none of GiST.
fn metapage_of_tree(part: &IndexPart) -> Option<Metapage> {
    (part.method == "spgist").then_some(Metapage::Spgist)
}

/// The stored width, computed from `pg_column_size` of a value that was just computed.
fn short_width(computed_bytes: f64) -> f64 {
    if computed_bytes <= MAX_SHORT_BYTES {
        (computed_bytes - 3.0).max(1.0)
    } else {
        computed_bytes
    }
}
