//! One plan: what is folded, what is selected, how far its details are scrolled.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::printable;
use crate::plan::NodeId;
use unicode_width::UnicodeWidthStr;

use crate::text_layout::wrap;
use crate::tui::find::{Find, found_in};
use crate::tui::list::{ListState, Movement};
use crate::tui::plan_view::{NameRoom, PlanView};
use crate::tui::session_data::SessionData;
use crate::tui::sql_text::{SqlLine, lines};

/// A line above the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadingLine {
    /// The text, without control characters.
    pub text: String,
    /// Is it a warning?
    pub is_warning: bool,
}

/// More lines of warnings are counted only.
const MAX_WARNINGS: usize = 4;

/// The state of the plan screen.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The statement, a statement's position.
    pub statement: Option<usize>,
    /// Its plan prepared for drawing, if it has one.
    pub view: Option<Arc<PlanView>>,
    /// The statement's text, wrapped.
    pub sql: Vec<SqlLine>,
    /// What is said above the statement, wrapped: the plan's times, and what it lost.
    pub heading: Vec<HeadingLine>,
    /// The folded nodes.
    pub folded: BTreeSet<NodeId>,
    /// The visible lines: a node each, or several where long names are wrapped.
    pub visible: Vec<usize>,
    /// The room for names where those that are cut stand in full below; none where they do not.
    pub wrapped: Option<NameRoom>,
    /// The selected line and the scroll position.
    pub list: ListState,
    /// The first visible line of the details.
    pub detail: usize,
    /// How many columns of the tree are hidden at the left.
    pub sideways: usize,
    /// What is searched for in the nodes.
    pub find: Find,
    /// Which of the costliest nodes was jumped to last.
    jumped: Option<usize>,
    /// Which of the findings was jumped to last.
    found: Option<usize>,
}

impl State {
    /// Opens a statement's plan, unless it is open.
    pub fn open(&mut self, session_data: &SessionData, statement: usize, columns: usize) {
        if self.statement == Some(statement) {
            return;
        }
        let plan = session_data
            .statements
            .get(statement)
            .and_then(|statement| statement.before.as_ref().ok());
        let view = plan.map(|plan| {
            Arc::new(PlanView::with_findings(
                plan.clone(),
                session_data,
                statement,
                &BTreeSet::new(),
            ))
        });
        *self = State {
            statement: Some(statement),
            view,
            find: self.find.clone(),
            wrapped: self.wrapped,
            ..State::default()
        };
        self.wrap(session_data, columns);
        self.show();
    }

    /// Opens the same statement with new data; what is folded and selected stays where the plan has
    /// as many nodes as before.
    pub fn reopen(&mut self, session_data: &SessionData, columns: usize) {
        let Some(statement) = self.statement else {
            return;
        };
        if statement >= session_data.statements.len() {
            *self = State::default();
            return;
        }
        let nodes = |state: &State| state.view.as_ref().map(|view| view.plan.nodes().len());
        let old = std::mem::take(self);
        self.find = old.find.clone();
        self.wrapped = old.wrapped;
        self.open(session_data, statement, columns);
        if nodes(self) == nodes(&old) {
            self.folded = old.folded;
            self.list = old.list;
            self.detail = old.detail;
            self.sideways = old.sideways;
            (self.jumped, self.found) = (old.jumped, old.found);
            self.show();
        }
    }

    /// Scrolls the tree sideways.
    pub fn scroll_sideways(&mut self, columns: isize) {
        let widest = self.view.as_ref().map_or(0, |view| {
            let widths = view.lines.iter().map(|line| line.headline.width());
            widths.max().unwrap_or(0)
        });
        let hidden = self.sideways.saturating_add_signed(columns);
        self.sideways = hidden.min(widest.saturating_sub(8));
    }

    /// Selects the next node with the text that is searched for; false if there is none.
    pub fn next_match(&mut self, forward: bool, from_here: bool, height: usize) -> bool {
        let Some(view) = self.view.clone() else {
            return false;
        };
        let text = |node: usize| {
            let line = &view.lines[node];
            format!("{} {}", line.headline, line.details.join(" "))
        };
        let at = self.selected().map_or(0, |node| node.0);
        let nodes = view.lines.len();
        let found = found_in(&self.find, nodes, at, (forward, from_here), text);
        if let Some(node) = found {
            self.jump(&view, NodeId(node), height);
        }
        found.is_some()
    }

    /// Wraps the statement's text again: the terminal has another width.
    pub fn wrap(&mut self, session_data: &SessionData, columns: usize) {
        let statement = self
            .statement
            .and_then(|statement| session_data.statements.get(statement));
        self.sql = statement.map_or_else(Vec::new, |statement| {
            lines(&statement.source.sql, columns.saturating_sub(2))
        });
        let warnings = statement.map_or(&[][..], |statement| &statement.warnings);
        self.heading = heading(self.view.as_deref(), warnings, columns);
    }

