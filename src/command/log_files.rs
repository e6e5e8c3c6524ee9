//! Reads logs: files, directories and standard input, compressed or not, a part at a time, in all
//! threads that the machine has. A part ends where an entry ends, so what is kept in memory does not
//! grow with the log.

use std::borrow::Cow;
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use super::CommandError;
use crate::log;
use crate::planner::{Event, Observer};
use crate::workload::log::{LogError, LogFilter, LogKind, LogPart, LoggedStatements, Shapes};

/// How much is read before a part is cut off.
const PART_BYTES: usize = 4 * 1024 * 1024;

/// A step of the progress.
const STEP_BYTES: u64 = 1_000_000;

/// An entry that is longer is divided.
const MAX_PART_BYTES: usize = 64 * 1024 * 1024;

/// Threads that read parts.
const MAX_THREADS: usize = 4;

/// A part of a log, with the lines before it.
struct Part {
    number: usize,
    bytes: Vec<u8>,
    lines_before: usize,
}

/// Where a log may be divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Division {
    /// Where an entry begins.
    Entries,
    /// Behind any line: a collector wrote each line of the server by itself.
    Lines,
    /// Nowhere: a document.
    Nowhere,
}

/// Adds the statements of a log, or of all logs in a directory. Progress counts megabytes of the files.
pub(super) fn add(
    path: &Path,
    filter: &LogFilter,
    logged: &mut LoggedStatements,
    observer: Observer<'_>,
) -> Result<(), CommandError> {
    if path == Path::new("-") {
        return add_one("stdin", std::io::stdin(), filter, logged)
            .map_err(|error| error.named("stdin"));
    }
    let files = if path.is_dir() {
        files(path).map_err(|error| failed(path, &error))?
    } else {
        vec![path.to_owned()]
    };
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |file| file.len());
    let bytes: u64 = files.iter().map(size).sum();
    observer(Event::Begin {
        what: "reading logs",
        steps: usize::try_from(bytes / STEP_BYTES).unwrap_or(usize::MAX),
    });
    let added = add_files(path, &files, (filter, observer), logged);
    observer(Event::End);
    added
}

fn failed(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::unreadable(path, error)
}

fn add_files(
    path: &Path,
    files: &[PathBuf],
    (filter, observer): (&LogFilter, Observer<'_>),
    logged: &mut LoggedStatements,
) -> Result<(), CommandError> {
    let is_directory = path.is_dir();
    let read = Cell::new(0);
    let mut any = false;
    for path in files {
        let name = path.display().to_string();
        let file = Watched {
            file: File::open(path).map_err(|error| failed(path, &error))?,
            name: path.file_name().unwrap_or_default().to_string_lossy(),
            read: &read,
            observer,
        };
        match add_one(&name, file, filter, logged) {
            Err(error) if !is_directory => return Err(error.named(&name)),
            Ok(()) => any = true,
            // Directories of logs have other files, too.
            Err(ReadingError::Log(_)) => {}
            Err(error) => return Err(error.named(&name)),
        }
    }
    if any {
        Ok(())
    } else {
        Err(logged.nothing_found(&path.display().to_string()).into())
    }
}

/// A file of which somebody is told how much was read.
struct Watched<'a> {
    file: File,
    name: Cow<'a, str>,
    /// Of all files together.
    read: &'a Cell<u64>,
    observer: Observer<'a>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        let before = self.read.get();
        let after = before + count as u64;
        self.read.set(after);
        for _ in before / STEP_BYTES..after / STEP_BYTES {
            (self.observer)(Event::Step(&self.name));
        }
        Ok(count)
    }
}

/// The files of a directory, by name.
fn files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Why a log could not be read.
enum ReadingError {
    Io(std::io::Error),
    Log(LogError),
}

impl ReadingError {
    fn named(self, name: &str) -> CommandError {
        match self {
            ReadingError::Io(error) => CommandError::Other(format!("{name}: {error}")),
            ReadingError::Log(error) => error.into(),
        }
    }
}

impl From<std::io::Error> for ReadingError {
    fn from(error: std::io::Error) -> ReadingError {
        ReadingError::Io(error)
    }
}

