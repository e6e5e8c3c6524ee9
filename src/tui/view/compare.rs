//! Two plans of one statement side by side, aligned node by node.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::paint::{filled, left, line, right, rule, style};
use super::plan;
use crate::model::{factor_text, printable};
use crate::plan::NodeId;
use crate::tui::aligned::{Mark, Row, Side};
use crate::tui::areas::{self, Areas};
use crate::tui::cells::wrapped;
use crate::tui::look::Look;
use crate::tui::model::Model;
use crate::tui::plan_view::PlanView;
use crate::tui::session_data::{Card, Choice, Entry, SessionData, Verdict};

const COST: usize = 11;

/// ` *!`: among the costliest, something is to be said.
const TAIL: usize = 3;

/// Draws it.
pub fn draw(model: &Model, session_data: &SessionData, buffer: &mut Buffer, areas: Areas) {
    let Some(card) = model
        .compare
        .card
        .and_then(|card| session_data.cards.get(card))
    else {
        return;
    };
    rule(
        buffer,
        areas.top,
        0,
        &printable(&card.statement.id.0),
        model.look,
    );
    let (Some(before), Some(after), Some(choice)) = (
        &model.compare.before,
        &model.compare.after,
        model.compare.shown(session_data),
    ) else {
        let why = match &card.before {
            Err(why) => format!("✗ it has no plan: {}", printable(why)),
            Ok(_) if session_data.entries.is_empty() => {
                "nothing was rehearsed: these are saved plans".to_owned()
            }
            Ok(_) => "no index was rehearsed on the tables of this statement".to_owned(),
        };
        line(buffer, areas.top, 2, Line::styled(why, model.look.dim()));
        return;
    };
    verdict(model, session_data, (card, choice), buffer, areas);
    totals(model.look, choice, buffer, areas);
    let columns = usize::from(areas.list.width);
    line(buffer, areas.headings, 0, titles(model.look, columns));
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
            row_line(model.look, before, after, row, columns),
        );
        if list.offset + number == list.selected {
            style(buffer, areas.list, number, model.look.selected());
        }
    }
    in_full(model, buffer, areas);
}

/// How many lines there are about the selected nodes.
pub fn lines_in_full(model: &Model) -> usize {
    nodes_in_full(model, usize::from(areas::of(model).detail.width)).len()
}

/// The nodes of the selected line with all that is known of them, side by side.
fn in_full(model: &Model, buffer: &mut Buffer, areas: Areas) {
    let lines = nodes_in_full(model, usize::from(areas.detail.width));
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
        &format!("the selected line in full{more}"),
        model.look,
    );
    for (number, text) in lines.into_iter().skip(first).take(room).enumerate() {
        line(buffer, areas.detail, 1 + number, text);
    }
}

fn nodes_in_full(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let state = &model.compare;
    let (Some(row), Some(before), Some(after)) = (
        state.rows.get(state.list.selected),
        &state.before,
        &state.after,
    ) else {
        return Vec::new();
    };
    let half = half(columns);
    let old = node_in_full(model.look, before, row.before, half);
    let new = node_in_full(model.look, after, row.after, half);
    let length = old.len().max(new.len());
    let side =
        |lines: Vec<Line<'static>>| lines.into_iter().map(Some).chain(std::iter::repeat(None));
    let pairs = side(old).zip(side(new)).take(length);
    let border = Span::styled("│", model.look.dim());
    let join = |(old, new): (Option<Line<'static>>, Option<Line<'static>>)| {
        let mut spans = filled(old.unwrap_or_default(), half);
        spans.push(border.clone());
        spans.extend(filled(new.unwrap_or_default(), half));
        Line::from(spans)
    };
    pairs.map(join).collect()
}

fn node_in_full(look: Look, view: &PlanView, side: Side, columns: usize) -> Vec<Line<'static>> {
    let (Side::Node(position) | Side::Detail(position, _)) = side else {
        return Vec::new();
    };
    let node = &view.plan.nodes()[position];
    let title = wrapped(&printable(&node.title()), columns.saturating_sub(1), 4);
    let title = title
        .into_iter()
        .map(|text| Line::styled(text, look.bold()));
    let remarks = plan::remark_lines(look, view, node.id, columns);
    title
        .chain(remarks)
        .chain(plan::property_lines(look, view, node.id, columns))
        .collect()
}

