//! Twin files: everything that advice needs (a snapshot, a workload, the server's own plans) in one
//! file, for machines that cannot connect to the server.
//!
//! A twin file is one JSON object, compressed with gzip; `zcat FILE | jq .` shows all of it. The
//! same contents give the same bytes, because the file does not contain when or where it was
//! written.

use std::collections::BTreeMap;
use std::io::{self, BufReader, BufWriter, Read, Write};

use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::Snapshot;
use super::redaction::RedactionReport;
use crate::catalog::Catalog;
use crate::model::Bytes;
use crate::plan::MAX_PLAN_DEPTH;
use crate::planner::{OtherTables, PlanOutcome};
use crate::workload::{StatementId, Workload};

/// The value of `format` in a twin file. The number at its end increases when older programs could
/// no longer read a file.
pub const FORMAT: &str = "pgrehearse-twin-1";

/// The common beginning of all formats.
const FAMILY: &str = "pgrehearse-twin-";

/// Unpacking stops with an error at this size.
pub const MAX_SIZE: Bytes = Bytes(Bytes::GB);

/// Reading stops with an error at this number of values. Each takes about 60 bytes, even if the text
/// has only three for it.
pub const MAX_VALUES: u64 = 30_000_000;

/// White space outside of strings; the program itself writes none.
const MAX_WHITE_SPACE: u64 = 16 * 1024 * 1024;

/// Maximum nesting of objects and lists: two for each level of a plan, and those around it.
const DEEPEST: usize = 2 * MAX_PLAN_DEPTH + 32;

/// Stack for reading and writing a plan of that depth.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// The format must be named within this many bytes.
const HEAD_BYTES: u64 = 256;

/// Everything that advice is made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwinFile {
    /// [`FORMAT`]; comes first in the file.
    pub format: String,
    /// The program that wrote it: `pgrehearse 0.1.0`.
    pub written_by: String,
    /// What was done to the data values; none if they are production's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redacted: Option<RedactionReport>,
    /// The statements.
    pub workload: Workload,
    /// What the server knew about the workload's tables.
    pub catalog: Catalog,
    /// The server's own plans: what the twin's are compared with.
    pub plans: BTreeMap<StatementId, PlanOutcome>,
    /// The other tables of the database, where the file was made with all of them: their indexes are
    /// checked, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<OtherTables>,
    /// What the twin is made from.
    pub snapshot: Snapshot,
}

/// Why a twin file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TwinFileError {
    /// It is not a twin file.
    #[error("this is not a twin file: {0}")]
    NotATwinFile(&'static str),
    /// A newer program wrote it.
    #[error(
        "this twin file has the format {0:?}, which is newer than this program's {FORMAT:?}: use a newer pgrehearse"
    )]
    NewerFormat(String),
    /// It begins like a twin file, but is damaged.
    #[error("the twin file is damaged: {0}")]
    Damaged(String),
    /// It is larger than [`MAX_SIZE`].
    #[error("the unpacked twin file is larger than {0}: it is damaged or malicious")]
    TooLarge(Bytes),
    /// It has more values than [`MAX_VALUES`].
    #[error("the twin file has more than {0} values: it is damaged or malicious")]
    TooManyValues(u64),
    /// The file could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl TwinFile {
    /// A twin file by this program.
    pub fn new(
        workload: Workload,
        catalog: Catalog,
        plans: BTreeMap<StatementId, PlanOutcome>,
        snapshot: Snapshot,
    ) -> TwinFile {
        TwinFile {
            format: FORMAT.to_owned(),
            written_by: concat!("pgrehearse ", env!("CARGO_PKG_VERSION")).to_owned(),
            redacted: None,
            workload,
            catalog,
            plans,
            others: None,
            snapshot,
        }
    }

    /// The same, with the other tables of the database.
    #[must_use]
    pub fn with_others(self, others: OtherTables) -> TwinFile {
        TwinFile {
            others: Some(others),
            ..self
        }
    }

    /// Writes it, compressed.
    ///
    /// # Errors
    /// The writer's error.
    pub fn write(&self, to: impl Write) -> Result<(), TwinFileError> {
        // flate2's defaults: no time and no name in the header, and the operating system "unknown".
        let mut packed: GzEncoder<_> = GzBuilder::new().mtime(0).write(to, Compression::default());
        let mut buffered = BufWriter::new(&mut packed);
        stacker::grow(STACK_BYTES, || serde_json::to_writer(&mut buffered, self))
            .map_err(io::Error::from)?;
        buffered.write_all(b"\n")?;
        buffered.flush()?;
        drop(buffered);
        packed.finish()?.flush()?;
        Ok(())
    }

    /// The file as bytes.
    ///
    /// # Errors
    /// None: writing to memory does not fail.
    #[cfg(any(test, feature = "internals"))]
    pub fn to_bytes(&self) -> Result<Vec<u8>, TwinFileError> {
        let mut bytes = Vec::new();
        self.write(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads a file and unpacks it at the same time, so that only a buffer of its text is in
    /// memory.
    ///
    /// # Errors
    /// See [`TwinFileError`].
    pub fn read(from: impl Read) -> Result<TwinFile, TwinFileError> {
        TwinFile::read_up_to(from, MAX_SIZE)
    }

    fn read_up_to(from: impl Read, largest: Bytes) -> Result<TwinFile, TwinFileError> {
        let mut packed = BufReader::new(from);
        let magic = io::BufRead::fill_buf(&mut packed)?.starts_with(&[0x1f, 0x8b]);
        if !magic {
            return Err(TwinFileError::NotATwinFile(
                "it is not compressed with gzip",
            ));
        }
        let mut unpacked = GzDecoder::new(packed);
        let mut head = Vec::new();
        (&mut unpacked)
            .take(HEAD_BYTES)
            .read_to_end(&mut head)
            .map_err(|error| unpacking(&error))?;
        check_format(&head)?;
        let mut guarded = LimitedReader::new(head.chain(unpacked), largest.0);
        let read = stacker::grow(STACK_BYTES, || {
            let mut json = serde_json::Deserializer::from_reader(BufReader::new(&mut guarded));
            json.disable_recursion_limit();
            TwinFile::deserialize(&mut json).and_then(|file| json.end().map(|()| file))
        });
        read.map_err(|error| match (guarded.broken, error.classify()) {
            (Some(JsonLimit::Bytes), _) => TwinFileError::TooLarge(largest),
            (Some(JsonLimit::Values), _) => TwinFileError::TooManyValues(MAX_VALUES),
            (Some(JsonLimit::WhiteSpace), _) => {
                TwinFileError::Damaged("it has too much white space".to_owned())
            }
            (Some(JsonLimit::Depth), _) => {
                TwinFileError::Damaged("it is nested too deeply".to_owned())
            }
            (None, Category::Io) => unpacking(&error.into()),
            (None, _) => TwinFileError::Damaged(error.to_string()),
        })
    }
}

/// An error of gzip or of the file.
fn unpacking(error: &io::Error) -> TwinFileError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => TwinFileError::Damaged("it ends too early".to_owned()),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            TwinFileError::Damaged(error.to_string())
        }
        kind => TwinFileError::Io(io::Error::new(kind, error.to_string())),
    }
}

