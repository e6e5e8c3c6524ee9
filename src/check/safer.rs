//! How a statement of a migration is written so that nobody waits for it, and what else is worth
//! saying about it. What it did decides, not its text alone: a new table has no readers, and a
//! constraint that another one proves is not checked.
//!
//! The recipes are those of the documentation
//! (<https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES>,
//! <https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY>).

use super::duration::{self, DurationRange};
use super::lock::Blocks;
use super::migration::{Migrated, StepOutcome, StepStatus};
use super::row_conditions::{Contradiction, contradictions};
use crate::model::QualifiedName;
use crate::sql::fingerprint::identifiers;
use crate::sql::{
    AlterAction, AlterTable, ConstraintKind, alter_table, concurrently, leading_words,
};

/// What is worth saying about a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum DdlFinding {
    /// It builds an index while writers wait.
    IndexBlocksWrites,
    /// It drops an index, and waits for all who use the table.
    DropWaits,
    /// It reads all rows while others wait, to check a constraint.
    ConstraintScans,
    /// It reads all rows while others wait, to look for NULLs.
    NotNullScans,
    /// It builds the index of a constraint while everybody waits.
    ConstraintBuilds,
    /// It writes all rows anew for the values of a default.
    DefaultRewrites,
    /// It writes all rows anew for another type.
    TypeRewrites,
    /// It writes all rows anew.
    Rewrites,
    /// It fails on values that the columns have; the server's message.
    FailsOnValues(String),
    /// It fails on rows that ANALYZE has seen.
    FailsOnRows(Contradiction),
    /// These columns have no statistics until the next ANALYZE.
    LosesStatistics(Vec<String>),
    /// It may wait for a lock as long as it likes, and everybody else behind it.
    NoLockTimeout,
    /// Its lock is held while a later statement of the transaction reads or writes all rows.
    HoldsLock(QualifiedName),
}

impl DdlFinding {
    /// Its name in reports.
    pub fn rule(&self) -> &'static str {
        match self {
            DdlFinding::IndexBlocksWrites => "index-blocks-writes",
            DdlFinding::DropWaits => "drop-waits",
            DdlFinding::ConstraintScans => "constraint-scans",
            DdlFinding::NotNullScans => "not-null-scans",
            DdlFinding::ConstraintBuilds => "constraint-builds",
            DdlFinding::DefaultRewrites => "default-rewrites",
            DdlFinding::TypeRewrites => "type-rewrites",
            DdlFinding::Rewrites => "rewrites",
            DdlFinding::FailsOnValues(_) | DdlFinding::FailsOnRows(_) => "fails-on-values",
            DdlFinding::LosesStatistics(_) => "loses-statistics",
            DdlFinding::NoLockTimeout => "no-lock-timeout",
            DdlFinding::HoldsLock(_) => "holds-lock",
        }
    }

    /// Does it say that the statement will fail on the server?
    pub fn predicts_failure(&self) -> bool {
        self.rule() == "fails-on-values"
    }
}

/// What is said about one statement, and how it is written better.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judged {
    /// What is worth saying.
    pub findings: Vec<DdlFinding>,
    /// Statements that do the same without blocking others for long; empty where there are none.
    pub safer: Vec<String>,
}

/// What is said about each statement of a migration, in its order.
pub fn judge(migrated: &Migrated) -> Vec<Judged> {
    let mut has_lock_timeout = false;
    let mut said_lock_timeout = false;
    let mut judged = Vec::with_capacity(migrated.steps.len());
    for (at, step) in migrated.steps.iter().enumerate() {
        has_lock_timeout |= sets_lock_timeout(&step.step.sql);
        let size = |table: &QualifiedName| migrated.tables.get(table).copied();
        let mut one = judge_one(step);
        if duration::estimate(step, size).is_some_and(DurationRange::is_short) {
            // Nobody notices that.
            one.findings
                .retain(|finding| *finding == DdlFinding::DropWaits);
            if one.findings.is_empty() {
                one.safer.clear();
            }
        }
        if let Some(message) = &step.fails_on_values {
            one.findings
                .push(DdlFinding::FailsOnValues(message.clone()));
        }
        let earlier = migrated.steps.get(..at).unwrap_or_default();
        let contradictions = contradictions(step, earlier, &migrated.seen);
        one.findings
            .extend(contradictions.into_iter().map(DdlFinding::FailsOnRows));
        let waits = waits_for_others(step);
        if waits && !has_lock_timeout && !said_lock_timeout {
            said_lock_timeout = true;
            one.findings.push(DdlFinding::NoLockTimeout);
            let mut statements = vec!["SET lock_timeout = '2s';".to_owned()];
            if one.safer.is_empty() {
                statements.push(with_semicolon(&step.step.sql));
            }
            statements.append(&mut one.safer);
            one.safer = statements;
        }
        let later = migrated.steps.get(at + 1..).unwrap_or_default();
        one.findings.extend(held_meanwhile(step, later));
        judged.push(one);
    }
    add_lost_statistics(migrated, &mut judged);
    judged
}

