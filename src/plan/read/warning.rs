//! What a plan lost before it was read, so that nobody trusts more than there is.

use std::fmt;

/// Something that could not be read, or that is missing, in a plan that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Line of the file, from 1.
    pub line: usize,
    /// What it is.
    pub kind: WarningKind,
}

/// What a plan lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarningKind {
    /// `...` stands in place of lines.
    LinesLeftOut,
    /// The text ends before the plan does.
    CutOff,
    /// A node has fewer children than its type needs.
    ChildrenMissing,
    /// A node has more children than its type can have.
    ChildrenTooMany,
    /// The first line is a child: its parents are missing.
    RootMissing,
    /// The tree was rebuilt from what the types of the nodes need.
    IndentationRebuilt,
    /// A node has no numbers although the others have.
    NumbersMissing,
    /// The name of a node has characters that no name has: something else stands beside it.
    OddName,
    /// The file is not in UTF-8, and its encoding is a guess.
    EncodingGuessed,
    /// A line that is not understood; it was left out.
    NotRead(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: ", self.line)?;
        match &self.kind {
            WarningKind::LinesLeftOut => formatter
                .write_str("lines of the plan are left out here; what is below may belong to another node"),
            WarningKind::CutOff => formatter.write_str("the text is cut off here; the plan is read as far as it goes"),
            WarningKind::ChildrenMissing => {
                formatter.write_str("this node has fewer children than its type needs: lines are missing")
            }
            WarningKind::ChildrenTooMany => formatter.write_str(
                "the node above this one has more children than its type can have: the indentation is not the plan's",
            ),
            WarningKind::RootMissing => {
                formatter.write_str("the plan begins with a child: the lines above it are missing")
            }
            WarningKind::IndentationRebuilt => formatter.write_str(
                "the indentation is lost; the tree was rebuilt from how many children each node needs",
            ),
            WarningKind::NumbersMissing => formatter.write_str("this node has lost its numbers"),
            WarningKind::OddName => formatter.write_str(
                "the name of this node is none of PostgreSQL's: what stands beside it may not belong to the plan",
            ),
            WarningKind::EncodingGuessed => formatter.write_str(
                "the file is not in UTF-8 and was read as Windows-1252: letters that are not ASCII may be others",
            ),
            WarningKind::NotRead(text) => {
                let excerpt: String = text.chars().take(60).collect();
                let more = if excerpt.len() < text.len() { "…" } else { "" };
                write!(formatter, "\"{excerpt}{more}\" is not understood and left out")
            }
        }
    }
}

/// A warning at an offset of the text being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OffsetWarning {
    /// Bytes from the beginning of the text.
    pub(crate) offset: usize,
    /// What it is.
    pub(crate) kind: WarningKind,
}