/// Does it begin with `{"format": "pgrehearse-twin-1"`?
fn check_format(head: &[u8]) -> Result<(), TwinFileError> {
    let stranger = TwinFileError::NotATwinFile("it does not begin with the format's name");
    let text = String::from_utf8_lossy(head);
    let Some(format) = format_of(&text) else {
        return Err(stranger);
    };
    match format.strip_prefix(FAMILY) {
        _ if format == FORMAT => Ok(()),
        Some(number)
            if !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()) =>
        {
            Err(TwinFileError::NewerFormat(format.to_owned()))
        }
        _ => Err(stranger),
    }
}

fn format_of(head: &str) -> Option<&str> {
    let mut rest = head;
    for token in ["{", "\"format\"", ":", "\""] {
        rest = rest.trim_start().strip_prefix(token)?;
    }
    rest.split_once('"').map(|(format, _)| format)
}

/// What is wrong with a text, found before it is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonLimit {
    Bytes,
    Values,
    WhiteSpace,
    Depth,
}

/// Passes JSON on while it is neither too long nor nested too deeply and has not too many values:
/// each would end the program and not only the reading.
struct LimitedReader<R> {
    inner: R,
    left: u64,
    values_left: u64,
    white_space_left: u64,
    depth: usize,
    in_string: bool,
    escaped: bool,
    broken: Option<JsonLimit>,
}

impl<R> LimitedReader<R> {
    fn new(inner: R, most_bytes: u64) -> Self {
        LimitedReader {
            inner,
            left: most_bytes,
            values_left: MAX_VALUES,
            white_space_left: MAX_WHITE_SPACE,
            depth: 0,
            in_string: false,
            escaped: false,
            broken: None,
        }
    }

    fn count_value(&mut self) {
        match self.values_left.checked_sub(1) {
            Some(left) => self.values_left = left,
            None => self.broken = Some(JsonLimit::Values),
        }
    }

    fn look_at(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            b'{' | b'[' if !self.in_string => {
                self.depth += 1;
                self.count_value();
            }
            b',' if !self.in_string => self.count_value(),
            b' ' | b'\n' | b'\r' | b'\t' if !self.in_string => {
                match self.white_space_left.checked_sub(1) {
                    Some(left) => self.white_space_left = left,
                    None => self.broken = Some(JsonLimit::WhiteSpace),
                }
            }
            b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > DEEPEST {
            self.broken = Some(JsonLimit::Depth);
        }
    }
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => self.broken = Some(JsonLimit::Bytes),
        }
        for byte in buffer.iter().take(read) {
            self.look_at(*byte);
        }
        match self.broken {
            Some(_) => Err(io::Error::other("refused")),
            None => Ok(read),
        }
    }
}

#[cfg(test)]
mod tests;
