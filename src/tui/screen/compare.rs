//! The before/after screen: a statement's plan without and with a tested index.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::plan::Plan;
use crate::tui::aligned::{AlignedCell, AlignedRow, Room, plan_room, rows};
use crate::tui::find::{Find, found_in};
use crate::tui::list::{ListState, Movement};
use crate::tui::plan_view::PlanView;
use crate::tui::session_data::{Choice, SessionData};

/// The state of the before/after screen.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The statement, a statement's position.
    pub statement: Option<usize>,
    /// The other statement whose plan stands at the right, where two statements are compared.
    pub other: Option<usize>,
    /// The plans that this one can be compared with.
    pub choices: Vec<Choice>,
    /// Which of its choices is shown.
    pub choice: usize,
    /// Does the shown choice follow what is on? Not after another was chosen.
    pub follows: bool,
    /// Are only those choices stepped through that the plan uses?
    pub used_only: bool,
    /// The plan without the choice.
    pub before: Option<Arc<PlanView>>,
    /// The plan with the choice.
    pub after: Option<Arc<PlanView>>,
    /// Both, line by line.
    pub rows: Vec<AlignedRow>,
    /// How far both are scrolled.
    pub list: ListState,
    /// The first visible line of the details.
    pub detail: usize,
    /// The columns of each plan, for which long lines are wrapped.
    columns: usize,
    /// What is searched for in both plans.
    pub find: Find,
}

impl State {
    /// Opens a statement at its first choice, unless it is open.
    pub fn open(
        &mut self,
        session_data: &SessionData,
        statement: usize,
        selected: &BTreeSet<usize>,
    ) {
        if self.statement != Some(statement) || self.other.is_some() {
            self.clear_for(statement);
            self.follows = true;
            self.choices = session_data.choices(statement, selected);
            self.load(session_data, selected);
        }
    }

    /// Opens a statement at this index.
    pub fn open_at(
        &mut self,
        session_data: &SessionData,
        (statement, index): (usize, usize),
        selected: &BTreeSet<usize>,
    ) {
        self.clear_for(statement);
        self.choices = session_data.choices(statement, selected);
        let mut choices = self.choices.iter();
        self.choice = choices
            .position(|choice| choice.index == Some(index))
            .unwrap_or(0);
        self.load(session_data, selected);
    }

    /// Shows the plans of two statements beside each other.
    ///
    /// # Errors
    /// When one of them has no plan.
    pub fn open_two(
        &mut self,
        session_data: &SessionData,
        (left, right): (usize, usize),
    ) -> Result<(), String> {
        let plan = |statement: usize| {
            let view = session_data.statements.get(statement);
            let plan = view.and_then(|view| view.before.as_ref().ok());
            plan.cloned().ok_or_else(|| {
                let name = view.map(|view| view.source.id.to_string());
                format!("{} has no plan", name.unwrap_or_default())
            })
        };
        let (before, after) = (plan(left)?, plan(right)?);
        self.clear_for(left);
        self.other = Some(right);
        self.choices = vec![Choice {
            index: None,
            before,
            plan: after,
            used: true,
        }];
        self.load(session_data, &BTreeSet::new());
        Ok(())
    }

    /// Opens the same again: there are new data, or other indexes are on.
    pub fn reopen(&mut self, session_data: &SessionData, selected: &BTreeSet<usize>) {
        let Some(statement) = self.statement else {
            return;
        };
        if statement >= session_data.statements.len() {
            *self = State::default();
            return;
        }
        let shown = self.current().map(|choice| choice.index);
        let old = self.clone();
        if let Some(other) = self.other {
            if self.open_two(session_data, (statement, other)).is_err() {
                *self = State::default();
                return;
            }
        } else {
            self.choices = session_data.choices(statement, selected);
            let mut choices = self.choices.iter();
            let place = shown
                .filter(|_| !self.follows)
                .and_then(|shown| choices.position(|choice| choice.index == shown));
            self.choice = place.unwrap_or(0);
            self.load(session_data, selected);
        }
        if self.rows.len() == old.rows.len() {
            (self.list, self.detail) = (old.list, old.detail);
        }
    }

    fn clear_for(&mut self, statement: usize) {
        *self = State {
            statement: Some(statement),
            used_only: self.used_only,
            find: self.find.clone(),
            columns: self.columns,
            ..State::default()
        };
    }

    /// The next choice that is stepped through, or the previous one; wraps around.
    ///
    /// # Errors
    /// When there is none.
    pub fn step(
        &mut self,
        session_data: &SessionData,
        selected: &BTreeSet<usize>,
        by: isize,
    ) -> Result<(), String> {
        let stops = self.stops();
        if stops.is_empty() {
            return Err(if self.used_only {
                "The plan of this statement uses no tested index; o shows all".to_owned()
            } else {
                "No index was tested for this statement".to_owned()
            });
        }
        let behind = stops.iter().filter(|stop| **stop < self.choice).count() as isize;
        let here = isize::from(stops.contains(&self.choice));
        self.follows = false;
        let next = if by > 0 { behind + here } else { behind - 1 };
        self.choice = stops[next.rem_euclid(stops.len() as isize) as usize];
        self.load(session_data, selected);
        Ok(())
    }

