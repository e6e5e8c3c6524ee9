//! Reads expressions as plans and index definitions print them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Deserializer};
use sqlparser::ast::{
    AccessExpr, Array, BinaryOperator, DataType, Expr, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, ObjectName, ObjectNamePart, OrderBySort, Subscript, UnaryOperator,
    Value, visit_expressions, visit_expressions_mut,
};

use super::expression::{DISTINCT, Expression, Reads, Shape, SortTerm};
use super::parser::{SqlError, bare, parse_all, syntax};

/// Reads one expression of a plan (`Filter`, `Index Cond`, `Group Key`, …).
///
/// # Errors
/// When `sqlparser` does not know the syntax, text is left over, or it is too long.
pub fn parse_expression(text: &str) -> Result<Expression, SqlError> {
    let text = as_sql(text);
    parse_all(&text, |parser| {
        let ast = parser.parse_expr().map_err(|error| syntax(&error))?;
        Ok(read(&ast))
    })
}

impl Expression {
    /// Reads SQL from a catalog or a recording. What the parser does not know keeps its text
    /// ([`Shape::Unparsed`]).
    pub fn from_sql(text: &str) -> Expression {
        parse_expression(text).unwrap_or_else(|_| Expression::unparsed(text))
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Expression::from_sql(&text))
    }
}

/// Reads one term of a `Sort Key`.
///
/// # Errors
/// As [`parse_expression`]; also for `USING operator`, which no plain index delivers.
pub fn parse_sort_term(text: &str) -> Result<SortTerm, SqlError> {
    let text = as_sql(text);
    parse_all(&text, |parser| {
        let term = parser
            .parse_order_by_expr()
            .map_err(|error| syntax(&error))?;
        let descending = match term.options.sort {
            None | Some(OrderBySort::Asc) => false,
            Some(OrderBySort::Desc) => true,
            Some(_) => return Err(SqlError::Syntax("no plain index sorts by USING".to_owned())),
        };
        let nulls_first = term.options.nulls_first.unwrap_or(descending);
        Ok(SortTerm {
            expression: read(&term.expr),
            descending,
            nulls_first,
        })
    })
}

/// What plans print beside SQL: `PARTIAL` before the aggregates of a parallel worker, and names of
/// subplans.
fn as_sql(text: &str) -> String {
    let text = text.strip_prefix("PARTIAL ").unwrap_or(text);
    without_subplan_names(&with_called_trim(&without_cstring(text)))
}

/// `TRIM(BOTH FROM code)` is how a plan prints `btrim(code)`, and the parser does not know it.
fn with_called_trim(text: &str) -> Cow<'_, str> {
    static TRIMS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"'(?:[^']|'')*'|\bTRIM\((BOTH|LEADING|TRAILING) FROM ").ok());
    let Some(trims) = TRIMS.as_ref().filter(|_| text.contains("TRIM(")) else {
        return Cow::Borrowed(text);
    };
    trims.replace_all(text, |found: &regex::Captures<'_>| {
        let side = found.get(1).map(|side| side.as_str());
        match side {
            Some("BOTH") => "btrim(".to_owned(),
            Some("LEADING") => "ltrim(".to_owned(),
            Some(_) => "rtrim(".to_owned(),
            None => found[0].to_owned(),
        }
    })
}

/// `('OWNER'::cstring)::"Role"` is how a plan prints a constant that was cast from text at planning
/// (`CoerceViaIO`); a server refuses it in an index, and means `'OWNER'::"Role"`.
fn without_cstring(text: &str) -> Cow<'_, str> {
    static CASTS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\(('(?:[^']|'')*')::cstring\)::").ok());
    match CASTS.as_ref().filter(|_| text.contains("::cstring)::")) {
        Some(casts) => casts.replace_all(text, "$1::"),
        None => Cow::Borrowed(text),
    }
}

/// `(SubPlan 1)`, `(hashed SubPlan 1)`, `(InitPlan 1).col1` and `(returns $0)` are no SQL; each
/// becomes a parameter, which is what it means to an index. Literals are left alone.
fn without_subplan_names(text: &str) -> String {
    static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"'(?:[^']|'')*'|\((?:hashed )?(?:SubPlan|InitPlan) [A-Za-z_]*\d+(?: \(returns [^)]*\))?\)(?:\.col\d+)?").ok()
    });
    let Some(names) = NAMES.as_ref().filter(|_| text.contains("Plan ")) else {
        return text.to_owned();
    };
    names
        .replace_all(text, |found: &regex::Captures<'_>| {
            if found[0].starts_with('\'') {
                found[0].to_owned()
            } else {
                "$32767".to_owned()
            }
        })
        .into_owned()
}

