//! A line of a file while frames are removed.

use std::borrow::Cow;

/// A line of a file, from which frames are removed one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FramedLine<'a> {
    /// Its number in the file, from 1.
    pub(crate) number: usize,
    /// The line without the frames removed so far.
    pub(crate) text: Cow<'a, str>,
}
