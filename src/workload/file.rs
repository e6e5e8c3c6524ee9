//! Workload files: plain SQL. Comments directly above a statement give its name and weight.
//!
//! ```sql
//! -- name: jobs-queue
//! -- calls: 12000
//! SELECT … ;
//! ```

use std::sync::LazyLock;

use regex::Regex;

use super::{Usage, Workload};
use crate::sql::split::{Piece, split};

/// The largest number of calls: sums of them stay finite and exact enough.
const MAX_CALLS: f64 = 1e15;

/// An annotation that is not valid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FileError {
    /// `-- calls:` without a positive number.
    #[error("{place}: calls: {text:?} is not a positive number")]
    BadCalls {
        /// File and line.
        place: String,
        /// The text after the colon.
        text: String,
    },
}

/// Adds every statement of the text. `source` is the file's name for messages; unnamed statements
/// are called after it and their line (`jobs:12`).
///
/// # Errors
/// When a `-- calls:` comment is no positive number.
pub fn read(source: &str, text: &str, workload: &mut Workload) -> Result<(), FileError> {
    for piece in split(text) {
        let place = format!("{source}:{}", piece.line);
        let annotations = annotations(&piece, &place)?;
        let name = annotations
            .name
            .unwrap_or_else(|| format!("{}:{}", stem(source), piece.line));
        workload.add(
            &name,
            piece.sql,
            Usage {
                calls: annotations.calls,
                mean_time_ms: None,
            },
            place,
        );
    }
    Ok(())
}

struct Annotations {
    name: Option<String>,
    calls: f64,
}

fn annotations(piece: &Piece<'_>, place: &str) -> Result<Annotations, FileError> {
    static ANNOTATION: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)^(name|calls)\s*:\s*(.*?)\s*$").ok());
    let mut annotations = Annotations {
        name: None,
        calls: 1.0,
    };
    let found = piece
        .comments
        .iter()
        .filter_map(|comment| ANNOTATION.as_ref()?.captures(comment));
    for annotation in found {
        let text = &annotation[2];
        if annotation[1].eq_ignore_ascii_case("name") {
            annotations.name = Some(text.to_owned()).filter(|name| !name.is_empty());
        } else {
            let calls = text
                .replace(['_', ','], "")
                .parse()
                .ok()
                .filter(|calls: &f64| *calls > 0.0 && *calls <= MAX_CALLS);
            annotations.calls = calls.ok_or_else(|| FileError::BadCalls {
                place: place.to_owned(),
                text: text.to_owned(),
            })?;
        }
    }
    Ok(annotations)
}

fn stem(source: &str) -> &str {
    let name = source.rsplit('/').next().unwrap_or(source);
    name.strip_suffix(".sql").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(text: &str) -> Workload {
        let mut workload = Workload::default();
        read("dir/jobs.sql", text, &mut workload).unwrap();
        workload
    }

    #[test]
    fn comments_name_and_weigh() {
        let workload = workload(
            "-- name: queue\n-- calls: 12_000\nselect 1;\nselect 2;\n-- Name: queue\nselect 3",
        );
        let seen: Vec<_> = workload
            .statements()
            .iter()
            .map(|s| (s.id.0.as_str(), s.sql.as_str(), s.calls))
            .collect();
        assert_eq!(
            seen,
            [
                ("queue", "select 1", 12_000.0),
                ("jobs:4", "select 2", 1.0),
                ("queue-2", "select 3", 1.0)
            ]
        );
        assert_eq!(workload.statements()[1].place, "dir/jobs.sql:4");
    }

    #[test]
    fn calls_have_to_be_a_number() {
        let error = read(
            "w.sql",
            "-- calls: many\nselect 1",
            &mut Workload::default(),
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "w.sql:2: calls: \"many\" is not a positive number"
        );
        assert!(read("w.sql", "-- calls: -1\nselect 1", &mut Workload::default()).is_err());
    }
}
