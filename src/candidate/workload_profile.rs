//! Facts about the whole workload: which keys many statements look up, and which are compared with
//! another value in each call.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::index::Key;
use crate::model::QualifiedName;
use crate::predicate::{Condition, ConditionKind, RelationUse};
use crate::sql::fingerprint::{Fingerprint, fingerprint};
use crate::sql::{Expression, array_elements, literal_value, literals};
use crate::workload::{MIN_DISTINCT_VALUES, StatementId};

/// What the literals of a condition are compared with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Compared {
    /// One key of the table.
    Key(QualifiedName, Key),
    /// A condition of the row alone, which may hold literals anywhere: the condition without them.
    Condition(QualifiedName, Fingerprint),
}

/// A statement without its literals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementShape {
    /// The same for statements that differ only in their literals.
    pub shape: Fingerprint,
    /// The values of literals that are known to vary.
    pub varying: BTreeSet<String>,
    /// The values of literals that are known never to vary.
    pub fixed: BTreeSet<String>,
}

/// Facts about all statements together.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct WorkloadProfile {
    looked_up: BTreeMap<(QualifiedName, Key), BTreeSet<StatementId>>,
    /// For each statement, what has another literal in each call.
    varying: BTreeMap<StatementId, BTreeSet<Compared>>,
    /// For each statement, the literals that are the same in each call.
    fixed: BTreeMap<StatementId, BTreeSet<String>>,
    /// The constant conditions on each table, that a partial index could have.
    constants: BTreeMap<QualifiedName, Vec<Condition>>,
}

impl WorkloadProfile {
    pub(super) fn of(
        uses: &[(StatementId, RelationUse)],
        shapes: &BTreeMap<StatementId, StatementShape>,
        catalog: &Catalog,
    ) -> WorkloadProfile {
        let known = || {
            uses.iter()
                .filter(|(_, relation)| catalog.table(&relation.table).is_some())
        };
        let mut profile = WorkloadProfile {
            varying: varying(known(), shapes),
            fixed: shapes
                .iter()
                .map(|(id, shape)| (id.clone(), shape.fixed.clone()))
                .collect(),
            ..WorkloadProfile::default()
        };
        for (statement, relation) in known() {
            for condition in &relation.conditions {
                if matches!(
                    condition.kind,
                    ConditionKind::Equality | ConditionKind::Null
                ) {
                    let key = (relation.table.clone(), condition.key.clone());
                    profile
                        .looked_up
                        .entry(key)
                        .or_default()
                        .insert(statement.clone());
                }
                let constants = profile.constants.entry(relation.table.clone()).or_default();
                let varies = profile
                    .varying
                    .get(statement)
                    .is_some_and(|varying| varying.contains(&compared(relation, condition)));
                if condition.is_constant() && !varies && !constants.contains(condition) {
                    constants.push(condition.clone());
                }
            }
        }
        profile
    }

    /// How many statements look this key up.
    pub(super) fn statements_looking_up(&self, table: &QualifiedName, key: &Key) -> usize {
        self.looked_up
            .get(&(table.clone(), key.clone()))
            .map_or(0, BTreeSet::len)
    }

    /// Does the condition have another literal in each call?
    pub(super) fn varies(
        &self,
        statement: &StatementId,
        relation: &RelationUse,
        condition: &Condition,
    ) -> bool {
        self.varying
            .get(statement)
            .is_some_and(|varying| varying.contains(&compared(relation, condition)))
    }

    /// Are the condition's literals known to be the same in each call?
    pub(super) fn is_fixed(&self, statement: &StatementId, condition: &Condition) -> bool {
        let Some(fixed) = self.fixed.get(statement).filter(|fixed| !fixed.is_empty()) else {
            return false;
        };
        let values = values(condition);
        !values.is_empty() && values.iter().any(|value| fixed.contains(value))
    }

    /// Every condition with a constant that some statement has on the table, in the order of the
    /// workload.
    pub(super) fn constants(&self, table: &QualifiedName) -> &[Condition] {
        self.constants.get(table).map_or(&[], Vec::as_slice)
    }
}

/// The same condition in statements that differ only in their literals.
#[derive(Debug, Default)]
struct SameCondition<'u> {
    expressions: BTreeSet<&'u Expression>,
    statements: BTreeSet<&'u StatementId>,
}

/// What varies: where statements that are otherwise the same have different literals, and where the
/// source of the workload has seen several values.
fn varying<'u>(
    uses: impl Iterator<Item = &'u (StatementId, RelationUse)>,
    shapes: &BTreeMap<StatementId, StatementShape>,
) -> BTreeMap<StatementId, BTreeSet<Compared>> {
    let mut varying: BTreeMap<StatementId, BTreeSet<Compared>> = BTreeMap::new();
    let mut groups: BTreeMap<(Compared, Fingerprint), SameCondition<'_>> = BTreeMap::new();
    for (statement, relation) in uses {
        let Some(shape) = shapes.get(statement) else {
            continue;
        };
        let in_arms = relation.alternatives.iter().flatten().flatten();
        for condition in relation
            .conditions
            .iter()
            .chain(in_arms)
            .filter(|condition| condition.is_constant())
        {
            let compared = compared(relation, condition);
            if values(condition)
                .iter()
                .any(|value| shape.varying.contains(value))
            {
                varying
                    .entry(statement.clone())
                    .or_default()
                    .insert(compared.clone());
            }
            let alike = groups.entry((compared, shape.shape)).or_default();
            alike.expressions.insert(&condition.expression);
            alike.statements.insert(statement);
        }
    }
    for ((compared, _), alike) in groups
        .into_iter()
        .filter(|(_, alike)| alike.expressions.len() >= MIN_DISTINCT_VALUES)
    {
        for statement in alike.statements {
            varying
                .entry(statement.clone())
                .or_default()
                .insert(compared.clone());
        }
    }
    varying
}

/// The values of a condition's literals, those of lists one by one.
fn values(condition: &Condition) -> Vec<String> {
    let literals = literals(&condition.expression.text).unwrap_or_default();
    let elements = literals
        .iter()
        .filter(|literal| literal.starts_with('{'))
        .flat_map(|list| array_elements(list));
    let elements: Vec<String> = elements.map(|element| literal_value(&element)).collect();
    [literals, elements].concat()
}

fn compared(relation: &RelationUse, condition: &Condition) -> Compared {
    let table = relation.table.clone();
    match condition.kind {
        ConditionKind::RowPredicate => {
            Compared::Condition(table, fingerprint(&condition.expression.text))
        }
        _ => Compared::Key(table, condition.key.clone()),
    }
}
