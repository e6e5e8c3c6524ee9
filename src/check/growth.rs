//! How much data may grow: `2x..20x`.

/// From the smallest to the largest number of times that there are more rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factors {
    first: u32,
    last: u32,
}

/// A larger number of rows says nothing any more.
const MAX_FACTOR: u32 = 10_000;

impl Factors {
    /// Reads `2x..20x`, `2..20` or `10x`.
    ///
    /// # Errors
    /// A sentence that says what is expected.
    pub fn parse(text: &str) -> Result<Factors, String> {
        let number = |text: &str| {
            let digits = text.trim();
            let digits = digits.strip_suffix(['x', 'X', '×']).unwrap_or(digits);
            let factor = digits.parse::<u32>().ok();
            factor
                .filter(|factor| (2..=MAX_FACTOR).contains(factor))
                .ok_or_else(|| format!("expected 2x..20x, with numbers from 2 to {MAX_FACTOR}"))
        };
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(text)?, number(text)?),
        };
        if first > last {
            return Err("expected the smaller number first: 2x..20x".to_owned());
        }
        Ok(Factors { first, last })
    }

    /// The sizes that are tried: each at most twice the one before.
    pub fn steps(self) -> Vec<u32> {
        let mut steps = vec![self.first];
        let mut next = self.first.saturating_mul(2);
        while next < self.last {
            steps.push(next);
            next = next.saturating_mul(2);
        }
        if self.last > self.first {
            steps.push(self.last);
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_double_up_to_the_last() {
        let steps = |text| Factors::parse(text).unwrap().steps();
        assert_eq!(steps("2x..20x"), [2, 4, 8, 16, 20]);
        assert_eq!(steps("2..4"), [2, 4]);
        assert_eq!(steps("10x"), [10]);
        for text in ["", "1x", "x", "20..2", "2..", "2..1000000", "-3", "1.5x"] {
            assert!(Factors::parse(text).is_err(), "{text}");
        }
    }
}
