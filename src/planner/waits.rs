//! What other sessions felt of a transaction.

use serde::{Deserialize, Serialize};

use crate::model::Millis;

/// What other sessions felt of a transaction.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Waits {
    /// How long the session waited that waited longest; absent where nobody waited. Where nobody
    /// watched, this is as long as somebody may have waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<Millis>,
    /// Why nobody watched who waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwatched: Option<String>,
}
