//! What is said about a plan as a whole, in reports and on the plan screen: its times and its cost.

use crate::model::Millis;
use crate::plan::Plan;
use crate::plan::metrics::{Basis, Metrics};

/// Less time outside of all nodes is not shown.
const MIN_OUTSIDE_SHARE: f64 = 0.05;

/// `ran in 41 ms`, `planned in 0.1 ms`, `cost 12,395`.
pub(crate) fn parts(plan: &Plan, metrics: &Metrics) -> Vec<String> {
    let mut parts = vec![ran(metrics)];
    parts.extend(beside_nodes(metrics));
    if plan.root().properties.contains("Total Cost") {
        parts.push(format!("cost {}", plan.total_cost()));
    }
    parts
}

fn ran(metrics: &Metrics) -> String {
    let was_run = metrics
        .nodes
        .first()
        .is_some_and(|root| root.loops.is_some());
    match (metrics.basis, metrics.summary.execution) {
        (Basis::Time(whole), _) => format!("ran in {whole}"),
        // Other products print only the time of the whole.
        (Basis::Cost(_), Some(time)) => format!("ran in {time}, nodes without timing"),
        (Basis::Cost(_), None) if was_run => "ran, without timing".to_owned(),
        (Basis::Cost(_), None) => "not run: estimates only".to_owned(),
    }
}

/// What took time beside the nodes: planning, JIT, serialization, triggers, and the rest.
fn beside_nodes(metrics: &Metrics) -> Vec<String> {
    let summary = &metrics.summary;
    let percent = |share: Option<f64>| {
        share.map_or_else(String::new, |share| format!(" ({:.0} %)", share * 100.0))
    };
    let mut parts = Vec::new();
    if let Some(planning) = summary.planning {
        parts.push(format!(
            "planned in {planning}{}",
            percent(summary.planning_share().filter(|share| *share >= 0.1))
        ));
    }
    if let Some(jit) = summary.jit {
        parts.push(format!("JIT {}{}", jit.time, percent(summary.jit_share())));
    }
    if let Some(serialization) = summary.serialization {
        parts.push(format!("serialization {}", serialization.time));
    }
    if let (Some(outside), Basis::Time(whole)) = (metrics.outside_nodes(), metrics.basis)
        && outside.0 >= MIN_OUTSIDE_SHARE * whole.0
    {
        parts.push(format!("outside of nodes {outside}"));
    }
    let triggers: f64 = summary.triggers.iter().map(|trigger| trigger.time.0).sum();
    if triggers > 0.0 {
        parts.push(format!("triggers {}", Millis(triggers)));
    }
    parts
}
