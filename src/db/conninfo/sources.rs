//! What the settings that depend on files are decided from.

use std::path::Path;

use super::files::Files;
use super::keywords::Parameters;

/// The merged parameters, and where files are looked for.
pub(super) struct Sources<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) home: Option<&'a Path>,
    pub(super) files: &'a dyn Files,
}
