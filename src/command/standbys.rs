//! `--standby`: what other servers of the cluster have counted. An index that only a standby scans is
//! not unused.

use super::advising::AdviseOptions;
use super::{CommandError, connection};
use crate::catalog::CountersElsewhere;
use crate::cli::Cli;
use crate::db::Session;

/// The counters of each of them.
///
/// # Errors
/// When one cannot be asked, is of another cluster or of another database: its silence would be taken
/// for "not scanned".
pub(super) fn counters(
    cli: &Cli,
    session: &Session,
    options: &AdviseOptions<'_>,
) -> Result<Vec<CountersElsewhere>, CommandError> {
    if options.standbys.is_empty() {
        return Ok(Vec::new());
    }
    let (own, database) = (session.system_identifier()?, session.database()?);
    let interrupt = &options.twin_maker.interrupt;
    let counters = options.standbys.iter().enumerate().map(|(number, given)| {
        let refused = |why: String| CommandError::Usage(format!("--standby {}: {why}", number + 1));
        let standby = connection::session_as(cli, given.clone(), options.follow.safety, interrupt)?;
        if standby.system_identifier()? != own {
            return Err(refused("it is not a server of the same cluster".to_owned()));
        }
        let other = standby.database()?;
        if other != database {
            return Err(refused(format!(
                "it is connected to the database {other}, not to {database}"
            )));
        }
        Ok(standby.counters_elsewhere()?)
    });
    counters.collect()
}
