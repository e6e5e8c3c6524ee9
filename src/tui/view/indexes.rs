//! What to create: the indexes with their switches, what the workload costs with those that are on, the selected one in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::paint::{divider, left, line, right, rule, style};
use super::upkeep;
use crate::advise::Fix;
use crate::model::{Cost, factor_text, printable};
use crate::tui::areas::{self, Areas};
use crate::tui::cells::{bar, count, wrapped};
use crate::tui::look::Look;
use crate::tui::model::Model;
use crate::tui::screen::indexes::{Outcome, Row};
use crate::tui::session_data::{Entry, Evidence, SessionData, Verdict};

const METER: usize = 16;

/// `  [x] `
const SWITCH: usize = 6;

/// `r1  `
const ID: usize = 4;

/// With fewer columns than this, the build time is told only in full.
const NARROW: usize = 100;

/// Draws it.
pub fn draw(model: &Model, session_data: &SessionData, buffer: &mut Buffer, areas: Areas) {
    if let Some(outcome) = &model.indexes.outcome {
        summary(model, session_data, outcome, buffer, areas);
    }
    let state = &model.indexes;
    let columns = columns(usize::from(areas.list.width), session_data);
    if state.rows.is_empty() {
        line(
            buffer,
            areas.list,
            0,
            Line::styled("  no index was thought of", model.look.dim()),
        );
    } else {
        headings(model.look, &columns, buffer, areas);
    }
    for (number, row) in state
        .rows
        .iter()
        .skip(state.list.offset)
        .take(usize::from(areas.list.height))
        .enumerate()
    {
        line(
            buffer,
            areas.list,
            number,
            row_line(model, session_data, *row, &columns),
        );
        if state.list.offset + number == state.list.selected {
            style(buffer, areas.list, number, model.look.selected());
        }
    }
    divider(buffer, areas.detail, model.look);
    detail(model, session_data, buffer, areas.detail);
}

fn summary(
    model: &Model,
    session_data: &SessionData,
    outcome: &Outcome,
    buffer: &mut Buffer,
    areas: Areas,
) {
    let look = model.look;
    let (before, after) = (outcome.before, outcome.after);
    let on = count(model.indexes.on.len(), "index", "indexes");
    let gain = format!("{} lower", factor_text(before.factor_to(after)));
    let whose = match outcome.marked {
        None => "workload".to_owned(),
        Some(marked) => count(marked, "marked statement", "marked statements"),
    };
    let first = vec![
        Span::styled(format!("{on} on  "), look.bold()),
        Span::raw(format!("{whose} {before} → {after}  ")),
        Span::styled(gain, look.good()),
    ];
    line(buffer, areas.top, 0, Line::from(first));
    let (mut second, tone) = match session_data.limits.budget {
        Some(budget) => {
            let share = outcome.size.0 as f64 / budget.0.max(1) as f64;
            let over = if share > 1.0 { "  OVER BUDGET" } else { "" };
            let meter = format!("{:░<METER$}", bar(share, METER));
            let text = format!("{meter} {} of {budget}{over}", outcome.size);
            (text, if share > 1.0 { look.bad() } else { look.bar() })
        }
        None => (
            format!("{} in all (no --budget was given)", outcome.size),
            look.dim(),
        ),
    };
    if model.indexes.print {
        second += "  · DDL is printed on leaving";
    }
    line(buffer, areas.top, 1, Line::styled(second, tone));
    let evidence = match outcome.evidence {
        Evidence::Proved => "proved: these were built together and their plans seen",
        Evidence::Seen => "seen: the plans with this index by itself",
        Evidence::Foreseen => {
            "foreseen: the planner twin planned with these together; nothing was built"
        }
        Evidence::OneByOne => "estimated: each was tried by itself, not together",
    };
    line(buffer, areas.top, 2, Line::styled(evidence, look.dim()));
}

/// The columns' widths; the definition gets what the numbers leave.
struct Columns {
    definition: usize,
    size: usize,
    build: usize,
    upkeep: usize,
    helps: usize,
}

impl Columns {
    fn numbers(&self) -> usize {
        self.size + self.build + self.upkeep + self.helps
    }
}

/// Writes are shown where they were counted: recordings from before that have none.
fn columns(all: usize, session_data: &SessionData) -> Columns {
    let upkeep = if session_data.counts_writes() { 10 } else { 0 };
    let (size, build, helps) = if all < NARROW {
        (10, 0, 15)
    } else {
        (10, 10, 18)
    };
    let definition = all.saturating_sub(SWITCH + ID + size + build + upkeep + helps);
    Columns {
        definition,
        size,
        build,
        upkeep,
        helps,
    }
}

