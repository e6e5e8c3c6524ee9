//! The before/after screen: a statement's plan without and with a tested index.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::plan::Plan;
use crate::tui::aligned::{AlignedRow, Difference, rows};
use crate::tui::list::{ListState, Movement};
use crate::tui::plan_view::PlanView;
use crate::tui::session_data::{Choice, SessionData};

/// The state of the before/after screen.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The statement, a statement's position.
    pub statement: Option<usize>,
    /// Which of its choices is shown.
    pub choice: usize,
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
}

impl State {
    /// Opens a statement at its first choice, unless it is open.
    pub fn open(&mut self, session_data: &SessionData, statement: usize) {
        if self.statement != Some(statement) {
            self.clear_for(statement);
            self.load(session_data);
        }
    }

    /// Opens a statement at this index.
    pub fn open_at(&mut self, session_data: &SessionData, statement: usize, index: usize) {
        self.clear_for(statement);
        let choices = self.choices(session_data);
        self.choice = choices
            .iter()
            .position(|choice| choice.index == Some(index))
            .unwrap_or(0);
        self.load(session_data);
    }

    fn clear_for(&mut self, statement: usize) {
        *self = State {
            statement: Some(statement),
            used_only: self.used_only,
            ..State::default()
        };
    }

    /// The next choice that is stepped through, or the previous one; wraps around.
    ///
    /// # Errors
    /// When there is none.
    pub fn step(&mut self, session_data: &SessionData, by: isize) -> Result<(), String> {
        let stops = self.stops(session_data);
        if stops.is_empty() {
            return Err(if self.used_only {
                "the plan of this statement uses no tested index; u shows all".to_owned()
            } else {
                "no index was tested for this statement".to_owned()
            });
        }
        let behind = stops.iter().filter(|stop| **stop < self.choice).count() as isize;
        let here = isize::from(stops.contains(&self.choice));
        let next = if by > 0 { behind + here } else { behind - 1 };
        self.choice = stops[next.rem_euclid(stops.len() as isize) as usize];
        self.load(session_data);
        Ok(())
    }

    /// Steps only through choices that the plan uses from now on, or through all again.
    ///
    /// # Errors
    /// When nothing is used.
    pub fn switch_used_only(&mut self, session_data: &SessionData) -> Result<(), String> {
        self.used_only = !self.used_only;
        match self.stops(session_data).first() {
            None if self.used_only => {
                self.used_only = false;
                Err("the plan of this statement uses no tested index".to_owned())
            }
            Some(first) if !self.stops(session_data).contains(&self.choice) => {
                self.choice = *first;
                self.load(session_data);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The positions of the choices that are stepped through.
    fn stops(&self, session_data: &SessionData) -> Vec<usize> {
        let choices = self.choices(session_data).iter().enumerate();
        choices
            .filter(|(_, choice)| choice.used || !self.used_only)
            .map(|(position, _)| position)
            .collect()
    }

    /// The position of the shown choice: `3/23`, `2/5 used of 23`.
    pub fn position_text(&self, session_data: &SessionData) -> String {
        let (stops, all) = (self.stops(session_data), self.choices(session_data).len());
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
            .filter(|row| self.rows[*row].difference != Difference::Same)
            .collect();
        let next = changes
            .iter()
            .find(|row| **row > self.list.selected)
            .or(changes.first());
        if let Some(row) = next {
            self.select(Movement::To(*row), height);
        }
    }

    fn choices<'d>(&self, session_data: &'d SessionData) -> &'d [Choice] {
        self.statement
            .and_then(|statement| session_data.statements.get(statement))
            .map_or(&[], |statement| &statement.choices)
    }

    /// The choice that is shown.
    pub fn current<'d>(&self, session_data: &'d SessionData) -> Option<&'d Choice> {
        self.choices(session_data).get(self.choice)
    }

    fn load(&mut self, session_data: &SessionData) {
        let statement = self.statement.unwrap_or(0);
        let view = |plan: &Arc<Plan>, present: &BTreeSet<usize>| {
            Arc::new(PlanView::with_findings(
                plan.clone(),
                session_data,
                statement,
                present,
            ))
        };
        let shown = self.current(session_data);
        let before = shown.map(|choice| view(&choice.before, &BTreeSet::new()));
        let present = |choice: &Choice| {
            choice
                .index
                .map_or_else(|| session_data.recommended(), |index| [index].into())
        };
        self.after = shown.map(|choice| view(&choice.plan, &present(choice)));
        self.before = before;
        self.rows = match (&self.before, &self.after) {
            (Some(before), Some(after)) => rows(before, after),
            _ => Vec::new(),
        };
        self.list = ListState::default();
        self.detail = 0;
    }
}
