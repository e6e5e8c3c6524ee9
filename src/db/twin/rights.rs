//! The two roles of a twin.
//!
//! The superuser, which only this process can log in as, writes catalog rows. It evaluates nothing
//! that was copied: no expression, no function, no constraint, no cast. Everything else, from the
//! first row to the last EXPLAIN, is done by a role without any rights except on what was copied,
//! which belongs to it. It logs in as itself, so no `SET ROLE` or `RESET SESSION AUTHORIZATION`
//! makes it more.

use tokio_postgres::types::Type;

use super::samples::SCHEMA;
use super::{MIN_OID, OPERATION, Twin};
use crate::cluster::{Cluster, new_password};
use crate::db::conninfo::{Environment, OsFiles, Typed, resolve};
use crate::db::row::field;
use crate::db::twin::files::FIRST_FILE;
use crate::db::{DbError, Session};
use crate::model::{quote_identifier, quote_literal};
use crate::twin::snapshot::Oid;

/// The role's name where a snapshot does not have one.
const DEFAULT_ROLE: &str = "postgres";

/// The role that plans.
pub(super) struct PlanningRole {
    /// Its number in the twin.
    pub(super) oid: Oid,
    pub(super) name: String,
    password: String,
}

impl PlanningRole {
    /// Has the name of the server's role: `current_user`, and "$user" in `search_path`, must mean
    /// the same.
    pub(super) fn create(admin: &Session, role: &str) -> Result<PlanningRole, DbError> {
        let name = if role.is_empty() { DEFAULT_ROLE } else { role };
        let password = new_password().map_err(|error| DbError::Missing(error.to_string()))?;
        let sql = format!(
            "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT \
             CONNECTION LIMIT 1 PASSWORD {}",
            quote_identifier(name),
            quote_literal(&password)
        );
        admin.batch(OPERATION, &sql)?;
        let sql = "SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1";
        let rows = admin.query(OPERATION, sql, &[(&name, Type::TEXT)])?;
        let Some(row) = rows.first() else {
            return Err(DbError::Missing("the twin has no role to plan".to_owned()));
        };
        Ok(PlanningRole {
            oid: field(row, "oid")?,
            name: name.to_owned(),
            password,
        })
    }

    /// Logs in as this role, with the limits of the superuser's session.
    pub(super) fn connect(&self, cluster: &Cluster, admin: &Session) -> Result<Session, DbError> {
        let typed = Typed {
            dbname: Some(cluster.conninfo_as(&self.name, &self.password)),
            ..Typed::default()
        };
        let no_variables: [(&str, &str); 0] = [];
        let settings = resolve(&typed, &Environment::new(no_variables, None), &OsFiles)
            .map_err(|error| DbError::Missing(error.to_string()))?;
        let no_password = |_: &str| Err(std::io::Error::other("the password is known"));
        Session::connect_to_own(&settings, &no_password, admin.options())
    }
}

impl Twin {
    /// Creates what the planning role may call and write, and nothing else of ours: functions that
    /// change one thing in the catalogs (`toggles.sql`), tables through which statistics get into
    /// the catalogs, and a schema for samples.
    pub(super) fn grant_rights(&self) -> Result<(), DbError> {
        let role = quote_identifier(&self.role.name);
        let toggles = include_str!("toggles.sql")
            .replace("{role}", &role)
            .replace("{role_oid}", &self.role.oid.to_string())
            .replace("{samples}", SCHEMA)
            .replace("{first_candidate}", &MIN_OID.to_string())
            .replace("{first_file}", &FIRST_FILE.to_string());
        self.admin.batch(OPERATION, &toggles)?;
        let tables = include_str!("statistic_tables.sql").replace("{role}", &role);
        self.admin.batch(OPERATION, &tables)
    }
}
