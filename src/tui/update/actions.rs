//! What each action does.

use super::lost_work::would_be_lost;
use super::navigation::{go_to_match, screen_at_offset, show, step};
use super::refresh::{
    current_index, current_statement, height, refresh, refresh_totals, session_data,
};
use super::{prompts, requests, selecting};
use crate::tui::details;
use crate::tui::exports;
use crate::tui::keymap::{Action, Screen};
use crate::tui::layout;
use crate::tui::list::Movement;
use crate::tui::model::{
    Connection, Effect, Message, Model, Overlay, Pane, Purpose, Question, Request, Zoom,
};
use crate::tui::pager::{Pager, TextKind};
use crate::tui::prompt::{Prompt, PromptPurpose};
use crate::tui::session_data::{SessionData, TotalBasis};
use crate::tui::{command_line, view};

/// So many columns are scrolled sideways at once.
const SIDEWAYS: isize = 8;

/// Performs the action.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return quit(model),
        Action::Interrupt => return interrupt(model),
        Action::Suspend => return requests::suspend(model),
        Action::Back => return back(model),
        Action::Agree => return answer(model, true),
        Action::Decline => return answer(model, false),
        Action::Retry => return retry(model),
        Action::Help => help(model),
        Action::Show(screen) => return show(model, screen),
        Action::NextScreen => return show(model, screen_at_offset(model.navigation.screen, 1)),
        Action::PreviousScreen => {
            let before = Screen::ALL.len() - 1;
            return show(model, screen_at_offset(model.navigation.screen, before));
        }
        Action::Up => return step(model, Movement::By(-1)),
        Action::Down => return step(model, Movement::By(1)),
        Action::PageUp => return step(model, Movement::Pages(-1)),
        Action::PageDown => return step(model, Movement::Pages(1)),
        Action::Top => return step(model, Movement::First),
        Action::Bottom => return step(model, Movement::Last),
        Action::Search => prompts::search(model),
        Action::NextMatchOrNew => next_match_or_new(model),
        Action::PreviousMatch => go_to_match(model, false),
        Action::Command => prompts::open(model, Prompt::new(PromptPurpose::Command, "")),
        Action::Zoom => zoom(model),
        of_data => {
            return match session_data(model) {
                Some(session_data) => with_data(model, &session_data, of_data),
                None => {
                    model.message = Message::info("There is nothing to show yet");
                    Vec::new()
                }
            };
        }
    }
    Vec::new()
}

/// What needs data: first what is the same on every screen.
fn with_data(model: &mut Model, session_data: &SessionData, action: Action) -> Vec<Effect> {
    match action {
        Action::Copy => return copy(model, session_data),
        Action::Write => prompts::ask_for_path(model, exports::of_screen(model)),
        Action::EditIndex => prompts::edit_index(model, session_data, current_index(model)),
        Action::EditStatement => return edit_statement(model, session_data),
        Action::Verify => return verify(model, session_data),
        Action::Undo => return selecting::step_back(model, true),
        Action::Redo => return selecting::step_back(model, false),
        Action::BestIndexes => selecting::ask_for_count(model),
        Action::ReadStatement => read_statement(model, session_data),
        Action::CompareTwo => return compare_two(model, session_data),
        Action::EnableRecommended => return selecting::select(model, session_data.recommended()),
        Action::DisableAll => return selecting::select_nothing(model),
        Action::PrintOnExit => return print_on_exit(model, session_data),
        Action::NextStatement => other_statement(model, session_data, 1),
        Action::PreviousStatement => other_statement(model, session_data, -1),
        Action::DetailDown => scroll_details(model, session_data, 1),
        Action::DetailUp => scroll_details(model, session_data, -1),
        Action::ScrollRight => scroll_sideways(model, SIDEWAYS),
        Action::ScrollLeft => scroll_sideways(model, -SIDEWAYS),
        of_a_screen => return on_screen(model, session_data, of_a_screen),
    }
    Vec::new()
}

/// Closes what is on top; else the program ends, unless work would be lost.
fn quit(model: &mut Model) -> Vec<Effect> {
    if model.navigation.overlay != Overlay::Nothing {
        return back(model);
    }
    match would_be_lost(model) {
        None => vec![Effect::Quit],
        Some(text) => {
            model.question = Some(Question {
                title: "Quit?",
                text,
                purpose: Purpose::Quit,
            });
            Vec::new()
        }
    }
}

/// A second Ctrl-C quits at once.
fn interrupt(model: &mut Model) -> Vec<Effect> {
    if model.question.is_some() {
        return vec![Effect::Quit];
    }
    model.navigation.overlay = Overlay::Nothing;
    quit(model)
}