fn sets_lock_timeout(sql: &str) -> bool {
    let words = leading_words(sql, 3);
    words.first().is_some_and(|word| word == "set")
        && words.iter().any(|word| word == "lock_timeout")
}

/// Does it wait for a lock behind which others wait?
fn waits_for_others(step: &StepOutcome) -> bool {
    let blocking = |blocks: Blocks| blocks != Blocks::Definitions;
    step.locks.iter().any(|lock| blocking(lock.mode.blocks()))
}

fn judge_one(step: &StepOutcome) -> Judged {
    let is_done = step.status == StepStatus::Done;
    let reads = !step.scans.is_empty() || !step.rewrites.is_empty() || !step.builds.is_empty();
    let sql = &step.step.sql;
    if !is_done || !waits_for_others(step) {
        return Judged::default();
    }
    if let Some(altered) = alter_table(sql) {
        return if reads {
            judge_alter(&altered, step)
        } else {
            Judged::default()
        };
    }
    let words = leading_words(sql, 2);
    let is_drop = words == ["drop", "index"];
    match concurrently(sql) {
        Some(better) if is_drop || reads => {
            let finding = if is_drop {
                DdlFinding::DropWaits
            } else {
                DdlFinding::IndexBlocksWrites
            };
            Judged {
                findings: vec![finding],
                safer: vec![with_semicolon(&better)],
            }
        }
        _ if !step.rewrites.is_empty() => Judged {
            findings: vec![DdlFinding::Rewrites],
            safer: Vec::new(),
        },
        _ => Judged::default(),
    }
}

/// Each action has its finding; there are better statements only if each of them has some, so that
/// nothing gets lost.
fn judge_alter(altered: &AlterTable, step: &StepOutcome) -> Judged {
    let mut judged = Judged::default();
    let mut all_are_known = true;
    for action in &altered.actions {
        let known = alternative(altered, action, step);
        all_are_known &= known.is_some();
        if let Some((finding, statements)) = known {
            if !judged.findings.contains(&finding) {
                judged.findings.push(finding);
            }
            all_are_known &= !statements.is_empty();
            judged.safer.extend(statements);
        }
    }
    if judged.findings.is_empty() && !step.rewrites.is_empty() {
        judged.findings.push(DdlFinding::Rewrites);
    }
    if !all_are_known {
        judged.safer.clear();
    }
    judged
}

/// What an action does, and what does the same in steps that block nobody for long.
fn alternative(
    altered: &AlterTable,
    action: &AlterAction,
    step: &StepOutcome,
) -> Option<(DdlFinding, Vec<String>)> {
    let table = &altered.table;
    let rewrites = !step.rewrites.is_empty();
    match action {
        AlterAction::AddConstraint {
            name,
            kind,
            columns,
            text,
        } => constraint(table, (name.as_deref(), *kind), columns, text),
        AlterAction::SetNotNull { column } => Some(not_null(table, column)),
        AlterAction::AddColumnWithDefault {
            column,
            without_default,
            is_not_null,
            default,
        } if rewrites => {
            let (finding, mut statements) = default_later(table, column, without_default, default);
            if *is_not_null {
                statements.extend(not_null(table, column).1);
            }
            Some((finding, statements))
        }
        AlterAction::SetType {
            column,
            type_name,
            using,
        } if rewrites => Some(another_column(table, column, type_name, using.as_deref())),
        _ => None,
    }
}

/// A validated constraint proves that there are no NULLs.
fn not_null(table: &str, column: &str) -> (DdlFinding, Vec<String>) {
    let name = plain_name(&[&last_part(table), column, "not_null"]);
    let statements = vec![
        format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;"
        ),
        format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};"),
        format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;"),
        format!("ALTER TABLE {table} DROP CONSTRAINT {name};"),
    ];
    (DdlFinding::NotNullScans, statements)
}

