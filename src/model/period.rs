//! How long something lasted, in words.

/// `40 minutes`, `7 hours`, `19 days`: the unit of which there are two or more.
pub fn period(seconds: f64) -> String {
    const DAY_S: f64 = 86_400.0;
    let (number, one, many) = match seconds {
        s if s < 2.0 * 3_600.0 => (s / 60.0, "minute", "minutes"),
        s if s < 2.0 * DAY_S => (s / 3_600.0, "hour", "hours"),
        s => (s / DAY_S, "day", "days"),
    };
    let number = number.round().max(0.0);
    format!("{number} {}", if number == 1.0 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_one_of_which_there_are_several() {
        assert_eq!(
            [29.0, 60.0, 7_100.0, 86_400.0, 3e6].map(period),
            [
                "0 minutes",
                "1 minute",
                "118 minutes",
                "24 hours",
                "35 days"
            ]
        );
    }
}
