//! A scan that keeps few of the rows it reads, for a reason that no other rule explains: the
//! condition is one that a plain index on a column does not serve. Says which index does, or how to
//! write the condition so that one can.

use super::fixed_expression::is_fixed;
use super::index_proposal::{create_index, scan_use, with_contrib_classes};
use super::internal;
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::Subject;
use super::waste::waste;
use crate::candidate;
use crate::index::Method;
use crate::model::{quote_identifier, quote_literal};
use crate::plan::{Node, NodeType};
use crate::predicate::Relation;
use crate::sql::{Expression, Shape, literal_value};

pub(super) const RULE: Rule = Rule {
    name: "unserved-filter",
    max_severity: Severity::Critical,
    looks_for: "a scan that keeps at most a tenth of the rows it reads, with a condition that no plain index serves",
    why: "the whole table is read for a few rows; another kind of index, or another way to write the condition, leads to them",
    source: "https://www.postgresql.org/docs/current/indexes-types.html",
    check: Check::Rest(
        &[
            NodeType::SeqScan,
            NodeType::IndexScan,
            NodeType::IndexOnlyScan,
            NodeType::BitmapHeapScan,
            NodeType::CustomScan,
            NodeType::CteScan,
            NodeType::FunctionScan,
        ],
        check,
    ),
};

/// Rules that explain why a scan reads rows for nothing. What another rule says about its nodes (the
/// time it waits, the blocks it touches) is no explanation.
pub(super) const EXPLAINING: &[&str] = &[
    "correlated-subquery",
    "foreign-filter",
    "index-filter",
    "join-reads-all",
    "leading-wildcard",
    "or-prevents-index",
    "repeated-scan",
    "selective-seq-scan",
    "wrapped-column",
    "wrong-order-index",
];

/// What serves a condition: a sentence, and the index as what follows `CREATE INDEX … ON table`.
struct Remedy {
    sentence: String,
    index: Option<String>,
}

impl Remedy {
    fn index(sentence: impl Into<String>, index: String) -> Remedy {
        Remedy {
            sentence: sentence.into(),
            index: Some(index),
        }
    }

    fn words(sentence: impl Into<String>) -> Remedy {
        Remedy {
            sentence: sentence.into(),
            index: None,
        }
    }
}

fn check(subject: &Subject<'_>, node: &Node) -> Option<Draft> {
    let waste = waste(subject, node)?;
    let node = subject.node(node.id);
    let table = subject
        .table_name(node)
        .unwrap_or_else(|| "the relation".to_owned());
    let remedy = remedy(subject, node);
    let has_table = !matches!(
        node.node_type(),
        NodeType::CustomScan | NodeType::CteScan | NodeType::FunctionScan
    );
    let what = if !has_table {
        node.title()
    } else {
        format!("the scan of {table}")
    };
    let message = format!(
        "{what} {} ({}). {}",
        waste.text(),
        subject.impact_text(waste.impact),
        remedy.sentence
    );
    let action = remedy
        .index
        .and_then(|index| Some(format!("{} {index};", subject.create_index_on(node)?)));
    Some(Draft::new(node, waste.impact, message).action(action))
}

fn remedy(subject: &Subject<'_>, node: &Node) -> Remedy {
    if *node.node_type() == NodeType::CustomScan {
        return Remedy::words(
            "The rows are decompressed first and filtered then: a column to segment or order the compressed rows by, with which whole \
             batches are skipped, is what helps.",
        );
    }
    if *node.node_type() == NodeType::CteScan {
        return Remedy::words(
            "The common table expression is computed in whole and filtered then: write the condition within it, or NOT MATERIALIZED \
             (PostgreSQL 12 and later) where that does not compute it twice.",
        );
    }
    if *node.node_type() == NodeType::FunctionScan {
        return Remedy::words(
            "The function returns all rows before they are filtered: give it the condition as an argument, or write it in SQL so that it \
             can be inlined (LANGUAGE sql, STABLE, not STRICT).",
        );
    }
    let (Some(relation), Some(filter)) =
        (subject.relation(node), subject.condition(node, "Filter"))
    else {
        return Remedy::words(format!(
            "No index is known for {}.",
            node.filter().unwrap_or("its condition")
        ));
    };
    let conjuncts = filter.conjuncts();
    let known = conjuncts
        .iter()
        .filter_map(|conjunct| of_conjunct(conjunct, relation))
        .max_by_key(|remedy| remedy.index.is_some());
    let generated = || generated(subject, node);
    let remedy = known.or_else(generated).unwrap_or_else(|| {
        Remedy::words(format!(
            "No index serves {} as it is written: an index needs a column, or an expression of columns of this table, on one side of an \
             operator, and a value that does not change from row to row on the other.",
            filter.text
        ))
    });
    if internal::is_remote(subject, node) || internal::is_internal(node) {
        return Remedy::words(remedy.sentence);
    }
    remedy
}