fn add_one(
    name: &str,
    file: impl Read,
    filter: &LogFilter,
    logged: &mut LoggedStatements,
) -> Result<(), ReadingError> {
    let mut parts = Parts::of(decompressed(file)?);
    let Some(first) = parts.next_part()? else {
        let file = name.to_owned();
        return Err(ReadingError::Log(LogError::Empty { file }));
    };
    if let Some(program) = other_compression(&first.bytes) {
        let file = name.to_owned();
        return Err(ReadingError::Log(LogError::Compressed { file, program }));
    }
    let Some(kind) = LogKind::of(&log::decode(&first.bytes)) else {
        return Err(ReadingError::Log(LogError::not_a_log(name)));
    };
    let mut found = LoggedStatements::default();
    for part in in_threads(name, kind, filter, first, &mut parts)? {
        found.merge(part);
    }
    let nothing = (!found.has_any()).then(|| found.nothing_found(name));
    logged.merge(found);
    nothing.map_or(Ok(()), |error| Err(ReadingError::Log(error)))
}

/// The statements of each part, in order. Parts that follow one another are put together as soon as
/// they are known.
fn in_threads(
    name: &str,
    kind: LogKind,
    filter: &LogFilter,
    first: Part,
    parts: &mut Parts<impl Read>,
) -> Result<Vec<LoggedStatements>, ReadingError> {
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS);
    std::thread::scope(|scope| {
        let (send_found, found) = mpsc::channel();
        let mut queues = Vec::new();
        for _ in 0..threads {
            let (send, parts) = mpsc::sync_channel::<Part>(1);
            let send_found = send_found.clone();
            scope.spawn(move || {
                let mut shapes = Shapes::default();
                for part in parts {
                    let of = LogPart {
                        file: name,
                        kind,
                        text: &log::decode(&part.bytes),
                        lines_before: part.lines_before,
                    };
                    let statements = LoggedStatements::of_part(&of, filter, &mut shapes);
                    // The one who waits for it has gone.
                    let _ = send_found.send((part.number, statements));
                }
            });
            queues.push(send);
        }
        drop(send_found);
        let mut all = Merged::default();
        let mut next = Some(first);
        while let Some(part) = next {
            let queue = &queues[part.number % threads];
            if queue.send(part).is_err() {
                return Err(std::io::Error::other("a thread that read it has ended").into());
            }
            for (number, statements) in found.try_iter() {
                all.add(number, statements);
            }
            next = parts.next_part()?;
        }
        drop(queues);
        for (number, statements) in found {
            all.add(number, statements);
        }
        Ok(all.finish())
    })
}

/// Parts that are put together in their order.
#[derive(Default)]
struct Merged {
    done: LoggedStatements,
    next: usize,
    waiting: std::collections::BTreeMap<usize, LoggedStatements>,
}

impl Merged {
    fn add(&mut self, number: usize, statements: LoggedStatements) {
        self.waiting.insert(number, statements);
        while let Some(statements) = self.waiting.remove(&self.next) {
            self.done.merge(statements);
            self.next += 1;
        }
    }

    fn finish(self) -> Vec<LoggedStatements> {
        std::iter::once(self.done)
            .chain(self.waiting.into_values())
            .collect()
    }
}

/// The program that decompresses these bytes, where they are compressed otherwise.
fn other_compression(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Some("bzip2"),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some("lz4"),
        _ => None,
    }
}

/// The bytes of a file that may be compressed with gzip or Zstandard, told by its first bytes.
fn decompressed<'f>(file: impl Read + 'f) -> std::io::Result<Box<dyn Read + 'f>> {
    let mut file = BufReader::new(file);
    let mut magic = Vec::with_capacity(4);
    file.by_ref().take(4).read_to_end(&mut magic)?;
    let whole = std::io::Cursor::new(magic.clone()).chain(file);
    Ok(match magic.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(whole)),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Box::new(StreamingDecoder::new(whole).map_err(std::io::Error::other)?)
        }
        _ => Box::new(whole),
    })
}

/// The parts of a log.
struct Parts<R> {
    file: R,
    bytes: Vec<u8>,
    number: usize,
    lines_before: usize,
    division: Option<Division>,
    at_end: bool,
}

