//! Details of plan nodes: findings and properties.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::model::printable;
use crate::plan::NodeId;
use crate::text_layout::wrap;
use crate::tui::aligned::{self, AlignedCell};
use crate::tui::cells::{filled, left};
use crate::tui::model::Model;
use crate::tui::plan_view::{AnnotatedFinding, PlanView};
use crate::tui::theme::Theme;

/// The findings about a node, then its properties.
pub fn plan_node(theme: Theme, view: &PlanView, id: NodeId, columns: usize) -> Vec<Line<'static>> {
    let mut lines = finding_lines(theme, view, id, columns);
    lines.extend(property_lines(theme, view, id, columns));
    lines
}

/// Everything known about the two nodes of the selected line, side by side.
pub fn compared_nodes(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let state = &model.compare;
    let (Some(row), Some(before), Some(after)) = (
        state.rows.get(state.list.selected),
        &state.before,
        &state.after,
    ) else {
        return Vec::new();
    };
    let half = aligned::plan_columns(columns);
    let old = titled_node(model.theme, before, row.before, half);
    let new = titled_node(model.theme, after, row.after, half);
    let length = old.len().max(new.len());
    let side =
        |lines: Vec<Line<'static>>| lines.into_iter().map(Some).chain(std::iter::repeat(None));
    let pairs = side(old).zip(side(new)).take(length);
    let border = Span::styled("│", model.theme.dim());
    let join = |(old, new): (Option<Line<'static>>, Option<Line<'static>>)| {
        let mut spans = filled(old.unwrap_or_default(), half);
        spans.push(border.clone());
        spans.extend(filled(new.unwrap_or_default(), half));
        Line::from(spans)
    };
    pairs.map(join).collect()
}

fn titled_node(
    theme: Theme,
    view: &PlanView,
    side: AlignedCell,
    columns: usize,
) -> Vec<Line<'static>> {
    let position = match side {
        AlignedCell::Node(position)
        | AlignedCell::Rest(position, _)
        | AlignedCell::Detail(position, _, _) => position,
        AlignedCell::Empty => return Vec::new(),
    };
    let node = &view.plan.nodes()[position];
    let title = wrap(&printable(&node.title()), columns.saturating_sub(1), 4);
    let title = title
        .into_iter()
        .map(|text| Line::styled(text, theme.bold()));
    title
        .chain(plan_node(theme, view, node.id, columns))
        .collect()
}

/// The findings about the node, each with a test result and the suggested action.
fn finding_lines(theme: Theme, view: &PlanView, id: NodeId, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for AnnotatedFinding { finding, answer } in view.findings_on(id) {
        let mut add = |mark: &str, text: &str, style: Style| {
            let text = wrap(&printable(text), columns.saturating_sub(3), 6);
            let line = |(number, text): (usize, String)| {
                format!("{} {text}", if number == 0 { mark } else { " " })
            };
            lines.extend(
                text.into_iter()
                    .enumerate()
                    .map(|text| Line::styled(line(text), style)),
            );
        };
        add(
            "!",
            &format!("{}: {}", finding.severity.name(), finding.message),
            theme.hot(),
        );
        if let Some(answer) = answer {
            add("✓", answer, theme.good());
        }
        if let Some(action) = &finding.action {
            add(
                "→",
                action,
                if answer.is_some() {
                    theme.dim()
                } else {
                    theme.good()
                },
            );
        }
    }
    lines
}

/// All properties of the node.
fn property_lines(theme: Theme, view: &PlanView, id: NodeId, columns: usize) -> Vec<Line<'static>> {
    let label = (columns / 3).clamp(8, 22);
    let mut lines = Vec::new();
    for (name, value) in view.properties(id) {
        for (part, text) in wrap(&value, columns.saturating_sub(label + 1), 12)
            .into_iter()
            .enumerate()
        {
            let head = if part == 0 { name.as_str() } else { "" };
            lines.push(Line::from(vec![
                left(head, label, theme.dim()),
                Span::raw(format!(" {text}")),
            ]));
        }
    }
    lines
}
