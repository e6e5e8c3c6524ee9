//! Who uses the indexes that a migration adds or drops.

use super::comparison::CheckedStatement;
use super::migration::{ChangedIndex, IndexChange, Migrated};
use crate::index::parse_index;
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::planner::PlanOutcome;

/// An added or dropped index with what the workload says about it.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexUse {
    /// The index.
    pub index: ChangedIndex,
    /// The statements whose plan reads it: an added one afterwards, a dropped one before.
    pub used_by: Vec<String>,
    /// What is wrong with it.
    pub finding: Option<IndexFinding>,
}

/// What is wrong with an index that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexFinding {
    /// No statement of the workload uses it.
    Unused,
    /// Another index answers all that it answers.
    Redundant(QualifiedName),
}

impl IndexFinding {
    /// Its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            IndexFinding::Unused => "unused",
            IndexFinding::Redundant(_) => "redundant",
        }
    }
}

/// Who uses the indexes that the migration added or dropped.
pub fn index_uses(migrated: &Migrated, statements: &[CheckedStatement]) -> Vec<IndexUse> {
    let of_one = |index: &ChangedIndex| {
        let used_by: Vec<String> = statements
            .iter()
            .filter(|checked| is_used(index, checked))
            .map(|checked| checked.statement.id.0.clone())
            .collect();
        let is_judged = index.change == IndexChange::Added && !index.enforces;
        let finding = match redundant_with(index, &migrated.indexes_after) {
            _ if !is_judged => None,
            Some(other) => Some(IndexFinding::Redundant(other)),
            None => used_by.is_empty().then_some(IndexFinding::Unused),
        };
        IndexUse {
            index: index.clone(),
            used_by,
            finding,
        }
    };
    migrated.indexes.iter().map(of_one).collect()
}

fn is_used(index: &ChangedIndex, checked: &CheckedStatement) -> bool {
    let reads = |outcome: &PlanOutcome| {
        let used = outcome.plan().map(Plan::index_names).unwrap_or_default();
        index.names.iter().any(|name| used.contains(name.as_str()))
    };
    match index.change {
        // What nobody knows yet may decide whether it is used.
        IndexChange::Added => {
            reads(&checked.after) || checked.assumed.iter().any(|assumed| reads(&assumed.after))
        }
        IndexChange::Dropped => reads(&checked.before),
    }
}

/// Another index of the table that answers all that this one answers. Of two that are equal, both are
/// new or the other one was there before.
fn redundant_with(
    index: &ChangedIndex,
    existing: &[(QualifiedName, String)],
) -> Option<QualifiedName> {
    let own = parse_index(&index.definition).ok()?;
    let subsumes = |(name, definition): &&(QualifiedName, String)| {
        let other = parse_index(definition).ok();
        *name != index.name && other.is_some_and(|other| other.subsumes(&own))
    };
    let found = existing.iter().find(subsumes)?;
    Some(found.0.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bytes;

    fn added(name: &str, columns: &str, enforces: bool) -> ChangedIndex {
        ChangedIndex {
            name: QualifiedName::new("public", name),
            names: vec![name.to_owned()],
            table: QualifiedName::new("public", "t"),
            definition: format!("CREATE INDEX {name} ON public.t USING btree ({columns})"),
            change: IndexChange::Added,
            enforces,
            size: Bytes(8192),
        }
    }

    #[test]
    fn an_index_is_redundant_with_one_that_begins_with_its_columns() {
        let indexes = [
            added("a", "x", false),
            added("b", "y", false),
            added("c", "z", true),
        ];
        let mut existing: Vec<(QualifiedName, String)> = indexes
            .iter()
            .map(|index| (index.name.clone(), index.definition.clone()))
            .collect();
        existing.push((
            QualifiedName::new("public", "xy"),
            "CREATE INDEX xy ON public.t USING btree (x, y)".to_owned(),
        ));
        let migrated = Migrated {
            indexes: indexes.to_vec(),
            indexes_after: existing,
            ..Migrated::default()
        };
        let findings: Vec<Option<IndexFinding>> = index_uses(&migrated, &[])
            .into_iter()
            .map(|index| index.finding)
            .collect();
        let redundant = IndexFinding::Redundant(QualifiedName::new("public", "xy"));
        assert_eq!(
            findings,
            [Some(redundant), Some(IndexFinding::Unused), None]
        );
    }
}