impl<R: Read> Parts<R> {
    fn of(file: R) -> Parts<R> {
        Parts {
            file,
            bytes: Vec::new(),
            number: 0,
            lines_before: 0,
            division: None,
            at_end: false,
        }
    }

    fn next_part(&mut self) -> std::io::Result<Option<Part>> {
        let mut wanted = PART_BYTES;
        loop {
            self.fill(wanted)?;
            if self.bytes.is_empty() {
                return Ok(None);
            }
            let end = if self.at_end {
                Some(self.bytes.len())
            } else {
                self.end_of_part()
            };
            match end {
                Some(end) => return Ok(Some(self.cut(end))),
                None => wanted *= 2,
            }
        }
    }

    fn fill(&mut self, wanted: usize) -> std::io::Result<()> {
        let missing = wanted.saturating_sub(self.bytes.len());
        self.bytes.reserve(missing);
        let read = self
            .file
            .by_ref()
            .take(missing as u64)
            .read_to_end(&mut self.bytes)?;
        self.at_end = read < missing;
        Ok(())
    }

    /// Where the bytes can be divided; none where more have to be read first.
    fn end_of_part(&mut self) -> Option<usize> {
        let last_line = self.bytes.iter().rposition(|byte| *byte == b'\n')? + 1;
        let whole = &self.bytes[..last_line];
        let division = *self
            .division
            .get_or_insert_with(|| division(&log::decode(whole)));
        let is_too_long = self.bytes.len() >= MAX_PART_BYTES;
        match division {
            Division::Nowhere => None,
            Division::Lines => Some(last_line),
            Division::Entries => {
                let feeds = whole.iter().rev().take_while(|byte| **byte == b'\n');
                log::last_beginning(&whole[..last_line - feeds.count()])
                    .or(is_too_long.then_some(last_line))
            }
        }
    }

    fn cut(&mut self, end: usize) -> Part {
        let rest = self.bytes.split_off(end);
        let bytes = std::mem::replace(&mut self.bytes, rest);
        let lines_before = self.lines_before;
        self.lines_before += bytes.iter().filter(|byte| **byte == b'\n').count();
        self.number += 1;
        Part {
            number: self.number - 1,
            bytes,
            lines_before,
        }
    }
}

