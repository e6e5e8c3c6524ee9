//! What the statements ask of other servers, through foreign tables.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use crate::catalog::{Catalog, ForeignTable};
use crate::model::QualifiedName;
use crate::workload::StatementId;

mod unproved;

/// Another server, and what the workload asks of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignServer {
    /// Its name here (`CREATE SERVER`).
    pub name: String,
    /// The foreign data wrapper.
    pub wrapper: String,
    /// The wrapper is postgres_fdw: advice for that server is SQL of PostgreSQL.
    pub is_postgres: bool,
    /// The database there, where the server's options name it.
    pub database: Option<String>,
    /// What is sent there, in the order of the workload.
    pub statements: Vec<RemoteStatement>,
    /// Indexes to try there. Nobody was asked about them: they follow from the conditions alone.
    pub to_try: Vec<RemoteIndex>,
}

/// What a statement makes another server do.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteStatement {
    /// The statement here.
    pub of: StatementId,
    /// A name for it there, unique in the run.
    pub id: StatementId,
    /// What is sent.
    pub sql: String,
    /// How often, by the statement's calls and the executions that the planner expects of each.
    pub calls: f64,
    /// The condition that was not pushed down, so that all rows that pass the others are fetched.
    pub not_pushed_down: Option<String>,
}

/// An index that a table on another server would need.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteIndex {
    /// The table there.
    pub table: QualifiedName,
    /// What would create it.
    pub ddl: String,
    /// The statements here that it is for.
    pub statements: BTreeSet<StatementId>,
}

/// The servers that the workload's plans use, by name.
pub(super) fn servers(context: Context<'_>) -> Vec<ForeignServer> {
    let mut servers: BTreeMap<&str, ForeignServer> = BTreeMap::new();
    for statement in context.workload.statements() {
        let (Some(plan), None) = (context.plan(&statement.id), &statement.value_class) else {
            continue;
        };
        for scan in plan.foreign_scans() {
            let mut tables = scan.tables.iter();
            let known = tables.find_map(|table| context.catalog.foreign_table(table));
            let Some(table) = known else { continue };
            let server = servers
                .entry(&table.server)
                .or_insert_with(|| server_of(table));
            server.statements.push(RemoteStatement {
                of: statement.id.clone(),
                id: remote_id(server, &statement.id),
                sql: scan.remote_sql.to_owned(),
                calls: statement.calls_with_any_values() * scan.executions,
                not_pushed_down: scan.filter.map(str::to_owned),
            });
        }
    }
    let mut servers: Vec<ForeignServer> = servers.into_values().collect();
    for server in &mut servers {
        add_unproved(server, context.catalog);
    }
    servers
}

fn server_of(table: &ForeignTable) -> ForeignServer {
    ForeignServer {
        name: table.server.clone(),
        wrapper: table.wrapper.clone(),
        is_postgres: table.is_postgres,
        database: table.database.clone(),
        statements: Vec::new(),
        to_try: Vec::new(),
    }
}

/// `report@app1`, `report@app1-2`: a statement may send several.
fn remote_id(server: &ForeignServer, of: &StatementId) -> StatementId {
    let same = server.statements.iter().filter(|sent| sent.of == *of);
    let number = match same.count() {
        0 => String::new(),
        before => format!("-{}", before + 1),
    };
    StatementId(format!("{}@{}{number}", of.0, server.name))
}

/// Another wrapper's server need not know indexes.
fn add_unproved(server: &mut ForeignServer, catalog: &Catalog) {
    if server.is_postgres {
        server.to_try = unproved::indexes(server, catalog);
    }
}
