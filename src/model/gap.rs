//! What is unknown about tables, and what makes it known.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::QualifiedName;

/// Something that could not be read from the server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gap {
    /// The tables that it is about; empty when it is about all.
    #[serde(default)]
    pub tables: BTreeSet<QualifiedName>,
    /// What is missing, and what follows.
    pub what: String,
    /// What would help: a GRANT.
    pub remedy: Option<String>,
}

impl Gap {
    /// The part of the gap that is about these tables; none when it is about others.
    pub fn about(&self, tables: &BTreeSet<QualifiedName>) -> Option<Gap> {
        let about: BTreeSet<QualifiedName> = self.tables.intersection(tables).cloned().collect();
        (self.tables.is_empty() || !about.is_empty()).then(|| Gap {
            tables: about,
            ..self.clone()
        })
    }
}
