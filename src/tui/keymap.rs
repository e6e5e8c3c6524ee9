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
    /// The report.
    Report,
}

impl Screen {
    /// All of them.
    pub const ALL: [Screen; 5] = [
        Screen::Workload,
        Screen::Plan,
        Screen::Compare,
        Screen::Indexes,
        Screen::Report,
    ];

    /// The title on its tab.
    pub fn title(self) -> &'static str {
        match self {
            Screen::Workload => "Workload",
            Screen::Plan => "Plan",
            Screen::Compare => "Before|After",
            Screen::Indexes => "Indexes",
            Screen::Report => "Report",
        }
    }
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Close what is on top, else quit; asks where something would be lost.
    Quit,
    /// Quit; a second time without asking.
    Interrupt,
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
    /// Close what is on top, else go back.
    Back,
    /// Go on with what was stopped, or request again what failed.
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
    /// Scroll sideways.
    ScrollLeft,
    /// Scroll sideways.
    ScrollRight,
    /// Scroll the details.
    DetailUp,
    /// Scroll the details.
    DetailDown,
    /// Show a pane alone, or both.
    Zoom,
    /// Write names of nodes that are cut in full below, or not.
    WrapNames,
    /// Search, or filter a list.
    Search,
    /// The next match; without a search, a new index.
    NextMatchOrNew,
    /// The match before.
    PreviousMatch,
    /// Type a command.
    Command,
    /// Copy.
    Copy,
    /// Write to a file.
    Write,
    /// Edit this index and test it.
    EditIndex,
    /// Edit the statement in the user's editor and plan it again.
    EditStatement,
    /// Build the indexes that are on together, on the server.
    Verify,
    /// Undo the last change of the selection.
    Undo,
    /// Redo it.
    Redo,
    /// Switch on so many of the recommended indexes, the best first: the next key says how many.
    BestIndexes,
    /// Read the statement in full.
    ReadStatement,
    /// Compare the plans of two statements.
    CompareTwo,
    /// The next statement.
    NextStatement,
    /// The one before.
    PreviousStatement,
    /// Sort by the next column.
    Sort,
    /// Reverse the order.
    Reverse,
    /// Open the selected item.
    Open,
    /// Mark or unmark the statement.
    Mark,
    /// Mark or unmark all shown statements.
    MarkShown,
    /// Show only marked statements, or all.
    MarkedOnly,
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
    /// Print the DDL on exit.
    PrintOnExit,
    /// Finish typing.
    AcceptInput,
    /// Cancel typing.
    CancelInput,
    /// Complete the word.
    Complete,
    /// What was typed before.
    Earlier,
    /// What was typed after that.
    Later,
    /// Edit the text in the user's editor.
    EditInput,
    /// Delete the character before the cursor.
    EraseLeft,
    /// Delete the character under the cursor.
    EraseRight,
    /// Delete the word before the cursor.
    EraseWord,
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
    /// Yes.
    Agree,
    /// No.
    Decline,
}

/// Where a key has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// On every screen.
    Everywhere,
    /// On one screen; these bindings take precedence over the general ones.
    On(Screen),
    /// Over a screen: the help, or a long text.
    Reading,
    /// While something is typed; every other key is text.
    Typing,
    /// While a question is open; every other key does nothing.
    Asked,
}

impl Scope {
    /// The scopes in the order of the help.
    pub const ALL: [Scope; 9] = [
        Scope::Everywhere,
        Scope::On(Screen::Workload),
        Scope::On(Screen::Plan),
        Scope::On(Screen::Compare),
        Scope::On(Screen::Indexes),
        Scope::On(Screen::Report),
        Scope::Reading,
        Scope::Typing,
        Scope::Asked,
    ];

    /// Its headline in the help.
    pub fn title(self) -> &'static str {
        match self {
            Scope::Everywhere => "Everywhere",
            Scope::On(screen) => screen.title(),
            Scope::Reading => "In a text or in this help",
            Scope::Typing => "While typing",
            Scope::Asked => "When asked",
        }
    }

    /// Do the general bindings not apply there?
    fn is_alone(self) -> bool {
        matches!(self, Scope::Typing | Scope::Asked | Scope::Reading)
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

/// The binding of a key in a scope, bindings of the screen first. Over a screen, what moves and what
/// closes is as everywhere.
pub fn lookup(scope: Scope, key: Key) -> Option<&'static Binding> {
    let bound_in = |wanted: Scope| {
        BINDINGS
            .iter()
            .find(move |b| b.scope == wanted && b.keys.contains(&key))
    };
    bound_in(scope).or_else(|| bound_in(Scope::Everywhere).filter(|_| !scope.is_alone()))
}

