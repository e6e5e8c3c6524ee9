//! What a redaction did.

use serde::{Deserialize, Serialize};

/// What was done to the data values of a twin file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RedactionReport {
    /// What was replaced by made-up values.
    pub replaced: Vec<String>,
    /// What was left out.
    pub dropped: Vec<String>,
    /// What is still production's.
    pub kept: Vec<String>,
}
