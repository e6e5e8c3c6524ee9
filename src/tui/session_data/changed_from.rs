//! What a comparison is about.

/// What statements are compared over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFrom {
    /// The result in a sentence.
    pub summary: String,
    /// What is compared: `before | after`.
    pub sides: String,
    /// The report as text.
    pub report: String,
}
