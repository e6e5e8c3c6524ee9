//! The key table. Dispatch, footer and help are made from it, so that they agree.
//!
//! Keys are values of our own: nothing here knows how a terminal encodes them.

use std::borrow::Cow;

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character, shifted or not.
    Char(char),
    /// With Ctrl held.
    Ctrl(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the beginning.
    Home,
    /// To the end.
    End,
}

impl Key {
    /// As the help writes it.
    pub fn label(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Key::Char(' ') => "Space",
            Key::Char(character) => return Cow::Owned(character.to_string()),
            Key::Ctrl(character) => {
                return Cow::Owned(format!("^{}", character.to_ascii_uppercase()));
            }
            Key::Enter => "Enter",
            Key::Esc => "Esc",
            Key::Tab => "Tab",
            Key::BackTab => "⇧Tab",
            Key::Backspace => "⌫",
            Key::Delete => "Del",
            Key::Up => "↑",
            Key::Down => "↓",
            Key::Left => "←",
            Key::Right => "→",
            Key::PageUp => "PgUp",
            Key::PageDown => "PgDn",
            Key::Home => "Home",
            Key::End => "End",
        })
    }
}

/// The screens, in the order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// All statements.
    Workload,
    /// One plan.
    Plan,
    /// Two plans.
    Compare,
    /// The indexes.
    Indexes,
}

impl Screen {
    /// All of them.
    pub const ALL: [Screen; 4] = [
        Screen::Workload,
        Screen::Plan,
        Screen::Compare,
        Screen::Indexes,
    ];

    /// The title on its tab.
    pub fn title(self) -> &'static str {
        match self {
            Screen::Workload => "Workload",
            Screen::Plan => "Plan",
            Screen::Compare => "Before|After",
            Screen::Indexes => "Indexes",
        }
    }
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Quit.
    Quit,
    /// Suspend to the shell; fg resumes.
    Suspend,
    /// Show or hide the help.
    Help,
    /// Go to a screen.
    Show(Screen),
    /// The screen to the right.
    NextScreen,
    /// The screen to the left.
    PreviousScreen,
    /// Cancel what runs, or close what is open, or go back.
    Back,
    /// Request again after a failure.
    Retry,
    /// Move.
    Up,
    /// Move.
    Down,
    /// Move.
    PageUp,
    /// Move.
    PageDown,
    /// Move.
    Top,
    /// Move.
    Bottom,
    /// Open the selected item.
    Open,
    /// Sort by the next column.
    Sort,
    /// Reverse the order.
    Reverse,
    /// Type a filter.
    Filter,
    /// Mark or unmark the statement.
    Mark,
    /// Mark or unmark all shown statements.
    MarkShown,
    /// Show only marked statements, or all.
    MarkedOnly,
    /// Unmark all statements.
    Unmark,
    /// Fold or unfold the node.
    Fold,
    /// Fold everything below the first level.
    FoldAll,
    /// Unfold everything.
    UnfoldAll,
    /// Jump to the next costliest node.
    Costliest,
    /// Jump to the next finding.
    NextFinding,
    /// Scroll the details.
    DetailUp,
    /// Scroll the details.
    DetailDown,
    /// The next statement.
    NextStatement,
    /// The one before.
    PreviousStatement,
    /// The next candidate.
    NextChoice,
    /// The one before.
    PreviousChoice,
    /// Movement only through indexes that are used, or through all again.
    UsedOnly,
    /// Jump to the next difference.
    NextChange,
    /// Switch an index on or off.
    Toggle,
    /// Switch on the recommended indexes.
    EnableRecommended,
    /// Switch all indexes off.
    DisableAll,
    /// Build the indexes that are on together.
    Verify,
    /// Write the DDL to a file.
    WriteFile,
    /// Copy the DDL.
    Copy,
    /// Print the DDL on exit.
    PrintOnExit,
    /// Edit this index and test it.
    EditIndex,
    /// Write an index and test it.
    NewIndex,
    /// Finish typing.
    AcceptInput,
    /// Cancel typing.
    CancelInput,
    /// Delete the character before the cursor.
    EraseLeft,
    /// Delete the character under the cursor.
    EraseRight,
    /// Delete everything.
    EraseAll,
    /// Move the cursor.
    CursorLeft,
    /// Move the cursor.
    CursorRight,
    /// Move the cursor.
    CursorHome,
    /// Move the cursor.
    CursorEnd,
    /// Indexes may be built on the server.
    Agree,
    /// They may not.
    Decline,
}

