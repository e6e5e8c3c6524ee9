//! Rows in groups that are joined with the table that has each group once, by a foreign key:
//! `FROM readings r JOIN devices d ON d.id = r.device WHERE d.site = 7`. LATERAL then reads the first
//! rows of each device of the site, and the others not at all.

use sqlparser::tokenizer::Token;

use super::from_tables::{FromTable, KnownColumn, Schema};
use super::select::{SelectBlock, Span, divided, unwrapped};
use super::whole::{calls_are_safe, only_column, quoted};
use crate::sql::tokens::{Column, Tokens};

/// How the rows are joined with their groups.
pub(super) struct Joined {
    /// The table of the groups, as it stands in FROM.
    pub(super) parent: String,
    /// That of the rows.
    pub(super) rows: String,
    /// The key of a group, with its table's alias.
    pub(super) group: String,
    /// Conditions on the table of the groups alone, behind ` WHERE `, if there are any.
    pub(super) of_groups: String,
    /// All others, each with AND behind it.
    pub(super) of_rows: String,
}

/// The joined tables of a SELECT that is grouped by this column, which is the key of the groups or what
/// refers to it; and the referring column, with its name.
pub(super) fn read(
    tokens: &Tokens<'_>,
    block: &SelectBlock,
    key: &Column,
    schema: &Schema<'_>,
) -> Option<(Joined, KnownColumn, String)> {
    let (from, end) = block.clause("from")?;
    let where_ = block.clause("where");
    let is_safe = calls_are_safe(tokens, (from, end), false)
        && where_.is_none_or(|where_| calls_are_safe(tokens, where_, true));
    let [Some(first), Some(second)] = block.from.as_slice() else {
        return None;
    };
    let (items, on) = two_items(tokens, (from + 1, end)).filter(|_| is_safe)?;
    let parts = |span: Option<Span>| {
        let whole = span.map(|span| unwrapped(tokens, span));
        whole.map_or_else(Vec::new, |whole| divided(tokens, whole, "and"))
    };
    let mut conditions = [
        parts(on),
        parts(where_.map(|(start, end)| (start + 1, end))),
    ]
    .concat();
    let place = conditions
        .iter()
        .position(|condition| link(tokens, block, *condition, schema).is_some())?;
    let link = link(tokens, block, conditions.remove(place), schema)?;
    let grouped_by = block.column_of(key, schema)?;
    let by_link = [&link.referring, &link.referred].contains(&&grouped_by);
    let (rows, parent) = match link.referring.0 == *first && link.referred.0 == *second {
        true => (items[0], items[1]),
        false => (items[1], items[0]),
    };
    let (of_groups, of_rows): (Vec<Span>, Vec<Span>) = conditions
        .into_iter()
        .partition(|condition| reads_only(tokens, block, *condition, &link.referred.0, schema));
    let joined = |conditions: &[Span]| -> Option<Vec<String>> {
        let texts = conditions.iter().map(|(from, to)| {
            let text = tokens.text(*from, *to)?;
            Some(match divided(tokens, (*from, *to), "or").len() {
                1 => text.to_owned(),
                _ => format!("({text})"),
            })
        });
        texts.collect()
    };
    let name = |(table, column): &(FromTable, KnownColumn)| {
        format!("{}.{}", quoted(&table.alias), quoted(&column.name))
    };
    let of_groups = joined(&of_groups)?.join(" AND ");
    let of_rows = joined(&of_rows)?.into_iter();
    let found = Joined {
        parent: tokens.text(parent.0, parent.1)?.to_owned(),
        rows: tokens.text(rows.0, rows.1)?.to_owned(),
        group: name(&link.referred),
        of_groups: match of_groups.as_str() {
            "" => of_groups,
            _ => format!(" WHERE {of_groups}"),
        },
        of_rows: of_rows.map(|condition| condition + " AND ").collect(),
    };
    let key = name(&link.referring);
    by_link.then_some((found, link.referring.1, key))
}

