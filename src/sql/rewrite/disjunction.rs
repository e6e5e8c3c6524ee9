//! `a = 1 OR b = 2`: one scan cannot be ordered by an index for both, and where the conditions are
//! on several tables, or one is a subquery, no index serves them together. In arms of a UNION ALL
//! each can use its own. A row is in the arm of the first condition that it fulfils, so the result
//! is the same, duplicates included.

use super::constants::{Constant, Value, constant};
use super::from_tables::{Rewriting, Schema};
use super::select::{SelectBlock, Span, divided, unwrapped};
use super::whole::{
    Item, calls_are_safe, items, only_select, order_term, order_terms, output_key, output_names,
    quoted,
};
use crate::sql::tokens::Tokens;

/// More arms than this are not worth reading.
const MAX_ARMS: usize = 6;

/// Clauses behind which rows are not those of FROM.
const OTHER_ROWS: &[&str] = &["group", "having", "window", "fetch", "for"];

/// A SELECT with such a condition.
pub fn union_of_arms(sql: &str, schema: &Schema<'_>) -> Option<Rewriting> {
    let tokens = Tokens::read(sql)?;
    let block = only_select(&tokens)?;
    let list = block.list();
    let plain = !OTHER_ROWS.iter().any(|clause| block.has(clause))
        && !tokens.is_one_of(list.0, &["distinct", "all"])
        && list.0 < list.1
        && (list.0..list.1).all(|position| !tokens.is_one_of(position, &["select", "over"]));
    let (from, where_) = (block.clause("from")?, block.clause("where")?);
    let safe = calls_are_safe(&tokens, list, false)
        && calls_are_safe(&tokens, from, true)
        && calls_are_safe(&tokens, where_, true);
    if !plain || !safe {
        return None;
    }
    let found = Disjunction::find(&tokens, (where_.0 + 1, where_.1))?;
    let order = Order::read(&tokens, &block, schema)?;
    let limit = Limit::read(&tokens, &block)?;
    if (limit.limit.is_some() || limit.offset.is_some()) && order.terms.is_empty() {
        // Any rows would do, and nobody knows which are returned now.
        return None;
    }
    if !found.is_over_columns(&tokens) && limit.limit.is_none() {
        return None;
    }
    let sql = found.written(&tokens, &block, (&order, &limit))?;
    let columns = found
        .arms
        .iter()
        .filter_map(|arm| tokens.text(arm.0, arm.1).map(str::to_owned))
        .collect();
    Some(Rewriting { sql, columns })
}

/// Conditions of which one must be fulfilled, and those that must be in any case.
struct Disjunction {
    arms: Vec<Span>,
    rest: Vec<Span>,
}

impl Disjunction {
    fn find(tokens: &Tokens<'_>, condition: Span) -> Option<Disjunction> {
        let whole = unwrapped(tokens, condition);
        let arms = divided(tokens, whole, "or");
        let (mut arms, rest) = if arms.len() > 1 {
            (arms, Vec::new())
        } else {
            let parts = divided(tokens, whole, "and");
            let of_part = |part: &Span| divided(tokens, unwrapped(tokens, *part), "or");
            let chosen = parts.iter().position(|part| {
                let arms = of_part(part);
                arms.len() > 1 && arms.iter().all(|arm| is_about_rows(tokens, *arm))
            })?;
            let rest = parts.iter().enumerate();
            let rest = rest.filter(|(position, _)| *position != chosen);
            (
                of_part(parts.get(chosen)?),
                rest.map(|(_, part)| *part).collect(),
            )
        };
        // A condition without a subquery is cheaper to leave out of other arms.
        arms.sort_by_key(|arm| has_subquery(tokens, *arm));
        let sound = (2..=MAX_ARMS).contains(&arms.len())
            && arms
                .iter()
                .all(|arm| arm.0 < arm.1 && is_about_rows(tokens, *arm));
        sound.then_some(Disjunction { arms, rest })
    }

