//! Operator classes of extensions that come with PostgreSQL, which a database may not have
//! installed. (The server's catalog has those of installed extensions.)

use super::OperatorClass;
use crate::index::{Extension, Method};
use crate::model::quote_identifier;

/// The extensions.
pub const EXTENSIONS: &[&str] = &["pg_trgm"];

/// The extension, the class, its method, its type, the operators that it answers
/// (<https://www.postgresql.org/docs/current/pgtrgm.html#PGTRGM-INDEX>).
const CLASSES: &[(&str, &str, Method, &str, &[&str])] = &[
    (
        "pg_trgm",
        "gin_trgm_ops",
        Method::Gin,
        "text",
        &["~~", "~~*", "~", "~*"],
    ),
    (
        "pg_trgm",
        "gist_trgm_ops",
        Method::Gist,
        "text",
        &["~~", "~~*", "~", "~*"],
    ),
];

/// The classes of an extension, in its schema; without one they are named without it.
pub fn of_extension(extension: &Extension) -> impl Iterator<Item = OperatorClass> {
    let classes = CLASSES.iter().filter(|(name, ..)| *name == extension.name);
    classes.map(|(_, class, method, input_type, operators)| OperatorClass {
        method: method.clone(),
        name: match extension.schema.as_str() {
            "" => (*class).to_owned(),
            schema => format!("{}.{class}", quote_identifier(schema)),
        },
        input_type: (*input_type).to_owned(),
        default: false,
        searched: operators.iter().map(ToString::to_string).collect(),
        ordered: Vec::new(),
        extension: Some(extension.clone()),
    })
}
