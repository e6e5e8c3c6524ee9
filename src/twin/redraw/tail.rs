//! The values that are not among the most common ones: how often each is there.

use super::random::Random;

/// So many of them are drawn one by one; the others in groups of similar ones.
const SINGLE: usize = 300;

/// How much larger the rank of the last value in a group is than that of the first.
const GROUP: f64 = 1.15;

/// Values by their rank, the most frequent first.
pub(super) struct Tail {
    /// Shares of all rows, of the first ones.
    pub(super) single: Vec<f64>,
    /// Of the others: how many have about the same share, and the share of each.
    groups: Vec<(f64, f64)>,
}

/// What a sample has of the tail.
pub(super) struct TailSample {
    /// Counts of the first values.
    pub(super) single: Vec<f64>,
    /// Of all values, how many are there.
    pub(super) distinct: f64,
    /// How many are there once.
    pub(super) once: f64,
    /// The rows with one of them.
    pub(super) rows: f64,
}

impl Tail {
    /// So many values that have this share together. The first is not more common than `last_common`, the
    /// share of the last of `common` most common values; from there the shares fall with a power of the
    /// rank, or not at all where they would be too small together.
    pub(super) fn new(values: f64, share: f64, last_common: Option<f64>, common: usize) -> Tail {
        let mean = share / values.max(1.0);
        let first = last_common.unwrap_or(mean).max(mean);
        let scale = (common as f64).max(1.0);
        let shares = |power: f64, rank: f64| first * (1.0 + (rank + 0.5) / scale).powf(-power);
        let power = power_of(values, share, &shares);
        let number = values.max(0.0).min(SINGLE as f64) as usize;
        let single = (0..number)
            .map(|rank| shares(power, rank as f64).min(share))
            .collect();
        let groups = ranks(values, number)
            .map(|(from, to)| (to - from, shares(power, f64::midpoint(from, to))))
            .collect();
        let mut tail = Tail { single, groups };
        let sum = tail.share();
        if sum > 0.0 {
            tail.times(share / sum);
        }
        tail
    }

    fn share(&self) -> f64 {
        let groups = self.groups.iter().map(|(number, share)| number * share);
        self.single.iter().sum::<f64>() + groups.sum::<f64>()
    }

    fn times(&mut self, factor: f64) {
        self.single.iter_mut().for_each(|share| *share *= factor);
        self.groups
            .iter_mut()
            .for_each(|(_, share)| *share *= factor);
    }

    /// What so many rows have of it.
    pub(super) fn sample(&self, size: f64, rows: f64, random: &mut Random) -> TailSample {
        let single: Vec<f64> = self
            .single
            .iter()
            .map(|share| random.count(size, *share, rows))
            .collect();
        let mut distinct = single.iter().filter(|count| **count > 0.0).count() as f64;
        let mut once = single
            .iter()
            .filter(|count| (**count - 1.0).abs() < 0.5)
            .count() as f64;
        let mut of_all: f64 = single.iter().sum();
        for (number, share) in &self.groups {
            let mean = size * share;
            of_all += random.count(size, number * share, rows);
            let never = (-mean).exp();
            let there = random.count(*number, 1.0 - never, f64::INFINITY);
            distinct += there;
            let once_of_those = if never < 1.0 {
                mean * never / (1.0 - never)
            } else {
                1.0
            };
            once += random.count(there, once_of_those, f64::INFINITY);
        }
        TailSample {
            single,
            distinct,
            once,
            rows: of_all,
        }
    }
}

/// The power with which the shares have this sum.
fn power_of(values: f64, share: f64, shares: &dyn Fn(f64, f64) -> f64) -> f64 {
    let number = values.max(0.0).min(SINGLE as f64) as usize;
    let sum = |power: f64| {
        let single: f64 = (0..number).map(|rank| shares(power, rank as f64)).sum();
        let groups = ranks(values, number)
            .map(|(from, to)| (to - from) * shares(power, f64::midpoint(from, to)));
        single + groups.sum::<f64>()
    };
    let (mut low, mut high) = (0.0, 8.0);
    if sum(low) <= share {
        return low;
    }
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if sum(middle) > share {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Groups of ranks behind the first ones.
fn ranks(values: f64, first: usize) -> impl Iterator<Item = (f64, f64)> {
    let mut from = first as f64;
    std::iter::from_fn(move || {
        (from < values).then(|| {
            let to = (from * GROUP).ceil().max(from + 1.0).min(values);
            let group = (from, to);
            from = to;
            group
        })
    })
}