/// The hints of the footer: those of the screen, then those of everywhere.
pub fn hints(scope: Scope) -> impl Iterator<Item = (Cow<'static, str>, &'static str, Action)> {
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
        .filter_map(|binding| Some((labels(binding, "/", 1), binding.hint?, binding.action)))
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
use Scope::{Asked, Everywhere, On, Reading, Typing};
use Screen::{Compare, Indexes, Plan, Report, Workload};

/// Every key.
pub const BINDINGS: &[Binding] = &[
    bind(
        On(Workload),
        &[Key::Enter, Char('l')],
        Action::Open,
        "open the plan",
    )
    .hinted("plan"),
    bind(
        On(Workload),
        &[Char('b')],
        Action::Show(Compare),
        "plans before and after an index",
    )
    .hinted("before|after"),
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
        &[Char('s')],
        Action::Sort,
        "sort by the next column (or click a heading, or :sort)",
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
    bind(
        On(Plan),
        &[Char('W')],
        Action::WrapNames,
        "write names that are cut in full below, or not",
    ),
    bind(On(Plan), &[Char('-')], Action::FoldAll, "fold all"),
    bind(On(Plan), &[Char('+')], Action::UnfoldAll, "unfold all"),
    bind(
        On(Compare),
        &[Char('[')],
        Action::PreviousChoice,
        "previous tested index",
    ),
    bind(
        On(Compare),
        &[Char(']')],
        Action::NextChoice,
        "next tested index, including rejected ones",
    )
    .hinted("next index"),
    bind(
        On(Compare),
        &[Char('o')],
        Action::UsedOnly,
        "show only indexes that the plan uses, or all",
    )
    .hinted("used only"),
    bind(
        On(Compare),
        &[Char('d')],
        Action::NextChange,
        "jump to the next difference",
    )
    .hinted("next difference"),
    bind(
        On(Indexes),
        &[Char(' ')],
        Action::Toggle,
        "switch the index on or off; everything follows",
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
        On(Indexes),
        &[Char('s')],
        Action::Sort,
        "sort by rank, name, size, statements helped",
    ),
    bind(
        On(Indexes),
        &[Char('p')],
        Action::PrintOnExit,
        "print the DDL on exit",
    ),
    bind(
        On(Report),
        &[Key::Enter],
        Action::Down,
        "a line down, as in less",
    ),
    bind(
        Everywhere,
        &[Char('/')],
        Action::Search,
        "search here; a list is filtered as you type",
    )
    .hinted("search"),
    bind(
        Everywhere,
        &[Char('n')],
        Action::NextMatchOrNew,
        "next match; without a search: a new index (also :new)",
    )
    .hinted("new index"),
    bind(
        Everywhere,
        &[Char('N')],
        Action::PreviousMatch,
        "previous match",
    ),
    bind(
        Everywhere,
        &[Char('e')],
        Action::EditIndex,
        "edit this index and test it",
    ),
    bind(
        Everywhere,
        &[Char('E')],
        Action::EditStatement,
        "edit the statement in $EDITOR and plan it again",
    ),
    bind(
        Everywhere,
        &[Char('R')],
        Action::Verify,
        "build the indexes that are on, on the server; roll back",
    )
    .hinted("verify"),
    bind(
        Everywhere,
        &[Char('y')],
        Action::Copy,
        "copy what is shown: SQL, plan, DDL, report (OSC 52)",
    )
    .hinted("copy"),
    bind(
        Everywhere,
        &[Char('w')],
        Action::Write,
        "write the same to a file",
    )
    .hinted("write"),
    bind(
        Everywhere,
        &[Char('t')],
        Action::BestIndexes,
        "then a digit: switch on that many of the best indexes",
    ),
    bind(
        Everywhere,
        &[Char('u')],
        Action::Undo,
        "undo the last change of what is on",
    ),
    bind(Everywhere, &[Ctrl('r')], Action::Redo, "redo it"),
    bind(
        Everywhere,
        &[Char('v')],
        Action::ReadStatement,
        "read the statement in full",
    ),
    bind(
        Everywhere,
        &[Char('=')],
        Action::CompareTwo,
        "compare two plans: two marked, or this and the marked one",
    )
    .hinted("compare"),
    bind(
        Everywhere,
        &[Char('J')],
        Action::NextStatement,
        "next statement",
    ),
    bind(
        Everywhere,
        &[Char('K')],
        Action::PreviousStatement,
        "previous statement",
    ),
    bind(
        Everywhere,
        &[Char('>')],
        Action::DetailDown,
        "scroll the details down",
    ),
    bind(
        Everywhere,
        &[Char('<')],
        Action::DetailUp,
        "scroll the details up",
    ),
    bind(
        Everywhere,
        &[Char('z')],
        Action::Zoom,
        "show the list alone, the details alone, or both",
    ),
    bind(
        Everywhere,
        &[Key::Right],
        Action::ScrollRight,
        "scroll the tree of a plan to the right",
    ),
    bind(
        Everywhere,
        &[Key::Left],
        Action::ScrollLeft,
        "scroll the tree to the left",
    ),
    bind(
        Everywhere,
        &[Char(':')],
        Action::Command,
        "type a command; Tab lists and completes them",
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
    bind(
        Everywhere,
        &[Char('5')],
        Action::Show(Report),
        "the report: remedies, rewrites, writes, budget",
    ),
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
        &[Key::Esc, Key::Backspace],
        Action::Back,
        "close, go back; then clear filter and marks",
    ),
    bind(
        Everywhere,
        &[Char('r')],
        Action::Retry,
        "go on with what was stopped; retry what failed",
    ),
    bind(
        Everywhere,
        &[Ctrl('z')],
        Action::Suspend,
        "suspend to the shell once all is rolled back; fg resumes",
    ),
    bind(
        Everywhere,
        &[Ctrl('c')],
        Action::Interrupt,
        "quit; asks where work would be lost",
    ),
    bind(Everywhere, &[Key::Tab], Action::NextScreen, "next screen").hinted("screen"),
    bind(Everywhere, &[Char('?')], Action::Help, "this help").hinted("help"),
    bind(
        Everywhere,
        &[Char('q')],
        Action::Quit,
        "close what is on top, else quit",
    )
    .hinted("quit"),
    bind(
        Reading,
        &[Char('j'), Key::Down, Key::Enter],
        Action::Down,
        "a line down",
    ),
    bind(Reading, &[Char('k'), Key::Up], Action::Up, "a line up"),
    bind(
        Reading,
        &[Char(' '), Key::PageDown, Ctrl('f'), Ctrl('d')],
        Action::PageDown,
        "a page down",
    ),
    bind(
        Reading,
        &[Char('b'), Key::PageUp, Ctrl('b'), Ctrl('u')],
        Action::PageUp,
        "a page up",
    ),
    bind(Reading, &[Char('g'), Key::Home], Action::Top, "to the top"),
    bind(
        Reading,
        &[Char('G'), Key::End],
        Action::Bottom,
        "to the bottom",
    ),
    bind(Reading, &[Char('/')], Action::Search, "search in a text").hinted("search"),
    bind(Reading, &[Char('n')], Action::NextMatchOrNew, "next match").hinted("next match"),
    bind(
        Reading,
        &[Char('N')],
        Action::PreviousMatch,
        "previous match",
    ),
    bind(Reading, &[Char('y')], Action::Copy, "copy the text").hinted("copy"),
    bind(
        Reading,
        &[Char('w')],
        Action::Write,
        "write the text to a file",
    )
    .hinted("write"),
    bind(
        Reading,
        &[Ctrl('z')],
        Action::Suspend,
        "suspend to the shell",
    ),
    bind(Reading, &[Ctrl('c')], Action::Interrupt, "quit"),
    bind(
        Reading,
        &[Char('q'), Key::Esc, Key::Backspace, Char('?')],
        Action::Back,
        "close it",
    )
    .hinted("close"),
    bind(Asked, &[Char('y')], Action::Agree, "yes").hinted("yes"),
    bind(
        Asked,
        &[Char('n'), Key::Esc, Char('q')],
        Action::Decline,
        "no",
    )
    .hinted("no"),
    bind(Asked, &[Ctrl('c')], Action::Interrupt, "quit at once"),
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
        &[Key::Tab],
        Action::Complete,
        "complete a table, a column, a command",
    )
    .hinted("complete"),
    bind(
        Typing,
        &[Key::Up, Ctrl('p')],
        Action::Earlier,
        "what was typed before",
    )
    .hinted("earlier"),
    bind(
        Typing,
        &[Key::Down, Ctrl('n')],
        Action::Later,
        "what was typed after that",
    ),
    bind(
        Typing,
        &[Ctrl('x')],
        Action::EditInput,
        "edit an index in $EDITOR",
    ),
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
    bind(
        Typing,
        &[Ctrl('w')],
        Action::EraseWord,
        "delete the word before the cursor",
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
