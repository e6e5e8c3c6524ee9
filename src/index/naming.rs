//! Names for new indexes: made of what they hold, the same on every run, and none that is taken.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{Index, IndexKey, Key, Method};
use crate::model::QualifiedName;
use crate::sql::{Expression, Shape, literal_value};

/// PostgreSQL cuts identifiers at `NAMEDATALEN - 1` bytes.
const MAX_NAME_BYTES: usize = 63;

/// A name for each index, in their order: `jobs_state_run_after_idx`, `jobs_id_state_partial_idx`,
/// `events_at_brin_idx`, `scores_game_include_points_idx`. Where two would get the same one, or it is taken, a number is added. In
/// whatever schema: plans print index names without one, and a plan has to tell which index it
/// uses.
pub fn names<'a>(
    indexes: impl IntoIterator<Item = &'a Index>,
    taken: &BTreeSet<QualifiedName>,
) -> Vec<String> {
    let taken: BTreeSet<&str> = taken.iter().map(|name| name.name.as_str()).collect();
    let mut given: BTreeSet<String> = BTreeSet::new();
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    indexes
        .into_iter()
        .map(|index| {
            let wish = wished_name(index);
            loop {
                let number = next.entry(wish.clone()).or_insert(0);
                let suffix = if *number == 0 {
                    "_idx".to_owned()
                } else {
                    format!("_idx{number}")
                };
                *number += 1;
                let name = format!("{}{suffix}", cut(&wish, MAX_NAME_BYTES - suffix.len()));
                if !taken.contains(name.as_str()) && given.insert(name.clone()) {
                    return name;
                }
            }
        })
        .collect()
}

/// The columns as PostgreSQL's own names have them (`ChooseIndexName`,
/// src/backend/commands/indexcmds.c), and what tells the index from others with the same columns.
fn wished_name(index: &Index) -> String {
    let keys = index.keys.iter().map(key_word);
    let mut words: Vec<String> = keys.collect();
    let mut name = format!("{}_{}", index.table.name, words.join("_"));
    if !index.include.is_empty() {
        name += &format!("_include_{}", index.include.join("_"));
        words.extend(index.include.iter().cloned());
    }
    if let Some(predicate) = &index.predicate {
        let beside = predicate.columns.iter();
        let beside = beside.filter(|column| !words.contains(column));
        for column in beside {
            name += &format!("_{column}");
        }
        name += "_partial";
    }
    if index.method != Method::Btree {
        name += &format!("_{}", index.method.name());
    }
    if let Some(pages) = index.pages_per_range {
        name += &format!("_{pages}");
    }
    name
}

/// A key's words, with its operator class and its direction where they are not the usual ones.
fn key_word(key: &IndexKey) -> String {
    let mut name = word(&key.key);
    if let Some(class) = &key.operator_class {
        let class = class.rsplit('.').next().unwrap_or(class);
        let class = class.strip_suffix("_ops").unwrap_or(class);
        name += &format!("_{class}");
    }
    if key.descending {
        name += "_desc";
    }
    name
}

/// A column's own name; of an expression, its names and values: `lower(name)` → `lower_name`.
fn word(key: &Key) -> String {
    match key {
        Key::Column(name) => name.clone(),
        Key::Expression(expression) => {
            let mut words = Vec::new();
            add_words(expression, &mut words);
            // Another index holds the column itself.
            if let Shape::Cast { operand, type_name } = &expression.shape
                && matches!(operand.shape, Shape::Column(_))
            {
                add_text(type_name, &mut words);
            }
            words.join("_")
        }
    }
}

