//! May indexes be built on a table?

use crate::catalog::{Catalog, Table};
use crate::planner::RefusalCause;
use crate::verdict::{Limits, Rehearse};

/// Why nothing may be built on a table: the first rule that forbids it.
pub(crate) fn build_refusal(
    table: &Table,
    catalog: &Catalog,
    limits: &Limits,
) -> Option<RefusalCause> {
    match limits.rehearse {
        Rehearse::Off | Rehearse::Twin => {
            return Some(RefusalCause::BuildingNotAllowed(limits.rehearse));
        }
        Rehearse::Auto | Rehearse::Transaction => {}
    }
    if catalog.server.in_recovery {
        return Some(RefusalCause::ReadOnlyServer);
    }
    if !table.owned {
        return Some(RefusalCause::NotOwner(table.name.clone()));
    }
    let limit = limits.max_table_size?;
    (table.size() > limit).then(|| RefusalCause::TableTooLarge {
        table: table.name.clone(),
        size: table.size(),
        limit,
    })
}
