//! Why a text could not be read, and where.

use std::fmt;

/// The error of a text without a plan, or with a damaged one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", Prefix(*position))]
pub struct ReadError {
    /// Where it is, when the error has a position.
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

/// A position in the file as it was given, with frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePosition {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1; unknown where a frame around the plan was removed.
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
    /// Larger than what is read into memory.
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
    /// The text ends inside something.
    #[error("truncated: the text ends inside {0}")]
    Truncated(&'static str),
    /// The text does not follow the format's syntax.
    #[error("{}", LongMessage(.0))]
    Syntax(String),
    /// An object has the same key twice.
    #[error("duplicate key \"{}\"", Excerpt(.0))]
    DuplicateKey(String),
    /// A number that JSON cannot express, such as NaN or 1e400.
    #[error("\"{}\" is not a finite number", Excerpt(.0))]
    NotFinite(String),
    /// A property has a value of the wrong type.
    #[error("\"{}\" is not {expected}", Excerpt(.property))]
    WrongType {
        /// Which property.
        property: String,
        /// The type it should have.
        expected: &'static str,
    },
    /// A node without `Node Type`.
    #[error("a node has no \"Node Type\"")]
    NoNodeType,
    /// Nothing in the text looks like a plan.
    #[error("there is no plan in it")]
    NoPlan,
    /// A well-formed object or list that is not EXPLAIN's output.
    #[error("no \"Plan\" object: this is not the output of EXPLAIN (FORMAT JSON)")]
    NotExplain,
    /// EXPLAIN of something that has no plan.
    #[error("EXPLAIN printed no plan but \"{}\": utility statements have none", Excerpt(.0))]
    Utility(String),
    /// A web page.
    #[error("an HTML page, not a plan; save the plan's text itself")]
    Html,
    /// The plan of some other database.
    #[error("this looks like a plan of {0}; only PostgreSQL's are read")]
    OtherDatabase(&'static str),
    /// JSON that a program printed as a map of its own, without quotes.
    #[error(
        "a plan as {0} prints maps, without quotes: where a name ends is not told; print the JSON itself"
    )]
    PrintedMap(&'static str),
    /// XML with a document type or entities of its own, which EXPLAIN never prints.
    #[error("XML document types and entities are refused")]
    Entities,
    /// Nested deeper than any real plan.
    #[error("nested more than {0} levels deep")]
    TooDeep(usize),
    /// More nodes than any real plan.
    #[error("more than {0} nodes")]
    TooManyNodes(usize),
    /// A TEXT plan whose lines all begin in the same column.
    #[error("the indentation is lost: the parent of this node is unknown")]
    LostIndentation,
}

/// A text that a message quotes, cut off after 60 characters.
struct Excerpt<'a>(&'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        cut(formatter, self.0, 60)
    }
}

/// A message, cut off after 200 characters because it may quote something long.
struct LongMessage<'a>(&'a str);

impl fmt::Display for LongMessage<'_> {
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

/// An error at an offset of the text being read; becomes a [`ReadError`] when the offset is looked
/// up in the file.
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