/// Where a key has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// On every screen.
    Everywhere,
    /// On one screen; these bindings take precedence over the general ones.
    On(Screen),
    /// While a filter or an index is typed; every other key is text.
    Typing,
    /// While the question is open whether indexes may be built; every other key does nothing.
    Asked,
}

impl Scope {
    /// The scopes in the order of the help.
    pub const ALL: [Scope; 7] = [
        Scope::Everywhere,
        Scope::On(Screen::Workload),
        Scope::On(Screen::Plan),
        Scope::On(Screen::Compare),
        Scope::On(Screen::Indexes),
        Scope::Typing,
        Scope::Asked,
    ];

    /// Its headline in the help.
    pub fn title(self) -> &'static str {
        match self {
            Scope::Everywhere => "Everywhere",
            Scope::On(screen) => screen.title(),
            Scope::Typing => "While typing",
            Scope::Asked => "Before anything is built",
        }
    }

    /// Do the general bindings not apply there?
    fn is_alone(self) -> bool {
        matches!(self, Scope::Typing | Scope::Asked)
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// The scope in which it applies.
    pub scope: Scope,
    /// The keys that trigger it.
    pub keys: &'static [Key],
    /// The action.
    pub action: Action,
    /// Its text in the help.
    pub help: &'static str,
    /// Its text in the footer, if there is room; the most useful first.
    pub hint: Option<&'static str>,
}

/// The binding of a key in a scope, bindings of the screen first.
pub fn lookup(scope: Scope, key: Key) -> Option<&'static Binding> {
    let bound_in = |wanted: Scope| {
        BINDINGS
            .iter()
            .find(move |b| b.scope == wanted && b.keys.contains(&key))
    };
    bound_in(scope).or_else(|| bound_in(Scope::Everywhere).filter(|_| !scope.is_alone()))
}

/// The hints of the footer: those of the screen, then those of everywhere.
pub fn hints(scope: Scope) -> impl Iterator<Item = (Cow<'static, str>, &'static str)> {
    let scopes = if scope.is_alone() {
        vec![scope]
    } else {
        vec![scope, Scope::Everywhere]
    };
    let of = |scope: Scope| {
        BINDINGS
            .iter()
            .filter(move |binding| binding.scope == scope)
    };
    scopes
        .into_iter()
        .flat_map(of)
        .filter_map(|binding| Some((labels(binding, "/", 2), binding.hint?)))
}

/// The keys of a binding as text, at most `max_keys` of them.
pub fn labels(binding: &Binding, separator: &str, max_keys: usize) -> Cow<'static, str> {
    let labels: Vec<_> = binding
        .keys
        .iter()
        .take(max_keys)
        .map(|key| key.label())
        .collect();
    Cow::Owned(labels.join(separator))
}

const fn bind(scope: Scope, keys: &'static [Key], action: Action, help: &'static str) -> Binding {
    Binding {
        scope,
        keys,
        action,
        help,
        hint: None,
    }
}

impl Binding {
    const fn hinted(self, hint: &'static str) -> Binding {
        Binding {
            hint: Some(hint),
            ..self
        }
    }
}

use Key::{Char, Ctrl};
use Scope::{Asked, Everywhere, On, Typing};
use Screen::{Compare, Indexes, Plan, Workload};

