//! The indexes that are on: one selection for all screens, with undo and redo. Totals, plans and
//! exports follow it.

use std::collections::BTreeSet;

use super::session_data::SessionData;

/// So many changes can be undone.
const MAX_UNDO: usize = 200;

/// What is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Switches {
    /// The indexes that are on, by position.
    pub indexes: BTreeSet<usize>,
    /// The existing indexes whose DROP or REINDEX is exported, too.
    pub fixes: BTreeSet<usize>,
}

/// The indexes that are on, and what was on before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    now: Switches,
    before: Vec<Switches>,
    undone: Vec<Switches>,
}

impl Selection {
    /// The indexes that are on.
    pub fn indexes(&self) -> &BTreeSet<usize> {
        &self.now.indexes
    }

    /// All that is on.
    pub fn switches(&self) -> &Switches {
        &self.now
    }

    /// Was it changed by the user?
    pub fn is_changed(&self) -> bool {
        !self.before.is_empty()
    }

    /// The selection for new data: what is recommended, unless the user has chosen; then what the
    /// user chose, as far as it is still there.
    pub fn carry_over(&mut self, old: Option<&SessionData>, new: &SessionData) {
        let Some(old) = old.filter(|_| self.is_changed()) else {
            *self = Selection {
                now: Switches {
                    indexes: new.recommended(),
                    ..Switches::default()
                },
                ..Selection::default()
            };
            return;
        };
        for switches in self.all() {
            let named = switches.indexes.iter();
            let indexes = named.filter_map(|index| {
                let known = &old.indexes.get(*index)?.named.definition;
                let mut others = new.indexes.iter();
                others.position(|other| other.named.definition == *known)
            });
            let indexes = indexes.collect();
            let fixes = switches.fixes.iter().filter_map(|fix| {
                let known = &old.existing.get(*fix)?.index;
                new.existing.iter().position(|other| other.index == *known)
            });
            *switches = Switches {
                fixes: fixes.collect(),
                indexes,
            };
        }
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Switches> {
        let others = self.before.iter_mut().chain(&mut self.undone);
        std::iter::once(&mut self.now).chain(others)
    }

    /// Puts this in place of what is on.
    pub fn change(&mut self, to: Switches) {
        if to == self.now {
            return;
        }
        self.before.push(std::mem::replace(&mut self.now, to));
        if self.before.len() > MAX_UNDO {
            self.before.remove(0);
        }
        self.undone.clear();
    }

    /// Puts these indexes in place of those that are on.
    pub fn change_indexes(&mut self, indexes: BTreeSet<usize>) {
        let fixes = self.now.fixes.clone();
        self.change(Switches { indexes, fixes });
    }

    /// What was on before the last change; false if there was none.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.before.pop() else {
            return false;
        };
        self.undone.push(std::mem::replace(&mut self.now, before));
        true
    }

    /// What was on before the last undo; false if there was none.
    pub fn redo(&mut self) -> bool {
        let Some(undone) = self.undone.pop() else {
            return false;
        };
        self.before.push(std::mem::replace(&mut self.now, undone));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_undone_and_redone_in_order() {
        let mut selection = Selection::default();
        for indexes in [vec![1], vec![1, 2], vec![3]] {
            selection.change_indexes(indexes.into_iter().collect());
        }
        assert!(selection.undo() && selection.undo());
        assert_eq!(*selection.indexes(), [1].into());
        assert!(selection.redo());
        assert_eq!(*selection.indexes(), [1, 2].into());
        selection.change_indexes(BTreeSet::new());
        assert!(!selection.redo(), "what was undone is gone after a change");
        assert!(selection.undo() && selection.undo() && selection.undo() && !selection.undo());
        assert!(!selection.is_changed());
    }

    #[test]
    fn the_same_again_is_no_change() {
        let mut selection = Selection::default();
        selection.change_indexes(BTreeSet::new());
        assert!(!selection.is_changed() && !selection.undo());
    }
}
