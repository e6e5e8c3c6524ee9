//! What an ALTER TABLE statement does, as far as there is another way to write it.

use sqlparser::tokenizer::Token;

use super::tokens::Tokens;

/// An ALTER TABLE statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterTable {
    /// The table's name, as written.
    pub table: String,
    /// Its actions, in their order.
    pub actions: Vec<AlterAction>,
}

/// One action of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlterAction {
    /// `ADD [CONSTRAINT name] …`, where nothing says that existing rows are not checked.
    AddConstraint {
        /// Its name, as written.
        name: Option<String>,
        /// Its kind.
        kind: ConstraintKind,
        /// The columns in parentheses, as written.
        columns: String,
        /// The whole action, as written.
        text: String,
    },
    /// `ALTER COLUMN … SET NOT NULL`.
    SetNotNull {
        /// The column, as written.
        column: String,
    },
    /// `ADD COLUMN` with a default.
    AddColumnWithDefault {
        /// The column, as written.
        column: String,
        /// The action without the default, and without NOT NULL.
        without_default: String,
        /// NOT NULL?
        is_not_null: bool,
        /// The default's expression, as written.
        default: String,
    },
    /// `ALTER COLUMN … TYPE`.
    SetType {
        /// The column, as written.
        column: String,
        /// The new type, as written.
        type_name: String,
        /// The expression behind USING, as written.
        using: Option<String>,
    },
    /// Another one, or one that does not read the table's rows.
    Other,
}

/// The kind of a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// CHECK.
    Check,
    /// FOREIGN KEY.
    ForeignKey,
    /// UNIQUE.
    Unique,
    /// PRIMARY KEY.
    PrimaryKey,
}

/// Reads an ALTER TABLE statement; none if it is another one.
pub fn alter_table(sql: &str) -> Option<AlterTable> {
    let tokens = Tokens::read(sql)?;
    let is_one = tokens.is_word(0, "alter") && tokens.is_word(1, "table");
    is_one.then_some(())?;
    let mut at = 2;
    if tokens.is_word(at, "if") {
        at += 2;
    }
    if tokens.is_word(at, "only") {
        at += 1;
    }
    let begin = at;
    tokens.name(at)?;
    at += 1;
    while tokens.at(at) == Some(&Token::Period) {
        at += 2;
    }
    let table = tokens.text(begin, at)?.to_owned();
    if tokens.at(at) == Some(&Token::Mul) {
        at += 1;
    }
    let actions = parts(&tokens, at);
    let actions = actions.map(|(from, to)| action(&tokens, from, to).unwrap_or(AlterAction::Other));
    Some(AlterTable {
        table,
        actions: actions.collect(),
    })
}

/// What commas outside parentheses separate.
fn parts<'t>(tokens: &'t Tokens<'_>, from: usize) -> impl Iterator<Item = (usize, usize)> + 't {
    let mut depth = 0usize;
    let mut begin = from;
    (from..=tokens.len()).filter_map(move |at| {
        match tokens.at(at) {
            Some(Token::LParen | Token::LBracket) => depth += 1,
            Some(Token::RParen | Token::RBracket) => depth = depth.saturating_sub(1),
            Some(Token::Comma) | None if depth == 0 => {
                let part = (begin, at);
                begin = at + 1;
                return (part.0 < part.1).then_some(part);
            }
            _ => {}
        }
        None
    })
}

fn action(tokens: &Tokens<'_>, from: usize, to: usize) -> Option<AlterAction> {
    if tokens.is_word(from, "alter") {
        let column = from + 1 + usize::from(tokens.is_word(from + 1, "column"));
        return alter_column(tokens, column, to);
    }
    tokens.is_word(from, "add").then_some(())?;
    if let Some(constraint) = add_constraint(tokens, from, to) {
        return Some(constraint);
    }
    let mut column = from + 1 + usize::from(tokens.is_word(from + 1, "column"));
    if tokens.is_word(column, "if") {
        column += 3;
    }
    add_column(tokens, from, column, to)
}

fn alter_column(tokens: &Tokens<'_>, column: usize, to: usize) -> Option<AlterAction> {
    let name = tokens.text(column, column + 1)?.to_owned();
    let rest = column + 1;
    if tokens.is_word(rest, "set") && tokens.is_word(rest + 1, "not") {
        return Some(AlterAction::SetNotNull { column: name });
    }
    let type_at = if tokens.is_word(rest, "set") && tokens.is_word(rest + 1, "data") {
        rest + 2
    } else {
        rest
    };
    tokens.is_word(type_at, "type").then_some(())?;
    let using = (type_at..to).find(|at| tokens.is_word(*at, "using"));
    Some(AlterAction::SetType {
        column: name,
        type_name: tokens.text(type_at + 1, using.unwrap_or(to))?.to_owned(),
        using: using.and_then(|at| Some(tokens.text(at + 1, to)?.to_owned())),
    })
}

