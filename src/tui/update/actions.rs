//! What each action does.

use super::navigation::{screen_at_offset, show, step};
use super::refresh::{current_index, height, refresh, refresh_totals, session_data};
use super::{jobs, typing};
use crate::tui::details;
use crate::tui::keymap::{Action, Screen};
use crate::tui::layout;
use crate::tui::list::Movement;
use crate::tui::model::{Connection, Effect, Message, Model, Overlay, Pane, Request};
use crate::tui::session_data::{SessionData, TotalBasis};

/// Performs the action.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Back => return back(model),
        Action::Agree => return jobs::answer(model, true),
        Action::Decline => return jobs::answer(model, false),
        Action::Retry => return retry(model),
        Action::Help => toggle_help(model),
        Action::Show(screen) => show(model, screen),
        Action::NextScreen => show(model, screen_at_offset(model.navigation.screen, 1)),
        Action::PreviousScreen => show(model, screen_at_offset(model.navigation.screen, 3)),
        Action::Up => return step(model, Movement::By(-1)),
        Action::Down => return step(model, Movement::By(1)),
        Action::PageUp => return step(model, Movement::Pages(-1)),
        Action::PageDown => return step(model, Movement::Pages(1)),
        Action::Top => return step(model, Movement::First),
        Action::Bottom => return step(model, Movement::Last),
        of_a_screen => {
            model.navigation.overlay = Overlay::Nothing;
            return match session_data(model) {
                Some(session_data) => on_screen(model, &session_data, of_a_screen),
                None => Vec::new(),
            };
        }
    }
    Vec::new()
}

fn toggle_help(model: &mut Model) {
    model.navigation.overlay = match model.navigation.overlay {
        Overlay::Help(_) => Overlay::Nothing,
        _ => Overlay::Help(0),
    };
}

/// Esc cancels the running request, else closes what is open, else goes back; on the first screen
/// it removes, one by one, what keeps statements out of the list or the totals.
fn back(model: &mut Model) -> Vec<Effect> {
    if let Some(cancel) = jobs::cancel(model) {
        return cancel;
    }
    if model.navigation.overlay != Overlay::Nothing {
        model.navigation.overlay = Overlay::Nothing;
    } else if let Some(screen) = model.navigation.back.pop() {
        model.navigation.screen = screen;
        refresh(model);
    } else if !model.workload.filter.is_empty() {
        typing::clear_filter(model);
    } else if let Some(session_data) =
        session_data(model).filter(|_| !model.workload.marks.is_empty())
    {
        if model.workload.marked_only {
            model.workload.marked_only = false;
        } else {
            model.workload.marks.clear();
            model.message = Message::info("no statement is marked now");
        }
        refresh_totals(model, &session_data);
    } else {
        model.message = Message::info("this is the first screen; q quits");
    }
    Vec::new()
}

fn retry(model: &mut Model) -> Vec<Effect> {
    if model.jobs.connection == Connection::None {
        model.message = Message::info("there is no server: this is a file");
        return Vec::new();
    }
    if model.jobs.current.is_some() {
        model.message = Message::info("a request is already running; Esc cancels it");
        return Vec::new();
    }
    match (model.jobs.failed.take(), &model.data) {
        (Some(failed), _) => jobs::send(model, failed),
        (None, Pane::Has(_)) => {
            model.message = Message::info("nothing failed, so there is nothing to retry");
            Vec::new()
        }
        (None, _) => jobs::send(model, Request::Advise),
    }
}

fn on_screen(model: &mut Model, session_data: &SessionData, action: Action) -> Vec<Effect> {
    let height = height(model);
    match model.navigation.screen {
        Screen::Workload => on_workload(model, session_data, action),
        Screen::Plan => on_plan(model, session_data, action, height),
        Screen::Compare => on_compare(model, session_data, action, height),
        Screen::Indexes => return on_indexes(model, session_data, action),
    }
    Vec::new()
}