    fn show(&mut self) {
        let Some(view) = &self.view else {
            self.visible.clear();
            return;
        };
        let visible = view.visible(&self.folded).into_iter();
        let lines = |node: usize| match self.wrapped {
            Some(room) => 1 + view.name_below(node, room).len(),
            None => 1,
        };
        self.visible = visible
            .flat_map(|node| std::iter::repeat_n(node, lines(node)))
            .collect();
    }

    /// Long names stand in full below their lines, or not; the selected node stays selected.
    pub fn wrap_names(&mut self, room: Option<NameRoom>, height: usize) {
        if self.wrapped == room {
            return;
        }
        let selected = self.selected();
        self.wrapped = room;
        self.show();
        let mut lines = self.visible.iter();
        let place = lines.position(|node| selected == Some(NodeId(*node)));
        let length = self.visible.len();
        self.list
            .select(Movement::To(place.unwrap_or(0)), length, height);
    }

    /// Which line of its node a visible line is.
    pub fn part(&self, line: usize) -> usize {
        let node = self.visible.get(line);
        let before = self.visible.iter().take(line).rev();
        before.take_while(|other| Some(*other) == node).count()
    }

    /// The selected node.
    pub fn selected(&self) -> Option<NodeId> {
        self.visible.get(self.list.selected).copied().map(NodeId)
    }

    /// Moves the selection; the details start at their top.
    pub fn select(&mut self, movement: Movement, height: usize) {
        self.list.select(movement, self.visible.len(), height);
        self.detail = 0;
    }

    /// Folds the selected node, or unfolds it.
    pub fn fold(&mut self, height: usize) {
        let (Some(view), Some(node)) = (&self.view, self.selected()) else {
            return;
        };
        if view.plan.node(node).children.is_empty() {
            return;
        }
        if !self.folded.remove(&node) {
            self.folded.insert(node);
        }
        self.show();
        self.list.keep_in_sight(self.visible.len(), height);
    }

    /// Folds everything below the first level.
    pub fn fold_all(&mut self, height: usize) {
        let Some(view) = &self.view else { return };
        let inner = view
            .plan
            .nodes()
            .iter()
            .filter(|node| node.depth > 0 && !node.children.is_empty());
        self.folded = inner.map(|node| node.id).collect();
        self.show();
        self.select(Movement::First, height);
    }

    /// Unfolds everything; the selected node stays selected.
    pub fn unfold_all(&mut self, height: usize) {
        let selected = self.selected();
        self.folded.clear();
        self.show();
        let mut lines = self.visible.iter();
        let place = lines.position(|node| selected == Some(NodeId(*node)));
        self.select(Movement::To(place.unwrap_or(0)), height);
    }

    /// Selects the costliest node, or the next after the one that was jumped to last.
    pub fn jump_to_costliest(&mut self, height: usize) {
        let Some(view) = self.view.clone() else {
            return;
        };
        self.jumped = next_of(self.jumped, view.costliest.len());
        if let Some(node) = self.jumped.and_then(|next| view.costliest.get(next)) {
            self.jump(&view, *node, height);
        }
    }

    /// Selects the node of the next finding, highest impact first.
    ///
    /// # Errors
    /// When the plan has no findings.
    pub fn jump_to_finding(&mut self, height: usize) -> Result<(), String> {
        let Some(view) = self.view.clone() else {
            return Ok(());
        };
        self.found = next_of(self.found, view.findings.len());
        let Some(annotated) = self.found.and_then(|next| view.findings.get(next)) else {
            return Err("this plan has no findings".to_owned());
        };
        self.jump(&view, annotated.finding.node, height);
        Ok(())
    }

    /// Unfolds the nodes above, and selects the node.
    fn jump(&mut self, view: &PlanView, node: NodeId, height: usize) {
        for above in view.plan.ancestors(node) {
            self.folded.remove(&above.id);
        }
        self.show();
        let place = self
            .visible
            .iter()
            .position(|seen| *seen == node.0)
            .unwrap_or(0);
        self.select(Movement::To(place), height);
    }
}

/// The times of a plan that was executed, and its warnings.
fn heading(view: Option<&PlanView>, warnings: &[String], columns: usize) -> Vec<HeadingLine> {
    let room = columns.saturating_sub(2);
    let lines = |text: &str, is_warning: bool| {
        let wrapped = wrap(&printable(text), room, 3);
        wrapped
            .into_iter()
            .map(move |text| HeadingLine { text, is_warning })
            .collect::<Vec<_>>()
    };
    let summary = view.filter(|view| view.analyzed || !warnings.is_empty());
    let mut heading = summary.map_or_else(Vec::new, |view| lines(&view.summary, false));
    for warning in warnings.iter().take(MAX_WARNINGS) {
        heading.extend(lines(&format!("! {warning}"), true));
    }
    if let Some(more) = warnings
        .len()
        .checked_sub(MAX_WARNINGS)
        .filter(|more| *more > 0)
    {
        heading.extend(lines(&format!("! … and {more} more"), true));
    }
    heading
}

/// The next position; wraps around.
fn next_of(last: Option<usize>, length: usize) -> Option<usize> {
    let next = last.map_or(0, |last| last + 1);
    (length > 0).then(|| next % length)
}
