//! The population behind a row of `pg_statistic`, and what ANALYZE finds of it.

use super::random::Random;
use super::tail::Tail;
use crate::twin::array_literal::ArrayLiteral;
use crate::twin::scalar::{Position, Scale};
use crate::twin::snapshot::{Oid, Slot, Statistic, Values};

/// `STATISTIC_KIND_MCV`, `STATISTIC_KIND_HISTOGRAM` and `STATISTIC_KIND_CORRELATION`
/// (src/include/catalog/pg_statistic.h).
const MOST_COMMON: i16 = 1;
const HISTOGRAM: i16 = 2;
const CORRELATION: i16 = 3;

/// `STATISTIC_NUM_SLOTS`, there.
const MAX_SLOTS: usize = 5;

/// Rows that ANALYZE looks at for each unit of the statistics target (`std_typanalyze`).
const ROWS_FOR_TARGET: f64 = 300.0;

/// More values than a tenth of the rows are stored as a share (`compute_scalar_stats`).
const SHARE_FROM: f64 = 0.1;

/// How many rows of a sample may have a value, although none had it in the last one: about so many on
/// average.
const UNSEEN_ROWS: f64 = 2.0;

/// A column, as far as its statistics tell.
pub(super) struct Column<'s> {
    statistic: &'s Statistic,
    rows: f64,
    target: u32,
    /// Rows that ANALYZE looks at.
    sample: f64,
    /// The most common values with their shares.
    common: Vec<(String, f64)>,
    /// The bounds of the histogram.
    bounds: Vec<String>,
    /// How many values there are.
    distinct: f64,
}

/// A draw before its number of values is settled.
struct Draw {
    null_fraction: f64,
    common: Vec<(String, f64)>,
    bounds: Vec<String>,
    distinct: f64,
    correlation: Option<f64>,
}