    /// Are the conditions on different columns?
    fn is_over_columns(&self, tokens: &Tokens<'_>) -> bool {
        let first = |arm: &Span| {
            let (from, to) = unwrapped(tokens, *arm);
            let single = divided(tokens, (from, to), "and").len() == 1;
            tokens.column(from).filter(|_| single)
        };
        let columns: Vec<_> = self
            .arms
            .iter()
            .map(|arm| first(arm).map(|(column, _)| column))
            .collect();
        let mut pairs = columns.windows(2);
        pairs.any(|pair| matches!(pair, [a, b] if a != b || a.is_none()))
    }

    fn written(
        &self,
        tokens: &Tokens<'_>,
        block: &SelectBlock,
        (order, limit): (&Order, &Limit),
    ) -> Option<String> {
        let text = |span: Span| tokens.text(span.0, span.1);
        let select = format!(
            "SELECT {}{} {}",
            text(block.list())?,
            order.added(),
            text(block.clause("from")?)?
        );
        let tail = match block.clause("order") {
            Some(order) => format!(" {}{}", text(order)?, limit.of_arm()),
            None => String::new(),
        };
        let arms: Vec<String> = (0..self.arms.len())
            .map(|number| {
                let conditions = self.conditions_of(tokens, number)?;
                Some(format!("({select} WHERE {conditions}{tail})"))
            })
            .collect::<Option<_>>()?;
        let arms = arms.join("\nUNION ALL\n");
        Some(match &order.listed {
            Some(names) => format!(
                "SELECT {names} FROM (\n{arms}\n) AS arms{}{}",
                order.written(),
                limit.written()
            ),
            None => format!("{arms}{}{}", order.written(), limit.written()),
        })
    }

    fn conditions_of(&self, tokens: &Tokens<'_>, number: usize) -> Option<String> {
        let mut conditions = Vec::new();
        for part in &self.rest {
            conditions.push(tokens.text(part.0, part.1)?.to_owned());
        }
        for (at, arm) in self.arms.iter().enumerate().take(number + 1) {
            let bare = unwrapped(tokens, *arm);
            let text = tokens.text(bare.0, bare.1)?;
            conditions.push(if at == number && divided(tokens, bare, "or").len() == 1 {
                text.to_owned()
            } else if at == number {
                format!("({text})")
            } else {
                format!("({text}) IS NOT TRUE")
            });
        }
        Some(conditions.join(" AND "))
    }
}

fn has_subquery(tokens: &Tokens<'_>, (from, to): Span) -> bool {
    (from..to).any(|position| tokens.is_word(position, "select"))
}

/// Not `$1 IS NULL`, which is the same for all rows.
fn is_about_rows(tokens: &Tokens<'_>, arm: Span) -> bool {
    let (from, to) = unwrapped(tokens, arm);
    let is = (from..to).find(|position| tokens.is_word(*position, "is"));
    let constant_is = is.is_some_and(|is| constant(tokens, (from, is)).is_some());
    let negated = tokens.is_word(from, "not");
    let literal = to == from + 1 && tokens.is_one_of(from, &["true", "false", "null"]);
    !constant_is && !negated && !literal
}

/// ORDER BY of the whole.
struct Order {
    /// What the result is ordered by, as it can be named behind UNION ALL.
    terms: Vec<String>,
    /// Expressions that arms have to return for that.
    more: Vec<String>,
    /// What the statement returns, where arms return more.
    listed: Option<String>,
}

impl Order {
    fn read(tokens: &Tokens<'_>, block: &SelectBlock, schema: &Schema<'_>) -> Option<Order> {
        let items: Vec<Item> = items(tokens, block.list());
        let (mut terms, mut more) = (Vec::new(), Vec::new());
        for term in order_terms(tokens, block) {
            let (key, direction) = order_term(tokens, term)?;
            let name = match output_key(tokens, key, (&items, block), schema) {
                Some(name) => name,
                None => {
                    if !calls_are_safe(tokens, key, false) || has_subquery(tokens, key) {
                        return None;
                    }
                    let name = format!("order_key_{}", more.len() + 1);
                    more.push(format!("{} AS {name}", tokens.text(key.0, key.1)?));
                    name
                }
            };
            terms.push(if direction.is_empty() {
                name
            } else {
                format!("{name} {direction}")
            });
        }
        let listed = if more.is_empty() {
            None
        } else {
            let names = output_names(&items, block, schema)?;
            let taken = names.iter().any(|name| name.starts_with("order_key_"));
            let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            Some(names.join(", ")).filter(|_| !taken)
        };
        (more.is_empty() || listed.is_some()).then_some(Order {
            terms,
            more,
            listed,
        })
    }

