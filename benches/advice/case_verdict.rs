//! How the advice of a case is judged against the expert's, by what was measured.

use std::collections::BTreeSet;

use serde::Serialize;

/// Slower than the expert's by more than this is worse.
const AS_FAST: f64 = 1.5;

/// Below this, in milliseconds, nobody waits, and times say little.
const INSTANT_MS: f64 = 0.3;

/// At a cost that is higher by no more than this, a difference in time is taken for noise, up to
/// [`NOISE`].
const SAME_COST: f64 = 1.05;
const NOISE: f64 = 3.0;

/// Indexes are large when they take more than so many times the expert's bytes, and more than so
/// many bytes in addition.
const LARGE: u64 = 3;
const LARGE_BYTES: u64 = 4_000_000;

/// A statement is harmed when it takes more than so many times the time without the advice, and
/// more than so many milliseconds in addition.
const HARMED: f64 = 2.0;
const HARMED_MS: f64 = 5.0;

/// Times below this, in milliseconds, are not told apart in factors.
const RESOLUTION_MS: f64 = 0.05;

/// An execution, and the plan's cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    pub cost: f64,
    pub ms: f64,
    /// The names of the indexes in the plan, without quotes.
    pub indexes: BTreeSet<String>,
}

/// A statement without and with the expert's and the program's advice.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    pub name: String,
    pub before: Measured,
    pub expert: Measured,
    /// Or the server's error.
    pub ours: Result<Measured, String>,
}

/// Advice that was followed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Followed {
    /// Of the indexes together.
    pub bytes: u64,
    /// Those that were created.
    pub indexes: Vec<Index>,
    /// The names of the statements in whose place others were executed.
    pub rewritten: BTreeSet<String>,
    /// What the server refused to create.
    pub errors: Vec<String>,
}

/// One that was created, with its parts if its table is partitioned.
#[derive(Debug, Clone, Serialize)]
pub struct Index {
    /// Without quotes, as plans name it.
    pub name: String,
    /// Those of the partitions.
    pub parts: BTreeSet<String>,
}

/// What the advice is worth, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As fast as the expert's, and not much larger.
    Good,
    /// As fast, but much larger.
    Large,
    /// As fast, but no statement uses any of its indexes, or is faster by them.
    Useless,
    /// A statement is slower than with the expert's.
    Worse,
    /// A statement is slower than without it, or fails; or an index cannot be created.
    Harmful,
    /// There is nothing to judge: the program failed, or the case cannot be executed.
    Failed,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Good => "good",
            Verdict::Large => "large",
            Verdict::Useless => "useless",
            Verdict::Worse => "worse",
            Verdict::Harmful => "harmful",
            Verdict::Failed => "failed",
        }
    }
}

impl Compared {
    /// Is it as fast as with the expert's?
    pub fn is_good(&self) -> bool {
        let Ok(ours) = &self.ours else { return false };
        ours.ms <= INSTANT_MS
            || ours.ms <= AS_FAST * self.expert.ms
            || (ours.cost <= SAME_COST * self.expert.cost && ours.ms <= NOISE * self.expert.ms)
    }

    /// Is it slower than before, or does it fail?
    fn is_harmed(&self) -> bool {
        self.ours.as_ref().map_or(true, |ours| {
            ours.ms > HARMED * self.before.ms && ours.ms - self.before.ms > HARMED_MS
        })
    }

    fn is_faster(&self) -> bool {
        let before = self.before.ms;
        let faster = |ours: &Measured| before > INSTANT_MS && before > AS_FAST * ours.ms;
        self.ours.as_ref().is_ok_and(faster)
    }

    /// The time with the program's advice by the time with the expert's.
    pub fn factor(&self) -> Option<f64> {
        let ours = self.ours.as_ref().ok()?;
        Some(ours.ms.max(RESOLUTION_MS) / self.expert.ms.max(RESOLUTION_MS))
    }
}

impl Followed {
    /// The names of those that no plan uses.
    pub fn unused(&self, statements: &[Compared]) -> Vec<&str> {
        let plans = || statements.iter().filter_map(|one| one.ours.as_ref().ok());
        let used = |index: &Index| {
            plans().any(|plan| {
                plan.indexes.contains(&index.name) || !plan.indexes.is_disjoint(&index.parts)
            })
        };
        let unused = self.indexes.iter().filter(|index| !used(index));
        unused.map(|index| index.name.as_str()).collect()
    }
}

pub fn judge(statements: &[Compared], ours: &Followed, expert: &Followed) -> Verdict {
    // Where nothing was recommended, a difference is noise.
    let changed = !ours.indexes.is_empty() || !ours.rewritten.is_empty();
    let all_good = statements.iter().all(Compared::is_good);
    let is_large = ours.bytes > (LARGE * expert.bytes).max(expert.bytes + LARGE_BYTES);
    let is_useless = !ours.indexes.is_empty()
        && ours.unused(statements).len() == ours.indexes.len()
        && !statements.iter().any(Compared::is_faster);
    if !ours.errors.is_empty() || (changed && statements.iter().any(Compared::is_harmed)) {
        Verdict::Harmful
    } else if !all_good {
        Verdict::Worse
    } else if is_useless {
        Verdict::Useless
    } else if is_large {
        Verdict::Large
    } else {
        Verdict::Good
    }
}

/// The worst factor against the expert, of the statements that did not fail.
pub fn worst_factor(statements: &[Compared]) -> f64 {
    let factors = statements.iter().filter_map(Compared::factor);
    factors.fold(0.0, f64::max)
}
