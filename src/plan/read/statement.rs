//! The statement that was pasted above its plan: `shop=# EXPLAIN (ANALYZE) SELECT …;`.

/// Finds `EXPLAIN … ;` in the lines above a plan and returns the statement it explained.
pub(crate) fn explained(above: &str) -> Option<String> {
    let start = above
        .match_indices('\n')
        .map(|(at, _)| at + 1)
        .chain(std::iter::once(0))
        .filter(|start| begins(above.get(*start..).unwrap_or_default()).is_some())
        .max()?;
    let behind = begins(above.get(start..)?)?;
    let lines: Vec<&str> = behind.lines().map(without_prompt).collect();
    let text = lines.join("\n");
    let statement = without_options(text.trim());
    let end = statement
        .find(';')
        .or_else(|| statement.find("\n\n"))
        .unwrap_or(statement.len());
    let statement = statement.get(..end)?.trim();
    let frame = statement.find("QUERY PLAN").unwrap_or(statement.len());
    let statement = statement.get(..frame)?.trim();
    (!statement.is_empty()).then(|| statement.to_owned())
}

/// What follows the word EXPLAIN at the beginning of a text's first line.
fn begins(text: &str) -> Option<&str> {
    let first_line = text.split('\n').next().unwrap_or_default();
    let prompt = first_line.len() - without_prompt(first_line).len();
    let (word, rest) = (text.get(prompt..prompt + 7)?, text.get(prompt + 7..)?);
    (word.eq_ignore_ascii_case("explain") && rest.starts_with([' ', '(', '\n', '\t']))
        .then_some(rest)
}

/// `shop=# `, `shop-> `, `shop'# `: psql's prompts.
fn without_prompt(line: &str) -> &str {
    let Some(end) = line.find("# ").or_else(|| line.find("> ")) else {
        return line;
    };
    let prompt = line.get(..end).unwrap_or_default();
    let is_prompt = prompt.ends_with(['=', '-', '\'', '"', '(', '*', '^', '!'])
        && prompt.chars().all(|c| {
            c.is_alphanumeric()
                || matches!(
                    c,
                    '_' | '=' | '-' | '\'' | '"' | '(' | '*' | '^' | '!' | '.'
                )
        });
    if is_prompt {
        line.get(end + 2..).unwrap_or_default()
    } else {
        line
    }
}

/// Removes `(ANALYZE, BUFFERS)` or `ANALYZE VERBOSE`.
fn without_options(text: &str) -> &str {
    if text.starts_with('(')
        && let Some((_, rest)) = text.split_once(')')
    {
        return rest.trim_start();
    }
    let mut rest = text;
    for option in ["ANALYZE", "ANALYSE", "VERBOSE"] {
        if rest
            .get(..option.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(option))
        {
            rest = rest.get(option.len()..).unwrap_or_default().trim_start();
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_explained_statement_is_found() {
        assert_eq!(
            explained("hello\nshop=# EXPLAIN (ANALYZE, BUFFERS) SELECT 1\nshop-# FROM t;\n")
                .as_deref(),
            Some("SELECT 1\nFROM t")
        );
        assert_eq!(
            explained("explain analyze select 2;").as_deref(),
            Some("select 2")
        );
        assert_eq!(explained("I ran explain on it"), None);
        assert_eq!(explained(""), None);
    }
}