/// Converts bottom-up; each part knows its own text, columns and relations.
pub(super) fn read(ast: &Expr) -> Expression {
    match bare(ast) {
        Expr::Identifier(name) => column(None, name),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [.., qualifier, name] => column(Some(qualifier), name),
            [name] => column(None, name),
            [] => other(ast),
        },
        Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => {
            leaf(ast, Shape::RunTime)
        }
        Expr::Value(_) | Expr::TypedString(_) | Expr::Interval(_) => leaf(ast, Shape::Constant),
        Expr::UnaryOp { op, expr } => unary(ast, *op, expr),
        Expr::BinaryOp { left, op, right } => binary(ast, left, op, right),
        Expr::AnyOp {
            left,
            compare_op,
            right,
            ..
        } => Expression::any_of(read(left), &compare_op.to_string(), read(right)),
        Expr::AllOp {
            left,
            compare_op,
            right,
        } => all_of(ast, read(left), &compare_op.to_string(), read(right)),
        Expr::IsDistinctFrom(left, right) => Expression::binary(read(left), DISTINCT, read(right)),
        Expr::IsTrue(operand) => Expression::truth_test(read(operand), true, false),
        Expr::IsFalse(operand) => Expression::truth_test(read(operand), false, false),
        Expr::IsNotTrue(operand) => Expression::truth_test(read(operand), true, true),
        Expr::IsNotFalse(operand) => Expression::truth_test(read(operand), false, true),
        Expr::IsNull(operand) => Expression::null_test(read(operand), false),
        Expr::IsNotNull(operand) => Expression::null_test(read(operand), true),
        Expr::Cast {
            expr, data_type, ..
        } => cast(ast, read(expr), data_type),
        Expr::Collate { expr, collation } => collate(ast, read(expr), collation),
        Expr::Extract { field, expr, .. } => extract(ast, field.to_string(), read(expr)),
        Expr::Array(Array { elem, .. }) if elem.iter().all(is_constant) => {
            leaf(ast, Shape::Constant)
        }
        Expr::Function(function) => call(ast, function),
        Expr::CompoundFieldAccess { root, access_chain } => {
            element(root, access_chain).unwrap_or_else(|| other(ast))
        }
        _ => other(ast),
    }
}

fn unary(ast: &Expr, operator: UnaryOperator, operand: &Expr) -> Expression {
    match operator {
        UnaryOperator::Not => Expression::negation(read(operand)),
        UnaryOperator::Minus | UnaryOperator::Plus if is_constant(operand) => {
            leaf(ast, Shape::Constant)
        }
        _ => other(ast),
    }
}

fn binary(ast: &Expr, left: &Expr, operator: &BinaryOperator, right: &Expr) -> Expression {
    match operator {
        BinaryOperator::And | BinaryOperator::Or => flattened(ast, operator),
        _ if is_deep(ast) => other(ast),
        _ => Expression::binary_written(
            read(left),
            &operator.to_string(),
            &bare_operator(operator),
            read(right),
        ),
    }
}

/// Is it a chain of operators long enough that walking its tree would overflow the stack?
fn is_deep(ast: &Expr) -> bool {
    const MAX_DEPTH: usize = 500;
    let mut chain = ast;
    for _ in 0..MAX_DEPTH {
        let Expr::BinaryOp { left, .. } = bare(chain) else {
            return false;
        };
        chain = left;
    }
    true
}

fn is_constant(ast: &Expr) -> bool {
    matches!(read(ast).shape, Shape::Constant)
}

fn column(qualifier: Option<&Ident>, name: &Ident) -> Expression {
    let relations = qualifier.map(|qualifier| qualifier.value.clone());
    Expression {
        relations: relations.into_iter().collect(),
        ..Expression::column(&name.value)
    }
}