fn add_constraint(tokens: &Tokens<'_>, from: usize, to: usize) -> Option<AlterAction> {
    let is_named = tokens.is_word(from + 1, "constraint");
    let at = if is_named { from + 3 } else { from + 1 };
    let kind = match tokens.name(at)?.as_str() {
        "check" => ConstraintKind::Check,
        "foreign" => ConstraintKind::ForeignKey,
        "unique" => ConstraintKind::Unique,
        "primary" => ConstraintKind::PrimaryKey,
        _ => return None,
    };
    let is_checked_later = (at..to).any(|at| {
        let not_valid = tokens.is_word(at, "not") && tokens.is_word(at + 1, "valid");
        not_valid || tokens.is_word(at, "using") && tokens.is_word(at + 1, "index")
    });
    if is_checked_later {
        return Some(AlterAction::Other);
    }
    let open = (at..to).find(|at| tokens.at(*at) == Some(&Token::LParen))?;
    Some(AlterAction::AddConstraint {
        name: is_named
            .then(|| tokens.text(from + 2, from + 3).map(str::to_owned))
            .flatten(),
        kind,
        columns: tokens
            .text(open + 1, closing(tokens, open)?)
            .unwrap_or_default()
            .to_owned(),
        text: tokens.text(from, to)?.to_owned(),
    })
}

/// The parenthesis that closes this one.
fn closing(tokens: &Tokens<'_>, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    (open..tokens.len()).find(|at| {
        match tokens.at(*at) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

/// Words that may follow a default's expression.
const AFTER_DEFAULT: &[&str] = &[
    "not",
    "null",
    "unique",
    "primary",
    "check",
    "references",
    "constraint",
    "collate",
];

fn add_column(tokens: &Tokens<'_>, from: usize, column: usize, to: usize) -> Option<AlterAction> {
    let default = (column + 1..to).find(|at| tokens.is_word(*at, "default"))?;
    let mut depth = 0usize;
    // `DEFAULT NULL` is an expression, too.
    let end = (default + 2..to).find(|at| {
        match tokens.at(*at) {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && tokens.is_one_of(*at, AFTER_DEFAULT)
    });
    let end = end.unwrap_or(to);
    let is_not_null = |at: usize| tokens.is_word(at, "not") && tokens.is_word(at + 1, "null");
    let not_null = (column + 1..default)
        .chain(end..to)
        .find(|at| is_not_null(*at));
    let mut pieces = Vec::new();
    for (begin, end) in [(from, default), (end, to)] {
        let (until, after) = match not_null {
            Some(at) if (begin..end).contains(&at) => (at, at + 2),
            _ => (end, end),
        };
        for (begin, end) in [(begin, until), (after, end)] {
            pieces.extend((begin < end).then(|| tokens.text(begin, end)).flatten());
        }
    }
    let without_default = pieces.join(" ");
    Some(AlterAction::AddColumnWithDefault {
        column: tokens.text(column, column + 1)?.to_owned(),
        without_default,
        is_not_null: not_null.is_some(),
        default: tokens.text(default + 1, end)?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(sql: &str) -> Vec<AlterAction> {
        alter_table(sql).unwrap().actions
    }

    #[test]
    fn commas_in_parentheses_separate_no_actions() {
        let read = alter_table(
            "ALTER TABLE IF EXISTS ONLY \"S\".t ADD CONSTRAINT c CHECK (a IN (1, 2)), ALTER b SET NOT NULL",
        )
        .unwrap();
        assert_eq!(read.table, "\"S\".t");
        let check = AlterAction::AddConstraint {
            name: Some("c".to_owned()),
            kind: ConstraintKind::Check,
            columns: "a IN (1, 2)".to_owned(),
            text: "ADD CONSTRAINT c CHECK (a IN (1, 2))".to_owned(),
        };
        let not_null = AlterAction::SetNotNull {
            column: "b".to_owned(),
        };
        assert_eq!(read.actions, [check, not_null]);
        assert_eq!(alter_table("CREATE TABLE t (a int)"), None);
    }

    #[test]
    fn constraints_that_check_no_rows_have_no_other_way() {
        assert_eq!(
            actions("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id) NOT VALID"),
            [AlterAction::Other]
        );
        assert_eq!(
            actions("ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY USING INDEX i"),
            [AlterAction::Other]
        );
    }

    #[test]
    fn a_default_ends_before_the_next_constraint() {
        let read = |sql: &str| match &actions(sql)[..] {
            [
                AlterAction::AddColumnWithDefault {
                    column,
                    without_default,
                    is_not_null,
                    default,
                },
            ] => format!("{column} | {without_default} | {is_not_null} | {default}"),
            other => format!("{other:?}"),
        };
        assert_eq!(
            read("ALTER TABLE t ADD COLUMN IF NOT EXISTS a uuid DEFAULT f(1, (2)) NOT NULL"),
            "a | ADD COLUMN IF NOT EXISTS a uuid | true | f(1, (2))"
        );
        assert_eq!(
            read("ALTER TABLE t ADD a text DEFAULT null"),
            "a | ADD a text | false | null"
        );
        assert_eq!(
            read(
                "ALTER TABLE t ADD a text NOT NULL COLLATE \"C\" DEFAULT md5(random()::text) UNIQUE"
            ),
            "a | ADD a text COLLATE \"C\" UNIQUE | true | md5(random()::text)"
        );
    }

    #[test]
    fn a_type_may_have_an_expression() {
        assert_eq!(
            actions("ALTER TABLE t ALTER COLUMN a SET DATA TYPE numeric(12, 2) USING a::numeric"),
            [AlterAction::SetType {
                column: "a".to_owned(),
                type_name: "numeric(12, 2)".to_owned(),
                using: Some("a::numeric".to_owned()),
            }]
        );
    }
}
