//! The process environment as a value, captured once, so that resolving a connection is a pure
//! function of it.
//!
//! Only the variables that affect connecting are kept. `Debug` shows which variables are set, never
//! their values.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::ConninfoError;
use super::keywords::{Parameters, variables};
use super::origin::Origin;

const PLACES: [&str; 2] = ["HOME", "PGSYSCONFDIR"];

/// libpq's environment variables, `HOME`, and the operating system's name of the user.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    os_user: Option<String>,
}

impl Environment {
    /// What this process was started with. A variable that is not UTF-8 counts as not set.
    #[must_use]
    pub fn from_process() -> Self {
        let names = variables().map(|(variable, _)| variable).chain(PLACES);
        let set = names.filter_map(|name| std::env::var(name).ok().map(|value| (name, value)));
        Self::new(set, whoami::username().ok())
    }

    /// An environment made up of the given variables.
    pub fn new<N, V>(variables: impl IntoIterator<Item = (N, V)>, os_user: Option<String>) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self { variables, os_user }
    }

    /// The variables that stand for a keyword. An empty one counts as not set.
    pub(super) fn parameters(&self) -> Result<Parameters, ConninfoError> {
        let mut parameters = Parameters::default();
        for (variable, keyword) in variables() {
            if let Some(value) = self.filled(variable) {
                parameters.set(keyword, value.to_owned(), &Origin::Variable(variable))?;
            }
        }
        Ok(parameters)
    }

    pub(super) fn home(&self) -> Option<&Path> {
        self.filled("HOME").map(Path::new)
    }

    /// Where the system-wide service file is.
    pub(super) fn system_configuration(&self) -> Option<PathBuf> {
        self.filled("PGSYSCONFDIR").map(PathBuf::from)
    }

    pub(super) fn os_user(&self) -> Option<&str> {
        self.os_user.as_deref()
    }

    fn filled(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Environment")
            .field("set", &self.variables.keys().collect::<Vec<_>>())
            .field("os_user", &self.os_user)
            .finish()
    }
}