fn answer(model: &mut Model, is_yes: bool) -> Vec<Effect> {
    let Some(question) = model.question.take() else {
        return Vec::new();
    };
    match (question.purpose, is_yes) {
        (Purpose::Build, _) => {
            // The build begins now; what was waited for is the answer.
            if let Some(job) = &mut model.jobs.main {
                job.began = model.jobs.now;
                job.phase_began = model.jobs.now;
            }
            vec![Effect::Answer(is_yes)]
        }
        (Purpose::Quit, true) => vec![Effect::Quit],
        (Purpose::Stop, true) => requests::stop(model),
        (Purpose::Quit | Purpose::Stop, false) => Vec::new(),
    }
}

fn help(model: &mut Model) {
    let text = view::help_text(model.navigation.screen, &command_line::usage());
    open_pager(model, "Keys".to_owned(), &text, TextKind::Plain);
}

/// Shows a long text over the screen.
fn open_pager(model: &mut Model, title: String, text: &str, kind: TextKind) {
    let columns = usize::from(model.size.columns).saturating_sub(2);
    let pager = Pager::new(title, text, kind, columns);
    model.navigation.overlay = Overlay::Pager(Box::new(pager));
}

/// Esc closes what is open, else clears what is searched for, else goes back; on the first screen it
/// removes, one by one, what keeps statements out of the list or the totals. Then it asks whether a
/// search is to be stopped.
fn back(model: &mut Model) -> Vec<Effect> {
    if model.navigation.overlay != Overlay::Nothing {
        model.navigation.overlay = Overlay::Nothing;
        return Vec::new();
    }
    if model.zoom != Zoom::Both {
        model.zoom = Zoom::Both;
        refresh(model);
        return Vec::new();
    }
    if model.navigation.screen != Screen::Workload && prompts::clear_search(model) {
        return Vec::new();
    }
    if let Some(screen) = model.navigation.back.pop() {
        model.navigation.screen = screen;
        refresh(model);
        return Vec::new();
    }
    if prompts::clear_search(model) {
        return Vec::new();
    }
    if let Some(session_data) = session_data(model).filter(|_| !model.workload.marks.is_empty()) {
        if model.workload.marked_only {
            model.workload.marked_only = false;
        } else {
            model.workload.marks.clear();
            model.message = Message::info("No statement is marked now");
        }
        refresh_totals(model, &session_data);
        return Vec::new();
    }
    if let Some(job) = &model.jobs.main {
        let text = match job.request {
            Request::Advise => {
                "What is known by now stays, and r goes on where the search stopped."
            }
            _ => "What is being built is rolled back.",
        };
        model.question = Some(Question {
            title: "Stop?",
            text: text.to_owned(),
            purpose: Purpose::Stop,
        });
    } else {
        model.message = Message::info("This is the first screen; q quits");
    }
    Vec::new()
}

fn retry(model: &mut Model) -> Vec<Effect> {
    if model.jobs.connection == Connection::None {
        model.message = Message::info("There is no server: this is a file");
        return Vec::new();
    }
    if model.jobs.main.is_some() {
        model.message = Message::info("A request is already running; Esc stops it");
        return Vec::new();
    }
    match (
        model.jobs.failed.take(),
        &model.data,
        &model.jobs.connection,
    ) {
        // Nothing is built only because a connection is there again.
        (Some(Request::Verify { .. }), _, Connection::Lost(_)) => {
            requests::send(model, Request::Connect)
        }
        (Some(failed), _, _) => requests::send(model, failed),
        (None, Pane::Has(_), Connection::Lost(_)) => requests::send(model, Request::Connect),
        (None, Pane::Has(_), _) => {
            model.message = Message::info("Nothing was stopped or has failed");
            Vec::new()
        }
        (None, _, _) => requests::send(model, Request::Advise),
    }
}

fn next_match_or_new(model: &mut Model) {
    if model.pager().is_some() || prompts::is_searched(model) {
        go_to_match(model, true);
    } else {
        prompts::new_index(model);
    }
}

fn zoom(model: &mut Model) {
    model.zoom = match model.zoom {
        Zoom::Both => Zoom::List,
        Zoom::List => Zoom::Details,
        Zoom::Details => Zoom::Both,
    };
    refresh(model);
}

fn copy(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    match exports::text(model, session_data, exports::of_screen(model), "") {
        Ok(text) => vec![Effect::Copy(text)],
        Err(why) => {
            model.message = Message::error(why);
            Vec::new()
        }
    }
}

