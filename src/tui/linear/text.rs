//! The screens as sentences, in an order that can be listened to.

use std::fmt::Write as _;

use crate::model::{factor_text, printable};
use crate::plan::Plan;
use crate::plan::metrics::metrics;
use crate::report::plan_summary;
use crate::sentences;
use crate::tui::cells::{count, mean_time};
use crate::tui::command_line;
use crate::tui::model::{Model, Overlay};
use crate::tui::plan_view::PlanView;
use crate::tui::prompt::Note;
use crate::tui::screen::indexes::IndexRow;
use crate::tui::session_data::{IndexStatus, SessionData, TotalBasis, plan_text};

/// The first line.
pub(super) const WELCOME: &str =
    "pgrehearse, linear text. Type help for the commands, quit to end.";

/// Columns of a line of the linear text.
const LINE: usize = 80;

const NOTHING_YET: &str = "There is nothing to show yet.\n";

/// The commands.
pub(super) fn help() -> String {
    format!(
        "statements: all statements, the most expensive first.\n\
         statement N, plan N, compare N: the text of statement N, its plan, its plans before and after.\n\
         indexes: all indexes. on N, off N: switch index N on or off.\n\
         new CREATE INDEX …: test an index of your own in the planner twin.\n\
         report: the whole report. yes, no: answer a question.\n\
         Also: {}.\n",
        command_line::usage()
    )
}

/// What was wrong with a line.
pub(super) fn error_of_prompt(model: &Model) -> Option<String> {
    match &model.navigation.overlay {
        Overlay::Prompt(prompt) => match &prompt.note {
            Some(Note::Error(why)) => Some(format!("Not done: {}", printable(why))),
            _ => None,
        },
        _ => None,
    }
}

/// Costs without and with the indexes that are on.
pub(super) fn totals(model: &Model) -> String {
    let Some(totals) = &model.indexes.totals else {
        return NOTHING_YET.to_owned();
    };
    let selected = model.selection.indexes();
    let data = model.session_data();
    let mut on = selected
        .iter()
        .filter_map(|index| data?.indexes.get(*index));
    let has_untested = on.any(|index| !index.is_tested());
    let basis = match totals.basis {
        TotalBasis::Estimated | TotalBasis::Predicted if has_untested => {
            "not known, because an index that is on was not tested"
        }
        TotalBasis::Verified | TotalBasis::Tested => "verified on the server",
        TotalBasis::Predicted => "predicted by the planner twin",
        TotalBasis::Estimated => "estimated from single indexes",
    };
    let on = model.selection.indexes().len();
    if on == 0 {
        return format!("No index is on. Cost {}.\n", totals.before);
    }
    format!(
        "{} on, {}. Cost {} without, {} with: {} lower, {basis}.\n",
        count(on, "index is", "indexes are"),
        totals.size,
        totals.before,
        totals.after,
        factor_text(totals.before.factor_to(totals.after)),
    )
}

/// All statements, in the order of the list.
pub(super) fn statements(model: &Model) -> String {
    let Some(session_data) = model.session_data() else {
        return NOTHING_YET.to_owned();
    };
    let mut text = totals(model);
    for (number, position) in model.workload.visible.iter().enumerate() {
        let statement = &session_data.statements[*position];
        let mut facts = Vec::new();
        facts.extend(
            statement
                .share
                .map(|share| format!("{:.1} percent", share * 100.0)),
        );
        let calls = statement.source.calls_with_any_values();
        if calls > 1.0 {
            facts.push(format!("{calls} calls"));
        }
        facts.extend(
            statement
                .source
                .mean_time_ms
                .map(|time| format!("{} each", mean_time(time))),
        );
        match (&statement.before, statement.cost()) {
            (_, Some(cost)) => facts.push(format!("cost {cost}")),
            (Err(why), _) if why.is_empty() => facts.push("being planned".to_owned()),
            (Err(why), _) => facts.push(format!("no plan: {}", printable(why))),
            (Ok(_), None) => {}
        }
        let after = model.workload.cost_after(statement);
        if let Some(after) = after.filter(|after| Some(*after) != statement.cost()) {
            let gain = factor_text(model.workload.factor(statement));
            facts.push(format!(
                "{after} with the indexes that are on, {gain} lower"
            ));
        }
        if statement.finding_count > 0 {
            facts.push(count(statement.finding_count, "finding", "findings"));
        }
        let name = statement.title(LINE);
        let _ = writeln!(text, "{}. {name}: {}.", number + 1, facts.join(", "));
    }
    text
}

