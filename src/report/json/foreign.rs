//! Other servers in the JSON report.

use schemars::JsonSchema;
use serde::Serialize;

use super::Report;
use crate::advise::foreign::{ForeignServer, RemoteIndex, RemoteStatement};
use crate::advise::{Advice, Followed};
use crate::report::run_measurements::RunMeasurements;

/// Another server that the workload reads through foreign tables.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ForeignServer")]
pub struct ForeignServerReport {
    /// Its name in this database (`CREATE SERVER`).
    pub name: String,
    /// Its foreign data wrapper.
    pub wrapper: String,
    /// The database there, where the server's options name it.
    pub database: Option<String>,
    /// What the workload's statements send there.
    pub statements: Vec<RemoteStatementReport>,
    /// Indexes to try there. They follow from the conditions alone: no planner was asked. Empty once
    /// that server was asked.
    pub unproved: Vec<RemoteIndexReport>,
    /// The report of that server (--follow-foreign), whose DDL runs there; the ids of its
    /// recommendations begin with its name. Null without the option, and where it could not be
    /// asked.
    pub report: Option<Box<Report>>,
    /// Why that server could not be asked, with --follow-foreign.
    pub error: Option<String>,
}

/// What a statement sends to another server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "RemoteStatement")]
pub struct RemoteStatementReport {
    /// Its name in the report of that server.
    pub id: String,
    /// The id of the statement here.
    pub of: String,
    /// `Remote SQL` of the plan.
    pub sql: String,
    /// How often, by the calls of the statement and the plan's estimates.
    pub calls: f64,
    /// The condition that is not pushed down, but checked here on every row that is fetched; null
    /// where there is none.
    pub not_pushed_down: Option<String>,
}

/// An index to try on another server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "RemoteIndex")]
pub struct RemoteIndexReport {
    /// Runs there as it is.
    pub ddl: String,
    /// The table there, schema-qualified.
    pub table: String,
    /// The ids of the statements here that it is for.
    pub statements: Vec<String>,
}

impl ForeignServerReport {
    pub(super) fn new(server: &ForeignServer, advice: &Advice) -> ForeignServerReport {
        let followed = advice.followed.get(&server.name);
        let report = match followed {
            Some(Followed::Advised {
                advice,
                left_behind,
            }) => {
                let measured = RunMeasurements {
                    left_behind: *left_behind,
                    ..RunMeasurements::default()
                };
                Some(Report::new(advice, &measured))
            }
            _ => None,
        };
        ForeignServerReport {
            name: server.name.clone(),
            wrapper: server.wrapper.clone(),
            database: server.database.clone(),
            statements: server.statements.iter().map(statement).collect(),
            unproved: advice.unproved(server).iter().map(index).collect(),
            report: report.map(Box::new),
            error: match followed {
                Some(Followed::Failed(error)) => Some(error.clone()),
                _ => None,
            },
        }
    }
}

fn statement(sent: &RemoteStatement) -> RemoteStatementReport {
    RemoteStatementReport {
        id: sent.id.0.clone(),
        of: sent.of.0.clone(),
        sql: sent.sql.clone(),
        calls: sent.calls,
        not_pushed_down: sent.not_pushed_down.clone(),
    }
}

fn index(index: &RemoteIndex) -> RemoteIndexReport {
    RemoteIndexReport {
        ddl: index.ddl.clone(),
        table: index.table.to_string(),
        statements: index.statements.iter().map(|id| id.0.clone()).collect(),
    }
}