    /// Steps only through choices that the plan uses from now on, or through all again.
    ///
    /// # Errors
    /// When nothing is used.
    pub fn switch_used_only(
        &mut self,
        session_data: &SessionData,
        selected: &BTreeSet<usize>,
    ) -> Result<(), String> {
        self.used_only = !self.used_only;
        match self.stops().first() {
            None if self.used_only => {
                self.used_only = false;
                Err("The plan of this statement uses no tested index".to_owned())
            }
            Some(first) if !self.stops().contains(&self.choice) => {
                self.choice = *first;
                self.load(session_data, selected);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The positions of the choices that are stepped through.
    fn stops(&self) -> Vec<usize> {
        let choices = self.choices.iter().enumerate();
        choices
            .filter(|(_, choice)| choice.used || !self.used_only)
            .map(|(position, _)| position)
            .collect()
    }

    /// The position of the shown choice: `3/23`, `2/5 used of 23`.
    pub fn position_text(&self) -> String {
        let (stops, all) = (self.stops(), self.choices.len());
        let here = stops.iter().position(|stop| *stop == self.choice);
        let here = here.map_or_else(|| "–".to_owned(), |position| (position + 1).to_string());
        if self.used_only {
            format!("{here}/{} used of {all}", stops.len())
        } else {
            format!("{here}/{all}")
        }
    }

    /// Moves the selection; the details start at their top.
    pub fn select(&mut self, movement: Movement, height: usize) {
        self.list.select(movement, self.rows.len(), height);
        self.detail = 0;
    }

    /// Scrolls to the next headline that differs; wraps around.
    pub fn jump_to_change(&mut self, height: usize) {
        let changes: Vec<usize> = (0..self.rows.len())
            .filter(|row| self.rows[*row].begins_difference())
            .collect();
        let next = changes
            .iter()
            .find(|row| **row > self.list.selected)
            .or(changes.first());
        if let Some(row) = next {
            self.select(Movement::To(*row), height);
        }
    }

    /// The choice that is shown.
    pub fn current(&self) -> Option<&Choice> {
        self.choices.get(self.choice)
    }

    /// The room for the texts of one plan.
    pub fn room(&self) -> Room {
        plan_room(self.columns)
    }

    /// Wraps both plans for this width of each.
    pub fn wrap(&mut self, columns: usize) {
        if self.columns != columns {
            self.columns = columns;
            self.align();
        }
    }

    fn align(&mut self) {
        self.rows = match (&self.before, &self.after) {
            (Some(before), Some(after)) => rows(before, after, self.room()),
            _ => Vec::new(),
        };
    }

    /// Selects the next line with the text that is searched for; false if there is none.
    pub fn next_match(&mut self, forward: bool, from_here: bool, height: usize) -> bool {
        let (Some(before), Some(after)) = (self.before.clone(), self.after.clone()) else {
            return false;
        };
        let side = |view: &PlanView, side: AlignedCell| match side {
            AlignedCell::Node(node) => view.lines[node].headline.clone(),
            AlignedCell::Detail(node, number, 0) => view.lines[node].details[number].clone(),
            AlignedCell::Detail(..) | AlignedCell::Rest(..) | AlignedCell::Empty => String::new(),
        };
        let text = |row: usize| {
            let row = &self.rows[row];
            format!("{} {}", side(&before, row.before), side(&after, row.after))
        };
        let (rows, at) = (self.rows.len(), self.list.selected);
        let found = found_in(&self.find, rows, at, (forward, from_here), text);
        if let Some(row) = found {
            self.select(Movement::To(row), height);
        }
        found.is_some()
    }

    fn load(&mut self, session_data: &SessionData, selected: &BTreeSet<usize>) {
        let statement = self.statement.unwrap_or(0);
        let view = |plan: &Arc<Plan>, statement: usize, present: &BTreeSet<usize>| {
            Arc::new(PlanView::with_findings(
                plan.clone(),
                session_data,
                statement,
                present,
            ))
        };
        let shown = self.current().cloned();
        let present = |choice: &Choice| match choice.index {
            Some(index) => [index].into(),
            None if self.other.is_some() => BTreeSet::new(),
            None => selected.clone(),
        };
        let before = shown
            .as_ref()
            .map(|choice| view(&choice.before, statement, &BTreeSet::new()));
        let right = self.other.unwrap_or(statement);
        self.after = shown
            .as_ref()
            .map(|choice| view(&choice.plan, right, &present(choice)));
        self.before = before;
        self.align();
        self.list = ListState::default();
        self.detail = 0;
    }
}
