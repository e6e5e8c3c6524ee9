//! A line of a file while frames are taken off.

use std::borrow::Cow;

/// One line of a file on its way through the frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FramedLine<'a> {
    /// Its number in the file, from 1.
    pub(crate) number: usize,
    /// What is left of it.
    pub(crate) text: Cow<'a, str>,
}