/// The two tables of FROM, and the condition of their JOIN; a comma has none.
fn two_items(tokens: &Tokens<'_>, (from, end): Span) -> Option<([Span; 2], Option<Span>)> {
    let find = |word: &str| (from..end).find(|position| tokens.is_word(*position, word));
    let other = [
        "left",
        "right",
        "full",
        "cross",
        "natural",
        "using",
        "lateral",
        "only",
        "tablesample",
    ];
    if other.iter().any(|word| find(word).is_some()) {
        return None;
    }
    if let Some(join) = find("join") {
        let on = find("on").filter(|on| *on > join)?;
        let before = if tokens.is_word(join - 1, "inner") {
            join - 1
        } else {
            join
        };
        return Some(([(from, before), (join + 1, on)], Some((on + 1, end))));
    }
    let comma = (from..end).find(|position| tokens.at(*position) == Some(&Token::Comma))?;
    Some(([(from, comma), (comma + 1, end)], None))
}

/// A condition that joins a column with what its foreign key refers to.
struct Link {
    referring: (FromTable, KnownColumn),
    referred: (FromTable, KnownColumn),
}

fn link(
    tokens: &Tokens<'_>,
    block: &SelectBlock,
    condition: Span,
    schema: &Schema<'_>,
) -> Option<Link> {
    let condition = unwrapped(tokens, condition);
    let equal = (condition.0..condition.1).find(|at| tokens.at(*at) == Some(&Token::Eq))?;
    let side = |span: Span| block.column_of(&only_column(tokens, span)?, schema);
    let sides = [side((condition.0, equal))?, side((equal + 1, condition.1))?];
    let refers = |from: &(FromTable, KnownColumn), to: &(FromTable, KnownColumn)| {
        let parent = from.1.parent.as_ref();
        parent.is_some_and(|parent| {
            let schema = to.0.schema.as_ref();
            parent.table.name == to.0.name
                && schema.is_none_or(|schema| *schema == parent.table.schema)
                && parent.column == to.1.name
        })
    };
    let [first, second] = sides;
    let is_self = first.0 == second.0;
    match (refers(&first, &second), refers(&second, &first)) {
        _ if is_self => None,
        (true, false) => Some(Link {
            referring: first,
            referred: second,
        }),
        (false, true) => Some(Link {
            referring: second,
            referred: first,
        }),
        _ => None,
    }
}

