//! One plan: the statement, the tree, the selected node with its properties.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::paint::{divider, line, rule, style};
use crate::model::{factor_text, printable};
use crate::plan::NodeId;
use crate::text_layout::wrap;
use crate::tui::cells::{bar, cell, count, from_column, left};
use crate::tui::details;
use crate::tui::layout::Areas;
use crate::tui::model::Model;
use crate::tui::plan_view::{Amount, OWN, PlanView, misestimate, rows_text};
use crate::tui::screen::plan::State;
use crate::tui::session_data::{SessionData, StatementView};
use crate::tui::sql_text::{SqlLine, SqlToken};
use crate::tui::theme::Theme;

/// Draws the screen.
pub fn draw(model: &Model, session_data: &SessionData, buffer: &mut Buffer, areas: Areas) {
    let Some(statement) = model
        .plan
        .statement
        .and_then(|statement| session_data.statements.get(statement))
    else {
        return;
    };
    let title = title(session_data, statement);
    statement_header(model, &title, buffer, areas);
    match &model.plan.view {
        Some(view) => {
            tree(model, view, buffer, areas);
            node_details(model, view, buffer, areas);
        }
        None => no_plan(model.theme, statement, buffer, areas),
    }
}

fn title(session_data: &SessionData, statement: &StatementView) -> String {
    let id = &statement.source.id;
    if statement.helped_by.is_empty() {
        return id.to_string();
    }
    let helped_by = statement.helped_by.join(", ");
    if session_data.changed.is_some() {
        return format!("{id} · {helped_by}; b compares the plans");
    }
    let verb = if statement.helped_by.len() == 1 {
        "helps"
    } else {
        "help"
    };
    format!("{id} · {helped_by} {verb}; b compares the plans")
}

fn no_plan(theme: Theme, statement: &StatementView, buffer: &mut Buffer, areas: Areas) {
    if statement.is_unplanned() {
        let text = Line::styled("It is being planned …", theme.dim());
        line(buffer, areas.headings, 0, text);
        return;
    }
    let head = Line::styled("✗ no plan:", theme.bad());
    line(buffer, areas.headings, 0, head);
    let error = statement.before.as_ref().err().map_or("", String::as_str);
    let columns = usize::from(areas.list.width);
    let text = error
        .lines()
        .flat_map(|paragraph| wrap(&printable(paragraph), columns, 10));
    for (number, text) in text.enumerate() {
        line(buffer, areas.list, number, Line::raw(text));
    }
}

fn tree(model: &Model, view: &PlanView, buffer: &mut Buffer, areas: Areas) {
    headings(model.theme, view, buffer, areas);
    let state = &model.plan;
    let height = usize::from(areas.list.height);
    for (number, node) in state
        .visible
        .iter()
        .skip(state.list.offset)
        .take(height)
        .enumerate()
    {
        let id = NodeId(*node);
        line(
            buffer,
            areas.list,
            number,
            node_line(
                model.theme,
                view,
                (id, state.list.offset + number),
                usize::from(areas.list.width),
                state,
            ),
        );
        if state.list.offset + number == state.list.selected {
            style(buffer, areas.list, number, model.theme.selected());
        }
    }
}

/// A line of SQL in its colours.
pub fn sql_line(pieces: &SqlLine, theme: Theme) -> Line<'static> {
    let spans = pieces.iter().map(|(kind, text)| {
        let style = match kind {
            SqlToken::Keyword => theme.key(),
            SqlToken::Literal => theme.literal(),
            SqlToken::Comment => theme.dim(),
            SqlToken::Plain => Style::new(),
        };
        Span::styled(text.clone(), style)
    });
    Line::from_iter(spans)
}

fn statement_header(model: &Model, title: &str, buffer: &mut Buffer, areas: Areas) {
    rule(buffer, areas.top, 0, &printable(title), model.theme);
    let room = usize::from(areas.top.height).saturating_sub(1);
    // A line for the statement stays.
    let heading = model.plan.heading.len().min(room.saturating_sub(1));
    for (number, said) in model.plan.heading.iter().take(heading).enumerate() {
        let style = if said.is_warning {
            model.theme.hot()
        } else {
            model.theme.bold()
        };
        let text = Line::styled(said.text.clone(), style);
        line(buffer, areas.top, 1 + number, text);
    }
    let room = room - heading;
    let hidden = model.plan.sql.len().saturating_sub(room);
    for (number, text) in model.plan.sql.iter().take(room).enumerate() {
        let mut shown = sql_line(text, model.theme);
        if hidden > 0 && number + 1 == room {
            let more = format!("… {} more lines: v reads all", hidden + 1);
            shown = Line::styled(more, model.theme.dim());
        }
        line(buffer, areas.top, 1 + heading + number, shown);
    }
}

