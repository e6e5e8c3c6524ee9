//! Reads a screen as tmux prints it: text with escape sequences for styles.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthChar;

/// The cells of a screen.
pub fn screen(text: &str, columns: u16, lines: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, lines));
    let mut style = Style::new();
    for (line, row) in text.lines().take(usize::from(lines)).enumerate() {
        let mut column = 0;
        let mut rest = row;
        while let Some(character) = rest.chars().next() {
            if let Some((codes, after)) = escape(rest) {
                style = restyled(style, codes);
                rest = after;
                continue;
            }
            rest = &rest[character.len_utf8()..];
            let width = character.width().unwrap_or(0);
            if width > 0 && column < usize::from(columns) {
                let place = (u16::try_from(column).unwrap(), u16::try_from(line).unwrap());
                buffer[place].set_char(character).set_style(style);
                column += width;
            }
        }
    }
    buffer
}

/// The codes of a sequence that sets the style, and what follows it.
fn escape(text: &str) -> Option<(&str, &str)> {
    let (codes, after) = text
        .strip_prefix("\u{1b}[")?
        .split_once(|c: char| c.is_alphabetic())?;
    Some((codes, after))
}

fn restyled(mut style: Style, codes: &str) -> Style {
    const COLOURS: [Color; 8] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::White,
    ];
    let mut codes = codes
        .split(';')
        .map(|code| code.parse::<usize>().unwrap_or(0));
    while let Some(code) = codes.next() {
        style = match code {
            0 => Style::new(),
            1 => style.add_modifier(Modifier::BOLD),
            2 => style.add_modifier(Modifier::DIM),
            7 => style.add_modifier(Modifier::REVERSED),
            22 => style.remove_modifier(Modifier::BOLD | Modifier::DIM),
            27 => style.remove_modifier(Modifier::REVERSED),
            30..=37 => style.fg(COLOURS[code - 30]),
            90..=97 => style.fg(COLOURS[code - 90]),
            39 => style.fg(Color::Reset),
            // One of the 256 colours, of which the interface uses the first sixteen.
            38 if codes.next() == Some(5) => match codes.next() {
                Some(number @ 0..16) => style.fg(COLOURS[number % 8]),
                _ => style,
            },
            _ => style,
        };
    }
    style
}
