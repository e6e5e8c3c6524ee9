//! The terminal: takes it over, always restores it, and turns its events into messages.

use std::io::{self, Stdout, Write};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::keymap::Key;
use super::model::{Model, Msg, Size};

/// Whether the interface has the terminal. The panic hook reads it.
static TERMINAL_IN_USE: AtomicBool = AtomicBool::new(false);

/// Reports of panics that could not be written while the terminal was taken.
static DEFERRED_PANIC_REPORTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Lines that one notch of the wheel moves.
const WHEEL_LINES: isize = 3;

/// The terminal while the interface has it; restored on drop.
pub struct Tty {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    takes_mouse: bool,
}

impl Tty {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When the terminal cannot be taken over.
    pub fn take() -> io::Result<Tty> {
        restore_on_panic();
        enter()?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()));
        // If this fails, there is no Tty whose drop would restore the terminal.
        let terminal = terminal.inspect_err(|_| leave())?;
        Ok(Tty {
            terminal,
            takes_mouse: true,
        })
    }

    /// Draws the model.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, model: &Model) -> io::Result<()> {
        self.terminal
            .draw(|frame| super::view::draw(model, frame))
            .map(|_| ())
    }

    /// Its size.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn size(&self) -> io::Result<Size> {
        let size = self.terminal.size()?;
        Ok(Size {
            columns: size.width,
            lines: size.height,
        })
    }

    /// Waits this long for an event.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn wait(&self, timeout: Duration) -> io::Result<Option<Msg>> {
        if event::poll(timeout)? {
            Ok(message(event::read()?))
        } else {
            Ok(None)
        }
    }

    /// Suspends to the shell; resumes with fg, and redraws everything.
    ///
    /// # Errors
    /// When the terminal cannot be taken over again.
    pub fn suspend(&mut self) -> io::Result<()> {
        leave();
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGTSTP)?;
        self.enter_again()
    }

    fn enter_again(&mut self) -> io::Result<()> {
        enter()?;
        self.take_mouse(self.takes_mouse)?;
        self.terminal.clear()
    }

    /// Takes the mouse, or leaves it to the terminal.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn take_mouse(&mut self, takes: bool) -> io::Result<()> {
        self.takes_mouse = takes;
        match takes {
            true => execute!(io::stdout(), EnableMouseCapture),
            false => execute!(io::stdout(), DisableMouseCapture),
        }
    }

    /// Lets the user edit a text in the editor of `$VISUAL` or `$EDITOR`, else `vi` (as psql does).
    ///
    /// # Errors
    /// When the terminal cannot be taken over again. What the editor does not do is in the inner
    /// result, in a sentence.
    pub fn edit(&mut self, text: &str) -> io::Result<Result<String, String>> {
        leave();
        let edited = edit(text).map_err(|error| format!("The editor: {error}"));
        self.enter_again()?;
        Ok(edited)
    }

    /// Asks the terminal to copy the text to the clipboard (OSC 52), which also works over SSH.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn copy(&self, text: &str) -> io::Result<()> {
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
    }
}

/// Runs the editor on a file that only the user may read.
fn edit(text: &str) -> io::Result<String> {
    let directory = tempfile::Builder::new()
        .prefix("pgrehearse-edit-")
        .tempdir()?;
    let path = directory.path().join("edit.sql");
    std::fs::write(&path, text)?;
    let set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    let name = ["PSQL_EDITOR", "VISUAL", "EDITOR"]
        .into_iter()
        .find(|name| set(name));
    let editor = name.and_then(|name| std::env::var(name).ok());
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    // The variable may hold options, as in `code --wait`: the shell splits it.
    let status = Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$1\""))
        .arg("sh")
        .arg(&path)
        .status()?;
    if !status.success() {
        return Err(io::Error::other(format!("{editor} ended with {status}")));
    }
    std::fs::read_to_string(&path)
}

impl Drop for Tty {
    fn drop(&mut self) {
        leave();
        for report in DEFERRED_PANIC_REPORTS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            let _ = writeln!(io::stderr(), "{report}");
        }
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TERMINAL_IN_USE.store(true, Ordering::SeqCst);
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableMouseCapture,
        EnableBracketedPaste
    )
    .inspect_err(|_| leave())
}

/// Restores the terminal. A second call does nothing; an error cannot be reported anywhere.
fn leave() {
    if TERMINAL_IN_USE.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            io::stdout(),
            DisableBracketedPaste,
            DisableMouseCapture,
            LeaveAlternateScreen,
            crossterm::cursor::Show
        );
        let _ = disable_raw_mode();
    }
}

/// A panic of this thread restores the terminal before the report. A panic of the worker is caught
/// there and shown on the screen; its report would overwrite the screen, so it is kept until the
/// terminal is restored.
fn restore_on_panic() {
    let interface_thread = std::thread::current().id();
    let previous_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if thread.id() == interface_thread {
            leave();
        }
        if TERMINAL_IN_USE.load(Ordering::SeqCst) {
            let report = format!("thread '{}' {panic}", thread.name().unwrap_or("?"));
            DEFERRED_PANIC_REPORTS
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(report);
        } else {
            previous_hook(panic);
        }
    }));
}

fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_of(key).map(Msg::Key),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(columns, lines) => Some(Msg::Resize(Size { columns, lines })),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(Msg::Wheel(-WHEEL_LINES)),
            MouseEventKind::ScrollDown => Some(Msg::Wheel(WHEEL_LINES)),
            MouseEventKind::Down(MouseButton::Left) => Some(Msg::Click(mouse.column, mouse.row)),
            _ => None,
        },
        _ => None,
    }
}

fn key_of(key: KeyEvent) -> Option<Key> {
    Some(match key.code {
        KeyCode::Char(character) if key.modifiers.contains(KeyModifiers::CONTROL) => {
            Key::Ctrl(character.to_ascii_lowercase())
        }
        KeyCode::Char(character) => Key::Char(character),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}
