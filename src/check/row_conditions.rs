//! What statements of a migration assume of the rows that are there: that a column has no NULL, and
//! that its values do not repeat. The planner twin has two rows of each table, so that PostgreSQL
//! itself cannot say; what ANALYZE has seen can.

use std::collections::BTreeSet;

use super::lock::LockMode;
use super::migration::{SeenColumns, StepOutcome, StepStatus};
use super::script::LeftOut;
use crate::index::{Key, parse_index};
use crate::model::QualifiedName;
use crate::sql::fingerprint::identifiers;
use crate::sql::{AlterAction, AlterTable, ConstraintKind, alter_table, leading_words};

/// Something that the rows contradict.
#[derive(Debug, Clone, PartialEq)]
pub enum Contradiction {
    /// A column that must not be NULL is, in this share of the rows.
    Nulls {
        /// The column.
        column: String,
        /// The share, more than 0.
        share: f32,
    },
    /// A column whose values must differ has the same value in several rows.
    Repeats {
        /// The column.
        column: String,
    },
}

/// What a statement demands of a column.
struct Demand {
    column: String,
    no_nulls: bool,
    unique: bool,
}

/// What the rows contradict, as far as no statement before has written to the table.
pub fn contradictions(
    step: &StepOutcome,
    earlier: &[StepOutcome],
    seen: &SeenColumns,
) -> Vec<Contradiction> {
    if step.status != StepStatus::Done {
        return Vec::new();
    }
    let tables: Vec<&QualifiedName> = tables_read(step)
        .into_iter()
        .filter(|table| !earlier.iter().any(|earlier| may_write(earlier, table)))
        .collect();
    let mut found = Vec::new();
    let demands = match validated(&step.step.sql, earlier) {
        Some(demand) => vec![demand],
        None => demands(&step.step.sql),
    };
    for demand in demands {
        let column = |table: &&QualifiedName| ((*table).clone(), demand.column.clone());
        for seen in tables.iter().filter_map(|table| seen.get(&column(table))) {
            if demand.no_nulls && seen.null_share > 0.0 {
                found.push(Contradiction::Nulls {
                    column: demand.column.clone(),
                    share: seen.null_share,
                });
            }
            if demand.unique && seen.repeat {
                found.push(Contradiction::Repeats {
                    column: demand.column.clone(),
                });
            }
        }
    }
    found.dedup();
    found
}

/// The tables whose rows must be as the statement demands: its own, or the partitions of that. A foreign
/// key reads another table, too, which the statement names.
fn tables_read(step: &StepOutcome) -> Vec<&QualifiedName> {
    let sql = &step.step.sql;
    let names = identifiers(sql);
    let altered = alter_table(sql).map(|altered| {
        let name = altered.table.rsplit('.').next().unwrap_or_default();
        plain(name)
    });
    let all = [&step.scans, &step.builds, &step.rewrites];
    let all: BTreeSet<&QualifiedName> = all.into_iter().flatten().collect();
    let (mut named, parts): (Vec<&QualifiedName>, Vec<&QualifiedName>) = all
        .into_iter()
        .partition(|table| names.contains(&table.name));
    named.retain(|table| altered.as_ref().is_none_or(|own| *own == table.name));
    if named.is_empty() { parts } else { named }
}

/// May it have written rows of this table, or given its columns other names? What was not executed and
/// names no table (a call of a function) may have written to any.
fn may_write(step: &StepOutcome, table: &QualifiedName) -> bool {
    let mut locks = step.locks.iter().filter(|lock| lock.relation == *table);
    let is_named = locks.clone().next().is_some();
    let is_about_rows = matches!(
        step.status,
        StepStatus::Planned { .. } | StepStatus::LeftOut(LeftOut::Rows | LeftOut::Unknown)
    );
    is_about_rows && (is_named || step.locks.is_empty())
        || locks.any(|lock| lock.mode == LockMode::RowExclusive)
        || is_named && identifiers(&step.step.sql).contains("rename")
}

