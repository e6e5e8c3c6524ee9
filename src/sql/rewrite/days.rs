//! Days of the calendar (proleptic Gregorian, as PostgreSQL's `date`).

/// A day between 0001-01-01 and 9999-12-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day {
    pub(super) year: i32,
    pub(super) month: u32,
    pub(super) day: u32,
}

impl Day {
    /// Only a day that there is.
    pub(super) fn new(year: i32, month: u32, day: u32) -> Option<Day> {
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_of_month(year, month)).contains(&day);
        exists.then_some(Day { year, month, day })
    }

    /// `YYYY-MM-DD`, which every DateStyle reads alike.
    pub(super) fn parse(text: &str) -> Option<Day> {
        let bytes = text.as_bytes();
        let shape = bytes.len() == 10
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !shape {
            return None;
        }
        let number = |part: Option<&str>| part?.parse::<u32>().ok();
        let year = i32::try_from(number(text.get(..4))?).ok()?;
        Day::new(year, number(text.get(5..7))?, number(text.get(8..))?)
    }

    pub(super) fn next(self) -> Option<Day> {
        let Day { year, month, day } = self;
        Day::new(year, month, day + 1)
            .or_else(|| Day::new(year, month + 1, 1))
            .or_else(|| Day::new(year + 1, 1, 1))
    }

    pub(super) fn months_later(self, months: u32) -> Option<Day> {
        let month = self.month - 1 + months;
        let years = i32::try_from(month / 12).ok()?;
        Day::new(self.year + years, month % 12 + 1, self.day)
    }

    pub(super) fn days_later(self, days: u32) -> Option<Day> {
        (0..days).try_fold(self, |day, _| day.next())
    }

    /// 0 is Monday (Sakamoto).
    pub(super) fn weekday(self) -> i32 {
        const OFFSETS: [i32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = if self.month < 3 {
            self.year - 1
        } else {
            self.year
        };
        let offset = OFFSETS
            .get(self.month as usize - 1)
            .copied()
            .unwrap_or_default();
        let day = i32::try_from(self.day).unwrap_or_default();
        (year + year / 4 - year / 100 + year / 400 + offset + day + 6) % 7
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{:04}-{:02}-{:02}",
            self.year, self.month, self.day
        )
    }
}

fn days_of_month(year: i32, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other() {
        let later = |day: &str, days| Day::parse(day)?.days_later(days).map(|day| day.to_string());
        assert_eq!(later("2024-02-28", 2).as_deref(), Some("2024-03-01"));
        assert_eq!(later("1900-02-28", 1).as_deref(), Some("1900-03-01"));
        assert_eq!(later("2023-12-31", 1).as_deref(), Some("2024-01-01"));
        assert_eq!(later("9999-12-31", 1), None);
        for no_day in [
            "2023-02-29",
            "2023-13-01",
            "0000-01-01",
            "31.01.2024",
            "2024-1-01",
        ] {
            assert_eq!(Day::parse(no_day), None, "{no_day}");
        }
        let weekday = |day: &str| Day::parse(day).unwrap().weekday();
        assert_eq!((weekday("2024-01-01"), weekday("2026-11-29")), (0, 6));
        let month = Day::parse("2023-12-01").unwrap().months_later(3).unwrap();
        assert_eq!(month.to_string(), "2024-03-01");
    }
}
