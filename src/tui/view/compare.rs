//! Two plans of one statement side by side, aligned node by node.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::paint::{line, rule, style};
use crate::model::{factor_text, printable};
use crate::plan::{NodeId, Plan};
use crate::text_layout::wrap;
use crate::tui::aligned::{
    self, AlignedCell, AlignedRow, Difference, PLAN_COST_COLUMNS as COST_COLUMNS,
    PLAN_MARK_COLUMNS as MARK_COLUMNS,
};
use crate::tui::cells::{cell, left, mean_time};
use crate::tui::details;
use crate::tui::layout::Areas;
use crate::tui::model::Model;
use crate::tui::plan_view::PlanView;
use crate::tui::session_data::{
    Choice, IndexStatus, IndexView, SessionData, Stage, StatementView, TotalBasis,
};
use crate::tui::theme::Theme;

/// Draws the screen.
pub fn draw(model: &Model, session_data: &SessionData, buffer: &mut Buffer, areas: Areas) {
    let Some(statement) = model
        .compare
        .statement
        .and_then(|statement| session_data.statements.get(statement))
    else {
        return;
    };
    let other = model
        .compare
        .other
        .and_then(|other| session_data.statements.get(other));
    let title = match other {
        Some(other) => format!("{} | {}", statement.source.id, other.source.id),
        None => statement.source.id.to_string(),
    };
    rule(buffer, areas.top, 0, &printable(&title), model.theme);
    let (Some(before), Some(after), Some(choice)) = (
        &model.compare.before,
        &model.compare.after,
        model.compare.current(),
    ) else {
        let why = nothing_to_compare(session_data, statement);
        line(buffer, areas.top, 2, Line::styled(why, model.theme.dim()));
        return;
    };
    match other {
        Some(_) => {
            let note = match session_data.known_catalog() {
                Some(_) => "the plans of two statements, not of one statement before and after",
                None => "two saved plans",
            };
            line(buffer, areas.top, 1, Line::styled(note, model.theme.dim()));
        }
        None => choice_title(model, session_data, choice, buffer, areas),
    }
    totals(model.theme, choice, buffer, areas);
    let columns = usize::from(areas.list.width);
    let names = match other {
        Some(other) => (statement.title(columns), other.title(columns)),
        None => ("BEFORE".to_owned(), "AFTER".to_owned()),
    };
    let amount = amount(before, after);
    let titles = titles(model.theme, columns, (&names.0, &names.1), amount);
    line(buffer, areas.headings, 0, titles);
    node_rows(model, (before, after), buffer, areas);
    in_full(model, buffer, areas);
}

/// The visible lines of both trees.
fn node_rows(
    model: &Model,
    (before, after): (&PlanView, &PlanView),
    buffer: &mut Buffer,
    areas: Areas,
) {
    let columns = usize::from(areas.list.width);
    let list = model.compare.list;
    for (number, row) in model
        .compare
        .rows
        .iter()
        .skip(list.offset)
        .take(usize::from(areas.list.height))
        .enumerate()
    {
        line(
            buffer,
            areas.list,
            number,
            row_line(model.theme, (before, after), row, columns),
        );
        if list.offset + number == list.selected {
            style(buffer, areas.list, number, model.theme.selected());
        }
    }
}

/// Why there are no two plans.
fn nothing_to_compare(session_data: &SessionData, statement: &StatementView) -> String {
    match &statement.before {
        Err(why) if why.is_empty() => "It is being planned …",
        Err(why) => return format!("✗ no plan: {}", printable(why)),
        Ok(_) if session_data.stage == Stage::Searching => {
            "No index is tested for this statement yet"
        }
        Ok(_) if session_data.changed.is_some() => match statement.warnings.first() {
            Some(why) => return format!("✗ no plan {}", printable(why)),
            None => "There is no plan after the change",
        },
        Ok(_) if session_data.advice.is_none() => {
            "These are saved plans, no index was tested: Space marks two statements, = compares them"
        }
        Ok(_) => "No index was tested on the tables of this statement",
    }
    .to_owned()
}

/// The nodes of the selected line with all their details, side by side.
fn in_full(model: &Model, buffer: &mut Buffer, areas: Areas) {
    let lines = details::compared_nodes(model, usize::from(areas.detail.width));
    let room = usize::from(areas.detail.height).saturating_sub(1);
    let first = model.compare.detail;
    let more = if lines.len() > first + room {
        " · > shows more"
    } else {
        ""
    };
    rule(
        buffer,
        areas.detail,
        0,
        &format!("details of the selected line{more}"),
        model.theme,
    );
    for (number, text) in lines.into_iter().skip(first).take(room).enumerate() {
        line(buffer, areas.detail, 1 + number, text);
    }
}

