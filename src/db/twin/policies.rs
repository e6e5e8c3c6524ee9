//! Row-level security in the twin.
//!
//! The role that plans owns every table, so no policy applies to it by itself. For a question they are
//! forced on it: those that apply on the server to the role that asks, and for statements planned
//! as others execute them also those of the others.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::{OPERATION, Twin};
use crate::db::DbError;
use crate::db::row::field;
use crate::model::{QualifiedName, quote_literal};
use crate::twin::Snapshot;
use crate::twin::checks::is_planner_setting;
use crate::twin::snapshot::Oid;
use crate::workload::Statement;

/// Settings and their values that policies read; none: planned as the role that asks.
pub(super) type Others<'s> = Option<&'s [(String, String)]>;

/// The tables with policies.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Policies {
    /// They apply to the role that asks.
    own: Vec<Oid>,
    /// They apply to others only.
    others: Vec<Oid>,
}

impl Policies {
    pub(super) fn of(snapshot: &Snapshot) -> Policies {
        let mut policies = Policies::default();
        let columns = ["oid", "relrowsecurity", "relforcerowsecurity"];
        for [oid, secured, applies] in snapshot.rows_of("pg_class", columns) {
            let is_true = |text: &str| matches!(text, "t" | "true");
            let Some(oid) = oid.parse().ok().filter(|_| is_true(secured)) else {
                continue;
            };
            if is_true(applies) {
                policies.own.push(oid);
            } else {
                policies.others.push(oid);
            }
        }
        policies
    }

    pub(super) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.others.is_empty()
    }

    /// Makes them apply in the current transaction.
    pub(super) fn applied(&self, others: Others<'_>) -> String {
        let mut oids: Vec<String> = self.own.iter().map(ToString::to_string).collect();
        if others.is_some() {
            oids.extend(self.others.iter().map(ToString::to_string));
        }
        let mut sql = String::new();
        if !oids.is_empty() {
            let oids = oids.join(",");
            sql += &format!("; SELECT pgrehearse_twin.apply_policies('{{{oids}}}')");
        }
        let settings = others.unwrap_or_default().iter();
        for (name, value) in settings.filter(|(name, _)| is_setting(name)) {
            let (name, value) = (quote_literal(name), quote_literal(value));
            sql += &format!("; SELECT pg_catalog.set_config({name}, {value}, true)");
        }
        sql
    }
}

/// A setting of an application.
fn is_setting(name: &str) -> bool {
    name.contains('.') && is_planner_setting(name)
}

/// The statements that are planned in one transaction: those with the same policies and settings.
pub(super) fn together(statements: &[Statement]) -> BTreeMap<Others<'_>, Vec<&Statement>> {
    let mut groups: BTreeMap<Others<'_>, Vec<&Statement>> = BTreeMap::new();
    for statement in statements {
        groups
            .entry(statement.settings_of_others())
            .or_default()
            .push(statement);
    }
    groups
}

impl Twin {
    /// Policies for the commands for which others have none: on the server they cannot execute them,
    /// so the statements are those of somebody else, and are planned without conditions.
    pub(super) fn add_missing_policies(&self) -> Result<(), DbError> {
        const MISSING: &str = "\
            SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, command.name AS command \
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, \
                 (VALUES ('SELECT', 'r'), ('UPDATE', 'w'), ('DELETE', 'd')) AS command (name, letter) \
            WHERE c.oid = ANY ($1::oid[]) \
              AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive \
                              AND p.polcmd::text IN (command.letter, '*')) \
            ORDER BY 1, 2, 3";
        if self.policies.others.is_empty() {
            return Ok(());
        }
        let tables = &self.policies.others;
        let rows = self
            .admin
            .query(OPERATION, MISSING, &[(tables, Type::OID_ARRAY)])?;
        for row in &rows {
            let table = QualifiedName::new(
                field::<String>(row, "schema_name")?,
                field::<String>(row, "table_name")?,
            );
            let command: String = field(row, "command")?;
            let sql = format!(
                "CREATE POLICY \"pgrehearse {command}\" ON {table} FOR {command} USING (true)"
            );
            self.attempt(&sql)?;
        }
        Ok(())
    }
}
