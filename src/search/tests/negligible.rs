use super::*;

/// These statements, each with an index of its own under which it costs this.
fn each_with_an_index(costs: &[(String, f64, f64, f64)]) -> (Trials, Costs) {
    let trials = costs
        .iter()
        .map(|(name, _, _, with)| trial(name, 1_000, &[(name, *with)]));
    let workload: Vec<(&str, f64, f64)> = costs
        .iter()
        .map(|(name, calls, cost, _)| (name.as_str(), *calls, *cost))
        .collect();
    (trials.collect(), statements(&workload))
}

fn costs(large: usize, small: usize) -> Vec<(String, f64, f64, f64)> {
    let large = (0..large).map(|number| (format!("large{number:02}"), 1.0, 1_000.0, 10.0));
    let small = (0..small).map(|number| (format!("small{number:02}"), 1.0, 12.0, 4.0));
    let rare = ("rare".to_owned(), 0.001, 500.0, 5.0);
    large.chain(small).chain([rare]).collect()
}

#[test]
fn of_many_indexes_those_that_nobody_would_miss_are_left_out() {
    let (trials, workload) = each_with_an_index(&costs(12, 6));
    let select = |limits: &Limits| {
        let mut known = KnownCosts::from_trials(&trials, workload.clone());
        choose(&mut known, limits).unwrap()
    };
    let selection = select(&Limits::default());
    let names: BTreeSet<&str> = selection
        .chosen
        .iter()
        .map(|id| trials[*id].index.name.as_str())
        .collect();
    assert_eq!(names.len(), 13);
    assert!(!names.iter().any(|name| name.starts_with("small")));
    // It saves less than they do, but whoever runs the statement waits.
    assert!(names.contains("rare"));
    assert_eq!(selection.kept_out.len(), 6);
    let mut reasons = selection.kept_out.values();
    assert!(reasons.all(|reason| *reason == Reason::Negligible));

    let as_many_as_wanted = Limits {
        max_indexes: Some(100),
        ..Limits::default()
    };
    assert_eq!(select(&as_many_as_wanted).chosen.len(), 19);
}

#[test]
fn a_few_indexes_are_no_burden() {
    let (trials, workload) = each_with_an_index(&costs(3, 6));
    assert_eq!(chosen(&trials, &workload, &Limits::default()).len(), 10);
}

/// Together they may save as much as matters.
#[test]
fn what_is_left_out_is_negligible_in_all() {
    let (trials, workload) = each_with_an_index(&costs(12, 60));
    let chosen = chosen(&trials, &workload, &Limits::default());
    let small = chosen.iter().filter(|name| name.starts_with("small"));
    // 12,720 in all: 127 may be lost, 8 for each.
    assert_eq!(small.count(), 60 - 15);
}
