//! Which plans of two sets belong together: those of the same statement, wherever they stand.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::Path;

use crate::plan::Plan;
use crate::sql::fingerprint::{Fingerprint, fingerprint};

/// A plan, where it was found and its statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NamedPlan<'p> {
    /// The file it was read from.
    pub file: &'p str,
    /// Its statement, when it is known.
    pub query: Option<&'p str>,
    /// The plan.
    pub plan: &'p Plan,
}

/// The pairs of two sets of plans, and those that belong to no pair.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pairs<'p> {
    /// Before and after, in the order of the plans before.
    pub pairs: Vec<(NamedPlan<'p>, NamedPlan<'p>)>,
    /// Plans of statements that the other set does not have.
    pub only_before: Vec<NamedPlan<'p>>,
    /// The same, of the plans after.
    pub only_after: Vec<NamedPlan<'p>>,
}

impl NamedPlan<'_> {
    fn fingerprint(&self) -> Option<Fingerprint> {
        let query = self.query?.trim().trim_end_matches(';').trim_end();
        (!query.is_empty()).then(|| fingerprint(query))
    }

    /// The name of its file without directories.
    fn file_name(&self) -> &str {
        let name = Path::new(self.file).file_name();
        name.and_then(|name| name.to_str()).unwrap_or(self.file)
    }

    fn relations(&self) -> BTreeSet<&str> {
        let nodes = self.plan.nodes().iter();
        nodes.filter_map(|node| node.relation_name()).collect()
    }
}

/// Pairs plans: one with one; else those of the same statement in their order; then those without a
/// statement by the names of their files, and last by their positions when both sets have the same
/// number of them.
pub fn pair<'p>(before: &[NamedPlan<'p>], after: &[NamedPlan<'p>]) -> Pairs<'p> {
    if let ([before], [after]) = (before, after) {
        return Pairs {
            pairs: vec![(*before, *after)],
            ..Pairs::default()
        };
    }
    let mut partner: Vec<Option<usize>> = vec![None; before.len()];
    let mut is_taken = vec![false; after.len()];
    match_by(before, after, (&mut partner, &mut is_taken), |plan| {
        plan.fingerprint()
    });
    match_by(before, after, (&mut partner, &mut is_taken), |plan| {
        plan.query.is_none().then(|| plan.file_name().to_owned())
    });
    let unmatched = |plan: &NamedPlan<'_>, free: bool| free && plan.query.is_none();
    let left: Vec<usize> = (0..before.len())
        .filter(|at| unmatched(&before[*at], partner[*at].is_none()))
        .collect();
    let right: Vec<usize> = (0..after.len())
        .filter(|at| unmatched(&after[*at], !is_taken[*at]))
        .collect();
    if left.len() == right.len() {
        for (left, right) in left.into_iter().zip(right) {
            partner[left] = Some(right);
            is_taken[right] = true;
        }
    }
    let mut pairs = Pairs::default();
    for (plan, partner) in before.iter().zip(partner) {
        match partner.and_then(|at| after.get(at)) {
            Some(after) => pairs.pairs.push((*plan, *after)),
            None => pairs.only_before.push(*plan),
        }
    }
    let alone = after.iter().zip(is_taken).filter(|(_, taken)| !taken);
    pairs.only_after = alone.map(|(plan, _)| *plan).collect();
    pairs
}

/// Matches plans that are free on both sides and have the same key, in their order.
fn match_by<K: std::hash::Hash + Eq>(
    before: &[NamedPlan<'_>],
    after: &[NamedPlan<'_>],
    (partner, is_taken): (&mut [Option<usize>], &mut [bool]),
    key: impl Fn(&NamedPlan<'_>) -> Option<K>,
) {
    let mut free: HashMap<K, VecDeque<usize>> = HashMap::new();
    for (at, plan) in after.iter().enumerate() {
        if let Some(key) = key(plan).filter(|_| !is_taken[at]) {
            free.entry(key).or_default().push_back(at);
        }
    }
    for (plan, partner) in before.iter().zip(partner) {
        let queue = key(plan).and_then(|key| free.get_mut(&key));
        if partner.is_none()
            && let Some(at) = queue.and_then(VecDeque::pop_front)
        {
            *partner = Some(at);
            is_taken[at] = true;
        }
    }
}

/// What makes a comparison of two plans doubtful, in sentences.
pub(super) fn warnings(before: &NamedPlan<'_>, after: &NamedPlan<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    match (before.fingerprint(), after.fingerprint()) {
        (Some(one), Some(other)) if one != other => {
            warnings.push("these are plans of two different statements".to_owned());
        }
        (Some(_), Some(_)) => {}
        _ => {
            let (one, other) = (before.relations(), after.relations());
            if !one.is_empty() && !other.is_empty() && one.is_disjoint(&other) {
                let list =
                    |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(", ");
                warnings.push(format!(
                    "these are plans of two different statements: one reads {}, the other {}",
                    list(&one),
                    list(&other)
                ));
            }
        }
    }
    let was_run = |plan: &Plan| plan.root().properties.contains("Actual Rows");
    let (ran, ran_after) = (was_run(before.plan), was_run(after.plan));
    if ran != ran_after {
        let file = if ran { before.file } else { after.file };
        warnings.push(format!(
            "only the plan of {file} was run: estimated rows and costs are compared, not times"
        ));
    }
    warnings
}