/// The best candidate of the generators that the advice uses.
fn generated(subject: &Subject<'_>, node: &Node) -> Option<Remedy> {
    let wanted = scan_use(subject, node, &["Filter"])?;
    let catalog = with_contrib_classes(subject.plan_catalog());
    let plain = create_index(subject, node, &wanted).is_some();
    let candidates = candidate::for_relation(&wanted, &catalog);
    let best = candidates
        .to_try
        .into_iter()
        .find(|candidate| plain || candidate.index.method != Method::Btree)?;
    Some(Remedy::index(
        "An index can find these rows.",
        best.index.body(),
    ))
}

/// What serves one condition; none when that is not known.
fn of_conjunct(conjunct: &Expression, relation: Relation<'_>) -> Option<Remedy> {
    match &conjunct.shape {
        Shape::Binary {
            operator,
            left,
            right,
        } => of_operator(operator, left, right, relation),
        Shape::AnyOf { operand, array, .. } => any_of_column(operand, array, relation),
        Shape::NullTest {
            operand,
            negated: true,
        } => {
            let column = column(operand, relation)?;
            Some(partial(&column, &conjunct.text))
        }
        Shape::TruthTest { operand, .. } => {
            let column = column(operand, relation)?;
            Some(partial(&column, &conjunct.text))
        }
        Shape::Not(operand) => not(operand, conjunct, relation),
        Shape::Column(_) => {
            let column = column(conjunct, relation)?;
            Some(partial(&column, &conjunct.text))
        }
        Shape::Or(sides) if same_column(sides, relation).is_some() => {
            let column = same_column(sides, relation)?;
            Some(Remedy::index(
                format!("An index on {column} serves each side of the OR (BitmapOr)."),
                format!("({column})"),
            ))
        }
        Shape::Or(_) => Some(Remedy::words(
            "A single index cannot serve an OR; one index for each side can be combined (BitmapOr), when each side is a condition that an \
             index serves, or the query is written as a UNION.",
        )),
        Shape::Call {
            function,
            arguments,
        } => call(function, arguments, relation),
        _ => None,
    }
}

/// The column that all sides of an OR compare.
fn same_column(sides: &[Expression], relation: Relation<'_>) -> Option<String> {
    let compared = |conjunct: &Expression| match &conjunct.shape {
        Shape::Binary {
            operator,
            left,
            right,
        } if matches!(operator.as_str(), "=" | "<" | "<=" | ">" | ">=") => {
            column(left, relation).filter(|_| right.columns.is_empty())
        }
        Shape::AnyOf { operand, array, .. } => {
            column(operand, relation).filter(|_| array.columns.is_empty())
        }
        _ => None,
    };
    let mut columns = sides.iter().flat_map(|side| side.conjuncts()).map(compared);
    let first = columns.next()??;
    columns
        .all(|other| other.as_ref() == Some(&first))
        .then_some(first)
}

/// An index of only the rows that a condition keeps.
fn partial(column: &str, predicate: &str) -> Remedy {
    Remedy::index(
        "Few rows are of this kind: an index of only these is small, and is read instead of the table.",
        format!("({column}) WHERE {predicate}"),
    )
}

fn not(operand: &Expression, conjunct: &Expression, relation: Relation<'_>) -> Option<Remedy> {
    if let Some(column) = column(operand, relation) {
        return Some(partial(&column, &conjunct.text));
    }
    conjunct.text.contains("SubPlan").then(|| {
        Remedy::words("The subquery is evaluated for each row: NOT EXISTS can become an anti join.")
    })
}

/// A column of this relation, perhaps as text, quoted.
fn column(expression: &Expression, relation: Relation<'_>) -> Option<String> {
    let plain = match &expression.shape {
        Shape::Cast { operand, type_name } if type_name == "text" => operand.as_ref(),
        Shape::Collate { operand, .. } => operand.as_ref(),
        _ => expression,
    };
    match &plain.shape {
        Shape::Column(name) if relation.reads_only_this(plain) => {
            Some(quote_identifier(name).into_owned())
        }
        _ => None,
    }
}

