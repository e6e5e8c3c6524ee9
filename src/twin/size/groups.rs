//! How many rows have equal keys: what deduplication saves and which hash buckets overflow depends
//! on the sizes of these groups, not only on their mean.

use super::{EqualKeys, StoredColumn};

/// Maximum number of kinds of keys after a product of columns; similar ones are merged.
const MAX_KINDS: usize = 48;
/// Above this expected size, a group's size is taken as exact.
const CERTAIN_ROWS: f64 = 400.0;
/// From this share of distinct keys on, all keys count as different.
const ALL_DIFFERENT: f64 = 0.995;

/// Keys of one kind: this number of possible keys, each with this share of all rows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct KeyClass {
    keys: f64,
    share: f64,
}

/// Groups of equal keys: how many there are and how many rows each has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Groups {
    pub(super) count: f64,
    pub(super) rows: f64,
    /// The one group of an index on a single column that holds its NULLs.
    pub(super) is_null: bool,
}

impl Groups {
    fn of(count: f64, rows: f64) -> Groups {
        Groups {
            count,
            rows,
            is_null: false,
        }
    }
}

/// The sizes of the groups of equal keys among `rows` rows which have `distinct` distinct keys.
///
/// The most common values have the sizes from the statistics. Other rows are spread at random over
/// the other keys (Poisson), and columns are assumed to be independent as far as `distinct` allows
/// it.
pub(super) fn key_groups(rows: f64, columns: &[StoredColumn], equal: &EqualKeys) -> Vec<Groups> {
    let rows = rows.max(0.0);
    let distinct = match equal {
        EqualKeys::Sampled(sample) if !sample.groups.is_empty() => {
            return sample
                .scaled(rows)
                .into_iter()
                .map(|(count, size)| Groups::of(count, size))
                .collect();
        }
        EqualKeys::Sampled(_) => rows,
        EqualKeys::Distinct(distinct) => *distinct,
    };
    let distinct = distinct.clamp(1.0, rows.max(1.0));
    match columns {
        [] => vec![Groups::of(1.0, rows)],
        [column] => single_column(rows, column, distinct),
        _ if distinct >= rows * ALL_DIFFERENT => vec![Groups::of(rows, 1.0)],
        _ => {
            let mut kinds = vec![KeyClass {
                keys: 1.0,
                share: 1.0,
            }];
            for column in columns {
                kinds = product(&kinds, &kinds_of(column, rows));
            }
            drawn(rows, &fit(rows, &kinds, distinct))
        }
    }
}

/// The number of distinct keys of the first columns if columns are independent; at most one for
/// each row.
pub(super) fn distinct_prefix(rows: f64, columns: &[StoredColumn]) -> f64 {
    let mut kinds = vec![KeyClass {
        keys: 1.0,
        share: 1.0,
    }];
    for column in columns {
        kinds = product(&kinds, &kinds_of(column, rows));
    }
    present(rows, &kinds).clamp(1.0, rows.max(1.0))
}

/// Rows spread at random over keys, each of which occurs.
fn spread(rows: f64, keys: f64) -> Vec<Groups> {
    if keys < 0.5 || rows < 1.0 {
        return Vec::new();
    }
    if keys >= rows * ALL_DIFFERENT {
        return vec![Groups::of(rows, 1.0)];
    }
    drawn(
        rows,
        &fit(
            rows,
            &[KeyClass {
                keys,
                share: 1.0 / keys,
            }],
            keys,
        ),
    )
}

fn single_column(rows: f64, column: &StoredColumn, distinct: f64) -> Vec<Groups> {
    let mut groups = Vec::new();
    let null_rows = rows * column.null_fraction.clamp(0.0, 1.0);
    if null_rows >= 0.5 {
        groups.push(Groups {
            count: 1.0,
            rows: null_rows,
            is_null: true,
        });
    }
    let mut common = 0.0;
    for share in column.common_fractions.iter().filter(|share| **share > 0.0) {
        groups.push(Groups::of(1.0, rows * share));
        common += share;
    }
    let rest_rows = (rows - null_rows - rows * common).max(0.0);
    let rest_keys = distinct - column.common_fractions.len() as f64;
    groups.extend(spread(rest_rows, rest_keys));
    // The shares that the lists and the numbers of distinct values leave over, or count twice, are
    // spread over all kinds.
    let covered: f64 = groups.iter().map(|group| group.count * group.rows).sum();
    if covered > 0.0 {
        groups
            .iter_mut()
            .for_each(|group| group.rows *= rows / covered);
    }
    groups
}

/// The kinds of values of a column: each common value, NULL, and all other values together.
fn kinds_of(column: &StoredColumn, rows: f64) -> Vec<KeyClass> {
    let mut kinds: Vec<KeyClass> = column
        .common_fractions
        .iter()
        .map(|share| KeyClass {
            keys: 1.0,
            share: *share,
        })
        .filter(|k| k.share > 0.0)
        .collect();
    if column.null_fraction > 0.0 {
        kinds.push(KeyClass {
            keys: 1.0,
            share: column.null_fraction,
        });
    }
    let left = 1.0 - kinds.iter().map(|kind| kind.share).sum::<f64>();
    let distinct = column.distinct_values.unwrap_or(rows).max(1.0);
    let others = distinct - column.common_fractions.len() as f64;
    if left > 1e-6 && others >= 0.5 {
        kinds.push(KeyClass {
            keys: others,
            share: left / others,
        });
    } else if kinds.is_empty() {
        kinds.push(KeyClass {
            keys: distinct,
            share: 1.0 / distinct,
        });
    }
    merged(kinds)
}

