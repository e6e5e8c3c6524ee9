//! Why a text could not be read, and where.

use std::fmt;

/// A text that holds no plan, or a plan that is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", Prefix(*position))]
pub struct ReadError {
    /// Where, when it is about a position.
    pub position: Option<FilePosition>,
    /// What is wrong there.
    pub reason: Reason,
}

impl ReadError {
    /// An error about the text as a whole.
    pub(crate) fn whole(reason: Reason) -> ReadError {
        ReadError {
            position: None,
            reason,
        }
    }
}

/// A place in the file as it was given, frames and all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePosition {
    /// SourceLine, from 1.
    pub line: usize,
    /// Column in characters, from 1; unknown where a frame around the plan was taken off.
    pub column: Option<usize>,
}

struct Prefix(Option<FilePosition>);

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(FilePosition {
                line,
                column: Some(column),
            }) => write!(formatter, "line {line}, column {column}: "),
            Some(FilePosition { line, column: None }) => write!(formatter, "line {line}: "),
            None => Ok(()),
        }
    }
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Larger than what is taken into memory.
    #[error("{size} bytes are more than the {limit} that are read")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Neither UTF-8 nor UTF-16.
    #[error("neither UTF-8 nor UTF-16")]
    NotText,
    /// An archive, an image, a custom-format dump, …
    #[error("a binary file, not a plan")]
    Binary,
    /// It stops where something has to follow.
    #[error("truncated: the text ends inside {0}")]
    Truncated(&'static str),
    /// Something else than what has to stand there.
    #[error("{}", Long(.0))]
    Syntax(String),
    /// One object says something twice.
    #[error("duplicate key \"{}\"", Short(.0))]
    DuplicateKey(String),
    /// NaN, 1e400 and the like.
    #[error("\"{}\" is no finite number", Short(.0))]
    NotFinite(String),
    /// A text where a number has to be, or the like.
    #[error("\"{}\" is not {expected}", Short(.property))]
    WrongType {
        /// Which property.
        property: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// A node without `Node Type`.
    #[error("a node has no \"Node Type\"")]
    NoNodeType,
    /// Nothing in the text looks like a plan.
    #[error("there is no plan in it")]
    NoPlan,
    /// An object or list of the right syntax that is not EXPLAIN's.
    #[error("no \"Plan\" object: this is not the output of EXPLAIN (FORMAT JSON)")]
    NotExplain,
    /// EXPLAIN of something that has no plan.
    #[error("EXPLAIN printed no plan but \"{}\": utility statements have none", Short(.0))]
    Utility(String),
    /// A web page.
    #[error("an HTML page, not a plan; save the plan's text itself")]
    Html,
    /// The plan of some other database.
    #[error("this looks like a plan of {0}; only PostgreSQL's are read")]
    OtherDatabase(&'static str),
    /// XML with a document type or entities of its own, which EXPLAIN never prints.
    #[error("XML document types and entities are refused")]
    Entities,
    /// More nodes above each other than anything real has.
    #[error("nested more than {0} levels deep")]
    TooDeep(usize),
    /// More nodes than anything real has.
    #[error("more than {0} nodes")]
    TooManyNodes(usize),
    /// A TEXT plan whose lines all begin in the same column.
    #[error("the indentation is lost: it cannot be known which node this one feeds")]
    LostIndentation,
}

/// The beginning of a text that a message quotes.
struct Short<'a>(&'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        cut(formatter, self.0, 60)
    }
}

/// A message that may quote something long.
struct Long<'a>(&'a str);

impl fmt::Display for Long<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        cut(formatter, self.0, 200)
    }
}

fn cut(formatter: &mut fmt::Formatter<'_>, text: &str, max_chars: usize) -> fmt::Result {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => write!(formatter, "{}…", text.get(..end).unwrap_or_default()),
        None => formatter.write_str(text),
    }
}

/// An error at an offset of the text being read; becomes a [`ReadError`] when the offset is looked up in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OffsetError {
    /// Bytes from the beginning of the text.
    pub(crate) offset: usize,
    /// What is wrong there.
    pub(crate) reason: Reason,
}

impl OffsetError {
    pub(crate) fn at(offset: usize) -> impl Fn(Reason) -> OffsetError {
        move |reason| OffsetError { offset, reason }
    }
}