/// Which index this is about, and what became of it.
fn verdict(
    model: &Model,
    session_data: &SessionData,
    (card, choice): (&Card, &Choice),
    buffer: &mut Buffer,
    areas: Areas,
) {
    let look = model.look;
    let place = model.compare.place(session_data) + " ";
    let (word, tone, about, why) = match choice
        .entry
        .and_then(|entry| session_data.entries.get(entry))
    {
        None => {
            let ids = card.helped_by.join(", ");
            (
                "RECOMMENDED SET".to_owned(),
                look.good(),
                ids,
                "built together in one transaction and rolled back".to_owned(),
            )
        }
        Some(entry) => of_entry(look, entry, choice.used),
    };
    let mut spans = vec![
        Span::styled(place, look.key()),
        Span::styled(word, tone),
        Span::raw("  "),
    ];
    spans.push(Span::styled(printable(&about).into_owned(), look.bold()));
    line(buffer, areas.top, 1, Line::from(spans));
    let columns = usize::from(areas.top.width);
    for (number, text) in wrapped(&printable(&why), columns, 2)
        .into_iter()
        .enumerate()
    {
        line(
            buffer,
            areas.top,
            2 + number,
            Line::styled(text, look.dim()),
        );
    }
}

fn of_entry(look: Look, entry: &Entry, used: bool) -> (String, Style, String, String) {
    let about = entry.index.definition.definition();
    let unused = if used {
        ""
    } else {
        "this plan does not use it; "
    };
    let alone = "built alone and rolled back";
    match &entry.verdict {
        Verdict::Recommended { id, .. } => (
            format!("RECOMMENDED {id}"),
            look.good(),
            about,
            format!("{unused}{alone}"),
        ),
        Verdict::Rejected { reason, detail } => (
            format!("REJECTED {}", reason.name()),
            look.bad(),
            about,
            format!("{unused}{detail}"),
        ),
        Verdict::ByHand => (
            "YOUR INDEX".to_owned(),
            look.hot(),
            about,
            format!("{unused}{alone}"),
        ),
    }
}

/// `cost 8,865 → 9.74   910× lower`.
fn totals(look: Look, choice: &Choice, buffer: &mut Buffer, areas: Areas) {
    let (before, after) = (choice.before.total_cost(), choice.plan.total_cost());
    let factor = before.factor_to(after);
    let (tone, word) = if factor > 1.01 {
        (
            look.good().add_modifier(ratatui::style::Modifier::BOLD),
            format!("{} lower", factor_text(factor)),
        )
    } else if factor < 0.99 {
        (
            look.bad().add_modifier(ratatui::style::Modifier::BOLD),
            format!("{} HIGHER", factor_text(1.0 / factor)),
        )
    } else {
        (look.dim(), "the same".to_owned())
    };
    let spans = vec![
        Span::raw(format!("cost {before} → {after}   ")),
        Span::styled(word, tone),
    ];
    line(buffer, areas.top, 4, Line::from(spans));
}

fn titles(look: Look, columns: usize) -> Line<'static> {
    let half = half(columns);
    let title = |word: &str| {
        [
            left(word, half - COST - TAIL, look.dim()),
            right("cost", COST, look.dim()),
            Span::raw(" ".repeat(TAIL)),
        ]
    };
    let mut spans: Vec<Span<'_>> = title("  BEFORE").into();
    spans.push(Span::styled("│", look.dim()));
    spans.extend(title("  AFTER"));
    Line::from(spans)
}

fn half(columns: usize) -> usize {
    (columns.saturating_sub(1) / 2).max(2 + COST + TAIL)
}

fn row_line(
    look: Look,
    before: &PlanView,
    after: &PlanView,
    row: &Row,
    columns: usize,
) -> Line<'static> {
    let half = half(columns);
    let (old, new) = match row.mark {
        Mark::Same => (("  ", Style::new()), ("  ", Style::new())),
        Mark::Numbers => (("~ ", look.bold()), ("~ ", look.bold())),
        Mark::Different => (("- ", look.bad()), ("+ ", look.good())),
    };
    let mut spans = side(look, before, row.before, old, half);
    spans.push(Span::styled("│", look.dim()));
    spans.extend(side(look, after, row.after, new, half));
    Line::from(spans)
}

fn side(
    look: Look,
    view: &PlanView,
    side: Side,
    (mark, tone): (&'static str, Style),
    half: usize,
) -> Vec<Span<'static>> {
    match side {
        Side::Nothing => vec![Span::raw(" ".repeat(half))],
        Side::Detail(node, number) => {
            vec![
                Span::raw("  "),
                left(&view.lines[node].details[number], half - 2, look.dim()),
            ]
        }
        Side::Node(node) => {
            let lines = &view.lines[node];
            let hot = view.heat[node].1;
            let cost = if hot { look.hot() } else { tone };
            let found = if view.remarks_on(NodeId(node)).next().is_some() {
                '!'
            } else {
                ' '
            };
            vec![
                Span::styled(mark, tone),
                left(&lines.headline, half.saturating_sub(2 + COST + TAIL), tone),
                right(&lines.cost, COST, cost),
                Span::styled(
                    format!(" {}{found}", if hot { '*' } else { ' ' }),
                    look.hot(),
                ),
            ]
        }
    }
}
