//! Where everything is on a terminal of some size. Update uses it for scroll limits and clicks, and
//! drawing for positions.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::keymap::{Action, Screen, hints};
use super::model::{Connection, Model, Overlay, Size, Zoom};
use super::plan_view::NameRoom;
use super::prompt::PromptPurpose;

/// On a smaller terminal only a message about its size is drawn.
pub const MIN_SIZE: Size = Size {
    columns: 40,
    lines: 10,
};

/// From this width on, details are beside the list, not below it.
const WIDE: u16 = 110;

/// The same for lists with long lines.
const WIDEST: u16 = 150;

/// From this height on, two plans leave room for the selected line in full.
const ROOMY: u16 = 15;

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// The tabs.
    pub tabs: Rect,
    /// Above the list: the summary, the statement.
    pub top: Rect,
    /// The list's headings.
    pub headings: Rect,
    /// The list or the tree.
    pub list: Rect,
    /// Details of what is selected.
    pub detail: Rect,
    /// The status line.
    pub status: Rect,
    /// The keys.
    pub footer: Rect,
}

/// What decides about the parts of a screen, besides its size.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// The screen.
    pub screen: Screen,
    /// Is an index being typed, in a box of its own?
    pub has_editor: bool,
    /// Which panes are shown.
    pub zoom: Zoom,
    /// Up to so many lines above the list.
    pub top: u16,
    /// The columns that a list beside its details needs at least.
    pub wanted: u16,
}

/// The parts of a screen.
pub fn areas(size: Size, parts: Parts) -> Areas {
    let Size { columns, lines } = size;
    let line = |y: u16| Rect::new(0, y.min(lines.saturating_sub(1)), columns, lines.min(1));
    let editor = if parts.has_editor { EDITOR_LINES } else { 0 };
    let bottom = lines.saturating_sub(2 + editor);
    let room = bottom.saturating_sub(1);
    let top_lines = parts.top.min(room.saturating_sub(5));
    let top_area = Rect::new(0, 1, columns, top_lines);
    let body = Rect::new(0, 1 + top_lines, columns, room.saturating_sub(top_lines));
    let (list, detail) = match parts.zoom {
        Zoom::Both => split(body, parts),
        Zoom::List => (body, Rect { height: 0, ..body }),
        Zoom::Details => {
            // The heading and the selected line stay.
            let kept = body.height.min(2);
            let list = Rect {
                height: kept,
                ..body
            };
            let detail = Rect {
                y: body.y + kept,
                height: body.height - kept,
                ..body
            };
            (list, detail)
        }
    };
    let headings = Rect {
        height: list.height.min(1),
        ..list
    };
    let list = Rect {
        y: list.y + headings.height,
        height: list.height.saturating_sub(1),
        ..list
    };
    Areas {
        tabs: line(0),
        top: top_area,
        headings,
        list,
        detail,
        status: line(lines.saturating_sub(2)),
        footer: line(lines.saturating_sub(1)),
    }
}

/// The lines of the editor's box, above the status line.
pub const EDITOR_LINES: u16 = 6;

/// The editor's box.
pub fn editor(size: Size) -> Rect {
    let y = size.lines.saturating_sub(2 + EDITOR_LINES);
    Rect::new(
        0,
        y,
        size.columns,
        EDITOR_LINES.min(size.lines.saturating_sub(y)),
    )
}

/// The box of a question with so many lines of text, above the status line.
pub fn question(size: Size, lines: usize) -> Rect {
    // A rule above the text, and a line below it.
    let wanted = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2);
    let height = wanted.min(size.lines.saturating_sub(3));
    Rect::new(
        0,
        size.lines.saturating_sub(2 + height),
        size.columns,
        height,
    )
}

/// The list, and the details beside or below it.
fn split(body: Rect, Parts { screen, wanted, .. }: Parts) -> (Rect, Rect) {
    let beside = |share: u16| {
        let detail = body.width * share / 100;
        let list = body.width - detail - 1;
        (
            Rect {
                width: list,
                ..body
            },
            Rect {
                x: body.x + list + 1,
                width: detail,
                ..body
            },
        )
    };
    let below = |share: u16, least: u16| {
        let detail = (body.height * share / 100)
            .max(least)
            .min(body.height.saturating_sub(4));
        let list = body.height - detail;
        (
            Rect {
                height: list,
                ..body
            },
            Rect {
                y: body.y + list,
                height: detail,
                ..body
            },
        )
    };
    match screen {
        Screen::Compare if body.height < ROOMY => (body, Rect { height: 0, ..body }),
        Screen::Compare => below(28, 6),
        Screen::Workload => below(30, 6),
        Screen::Plan if body.width >= WIDE && wanted <= beside(36).0.width => beside(36),
        Screen::Plan => below(35, 6),
        Screen::Indexes if body.width >= WIDEST => beside(42),
        Screen::Indexes => below(45, 7),
        Screen::Report => (body, Rect { height: 0, ..body }),
    }
}

