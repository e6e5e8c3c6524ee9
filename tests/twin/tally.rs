//! Compares and counts two planners' plans for a workload.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Access, Binaries, Cluster, ClusterOptions};
use pgrehearse::internals::db::Twin;
use pgrehearse::internals::plan::{Node, Plan};
use pgrehearse::internals::planner::{Answer, PlanOutcome, Planner, Question, Target};
use pgrehearse::internals::twin::Snapshot;
use pgrehearse::internals::twin::agreement::Agreement;
use pgrehearse::internals::workload::{StatementId, Workload, file};

use crate::exactness::session;

pub const SAMPLES: [&str; 5] = [
    "000-job-queue",
    "001-remote-references",
    "002-table-sync",
    "003-game-overviews",
    "004-gigs-and-events",
];

pub fn workload(sql: &str) -> Workload {
    let mut workload = Workload::default();
    file::read("workload.sql", sql, &mut workload).unwrap();
    workload
}

pub fn sample_workload(sample: &str) -> Workload {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/workloads")
        .join(sample);
    workload(&std::fs::read_to_string(folder.join("workload.sql")).unwrap())
}

pub fn twin_of(snapshot: &Snapshot) -> Twin {
    let binaries = Binaries::find(WhenMissing::Explain).unwrap();
    let options = ClusterOptions {
        without_checksums: true,
        access: Access::Password,
        ..ClusterOptions::default()
    };
    let cluster = Cluster::start(&binaries, &options, &|| false).unwrap();
    let session = session(&cluster.conninfo());
    Twin::load(snapshot, cluster, session).unwrap()
}

pub fn plans(planner: &mut dyn Planner, workload: &Workload) -> BTreeMap<StatementId, PlanOutcome> {
    match planner
        .ask(&Question::plans(Target::Server, workload.statements()))
        .unwrap()
    {
        Answer::Planned(planned) => planned.plans,
        Answer::Refused(refusal) => panic!("{refusal:?}"),
    }
}

/// The number of statements for each degree of agreement.
#[derive(Debug, Default)]
pub struct Tally {
    exact: usize,
    shape: usize,
    /// The same nodes on the same tables and indexes; conditions are printed with other constants.
    nodes: usize,
    different: usize,
    deviations: Vec<f64>,
}

impl Tally {
    pub fn add(
        &mut self,
        label: &str,
        real: &BTreeMap<StatementId, PlanOutcome>,
        other: &BTreeMap<StatementId, PlanOutcome>,
    ) {
        for (id, outcome) in real {
            let (agreement, same_nodes) = match (outcome, &other[id]) {
                (PlanOutcome::Plan(real), PlanOutcome::Plan(other)) => {
                    self.deviations
                        .push(-real.total_cost().saved_share(other.total_cost()));
                    (Agreement::between(real, other), nodes(real) == nodes(other))
                }
                (real, other) if real == other => (Agreement::Exact, true),
                _ => (Agreement::Different, false),
            };
            match agreement {
                Agreement::Exact => self.exact += 1,
                Agreement::SameShape { .. } => self.shape += 1,
                Agreement::Different if same_nodes => self.nodes += 1,
                Agreement::Different => self.different += 1,
            }
            if agreement != Agreement::Exact {
                let costs = |outcome: &PlanOutcome| outcome.plan().map(|plan| plan.total_cost().0);
                eprintln!(
                    "{label} {id}: {agreement:?} {:?} {:?}",
                    costs(outcome),
                    costs(&other[id])
                );
                if agreement == Agreement::Different {
                    eprintln!(
                        "    {:?}\n    {:?}",
                        outcome.plan().map(nodes),
                        other[id].plan().map(nodes)
                    );
                }
            }
        }
    }

    pub fn total(&self) -> usize {
        self.exact + self.shape + self.nodes + self.different
    }

    pub fn exact(&self) -> usize {
        self.exact
    }

    pub fn same_shape(&self) -> usize {
        self.total() - self.different
    }

    /// Relative difference of the total costs, as a share of the first one.
    pub fn median_deviation(&self) -> f64 {
        let mut sorted: Vec<f64> = self
            .deviations
            .iter()
            .map(|deviation| deviation.abs())
            .collect();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }
}

fn nodes(plan: &Plan) -> Vec<String> {
    let line = |node: &Node| {
        let parts = [
            node.node_type().name(),
            node.alias().unwrap_or(""),
            node.index_name().unwrap_or(""),
        ];
        format!("{}{}", " ".repeat(node.depth), parts.join(" "))
    };
    plan.nodes().iter().map(line).collect()
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} statements: {} exact, {} same shape, {} same nodes with other constants, {} different; median deviation {:.5}",
            self.total(),
            self.exact,
            self.shape,
            self.nodes,
            self.different,
            self.median_deviation()
        )
    }
}
