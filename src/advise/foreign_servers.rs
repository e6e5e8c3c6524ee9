//! Finds what the statements ask of other servers, through foreign tables.

use std::collections::BTreeMap;

use super::context::Context;
use super::foreign::{ForeignServer, RemoteStatement};
use super::unproved;
use crate::catalog::{Catalog, ForeignTable};
use crate::workload::StatementId;

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
