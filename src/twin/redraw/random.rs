//! Random numbers from a seed.

/// `splitmix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
pub(super) struct Random(u64);

/// Up to here counts are drawn one by one; beyond, they are normally distributed.
const SMALL: f64 = 30.0;

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1, never one of them.
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// With mean 0 and variance 1.
    pub(super) fn normal(&mut self) -> f64 {
        let (one, other) = (self.uniform(), self.uniform());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }

    /// Distances of random points: with mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// How many of a sample of `size` rows out of `rows` are of a kind with this share.
    pub(super) fn count(&mut self, size: f64, share: f64, rows: f64) -> f64 {
        let share = share.clamp(0.0, 1.0);
        let mean = size * share;
        let left = (1.0 - size / rows).max(0.0);
        if mean < SMALL {
            return self.poisson(mean).min(size);
        }
        let deviation = (mean * (1.0 - share) * left).sqrt();
        (mean + deviation * self.normal()).round().clamp(0.0, size)
    }

    /// Counts of something rare.
    pub(super) fn poisson(&mut self, mean: f64) -> f64 {
        if mean > SMALL {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let limit = (-mean).exp();
        let (mut count, mut product) = (0.0, self.uniform());
        while product > limit {
            count += 1.0;
            product *= self.uniform();
        }
        count
    }
}