/// What a constraint demands that an earlier statement added NOT VALID and this one validates.
fn validated(sql: &str, earlier: &[StepOutcome]) -> Option<Demand> {
    let words = leading_words(sql, 8);
    let is_validate = |pair: &[String]| pair == ["validate", "constraint"];
    let at = words.windows(2).position(is_validate)?;
    let name = words.get(at + 2)?;
    let adds = |step: &&StepOutcome| identifiers(&step.step.sql).contains(name);
    let added = earlier.iter().rev().find(adds)?;
    checked_not_null(&added.step.sql).map(no_nulls)
}

fn no_nulls(column: String) -> Demand {
    Demand {
        column,
        no_nulls: true,
        unique: false,
    }
}

/// The column of which a CHECK constraint says only that it is not NULL.
fn checked_not_null(text: &str) -> Option<String> {
    let check = text.to_ascii_lowercase().find("check")?;
    let condition = text.get(check + "check".len()..)?.trim();
    let open = condition.strip_prefix('(')?;
    let condition = open.get(..open.rfind(')')?)?.trim();
    let condition = condition.trim_matches(|c| matches!(c, '(' | ')' | ' '));
    let words: Vec<&str> = condition.split_whitespace().collect();
    match words.as_slice() {
        [column, is, not, null]
            if [*is, *not, *null].map(str::to_ascii_lowercase) == ["is", "not", "null"] =>
        {
            Some(plain(column))
        }
        _ => None,
    }
}

