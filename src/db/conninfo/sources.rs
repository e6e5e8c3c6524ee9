//! The inputs of the settings that depend on files.

use std::path::Path;

use super::files::Files;
use super::keywords::Parameters;

/// The merged parameters, and access to files.
pub(super) struct Sources<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) home: Option<&'a Path>,
    pub(super) files: &'a dyn Files,
}
