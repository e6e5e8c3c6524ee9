//! The selected line of a list and its scroll position. Update moves them, where lengths are known;
//! drawing only reads them.

/// The selected line and the first visible line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListState {
    /// The selected line.
    pub selected: usize,
    /// The first visible line.
    pub offset: usize,
}

/// A movement in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// Lines up or down.
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

impl ListState {
    /// Moves the selection and scrolls it into view.
    pub fn select(&mut self, movement: Movement, length: usize, height: usize) {
        let last = length.saturating_sub(1);
        self.selected = match movement {
            Movement::By(lines) => self.selected.saturating_add_signed(lines),
            Movement::Pages(pages) => self
                .selected
                .saturating_add_signed(pages * (height.max(2) as isize - 1)),
            Movement::First => 0,
            Movement::Last => last,
            Movement::To(line) => line,
        }
        .min(last);
        self.keep_in_sight(length, height);
    }

    /// Scrolls without a selection: the first visible line moves, and the selection with it.
    pub fn scroll(&mut self, movement: Movement, length: usize, height: usize) {
        let last = length.saturating_sub(height);
        self.offset = match movement {
            Movement::By(lines) => self.offset.saturating_add_signed(lines),
            Movement::Pages(pages) => self
                .offset
                .saturating_add_signed(pages * (height.max(2) as isize - 1)),
            Movement::First => 0,
            Movement::Last => last,
            Movement::To(line) => line,
        }
        .min(last);
        self.selected = self.offset;
    }

    /// Scrolls the selection into view after the list or its height changed.
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
        let mut list = ListState::default();
        list.select(Movement::By(-1), 100, 10);
        assert_eq!(
            list,
            ListState {
                selected: 0,
                offset: 0
            }
        );
        list.select(Movement::Pages(1), 100, 10);
        assert_eq!(
            list,
            ListState {
                selected: 9,
                offset: 0
            }
        );
        list.select(Movement::Last, 100, 10);
        assert_eq!(
            list,
            ListState {
                selected: 99,
                offset: 90
            }
        );
        list.keep_in_sight(5, 10);
        assert_eq!(
            list,
            ListState {
                selected: 4,
                offset: 0
            }
        );
        list.select(Movement::Last, 0, 0);
        assert_eq!(
            list,
            ListState {
                selected: 0,
                offset: 0
            }
        );
    }
}
