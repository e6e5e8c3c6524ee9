//! The terminal: writes reports, knows their width, shows progress.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::cli::{Color, Format, OutputArgs, ProgressChoice};
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

/// Rings the bell of a terminal that standard error goes to.
pub fn ring() {
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() {
        let _ = stderr.write_all(b"\x07");
        let _ = stderr.flush();
    }
}

/// Prints a statement that is about to be sent, for `--echo-queries`.
pub fn trace(sql: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "→ {}", printable(sql.trim()));
}

/// Progress on standard error: a bar on a terminal, JSON with `--progress json`, nothing with `-q`,
/// with `-E`, and elsewhere.
pub struct Progress {
    target: Target,
    bar: RefCell<ProgressBar>,
    phase: RefCell<Phase>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Terminal,
    Json,
    Hidden,
}

/// What is being done, and how much of it is done.
#[derive(Debug, Default)]
struct Phase {
    name: String,
    begun: usize,
    /// Never fewer than were begun: a phase may have more steps than was thought.
    steps: usize,
}

impl Phase {
    fn next(&mut self) {
        self.begun += 1;
        self.steps = self.steps.max(self.begun);
    }
}

impl Progress {
    /// Progress for these options.
    pub fn new(output: &OutputArgs) -> Progress {
        let is_visible = !output.quiet && !output.echo_queries && io::stderr().is_terminal();
        Progress {
            target: match output.progress {
                ProgressChoice::Json => Target::Json,
                ProgressChoice::Auto if is_visible => Target::Terminal,
                ProgressChoice::Auto | ProgressChoice::None => Target::Hidden,
            },
            bar: RefCell::new(ProgressBar::hidden()),
            phase: RefCell::default(),
        }
    }

    /// Shows an event of the pipeline.
    pub fn observe(&self, event: Event<'_>) {
        match event {
            Event::Begin { what, steps } => {
                let name = what.to_owned();
                *self.phase.borrow_mut() = Phase {
                    name,
                    begun: 0,
                    steps,
                };
                self.begin(what, steps);
            }
            Event::Step(_) => self.phase.borrow_mut().next(),
            Event::Detail(_) | Event::Builds(_) | Event::End => {}
        }
        match self.target {
            Target::Json => self.print(event),
            Target::Terminal | Target::Hidden => self.draw(event),
        }
    }

    fn draw(&self, event: Event<'_>) {
        let bar = self.bar.borrow();
        match event {
            Event::Step(step) => {
                let phase = self.phase.borrow();
                bar.set_length(phase.steps as u64);
                bar.set_position(phase.begun as u64);
                bar.set_message(printable(step).into_owned());
            }
            Event::Detail(detail) => bar.set_message(printable(detail).into_owned()),
            Event::End => bar.finish_and_clear(),
            Event::Begin { .. } | Event::Builds(_) => {}
        }
    }

    /// A line of JSON; a closed standard error is not an error.
    fn print(&self, event: Event<'_>) {
        let line = event_json(event, &self.phase.borrow());
        let mut stderr = io::stderr().lock();
        let _ = writeln!(stderr, "{}", printable_json(&line.to_string()));
    }

    fn begin(&self, what: &str, steps: usize) {
        let bar = ProgressBar::with_draw_target(
            Some(steps as u64),
            match self.target {
                Target::Terminal => ProgressDrawTarget::stderr(),
                Target::Json | Target::Hidden => ProgressDrawTarget::hidden(),
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

/// An event as `--progress json` prints it.
fn event_json(event: Event<'_>, phase: &Phase) -> Value {
    let (what, about) = match event {
        Event::Begin { .. } => ("begin", None),
        Event::Step(about) => ("step", Some(about)),
        Event::Detail(about) => ("detail", Some(about)),
        Event::End => ("end", None),
        Event::Builds(plan) => {
            let tables = plan.tables.iter();
            let tables: serde_json::Map<String, Value> = tables
                .map(|(table, indexes)| (table.to_string(), Value::from(*indexes)))
                .collect();
            return json!({"event": "builds", "tables": tables, "expected_ms": plan.time.0});
        }
    };
    json!({"event": what, "phase": phase.name, "step": phase.begun, "steps": phase.steps, "about": about})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_steps_than_expected_are_never_more_than_all() {
        let mut phase = Phase {
            name: "testing".to_owned(),
            begun: 0,
            steps: 2,
        };
        for _ in 0..5 {
            phase.next();
            assert!(phase.begun <= phase.steps, "{phase:?}");
        }
        let json = event_json(Event::Step("public.t"), &phase);
        assert_eq!(
            json.to_string(),
            r#"{"event":"step","phase":"testing","step":5,"steps":5,"about":"public.t"}"#
        );
        let end = event_json(Event::End, &phase);
        assert_eq!(end["about"], Value::Null);
    }
}