fn headings(look: Look, columns: &Columns, buffer: &mut Buffer, areas: Areas) {
    let Columns {
        definition,
        size,
        build,
        upkeep,
        helps,
    } = *columns;
    let spans = vec![
        left("  on  id  index", SWITCH + ID + definition, look.dim()),
        right("size", size, look.dim()),
        right("build", build, look.dim()),
        right("writes", upkeep, look.dim()),
        right("helps", helps, look.dim()),
    ];
    line(buffer, areas.headings, 0, Line::from(spans));
}

fn row_line(
    model: &Model,
    session_data: &SessionData,
    row: Row,
    columns: &Columns,
) -> Line<'static> {
    let look = model.look;
    match row {
        Row::Head(title) => Line::styled(title, look.bold()),
        Row::Entry(position) => {
            entry_line(model, &session_data.entries[position], position, columns)
        }
        Row::Existing(position) => {
            let finding = &session_data.existing[position];
            let switch = match (model.indexes.drops.contains(&position), finding.fix) {
                (false, _) => "  [ ] ",
                (true, Fix::Drop) => "  [D] ",
                (true, Fix::Reindex) => "  [R] ",
            };
            let text = format!(
                "{} {}: {}",
                finding.kind.name(),
                finding.index,
                finding.detail
            );
            Line::from(vec![
                Span::raw(switch),
                left(&printable(&text), ID + columns.definition, Style::new()),
                right(&finding.size.to_string(), columns.size, look.dim()),
                Span::raw(" ".repeat(columns.numbers() - columns.size)),
            ])
        }
    }
}

fn entry_line(model: &Model, entry: &Entry, position: usize, columns: &Columns) -> Line<'static> {
    let look = model.look;
    let on = model.indexes.on.contains(&position);
    let switch = match (entry.is_built() || on, on) {
        (false, _) => "   ·  ",
        (true, true) => "  [x] ",
        (true, false) => "  [ ] ",
    };
    let dash = || "–".to_owned();
    let tone = match (&entry.verdict, on) {
        (_, true) => look.good(),
        (Verdict::Rejected { .. }, _) => look.dim(),
        _ => Style::new(),
    };
    let last = match &entry.verdict {
        Verdict::Rejected { reason, .. } if entry.benefits.is_empty() => {
            reason.name().replace('_', " ")
        }
        _ => count(entry.benefits.len(), "statement", "statements"),
    };
    let writes = entry
        .entries_written
        .as_ref()
        .map_or_else(dash, upkeep::short);
    let definition = entry.index.definition.definition();
    let definition = definition.strip_prefix("public.").unwrap_or(&definition);
    let spans = vec![
        Span::styled(switch, tone),
        left(entry.id(), ID, look.key()),
        left(&printable(definition), columns.definition, tone),
        right(
            &entry.size_text().unwrap_or_else(dash),
            columns.size,
            look.dim(),
        ),
        right(
            &entry.build_time.map_or_else(dash, |time| time.to_string()),
            columns.build,
            look.dim(),
        ),
        right(&writes, columns.upkeep, look.dim()),
        right(&last, columns.helps, look.dim()),
    ];
    Line::from(spans)
}

/// How many lines there are about what is selected.
pub fn lines_about(model: &Model, session_data: &SessionData) -> usize {
    about(
        model,
        session_data,
        usize::from(areas::of(model).detail.width),
    )
    .len()
}

/// All there is to say about what is selected.
fn about(model: &Model, session_data: &SessionData, columns: usize) -> Vec<Line<'static>> {
    match model.indexes.selected() {
        Some(Row::Entry(entry)) => entry_lines(model.look, &session_data.entries[entry], columns),
        Some(Row::Existing(position)) => {
            let finding = &session_data.existing[position];
            let mut lines = plain(&printable(&finding.detail), columns, Style::new());
            let estimated = if finding.expected_size.is_some() {
                "about "
            } else {
                ""
            };
            let gain = format!("That gives back {estimated}{}.", finding.freed());
            lines.extend(plain(&gain, columns, model.look.dim()));
            let tone = if finding.fix == Fix::Drop {
                model.look.bad()
            } else {
                model.look.bold()
            };
            lines.extend(plain(&printable(&finding.statement()), columns, tone));
            lines
        }
        _ => Vec::new(),
    }
}

