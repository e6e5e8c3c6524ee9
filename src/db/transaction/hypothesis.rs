//! Statistics and views that exist only in a transaction that is rolled back, like an index in a
//! rehearsal.
//!
//! Neither blocks readers or writers: ANALYZE and CREATE STATISTICS take SHARE UPDATE EXCLUSIVE,
//! which only VACUUM, other ANALYZEs and DDL conflict with, and a new view only reads its tables
//! (<https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES>).

use tokio_postgres::types::Type;

use super::{OPERATION, Outcome, Transaction};
use crate::db::row::field;
use crate::db::wait_budget::WaitBudget;
use crate::db::{DbError, Session};
use crate::model::{Bytes, Millis, QualifiedName, quote_literal};
use crate::planner::hypothesis::View;
use crate::planner::{Answer, Planned, TestedIndex};
use crate::workload::Statement;

/// A query that refuses a view whose result depends on the role, the session or the time.
pub(in crate::db) fn check_view(name: &QualifiedName) -> String {
    include_str!("../sql/view_is_repeatable.sql").replace("$1", &quote_literal(&name.to_string()))
}

impl Session {
    /// The plans after these statements of our own, in a transaction that is rolled back.
    pub(in crate::db) fn plan_after(
        &self,
        script: &[String],
        statements: &[Statement],
        budget: &mut WaitBudget,
    ) -> Result<Answer, DbError> {
        let (answer, _) = self.in_transaction(budget, |transaction| {
            transaction.set_limits()?;
            for sql in script {
                or_refuse!(transaction.execute(sql));
            }
            transaction.plans(statements)
        })?;
        Ok(answer)
    }

    /// The plans of statements that read a view, after the view is filled.
    pub(in crate::db) fn plan_with_view(
        &self,
        view: &View,
        statements: &[Statement],
        budget: &mut WaitBudget,
    ) -> Result<Answer, DbError> {
        let (answer, _) = self.in_transaction(budget, |transaction| {
            transaction.set_limits()?;
            or_refuse!(transaction.execute(&view.create_empty()));
            or_refuse!(transaction.execute(&check_view(&view.name)));
            let began = std::time::Instant::now();
            or_refuse!(transaction.execute(&view.refresh()));
            let build_time = Millis::from(began.elapsed());
            or_refuse!(transaction.execute(&format!("ANALYZE {}", view.name)));
            let size = transaction.size_of(&view.name)?;
            let planned = or_refuse!(transaction.plans(statements));
            Ok(Ok(Planned {
                indexes: vec![created(view, size, Some(build_time))],
                ..planned
            }))
        })?;
        Ok(answer)
    }
}

/// The view as an answer describes it.
pub(in crate::db) fn created(view: &View, size: Bytes, build_time: Option<Millis>) -> TestedIndex {
    TestedIndex {
        names: [view.name.name.clone()].into(),
        body: String::new(),
        size,
        build_time,
        usable: true,
    }
}

impl Transaction<'_> {
    fn plans(&mut self, statements: &[Statement]) -> Outcome<Planned> {
        let mut planned = Planned::default();
        for statement in statements {
            let plan = or_refuse!(self.plan(statement));
            planned.plans.insert(statement.id.clone(), plan);
        }
        Ok(Ok(planned))
    }

    fn size_of(&self, relation: &QualifiedName) -> Result<Bytes, DbError> {
        let sql = "/* pgrehearse */ SELECT pg_catalog.pg_relation_size(pg_catalog.to_regclass($1)) AS size_bytes";
        let rows = self
            .session
            .query(OPERATION, sql, &[(&relation.to_string(), Type::TEXT)])?;
        let size = rows
            .first()
            .map_or(Ok(None), |row| field::<Option<i64>>(row, "size_bytes"))?;
        Ok(Bytes(size.unwrap_or(0).unsigned_abs()))
    }
}