/// `OPERATOR(public.%)` → `%`.
fn bare_operator(operator: &BinaryOperator) -> String {
    match operator {
        BinaryOperator::PGCustomBinaryOperator(parts) => parts.last().cloned().unwrap_or_default(),
        known => known.to_string(),
    }
}

/// Only `<> ALL` has a shape.
fn all_of(ast: &Expr, operand: Expression, operator: &str, array: Expression) -> Expression {
    if operator == "<>" {
        Expression::none_of(operand, array)
    } else {
        other(ast)
    }
}

fn cast(ast: &Expr, operand: Expression, data_type: &DataType) -> Expression {
    if operand.is_known_without_row() {
        leaf(ast, operand.shape)
    } else {
        Expression::cast(operand, type_text(data_type))
    }
}

fn extract(ast: &Expr, field: String, source: Expression) -> Expression {
    if source.is_known_without_row() {
        return leaf(ast, Shape::RunTime);
    }
    let source = Box::new(source);
    Reads::of([source.as_ref()]).expression(unqualified_text(ast), Shape::Extract { field, source })
}

fn collate(ast: &Expr, operand: Expression, collation: &ObjectName) -> Expression {
    let name = collation
        .0
        .last()
        .and_then(ObjectNamePart::as_ident)
        .map(|name| name.value.clone());
    match (&operand.shape, name) {
        (Shape::Constant | Shape::RunTime, _) => leaf(ast, operand.shape),
        (_, Some(name)) => {
            let text = format!("({} COLLATE {collation})", operand.text);
            Reads::of([&operand]).expression(
                text,
                Shape::Collate {
                    operand: Box::new(operand),
                    collation: name,
                },
            )
        }
        (_, None) => other(ast),
    }
}

/// A call that reads no column is known only at run time: the planner has already folded what is
/// immutable.
fn call(ast: &Expr, function: &sqlparser::ast::Function) -> Expression {
    let plain =
        function.over.is_none() && function.filter.is_none() && function.within_group.is_empty();
    let FunctionArguments::List(list) = &function.args else {
        return other(ast);
    };
    let arguments: Option<Vec<Expression>> = list.args.iter().map(plain_argument).collect();
    let Some(arguments) = arguments
        .filter(|_| plain && list.duplicate_treatment.is_none() && list.clauses.is_empty())
    else {
        return other(ast);
    };
    let texts: Vec<&str> = arguments
        .iter()
        .map(|argument| argument.text.as_str())
        .collect();
    let text = format!("{}({})", function.name, texts.join(", "));
    let reads = Reads::of(&arguments);
    let shape = if reads.columns.is_empty() {
        Shape::RunTime
    } else {
        Shape::Call {
            function: function.name.to_string(),
            arguments,
        }
    };
    reads.expression(text, shape)
}

fn plain_argument(argument: &FunctionArg) -> Option<Expression> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(read(expression)),
        _ => None,
    }
}

fn flattened(ast: &Expr, wanted: &BinaryOperator) -> Expression {
    let mut parts = Vec::new();
    let mut waiting = vec![ast];
    while let Some(next) = waiting.pop() {
        match bare(next) {
            Expr::BinaryOp { left, op, right } if op == wanted => {
                waiting.extend([right.as_ref(), left.as_ref()])
            }
            part => parts.push(read(part)),
        }
    }
    if *wanted == BinaryOperator::And {
        Expression::all(parts)
    } else {
        Expression::any(parts)
    }
}

fn leaf(ast: &Expr, shape: Shape) -> Expression {
    Expression {
        text: unqualified_text(ast),
        relations: BTreeSet::new(),
        columns: BTreeSet::new(),
        shape,
    }
}

/// `tags[1]`, `doc['key'::text]`, of a column that may have its table's name before it.
fn element(root: &Expr, chain: &[AccessExpr]) -> Option<Expression> {
    let (column, places) = match (bare(root), chain) {
        (Expr::Identifier(table), [AccessExpr::Dot(Expr::Identifier(name)), rest @ ..]) => {
            (column(Some(table), name), rest)
        }
        (Expr::Identifier(name), places) => (column(None, name), places),
        (Expr::CompoundIdentifier(parts), places) => match parts.as_slice() {
            [.., table, name] => (column(Some(table), name), places),
            _ => return None,
        },
        _ => return None,
    };
    let place = |access: &AccessExpr| match access {
        AccessExpr::Subscript(Subscript::Index { index }) if is_constant(index) => {
            Some(format!("[{}]", read(index).text))
        }
        _ => None,
    };
    let places: String = places.iter().map(place).collect::<Option<_>>()?;
    let text = format!("{}{places}", column.text);
    Some(Reads::of([&column]).expression(text, Shape::Other))
}