impl<'s> Column<'s> {
    /// None where ANALYZE looks at all rows, or there is nothing that could differ.
    pub(super) fn of(statistic: &'s Statistic, rows: f64, target: u32) -> Option<Column<'s>> {
        let sample = ROWS_FOR_TARGET * f64::from(target);
        if target == 0 || rows <= sample {
            return None;
        }
        let values = |kind: i16| {
            let slot = slot(statistic, kind)?;
            let array = ArrayLiteral::parse(&slot.values.as_ref()?.literal)?;
            let values = array.elements().into_iter().map(str::to_owned);
            Some(values.collect::<Vec<_>>())
        };
        let shares = slot(statistic, MOST_COMMON).and_then(|slot| slot.numbers.clone());
        let common = values(MOST_COMMON).unwrap_or_default();
        let shares = shares.unwrap_or_default().into_iter().map(f64::from);
        let distinct = f64::from(statistic.distinct);
        Some(Column {
            statistic,
            rows,
            target,
            sample,
            common: common.into_iter().zip(shares).collect(),
            bounds: values(HISTOGRAM).unwrap_or_default(),
            distinct: if distinct < 0.0 {
                -distinct * rows
            } else {
                distinct
            },
        })
    }

    /// So many draws. The mean number of values is that of the statistic: what the model of the rare
    /// values gets wrong is the same in all draws.
    pub(super) fn draw(
        &self,
        draws: usize,
        compared: &[String],
        random: &mut Random,
    ) -> Vec<Statistic> {
        // Where rare values lie: the same in all draws.
        let places: Vec<f64> = (0..1_000).map(|_| random.uniform()).collect();
        let drawn: Vec<Draw> = (0..draws)
            .map(|_| self.one(&places, compared, random))
            .collect();
        let logarithms: Vec<f64> = drawn
            .iter()
            .map(|draw| draw.distinct.max(1.0).ln())
            .collect();
        let number = (draws as f64).max(1.0);
        let mean = logarithms.iter().sum::<f64>() / number;
        let squares = logarithms.iter().map(|one| (one - mean).powi(2));
        let deviation = (squares.sum::<f64>() / number).sqrt();
        let own = self.distinct.max(1.0).ln();
        drawn
            .iter()
            .zip(logarithms)
            .map(|(draw, logarithm)| {
                // The number that was found is as uncertain as one that will be.
                let blurred = own + logarithm - mean + deviation * random.normal();
                self.statistic_of(draw, blurred.exp())
            })
            .collect()
    }

    /// The population is as uncertain as a sample of it.
    fn one(&self, places: &[f64], compared: &[String], random: &mut Random) -> Draw {
        let (rows, sample) = (self.rows, self.sample);
        let (nulls, common, rest) = self.population(compared, random);
        let last = self.common.last().map(|(_, share)| *share);
        let values = (self.distinct - self.common.len() as f64).max(0.0);
        let tail = Tail::new(values, rest, last, self.common.len());
        let names = self.names(&tail.single, places, compared, random);
        // What ANALYZE sees.
        let mut nulls = random.count(sample, nulls, rows);
        let mut counts: Vec<(String, f64)> = common
            .into_iter()
            .map(|(value, share)| (value, random.count(sample, share, rows)))
            .collect();
        let rare = tail.sample(sample, rows, random);
        settle(sample, &mut nulls, &mut counts, rare.rows);
        let there = counts.iter().filter(|(_, count)| *count > 0.0).count() as f64;
        let once = counts
            .iter()
            .filter(|(_, count)| (*count - 1.0).abs() < 0.5)
            .count() as f64;
        let distinct = there + rare.distinct;
        let candidates = counts.into_iter().chain(names.into_iter().zip(rare.single));
        let mut counted: Vec<(String, f64)> =
            candidates.filter(|(_, count)| *count > 1.0).collect();
        counted.sort_by(|one, other| other.1.total_cmp(&one.1));
        let null_fraction = nulls / sample;
        let estimated = self.estimated(distinct, once + rare.once, null_fraction);
        let is_all = (counted.len() as f64 - distinct).abs() < 0.5;
        let kept = self.kept(&counted, estimated, null_fraction, is_all);
        counted.truncate(kept);
        Draw {
            null_fraction,
            common: unique(counted, sample),
            bounds: self.drawn_bounds(random),
            distinct: estimated,
            correlation: self.correlation(random),
        }
    }

    /// The shares of NULL, of the most common values, and of all others together. Where ANALYZE saw no
    /// others, a value that a statement compares with is one that it did not happen to see.
    fn population(
        &self,
        compared: &[String],
        random: &mut Random,
    ) -> (f64, Vec<(String, f64)>, f64) {
        let (rows, sample) = (self.rows, self.sample);
        let null_fraction = f64::from(self.statistic.null_fraction);
        let known: f64 = self.common.iter().map(|(_, share)| share).sum();
        // The shares are rounded.
        let rest = 1.0 - null_fraction - known;
        let rest = if rest * sample < 0.5 { 0.0 } else { rest };
        let mut nulls = random.count(sample, null_fraction, rows);
        let mut counts: Vec<(String, f64)> = self
            .common
            .iter()
            .map(|(value, share)| (value.clone(), random.count(sample, *share, rows)))
            .collect();
        let rare = random.count(sample, rest, rows);
        settle(sample, &mut nulls, &mut counts, rare);
        let sum: f64 = counts.iter().map(|(_, count)| count).sum();
        let rest = if rest > 0.0 {
            (sample - nulls - sum).max(0.0)
        } else {
            0.0
        };
        let mut shares: Vec<(String, f64)> = counts
            .into_iter()
            .map(|(value, count)| (value, count / sample))
            .collect();
        if rest == 0.0 && !self.common.is_empty() {
            let unseen = compared
                .iter()
                .filter(|value| self.common.iter().all(|(common, _)| common != *value));
            for value in unseen {
                shares.push((value.clone(), UNSEEN_ROWS * random.exponential() / sample));
            }
        }
        (nulls / sample, shares, rest / sample)
    }

    /// Which values the first rare ones are.
    fn names(
        &self,
        shares: &[f64],
        places: &[f64],
        compared: &[String],
        random: &mut Random,
    ) -> Vec<String> {
        let at = places.iter().take(shares.len());
        let mut names: Vec<String> = at.map(|place| self.value_at(*place)).collect();
        let together: f64 = shares.iter().sum();
        for value in compared {
            if self.common.iter().any(|(common, _)| common == value) {
                continue;
            }
            let mut place = random.uniform() * together;
            let rank = shares.iter().position(|share| {
                place -= share;
                place < 0.0
            });
            if let Some(name) = rank.and_then(|rank| names.get_mut(rank)) {
                name.clone_from(value);
            }
        }
        names
    }

    /// The number of values by the estimator of Haas and Stokes (`compute_scalar_stats`).
    fn estimated(&self, distinct: f64, once: f64, null_fraction: f64) -> f64 {
        let rows = self.rows * (1.0 - null_fraction);
        let size = (self.sample * (1.0 - null_fraction)).max(1.0);
        if once >= distinct {
            return rows.max(1.0);
        }
        if once < 0.5 {
            return distinct;
        }
        let estimate = size * distinct / ((size - once) + once * size / rows.max(1.0));
        (estimate + 0.5).floor().clamp(distinct, rows.max(distinct))
    }

    /// How many of the most common values are kept (`analyze_mcv_list`).
    fn kept(&self, counted: &[(String, f64)], distinct: f64, nulls: f64, is_all: bool) -> usize {
        let all = counted.len().min(self.target as usize);
        if is_all && counted.len() <= self.target as usize {
            return all;
        }
        let (rows, size) = (self.rows, self.sample);
        let mut kept = all;
        while kept > 0 {
            let sum: f64 = counted.iter().take(kept - 1).map(|(_, count)| count).sum();
            let mut share = (1.0 - sum / size - nulls).clamp(0.0, 1.0);
            let others = distinct - (kept as f64 - 1.0);
            if others > 1.0 {
                share /= others;
            }
            let count = counted.get(kept - 1).map_or(0.0, |(_, count)| *count);
            let there = rows * count / size;
            let variance =
                size * there * (rows - there) * (rows - size) / (rows * rows * (rows - 1.0));
            if count > share * size + 2.0 * variance.max(0.0).sqrt() + 0.5 {
                break;
            }
            kept -= 1;
        }
        kept
    }

    /// The bounds are at even distances in a random sample.
    fn drawn_bounds(&self, random: &mut Random) -> Vec<String> {
        let number = self.bounds.len();
        if number < 2 {
            return self.bounds.clone();
        }
        let seen = self.sample * (1.0 - f64::from(self.statistic.null_fraction));
        let common: f64 = self.common.iter().map(|(_, share)| share).sum();
        let seen = (seen * (1.0 - common).max(0.01)).max(number as f64);
        let each = seen / (number - 1) as f64;
        let mut at = vec![random.exponential()];
        for _ in 1..number {
            let before = at.last().copied().unwrap_or(0.0);
            at.push(before + (each + each.sqrt() * random.normal()).max(0.0));
        }
        let end = at.last().copied().unwrap_or(1.0) + random.exponential();
        let bounds = at.into_iter().map(|place| self.value_at(place / end));
        bounds.collect()
    }

    /// The value at this place in the histogram; between two bounds where the type has distances.
    fn value_at(&self, place: f64) -> String {
        let last = self.bounds.len().saturating_sub(1);
        let at = place.clamp(0.0, 1.0) * last as f64;
        let (low, high) = (
            self.bounds.get(at.floor() as usize),
            self.bounds.get((at.ceil() as usize).min(last)),
        );
        let (Some(low), Some(high)) = (low, high) else {
            return String::new();
        };
        let between = || {
            let values = slot(self.statistic, HISTOGRAM)?.values.as_ref()?;
            let scale = Scale::of(values.element_type)?;
            let (from, to): (Position, Position) = (scale.read(low)?, scale.read(high)?);
            Some(scale.write(from.plus(to.minus(from) * at.fract())))
        };
        between().unwrap_or_else(|| {
            if at.fract() < 0.5 {
                low.clone()
            } else {
                high.clone()
            }
        })
    }

    fn correlation(&self, random: &mut Random) -> Option<f64> {
        let number = slot(self.statistic, CORRELATION)?.numbers.as_ref()?;
        let correlation = f64::from(*number.first()?);
        // Rows with NULL say nothing about it. What was found is as uncertain as what will be.
        let seen = self.sample * (1.0 - f64::from(self.statistic.null_fraction));
        let deviation = (1.0 - correlation * correlation) * (2.0 / seen.max(2.0)).sqrt();
        Some((correlation + deviation * random.normal()).clamp(-1.0, 1.0))
    }

    fn statistic_of(&self, draw: &Draw, distinct: f64) -> Statistic {
        let is_key = self.statistic.distinct <= -0.999;
        let distinct = distinct.clamp(1.0, self.rows.max(1.0));
        let distinct = if is_key {
            f64::from(self.statistic.distinct)
        } else if distinct > SHARE_FROM * self.rows {
            -(distinct / self.rows)
        } else {
            distinct.round()
        };
        let mut statistic = Statistic {
            null_fraction: draw.null_fraction as f32,
            distinct: distinct as f32,
            ..self.statistic.clone()
        };
        if self.common.is_empty() && !draw.common.is_empty() {
            add_most_common(&mut statistic);
        }
        for slot in &mut statistic.slots {
            match slot.kind {
                MOST_COMMON => {
                    let (values, shares): (Vec<_>, Vec<_>) = draw.common.iter().cloned().unzip();
                    slot.numbers = Some(shares.into_iter().map(|share| share as f32).collect());
                    set_values(slot, values);
                }
                HISTOGRAM if !self.bounds.is_empty() => set_values(slot, draw.bounds.clone()),
                CORRELATION => {
                    if let Some(correlation) = draw.correlation {
                        slot.numbers = Some(vec![correlation as f32]);
                    }
                }
                _ => {}
            }
        }
        // A list without values is none.
        statistic.slots.iter_mut().for_each(|slot| {
            if slot.kind == MOST_COMMON && draw.common.is_empty() {
                *slot = Slot::default();
            }
        });
        statistic
    }
}

/// Equality of types of PostgreSQL's own (src/include/catalog/pg_operator.dat).
const EQUAL: [(Oid, Oid); 14] = [
    (16, 91),
    (20, 410),
    (21, 94),
    (23, 96),
    (25, 98),
    (700, 620),
    (701, 670),
    (1042, 1054),
    (1043, 98),
    (1082, 1093),
    (1114, 2060),
    (1184, 1320),
    (1700, 1752),
    (2950, 2972),
];

/// A list of the most common values, where there was none; of a type whose operators are known.
fn add_most_common(statistic: &mut Statistic) {
    let histogram = slot(statistic, HISTOGRAM).cloned();
    let Some((histogram, values)) = histogram.and_then(|slot| Some((slot.clone(), slot.values?)))
    else {
        return;
    };
    let equal = EQUAL.iter().find(|(of, _)| *of == values.element_type);
    let Some((_, operator)) = equal else { return };
    let common = Slot {
        kind: MOST_COMMON,
        operator: *operator,
        numbers: None,
        values: Some(values),
        ..histogram
    };
    let number = statistic.slots.len();
    match statistic.slots.iter_mut().find(|slot| slot.kind == 0) {
        Some(empty) => *empty = common,
        None if number < MAX_SLOTS => statistic.slots.push(common),
        None => {}
    }
}

fn set_values(slot: &mut Slot, values: Vec<String>) {
    if let Some(old) = &slot.values {
        slot.values = Some(Values {
            element_type: old.element_type,
            literal: ArrayLiteral::of(values).to_string(),
        });
    }
}

/// Every row of a sample is counted once: what is most frequent has what the others leave.
fn settle(sample: f64, nulls: &mut f64, counts: &mut [(String, f64)], rare: f64) {
    let sum = *nulls + rare + counts.iter().map(|(_, count)| count).sum::<f64>();
    let missing = sample - sum;
    let first = counts
        .iter_mut()
        .map(|(_, count)| count)
        .max_by(|one, other| one.total_cmp(other));
    let largest = first.as_ref().map_or(0.0, |count| **count);
    if *nulls >= largest.max(rare) {
        *nulls = (*nulls + missing).max(0.0);
    } else if largest >= rare
        && let Some(count) = first
    {
        *count = (*count + missing).max(0.0);
    }
}

/// Each value once, with its share of the sample.
fn unique(counted: Vec<(String, f64)>, sample: f64) -> Vec<(String, f64)> {
    let mut seen = std::collections::BTreeSet::new();
    counted
        .into_iter()
        .filter(|(value, _)| seen.insert(value.clone()))
        .map(|(value, count)| (value, count / sample))
        .collect()
}

fn slot(statistic: &Statistic, kind: i16) -> Option<&Slot> {
    statistic.slots.iter().find(|slot| slot.kind == kind)
}