/// The title of a choice: its status, its index or indexes, how it was tested or why it was
/// rejected.
struct ChoiceTitle {
    status: String,
    style: Style,
    indexes: String,
    explanation: String,
}

/// Which index this is about, and its status.
fn choice_title(
    model: &Model,
    session_data: &SessionData,
    choice: &Choice,
    buffer: &mut Buffer,
    areas: Areas,
) {
    let theme = model.theme;
    let index = choice
        .index
        .and_then(|index| session_data.indexes.get(index));
    let title = match index {
        None => set_title(model, session_data),
        Some(index) => index_title(theme, index, choice),
    };
    let spans = vec![
        Span::styled(model.compare.position_text() + " ", theme.key()),
        Span::styled(title.status, title.style),
        Span::raw("  "),
        Span::styled(printable(&title.indexes).into_owned(), theme.bold()),
    ];
    line(buffer, areas.top, 1, Line::from(spans));
    let columns = usize::from(areas.top.width);
    let explanation = wrap(&printable(&title.explanation), columns, 2);
    for (number, text) in explanation.into_iter().enumerate() {
        let text = Line::styled(text, theme.dim());
        line(buffer, areas.top, 2 + number, text);
    }
}

fn set_title(model: &Model, session_data: &SessionData) -> ChoiceTitle {
    if let Some(changed) = &session_data.changed {
        let statement = model.compare.statement;
        let statement = statement.and_then(|statement| session_data.statements.get(statement));
        let said = statement.map(|statement| {
            let change = statement.helped_by.join(", ");
            (change, statement.warnings.join(" "))
        });
        let (change, remarks) = said.unwrap_or_default();
        return ChoiceTitle {
            status: if change.is_empty() {
                "SAME".to_owned()
            } else {
                change.to_uppercase()
            },
            style: model.theme.hot(),
            indexes: changed.sides.clone(),
            explanation: remarks,
        };
    }
    let selected = model.selection.indexes();
    let basis = session_data.estimate(selected).basis;
    let explanation = match basis {
        TotalBasis::Verified => "verified: built together in one transaction and rolled back",
        TotalBasis::Tested => "verified: built and rolled back",
        TotalBasis::Predicted | TotalBasis::Estimated => {
            "predicted: planned with together in the planner twin; not built"
        }
    };
    let is_recommended = *selected == session_data.recommended();
    let names = selected
        .iter()
        .filter_map(|index| session_data.indexes.get(*index));
    let names: Vec<&str> = names
        .map(|index| match index.id() {
            "–" | "new" => index.named.name.as_str(),
            id => id,
        })
        .collect();
    ChoiceTitle {
        status: match is_recommended {
            true => "RECOMMENDED SET",
            false => "SELECTED INDEXES",
        }
        .to_owned(),
        style: model.theme.good(),
        indexes: names.join(", "),
        explanation: explanation.to_owned(),
    }
}

fn index_title(theme: Theme, index: &IndexView, choice: &Choice) -> ChoiceTitle {
    let tested = if index.is_predicted() {
        "tested alone in the planner twin, not built"
    } else {
        "built alone and rolled back"
    };
    let (status, style, explanation) = match &index.status {
        IndexStatus::Recommended { id, .. } => (format!("RECOMMENDED {id}"), theme.good(), tested),
        IndexStatus::Rejected { reason, detail } => (
            format!("REJECTED: {}", reason.name().replace('_', " ")),
            theme.bad(),
            detail.as_str(),
        ),
        IndexStatus::Candidate => ("TESTED SO FAR".to_owned(), theme.hot(), tested),
        IndexStatus::UserDefined => ("YOUR INDEX".to_owned(), theme.hot(), tested),
    };
    // What it does for this statement comes first: the reason may be about another one.
    let is_rejected = matches!(index.status, IndexStatus::Rejected { .. });
    let unused = match (choice.used, is_rejected) {
        (true, true) => "this statement's plan uses it; ",
        (true, false) => "",
        (false, _) => "this statement's plan does not use it; ",
    };
    ChoiceTitle {
        status,
        style,
        indexes: index.named.definition.definition(),
        explanation: format!("{unused}{explanation}"),
    }
}

