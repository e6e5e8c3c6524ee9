//! What a question may suppose besides new indexes: another setting, better statistics, a vacuumed table, a view that exists.

use serde::{Deserialize, Serialize};

use super::{NamedIndex, Refusal};
use crate::model::Millis;
use crate::verdict::Reason;

/// Something that is not so, and is supposed for the time of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supposition {
    /// A planner setting has another value. Whoever is asked can tell: it is set for a transaction.
    Setting {
        /// Its name.
        name: String,
        /// Its value, as SET takes it.
        value: String,
    },
}

impl Supposition {
    /// Is something built for it on the server, and rolled back?
    pub fn takes_a_transaction(&self) -> bool {
        match self {
            Supposition::Setting { .. } => false,
        }
    }

    /// There is nobody who could tell.
    pub fn refused(&self, indexes: &[NamedIndex]) -> Refusal {
        let beside = if indexes.is_empty() { "" } else { " beside new indexes" };
        let detail = format!("nobody to ask can suppose {self}{beside}");
        Refusal { reason: Reason::Offline, detail, write_block: Millis::default(), built: 0 }
    }
}

impl std::fmt::Display for Supposition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Supposition::Setting { name, value } => write!(formatter, "{name} = {value}"),
        }
    }
}