/// Rows that exist get their value afterwards.
fn default_later(
    table: &str,
    column: &str,
    without_default: &str,
    default: &str,
) -> (DdlFinding, Vec<String>) {
    let statements = vec![
        format!("ALTER TABLE {table} {without_default};"),
        format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default};"),
        format!(
            "UPDATE {table} SET {column} = {default} WHERE {column} IS NULL; -- in batches of some thousand rows"
        ),
    ];
    (DdlFinding::DefaultRewrites, statements)
}

/// Another column takes the place of the one whose type changes.
fn another_column(
    table: &str,
    column: &str,
    type_name: &str,
    using: Option<&str>,
) -> (DdlFinding, Vec<String>) {
    let new = plain_name(&[column, "new"]);
    let value = using.map_or_else(|| format!("{column}::{type_name}"), str::to_owned);
    let statements = vec![
        format!("ALTER TABLE {table} ADD COLUMN {new} {type_name};"),
        format!("-- write {new} together with {column}, by a trigger or in the application"),
        format!(
            "UPDATE {table} SET {new} = {value} WHERE {new} IS NULL; -- in batches of some thousand rows"
        ),
        "-- create its indexes CONCURRENTLY and its constraints NOT VALID, and then in one transaction:"
            .to_owned(),
        format!(
            "ALTER TABLE {table} DROP COLUMN {column}; ALTER TABLE {table} RENAME COLUMN {new} TO {column};"
        ),
    ];
    (DdlFinding::TypeRewrites, statements)
}

fn constraint(
    table: &str,
    (name, kind): (Option<&str>, ConstraintKind),
    columns: &str,
    text: &str,
) -> Option<(DdlFinding, Vec<String>)> {
    let first_column = columns.split(',').next().unwrap_or(columns).trim();
    let (suffix, word) = match kind {
        ConstraintKind::Check => ("check", "CHECK"),
        ConstraintKind::ForeignKey => ("fkey", "FOREIGN KEY"),
        ConstraintKind::Unique => ("key", "UNIQUE"),
        ConstraintKind::PrimaryKey => ("pkey", "PRIMARY KEY"),
    };
    let generated = match kind {
        ConstraintKind::Check | ConstraintKind::PrimaryKey => {
            plain_name(&[&last_part(table), suffix])
        }
        _ => plain_name(&[&last_part(table), first_column, suffix]),
    };
    let constraint = name.map_or(generated, str::to_owned);
    let named = match name {
        Some(_) => text.to_owned(),
        None => {
            let at = text.to_uppercase().find(word)?;
            format!("ADD CONSTRAINT {constraint} {}", text.get(at..)?)
        }
    };
    Some(match kind {
        ConstraintKind::Check | ConstraintKind::ForeignKey => (
            DdlFinding::ConstraintScans,
            vec![
                format!("ALTER TABLE {table} {named} NOT VALID;"),
                format!("ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};"),
            ],
        ),
        ConstraintKind::Unique | ConstraintKind::PrimaryKey => (
            DdlFinding::ConstraintBuilds,
            vec![
                format!("CREATE UNIQUE INDEX CONCURRENTLY {constraint} ON {table} ({columns});"),
                format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {constraint} {word} USING INDEX {constraint};"
                ),
            ],
        ),
    })
}

/// The name behind the schema.
fn last_part(table: &str) -> String {
    table.rsplit('.').next().unwrap_or(table).to_owned()
}

/// A name from these parts, as PostgreSQL makes one for a constraint: quotes of the parts go, and it
/// gets its own where it needs them.
fn plain_name(parts: &[&str]) -> String {
    let bare: Vec<String> = parts.iter().map(|part| part.replace('"', "")).collect();
    crate::model::quote_identifier(&bare.join("_")).into_owned()
}

fn with_semicolon(sql: &str) -> String {
    format!("{};", sql.trim_end().trim_end_matches(';'))
}

/// A lock that blocks others, while a later statement of the same transaction reads or writes all
/// rows of a table.
fn held_meanwhile(step: &StepOutcome, later: &[StepOutcome]) -> Option<DdlFinding> {
    if !step.in_block || !waits_for_others(step) {
        return None;
    }
    let of_block = later.iter().take_while(|step| step.in_block);
    let is_long = |step: &&StepOutcome| {
        !step.scans.is_empty() || !step.rewrites.is_empty() || !step.builds.is_empty()
    };
    let long = of_block.into_iter().find(is_long)?;
    let own = |table: &&QualifiedName| step.locks.iter().any(|lock| lock.relation == **table);
    let tables = long.rewrites.iter().chain(&long.scans).chain(&long.builds);
    // On the same table, the later statement blocks others itself.
    let other = tables.into_iter().find(|table| !own(table))?;
    Some(DdlFinding::HoldsLock(other.clone()))
}