fn on_workload(model: &mut Model, session_data: &SessionData, action: Action) {
    match action {
        Action::Open if model.workload.selected().is_some() => return show(model, Screen::Plan),
        Action::Sort => model.workload.sort_by_next(session_data),
        Action::Reverse => model.workload.reverse(),
        Action::Filter => model.navigation.overlay = Overlay::Filter,
        Action::Mark => model.workload.mark(),
        Action::MarkShown => model.workload.mark_shown(),
        Action::Unmark | Action::MarkedOnly if model.workload.marks.is_empty() => {
            model.message = Message::info("no statement is marked; Space marks one");
        }
        Action::Unmark => model.workload.marks.clear(),
        Action::MarkedOnly => model.workload.marked_only = !model.workload.marked_only,
        _ => {}
    }
    refresh_totals(model, session_data);
}

fn on_plan(model: &mut Model, session_data: &SessionData, action: Action, height: usize) {
    match action {
        Action::Fold => model.plan.fold(height),
        Action::FoldAll => model.plan.fold_all(height),
        Action::UnfoldAll => model.plan.unfold_all(height),
        Action::Costliest => model.plan.jump_to_costliest(height),
        Action::NextFinding => {
            if let Err(reason) = model.plan.jump_to_finding(height) {
                model.message = Message::info(reason);
            }
        }
        Action::DetailDown => scroll_node(model, 1),
        Action::DetailUp => scroll_node(model, -1),
        Action::NextStatement => other_statement(model, session_data, 1),
        Action::PreviousStatement => other_statement(model, session_data, -1),
        _ => {}
    }
}

fn on_compare(model: &mut Model, session_data: &SessionData, action: Action, height: usize) {
    match action {
        Action::NextChoice | Action::PreviousChoice | Action::UsedOnly => {
            let stepped = match action {
                Action::NextChoice => model.compare.step(session_data, 1),
                Action::PreviousChoice => model.compare.step(session_data, -1),
                _ => model.compare.switch_used_only(session_data),
            };
            if let Err(reason) = stepped {
                model.message = Message::info(reason);
            }
        }
        Action::DetailDown => scroll_nodes(model, 1),
        Action::DetailUp => scroll_nodes(model, -1),
        Action::NextChange => model.compare.jump_to_change(height),
        Action::NextStatement => other_statement(model, session_data, 1),
        Action::PreviousStatement => other_statement(model, session_data, -1),
        Action::EditIndex => {
            typing::edit_index(model, session_data, current_index(model, session_data))
        }
        _ => {}
    }
}

/// Scrolls the details of the selected node.
fn scroll_node(model: &mut Model, lines: isize) {
    let (Some(view), Some(node)) = (&model.plan.view, model.plan.selected()) else {
        return;
    };
    let columns = usize::from(layout::of(model).detail.width);
    let last = details::plan_node(model.theme, view, node, columns)
        .len()
        .saturating_sub(1);
    model.plan.detail = model.plan.detail.saturating_add_signed(lines).min(last);
}

/// Scrolls the details of the two selected nodes.
fn scroll_nodes(model: &mut Model, lines: isize) {
    let columns = usize::from(layout::of(model).detail.width);
    let last = details::compared_nodes(model, columns)
        .len()
        .saturating_sub(1);
    model.compare.detail = model.compare.detail.saturating_add_signed(lines).min(last);
}

/// The next statement of the list, or the one before, stays selected there.
fn other_statement(model: &mut Model, session_data: &SessionData, by: isize) {
    let length = model.workload.visible.len();
    model
        .workload
        .list
        .select(Movement::By(by), length, height(model));
    let Some(statement) = model.workload.selected() else {
        return;
    };
    match model.navigation.screen {
        Screen::Plan => model
            .plan
            .open(session_data, statement, usize::from(model.size.columns)),
        _ => model.compare.open(session_data, statement),
    }
    refresh(model);
}

