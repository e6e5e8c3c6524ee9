//! Which columns a text names, from its tokens alone: also of texts that are not an expression, as
//! the `Output` of a plan's node may be (`count(*) FILTER (WHERE …)`, `rank() OVER (?)`).

use sqlparser::tokenizer::Token;

use super::tokens::Tokens;

/// A name in a text that may be a column's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnReference {
    /// What stands before the dot: a table's alias.
    pub qualifier: Option<String>,
    /// The name, unquoted; none for a whole row (`t.*`).
    pub name: Option<String>,
}

/// Every name in the text that may be a column's: not those of functions and types. None where the
/// text has no tokens.
pub fn column_references(text: &str) -> Option<Vec<ColumnReference>> {
    let tokens = Tokens::read(text)?;
    let mut found = Vec::new();
    let mut position = 0;
    while position < tokens.len() {
        let Some((reference, end)) = reference(&tokens, position) else {
            position += 1;
            continue;
        };
        found.extend(reference);
        position = end;
    }
    Some(found)
}

/// The expression's text with something else in the place of the first mention of a column.
pub fn with_column_replaced(text: &str, column: &str, replacement: &str) -> Option<String> {
    let tokens = Tokens::read(text)?;
    let is_column = |position: &usize| {
        tokens.name(*position).as_deref() == Some(column) && !is_function(&tokens, position + 1)
    };
    let position = (0..tokens.len()).find(is_column)?;
    tokens.replaced(&[(position, position + 1, replacement.to_owned())])
}

/// The name that begins at a token, if any, and where it ends. A name that is not a column's has an
/// end and no reference.
fn reference(tokens: &Tokens<'_>, position: usize) -> Option<(Option<ColumnReference>, usize)> {
    let first = tokens.name(position)?;
    if tokens.at(position + 1) != Some(&Token::Period) {
        let is_type = position
            .checked_sub(1)
            .is_some_and(|before| tokens.at(before) == Some(&Token::DoubleColon));
        let end = position + 1;
        let is_column = !is_type && !is_function(tokens, end);
        let reference = ColumnReference {
            qualifier: None,
            name: Some(first),
        };
        return Some((is_column.then_some(reference), end));
    }
    let name = match tokens.at(position + 2) {
        Some(Token::Mul) => None,
        _ => Some(tokens.name(position + 2)?),
    };
    let end = end_of_path(tokens, position + 3);
    let reference = ColumnReference {
        qualifier: Some(first),
        name,
    };
    Some(((!is_function(tokens, end)).then_some(reference), end))
}

/// Past `.field` of a composite column.
fn end_of_path(tokens: &Tokens<'_>, mut position: usize) -> usize {
    while tokens.at(position) == Some(&Token::Period) {
        position += 2;
    }
    position
}

/// Does a function's list of arguments begin here?
fn is_function(tokens: &Tokens<'_>, position: usize) -> bool {
    tokens.at(position) == Some(&Token::LParen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let written = |found: ColumnReference| {
            let name = found.name.unwrap_or_else(|| "*".to_owned());
            match found.qualifier {
                Some(qualifier) => format!("{qualifier}.{name}"),
                None => name,
            }
        };
        let found = column_references(text).unwrap();
        found.into_iter().map(written).collect()
    }

    #[test]
    fn columns_are_told_from_functions_types_and_literals() {
        assert_eq!(
            names("PARTIAL count(*) FILTER (WHERE (j.state = 'j.no'::text))"),
            ["partial", "j.state"]
        );
        assert_eq!(names("rank() OVER (?)"), Vec::<String>::new());
        assert_eq!(
            names("public.f(\"J\".\"Odd Name\", k.*)"),
            ["J.Odd Name", "k.*"]
        );
        assert_eq!(names("(id)::date"), ["id"]);
        assert!(column_references("'open").is_none());
    }

    #[test]
    fn only_the_column_itself_is_replaced() {
        let replaced = |text| with_column_replaced(text, "date", "(date AT TIME ZONE 'UTC')");
        assert_eq!(
            replaced("date('date'::text, date)").as_deref(),
            Some("date('date'::text, (date AT TIME ZONE 'UTC'))")
        );
        assert_eq!(replaced("lower(name)"), None);
    }
}
