//! What the twin can suppose besides indexes, as a script that goes on with a transaction.

use super::Twin;
use crate::db::DbError;
use crate::model::{quote_identifier, quote_literal};
use crate::rehearsal::Supposition;
use crate::workload::Statement;

impl Twin {
    /// Makes something so for the rest of a transaction; none where it takes rows.
    pub(super) fn supposing(
        &mut self,
        supposition: &Supposition,
        _statements: &[Statement],
    ) -> Result<Option<String>, DbError> {
        Ok(match supposition {
            Supposition::Setting { name, value } => {
                Some(format!("; SET LOCAL {} = {}", quote_identifier(name), quote_literal(value)))
            }
            Supposition::Rewritten => Some(String::new()),
            Supposition::Analyzed(_) | Supposition::AllVisible(_) | Supposition::View(_) => None,
        })
    }
}
