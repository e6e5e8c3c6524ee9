//! A connection with its cancel requests, as sessions and their watchers use it.

use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio_postgres::Client;

use super::connect::{self, CancelHandle, Connected, Prompt};
use super::conninfo::Settings;
use super::{DbError, Interrupt};
use crate::planner::Rollback;

/// A connection and its cancel requests.
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) cancel: CancelHandle,
}

/// Connects, unless the user asks to stop.
pub(super) fn connect_unless_interrupted(
    runtime: &Runtime,
    settings: &Settings,
    prompt: Prompt<'_>,
    interrupt: &Interrupt,
) -> Result<Arc<Link>, DbError> {
    let connected = runtime.block_on(async {
        tokio::select! {
            connected = connect::connect(settings, prompt) => connected.map_err(DbError::from),
            () = interrupt.raised() => Err(DbError::Interrupted { rollback: Rollback::Confirmed }),
        }
    })?;
    let Connected { client, cancel, .. } = connected;
    Ok(Arc::new(Link { client, cancel }))
}
