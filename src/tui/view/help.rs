//! The help: the key table and the commands, as text.

use std::fmt::Write as _;

use crate::text_layout::{fit, wrap};
use crate::tui::keymap::{BINDINGS, Scope, Screen, labels};

/// The columns of the keys.
const KEYS: usize = 16;

/// The keys of the current screen come first.
pub fn help_text(screen: Screen, commands: &str) -> String {
    let (here, elsewhere): (Vec<Scope>, Vec<Scope>) = Scope::ALL
        .into_iter()
        .partition(|scope| *scope == Scope::On(screen));
    let mut text = String::new();
    for scope in here.into_iter().chain(elsewhere) {
        let bindings = BINDINGS.iter().filter(|binding| binding.scope == scope);
        let _ = writeln!(text, "{}", scope.title());
        for binding in bindings {
            let keys = labels(binding, " ", usize::MAX);
            let _ = writeln!(text, "   {} {}", fit(&keys, KEYS - 1), binding.help);
        }
        text.push('\n');
    }
    text.push_str("Commands (after a colon; a name may be short)\n");
    for line in wrap(commands, 74, usize::MAX) {
        let _ = writeln!(text, "   {line}");
    }
    text
}