/// The selected line in full, then the statements that change with what is on.
fn detail(model: &Model, session_data: &SessionData, buffer: &mut Buffer, area: Rect) {
    let columns = usize::from(area.width);
    let about = about(model, session_data, columns);
    let title = match model.indexes.selected() {
        Some(Row::Entry(entry)) => session_data.entries[entry].index.name.clone(),
        Some(Row::Existing(position)) => session_data.existing[position].index.to_string(),
        _ => String::new(),
    };
    let all = usize::from(area.height).saturating_sub(1);
    let changes = model
        .indexes
        .outcome
        .as_ref()
        .map_or(0, |outcome| outcome.changes.len());
    let about_room = about
        .len()
        .min(all.saturating_sub((changes + 1).min(all / 3)));
    let first = model.indexes.detail;
    let more = if about.len() > first + about_room {
        " · > shows more"
    } else {
        ""
    };
    rule(
        buffer,
        area,
        0,
        &format!("{}{more}", printable(&title)),
        model.look,
    );
    let mut number = 1;
    for text in about.into_iter().skip(first).take(about_room) {
        line(buffer, area, number, text);
        number += 1;
    }
    if let Some(outcome) = model
        .indexes
        .outcome
        .as_ref()
        .filter(|_| number < usize::from(area.height))
    {
        let among = outcome
            .marked
            .map_or_else(String::new, |marked| format!(" of {marked} marked"));
        rule(
            buffer,
            area,
            number,
            &format!("Changes with what is on: {changes}{among}"),
            model.look,
        );
        for (card, before, after) in &outcome.changes {
            number += 1;
            let id = &session_data.cards[*card].statement.id.0;
            line(
                buffer,
                area,
                number,
                change_line(model.look, &printable(id), (*before, *after), columns),
            );
        }
    }
}

fn change_line(
    look: Look,
    id: &str,
    (before, after): (Cost, Cost),
    columns: usize,
) -> Line<'static> {
    let factor = before.factor_to(after);
    let (tone, gain) = if factor >= 1.0 {
        (look.good(), factor_text(factor).into_owned())
    } else {
        (look.bad(), format!("↑{}", factor_text(1.0 / factor)))
    };
    let numbers = format!("{before} → {after}");
    Line::from(vec![
        left(id, columns.saturating_sub(24 + 9), Style::new()),
        right(&numbers, 24, look.dim()),
        right(&gain, 9, tone),
    ])
}

fn entry_lines(look: Look, entry: &Entry, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for statement in &entry.ddl {
        lines.extend(plain(&printable(statement), columns, look.good()));
    }
    let mut facts = vec![entry.index.definition.method.name().to_owned()];
    facts.extend(
        entry
            .index
            .definition
            .features()
            .into_iter()
            .map(|feature| feature.name().to_owned()),
    );
    if entry.is_foreseen() {
        facts.push("seen in the planner twin, not built: its size is an estimate".to_owned());
    }
    facts.extend(entry.build_time.map(|time| format!("built in {time}")));
    facts.extend(
        entry
            .write_block
            .map(|wait| format!("writers waited {wait}")),
    );
    lines.extend(plain(&facts.join(" · "), columns, look.dim()));
    match &entry.verdict {
        Verdict::Recommended { explanation, .. } => {
            lines.extend(plain(&printable(explanation), columns, Style::new()))
        }
        Verdict::Rejected { reason, detail } => {
            let why = format!(
                "Rejected, {}: {}",
                reason.name().replace('_', " "),
                printable(detail)
            );
            lines.extend(plain(&why, columns, look.bad()));
        }
        Verdict::ByHand => lines.extend(plain(
            "Written and rehearsed by you.",
            columns,
            Style::new(),
        )),
    }
    let partial = entry.index.definition.predicate.is_some();
    let counted = entry
        .entries_written
        .as_ref()
        .map(|known| upkeep::sentences(known, partial));
    for sentence in counted
        .into_iter()
        .chain(upkeep::workload_sentence(entry.writers))
    {
        lines.extend(plain(&sentence, columns, look.dim()));
    }
    lines
}

fn plain(text: &str, columns: usize, style: Style) -> Vec<Line<'static>> {
    wrapped(text, columns.saturating_sub(1), 12)
        .into_iter()
        .map(|text| Line::styled(text, style))
        .collect()
}