/// Something this tree has no shape for: text and columns are still right.
fn other(ast: &Expr) -> Expression {
    let mut relations = BTreeSet::new();
    let mut columns = BTreeSet::new();
    let _ = visit_expressions(ast, |part| {
        match part {
            Expr::Identifier(name) => {
                columns.insert(name.value.clone());
            }
            Expr::CompoundIdentifier(parts) => {
                if let [.., qualifier, name] = parts.as_slice() {
                    relations.insert(qualifier.value.clone());
                    columns.insert(name.value.clone());
                }
            }
            _ => {}
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    Expression {
        text: unqualified_text(ast),
        relations,
        columns,
        shape: Shape::Other,
    }
}

fn unqualified_text(ast: &Expr) -> String {
    let mut ast = ast.clone();
    let _ = visit_expressions_mut(&mut ast, |part| {
        match part {
            Expr::CompoundIdentifier(parts) => {
                if let Some(column) = parts.pop() {
                    *part = Expr::Identifier(column);
                }
            }
            Expr::Cast { data_type, .. } => {
                let name = Ident::new(type_text(data_type));
                *data_type = DataType::Custom(
                    ObjectName(vec![ObjectNamePart::Identifier(name)]),
                    Vec::new(),
                );
            }
            _ => {}
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    ast.to_string()
}

/// `sqlparser` prints built-in types in capitals; plans and definitions have them in lower case.
fn type_text(data_type: &DataType) -> String {
    match data_type {
        DataType::Custom(..) => data_type.to_string(),
        built_in => built_in.to_string().to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sql: &str) -> String {
        parse_expression(sql).unwrap().text
    }

    #[test]
    fn qualifiers_go_and_types_are_lower_case() {
        assert_eq!(
            text("(t.state = 'PENDING'::text)"),
            "(state = 'PENDING'::text)"
        );
        assert_eq!(
            text("((o.\"Odd Name\")::text ~~ 'a%'::text)"),
            "((\"Odd Name\")::text ~~ 'a%'::text)"
        );
        assert_eq!(
            text("((e.payload ->> 'aggregate_id'::text) = 'x'::text)"),
            "((payload ->> 'aggregate_id'::text) = 'x'::text)"
        );
        assert_eq!(
            text("(a.t >= '2024-01-01 00:00:00+00'::timestamp with time zone)"),
            "(t >= '2024-01-01 00:00:00+00'::timestamp with time zone)"
        );
    }

    #[test]
    fn an_element_of_a_column_is_an_expression_of_it() {
        for (sql, wanted) in [
            ("(t.tags[1] = 'x'::text)", "(tags[1] = 'x'::text)"),
            ("tags[2]", "tags[2]"),
            (
                "lower(t.doc['a'::text]['b'::text])",
                "lower(doc['a'::text]['b'::text])",
            ),
        ] {
            let found = parse_expression(sql).unwrap();
            assert_eq!(found.text, wanted);
            assert_eq!(found.columns.len(), 1, "{sql}");
        }
        let varying = parse_expression("t.tags[t.n]").unwrap();
        assert!(varying.columns.contains("n"));
    }

    #[test]
    fn trimming_is_a_call() {
        assert_eq!(
            text("(TRIM(BOTH FROM t.code) = 'TRIM(BOTH FROM x'::text)"),
            "(btrim(code) = 'TRIM(BOTH FROM x'::text)"
        );
        assert_eq!(
            text("TRIM(LEADING FROM (t.code)::text)"),
            "ltrim((code)::text)"
        );
    }

    #[test]
    fn the_document_s_interval_condition_survives() {
        let sql = "(((((t.certified_by_user - t.created) / 1000))::double precision * '00:00:01'::interval) > '10:00:00'::interval)";
        let expression = parse_expression(sql).unwrap();
        assert_eq!(
            expression.text,
            "(((((certified_by_user - created) / 1000))::double precision * '00:00:01'::interval) > '10:00:00'::interval)"
        );
        assert_eq!(
            expression.columns,
            BTreeSet::from(["certified_by_user".to_owned(), "created".to_owned()])
        );
    }

    #[test]
    fn each_side_of_a_join_knows_its_relation() {
        let Shape::Binary { left, right, .. } = parse_expression("(r.id = s.id)").unwrap().shape
        else {
            panic!()
        };
        assert_eq!(left.relations, BTreeSet::from(["r".to_owned()]));
        assert_eq!(right.relations, BTreeSet::from(["s".to_owned()]));
    }

    #[test]
    fn what_is_known_only_at_run_time() {
        for sql in [
            "$1",
            "now()",
            "(InitPlan 1).col1",
            "((InitPlan 1 (returns $0))) + 1",
            "(now() - '1 day'::interval)",
        ] {
            let shape = parse_expression(sql).unwrap().shape;
            assert_eq!(shape, Shape::RunTime, "{sql}");
        }
        assert!(matches!(
            parse_expression("(NOT (hashed SubPlan 1))").unwrap().shape,
            Shape::Not(_)
        ));
        assert_eq!(
            text("(a = '(SubPlan 1)'::text)"),
            "(a = '(SubPlan 1)'::text)",
            "a literal is left alone"
        );
    }

    #[test]
    fn constants_keep_their_casts() {
        for sql in [
            "'x'::text",
            "5",
            "'-5'::integer",
            "true",
            "'{a,b}'::text[]",
            "NULL::bigint",
        ] {
            assert_eq!(
                parse_expression(sql).unwrap().shape,
                Shape::Constant,
                "{sql}"
            );
        }
    }

    #[test]
    fn comparisons_that_are_no_operators_keep_their_words() {
        assert_eq!(text("(t.a IS DISTINCT FROM t.b)"), "(a IS DISTINCT FROM b)");
        assert_eq!(
            text("(t.a <> ALL ('{x,y}'::text[]))"),
            "(a <> ALL ('{x,y}'::text[]))"
        );
        assert_eq!(text("(t.a IS NOT TRUE)"), "(a IS NOT TRUE)");
        let Shape::Not(any) = parse_expression("(t.a <> ALL ('{x,y}'::text[]))")
            .unwrap()
            .shape
        else {
            panic!()
        };
        assert!(matches!(any.shape, Shape::AnyOf { .. }));
        assert_eq!(
            parse_expression("(t.a > ALL ('{1,2}'::integer[]))")
                .unwrap()
                .shape,
            Shape::Other
        );
    }

    #[test]
    fn conjunctions_are_flat_and_in_order() {
        let Shape::And(parts) = parse_expression("((a = 1) AND ((b = 2) AND (c = 3)) AND (d = 4))")
            .unwrap()
            .shape
        else {
            panic!()
        };
        let texts: Vec<_> = parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(texts, ["(a = 1)", "(b = 2)", "(c = 3)", "(d = 4)"]);
    }

    #[test]
    fn sort_terms_know_their_nulls() {
        for (sql, descending, nulls_first) in [
            ("t.a", false, false),
            ("t.a DESC", true, true),
            ("t.a DESC NULLS LAST", true, false),
            ("t.a NULLS FIRST", false, true),
        ] {
            let term = parse_sort_term(sql).unwrap();
            assert_eq!(
                (term.descending, term.nulls_first),
                (descending, nulls_first),
                "{sql}"
            );
        }
        assert!(parse_sort_term("t.a USING >").is_err());
    }

    #[test]
    fn rest_text_and_nonsense_are_errors() {
        assert!(parse_expression("a = 1 b").is_err());
        assert!(parse_expression("").is_err());
        assert!(matches!(
            parse_expression(&"x".repeat(100_000)),
            Err(SqlError::TooLong(100_000))
        ));
    }

    #[test]
    fn long_chains_do_not_overflow_the_stack() {
        let chain = vec!["(a=1)"; 6_000].join(" OR ");
        let Shape::Or(arms) = parse_expression(&chain).unwrap().shape else {
            panic!()
        };
        assert_eq!(arms.len(), 6_000);
        assert!(parse_expression(&vec!["1"; 20_000].join("+")).is_ok());
        let sum = parse_expression(&vec!["a"; 20_000].join("+")).unwrap();
        assert_eq!(sum.shape, Shape::Other);
    }
}
