//! Several requests in one round trip.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio_postgres::{Client, Row};

use super::{STATEMENT, Session};
use crate::db::DbError;

/// A part of a pipeline.
pub(in crate::db) enum PipelineStep {
    /// Statements of our own (simple protocol), without a result.
    Script(String),
    /// One statement (extended protocol).
    Statement(String),
}

impl PipelineStep {
    fn sql(&self) -> &str {
        match self {
            PipelineStep::Script(sql) | PipelineStep::Statement(sql) => sql,
        }
    }
}

pub(in crate::db) type StepResult = Result<Vec<Row>, tokio_postgres::Error>;
type PipelineFuture<'s> = Pin<Box<dyn Future<Output = StepResult> + 's>>;

/// A step that was sent, and its result.
enum Pending<'s> {
    Running(PipelineFuture<'s>),
    Done(StepResult),
}

impl Pending<'_> {
    /// Is it done?
    fn advance(&mut self, context: &mut Context<'_>) -> bool {
        if let Pending::Running(future) = self
            && let Poll::Ready(result) = future.as_mut().poll(context)
        {
            *self = Pending::Done(result);
        }
        matches!(self, Pending::Done(_))
    }

    fn done(self) -> Option<StepResult> {
        match self {
            Pending::Done(result) => Some(result),
            Pending::Running(_) => None,
        }
    }
}

impl Session {
    /// Sends all steps at once and waits for all results, in one round trip.
    pub(in crate::db) fn pipeline(
        &self,
        steps: &[PipelineStep],
    ) -> Result<Vec<StepResult>, DbError> {
        let traced = steps
            .iter()
            .map(PipelineStep::sql)
            .collect::<Vec<_>>()
            .join(";\n");
        let link = self.link();
        self.drive(STATEMENT, &traced, async {
            let mut pending: Vec<Pending<'_>> = steps
                .iter()
                .map(|step| Pending::Running(send(&link.client, step)))
                .collect();
            let mut answered = 0;
            // tokio-postgres sends a request when its future is first polled.
            std::future::poll_fn(|context| {
                let mut done = 0;
                for step in &mut pending {
                    done += usize::from(step.advance(context));
                }
                if done > answered {
                    answered = done;
                    self.heard.set(Instant::now());
                }
                if done == pending.len() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            pending.into_iter().filter_map(Pending::done).collect()
        })
    }

    /// Statements that may fail inside a transaction that continues after a failure: their rows, or
    /// the first refusal.
    pub(in crate::db) fn attempt(
        &self,
        operation: &'static str,
        statements: Vec<PipelineStep>,
    ) -> Result<Result<Vec<Vec<Row>>, DbError>, DbError> {
        let mut steps = vec![PipelineStep::Script("SAVEPOINT attempt".to_owned())];
        steps.extend(statements);
        steps.push(PipelineStep::Script("RELEASE SAVEPOINT attempt".to_owned()));
        let results: Result<Vec<Vec<Row>>, _> = self.pipeline(&steps)?.into_iter().collect();
        match results {
            Ok(mut rows) => {
                rows.pop();
                Ok(Ok(rows.into_iter().skip(1).collect()))
            }
            Err(failed) => match DbError::query(operation, &failed) {
                refused if refused.is_refusal() => {
                    self.batch(operation, "ROLLBACK TO SAVEPOINT attempt")?;
                    Ok(Err(refused))
                }
                error => Err(error),
            },
        }
    }
}

/// Sends a part of a pipeline when it is first polled.
fn send<'s>(client: &'s Client, step: &'s PipelineStep) -> PipelineFuture<'s> {
    match step {
        PipelineStep::Script(sql) => {
            Box::pin(async move { client.batch_execute(sql).await.map(|()| Vec::new()) })
        }
        PipelineStep::Statement(sql) => Box::pin(client.query_typed(sql, &[])),
    }
}
