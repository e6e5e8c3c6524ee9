//! Indexes that exist: what would be smaller if it were rebuilt, and what nothing uses.

use super::*;
use crate::advise::existing::finding::ExistingKind;
use crate::catalog::Counters;
use crate::planner::{Answer, Hypothesis, Planned, TestedIndex};

/// An existing index of 100 MB, which would be of this size if it were rebuilt.
fn bloated(fresh: u64) -> TestPlanner {
    let existing = orders().existing("old", "(a)", Bytes(100 * Bytes::MB));
    let planner = looking_up(TestPlanner::new([existing]), 1.0, "a");
    let planner = planner.index("orders (a)", MB, &[("by-a", 10.0)]);
    planner.answering(move |question| {
        let Some(Hypothesis::Reindexed(indexes)) = &question.hypothesis else {
            return None;
        };
        let rebuilt = |name: String| TestedIndex {
            names: [name].into(),
            body: String::new(),
            size: Bytes(fresh * Bytes::MB),
            build_time: None,
            usable: true,
        };
        let names = indexes
            .iter()
            .map(|index| index.qualified_name().to_string());
        Some(Answer::Planned(Planned {
            indexes: names.map(rebuilt).collect(),
            ..Planned::default()
        }))
    })
}

fn found(advice: &Advice) -> Vec<(&str, ExistingKind, Option<Bytes>)> {
    let findings = advice.existing.iter();
    let found = findings.map(|finding| {
        let name = finding.index.name.as_str();
        (name, finding.kind(), finding.expected_size())
    });
    found.collect()
}

#[test]
fn an_index_of_more_than_twice_its_size_is_bloated() {
    let expected = ("old", ExistingKind::Bloated, Some(Bytes(50 * Bytes::MB)));
    assert_eq!(found(&advice(&mut bloated(50))), [expected]);
    assert_eq!(found(&advice(&mut bloated(51))), []);
    let without = advice_within(&mut bloated(50), &rehearse(Rehearse::Transaction));
    assert_eq!(found(&without), [], "only the twin can estimate it");
}

/// An existing index without any scan in ten days.
fn never_scanned(body: &str) -> TestPlanner {
    let existing = orders().existing("old", body, MB);
    let existing = existing.with(|table| table.indexes[0].scans = 0);
    looking_up(TestPlanner::new([existing]), 1.0, "a")
        .index("orders (a)", MB, &[("by-a", 10.0)])
        .with_catalog(|catalog| {
            catalog.server.counters = Some(Counters {
                since: "2024-05-01T10:00:00Z".to_owned(),
                counted_for_s: 10.0 * 86_400.0,
                was_reset: true,
                standbys: 0,
                standbys_counted: 0,
            });
        })
}

#[test]
fn an_index_that_nothing_scans_is_unused_unless_the_workload_uses_it() {
    let unused = advice(&mut never_scanned("(c)"));
    assert_eq!(found(&unused), [("old", ExistingKind::Unused, None)]);
    let used = advice(&mut never_scanned("(a)"));
    assert_eq!(found(&used), []);
    let longer = Limits {
        unused_after: Millis(11.0 * 86_400_000.0),
        ..Limits::default()
    };
    let not_yet = advice_within(&mut never_scanned("(c)"), &longer);
    assert_eq!(found(&not_yet), []);
}
