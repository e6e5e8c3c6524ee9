//! Reports of `check`: for programs ([`json`]), to read ([`text`]), for a pull request ([`markdown`]),
//! and for what shows the results of tests and code analysis ([`junit`], [`sarif`], [`annotations`]).

pub mod annotations;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;
pub(crate) mod summary;
pub mod text;