/// The parts of the screen that is shown.
pub fn of(model: &Model) -> Areas {
    let top = match model.navigation.screen {
        Screen::Workload => {
            2 + model
                .session_data()
                .map_or(0, |session_data| session_data.notices.len().min(2) as u16)
        }
        Screen::Plan => {
            let most = (model.size.lines / 4).max(3);
            let sql = (model.plan.sql.len() as u16).clamp(1, most);
            1 + (model.plan.heading.len() as u16).min(most) + sql
        }
        Screen::Compare => 5,
        Screen::Indexes => 3,
        Screen::Report => 0,
    };
    let is_index = |overlay: &Overlay| matches!(overlay, Overlay::Prompt(prompt) if prompt.purpose == PromptPurpose::Index);
    let parts = Parts {
        screen: model.navigation.screen,
        has_editor: is_index(&model.navigation.overlay),
        zoom: model.zoom,
        top,
        wanted: match (model.navigation.screen, &model.plan.view) {
            (Screen::Plan, Some(view)) => u16::try_from(view.least_width()).unwrap_or(u16::MAX),
            _ => 0,
        },
    };
    areas(model.size, parts)
}

/// ` 1 Workload `.
pub fn tab(number: usize, screen: Screen) -> String {
    format!(" {} {} ", number + 1, screen.title())
}

/// The screen whose tab is at this column.
pub fn tab_at(column: u16) -> Option<Screen> {
    let mut end = 0;
    Screen::ALL.iter().enumerate().find_map(|(number, screen)| {
        end += tab(number, *screen).width();
        (usize::from(column) < end).then_some(*screen)
    })
}

/// What the footer leaves out first where there is little room: what other programs have under the
/// same key, and what the screen shows already (the tabs).
const LEFT_OUT_FIRST: &[Action] = &[
    Action::NextScreen,
    Action::Write,
    Action::Mark,
    Action::Fold,
    Action::UsedOnly,
    Action::Sort,
    Action::Search,
    Action::NextMatchOrNew,
    Action::NextFinding,
    Action::NextChange,
    Action::Costliest,
    Action::Open,
    Action::Show(Screen::Compare),
    Action::NextChoice,
    Action::Toggle,
    Action::Copy,
    Action::Verify,
];

/// The hints that fit in as many columns as the terminal has, each with its action: first those of
/// the screen, then the general ones. Help and quit are always there; what can do nothing is not.
pub fn footer_hints(model: &Model) -> Vec<FooterHint> {
    let mut hints: Vec<FooterHint> = hints(model.scope())
        .filter(|(_, _, action)| can_do_something(model, *action))
        .map(|(keys, word, action)| FooterHint {
            keys: keys.into_owned(),
            word,
            action,
        })
        .collect();
    let mut left_out = LEFT_OUT_FIRST.iter();
    while hints.iter().map(FooterHint::columns).sum::<usize>() > usize::from(model.size.columns) {
        let Some(action) = left_out.next() else {
            break;
        };
        hints.retain(|hint| hint.action != *action);
    }
    hints
}

/// Is there what the key is about? A file has no server, and saved plans have no indexes.
fn can_do_something(model: &Model, action: Action) -> bool {
    let is_file = model.jobs.connection == Connection::None;
    let Some(session_data) = model.session_data() else {
        return true;
    };
    let has_indexes = !is_file || !session_data.indexes.is_empty();
    match action {
        Action::Verify => !is_file,
        // In a text the same key goes to the next match.
        Action::NextMatchOrNew => !is_file || model.pager().is_some(),
        Action::Toggle => has_indexes,
        Action::Open if model.navigation.screen == Screen::Indexes => has_indexes,
        Action::Show(Screen::Compare) => has_indexes || session_data.changed.is_some(),
        // Where there are indexes, statements are compared with themselves.
        Action::CompareTwo => {
            is_file
                && !has_indexes
                && session_data.changed.is_none()
                && session_data.statements.len() > 1
                && model.navigation.screen != Screen::Compare
        }
        Action::NextChoice | Action::UsedOnly => model.compare.choices.len() > 1,
        _ => true,
    }
}

/// A key in the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FooterHint {
    /// The keys.
    pub keys: String,
    /// What they do.
    pub word: &'static str,
    /// The same as an action.
    pub action: Action,
}

impl FooterHint {
    /// With the blanks behind it.
    pub fn columns(&self) -> usize {
        self.keys.width() + self.word.width() + 3
    }
}

/// The action of the hint at this column of the footer.
pub fn hint_at(model: &Model, column: u16) -> Option<Action> {
    let mut end = 0;
    let hints = footer_hints(model);
    hints.into_iter().find_map(|hint| {
        end += hint.columns();
        (usize::from(column) < end).then_some(hint.action)
    })
}

/// The columns for the name of a node of the plan; none without a plan.
pub fn plan_names(model: &Model) -> Option<NameRoom> {
    let view = model.plan.view.as_ref()?;
    let columns = usize::from(of(model).list.width);
    Some(NameRoom {
        beside: view.tree_columns(columns).names.saturating_sub(2),
        below: columns.saturating_sub(2),
    })
}

/// The part of the screen in which a long text stands, below its heading.
pub fn pager_height(size: Size) -> usize {
    usize::from(size.lines.saturating_sub(4))
}
