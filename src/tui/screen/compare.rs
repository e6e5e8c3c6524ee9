//! Two plans of one statement: as things are, and with an index that was rehearsed.

use std::sync::Arc;

use crate::tui::aligned::{Mark, Row, rows};
use crate::tui::dossier::{Choice, Dossier};
use crate::tui::list::{List, Step};
use crate::tui::plan_view::PlanView;

/// What is seen of two plans.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The statement, a card's position.
    pub card: Option<usize>,
    /// Which of its choices is shown.
    pub choice: usize,
    /// The plan without the choice.
    pub before: Option<Arc<PlanView>>,
    /// The plan with the choice.
    pub after: Option<Arc<PlanView>>,
    /// Both, line by line.
    pub rows: Vec<Row>,
    /// How far both are scrolled.
    pub list: List,
}

impl State {
    /// Opens a statement at its first choice, unless it is open.
    pub fn open(&mut self, dossier: &Dossier, card: usize) {
        if self.card != Some(card) {
            *self = State { card: Some(card), ..State::default() };
            self.load(dossier);
        }
    }

    /// Opens a statement at this index.
    pub fn open_at(&mut self, dossier: &Dossier, card: usize, entry: usize) {
        *self = State { card: Some(card), ..State::default() };
        let choices = self.choices(dossier);
        self.choice = choices.iter().position(|choice| choice.entry == Some(entry)).unwrap_or(0);
        self.load(dossier);
    }

    /// The next choice, or the one before, round in a circle.
    pub fn step(&mut self, dossier: &Dossier, by: isize) {
        let choices = self.choices(dossier).len();
        if choices > 0 {
            self.choice = (self.choice as isize + by).rem_euclid(choices as isize) as usize;
            self.load(dossier);
        }
    }

    /// Scrolls to the next headline that differs, round in a circle.
    pub fn jump_to_change(&mut self, height: usize) {
        let changes: Vec<usize> = (0..self.rows.len()).filter(|row| self.rows[*row].mark != Mark::Same).collect();
        let next = changes.iter().find(|row| **row > self.list.selected).or(changes.first());
        if let Some(row) = next {
            self.list.go(Step::To(*row), self.rows.len(), height);
        }
    }

    fn choices<'d>(&self, dossier: &'d Dossier) -> &'d [Choice] {
        self.card.and_then(|card| dossier.cards.get(card)).map_or(&[], |card| &card.choices)
    }

    /// The choice that is shown.
    pub fn shown<'d>(&self, dossier: &'d Dossier) -> Option<&'d Choice> {
        self.choices(dossier).get(self.choice)
    }

    fn load(&mut self, dossier: &Dossier) {
        self.before = self.shown(dossier).map(|choice| Arc::new(PlanView::new(choice.before.clone())));
        self.after = self.shown(dossier).map(|choice| Arc::new(PlanView::new(choice.plan.clone())));
        self.rows = match (&self.before, &self.after) {
            (Some(before), Some(after)) => rows(before, after),
            _ => Vec::new(),
        };
        self.list = List::default();
    }
}
