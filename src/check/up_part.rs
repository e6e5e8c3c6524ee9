//! The part of a migration's file that goes forward, for tools that keep both directions in one file:
//! goose (<https://pressly.github.io/goose/documentation/annotations/>), dbmate
//! (<https://github.com/amacneil/dbmate#creating-migrations>) and sql-migrate
//! (<https://github.com/rubenv/sql-migrate#writing-migrations>).

/// The comments by which a tool divides a file.
struct Marks {
    tool: &'static str,
    up: &'static str,
    down: &'static str,
    /// What switches the transaction off, anywhere in a line that begins with `prefix`.
    no_transaction: &'static str,
    prefix: &'static str,
}

const MARKS: [Marks; 3] = [
    Marks {
        tool: "goose",
        up: "-- +goose up",
        down: "-- +goose down",
        no_transaction: "no transaction",
        prefix: "-- +goose",
    },
    Marks {
        tool: "dbmate",
        up: "-- migrate:up",
        down: "-- migrate:down",
        no_transaction: "transaction:false",
        prefix: "-- migrate:up",
    },
    Marks {
        tool: "sql-migrate",
        up: "-- +migrate up",
        down: "-- +migrate down",
        no_transaction: "notransaction",
        prefix: "-- +migrate up",
    },
];

/// What of a file is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpPart {
    /// The text; what is not executed is replaced by empty lines, so that lines keep their numbers.
    pub text: String,
    /// The tool whose comments divide the file.
    pub tool: &'static str,
    /// Does the tool execute it in one transaction?
    pub in_transaction: bool,
}

/// The part that goes forward; none where the file has no such comments.
pub fn up_part(text: &str) -> Option<UpPart> {
    let normal = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.join(" ").to_lowercase()
    };
    let is_up = |line: &str, marks: &Marks| normal(line).starts_with(marks.up);
    let marks = MARKS
        .iter()
        .find(|marks| text.lines().any(|line| is_up(line, marks)))?;
    let mut goes_forward = false;
    let mut in_transaction = true;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let said = normal(line);
        if said.starts_with(marks.prefix) && said.contains(marks.no_transaction) {
            in_transaction = false;
        }
        if said.starts_with(marks.up) {
            goes_forward = true;
        } else if said.starts_with(marks.down) {
            goes_forward = false;
        }
        if goes_forward {
            kept.push_str(line);
        }
        kept.push('\n');
    }
    Some(UpPart {
        text: kept,
        tool: marks.tool,
        in_transaction,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_migration_back_is_left_out() {
        let goose = "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE a ();\n-- +goose StatementEnd\n-- +goose Down\nDROP TABLE a;\n";
        let part = up_part(goose).unwrap();
        assert_eq!((part.tool, part.in_transaction), ("goose", false));
        assert_eq!(part.text.lines().nth(3), Some("CREATE TABLE a ();"));
        assert!(!part.text.contains("DROP"));

        let dbmate = up_part("-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n").unwrap();
        assert_eq!((dbmate.tool, dbmate.in_transaction), ("dbmate", true));
        assert!(!dbmate.text.contains("SELECT 2"));
        let alone = up_part("-- migrate:up transaction:false\nSELECT 1;\n").unwrap();
        assert!(!alone.in_transaction);

        let other = up_part("-- +migrate Down\nSELECT 2;\n-- +migrate Up notransaction\nSELECT 1;")
            .unwrap();
        assert_eq!((other.tool, other.in_transaction), ("sql-migrate", false));
        assert_eq!(other.text.trim_start().lines().nth(1), Some("SELECT 1;"));
        assert_eq!(up_part("SELECT 1; -- no marks"), None);
    }
}
