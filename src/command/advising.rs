//! What running the pipeline has in common, on a server, a twin file or a foreign server.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::CommandError;
use super::consent::{Asking, Consent, WithConsent};
use super::phase_clock::PhaseClock;
use super::planners::{LivePlanner, TwinMaker};
use super::stoppable::Stoppable;
use super::time_limit::TimeLimit;
use super::what_if::ChangedConditions;
use crate::advise::foreign::ForeignServer;
use crate::advise::notice::Notice;
use crate::advise::{Advice, advise};
use crate::db::{DbError, Safety};
use crate::model::{Millis, QualifiedName};
use crate::planner::recording::{Recorder, Recording};
use crate::planner::{Event, Planner, Rollback};
use crate::terminal::{self, Progress};
use crate::verdict::Limits;
use crate::workload::Workload;

const STOPPED: &str = "interrupted: nothing is tested or built any more, and what is known by now is reported; a second Ctrl-C ends the program at once";

/// How to advise, on a server or on a twin file.
#[derive(Clone)]
pub(super) struct AdviseOptions<'a> {
    pub(super) limits: &'a Limits,
    /// Who is told or asked before something is built.
    pub(super) asking: Asking,
    pub(super) twin_maker: TwinMaker,
    pub(super) what_if: Option<ChangedConditions>,
    pub(super) record: Option<&'a Path>,
    pub(super) started: Instant,
    /// Which foreign servers are asked, too.
    pub(super) follow: Follow,
    /// Connections to other servers of the cluster, whose counters are added.
    pub(super) standbys: Vec<String>,
}

/// Which foreign servers are asked, and how they are reached.
#[derive(Debug, Clone, Default)]
pub(super) struct Follow {
    /// All that the workload uses.
    pub(super) all: bool,
    /// Connections that were given, by the server's name.
    pub(super) connections: BTreeMap<String, String>,
    /// Limits for what is asked of them.
    pub(super) safety: Safety,
}

impl Follow {
    pub(super) fn includes(&self, server: &ForeignServer) -> bool {
        server.is_postgres && (self.all || self.connections.contains_key(&server.name))
    }
}

pub(super) fn advise_and_record(
    planner: &mut dyn Planner,
    workload: &Workload,
    options: &AdviseOptions<'_>,
    progress: &Progress,
) -> Result<Advised, CommandError> {
    let interrupt = &options.twin_maker.interrupt;
    let consent = Consent::new(options.asking, options.limits, interrupt);
    let mut planner = WithConsent::new(planner, &consent);
    let mut planner = TimeLimit::new(&mut planner, options.limits.search_time);
    let mut planner = Stoppable::new(&mut planner, interrupt, || {
        terminal::print_message(STOPPED);
    });
    let clock = PhaseClock::default();
    let observer = |event: Event<'_>| {
        clock.observe(event);
        consent.observe(event);
        progress.observe(event);
    };
    // A recording keeps every plan: only who wants one pays for it.
    let Some(file) = options.record else {
        let advice = advise(workload, options.limits, &mut planner, &observer)?;
        return Ok((advice, clock.times()));
    };
    let mut recorder = Recorder::new(&mut planner);
    let advised = advise(workload, options.limits, &mut recorder, &observer);
    let recording = recorder.finish(workload.clone(), options.limits.clone());
    let advice = advised?;
    save(&recording, file)?;
    Ok((advice, clock.times()))
}

/// The advice, and how long each phase took.
type Advised = (Advice, BTreeMap<String, Millis>);

/// Writes a recording to a file.
pub(super) fn save(recording: &Recording, file: &Path) -> Result<(), CommandError> {
    let json =
        serde_json::to_string(recording).map_err(|error| CommandError::Other(error.to_string()))?;
    terminal::create_private(file)
        .and_then(|mut created| created.write_all(json.as_bytes()))
        .map_err(|error| CommandError::Other(format!("{}: {error}", file.display())))
}

/// How many indexes of the run are still in the catalog; none where the server cannot say any more.
pub(super) fn left_behind(
    planner: &LivePlanner<'_>,
    advice: &Advice,
) -> Result<Option<usize>, CommandError> {
    match planner.server().count_existing(&candidate_names(advice)) {
        Err(DbError::Silent { .. } | DbError::Interrupted { .. }) => Ok(None),
        other => Ok(Some(other?)),
    }
}

/// What is asked after the search. An interrupt then leaves it out, and the rest is reported.
pub(super) fn unless_interrupted<T>(
    advice: &mut Advice,
    asked: Result<T, CommandError>,
) -> Result<Option<T>, CommandError> {
    match asked {
        Err(CommandError::Interrupted(Rollback::Confirmed)) => {
            advice.rehearsal.interrupted = true;
            advice.notices.insert(0, Notice::InterruptedAfterwards);
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// The names of all candidates: after the run, no index may have such a name.
fn candidate_names(advice: &Advice) -> Vec<QualifiedName> {
    let recommended = advice
        .recommendations
        .iter()
        .map(|recommendation| &recommendation.index);
    let rejected = advice.rejected.iter().map(|rejected| &rejected.index);
    recommended
        .chain(rejected)
        .map(|index| QualifiedName::new(index.definition.table.schema.clone(), index.name.clone()))
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::Bytes;
    use crate::planner::test_planner::{TestPlanner, seq_scan, table};

    /// Advice that makes one statement 95 % cheaper.
    pub(in crate::command) fn advised() -> Advice {
        let scan = seq_scan("orders", 1_000.0).filter("(orders.a = 5)");
        let mut planner = TestPlanner::new([table("orders", &["id bigint", "a bigint"])])
            .statement("s", "SELECT * FROM orders WHERE a = 5", scan)
            .index("orders (a)", Bytes(8192), &[("s", 50.0)]);
        let workload = planner.workload().clone();
        advise(&workload, &Limits::default(), &mut planner, &|_| {}).unwrap()
    }

    #[test]
    fn every_name_under_which_something_was_tested_is_looked_for() {
        let mut advice = advised();
        let names = [QualifiedName::new("public", "orders_a_idx")];
        assert_eq!(candidate_names(&advice), names);
        advice.recommendations.clear();
        assert_eq!(candidate_names(&advice), []);
    }

    #[test]
    fn an_interrupt_after_the_search_leaves_the_advice() {
        let mut advice = advised();
        assert_eq!(unless_interrupted(&mut advice, Ok(5)).unwrap(), Some(5));
        assert!(!advice.rehearsal.interrupted);
        let stopped = Err::<u8, _>(CommandError::Interrupted(Rollback::Confirmed));
        assert_eq!(unless_interrupted(&mut advice, stopped).unwrap(), None);
        assert!(advice.rehearsal.interrupted);
        assert_eq!(advice.notices[0], Notice::InterruptedAfterwards);
        let unknown = Err::<u8, _>(CommandError::Interrupted(Rollback::Unconfirmed));
        assert!(unless_interrupted(&mut advice, unknown).is_err());
    }
}
