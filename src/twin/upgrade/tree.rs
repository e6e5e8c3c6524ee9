//! What a policy stores: the parsed expressions of `ROW(…) IS NOT NULL`, as text.

/// How an expression is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// One expression.
    One,
    /// A list.
    List,
    /// The check of a domain.
    Domain,
    /// The body of a function in SQL; the text creates the function.
    Function,
    /// A rule; the text creates it.
    Rule,
}

/// The list of expressions in the tree of `ROW(…) IS NOT NULL`
/// (`{NULLTEST :arg {ROWEXPR :args ({…} {…}) …`); for one expression, that without the parentheses.
pub fn parsed_list(tree: &str, form: Form) -> Option<String> {
    let rest = tree.strip_prefix("{NULLTEST :arg {ROWEXPR :args ")?;
    let list = balanced(rest)?;
    match form {
        Form::List => Some(list.to_owned()),
        _ => {
            let inner = list.strip_prefix('(')?.strip_suffix(')')?;
            // One node and no more.
            (balanced(inner)? == inner).then(|| inner.to_owned())
        }
    }
}

/// The beginning of a text up to the parenthesis or brace that closes the first one. A backslash makes
/// the next character one of a word (`outToken`, src/backend/nodes/outfuncs.c).
fn balanced(text: &str) -> Option<&str> {
    let mut depth = 0usize;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '(' | '{' => depth += 1,
            ')' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(..=at);
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = r"{NULLTEST :arg {ROWEXPR :args ({VAR :varno 1 :name a\)b} {CONST :constvalue 4 [ 1 0 0 0 ]}) :row_typeid 2249 :colnames <>} :nulltesttype 1}";

    #[test]
    fn the_list_of_a_row_is_found() {
        assert_eq!(
            parsed_list(TREE, Form::List).as_deref(),
            Some(r"({VAR :varno 1 :name a\)b} {CONST :constvalue 4 [ 1 0 0 0 ]})")
        );
        assert_eq!(parsed_list(TREE, Form::One), None, "there are two");
        let one = r"{NULLTEST :arg {ROWEXPR :args ({VAR :varno 1}) :row_typeid 2249}}";
        assert_eq!(
            parsed_list(one, Form::One).as_deref(),
            Some("{VAR :varno 1}")
        );
    }

    #[test]
    fn what_is_cut_off_or_another_tree_is_none() {
        for tree in [
            "",
            "{OPEXPR :args ({VAR})}",
            r"{NULLTEST :arg {ROWEXPR :args ({VAR :a \",
            "{NULLTEST :arg {ROWEXPR :args <> :row_typeid 2249}}",
        ] {
            assert_eq!(parsed_list(tree, Form::List), None, "{tree}");
        }
    }
}
