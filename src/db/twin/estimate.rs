//! The facts that a size is estimated from, asked of the twin itself: its planner knows how many rows and values to expect.

use super::Twin;
use crate::db::DbError;
use crate::db::explain::Explained;
use crate::index::{Index, Method};
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::twin::snapshot::Metapage;

/// How large an index is thought to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Estimate {
    pub(super) pages: u64,
    pub(super) tuples: f64,
    pub(super) metapage: Option<Metapage>,
}

impl Twin {
    pub(super) fn estimate(&self, index: &Index, table: &QualifiedName) -> Result<Estimate, DbError> {
        let filter = index.predicate.as_ref().map(|predicate| format!(" WHERE {predicate}")).unwrap_or_default();
        let tuples = self
            .planned(&format!("SELECT FROM ONLY {table}{filter}"))?
            .map_or(0.0, |plan| plan.root().plan_rows().unwrap_or(0.0));
        let pages = 2 + (tuples / 300.0) as u64;
        let level = if pages > 40000 {
            2
        } else if pages > 2 {
            1
        } else {
            0
        };
        let metapage = match index.method {
            Method::Btree => Some(Metapage::Btree { level }),
            _ => None,
        };
        Ok(Estimate { pages, tuples, metapage })
    }

    fn planned(&self, sql: &str) -> Result<Option<Plan>, DbError> {
        Ok(match self.session.explain(sql)? {
            Explained::Plan { plan, .. } => Some(plan),
            _ => None,
        })
    }
}
