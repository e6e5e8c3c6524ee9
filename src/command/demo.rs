//! `pgrehearse demo`: a throwaway server, the sample workloads, and `advise` on them.

use std::time::Instant;

use super::advise::advise_and_report;
use super::advising::{AdviseOptions, Follow};
use super::consent::Asking;
use super::planners::{TwinMaker, check_pg_bin};
use super::{CommandError, Outcome, advise, connection, interactive, workload};
use crate::cli::{Cli, DemoArgs};
use crate::cluster::binaries::WhenMissing;
use crate::cluster::{Binaries, Cluster, ClusterOptions};
use crate::db::{Batching, Interrupt, Safety, run_script};
use crate::model::Millis;
use crate::planner::Event;
use crate::terminal::Progress;
use crate::workload::{Workload, file};

/// One sample workload of fixtures/workloads.
struct Sample {
    name: &'static str,
    schema: &'static str,
    data: &'static str,
    finish: &'static str,
    workload: &'static str,
}

macro_rules! sample {
    ($name:literal) => {
        Sample {
            name: $name,
            schema: include_str!(concat!("../../fixtures/workloads/", $name, "/schema.sql")),
            data: include_str!(concat!("../../fixtures/workloads/", $name, "/data.sql")),
            finish: include_str!(concat!("../../fixtures/workloads/", $name, "/finish.sql")),
            workload: include_str!(concat!("../../fixtures/workloads/", $name, "/workload.sql")),
        }
    };
}

const SAMPLES: &[Sample] = &[
    sample!("000-job-queue"),
    sample!("001-remote-references"),
    sample!("002-table-sync"),
    sample!("003-game-overviews"),
    sample!("004-gigs-and-events"),
];

/// Limits for loading the samples, on a server that no other session uses.
const LOADING: Safety = Safety {
    lock_timeout: Millis(60_000.0),
    statement_timeout: Millis(3_600_000.0),
    build_timeout: None,
    max_write_block: Millis(3_600_000.0),
    max_total_write_block: Millis(3_600_000.0),
};

pub(super) fn run(cli: &Cli, arguments: &DemoArgs) -> Result<Outcome, CommandError> {
    let started = Instant::now();
    advise::check_parts(cli, &arguments.report)?;
    if arguments.tui {
        interactive::require_terminal(cli)?;
    }
    check_pg_bin(&arguments.limits.pg_bin)?;
    let interrupt = connection::interrupt()?;
    let binaries = Binaries::find(if arguments.no_install {
        WhenMissing::Explain
    } else {
        WhenMissing::Install
    })?;
    let progress = Progress::new(&cli.output);
    let cluster = start(&binaries, &interrupt, &progress)?;
    load_samples(cli, &cluster, arguments.scale, &interrupt, &progress)?;
    let limits = arguments.limits.limits();
    workload::check_names(&limits.analyze_volatile, &sample_workload()?)?;
    if arguments.tui {
        let run = interactive::InteractiveRun {
            workload: sample_workload()?,
            safety: arguments.safety.safety(&limits),
            limits,
            record: arguments.record.clone(),
            pg_bin: arguments.limits.pg_bin.iter().cloned().collect(),
            may_sample: !arguments.limits.no_sample,
            jobs: arguments.limits.jobs(),
            subject: "demo · five sample workloads on a throwaway server".to_owned(),
        };
        return interactive::on_own_server(cli, cluster.conninfo(), run, &interrupt);
    }
    let session = connection::session_to(
        cli,
        cluster.conninfo(),
        arguments.safety.safety(&limits),
        &interrupt,
    )?;
    let twin_maker = TwinMaker {
        rehearse: limits.rehearse,
        may_sample: !arguments.limits.no_sample,
        jobs: arguments.limits.jobs(),
        pg_bin: arguments.limits.pg_bin.iter().cloned().collect(),
        interrupt,
    };
    let workload = sample_workload()?;
    let options = AdviseOptions {
        asking: Asking::Silent,
        limits: &limits,
        twin_maker,
        what_if: None,
        record: arguments.record.as_deref(),
        started,
        follow: Follow::default(),
        standbys: Vec::new(),
    };
    let advice = advise_and_report((cli, &arguments.report), &session, &workload, &options)?;
    Ok(if advice.rehearsal.interrupted {
        Outcome::Interrupted
    } else {
        Outcome::Done
    })
}

fn start(
    binaries: &Binaries,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<Cluster, CommandError> {
    progress.observe(Event::Begin {
        what: "starting server",
        steps: 1,
    });
    progress.observe(Event::Step("throwaway PostgreSQL"));
    let cluster = Cluster::start(binaries, &ClusterOptions::default(), &|| {
        interrupt.is_raised()
    })?;
    progress.observe(Event::End);
    Ok(cluster)
}

/// Loads the samples in two sessions: the server counts what the first one changed only when it
/// ends, and VACUUM and ANALYZE must come after that.
fn load_samples(
    cli: &Cli,
    cluster: &Cluster,
    scale: f64,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<(), CommandError> {
    progress.observe(Event::Begin {
        what: "loading samples",
        steps: 2 * SAMPLES.len(),
    });
    let session = connection::session_to(cli, cluster.conninfo(), LOADING, interrupt)?;
    run_script(
        &session,
        "setting the scale",
        &format!("SET pgrehearse.scale = '{scale}'"),
        Batching::Whole,
    )?;
    for sample in SAMPLES {
        progress.observe(Event::Step(sample.name));
        run_script(
            &session,
            "creating a sample schema",
            sample.schema,
            Batching::Whole,
        )?;
        run_script(
            &session,
            "loading sample data",
            sample.data,
            Batching::Whole,
        )?;
    }
    drop(session);
    let session = connection::session_to(cli, cluster.conninfo(), LOADING, interrupt)?;
    for sample in SAMPLES {
        progress.observe(Event::Step(sample.name));
        run_script(
            &session,
            "vacuuming sample data",
            sample.finish,
            Batching::OneByOne,
        )?;
    }
    progress.observe(Event::End);
    Ok(())
}

fn sample_workload() -> Result<Workload, CommandError> {
    let mut workload = Workload::default();
    for sample in SAMPLES {
        file::read(
            &format!("{}/workload.sql", sample.name),
            sample.workload,
            &mut workload,
        )?;
    }
    Ok(workload)
}
