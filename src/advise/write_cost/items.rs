//! How many keys a row has in an index that takes values apart (GIN, and GiST over signatures),
//! from statistics.

use crate::catalog::{Column, Table};
use crate::index::{Index, IndexKey, Key, Method};
use crate::sql::Expression;

/// A row's keys in an index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Items {
    /// How many, on average.
    pub(super) number: f64,
    /// They are texts, or else numbers of four bytes: hashes, trigrams, integers.
    pub(super) are_texts: bool,
}

/// A value of a scalar type is its own key (btree_gin).
const ITSELF: Items = Items {
    number: 1.0,
    are_texts: false,
};

/// Of a value without statistics.
const UNKNOWN_WIDTH_BYTES: f64 = 32.0;
/// Header of an array, with its dimension and its bounds (`ARR_OVERHEAD_NONULLS(1)`,
/// src/include/utils/array.h).
const ARRAY_HEADER_BYTES: f64 = 24.0;
/// An element of an array without statistics of elements.
const ELEMENT_BYTES: f64 = 8.0;
/// A key or a value of a document with its entry (`JEntry`), or of an hstore.
const DOCUMENT_ITEM_BYTES: f64 = 10.0;
/// A lexeme in a tsvector: its entry of four bytes, some letters, and its positions
/// (src/include/tsearch/ts_type.h).
const LEXEME_BYTES: f64 = 16.0;
/// A word of a text, with what is between words and those that are no lexemes.
const WORD_BYTES: f64 = 8.0;

/// The keys of a row in this index; none where its method stores a row as one.
pub(super) fn of_index(index: &Index, table: &Table) -> Option<Items> {
    let takes_apart = match index.method {
        Method::Gin => true,
        Method::Gist => index.keys.iter().any(|key| has_signatures(key, table)),
        _ => false,
    };
    if !takes_apart {
        return None;
    }
    let items = index.keys.iter().map(|key| of_key(key, table));
    items.reduce(|one, other| Items {
        number: one.number + other.number,
        are_texts: one.are_texts || other.are_texts,
    })
}

/// Does GiST hash what is in a value into a signature?
fn has_signatures(key: &IndexKey, table: &Table) -> bool {
    is_of_trigrams(key)
        || key.operator_class.as_deref().is_some_and(|class| {
            class.contains("hstore") || class.contains("intset") || class.contains("intbig")
        })
        || is_text_search(key, table)
}

fn is_of_trigrams(key: &IndexKey) -> bool {
    let class = key.operator_class.as_deref();
    class.is_some_and(|class| class.contains("trgm"))
}

fn is_text_search(key: &IndexKey, table: &Table) -> bool {
    match &key.key {
        Key::Column(name) => table
            .column(name)
            .is_some_and(|column| column.type_name == "tsvector"),
        Key::Expression(expression) => makes_lexemes(expression),
    }
}

fn makes_lexemes(expression: &Expression) -> bool {
    expression.text.to_lowercase().contains("to_tsvector(")
}

fn of_key(key: &IndexKey, table: &Table) -> Items {
    let column = match &key.key {
        Key::Column(name) => table.column(name),
        Key::Expression(_) => None,
    };
    let width = match &key.key {
        Key::Column(_) => column.map_or(UNKNOWN_WIDTH_BYTES, width),
        Key::Expression(expression) => {
            let columns = expression.columns.iter();
            let widths = columns.filter_map(|name| table.column(name)).map(width);
            widths.sum::<f64>().max(1.0)
        }
    };
    let type_name = column.map_or("", |column| column.type_name.as_str());
    let class = key.operator_class.as_deref().unwrap_or_default();
    let at_least_one = |number: f64, are_texts| Items {
        number: number.max(1.0),
        are_texts,
    };
    if class.contains("trgm") {
        // A trigram begins with each character, and one more before each word.
        return at_least_one(width, false);
    }
    if class.contains("jsonb_path") {
        return at_least_one(width / DOCUMENT_ITEM_BYTES / 2.0, false);
    }
    if type_name == "tsvector" {
        return at_least_one(width / LEXEME_BYTES, true);
    }
    if let Key::Expression(expression) = &key.key
        && makes_lexemes(expression)
    {
        return at_least_one(width / WORD_BYTES, true);
    }
    if let Some(element) = type_name.strip_suffix("[]") {
        let counted = column
            .and_then(|column| column.statistics.as_ref())
            .and_then(|statistics| statistics.elements);
        let guess = (width - ARRAY_HEADER_BYTES) / ELEMENT_BYTES;
        return at_least_one(counted.unwrap_or(guess), is_text(element));
    }
    if column.is_none() || matches!(type_name, "jsonb" | "hstore") || type_name.ends_with(".hstore")
    {
        return at_least_one(width / DOCUMENT_ITEM_BYTES, true);
    }
    ITSELF
}

fn width(column: &Column) -> f64 {
    let statistics = column.statistics.as_ref();
    let known = statistics.map(|statistics| f64::from(statistics.average_width_bytes));
    known
        .filter(|width| *width > 0.0)
        .unwrap_or(UNKNOWN_WIDTH_BYTES)
}

fn is_text(type_name: &str) -> bool {
    matches!(
        type_name.split('(').next().unwrap_or_default(),
        "text" | "character varying" | "character" | "citext" | "bytea" | "numeric"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ColumnStatistics;
    use crate::index::parse_index;
    use crate::planner::test_planner::{catalog, table};

    /// The average widths are those of real tables, with what their rows really have.
    fn number(definition: &str, width_bytes: u32, elements: Option<f64>) -> Option<f64> {
        let table = table(
            "orders",
            &[
                "tags integer[]",
                "doc jsonb",
                "body text",
                "tsv tsvector",
                "n integer",
            ],
        );
        let mut catalog = catalog([table]);
        let table = &mut catalog.tables[0];
        for column in &mut table.columns {
            column.statistics = Some(ColumnStatistics {
                average_width_bytes: width_bytes,
                elements,
                ..ColumnStatistics::default()
            });
        }
        let index = parse_index(&format!("CREATE INDEX i ON public.orders {definition}")).unwrap();
        of_index(&index, table).map(|items| items.number)
    }

    #[test]
    fn keys_are_counted_by_what_a_class_takes_a_value_apart_into() {
        assert_eq!(number("USING gin (tags)", 53, Some(7.9)), Some(7.9));
        for (definition, width_bytes, real) in [
            ("USING gin (doc)", 137, 11.0),
            ("USING gin (doc jsonb_path_ops)", 137, 6.0),
            ("USING gin (body gin_trgm_ops)", 24, 24.0),
            ("USING gin (body public.gin_trgm_ops)", 243, 200.0),
            ("USING gin (tsv)", 480, 27.0),
            (
                "USING gin (to_tsvector('simple'::regconfig, body))",
                243,
                27.0,
            ),
            ("USING gist (tsv)", 480, 27.0),
            ("USING gist (body gist_trgm_ops)", 24, 24.0),
            ("USING gin (n, tags)", 53, 8.0),
        ] {
            let estimate = number(definition, width_bytes, None).unwrap();
            assert!(
                (0.5..2.0).contains(&(estimate / real)),
                "{definition}: {estimate} of {real}"
            );
        }
    }

    #[test]
    fn other_methods_store_a_row_as_one() {
        for definition in [
            "(body)",
            "USING gist (n)",
            "USING brin (n)",
            "USING hash (body)",
        ] {
            assert_eq!(number(definition, 30, None), None, "{definition}");
        }
        assert_eq!(number("USING gin (n)", 4, None), Some(1.0));
    }
}