fn edit_statement(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    let statement = current_statement(model).and_then(|shown| session_data.statements.get(shown));
    let why_not = match (&model.jobs.connection, statement) {
        (Connection::None, _) => "There is no server to plan on: this is a file",
        (_, None) => "There is no statement",
        (_, Some(statement)) => {
            let source = statement.source.clone();
            let text = format!("{}\n", source.sql.trim());
            let what = crate::tui::model::EditedText::Statement(Box::new(source));
            return vec![Effect::Edit(what, text)];
        }
    };
    model.message = Message::info(why_not);
    Vec::new()
}

fn read_statement(model: &mut Model, session_data: &SessionData) {
    let shown = current_statement(model).and_then(|shown| session_data.statements.get(shown));
    match shown {
        Some(statement) if !statement.source.sql.trim().is_empty() => open_pager(
            model,
            statement.source.id.to_string(),
            &statement.source.sql,
            TextKind::Sql,
        ),
        _ => model.message = Message::info("The text of this statement is not known"),
    }
}

/// Two marked statements, or the marked one and this one, or the only two.
fn compare_two(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    let visible = &model.workload.visible;
    let marked: Vec<usize> = visible
        .iter()
        .copied()
        .filter(|statement| model.workload.marks.contains(statement))
        .collect();
    let current = current_statement(model);
    let pair = match (marked.as_slice(), current, visible.as_slice()) {
        ([one, other], _, _) => Some((*one, *other)),
        ([one], Some(current), _) if *one != current => Some((*one, current)),
        ([], _, [one, other]) => Some((*one, *other)),
        _ => None,
    };
    let Some(pair) = pair else {
        model.message = Message::info(
            "Space marks a statement: = compares it with another, or two that are marked",
        );
        return Vec::new();
    };
    let effects = show(model, Screen::Compare);
    if let Err(why) = model.compare.open_two(session_data, pair) {
        model.message = Message::error(why);
    }
    refresh(model);
    effects
}

fn print_on_exit(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    model.indexes.print = !model.indexes.print;
    let on = model.indexes.print;
    model.message = Message::info(match on {
        true => "The DDL is printed on exit",
        false => "The DDL is not printed on exit",
    });
    let ddl = model.indexes.ddl(session_data, &model.selection);
    vec![Effect::PrintOnExit(ddl.filter(|_| on))]
}

fn on_screen(model: &mut Model, session_data: &SessionData, action: Action) -> Vec<Effect> {
    let height = height(model);
    match model.navigation.screen {
        Screen::Workload => on_workload(model, session_data, action),
        Screen::Plan => {
            on_plan(model, action, height);
            Vec::new()
        }
        Screen::Compare => {
            on_compare(model, session_data, action, height);
            Vec::new()
        }
        Screen::Indexes => on_indexes(model, session_data, action),
        Screen::Report => Vec::new(),
    }
}

fn on_workload(model: &mut Model, session_data: &SessionData, action: Action) -> Vec<Effect> {
    match action {
        Action::Open if model.workload.selected().is_some() => return show(model, Screen::Plan),
        Action::Sort => model.workload.sort_by_next(session_data),
        Action::Reverse => model.workload.reverse(),
        Action::Mark => model.workload.mark(),
        Action::MarkShown => model.workload.mark_shown(),
        Action::MarkedOnly if model.workload.marks.is_empty() => {
            model.message = Message::info("No statement is marked; Space marks one");
        }
        Action::MarkedOnly => model.workload.marked_only = !model.workload.marked_only,
        _ => {}
    }
    refresh_totals(model, session_data);
    Vec::new()
}

fn on_plan(model: &mut Model, action: Action, height: usize) {
    match action {
        Action::Fold => model.plan.fold(height),
        Action::WrapNames => wrap_names(model),
        Action::FoldAll => model.plan.fold_all(height),
        Action::UnfoldAll => model.plan.unfold_all(height),
        Action::Costliest => model.plan.jump_to_costliest(height),
        Action::NextFinding => {
            if let Err(reason) = model.plan.jump_to_finding(height) {
                model.message = Message::info(reason);
            }
        }
        _ => {}
    }
}

fn wrap_names(model: &mut Model) {
    let is_wrapped = model.plan.wrapped.is_some();
    let height = height(model);
    model.plan.sideways = 0;
    let room = layout::plan_names(model).filter(|_| !is_wrapped);
    model.plan.wrap_names(room, height);
    model.message = Message::info(match room {
        Some(_) => "Names that are cut stand in full below; W hides them",
        None => "Long names are cut; ← and → scroll, W writes them in full below",
    });
}