/// Every key.
pub const BINDINGS: &[Binding] = &[
    bind(Everywhere, &[Char('?')], Action::Help, "this help").hinted("help"),
    bind(Everywhere, &[Char('q'), Ctrl('c')], Action::Quit, "quit").hinted("quit"),
    bind(
        Everywhere,
        &[Key::Esc, Key::Backspace],
        Action::Back,
        "cancel, close, go back; then clear filter and marks",
    ),
    bind(
        Everywhere,
        &[Char('1')],
        Action::Show(Workload),
        "all statements",
    ),
    bind(
        Everywhere,
        &[Char('2')],
        Action::Show(Plan),
        "the plan of the statement",
    ),
    bind(
        Everywhere,
        &[Char('3')],
        Action::Show(Compare),
        "its plans before and after an index",
    ),
    bind(
        Everywhere,
        &[Char('4')],
        Action::Show(Indexes),
        "the indexes",
    ),
    bind(Everywhere, &[Key::Tab], Action::NextScreen, "next screen").hinted("screen"),
    bind(
        Everywhere,
        &[Key::BackTab],
        Action::PreviousScreen,
        "previous screen",
    ),
    bind(
        Everywhere,
        &[Char('j'), Key::Down],
        Action::Down,
        "down (also mouse wheel and click)",
    ),
    bind(Everywhere, &[Char('k'), Key::Up], Action::Up, "up"),
    bind(
        Everywhere,
        &[Key::PageDown, Ctrl('f'), Ctrl('d')],
        Action::PageDown,
        "a page down",
    ),
    bind(
        Everywhere,
        &[Key::PageUp, Ctrl('b'), Ctrl('u')],
        Action::PageUp,
        "a page up",
    ),
    bind(
        Everywhere,
        &[Char('g'), Key::Home],
        Action::Top,
        "to the top",
    ),
    bind(
        Everywhere,
        &[Char('G'), Key::End],
        Action::Bottom,
        "to the bottom",
    ),
    bind(
        Everywhere,
        &[Char('r')],
        Action::Retry,
        "retry after a failure or a cancel",
    ),
    bind(
        Everywhere,
        &[Ctrl('z')],
        Action::Suspend,
        "suspend to the shell; fg resumes",
    ),
    bind(
        On(Workload),
        &[Key::Enter, Char('l'), Key::Right],
        Action::Open,
        "open the plan",
    )
    .hinted("plan"),
    bind(
        On(Workload),
        &[Char(' ')],
        Action::Mark,
        "mark or unmark; totals cover marked statements",
    )
    .hinted("mark"),
    bind(
        On(Workload),
        &[Char('m')],
        Action::MarkedOnly,
        "show only marked statements, or all",
    ),
    bind(
        On(Workload),
        &[Char('M')],
        Action::MarkShown,
        "mark or unmark all shown statements",
    ),
    bind(
        On(Workload),
        &[Char('u')],
        Action::Unmark,
        "unmark all statements",
    ),
    bind(
        On(Workload),
        &[Char('/')],
        Action::Filter,
        "filter by name or SQL as you type",
    )
    .hinted("filter"),
    bind(
        On(Workload),
        &[Char('s')],
        Action::Sort,
        "sort by the next column",
    )
    .hinted("sort"),
    bind(
        On(Workload),
        &[Char('S')],
        Action::Reverse,
        "reverse the order",
    ),
    bind(
        On(Plan),
        &[Key::Enter, Char(' '), Char('h'), Char('l')],
        Action::Fold,
        "fold or unfold the node",
    )
    .hinted("fold"),
    bind(
        On(Plan),
        &[Char('c')],
        Action::Costliest,
        "jump to the costliest node, then to the next",
    )
    .hinted("costliest"),
    bind(
        On(Plan),
        &[Char('f')],
        Action::NextFinding,
        "jump to the next finding, highest impact first",
    )
    .hinted("finding"),
    bind(
        On(Plan),
        &[Char('b')],
        Action::Show(Compare),
        "plans before and after an index",
    )
    .hinted("before|after"),
    bind(On(Plan), &[Char('z')], Action::FoldAll, "fold all"),
    bind(On(Plan), &[Char('Z')], Action::UnfoldAll, "unfold all"),
    bind(
        On(Plan),
        &[Char('J')],
        Action::NextStatement,
        "next statement",
    ),
    bind(
        On(Plan),
        &[Char('K')],
        Action::PreviousStatement,
        "previous statement",
    ),
    bind(
        On(Plan),
        &[Char('>')],
        Action::DetailDown,
        "scroll the details down",
    ),
    bind(
        On(Plan),
        &[Char('<')],
        Action::DetailUp,
        "scroll the details up",
    ),
    bind(
        On(Compare),
        &[Char('['), Key::Left],
        Action::PreviousChoice,
        "previous tested index",
    ),
    bind(
        On(Compare),
        &[Char(']'), Key::Right],
        Action::NextChoice,
        "next tested index, including rejected ones",
    )
    .hinted("next index"),
    bind(
        On(Compare),
        &[Char('u')],
        Action::UsedOnly,
        "show only indexes that the plan uses, or all",
    )
    .hinted("used only"),
    bind(
        On(Compare),
        &[Char('n')],
        Action::NextChange,
        "jump to the next difference",
    )
    .hinted("next change"),
    bind(
        On(Compare),
        &[Char('>')],
        Action::DetailDown,
        "scroll the details down",
    ),
    bind(
        On(Compare),
        &[Char('<')],
        Action::DetailUp,
        "scroll the details up",
    ),
    bind(
        On(Compare),
        &[Char('J')],
        Action::NextStatement,
        "next statement",
    )
    .hinted("next statement"),
    bind(
        On(Compare),
        &[Char('K')],
        Action::PreviousStatement,
        "previous statement",
    ),
    bind(
        On(Compare),
        &[Char('e')],
        Action::EditIndex,
        "edit this index and test it",
    ),
    bind(
        On(Indexes),
        &[Char(' ')],
        Action::Toggle,
        "switch the index on or off; the totals follow",
    )
    .hinted("on/off"),
    bind(
        On(Indexes),
        &[Key::Enter],
        Action::Open,
        "plans of the statement that it helps most",
    )
    .hinted("plans"),
    bind(
        On(Indexes),
        &[Char('R')],
        Action::Verify,
        "build the indexes that are on together, plan, roll back",
    )
    .hinted("verify"),
    bind(
        On(Indexes),
        &[Char('w')],
        Action::WriteFile,
        "save the DDL of the indexes that are on to a file",
    )
    .hinted("save DDL"),
    bind(
        On(Indexes),
        &[Char('n')],
        Action::NewIndex,
        "write a CREATE INDEX and test it",
    )
    .hinted("new"),
    bind(
        On(Indexes),
        &[Char('e')],
        Action::EditIndex,
        "edit this index and test it",
    )
    .hinted("edit"),
    bind(
        On(Indexes),
        &[Char('y')],
        Action::Copy,
        "copy the DDL to the clipboard (OSC 52)",
    )
    .hinted("copy"),
    bind(
        On(Indexes),
        &[Char('p')],
        Action::PrintOnExit,
        "print the DDL on exit",
    ),
    bind(
        On(Indexes),
        &[Char('>')],
        Action::DetailDown,
        "scroll the details down",
    ),
    bind(
        On(Indexes),
        &[Char('<')],
        Action::DetailUp,
        "scroll the details up",
    ),
    bind(
        On(Indexes),
        &[Char('a')],
        Action::EnableRecommended,
        "switch on exactly the recommended indexes",
    ),
    bind(
        On(Indexes),
        &[Char('x')],
        Action::DisableAll,
        "switch all indexes off",
    ),
    bind(
        Asked,
        &[Char('y')],
        Action::Agree,
        "build, and do not ask again",
    )
    .hinted("build"),
    bind(
        Asked,
        &[Char('n'), Key::Esc],
        Action::Decline,
        "build nothing",
    )
    .hinted("build nothing"),
    bind(
        Asked,
        &[Char('q'), Ctrl('c')],
        Action::Quit,
        "quit, and build nothing",
    )
    .hinted("quit"),
    bind(Typing, &[Key::Enter], Action::AcceptInput, "done").hinted("done"),
    bind(
        Typing,
        &[Key::Esc, Ctrl('c')],
        Action::CancelInput,
        "cancel",
    )
    .hinted("cancel"),
    bind(
        Typing,
        &[Key::Backspace],
        Action::EraseLeft,
        "delete the character before the cursor",
    ),
    bind(
        Typing,
        &[Key::Delete, Ctrl('d')],
        Action::EraseRight,
        "delete the character under the cursor",
    ),
    bind(Typing, &[Ctrl('u')], Action::EraseAll, "delete everything").hinted("delete all"),
    bind(Typing, &[Key::Left, Ctrl('b')], Action::CursorLeft, "left"),
    bind(
        Typing,
        &[Key::Right, Ctrl('f')],
        Action::CursorRight,
        "right",
    ),
    bind(
        Typing,
        &[Key::Home, Ctrl('a')],
        Action::CursorHome,
        "to the beginning",
    ),
    bind(
        Typing,
        &[Key::End, Ctrl('e')],
        Action::CursorEnd,
        "to the end",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for (position, binding) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[position + 1..] {
                let clash = binding
                    .keys
                    .iter()
                    .find(|key| other.scope == binding.scope && other.keys.contains(key));
                assert_eq!(clash, None, "{:?} and {:?}", binding.action, other.action);
            }
        }
    }

    /// The help writes three blanks and 16 columns of keys before it.
    #[test]
    fn every_help_fits_80_columns() {
        for binding in BINDINGS {
            assert!(binding.help.chars().count() <= 80 - 19, "{}", binding.help);
        }
    }

    #[test]
    fn a_question_takes_only_its_answers() {
        assert!(lookup(Scope::Asked, Key::Char('1')).is_none());
        assert!(lookup(Scope::Asked, Key::Enter).is_none());
    }

    #[test]
    fn typing_takes_letters_as_text() {
        assert!(lookup(Scope::Typing, Key::Char('q')).is_none());
        assert_eq!(
            lookup(On(Workload), Key::Char('q')).map(|binding| binding.action),
            Some(Action::Quit)
        );
    }
}