fn of_operator(
    operator: &str,
    left: &Expression,
    right: &Expression,
    relation: Relation<'_>,
) -> Option<Remedy> {
    let (own, other) = if relation.reads_only_this(left) {
        (left, right)
    } else {
        (right, left)
    };
    let key = column(own, relation);
    match operator {
        "~~" | "~~*" | "~" | "~*" => pattern(operator, &key?, other),
        "%" | "<%" | "%>" | "<<%" | "%>>" => Some(trigram(&key?, "Similarity")),
        "@@" => Some(text_search(own, key)),
        "^@" => Some(prefix(&key?)),
        "?" | "?|" | "?&" | "@?" => Some(gin(&key?, operator)),
        "<<" if is_network(other) => {
            let key = key?;
            Some(Remedy::index(
                format!("An index on {key} serves {operator} with a network that is known."),
                format!("({key})"),
            ))
        }
        "@>" | "<@" | "&&" | "-|-" | "<<" | ">>" | "&<" | "&>" | "@" | "~=" => {
            Some(contained(operator, &key?, other))
        }
        "<<=" | ">>=" => {
            let key = key?;
            Some(Remedy::index(
                "A GiST index serves networks.",
                format!("USING gist ({key} inet_ops)"),
            ))
        }
        "=" | "<" | "<=" | ">" | ">=" => computed(operator, own, other, relation),
        "<>" => Some(Remedy::words(
            "An index does not serve <>: an index of only these rows (WHERE …) can, or write the values that are wanted.",
        )),
        _ => None,
    }
}

/// A literal of a network.
fn is_network(expression: &Expression) -> bool {
    ["::inet", "::cidr"]
        .iter()
        .any(|of_type| expression.text.ends_with(of_type))
}

/// `starts_with` and its operator.
fn prefix(column: &str) -> Remedy {
    Remedy::index(
        format!(
            "From 15 on a btree that compares characters (text_pattern_ops) serves it; before, write {column} LIKE {}.",
            quote_literal("abc%")
        ),
        format!("({column} text_pattern_ops)"),
    )
}

/// LIKE, ILIKE and regular expressions.
fn pattern(operator: &str, column: &str, other: &Expression) -> Option<Remedy> {
    let pattern = literal_value(&other.text);
    let is_like = operator.starts_with("~~");
    let is_sensitive = !operator.ends_with('*') || operator == "~~";
    let is_sensitive = is_sensitive && operator != "~~*" && operator != "~*";
    let is_anchored = if is_like {
        !pattern.starts_with(['%', '_'])
    } else {
        pattern.starts_with('^')
            && pattern
                .get(1..)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()))
    };
    if is_anchored && is_sensitive {
        return Some(Remedy::index(
            "A btree finds what begins with a text when it compares characters (text_pattern_ops); one in the database's collation does \
             not, unless that is C.",
            format!("({column} text_pattern_ops)"),
        ));
    }
    let what = match operator {
        "~~*" if is_anchored => {
            return Some(Remedy {
                sentence: format!(
                    "No btree serves ILIKE; a trigram index does (extension pg_trgm), or write it as lower({column}) LIKE lower(…) with an \
                     index on (lower({column}) text_pattern_ops)."
                ),
                index: Some(format!("USING gin ({column} gin_trgm_ops)")),
            });
        }
        _ if is_like => "A part of a text",
        _ => "A regular expression",
    };
    Some(trigram(column, what))
}

fn trigram(column: &str, what: &str) -> Remedy {
    Remedy::index(
        format!("{what} is found by trigrams (extension pg_trgm), not by a btree."),
        format!("USING gin ({column} gin_trgm_ops)"),
    )
}

fn gin(column: &str, operator: &str) -> Remedy {
    Remedy::index(
        format!("A GIN index serves {operator}."),
        format!("USING gin ({column})"),
    )
}

/// Full text search, in a column or computed for each row.
fn text_search(own: &Expression, column: Option<String>) -> Remedy {
    let key = column.unwrap_or_else(|| format!("({})", own.text));
    if key.contains("to_tsvector(") && !key.contains("::regconfig") {
        return Remedy::words(
            "to_tsvector without a configuration depends on a setting and cannot be indexed: write to_tsvector('english', …) with a GIN \
             index on the same expression, or keep the tsvector in a generated column.",
        );
    }
    Remedy::index(
        "A GIN index serves full text search.",
        format!("USING gin ({key})"),
    )
}

/// Operators that arrays, JSON, ranges and shapes share: the literal's type tells them apart.
fn contained(operator: &str, column: &str, other: &Expression) -> Remedy {
    let text = &other.text;
    if text.contains("::jsonb") || text.contains("jsonb_build") {
        return Remedy::index(
            "A GIN index finds what a document contains (jsonb_path_ops is smaller and serves @> and @@ only).",
            format!("USING gin ({column})"),
        );
    }
    if text.ends_with("[]") || text.contains("ARRAY[") {
        return Remedy::index(
            "A GIN index finds arrays by their elements.",
            format!("USING gin ({column})"),
        );
    }
    let is_multidimensional = [
        "range",
        "box",
        "circle",
        "polygon",
        "point",
        "geometry",
        "geography",
    ]
    .iter()
    .any(|kind| text.contains(&format!("::{kind}")) || text.contains(kind));
    let is_element = operator == "@>"
        && [
            "::timestamp with time zone",
            "::timestamp without time zone",
            "::date",
            "::bigint",
            "::integer",
            "::numeric",
        ]
        .iter()
        .any(|of_type| text.ends_with(of_type));
    if is_multidimensional || is_element {
        return Remedy::index(
            format!("A GiST index serves {operator} of ranges and shapes; a btree does not."),
            format!("USING gist ({column})"),
        );
    }
    Remedy::words(format!(
        "A btree does not serve {operator}: USING gin ({column}) does for arrays and jsonb, USING gist ({column}) for ranges and shapes."
    ))
}

