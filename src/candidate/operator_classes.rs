//! Which operator classes answer a condition, looked up in the catalog, including those of
//! extensions.

use super::context::CandidateContext;
use super::expression_types::type_of_key;
use crate::catalog::OperatorClass;
use crate::index::{Index, IndexKey, Key, Method};
use crate::predicate::{Condition, Operand};

impl<'a> CandidateContext<'a> {
    /// The classes of a method that answer the condition, the default one first.
    pub(super) fn classes_for(
        self,
        condition: &Condition,
        method: &Method,
    ) -> Vec<&'a OperatorClass> {
        if condition.is_join() && condition.operator == "=" {
            return Vec::new();
        }
        self.classes(&condition.key, method, |class| {
            class.searched.contains(&condition.operator)
        })
    }

    /// The classes of a method for a key.
    pub(super) fn classes(
        self,
        key: &Key,
        method: &Method,
        answers: impl Fn(&OperatorClass) -> bool,
    ) -> Vec<&'a OperatorClass> {
        let Some(type_name) = type_of_key(key, self.table) else {
            return Vec::new();
        };
        let of_type = self.catalog.operator_classes.iter().filter(|class| {
            class.method == *method
                && super::expression_types::plain(&class.input_type) == type_name
                && answers(class)
        });
        let mut classes: Vec<&OperatorClass> = of_type.collect();
        classes.sort_by_key(|class| !class.default);
        classes.dedup_by_key(|class| &class.name);
        classes
    }

    /// Conditions with operators that a plain btree does not search for.
    pub(super) fn special_conditions(self) -> Vec<&'a Condition> {
        self.conditions(|condition| {
            !condition.operator.is_empty()
                && !matches!(
                    condition.operator.as_str(),
                    "=" | "<" | "<=" | ">" | ">=" | "<>"
                )
                && is_worth_an_index(condition)
        })
    }

    /// An index of any method on these keys.
    pub(super) fn index(self, method: Method, keys: Vec<(Key, &OperatorClass)>) -> Index {
        let extension = keys
            .iter()
            .find_map(|(_, class)| class.extension.clone())
            .map(Box::new);
        let keys = keys
            .into_iter()
            .map(|(key, class)| key_with(key, class))
            .collect();
        Index {
            method,
            extension,
            ..self.btree(keys)
        }
    }
}

fn key_with(key: Key, class: &OperatorClass) -> IndexKey {
    IndexKey {
        operator_class: (!class.default).then(|| class.name.clone()),
        ..IndexKey::ascending(key)
    }
}

/// A pattern without three letters in a row has no trigram: it would read the whole index
/// (<https://www.postgresql.org/docs/current/pgtrgm.html#PGTRGM-INDEX>).
fn is_worth_an_index(condition: &Condition) -> bool {
    const LETTERS_OF_A_TRIGRAM: usize = 3;
    let Operand::Constant(literal) = &condition.operand else {
        return true;
    };
    if !matches!(condition.operator.as_str(), "~~" | "~~*" | "~" | "~*") {
        return true;
    }
    let pattern = crate::sql::literal_value(literal);
    let mut runs = pattern
        .split(|c: char| !c.is_alphanumeric())
        .map(|run| run.chars().count());
    runs.any(|letters| letters >= LETTERS_OF_A_TRIGRAM)
        || !pattern.starts_with(['%', '_', '.', '*'])
}
