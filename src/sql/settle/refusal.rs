//! What the server says against a text.

/// Why the server did not accept a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The SQLSTATE.
    pub state: String,
    /// The primary message.
    pub message: String,
    /// The character of the text that it points at, counted from 0.
    pub at: Option<usize>,
}

impl Refusal {
    /// Is it the same about a text with a cast more? A cast in front of the place moves it to the
    /// right.
    pub(super) fn says_the_same(&self, before: &Refusal) -> bool {
        const MAX_MOVED: usize = 24;
        let is_near = match (self.at, before.at) {
            (Some(at), Some(before)) => (before..before + MAX_MOVED).contains(&at),
            (at, before) => at == before,
        };
        self.state == before.state && self.message == before.message && is_near
    }
}
