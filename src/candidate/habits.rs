//! What the workload as a whole does: which keys many statements look up, and which are compared with another value each time.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::index::Key;
use crate::model::QualifiedName;
use crate::predicate::{Condition, Kind, Operand, RelationUse};
use crate::sql::fingerprint::{Fingerprint, fingerprint};
use crate::workload::StatementId;

/// From so many literals on in statements that are otherwise the same, a value is a parameter.
const VALUES_OF_A_PARAMETER: usize = 4;

type Place = (QualifiedName, Key);

/// Facts about all statements together.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Habits {
    looked_up: BTreeMap<Place, BTreeSet<StatementId>>,
    /// Keys whose literal is another one in each call.
    varying: BTreeSet<Place>,
    /// The constant conditions on each table, that a partial index could have.
    constants: BTreeMap<QualifiedName, Vec<Condition>>,
}

impl Habits {
    pub(super) fn of(
        uses: &[(StatementId, RelationUse)],
        shapes: &BTreeMap<StatementId, Fingerprint>,
        catalog: &Catalog,
    ) -> Habits {
        let mut habits = Habits::default();
        let mut literals: BTreeMap<(Place, Fingerprint), BTreeSet<String>> = BTreeMap::new();
        for (statement, relation) in uses.iter().filter(|(_, relation)| catalog.table(&relation.table).is_some()) {
            for condition in &relation.conditions {
                let place = (relation.table.clone(), condition.key.clone());
                if matches!(condition.kind, Kind::Equality | Kind::Null) {
                    habits.looked_up.entry(place.clone()).or_default().insert(statement.clone());
                }
                let Operand::Constant(_) = &condition.operand else { continue };
                let constants = habits.constants.entry(relation.table.clone()).or_default();
                if !constants.contains(condition) {
                    constants.push(condition.clone());
                }
            }
            let in_arms = relation.alternatives.iter().flatten().flatten();
            for condition in relation.conditions.iter().chain(in_arms).filter(|condition| condition.is_constant()) {
                if let Some(shape) = shapes.get(statement) {
                    let place = (relation.table.clone(), place_of(condition));
                    literals.entry((place, *shape)).or_default().insert(condition.text.clone());
                }
            }
        }
        let varying = literals.into_iter().filter(|(_, values)| values.len() >= VALUES_OF_A_PARAMETER);
        habits.varying = varying.map(|((place, _), _)| place).collect();
        habits
    }

    /// How many statements look this key up.
    pub(super) fn statements_looking_up(&self, table: &QualifiedName, key: &Key) -> usize {
        self.looked_up.get(&(table.clone(), key.clone())).map_or(0, BTreeSet::len)
    }

    /// Has it another literal each time?
    pub(super) fn varies(&self, table: &QualifiedName, condition: &Condition) -> bool {
        self.varying.contains(&(table.clone(), place_of(condition)))
    }

    /// Every condition with a constant that some statement has on the table, in the order of the workload.
    pub(super) fn constants(&self, table: &QualifiedName) -> &[Condition] {
        self.constants.get(table).map_or(&[], Vec::as_slice)
    }
}

/// What the literals of a condition are compared with. A fact about the row may hold literals anywhere.
fn place_of(condition: &Condition) -> Key {
    match condition.kind {
        Kind::OfRow => Key::Expression(fingerprint(&condition.text).to_string()),
        _ => condition.key.clone(),
    }
}