/// Is a condition about this table alone, and no subquery in it?
fn reads_only(
    tokens: &Tokens<'_>,
    block: &SelectBlock,
    (from, to): Span,
    table: &FromTable,
    schema: &Schema<'_>,
) -> bool {
    let mut position = from;
    while position < to {
        if tokens.is_word(position, "select") {
            return false;
        }
        let Some((column, next)) = tokens.column(position) else {
            position += 1;
            continue;
        };
        let is_own = match (&column.qualifier, block.column_of(&column, schema)) {
            (Some(qualifier), _) => *qualifier == table.alias,
            (None, Some((of, _))) => of == *table,
            // A word that is no column.
            (None, None) => true,
        };
        if !is_own {
            return false;
        }
        position = next.max(position + 1);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::from_tables::{KnownTable, ParentKey};
    use super::super::groups::{Groups, group_by_group};
    use super::*;
    use crate::model::QualifiedName;

    fn rewritten(sql: &str) -> Option<String> {
        let column = |(name, type_name, parent): (&str, &str, bool)| KnownColumn {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            not_null: true,
            groups: None,
            parent: parent.then(|| ParentKey {
                table: QualifiedName::new("public", "devices"),
                column: "id".to_owned(),
            }),
        };
        let schema = |table: &FromTable| {
            let columns = match table.name.as_str() {
                "devices" => vec![
                    ("id", "integer", false),
                    ("site", "integer", false),
                    ("name", "text", false),
                ],
                "readings" => vec![
                    ("device", "integer", true),
                    ("at", "timestamp with time zone", false),
                    ("value", "numeric", false),
                ],
                _ => return None,
            };
            let columns = columns.into_iter().map(column).collect();
            Some(KnownTable { columns })
        };
        let found = group_by_group(sql, Groups::Parent, &schema);
        found.map(|(rewriting, _)| rewriting.sql)
    }

    #[test]
    fn the_groups_are_those_that_are_joined() {
        for (sql, wanted) in [
            (
                "SELECT DISTINCT ON (r.device) r.device, d.name, r.at FROM readings r JOIN devices d ON d.id = r.device \
                 WHERE site = 7 AND (r.value > 3 OR d.name = 'x') ORDER BY r.device DESC, r.at DESC LIMIT 5",
                "SELECT first_rows.* FROM devices d CROSS JOIN LATERAL (SELECT r.device, d.name, r.at FROM readings r \
                 WHERE (r.value > 3 OR d.name = 'x') AND r.device = d.id ORDER BY r.at DESC LIMIT 1) AS first_rows WHERE site = 7\n\
                 ORDER BY d.id DESC LIMIT 5",
            ),
            (
                "SELECT DISTINCT ON (d.id) r.* FROM devices d, readings r WHERE r.device = d.id AND d.site = $1 ORDER BY d.id, r.at DESC",
                "SELECT first_rows.* FROM devices d CROSS JOIN LATERAL (SELECT r.* FROM readings r WHERE r.device = d.id \
                 ORDER BY r.at DESC LIMIT 1) AS first_rows WHERE d.site = $1\nORDER BY d.id",
            ),
            (
                "SELECT q.device, q.value FROM (SELECT r.device, r.value, row_number() OVER (PARTITION BY r.device ORDER BY r.at DESC) AS n \
                 FROM readings r JOIN devices d ON d.id = r.device AND d.site = 7) q WHERE n <= 2",
                "SELECT q.device, q.value FROM (SELECT first_rows.* FROM devices d CROSS JOIN LATERAL (SELECT r.device, r.value, row_number() OVER \
                 (PARTITION BY r.device ORDER BY r.at DESC) AS n FROM readings r WHERE r.device = d.id ORDER BY r.at DESC LIMIT 2) AS first_rows \
                 WHERE d.site = 7) q WHERE n <= 2",
            ),
            (
                "SELECT r.device, max(r.at) FROM readings r JOIN devices d ON r.device = d.id WHERE d.site = 7 GROUP BY r.device",
                "SELECT first_rows.* FROM devices d CROSS JOIN LATERAL (SELECT r.device, r.at AS max FROM readings r WHERE r.device = d.id \
                 ORDER BY r.at DESC LIMIT 1) AS first_rows WHERE d.site = 7",
            ),
        ] {
            assert_eq!(rewritten(sql).as_deref(), Some(wanted), "{sql}");
        }
    }

    #[test]
    fn other_joins_stay() {
        let order = "ORDER BY r.device, r.at DESC";
        for from in [
            "r.at FROM readings r LEFT JOIN devices d ON d.id = r.device",
            "r.at FROM readings r JOIN devices d ON d.site = r.device",
            "r.at FROM readings r JOIN devices d USING (id)",
            "r.at FROM readings r JOIN devices d ON d.id = r.device JOIN devices e ON e.id = d.site",
            "* FROM readings r JOIN devices d ON d.id = r.device",
            "r.at FROM readings r JOIN devices d ON d.id = r.device WHERE random() < r.value",
            "r.at FROM readings r JOIN LATERAL (SELECT 1 AS id) d ON d.id = r.device",
        ] {
            let sql = format!("SELECT DISTINCT ON (r.device) {from} {order}");
            assert_eq!(rewritten(&sql), None, "{sql}");
        }
    }
}
