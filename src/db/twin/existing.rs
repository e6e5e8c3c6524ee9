//! The size that an existing index would have after a rebuild, with the same estimate as for
//! candidates.

use super::Twin;
use super::candidates::BEGIN_ESTIMATES;
use crate::db::DbError;
use crate::index::NamedIndex;
use crate::model::Bytes;
use crate::planner::TestedIndex;
use crate::twin::page::{self, BLOCK_BYTES};

const OPERATION: &str = "estimating an index that exists";

impl Twin {
    /// The sizes of these btrees after a rebuild. Left out are indexes that the twin does not have,
    /// and partial or expression indexes without a sample of rows, because their estimates would
    /// not be reliable.
    ///
    /// # Errors
    /// When the connection to the twin is lost.
    pub(super) fn rebuilt(&mut self, indexes: &[NamedIndex]) -> Result<Vec<TestedIndex>, DbError> {
        let mut rebuilt = Vec::new();
        for index in indexes {
            for leaf in self.leaves(&index.definition.table)? {
                self.learn(&leaf)?;
            }
            self.session.batch(OPERATION, BEGIN_ESTIMATES)?;
            let estimated = self.fresh_size(index);
            self.session.rollback();
            match estimated {
                Ok(size) => rebuilt.extend(size.map(|size| TestedIndex {
                    names: [index.qualified_name().to_string()].into(),
                    body: String::new(),
                    size,
                    build_time: None,
                    usable: true,
                })),
                Err(refused) if refused.is_refusal() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(rebuilt)
    }

    fn fresh_size(&mut self, index: &NamedIndex) -> Result<Option<Bytes>, DbError> {
        let Some(mut part) = self.parts(index)?.into_iter().next() else {
            return Ok(None);
        };
        let Some(path) = part.path.clone().filter(|_| part.method == "btree") else {
            return Ok(None);
        };
        let rests_on_rows = part.predicate.is_some() || part.has_expression();
        if rests_on_rows && self.side(part.table).is_none() {
            return Ok(None);
        }
        part.deduplicates = page::deduplicates(&self.directory.read(&path, 2 * BLOCK_BYTES)?);
        let size = self.estimate(&index.definition, &part)?;
        Ok(Some(Bytes(size.pages * BLOCK_BYTES as u64)))
    }
}
