//! The terminal: writes reports, knows their width, shows progress.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{Color, Format, OutputArgs};
use crate::model::printable::{printable, printable_json};
use crate::planner::Event;

/// The width of a report that is not written to a terminal.
const FILE_COLUMNS: usize = 120;

/// The width of a report: that of the terminal, else `COLUMNS`, else 120.
pub fn report_width(output: &OutputArgs) -> usize {
    let to_terminal = output.output.is_none() && io::stdout().is_terminal();
    let terminal = to_terminal
        .then(crossterm::terminal::size)
        .and_then(Result::ok)
        .map(|(columns, _)| usize::from(columns));
    let from_environment = || {
        std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok())
    };
    terminal.or_else(from_environment).unwrap_or(FILE_COLUMNS)
}

/// Writes a report to the file of `--output` or to standard output. A reader that stops reading
/// (`| head`) is not an error.
///
/// # Errors
/// When the file or the terminal cannot be written to; the text names the file.
pub fn write_report(output: &OutputArgs, report: &str) -> io::Result<()> {
    let report = match output.format {
        Format::Json => printable_json(report),
        _ => Cow::Borrowed(report),
    };
    if let Some(file) = &output.output {
        let plain = if output.color == Color::Always {
            report.into_owned()
        } else {
            anstream::adapter::strip_str(&report).to_string()
        };
        return create_private(file)
            .and_then(|mut created| created.write_all(plain.as_bytes()))
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())));
    }
    let mut stdout = AutoStream::new(io::stdout().lock(), color_choice(output.color));
    match stdout
        .write_all(report.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Creates a file that only its owner may read: it will hold data. The permissions of a file that
/// exists already stay as they are.
///
/// # Errors
/// When the file cannot be created.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

fn color_choice(color: Color) -> ColorChoice {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
}

/// Prints annotations to standard output, behind the report.
///
/// # Errors
/// The stream's error.
pub fn print_annotations(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Prints a message on standard error, prefixed and with control characters escaped. A closed
/// standard error is not an error.
pub fn print_message(message: &str) {
    let mut stderr = io::stderr().lock();
    for line in message.lines() {
        let _ = writeln!(stderr, "pgrehearse: {}", printable(line));
    }
}

/// Prints a statement that is about to be sent, for `--verbose`.
pub fn trace(sql: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "→ {}", printable(sql.trim()));
}

/// A progress bar on standard error; hidden with `-q`, with `-v`, and where standard error is not a
/// terminal.
pub struct Progress {
    target: Target,
    bar: RefCell<ProgressBar>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Terminal,
    Hidden,
}

impl Progress {
    /// A progress bar for these options.
    pub fn new(output: &OutputArgs) -> Progress {
        let is_visible = !output.quiet && !output.verbose && io::stderr().is_terminal();
        Progress {
            target: if is_visible {
                Target::Terminal
            } else {
                Target::Hidden
            },
            bar: RefCell::new(ProgressBar::hidden()),
        }
    }

    /// Shows an event of the pipeline.
    pub fn observe(&self, event: Event<'_>) {
        match event {
            Event::Begin { what, steps } => self.begin(what, steps),
            Event::Step(step) => {
                let bar = self.bar.borrow();
                bar.set_message(printable(step).into_owned());
                bar.inc(1);
            }
            Event::Detail(detail) => {
                let detail = printable(detail).into_owned();
                self.bar.borrow().set_message(detail);
            }
            Event::Builds(_) => {}
            Event::End => self.bar.borrow().finish_and_clear(),
        }
    }

    fn begin(&self, what: &str, steps: usize) {
        let bar = ProgressBar::with_draw_target(
            Some(steps as u64),
            match self.target {
                Target::Terminal => ProgressDrawTarget::stderr(),
                Target::Hidden => ProgressDrawTarget::hidden(),
            },
        );
        if let Ok(style) = ProgressStyle::with_template(
            "{prefix:18} {bar:10} {pos:>3}/{len} {elapsed:>4} {wide_msg}",
        ) {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(250));
        *self.bar.borrow_mut() = bar;
    }
}