/// Every kind of one column with every kind of the other.
fn product(left: &[KeyClass], right: &[KeyClass]) -> Vec<KeyClass> {
    let pairs = left.iter().flat_map(|l| {
        right.iter().map(move |r| KeyClass {
            keys: (l.keys * r.keys).min(1e15),
            share: l.share * r.share,
        })
    });
    merged(pairs.collect())
}

/// Limits the kinds to [`MAX_KINDS`]: neighbours with similar shares become one with their mean
/// share.
fn merged(mut kinds: Vec<KeyClass>) -> Vec<KeyClass> {
    let total = |kinds: &[KeyClass]| kinds.iter().map(|kind| kind.keys * kind.share).sum::<f64>();
    let whole = total(&kinds);
    kinds.retain(|kind| kind.keys > 0.0 && kind.share > 0.0);
    kinds.sort_by(|a, b| b.share.total_cmp(&a.share));
    if kinds.len() > MAX_KINDS {
        let first = kinds.first().map_or(1.0, |kind| kind.share);
        let last = kinds.last().map_or(1.0, |kind| kind.share);
        let width = ((first / last).ln() / (MAX_KINDS as f64 - 1.0)).max(1e-9);
        let mut result: Vec<(i64, KeyClass)> = Vec::with_capacity(MAX_KINDS);
        for kind in kinds {
            let class = ((first / kind.share).ln() / width) as i64;
            match result.last_mut() {
                Some((same, sum)) if *same == class => {
                    let rows = sum.keys * sum.share + kind.keys * kind.share;
                    sum.keys += kind.keys;
                    sum.share = rows / sum.keys;
                }
                _ => result.push((class, kind)),
            }
        }
        kinds = result.into_iter().map(|(_, kind)| kind).collect();
    }
    // Limiting the numbers of keys must not lose rows.
    let now = total(&kinds);
    if now > 0.0 && whole > 0.0 {
        kinds.iter_mut().for_each(|kind| kind.share *= whole / now);
    }
    kinds
}

/// The number of possible keys that have at least one of the rows.
fn present(rows: f64, kinds: &[KeyClass]) -> f64 {
    kinds
        .iter()
        .map(|kind| kind.keys * -(-rows * kind.share).exp_m1())
        .sum()
}

/// The kinds with their numbers of possible keys scaled so that `distinct` keys occur.
fn fit(rows: f64, kinds: &[KeyClass], distinct: f64) -> Vec<KeyClass> {
    let scaled = |factor: f64| -> Vec<KeyClass> {
        kinds
            .iter()
            .map(|kind| KeyClass {
                keys: kind.keys * factor,
                share: kind.share / factor,
            })
            .collect()
    };
    let (mut low, mut high) = (1e-9_f64.ln(), 1e9_f64.ln());
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if present(rows, &scaled(middle.exp())) < distinct {
            low = middle;
        } else {
            high = middle;
        }
    }
    scaled(f64::midpoint(low, high).exp())
}

/// Group sizes of each kind: exact for large groups, Poisson for small ones.
fn drawn(rows: f64, kinds: &[KeyClass]) -> Vec<Groups> {
    let mut groups = Vec::new();
    for kind in kinds {
        let expected = rows * kind.share;
        if expected > CERTAIN_ROWS {
            groups.push(Groups::of(kind.keys, expected));
            continue;
        }
        let mut probability = (-expected).exp();
        let longest = expected + 8.0 * expected.sqrt() + 8.0;
        let mut size = 0.0;
        while size < longest {
            size += 1.0;
            probability *= expected / size;
            if probability > 1e-9 {
                groups.push(Groups::of(kind.keys * probability, size));
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(distinct: f64, common: &[f64], null_fraction: f64) -> StoredColumn {
        StoredColumn {
            distinct_values: Some(distinct),
            common_fractions: common.to_vec(),
            null_fraction,
            ..StoredColumn::fixed(4, 4)
        }
    }

    fn totals(groups: &[Groups]) -> (f64, f64) {
        (
            groups.iter().map(|group| group.count).sum(),
            groups.iter().map(|group| group.count * group.rows).sum(),
        )
    }

    #[test]
    fn rows_and_distinct_keys_are_kept() {
        let single = key_groups(
            100_000.0,
            &[column(20_000.0, &[0.1, 0.05], 0.2)],
            &EqualKeys::Distinct(20_000.0),
        );
        let (keys, rows) = totals(&single);
        assert!((keys - 20_001.0).abs() < 5.0, "{keys}");
        assert!((rows - 100_000.0).abs() < 1.0, "{rows}");
        let pair = [
            column(300.0, &[0.3, 0.2, 0.1], 0.0),
            column(5_000.0, &[], 0.1),
        ];
        for distinct in [6_000.0, 40_000.0, 90_000.0] {
            let (keys, rows) = totals(&key_groups(
                100_000.0,
                &pair,
                &EqualKeys::Distinct(distinct),
            ));
            assert!((keys / distinct - 1.0).abs() < 0.01, "{keys}");
            assert!((rows / 100_000.0 - 1.0).abs() < 0.01, "{rows}");
        }
    }

    #[test]
    fn a_prefix_has_its_own_number_of_keys() {
        let pair = [
            column(4.0, &[0.25, 0.25, 0.25, 0.25], 0.0),
            column(1_000.0, &[], 0.0),
        ];
        assert!((distinct_prefix(1e6, &pair[..1]) - 4.0).abs() < 0.01);
        assert!((distinct_prefix(1e6, &pair) - 4_000.0).abs() < 10.0);
    }
}