/// The words in the order they are written; types are left out.
fn add_words(expression: &Expression, words: &mut Vec<String>) {
    match &expression.shape {
        Shape::Column(name) => add_text(name, words),
        Shape::Constant => {
            // A text is data.
            let value = literal_value(&expression.text);
            if value.parse::<f64>().is_ok() {
                add_text(&value, words);
            }
        }
        Shape::Cast { operand, .. } => add_words(operand, words),
        Shape::Collate { operand, collation } => {
            add_words(operand, words);
            add_text(collation, words);
        }
        Shape::Binary {
            operator,
            left,
            right,
        } => {
            add_words(left, words);
            add_text(arithmetic(operator).unwrap_or(operator), words);
            match &right.shape {
                Shape::Constant | Shape::Cast { .. } if is_path(operator) => {
                    add_text(&literal_value(&right.text), words);
                }
                _ => add_words(right, words),
            }
        }
        Shape::Call {
            function,
            arguments,
        } => {
            add_text(&function.to_lowercase(), words);
            arguments
                .iter()
                .for_each(|argument| add_words(argument, words));
        }
        Shape::Extract { field, source } => {
            add_text("extract", words);
            add_text(&field.to_lowercase(), words);
            add_words(source, words);
        }
        _ => expression
            .columns
            .iter()
            .for_each(|name| add_text(name, words)),
    }
}

/// What a sign is called.
fn arithmetic(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "+" => "plus",
        "-" => "minus",
        "*" => "times",
        "/" => "over",
        "%" => "mod",
        _ => return None,
    })
}

/// What is on the right of these is the name of a field, and no data.
fn is_path(operator: &str) -> bool {
    matches!(operator, "->" | "->>" | "#>" | "#>>")
}

/// The letters and digits of a text: symbols are left out of names.
fn add_text(text: &str, words: &mut Vec<String>) {
    let found = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.extend(found.filter(|word| !word.is_empty()).map(ToOwned::to_owned));
}

/// The beginning of a name, cut at a maximum of bytes.
pub(crate) fn cut(name: &str, bytes: usize) -> &str {
    let mut end = name.len().min(bytes);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].trim_end_matches('_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::parse_index;

    fn name_of(definition: &str) -> String {
        let index = parse_index(&format!("CREATE INDEX x ON {definition}")).unwrap();
        names([&index], &BTreeSet::new()).remove(0)
    }

    #[test]
    fn names_say_what_an_index_holds() {
        assert_eq!(
            name_of("public.jobs (state, run_after)"),
            "jobs_state_run_after_idx"
        );
        assert_eq!(
            name_of("public.jobs (id) WHERE state = 'X'"),
            "jobs_id_state_partial_idx"
        );
        assert_eq!(name_of("public.jobs USING brin (at)"), "jobs_at_brin_idx");
        assert_eq!(
            name_of("public.games (lower(game_name))"),
            "games_lower_game_name_idx"
        );
        assert_eq!(
            name_of("public.events ((payload ->> 'aggregate_id'::text))"),
            "events_payload_aggregate_id_idx"
        );
        for (definition, name) in [
            (
                "public.jobs (at DESC) INCLUDE (note)",
                "jobs_at_desc_include_note_idx",
            ),
            (
                "public.jobs (code text_pattern_ops)",
                "jobs_code_text_pattern_idx",
            ),
            ("public.jobs (((num)::integer))", "jobs_num_integer_idx"),
            ("public.jobs ((cents / 100))", "jobs_cents_over_100_idx"),
            (
                "public.invoices (COALESCE(ref, 'Miller & Sons'::text))",
                "invoices_coalesce_ref_idx",
            ),
        ] {
            assert_eq!(name_of(definition), name);
        }
        let long = name_of(&format!("public.{} (a)", "t".repeat(70)));
        assert!(long.len() <= 63 && long.ends_with("_idx"), "{long}");
    }

    #[test]
    fn no_name_is_given_twice_or_taken() {
        let plain = parse_index("CREATE INDEX x ON public.jobs (id) WHERE a > 1").unwrap();
        let other = parse_index("CREATE INDEX x ON public.jobs (id) WHERE a > 2").unwrap();
        let taken = BTreeSet::from([QualifiedName::new("public", "jobs_id_a_partial_idx")]);
        assert_eq!(
            names([&plain, &other], &taken),
            ["jobs_id_a_partial_idx1", "jobs_id_a_partial_idx2"]
        );
        let elsewhere = BTreeSet::from([QualifiedName::new("app", "jobs_id_a_partial_idx")]);
        assert_eq!(
            names([&plain], &elsewhere),
            ["jobs_id_a_partial_idx1"],
            "a plan would not tell the two apart"
        );
    }
}