fn demands(sql: &str) -> Vec<Demand> {
    if let Some(altered) = alter_table(sql) {
        return of_alter(&altered);
    }
    if leading_words(sql, 2) != ["create", "unique"] {
        return Vec::new();
    }
    let Ok(index) = parse_index(sql) else {
        return Vec::new();
    };
    match (index.keys.as_slice(), &index.predicate) {
        ([one], None) => match &one.key {
            Key::Column(column) => vec![Demand {
                column: column.clone(),
                no_nulls: false,
                unique: true,
            }],
            Key::Expression(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn of_alter(altered: &AlterTable) -> Vec<Demand> {
    let mut demands = Vec::new();
    for action in &altered.actions {
        match action {
            AlterAction::SetNotNull { column } => demands.push(no_nulls(plain(column))),
            AlterAction::AddConstraint {
                kind: ConstraintKind::Check,
                text,
                ..
            } => demands.extend(checked_not_null(text).map(no_nulls)),
            AlterAction::AddConstraint { kind, columns, .. } => {
                let is_key = *kind == ConstraintKind::PrimaryKey;
                let columns: Vec<&str> = columns.split(',').collect();
                if is_key || *kind == ConstraintKind::Unique {
                    demands.extend(columns.iter().map(|column| Demand {
                        column: plain(column),
                        no_nulls: is_key,
                        unique: columns.len() == 1,
                    }));
                }
            }
            _ => {}
        }
    }
    demands
}

/// A column's name as the catalog has it.
fn plain(written: &str) -> String {
    let written = written.trim();
    match written
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => written.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::migration::{HeldLock, SeenValues};
    use crate::check::script::steps;

    fn table() -> QualifiedName {
        QualifiedName::new("public", "t")
    }

    fn outcomes(sql: &str) -> Vec<StepOutcome> {
        let outcome = |step| {
            let mut outcome = StepOutcome::new(&step, StepStatus::Done);
            outcome.locks.push(HeldLock {
                relation: table(),
                mode: LockMode::AccessExclusive,
                is_seen: true,
            });
            outcome.scans.push(table());
            outcome
        };
        steps("m.sql", sql).into_iter().map(outcome).collect()
    }

    fn found(sql: &str) -> Vec<Contradiction> {
        let seen = SeenColumns::from([
            ((table(), "a".to_owned()), SeenValues::new(0.25, -0.75)),
            ((table(), "b".to_owned()), SeenValues::new(0.0, -0.5)),
            ((table(), "C".to_owned()), SeenValues::new(0.0, 12.0)),
            ((table(), "id".to_owned()), SeenValues::new(0.0, -1.0)),
        ]);
        let mut outcomes = outcomes(sql);
        let last = outcomes.pop().unwrap();
        contradictions(&last, &outcomes, &seen)
    }

    fn nulls(column: &str) -> Contradiction {
        Contradiction::Nulls {
            column: column.to_owned(),
            share: 0.25,
        }
    }

    fn repeats(column: &str) -> Contradiction {
        Contradiction::Repeats {
            column: column.to_owned(),
        }
    }

    #[test]
    fn what_analyze_saw_contradicts() {
        for (sql, expected) in [
            ("ALTER TABLE t ALTER a SET NOT NULL", vec![nulls("a")]),
            ("ALTER TABLE t ADD PRIMARY KEY (a, b)", vec![nulls("a")]),
            ("ALTER TABLE t ADD PRIMARY KEY (B)", vec![repeats("b")]),
            (
                "ALTER TABLE public.t ADD CONSTRAINT u UNIQUE (\"C\")",
                vec![repeats("C")],
            ),
            ("CREATE UNIQUE INDEX ON t (b)", vec![repeats("b")]),
            (
                "ALTER TABLE t ADD CONSTRAINT nn CHECK (a IS NOT NULL)",
                vec![nulls("a")],
            ),
            (
                "ALTER TABLE t ADD CONSTRAINT nn CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT nn",
                vec![nulls("a")],
            ),
            ("ALTER TABLE t ADD CHECK (a IS NOT NULL OR b > 0)", vec![]),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY i ON public.t USING btree (b DESC)",
                vec![repeats("b")],
            ),
        ] {
            assert_eq!(found(sql), expected, "{sql}");
        }
    }

    #[test]
    fn partitions_have_the_rows_of_a_partitioned_table() {
        let seen = SeenColumns::from([((table(), "a".to_owned()), SeenValues::new(0.25, -0.75))]);
        let outcome = &outcomes("ALTER TABLE parted ALTER a SET NOT NULL")[0];
        assert_eq!(contradictions(outcome, &[], &seen), [nulls("a")]);
        let sql = "ALTER TABLE parted ALTER a SET NOT NULL, ADD FOREIGN KEY (b) REFERENCES t (a)";
        assert_eq!(contradictions(&outcomes(sql)[0], &[], &seen), []);
    }

    #[test]
    fn what_the_rows_allow_or_nobody_knows_is_not_said() {
        for sql in [
            "ALTER TABLE t ALTER id SET NOT NULL",
            "ALTER TABLE t ADD UNIQUE (a)",
            "ALTER TABLE t ADD UNIQUE (b, id)",
            "ALTER TABLE t ADD UNIQUE (unknown)",
            "CREATE UNIQUE INDEX ON t (b) WHERE id > 5",
            "CREATE UNIQUE INDEX ON t (lower(b))",
            "CREATE INDEX ON t (b)",
            "ALTER TABLE t RENAME id TO b2; ALTER TABLE t ALTER a SET NOT NULL",
        ] {
            assert_eq!(found(sql), [], "{sql}");
        }
    }

    #[test]
    fn what_may_have_written_rows_before_leaves_it_open() {
        let seen = SeenColumns::from([((table(), "a".to_owned()), SeenValues::new(0.25, -0.75))]);
        let after = |change: fn(&mut StepOutcome)| {
            let mut outcomes = outcomes("SELECT 1; ALTER TABLE t ALTER a SET NOT NULL");
            change(&mut outcomes[0]);
            contradictions(&outcomes[1], &outcomes[..1], &seen)
        };
        assert_eq!(after(|_| ()), [nulls("a")]);
        let other = |before: &mut StepOutcome| {
            before.status = StepStatus::Planned { rows: 9.0 };
            before.locks[0].relation = QualifiedName::new("public", "other");
        };
        assert_eq!(after(other), [nulls("a")], "another table");
        let planned = |before: &mut StepOutcome| before.status = StepStatus::Planned { rows: 9.0 };
        let block = |before: &mut StepOutcome| before.locks[0].mode = LockMode::RowExclusive;
        let call = |before: &mut StepOutcome| {
            before.status = StepStatus::LeftOut(LeftOut::Unknown);
            before.locks.clear();
        };
        for change in [planned, block, call] {
            assert_eq!(after(change), []);
        }
    }
}