/// The text of the selected statement, and why no index helps it.
pub(super) fn statement(model: &Model) -> String {
    let selected = model.workload.selected();
    let found = model
        .session_data()
        .zip(selected)
        .and_then(|(data, selected)| data.statements.get(selected));
    let Some(statement) = found else {
        return NOTHING_YET.to_owned();
    };
    let mut text = format!("{}:\n", printable(&statement.source.id.0));
    for line in statement.source.sql.trim().lines() {
        let _ = writeln!(text, "{}", printable(line));
    }
    if let Some(why) = &statement.no_index {
        let _ = writeln!(text, "No index helps: {}.", printable(why));
    }
    text
}

/// The plan that is open: times, findings, nodes.
pub(super) fn plan(model: &Model) -> String {
    let Some(view) = &model.plan.view else {
        return statement(model) + "It has no plan.\n";
    };
    let mut text = summary(&view.plan);
    text += &findings(view);
    text + &spoken(&plan_text(&view.plan))
}

/// A tree without its lines, which a screen reader would name one by one: the indentation tells it.
fn spoken(tree: &str) -> String {
    tree.replace(['│', '├', '└', '─'], " ")
}

fn summary(plan: &Plan) -> String {
    let parts = plan_summary::parts(plan, &metrics(plan)).join(", ");
    format!(
        "Plan: {}, {parts}.\n",
        count(plan.nodes().len(), "node", "nodes")
    )
}

fn findings(view: &PlanView) -> String {
    let mut text = String::new();
    for annotated in &view.findings {
        let finding = &annotated.finding;
        let message = printable(&finding.message);
        let _ = writeln!(text, "Finding, {}: {message}", finding.severity.name());
        if let Some(answer) = &annotated.answer {
            let _ = writeln!(text, "Tested: {}.", printable(answer));
        }
        if let Some(action) = &finding.action {
            let _ = writeln!(text, "To do: {}", printable(action));
        }
    }
    text
}

/// Both plans, one after the other.
pub(super) fn compared(model: &Model) -> String {
    let (Some(before), Some(after)) = (&model.compare.before, &model.compare.after) else {
        return "There are no two plans to compare.\n".to_owned();
    };
    let (old, new) = (before.plan.total_cost(), after.plan.total_cost());
    format!(
        "Cost {old} before, {new} after.\nBefore:\n{}After:\n{}",
        spoken(&plan_text(&before.plan)),
        spoken(&plan_text(&after.plan))
    )
}

/// The lines of the list that can be switched, in its order.
pub(super) fn listed_rows(model: &Model) -> Vec<IndexRow> {
    let is_line = |row: &&IndexRow| !matches!(row, IndexRow::Heading(_));
    model.indexes.rows.iter().filter(is_line).copied().collect()
}

/// All indexes, numbered.
pub(super) fn indexes(model: &Model) -> String {
    let Some(session_data) = model.session_data() else {
        return NOTHING_YET.to_owned();
    };
    let mut text = totals(model);
    let mut number = 0;
    for row in &model.indexes.rows {
        if let IndexRow::Heading(title) = row {
            let _ = writeln!(text, "{title}:");
            continue;
        }
        number += 1;
        let line = index_line(model, session_data, *row);
        let _ = writeln!(text, "{number}. {line}");
    }
    text
}

fn index_line(model: &Model, session_data: &SessionData, row: IndexRow) -> String {
    let switch = |is_on: bool| if is_on { "on" } else { "off" };
    match row {
        IndexRow::Heading(title) => title.to_owned(),
        IndexRow::Existing(position) => {
            let finding = &session_data.existing[position];
            let on = model.selection.switches().fixes.contains(&position);
            let why = sentences::existing_index(finding);
            let text = format!("{}, {}: {}: {why}", finding.index, finding.size, switch(on));
            printable(&text).into_owned()
        }
        IndexRow::Index(position) => {
            let index = &session_data.indexes[position];
            let on = model.selection.indexes().contains(&position);
            let size = index
                .size_text()
                .unwrap_or_else(|| "size unknown".to_owned());
            let helps = count(session_data.helped(index), "statement", "statements");
            let why = match &index.status {
                IndexStatus::Rejected { reason, .. } => {
                    format!(", rejected: {}", reason.name().replace('_', " "))
                }
                _ => String::new(),
            };
            let definition = index.named.definition.definition();
            let text = format!("{definition}, {}: {size}, helps {helps}{why}.", switch(on));
            printable(&text).into_owned()
        }
    }
}

/// The report.
pub(super) fn report(model: &Model) -> String {
    let width = 100;
    let data = model.session_data();
    data.map_or_else(
        || NOTHING_YET.to_owned(),
        |data| data.report_text(model.selection.indexes(), width),
    )
}
