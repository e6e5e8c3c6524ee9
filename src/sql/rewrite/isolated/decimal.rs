//! Exact decimal numbers, as statements write them.

/// `digits / 10^scale`, without zeros at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: i128,
    scale: u32,
}

/// More digits than any column that is compared here holds.
const MOST_DIGITS: usize = 30;

impl Decimal {
    /// `-12.50`, `.5`, `5.`; nothing else.
    pub(super) fn parse(text: &str) -> Option<Decimal> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        let all = format!("{whole}{fraction}");
        let is_number = !all.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
        let digits: i128 = all
            .parse()
            .ok()
            .filter(|_| is_number && all.len() <= MOST_DIGITS)?;
        let scale = u32::try_from(fraction.len()).ok()?;
        Some(Decimal::new(sign * digits, scale))
    }

    pub(super) fn of(integer: i128) -> Decimal {
        Decimal::new(integer, 0)
    }

    fn new(mut digits: i128, mut scale: u32) -> Decimal {
        while scale > 0 && digits % 10 == 0 {
            (digits, scale) = (digits / 10, scale - 1);
        }
        Decimal { digits, scale }
    }

    /// The power, if it is 10, 100, 1000, ….
    pub(super) fn power_of_ten(self) -> Option<u32> {
        let power = self.digits.checked_ilog10()?;
        let is_power = self.scale == 0 && 10_i128.pow(power) == self.digits;
        (is_power && power > 0).then_some(power)
    }

    pub(super) fn times_power_of_ten(self, power: u32) -> Option<Decimal> {
        match self.scale.checked_sub(power) {
            Some(scale) => Some(Decimal::new(self.digits, scale)),
            None => {
                let factor = 10_i128.checked_pow(power - self.scale)?;
                Some(Decimal::new(self.digits.checked_mul(factor)?, 0))
            }
        }
    }

    pub(super) fn over_power_of_ten(self, power: u32) -> Decimal {
        Decimal::new(self.digits, self.scale + power)
    }

    pub(super) fn minus(self, other: Decimal) -> Option<Decimal> {
        let scale = self.scale.max(other.scale);
        let digits = |number: Decimal| {
            number
                .digits
                .checked_mul(10_i128.checked_pow(scale - number.scale)?)
        };
        Some(Decimal::new(
            digits(self)?.checked_sub(digits(other)?)?,
            scale,
        ))
    }

    pub(super) fn negated(self) -> Decimal {
        Decimal {
            digits: -self.digits,
            ..self
        }
    }

    pub(super) fn integer(self) -> Option<i128> {
        (self.scale == 0).then_some(self.digits)
    }

    pub(super) fn floor(self) -> Option<i128> {
        Some(self.digits.div_euclid(10_i128.checked_pow(self.scale)?))
    }

    pub(super) fn ceiling(self) -> Option<i128> {
        self.negated().floor().map(|floor| -floor)
    }

    /// Are there at most so many digits?
    pub(super) fn has_digits(self, most: u32) -> bool {
        self.digits.unsigned_abs() < 10_u128.pow(most)
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let scale = self.scale as usize;
        let digits = format!("{:0>1$}", self.digits.unsigned_abs(), scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        match fraction {
            "" => write!(formatter, "{sign}{whole}"),
            fraction => write!(formatter, "{sign}{whole}.{fraction}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        for (text, shown) in [
            ("12.50", "12.5"),
            (".05", "0.05"),
            ("-5.", "-5"),
            ("0.0", "0"),
        ] {
            assert_eq!(number(text).to_string(), shown);
        }
        for text in ["", "-", ".", "1e3", "NaN", "1 2", "0x1"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(
            (number("-1.5").floor(), number("-1.5").ceiling()),
            (Some(-2), Some(-1))
        );
        assert_eq!(
            (number("7").floor(), number("7").ceiling()),
            (Some(7), Some(7))
        );
        assert_eq!(number("100.0").power_of_ten(), Some(2));
        assert_eq!(number("101").power_of_ten(), None);
        assert_eq!(
            number("9.5").times_power_of_ten(2).unwrap().to_string(),
            "950"
        );
        assert_eq!(number("9.5").over_power_of_ten(2).to_string(), "0.095");
        assert_eq!(
            number("1.5").minus(number("2.25")).unwrap().to_string(),
            "-0.75"
        );
    }
}