fn headings(theme: Theme, view: &PlanView, buffer: &mut Buffer, areas: Areas) {
    let columns = view.tree_columns(usize::from(areas.headings.width));
    let rows = if view.analyzed {
        "est→actual"
    } else {
        "rows"
    };
    let found = match view.findings.len() {
        0 => String::new(),
        number => format!(" · ! {}", count(number, "finding", "findings")),
    };
    let nodes = count(view.plan.nodes().len(), "node", "nodes");
    let title = format!("  plan · {nodes}{found}");
    let mut spans = vec![left(&title, columns.names, theme.dim())];
    let amounts = columns.amounts.iter();
    spans
        .extend(amounts.map(|(amount, columns)| cell(amount_name(*amount), *columns, theme.dim())));
    if columns.rows > 0 {
        spans.extend([
            cell(rows, columns.rows, theme.dim()),
            cell("own", OWN, theme.dim()),
        ]);
    }
    line(buffer, areas.headings, 0, Line::from(spans));
}

/// The heading of an amount.
fn amount_name(amount: Amount) -> &'static str {
    match amount {
        Amount::Time => "time",
        Amount::OwnTime => "self",
        Amount::Cost => "cost",
    }
}

fn amount_text(amount: Amount, view: &PlanView, id: NodeId) -> String {
    let time = view.times[id.0];
    match amount {
        Amount::Time if view.plan.node(id).number("Actual Loops") == Some(0.0) => {
            "never run".to_owned()
        }
        Amount::Time => time.map_or_else(String::new, |time| time.inclusive.to_string()),
        Amount::OwnTime => time.map_or_else(String::new, |time| time.own.to_string()),
        Amount::Cost => view.lines[id.0].cost.clone(),
    }
}

fn node_line(
    theme: Theme,
    view: &PlanView,
    (id, at): (NodeId, usize),
    width: usize,
    state: &State,
) -> Line<'static> {
    let folded = &state.folded;
    let columns = view.tree_columns(width);
    if let Some(room) = state.wrapped
        && let Some(part) = state.part(at).checked_sub(1)
    {
        let below = view.name_below(id.0, room);
        let text = below.get(part).map_or("", String::as_str);
        return Line::raw(format!("  {text}"));
    }
    let (node, lines) = (view.plan.node(id), &view.lines[id.0]);
    let (share, hot) = view.heat[id.0];
    let tone = if hot { theme.hot() } else { Style::new() };
    let fold = match (node.children.is_empty(), folded.contains(&id)) {
        (true, _) => "  ",
        (false, true) => "▸ ",
        (false, false) => "▾ ",
    };
    let misestimate =
        misestimate(node).map_or_else(String::new, |factor| format!(" ≠{}", factor_text(factor)));
    let found = if view.findings_on(id).next().is_some() {
        "!"
    } else {
        " "
    };
    let hidden = if folded.contains(&id) { " …" } else { "" };
    let mut spans = vec![
        Span::styled(fold, theme.dim()),
        left(
            &from_column(
                &format!("{}{hidden}{misestimate}", lines.headline),
                state.sideways,
            ),
            columns.names.saturating_sub(2),
            tone,
        ),
    ];
    let amounts = columns.amounts.iter();
    spans.extend(amounts.map(|(amount, columns)| {
        let text = amount_text(*amount, view, id);
        cell(&text, *columns, tone)
    }));
    if columns.rows > 0 {
        spans.extend([
            cell(&rows_text(node, lines), columns.rows, Style::new()),
            cell(&format!("{:.0}%", share * 100.0), OWN, theme.dim()),
        ]);
    }
    spans.extend([
        Span::raw(if hot { "*" } else { " " }),
        Span::styled(found, theme.hot()),
        left(&bar(share, columns.bar), columns.bar, theme.bar()),
    ]);
    Line::from(spans)
}

fn node_details(model: &Model, view: &PlanView, buffer: &mut Buffer, areas: Areas) {
    let theme = model.theme;
    divider(buffer, areas.detail, theme);
    let Some(id) = model.plan.selected() else {
        return;
    };
    let columns = usize::from(areas.detail.width);
    let room = usize::from(areas.detail.height).saturating_sub(1);
    let lines = details::plan_node(theme, view, id, columns);
    let more = match lines.len() > model.plan.detail + room {
        true => " · > shows more",
        false => "",
    };
    let title = format!("{}{more}", view.plan.node(id).title());
    rule(buffer, areas.detail, 0, &printable(&title), theme);
    let lines = lines.into_iter();
    for (number, text) in lines.skip(model.plan.detail).take(room).enumerate() {
        line(buffer, areas.detail, 1 + number, text);
    }
}
