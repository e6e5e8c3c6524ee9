//! What statements of a migration assume of the rows that are there: that a column has no NULL, and
//! that its values do not repeat. The planner twin has two rows of each table, so that PostgreSQL
//! itself cannot say; what ANALYZE has seen can.

use std::collections::BTreeSet;

use super::migration::{SeenColumns, StepOutcome, StepStatus};
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
        .filter(|table| !earlier.iter().any(|earlier| writes(earlier, table)))
        .collect();
    let mut found = Vec::new();
    for demand in demands(&step.step.sql) {
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
    let names = identifiers(&step.step.sql);
    let all = [&step.scans, &step.builds, &step.rewrites];
    let all: BTreeSet<&QualifiedName> = all.into_iter().flatten().collect();
    let own = |table: &&QualifiedName| {
        alter_table(&step.step.sql).is_none_or(|altered| {
            plain(altered.table.rsplit('.').next().unwrap_or_default()) == table.name
        })
    };
    let (named, parts): (Vec<&QualifiedName>, Vec<&QualifiedName>) = all
        .into_iter()
        .partition(|table| names.contains(&table.name));
    let own: Vec<&QualifiedName> = named.into_iter().filter(own).collect();
    if own.is_empty() { parts } else { own }
}

/// Does it write rows of this table, or give it other columns?
fn writes(step: &StepOutcome, table: &QualifiedName) -> bool {
    let is_there = step.locks.iter().any(|lock| lock.relation == *table);
    let renames = || identifiers(&step.step.sql).contains("rename");
    is_there && (matches!(step.status, StepStatus::Planned { .. }) || renames())
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
            AlterAction::SetNotNull { column } => demands.push(Demand {
                column: plain(column),
                no_nulls: true,
                unique: false,
            }),
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
    use crate::check::lock::LockMode;
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
        let mut outcomes = outcomes("UPDATE t SET a = 5; ALTER TABLE t ALTER a SET NOT NULL");
        outcomes[0].status = StepStatus::Planned { rows: 9.0 };
        let seen = SeenColumns::from([((table(), "a".to_owned()), SeenValues::new(0.25, -0.75))]);
        assert_eq!(contradictions(&outcomes[1], &outcomes[..1], &seen), []);
    }
}