/// `'x' = ANY (tags)`: the array is the column.
fn any_of_column(
    operand: &Expression,
    array: &Expression,
    relation: Relation<'_>,
) -> Option<Remedy> {
    let column = column(array, relation).filter(|_| operand.columns.is_empty())?;
    Some(Remedy::index(
        format!(
            "No index serves a value = ANY (column): write it as {column} @> ARRAY[{}], which a GIN index serves.",
            operand.text
        ),
        format!("USING gin ({column})"),
    ))
}

/// A comparison with something that is computed from columns.
fn computed(
    operator: &str,
    own: &Expression,
    other: &Expression,
    relation: Relation<'_>,
) -> Option<Remedy> {
    if !relation.reads_only_this(own) || relation.reads_only_this(other) {
        return None;
    }
    if let Shape::Extract { field, source } = &own.shape {
        let column = column(source, relation)?;
        return Some(Remedy::index(
            format!(
                "No index on {column} serves EXTRACT({field} FROM {column}): write a range, {column} >= '…' AND {column} < '…', which an index \
                 on {column} serves."
            ),
            format!("({column})"),
        ));
    }
    if own.text.contains(" AT TIME ZONE ") || own.text.starts_with("timezone(") {
        let name = quote_identifier(own.columns.iter().next()?).into_owned();
        return Some(Remedy::index(
            format!(
                "No index on {name} serves {}: move the time zone to the other side, {name} {operator} ({}) AT TIME ZONE '…', which an index on \
                 {name} serves.",
                own.text, other.text
            ),
            format!("({name})"),
        ));
    }
    match &own.shape {
        Shape::Binary {
            operator: inner, ..
        } => {
            let is_json = inner.contains("->") || inner.contains("#>");
            let sentence = if is_json {
                format!("An index on the expression {} serves it.", own.text)
            } else {
                format!(
                    "No index on a column serves {}; an index on the expression does, or a condition with the column alone on one side.",
                    own.text
                )
            };
            if is_fixed(own) {
                Some(Remedy::index(sentence, format!("(({}))", own.text)))
            } else {
                Some(Remedy::words(sentence))
            }
        }
        Shape::Column(_) => {
            let column = column(own, relation)?;
            Some(Remedy::index(
                format!("An index on {column} serves it."),
                format!("({column})"),
            ))
        }
        _ => None,
    }
}

/// A function that returns whether a row is wanted.
fn call(function: &str, arguments: &[Expression], relation: Relation<'_>) -> Option<Remedy> {
    let name = function.rsplit('.').next().unwrap_or(function);
    if name.starts_with("st_") {
        let column = arguments
            .iter()
            .find_map(|argument| column(argument, relation));
        let served = matches!(
            name,
            "st_intersects"
                | "st_contains"
                | "st_within"
                | "st_dwithin"
                | "st_covers"
                | "st_coveredby"
                | "st_overlaps"
                | "st_touches"
                | "st_crosses"
                | "st_equals"
                | "st_containsproperly"
                | "st_3dintersects"
                | "st_3ddwithin"
        );
        let column = column.unwrap_or_else(|| "geometry".to_owned());
        let sentence = if served {
            format!("A GiST index serves {name}.")
        } else {
            format!(
                "No index serves {name}; ST_DWithin and ST_Intersects, which a GiST index serves, narrow the rows first."
            )
        };
        return Some(Remedy::index(sentence, format!("USING gist ({column})")));
    }
    if name == "starts_with" {
        let column = arguments
            .first()
            .and_then(|argument| column(argument, relation))?;
        return Some(prefix(&column));
    }
    if name == "regexp_like" {
        let column = arguments
            .first()
            .and_then(|argument| column(argument, relation))?;
        let words = format!(
            "No index serves {name}; LIKE {} with an index on ({column} text_pattern_ops) does.",
            quote_literal("abc%")
        );
        return Some(Remedy::words(words));
    }
    Some(Remedy::words(format!(
        "{name} is called for each row, and no index serves a call by itself: compare a column, or index the expression when the function \
         is IMMUTABLE; a function that reads the same value each time belongs into a subquery, (SELECT {name}(…)), which runs once."
    )))
}