    fn added(&self) -> String {
        let added = self.more.iter().map(|item| format!(", {item}"));
        added.collect()
    }

    fn written(&self) -> String {
        if self.terms.is_empty() {
            String::new()
        } else {
            format!("\nORDER BY {}", self.terms.join(", "))
        }
    }
}

/// LIMIT and OFFSET.
struct Limit {
    limit: Option<String>,
    offset: Option<String>,
    /// The rows of each arm that can be among those of the result.
    arm: Option<String>,
}

impl Limit {
    fn read(tokens: &Tokens<'_>, block: &SelectBlock) -> Option<Limit> {
        let number = |clause: &str| match block.clause(clause) {
            None => Some(None),
            Some((start, end)) => {
                let found = constant(tokens, (start + 1, end))?;
                let usable = match &found.value {
                    Value::Number(number) => number.parse::<u32>().is_ok(),
                    Value::Parameter => true,
                    Value::String(_) => false,
                };
                usable.then_some(Some(found))
            }
        };
        let (limit, offset) = (number("limit")?, number("offset")?);
        if block.has("limit") != limit.is_some() || block.has("offset") != offset.is_some() {
            return None;
        }
        let plain = |found: &Constant<'_>| match found.value {
            Value::Number(ref number) => number.parse::<u64>().ok(),
            _ => None,
        };
        let typed = |found: &Constant<'_>| match found.value {
            Value::Parameter => format!("{}::bigint", found.text),
            _ => found.text.to_owned(),
        };
        let arm = match (&limit, &offset) {
            (None, _) => None,
            (Some(limit), None) => Some(limit.text.to_owned()),
            (Some(limit), Some(offset)) => Some(match (plain(limit), plain(offset)) {
                (Some(limit), Some(offset)) => (limit + offset).to_string(),
                _ => format!("{} + {}", typed(limit), typed(offset)),
            }),
        };
        Some(Limit {
            limit: limit.map(|found| found.text.to_owned()),
            offset: offset.map(|found| found.text.to_owned()),
            arm,
        })
    }

    fn of_arm(&self) -> String {
        let limit = self.arm.as_ref();
        limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"))
    }

    fn written(&self) -> String {
        let part = |word: &str, value: &Option<String>| {
            let value = value.as_ref();
            value.map_or_else(String::new, |value| format!(" {word} {value}"))
        };
        part("LIMIT", &self.limit) + &part("OFFSET", &self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::super::from_tables::{FromTable, KnownColumn, KnownTable};
    use super::*;

    fn rewritten(sql: &str) -> Option<String> {
        let schema = |table: &FromTable| {
            let columns: &[&str] = match table.name.as_str() {
                "chat" => &["id", "sender", "rcpt", "sent_at"],
                "client" => &["id", "email", "name"],
                "sale" => &["id", "client_id", "ref"],
                _ => return None,
            };
            let column = |name: &&str| KnownColumn {
                name: (*name).to_owned(),
                type_name: "integer".to_owned(),
                not_null: true,
                groups: None,
                parent: None,
            };
            Some(KnownTable {
                columns: columns.iter().map(column).collect(),
            })
        };
        union_of_arms(sql, &schema).map(|rewriting| rewriting.sql)
    }

    #[test]
    fn each_condition_gets_an_arm_that_is_ordered_and_limited() {
        for (sql, wanted) in [
            (
                "select * from chat where (sender=4 or rcpt=5) order by sent_at desc limit 20",
                "(SELECT * from chat WHERE sender=4 order by sent_at desc LIMIT 20)\nUNION ALL\n\
                 (SELECT * from chat WHERE (sender=4) IS NOT TRUE AND rcpt=5 order by sent_at desc LIMIT 20)\n\
                 ORDER BY sent_at desc LIMIT 20",
            ),
            (
                "SELECT c.id, c.\"sent_at\" AS \"When\" FROM chat c WHERE c.id > 7 AND (c.sender = $1 OR (c.rcpt = $1 AND c.id < 9)) \
                 ORDER BY c.sent_at DESC NULLS LAST, 1 LIMIT $2 OFFSET $3",
                "(SELECT c.id, c.\"sent_at\" AS \"When\" FROM chat c WHERE c.id > 7 AND c.sender = $1 ORDER BY c.sent_at DESC NULLS LAST, 1 LIMIT $2::bigint + $3::bigint)\n\
                 UNION ALL\n\
                 (SELECT c.id, c.\"sent_at\" AS \"When\" FROM chat c WHERE c.id > 7 AND (c.sender = $1) IS NOT TRUE AND c.rcpt = $1 AND c.id < 9 \
                 ORDER BY c.sent_at DESC NULLS LAST, 1 LIMIT $2::bigint + $3::bigint)\n\
                 ORDER BY \"When\" DESC NULLS LAST, 1 LIMIT $2 OFFSET $3",
            ),
            (
                "SELECT s.id, s.ref FROM sale s JOIN client c ON c.id = s.client_id WHERE s.ref = 'x' OR c.email = 'y' ORDER BY c.name LIMIT 5 OFFSET 10",
                "SELECT id, ref FROM (\n\
                 (SELECT s.id, s.ref, c.name AS order_key_1 FROM sale s JOIN client c ON c.id = s.client_id WHERE s.ref = 'x' ORDER BY c.name LIMIT 15)\n\
                 UNION ALL\n\
                 (SELECT s.id, s.ref, c.name AS order_key_1 FROM sale s JOIN client c ON c.id = s.client_id WHERE (s.ref = 'x') IS NOT TRUE AND c.email = 'y' ORDER BY c.name LIMIT 15)\n\
                 ) AS arms\nORDER BY order_key_1 LIMIT 5 OFFSET 10",
            ),
            (
                "SELECT s.* FROM sale s WHERE s.client_id IN (SELECT id FROM client WHERE email = 'y') OR s.ref = 'x'",
                "(SELECT s.* FROM sale s WHERE s.ref = 'x')\nUNION ALL\n\
                 (SELECT s.* FROM sale s WHERE (s.ref = 'x') IS NOT TRUE AND s.client_id IN (SELECT id FROM client WHERE email = 'y'))",
            ),
        ] {
            assert_eq!(rewritten(sql).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn what_cannot_be_divided_stays() {
        for sql in [
            "SELECT count(*) FROM chat WHERE sender = 4 OR rcpt = 5",
            "SELECT DISTINCT id FROM chat WHERE sender = 4 OR rcpt = 5",
            "SELECT id FROM chat WHERE sender = 4 OR rcpt = 5 GROUP BY id",
            "SELECT id FROM chat WHERE sender = 4 OR rcpt = 5 FOR UPDATE",
            "SELECT id FROM chat WHERE sender = 4 OR rcpt = 5 LIMIT 3",
            "SELECT id, random() FROM chat WHERE sender = 4 OR rcpt = 5",
            "SELECT id FROM chat WHERE sender = 4 OR rcpt = nextval('s')",
            "SELECT id FROM chat WHERE sender = 4 OR rcpt = own.f(5)",
            "SELECT id, row_number() OVER () FROM chat WHERE sender = 4 OR rcpt = 5",
            "SELECT id FROM chat TABLESAMPLE bernoulli (5) WHERE sender = 4 OR rcpt = 5",
            "SELECT id FROM chat WHERE sender = 4 OR rcpt = 5 UNION SELECT 1",
            "WITH c AS (SELECT 1) SELECT id FROM chat WHERE sender = 4 OR rcpt = 5",
            "SELECT id FROM chat WHERE NOT (sender = 4 OR rcpt = 5)",
            "SELECT id FROM chat WHERE ($1 IS NULL OR rcpt = $1) AND id = 3",
            "SELECT id FROM chat WHERE sender = 4 OR sender = 5",
            "SELECT id FROM chat WHERE sender = 4 AND rcpt = 5",
            "SELECT * FROM sale s, client c WHERE s.ref = 'x' OR c.email = 'y' ORDER BY s.id + c.id LIMIT 5",
            "SELECT id FROM chat WHERE sender = 4 OR rcpt = 5 ORDER BY id COLLATE \"C\" LIMIT 5",
        ] {
            assert_eq!(rewritten(sql), None, "{sql}");
        }
    }
}
