//! A position in a list and the part of it that is seen. Moved in update, where lengths are known; drawing only reads it.

/// A selected line and the first line that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct List {
    /// The selected line.
    pub selected: usize,
    /// The first line that is seen.
    pub offset: usize,
}

/// A step in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many lines up or down.
    By(isize),
    /// Pages up or down.
    Pages(isize),
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// To this line.
    To(usize),
}

impl List {
    /// Moves the selection and keeps it in sight.
    pub fn go(&mut self, step: Step, length: usize, height: usize) {
        let last = length.saturating_sub(1);
        self.selected = match step {
            Step::By(lines) => self.selected.saturating_add_signed(lines),
            Step::Pages(pages) => self
                .selected
                .saturating_add_signed(pages * (height.max(2) as isize - 1)),
            Step::First => 0,
            Step::Last => last,
            Step::To(line) => line,
        }
        .min(last);
        self.keep_in_sight(length, height);
    }

    /// Scrolls without a selection: the first line seen moves, and the selection with it.
    pub fn scroll(&mut self, step: Step, length: usize, height: usize) {
        let last = length.saturating_sub(height);
        self.offset = match step {
            Step::By(lines) => self.offset.saturating_add_signed(lines),
            Step::Pages(pages) => self
                .offset
                .saturating_add_signed(pages * (height.max(2) as isize - 1)),
            Step::First => 0,
            Step::Last => last,
            Step::To(line) => line,
        }
        .min(last);
        self.selected = self.offset;
    }

    /// After the list or the room for it changed.
    pub fn keep_in_sight(&mut self, length: usize, height: usize) {
        self.selected = self.selected.min(length.saturating_sub(1));
        let lowest = (self.selected + 1).saturating_sub(height.max(1));
        self.offset = self
            .offset
            .clamp(lowest, self.selected.max(lowest))
            .min(length.saturating_sub(height).max(lowest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_stays_in_the_list_and_in_sight() {
        let mut list = List::default();
        list.go(Step::By(-1), 100, 10);
        assert_eq!(
            list,
            List {
                selected: 0,
                offset: 0
            }
        );
        list.go(Step::Pages(1), 100, 10);
        assert_eq!(
            list,
            List {
                selected: 9,
                offset: 0
            }
        );
        list.go(Step::Last, 100, 10);
        assert_eq!(
            list,
            List {
                selected: 99,
                offset: 90
            }
        );
        list.keep_in_sight(5, 10);
        assert_eq!(
            list,
            List {
                selected: 4,
                offset: 0
            }
        );
        list.go(Step::Last, 0, 0);
        assert_eq!(
            list,
            List {
                selected: 0,
                offset: 0
            }
        );
    }
}