fn on_indexes(model: &mut Model, session_data: &SessionData, action: Action) -> Vec<Effect> {
    match action {
        Action::Toggle => match model.indexes.toggle(session_data) {
            Ok(()) => return switched(model, session_data),
            Err(reason) => model.message = Message::error(reason),
        },
        Action::EnableRecommended => {
            model.indexes.enabled = session_data.recommended();
            return switched(model, session_data);
        }
        Action::DisableAll => {
            model.indexes.fixes.clear();
            model.indexes.enabled.clear();
            return switched(model, session_data);
        }
        Action::DetailDown => scroll_about(model, session_data, 1),
        Action::DetailUp => scroll_about(model, session_data, -1),
        Action::Verify => return verify(model, session_data),
        Action::Open => open_best(model, session_data),
        Action::EditIndex => {
            typing::edit_index(model, session_data, current_index(model, session_data))
        }
        Action::NewIndex => typing::edit_index(model, session_data, None),
        Action::WriteFile | Action::Copy | Action::PrintOnExit => {
            return export(model, session_data, action);
        }
        _ => {}
    }
    Vec::new()
}

/// Scrolls the details of the selected index.
fn scroll_about(model: &mut Model, session_data: &SessionData, lines: isize) {
    let columns = usize::from(layout::of(model).detail.width);
    let last = details::selected_index(model, session_data, columns)
        .len()
        .saturating_sub(1);
    model.indexes.detail = model.indexes.detail.saturating_add_signed(lines).min(last);
}

/// Verifies the indexes that are on, if their total is only an estimate.
fn verify(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    let known = model
        .indexes
        .totals
        .as_ref()
        .is_none_or(|totals| totals.basis != TotalBasis::Estimated);
    let refusal = match (&model.jobs.connection, known) {
        (Connection::None, _) => "there is no server to build on: this is a recording",
        _ if model.indexes.enabled.is_empty() => "no index is on",
        (_, true) => "these indexes are already verified",
        (_, false) => return verify_enabled(model, session_data),
    };
    model.message = Message::info(refusal);
    Vec::new()
}

/// Builds the indexes that are on, and plans with them.
fn verify_enabled(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    let indexes = model.indexes.enabled.clone();
    let groups = session_data.groups(&indexes);
    jobs::send(model, Request::Verify { indexes, groups })
}

/// Shows the plans of the statement that the selected index helps most.
fn open_best(model: &mut Model, session_data: &SessionData) {
    let Some(index) = current_index(model, session_data) else {
        return;
    };
    let shows = |statement: &crate::tui::session_data::StatementView| {
        statement
            .choices
            .iter()
            .any(|choice| choice.index == Some(index))
    };
    let best = session_data.indexes[index]
        .benefits
        .iter()
        .max_by(|a, b| {
            a.before
                .factor_to(a.after)
                .total_cmp(&b.before.factor_to(b.after))
        })
        .and_then(|benefit| session_data.position(&benefit.statement))
        .or_else(|| session_data.statements.iter().position(shows));
    match best.filter(|statement| shows(&session_data.statements[*statement])) {
        Some(statement) => {
            show(model, Screen::Compare);
            model.compare.open_at(session_data, statement, index);
        }
        None => {
            model.message =
                Message::error("this index was not tested alone, so there is no plan to show")
        }
    }
}

/// Updates the totals and the DDL that is printed on exit.
fn switched(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    refresh_totals(model, session_data);
    if model.indexes.print {
        vec![Effect::PrintOnExit(model.indexes.ddl(session_data))]
    } else {
        Vec::new()
    }
}

fn export(model: &mut Model, session_data: &SessionData, action: Action) -> Vec<Effect> {
    let ddl = model.indexes.ddl(session_data);
    if action == Action::PrintOnExit {
        model.indexes.print = !model.indexes.print;
        let on = model.indexes.print;
        model.message = Message::info(if on {
            "the DDL is printed on exit"
        } else {
            "the DDL is not printed on exit"
        });
        return vec![Effect::PrintOnExit(ddl.filter(|_| on))];
    }
    match (ddl, action) {
        (Some(ddl), Action::WriteFile) => vec![Effect::WriteFile(ddl)],
        (Some(ddl), _) => vec![Effect::Copy(ddl)],
        (None, _) => {
            model.message = Message::error("no index is on");
            Vec::new()
        }
    }
}
