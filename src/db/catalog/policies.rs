//! Row-level security policies: those that apply to the role that asks, and those of others.

use std::collections::BTreeMap;

use tokio_postgres::types::{Oid, Type};

use super::OPERATION;
use crate::catalog::{PoliciesOfOthers, Policy, Table, compared_settings};
use crate::db::row::field;
use crate::db::{DbError, Session};

impl Session {
    /// Asks only where a table has row-level security.
    pub(super) fn add_policies(&self, tables: &mut BTreeMap<Oid, Table>) -> Result<(), DbError> {
        let secured = tables.iter().filter(|(_, table)| table.row_security);
        let secured: Vec<Oid> = secured.map(|(oid, _)| *oid).collect();
        if secured.is_empty() {
            return Ok(());
        }
        let sql = include_str!("../sql/policies.sql")
            .replace("{subjects}", include_str!("../sql/policy_roles.sql"));
        for row in self.query(OPERATION, &sql, &[(&secured, Type::OID_ARRAY)])? {
            let Some(table) = tables.get_mut(&field(&row, "relation")?) else {
                continue;
            };
            let condition: Option<String> = field(&row, "condition")?;
            if let Some(condition) = &condition {
                table.policies.push(Policy {
                    name: field(&row, "policy_name")?,
                    condition: condition.clone(),
                });
            }
            if field(&row, "applies")? {
                continue;
            }
            let names: Vec<String> = field(&row, "functions")?;
            let bodies: Vec<String> = field(&row, "bodies")?;
            let functions: BTreeMap<String, String> = names.into_iter().zip(bodies).collect();
            let found = condition.map_or_else(Vec::new, |condition| {
                compared_settings(&condition, &functions)
            });
            let found = found
                .into_iter()
                .filter(|setting| table.column(&setting.column).is_some())
                .collect::<Vec<_>>();
            let role: Option<String> = field(&row, "role_name")?;
            let policies = table
                .policies_of_others
                .get_or_insert_with(|| PoliciesOfOthers {
                    role,
                    settings: Vec::new(),
                });
            for mut setting in found {
                setting.value = self.value_in_session(&setting.setting)?;
                if !policies.settings.contains(&setting) {
                    policies.settings.push(setting);
                }
            }
        }
        Ok(())
    }

    fn value_in_session(&self, setting: &str) -> Result<Option<String>, DbError> {
        let sql =
            "/* pgrehearse */ SELECT nullif(pg_catalog.current_setting($1, true), '') AS value";
        let rows = self.query(OPERATION, sql, &[(&setting, Type::TEXT)])?;
        rows.first().map_or(Ok(None), |row| field(row, "value"))
    }
}
