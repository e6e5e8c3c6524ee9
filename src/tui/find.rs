//! Searching for a text in numbered lines: in plans and in long texts. Lists are filtered instead.

/// What is searched for. Capital letters matter only where there are any in it (as in ripgrep's
/// `--smart-case`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Find {
    /// The text; empty where nothing is searched for.
    pub text: String,
}

impl Find {
    /// Is something searched for?
    pub fn is_active(&self) -> bool {
        !self.text.is_empty()
    }

    /// Is it in this line?
    pub fn is_in(&self, line: &str) -> bool {
        contains(line, &self.text)
    }
}

/// Is the wanted text in this one? Capital letters matter only where the wanted text has any.
pub fn contains(text: &str, wanted: &str) -> bool {
    if wanted.chars().any(char::is_uppercase) {
        text.contains(wanted)
    } else {
        text.to_lowercase().contains(wanted)
    }
}

/// The number of the next of so many lines that has the text, wrapping around: after this line or
/// before it, or (`from_here`) beginning with it.
pub fn found_in(
    find: &Find,
    lines: usize,
    at: usize,
    (forward, from_here): (bool, bool),
    text: impl Fn(usize) -> String,
) -> Option<usize> {
    if !find.is_active() || lines == 0 {
        return None;
    }
    let skipped = usize::from(!from_here);
    let line = |step: usize| match forward {
        true => (at + step) % lines,
        false => (at + lines - step % lines) % lines,
    };
    (skipped..lines + skipped)
        .map(line)
        .find(|line| find.is_in(&text(*line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_gone_through_in_a_circle() {
        let lines = ["a Sort", "b", "sort c", "d"];
        let text = |line: usize| lines[line].to_owned();
        let find = |text: &str| Find {
            text: text.to_owned(),
        };
        let found = |wanted: &str, at, direction| found_in(&find(wanted), 4, at, direction, text);
        assert_eq!(found("sort", 0, (true, true)), Some(0));
        assert_eq!(found("sort", 0, (true, false)), Some(2));
        assert_eq!(found("sort", 2, (true, false)), Some(0));
        assert_eq!(found("sort", 0, (false, false)), Some(2));
        assert_eq!(
            found("Sort", 0, (true, false)),
            Some(0),
            "capital letters count"
        );
        assert_eq!(found("zeal", 0, (true, true)), None);
        assert_eq!(found("", 0, (true, true)), None);
        assert_eq!(found_in(&find("a"), 0, 0, (true, true), text), None);
    }
}
