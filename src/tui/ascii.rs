//! Screens for terminals whose locale has no Unicode: boxes and marks are drawn in ASCII.

use ratatui::buffer::Buffer;

/// Can a terminal with these settings of the locale show Unicode? The first that is set decides
/// (`locale(7)`): LC_ALL, LC_CTYPE, LANG. Without any, the locale is C.
pub fn is_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).is_some_and(|value| !value.is_empty());
    let name = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(set);
    let value = name.and_then(variable).unwrap_or_default().to_lowercase();
    value.contains("utf-8") || value.contains("utf8")
}

/// Replaces what is not ASCII on the screen.
pub fn without_unicode(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let replaced = replacement(cell.symbol());
            cell.set_symbol(replaced);
        }
    }
}

fn replacement(symbol: &str) -> &'static str {
    match symbol {
        "─" | "–" | "—" => "-",
        "│" => "|",
        "└" | "├" | "┌" | "┐" | "┘" | "┤" | "┼" => "+",
        "▶" | "▸" | "→" => ">",
        "▾" | "▼" | "↓" => "v",
        "▴" | "▲" | "↑" => "^",
        "←" => "<",
        "●" => "*",
        "·" => ".",
        "×" => "x",
        "≈" => "~",
        "≠" => "#",
        "≤" => "<",
        "≥" => ">",
        "…" => ".",
        "✓" => "+",
        "✗" => "!",
        "⇧" => "^",
        "⌫" => "<",
        "█" | "▉" | "▊" | "▋" => "#",
        "▌" | "▍" | "▎" | "▏" => "=",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let unicode = |variables: &[(&str, &str)]| {
            is_unicode(|name| {
                let mut found = variables.iter().filter(|(set, _)| *set == name);
                found.next().map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(unicode(&[("LANG", "de_DE.UTF-8")]));
        assert!(unicode(&[
            ("LC_ALL", ""),
            ("LC_CTYPE", "C.utf8"),
            ("LANG", "C")
        ]));
        assert!(!unicode(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
        assert!(!unicode(&[("LANG", "de_DE.ISO-8859-15")]));
        assert!(!unicode(&[]));
    }
}