/// Where a log that begins with this text may be divided.
fn division(text: &str) -> Division {
    if log::looks_like_log(text) {
        return Division::Entries;
    }
    let middle = text
        .get(text.len() / 2..)
        .or_else(|| text.get(text.len() / 2 + 1..));
    let second_half = middle
        .and_then(|half| half.split_once('\n'))
        .map_or("", |(_, half)| half);
    match LogKind::of(second_half) {
        Some(_) => Division::Lines,
        None => Division::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;

    fn entry(number: usize) -> String {
        format!(
            "2024-01-01 10:00:00.000 UTC [7] LOG:  duration: 1.000 ms  statement: SELECT a\n\tFROM t\n\tWHERE b = {number}\n"
        )
    }

    /// The parts of a log, in so small parts.
    fn parts(log: &str, part_bytes: usize) -> Vec<(String, usize)> {
        let mut parts = Parts::of(log.as_bytes());
        let mut found = Vec::new();
        loop {
            // As `next_part`, with another size.
            parts.fill(part_bytes).unwrap();
            if parts.bytes.is_empty() {
                return found;
            }
            let end = if parts.at_end {
                parts.bytes.len()
            } else {
                parts.end_of_part().unwrap()
            };
            let part = parts.cut(end);
            found.push((log::decode(&part.bytes).into_owned(), part.lines_before));
        }
    }

    #[test]
    fn parts_begin_with_an_entry_and_know_their_lines() {
        let log: String = (0..50).map(entry).collect();
        let found = parts(&log, 700);
        assert!(found.len() > 5, "{}", found.len());
        let whole: String = found.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(whole, log);
        let mut lines = 0;
        for (text, lines_before) in &found {
            assert!(text.starts_with("2024-"), "{text}");
            assert_eq!(*lines_before, lines);
            lines += text.lines().count();
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let error = |name: &str, bytes: &[u8]| {
            let file = directory.path().join(name);
            fs::write(&file, bytes).unwrap();
            let mut logged = LoggedStatements::default();
            let added = add(&file, &LogFilter::default(), &mut logged, &|_| {});
            added.unwrap_err().to_string()
        };
        assert!(error("a.log", b"").ends_with("a.log: the log is empty"));
        let compressed = error("b.xz", b"\xfd7zXZ\0\0\x04");
        assert!(
            compressed.contains("b.xz: compressed with xz;") && compressed.contains("xz -dc "),
            "{compressed}"
        );
        assert!(error("c.bz2", b"BZh91AY&SY").contains("bzip2 -dc "));
    }

    #[test]
    fn a_filter_that_nothing_passes_says_whose_the_statements_are() {
        let directory = tempfile::tempdir().unwrap();
        let line = |database: &str| {
            format!("[7] web@{database} LOG:  duration: 1.000 ms  statement: SELECT 1\n")
        };
        let log = [line("shop"), line("shop"), line("mill")].concat();
        fs::write(directory.path().join("1.log"), &log).unwrap();
        fs::write(directory.path().join("2.log"), &log).unwrap();
        let error = |path: &Path, database: &str| {
            let filter = LogFilter {
                database: Some(database.to_owned()),
                ..LogFilter::default()
            };
            let mut logged = LoggedStatements::default();
            let added = add(path, &filter, &mut logged, &|_| {});
            added.err().map(|error| error.to_string())
        };
        let file = directory.path().join("1.log");
        let nobody = error(&file, "nosuch").unwrap();
        assert!(
            nobody.ends_with(
                "1.log: no statement is of what --log-database and --log-user choose; the log has \
                 1 execution of the database mill, 2 executions of the database shop"
            ),
            "{nobody}"
        );
        let of_directory = error(directory.path(), "nosuch").unwrap();
        assert!(
            of_directory
                .ends_with("2 executions of the database mill, 4 executions of the database shop"),
            "{of_directory}"
        );
        assert_eq!(error(&file, "mill"), None);
    }

    #[test]
    fn progress_ends_at_the_size_of_the_files() {
        let directory = tempfile::tempdir().unwrap();
        let log: String = (0..30_000).map(entry).collect();
        fs::write(directory.path().join("1.log"), &log).unwrap();
        fs::write(directory.path().join("2.log"), &log).unwrap();
        let (expected, seen) = (Cell::new(0), Cell::new(0));
        let observer = |event: Event<'_>| match event {
            Event::Begin { steps, .. } => expected.set(steps),
            Event::Step(_) => seen.set(seen.get() + 1),
            _ => {}
        };
        let mut logged = LoggedStatements::default();
        assert!(
            add(
                directory.path(),
                &LogFilter::default(),
                &mut logged,
                &observer
            )
            .is_ok()
        );
        assert_eq!(seen.get(), expected.get());
        assert_eq!(seen.get(), 2 * log.len() / 1_000_000);
    }

    #[test]
    fn compressed_logs_directories_and_parts_give_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let log: String = (0..30).map(entry).collect();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, log.as_bytes()).unwrap();
        fs::write(directory.path().join("1.log.gz"), gzip.finish().unwrap()).unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(
            log.as_bytes(),
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        fs::write(directory.path().join("2.log.zst"), zstd).unwrap();
        fs::write(directory.path().join("3.log"), &log).unwrap();
        fs::write(directory.path().join("notes.txt"), "no log").unwrap();
        let mut logged = LoggedStatements::default();
        let steps = Cell::new(0);
        let observer = |event: Event<'_>| {
            steps.set(steps.get() + usize::from(matches!(event, Event::Begin { .. } | Event::End)))
        };
        assert!(
            add(
                directory.path(),
                &LogFilter::default(),
                &mut logged,
                &observer
            )
            .is_ok()
        );
        assert_eq!(steps.get(), 2);
        let mut workload = Workload::default();
        logged.add_to(&mut workload, 9);
        let statements = workload.statements();
        assert_eq!((statements.len(), statements[0].calls), (1, 90.0));
        assert_eq!(statements[0].varying_literals, [0].into());
        let error = add(
            &directory.path().join("notes.txt"),
            &LogFilter::default(),
            &mut LoggedStatements::default(),
            &|_| {},
        );
        assert!(matches!(
            error,
            Err(CommandError::Log(LogError::NotALog { .. }))
        ));
    }
}