/// `cost 8,865 → 9.74   910× lower`.
fn totals(theme: Theme, choice: &Choice, buffer: &mut Buffer, areas: Areas) {
    let has_cost = |plan: &Plan| plan.root().number("Total Cost").is_some();
    if !has_cost(&choice.before) || !has_cost(&choice.plan) {
        let text = "no costs to compare: a plan was made with COSTS OFF";
        let mut spans = vec![Span::styled(text, theme.dim())];
        spans.extend(times(choice));
        line(buffer, areas.top, 4, Line::from(spans));
        return;
    }
    let (before, after) = (choice.before.total_cost(), choice.plan.total_cost());
    let factor = before.factor_to(after);
    let (tone, word) = if factor > 1.01 {
        (
            theme.good().add_modifier(ratatui::style::Modifier::BOLD),
            format!("{} lower", factor_text(factor)),
        )
    } else if factor < 0.99 {
        (
            theme.bad().add_modifier(ratatui::style::Modifier::BOLD),
            format!("{} HIGHER", factor_text(1.0 / factor)),
        )
    } else {
        (theme.dim(), "the same".to_owned())
    };
    let mut spans = vec![
        Span::raw(format!("cost {before} → {after}   ")),
        Span::styled(word, tone),
    ];
    spans.extend(times(choice));
    line(buffer, areas.top, 4, Line::from(spans));
}

/// ` · time 37 ms → 0.040 ms`, where both plans were executed.
fn times(choice: &Choice) -> Option<Span<'static>> {
    let before = choice.before.execution_time()?;
    let after = choice.plan.execution_time()?;
    let text = format!("   time {} → {}", mean_time(before.0), mean_time(after.0));
    Some(Span::raw(text))
}

/// What a node takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Amount {
    /// Both plans were executed.
    Time,
    Cost,
}

fn amount(before: &PlanView, after: &PlanView) -> Amount {
    match before.timed && after.timed {
        true => Amount::Time,
        false => Amount::Cost,
    }
}

fn titles(theme: Theme, columns: usize, names: (&str, &str), amount: Amount) -> Line<'static> {
    let amount = match amount {
        Amount::Time => "time",
        Amount::Cost => "cost",
    };
    let half = aligned::plan_columns(columns);
    let title = |word: &str| {
        [
            left(
                &format!("  {word}"),
                half - COST_COLUMNS - MARK_COLUMNS,
                theme.dim(),
            ),
            cell(amount, COST_COLUMNS, theme.dim()),
            Span::raw(" ".repeat(MARK_COLUMNS)),
        ]
    };
    let mut spans: Vec<Span<'_>> = title(names.0).into();
    spans.push(Span::styled("│", theme.dim()));
    spans.extend(title(names.1));
    Line::from(spans)
}

fn row_line(
    theme: Theme,
    (before, after): (&PlanView, &PlanView),
    row: &AlignedRow,
    columns: usize,
) -> Line<'static> {
    let half = aligned::plan_columns(columns);
    let (old, new) = match row.difference {
        Difference::Same => (("  ", Style::new()), ("  ", Style::new())),
        Difference::Numbers => (("~ ", theme.bold()), ("~ ", theme.bold())),
        Difference::Different => (("- ", theme.bad()), ("+ ", theme.good())),
    };
    let amount = amount(before, after);
    let mut spans = side((theme, amount), before, row.before, old, half);
    spans.push(Span::styled("│", theme.dim()));
    spans.extend(side((theme, amount), after, row.after, new, half));
    Line::from(spans)
}

fn side(
    (theme, amount): (Theme, Amount),
    view: &PlanView,
    side: AlignedCell,
    (mark, tone): (&'static str, Style),
    half: usize,
) -> Vec<Span<'static>> {
    let room = aligned::plan_room(half);
    match side {
        AlignedCell::Empty => vec![Span::raw(" ".repeat(half))],
        AlignedCell::Detail(node, number, part) => {
            let text = view.detail_lines(node, number, room.detail);
            let text = text.get(part).map_or("", String::as_str);
            vec![Span::raw("  "), left(text, half - 2, theme.dim())]
        }
        AlignedCell::Rest(node, part) => {
            let text = view.headline_lines(node, room.headline);
            let text = text.get(part).map_or("", String::as_str);
            vec![Span::raw("  "), left(text, half - 2, tone)]
        }
        AlignedCell::Node(node) => {
            let lines = &view.lines[node];
            let headline = view.headline_lines(node, room.headline);
            let hot = view.heat[node].1;
            let cost = if hot { theme.hot() } else { tone };
            let taken = match (amount, view.times[node]) {
                (Amount::Cost, _) => lines.cost.clone(),
                (Amount::Time, None) => String::new(),
                (Amount::Time, Some(time)) => mean_time(time.inclusive.0),
            };
            let found = if view.findings_on(NodeId(node)).next().is_some() {
                '!'
            } else {
                ' '
            };
            vec![
                Span::styled(mark, tone),
                left(
                    headline.first().map_or("", String::as_str),
                    room.headline,
                    tone,
                ),
                cell(&taken, COST_COLUMNS, cost),
                Span::styled(
                    format!(" {}{found}", if hot { '*' } else { ' ' }),
                    theme.hot(),
                ),
            ]
        }
    }
}