/// Columns without statistics belong to the statement that changed their type: the last ALTER TABLE that
/// sets a type and names the column, or else the last statement that does (of a domain).
fn add_lost_statistics(migrated: &Migrated, judged: &mut [Judged]) {
    for (table, column) in &migrated.without_statistics {
        let names_it = |step: &StepOutcome| {
            step.locks.iter().any(|lock| lock.relation == *table)
                && identifiers(&step.step.sql).contains(column)
        };
        let sets_type = |step: &StepOutcome| {
            let actions = alter_table(&step.step.sql).map(|altered| altered.actions);
            let is_type = |action: &AlterAction| matches!(action, AlterAction::SetType { .. });
            names_it(step) && actions.is_some_and(|actions| actions.iter().any(is_type))
        };
        let steps = &migrated.steps;
        let at = steps.iter().rposition(sets_type);
        let Some(at) = at.or_else(|| steps.iter().rposition(names_it)) else {
            continue;
        };
        let Some(one) = judged.get_mut(at) else {
            continue;
        };
        let known = one.findings.iter_mut().find_map(|finding| match finding {
            DdlFinding::LosesStatistics(columns) => Some(columns),
            _ => None,
        });
        match known {
            // The partitions of a table have the same columns.
            Some(columns) if columns.contains(column) => {}
            Some(columns) => columns.push(column.clone()),
            None => {
                let columns = vec![column.clone()];
                one.findings.push(DdlFinding::LosesStatistics(columns));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::lock::LockMode;
    use crate::check::migration::{HeldLock, TableSize};
    use crate::check::script::steps;
    use crate::model::Bytes;

    /// A script whose statements each lock `public.t` exclusively and do this to it.
    fn migrated(sql: &str, does: impl Fn(&mut StepOutcome)) -> Migrated {
        let outcomes = steps("m.sql", sql).into_iter().map(|step| {
            let mut outcome = StepOutcome::new(&step, StepStatus::Done);
            if !sets_lock_timeout(&step.sql) {
                outcome.locks.push(HeldLock {
                    relation: table("t"),
                    mode: LockMode::AccessExclusive,
                    is_seen: true,
                });
                does(&mut outcome);
            }
            outcome
        });
        let large = TableSize {
            rows: 1e8,
            size: Bytes(10_000_000_000),
        };
        Migrated {
            steps: outcomes.collect(),
            tables: [(table("t"), large), (table("u"), large)].into(),
            ..Migrated::default()
        }
    }

    fn table(name: &str) -> QualifiedName {
        QualifiedName::new("public", name)
    }

    /// What is said of the last statement of a script that sets lock_timeout.
    fn last(sql: &str, does: impl Fn(&mut StepOutcome)) -> Judged {
        let script = format!("SET lock_timeout = '1s'; {sql}");
        judge(&migrated(&script, does)).pop().unwrap()
    }

    fn scans(outcome: &mut StepOutcome) {
        outcome.scans.push(table("t"));
    }

    fn rewrites(outcome: &mut StepOutcome) {
        outcome.rewrites.push(table("t"));
    }

    #[test]
    fn what_reads_no_rows_needs_no_other_form() {
        for sql in [
            "ALTER TABLE t ADD COLUMN a int",
            "ALTER TABLE t ADD CHECK (a > 0) NOT VALID",
            "ALTER TABLE t ALTER a SET NOT NULL",
        ] {
            assert_eq!(last(sql, |_| {}), Judged::default(), "{sql}");
        }
    }

    #[test]
    fn what_nobody_notices_needs_no_other_form() {
        let mut small = migrated(
            "SET lock_timeout = '1s'; ALTER TABLE t ADD CHECK (a > 0)",
            scans,
        );
        small.tables.clear();
        assert_eq!(judge(&small).pop(), Some(Judged::default()));
    }

    #[test]
    fn a_constraint_is_validated_afterwards() {
        let judged = last("ALTER TABLE a.t ADD CONSTRAINT c CHECK (x > 0)", scans);
        assert_eq!(judged.findings, [DdlFinding::ConstraintScans]);
        assert_eq!(
            judged.safer,
            [
                "ALTER TABLE a.t ADD CONSTRAINT c CHECK (x > 0) NOT VALID;",
                "ALTER TABLE a.t VALIDATE CONSTRAINT c;"
            ]
        );
        let judged = last("ALTER TABLE t ADD FOREIGN KEY (u_id) REFERENCES u", scans);
        assert_eq!(
            judged.safer,
            [
                "ALTER TABLE t ADD CONSTRAINT t_u_id_fkey FOREIGN KEY (u_id) REFERENCES u NOT VALID;",
                "ALTER TABLE t VALIDATE CONSTRAINT t_u_id_fkey;"
            ]
        );
    }

    #[test]
    fn a_key_is_made_of_an_index_that_is_built_concurrently() {
        let builds = |outcome: &mut StepOutcome| outcome.builds.push(table("t"));
        let judged = last("ALTER TABLE t ADD UNIQUE (a, \"B\")", builds);
        assert_eq!(judged.findings, [DdlFinding::ConstraintBuilds]);
        assert_eq!(
            judged.safer,
            [
                "CREATE UNIQUE INDEX CONCURRENTLY t_a_key ON t (a, \"B\");",
                "ALTER TABLE t ADD CONSTRAINT t_a_key UNIQUE USING INDEX t_a_key;"
            ]
        );
    }

    #[test]
    fn several_actions_have_another_form_only_if_each_has_one() {
        let judged = last("ALTER TABLE t ALTER a SET NOT NULL, DROP COLUMN b", scans);
        assert_eq!(judged.findings, [DdlFinding::NotNullScans]);
        assert_eq!(judged.safer, [] as [&str; 0]);
        let judged = last(
            "ALTER TABLE t ALTER a SET NOT NULL, ADD CHECK (b > 0)",
            scans,
        );
        assert_eq!(judged.findings.len(), 2);
        assert_eq!(judged.safer.len(), 6);
    }

    #[test]
    fn a_rewrite_is_named_by_what_causes_it() {
        let finding = |sql| last(sql, rewrites).findings;
        assert_eq!(
            finding("ALTER TABLE t ADD a uuid DEFAULT f()"),
            [DdlFinding::DefaultRewrites]
        );
        assert_eq!(
            finding("ALTER TABLE t ALTER a TYPE bigint"),
            [DdlFinding::TypeRewrites]
        );
        assert_eq!(finding("VACUUM FULL t"), [DdlFinding::Rewrites]);
        assert_eq!(
            finding("ALTER TABLE t SET UNLOGGED"),
            [DdlFinding::Rewrites]
        );
    }

    #[test]
    fn the_first_lock_that_others_wait_behind_has_a_limit() {
        let judged = judge(&migrated(
            "ALTER TABLE t ADD a int; ALTER TABLE t ADD b int",
            |_| {},
        ));
        assert_eq!(judged[0].findings, [DdlFinding::NoLockTimeout]);
        assert_eq!(
            judged[0].safer,
            ["SET lock_timeout = '2s';", "ALTER TABLE t ADD a int;"]
        );
        assert_eq!(judged[1], Judged::default());
    }

    #[test]
    fn a_lock_that_is_held_during_work_on_another_table_is_reported() {
        let mut migrated = migrated(
            "SET lock_timeout = '1s'; ALTER TABLE t ADD a int; CREATE INDEX i ON u (b)",
            |_| {},
        );
        for step in &mut migrated.steps {
            step.in_block = true;
        }
        migrated.steps[2].locks[0].relation = table("u");
        migrated.steps[2].builds.push(table("u"));
        let judged = judge(&migrated);
        assert_eq!(judged[1].findings, [DdlFinding::HoldsLock(table("u"))]);
        migrated.steps[1].in_block = false;
        assert_eq!(judge(&migrated)[1].findings, []);
    }

    #[test]
    fn lost_statistics_belong_to_the_statement_that_names_the_column() {
        let mut migrated = migrated(
            "SET lock_timeout = '1s'; ALTER TABLE t ALTER a TYPE text; ALTER TABLE t ADD b int",
            |_| {},
        );
        migrated.without_statistics = vec![(table("t"), "a".to_owned())];
        let judged = judge(&migrated);
        let lost = DdlFinding::LosesStatistics(vec!["a".to_owned()]);
        assert_eq!(judged[1].findings, [lost]);
        assert_eq!(judged[2].findings, []);
    }
}