fn on_compare(model: &mut Model, session_data: &SessionData, action: Action, height: usize) {
    let selected = model.selection.indexes().clone();
    let stepped = match action {
        Action::NextChoice => model.compare.step(session_data, &selected, 1),
        Action::PreviousChoice => model.compare.step(session_data, &selected, -1),
        Action::UsedOnly => model.compare.switch_used_only(session_data, &selected),
        Action::NextChange => {
            model.compare.jump_to_change(height);
            Ok(())
        }
        _ => Ok(()),
    };
    if let Err(reason) = stepped {
        model.message = Message::info(reason);
    }
}

/// Scrolls the details of what is selected.
fn scroll_details(model: &mut Model, session_data: &SessionData, lines: isize) {
    let columns = usize::from(layout::of(model).detail.width);
    let scrolled = |now: usize, length: usize| {
        let last = length.saturating_sub(1);
        now.saturating_add_signed(lines).min(last)
    };
    match model.navigation.screen {
        Screen::Plan => {
            let (Some(view), Some(node)) = (&model.plan.view, model.plan.selected()) else {
                return;
            };
            let length = details::plan_node(model.theme, view, node, columns).len();
            model.plan.detail = scrolled(model.plan.detail, length);
        }
        Screen::Compare => {
            let length = details::compared_nodes(model, columns).len();
            model.compare.detail = scrolled(model.compare.detail, length);
        }
        Screen::Indexes => {
            let length = details::selected_index(model, session_data, columns).len();
            model.indexes.detail = scrolled(model.indexes.detail, length);
        }
        Screen::Workload => {
            let length = details::selected_statement(model, session_data, columns).len();
            model.workload.detail = scrolled(model.workload.detail, length);
        }
        Screen::Report => {}
    }
}

fn scroll_sideways(model: &mut Model, columns: isize) {
    match model.navigation.screen {
        Screen::Plan => model.plan.scroll_sideways(columns),
        Screen::Compare | Screen::Workload | Screen::Indexes | Screen::Report => {
            model.message =
                Message::info("← and → scroll the tree of a plan; long lines are wrapped here");
        }
    }
}

/// The next statement of the list, or the one before, stays selected there.
fn other_statement(model: &mut Model, session_data: &SessionData, by: isize) {
    let length = model.workload.visible.len();
    let height = height(model);
    model.workload.list.select(Movement::By(by), length, height);
    let Some(statement) = model.workload.selected() else {
        return;
    };
    match model.navigation.screen {
        Screen::Plan => model
            .plan
            .open(session_data, statement, usize::from(model.size.columns)),
        Screen::Compare => {
            model
                .compare
                .open(session_data, statement, model.selection.indexes());
        }
        Screen::Workload | Screen::Indexes | Screen::Report => {}
    }
    refresh(model);
}

fn on_indexes(model: &mut Model, session_data: &SessionData, action: Action) -> Vec<Effect> {
    match action {
        Action::Toggle => return selecting::toggle(model, session_data),
        Action::Open => return open_best(model, session_data),
        Action::Sort => {
            model.indexes.sort = model.indexes.sort.next();
            let height = height(model);
            model.indexes.arrange(session_data, height);
            let by = model.indexes.sort.name();
            model.message = Message::info(format!("Sorted by {by}, within each group"));
        }
        _ => {}
    }
    Vec::new()
}

/// Verifies the indexes that are on: they are built on the server.
fn verify(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    let basis = model.indexes.totals.as_ref().map(|totals| totals.basis);
    let is_built = matches!(basis, Some(TotalBasis::Verified | TotalBasis::Tested));
    let refusal = match &model.jobs.connection {
        Connection::None => "There is no server to build on: this is a file",
        _ if model.is_searching() => "The search goes on; :stop ends it, then R builds",
        _ if model.jobs.main.is_some() => "These indexes are being built",
        _ if model.selection.indexes().is_empty() => "No index is on",
        _ if is_built => "These indexes are verified already",
        _ => {
            let indexes = model.selection.indexes().clone();
            if let Some(why) = session_data.not_owned(&indexes) {
                model.message = Message::error(why);
                return Vec::new();
            }
            let groups = session_data.groups(&indexes);
            return requests::send(model, Request::Verify { indexes, groups });
        }
    };
    model.message = Message::info(refusal);
    Vec::new()
}

/// Shows the plans of the statement that the selected index helps most.
fn open_best(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    let Some(index) = current_index(model) else {
        return Vec::new();
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
            let effects = show(model, Screen::Compare);
            let selected = model.selection.indexes().clone();
            model
                .compare
                .open_at(session_data, (statement, index), &selected);
            effects
        }
        None => {
            model.message =
                Message::error("This index was not tested alone, so there is no plan to show");
            Vec::new()
        }
    }
}
