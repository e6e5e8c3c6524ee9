//! `CREATE SCHEMA`, as far as it makes nothing besides the schema.

use super::tokens::Tokens;

/// A schema that a statement creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaToCreate {
    /// Its name.
    pub name: String,
    /// It may exist.
    pub if_not_exists: bool,
}

/// The schema that `CREATE SCHEMA [IF NOT EXISTS] name [AUTHORIZATION role]` creates; none for other
/// forms.
pub fn schema_to_create(sql: &str) -> Option<SchemaToCreate> {
    let tokens = Tokens::read(sql)?;
    let is_one = tokens.is_word(0, "create") && tokens.is_word(1, "schema");
    is_one.then_some(())?;
    let if_not_exists = tokens.is_word(2, "if");
    let at = if if_not_exists { 5 } else { 2 };
    if tokens.is_word(at, "authorization") {
        return None;
    }
    let rest = tokens.len() - (at + 1).min(tokens.len());
    let is_whole = rest == 0 || rest == 2 && tokens.is_word(at + 1, "authorization");
    is_whole.then_some(())?;
    Some(SchemaToCreate {
        name: tokens.name(at)?,
        if_not_exists,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plain_form_is_read() {
        let name = |sql| schema_to_create(sql).map(|schema| schema.name);
        assert_eq!(name("CREATE SCHEMA App"), Some("app".to_owned()));
        assert_eq!(
            schema_to_create("create schema if not exists \"A\" authorization x"),
            Some(SchemaToCreate {
                name: "A".to_owned(),
                if_not_exists: true
            })
        );
        assert_eq!(name("CREATE SCHEMA a CREATE TABLE t (x int)"), None);
        assert_eq!(name("CREATE SCHEMA AUTHORIZATION x"), None);
    }
}
