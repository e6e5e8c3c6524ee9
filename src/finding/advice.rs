//! SQL statements that several rules propose.

use super::conditions::Keys;
use super::subject::Subject;
use crate::model::{Bytes, quote_identifier};
use crate::plan::Node;
use crate::remedy::statistics::statistics_name;

/// `SET work_mem = '64MB';`, with the memory rounded up to a size people would type.
pub(super) fn set_work_mem(wanted: Bytes) -> String {
    format!("SET work_mem = '{}';", memory_setting(wanted))
}

/// The next power of two in MB, in a form `SET` takes.
pub(super) fn memory_setting(wanted: Bytes) -> String {
    let megabytes = wanted.0.div_ceil(Bytes::MB).max(1).next_power_of_two();
    if megabytes >= 1024 {
        format!("{}GB", megabytes / 1024)
    } else {
        format!("{megabytes}MB")
    }
}

/// `ANALYZE public.jobs;`
pub(super) fn analyze(subject: &Subject<'_>, node: &Node) -> Option<String> {
    Some(format!("ANALYZE {};", subject.table_name(node)?))
}

/// `CREATE INDEX CONCURRENTLY ON public.jobs (state, run_at);`, unless there are no keys, or an index begins with them already.
pub(super) fn create_index(subject: &Subject<'_>, node: &Node, keys: &Keys) -> Option<String> {
    let columns = keys.in_order();
    if columns.is_empty() || existing_index(subject, node, &columns).is_some() {
        return None;
    }
    let columns: Vec<String> = columns.iter().map(|column| as_index_key(column)).collect();
    Some(format!(
        "{} ({});",
        subject.create_index_on(node)?,
        columns.join(", ")
    ))
}

/// A valid btree of the catalog that begins with these keys in any order.
pub(super) fn existing_index(
    subject: &Subject<'_>,
    node: &Node,
    columns: &[String],
) -> Option<String> {
    let indexes = &subject.table(node)?.indexes;
    let begins = |index: &&crate::catalog::ExistingIndex| {
        let Some(known) = index
            .index
            .as_ref()
            .filter(|known| index.valid && known.predicate.is_none())
        else {
            return false;
        };
        let keys: Vec<String> = known
            .keys
            .iter()
            .take(columns.len())
            .map(|key| key.key.to_string())
            .collect();
        keys.len() == columns.len()
            && columns
                .iter()
                .all(|column| keys.contains(&as_index_key(column)))
    };
    indexes
        .iter()
        .find(begins)
        .map(|index| index.name.to_string())
}

/// An expression needs parentheses in an index definition unless it is a plain call; columns do not.
pub(super) fn as_index_key(text: &str) -> String {
    let (column, direction) = split_direction(text);
    let identifier = column.chars().all(|c| c.is_alphanumeric() || c == '_') || is_quoted(column);
    let wrapped = column.starts_with('(') && closes_at_end(column);
    let call = column.ends_with(')') && !column.starts_with('(') && plain_call(column);
    if identifier || wrapped || call {
        text.to_owned()
    } else {
        format!("({column}){direction}")
    }
}

fn split_direction(text: &str) -> (&str, &str) {
    [" DESC NULLS LAST", " NULLS FIRST", " DESC"]
        .into_iter()
        .find_map(|suffix| Some((text.strip_suffix(suffix)?, suffix)))
        .unwrap_or((text, ""))
}

fn is_quoted(text: &str) -> bool {
    text.len() > 2
        && text.starts_with('"')
        && text.ends_with('"')
        && !text[1..text.len() - 1].replace("\"\"", "").contains('"')
}

fn plain_call(text: &str) -> bool {
    let Some(open) = text.find('(') else {
        return false;
    };
    let name = text[..open]
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    name && closes_at_end(&text[open..])
}

/// Does the parenthesis at the start close with the last character?
fn closes_at_end(text: &str) -> bool {
    let mut depth = 0usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1 == text.len();
        }
    }
    false
}

/// `CREATE STATISTICS accounts_country_city_stats (dependencies, mcv) ON country, city FROM public.accounts; ANALYZE …;`
pub(super) fn create_statistics(table: &str, kinds: &str, columns: &[String]) -> String {
    let bare_table = table.rsplit('.').next().unwrap_or(table);
    let name = statistics_name(bare_table, columns);
    let name = quote_identifier(&name);
    format!(
        "CREATE STATISTICS {name} ({kinds}) ON {} FROM {table}; ANALYZE {table};",
        columns.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_rounded_up_to_what_people_type() {
        for (bytes, text) in [
            (1, "1MB"),
            (5 * Bytes::MB, "8MB"),
            (64 * Bytes::MB, "64MB"),
            (600 * Bytes::MB, "1GB"),
        ] {
            assert_eq!(memory_setting(Bytes(bytes)), text);
        }
    }

    #[test]
    fn index_keys_are_written_as_the_grammar_wants_them() {
        for (key, written) in [
            ("state", "state"),
            ("\"Odd Name\"", "\"Odd Name\""),
            ("run_at DESC", "run_at DESC"),
            ("lower(email)", "lower(email)"),
            ("(a + b)", "(a + b)"),
            ("(a)::date", "((a)::date)"),
            ("(a + b) * (c + d)", "((a + b) * (c + d))"),
            ("lower(a) || lower(b)", "(lower(a) || lower(b))"),
        ] {
            assert_eq!(as_index_key(key), written);
        }
    }

    #[test]
    fn statistics_have_a_name() {
        assert_eq!(
            create_statistics(
                "public.accounts",
                "dependencies",
                &["city".to_owned(), "\"Zip\"".to_owned()]
            ),
            "CREATE STATISTICS \"accounts_city_Zip_stats\" (dependencies) ON city, \"Zip\" FROM public.accounts; ANALYZE public.accounts;"
        );
    }
}
