//! `pgrehearse compare`: two reports of `advise`, or two recordings, one after the other.

use std::path::Path;

use super::review::recorded_advice;
use super::workload::read_bytes;
use super::{CommandError, Outcome, write};
use crate::cli::{Cli, CompareArgs, Format};
use crate::report::compare::{Comparison, ReportRead, write_json, write_text};
use crate::report::json::Report;
use crate::report::run_measurements::RunMeasurements;
use crate::terminal;

pub(super) fn run(cli: &Cli, arguments: &CompareArgs) -> Result<Outcome, CommandError> {
    let (before, now) = (read(&arguments.before)?, read(&arguments.after)?);
    let comparison = Comparison::new(&before, &now);
    let text = match cli.output.format {
        Format::Text => write_text(&comparison, terminal::report_width(&cli.output)),
        Format::Json => {
            write_json(&comparison).map_err(|error| CommandError::Other(error.to_string()))?
        }
        Format::Markdown | Format::Html | Format::Sql => {
            let message = "compare writes text and JSON";
            return Err(CommandError::Usage(message.to_owned()));
        }
    };
    write(cli, &text)
}

/// A JSON report, or that of a recording.
fn read(path: &Path) -> Result<ReportRead, CommandError> {
    let failed = |error: String| CommandError::Other(format!("{}: {error}", path.display()));
    let bytes = read_bytes(path)?;
    let json = match recorded_advice(path, &bytes)? {
        Some(advice) => Report::new(&advice, &RunMeasurements::default())
            .to_json()
            .map_err(|error| failed(error.to_string()))?,
        None => String::from_utf8(bytes).map_err(|error| failed(error.to_string()))?,
    };
    ReportRead::from_json(&json).map_err(failed)
}
