//! The effect of redaction: plans of a twin with made-up values compared with the real server's.

use std::collections::BTreeSet;

use pgrehearse::internals::catalog::Catalog;
use pgrehearse::internals::db::{Scope, Server};
use pgrehearse::internals::twin::Snapshot;
use pgrehearse::internals::twin::array_literal::ArrayLiteral;
use pgrehearse::internals::twin::file::TwinFile;
use pgrehearse::internals::twin::redaction::RedactionKey;
use pgrehearse::internals::workload::Workload;

use crate::exactness::session;
use crate::live::{Database, cluster};
use crate::tally::{SAMPLES, Tally, plans, sample_workload, twin_of, workload};

/// All texts, UUIDs and JSON values of the statistics.
fn values(snapshot: &Snapshot) -> BTreeSet<String> {
    let slots = snapshot
        .statistics
        .iter()
        .flat_map(|statistic| &statistic.slots);
    let values = slots.filter_map(|slot| slot.values.as_ref());
    let hidden = values.filter(|values| [25, 1043, 2950, 3802].contains(&values.element_type));
    let arrays = hidden.map(|values| ArrayLiteral::parse(&values.literal).unwrap());
    arrays
        .flat_map(|array| {
            array
                .elements()
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn redacted(database: &Database, workload: &Workload) -> (Tally, TwinFile) {
    let server = session(&cluster().conninfo_of(&database.name));
    let snapshot = server.snapshot(&Scope::Everything).unwrap();
    let real = plans(&mut Server::new(&server), workload);
    let before = values(&snapshot);
    let file = TwinFile::new(workload.clone(), Catalog::default(), real, snapshot);
    let file = file.redact(&RedactionKey::from_passphrase(&database.name));
    // The file as a recipient reads it.
    let file = TwinFile::read(file.to_bytes().unwrap().as_slice()).unwrap();
    let known: Vec<String> = values(&file.snapshot)
        .intersection(&before)
        .cloned()
        .collect();
    // States that a statement or a CHECK names.
    assert!(
        known.len() <= 6 && before.len() > 50,
        "{known:?} of {}",
        before.len()
    );
    let mut tally = Tally::default();
    tally.add(
        "redacted",
        &file.plans,
        &plans(&mut twin_of(&file.snapshot), workload),
    );
    (tally, file)
}

#[test]
fn redacted_sample_workloads_are_planned_nearly_alike() {
    let mut all = (0, 0, 0);
    for sample in SAMPLES {
        let database = Database::sample(&format!("redaction_{}", &sample[..3]), sample, "0.2");
        let (tally, file) = redacted(&database, &sample_workload(sample));
        eprintln!("{sample}: {tally}");
        eprintln!("{:#?}", file.redacted.unwrap());
        all = (
            all.0 + tally.total(),
            all.1 + tally.same_shape(),
            all.2 + tally.exact(),
        );
    }
    eprintln!(
        "all samples: {} statements, {} same shape, {} of them exact",
        all.0, all.1, all.2
    );
    assert_eq!(all.0, 28);
    assert!(all.1 >= 27 && all.2 >= 22, "{all:?}");
}

#[test]
fn redacted_features_are_planned_nearly_alike() {
    let database = Database::new(
        "redaction_features",
        &include_str!("features.sql").replace("DATABASE features", "DATABASE redaction_features"),
    );
    include_str!("features-drift.sql")
        .lines()
        .for_each(|statement| database.run(statement));
    crate::exactness::wait_for_older_transactions(&database);
    let (tally, file) = redacted(&database, &workload(include_str!("features-queries.sql")));
    eprintln!("features: {tally}\n{:#?}", file.redacted);
    assert_eq!(tally.total(), 69);
    assert!(tally.same_shape() >= 66 && tally.exact() >= 46, "{tally}");
    // Values that a statement mentions are in the file anyway, and a made-up value may begin with
    // one.
    let statistics = serde_json::to_string(&file.snapshot.statistics)
        .unwrap()
        .replace("u12@example.org", "");
    for secret in ["@example.org", "name 12", "note 1", "10.0.3."] {
        assert!(!statistics.contains(secret), "{secret}");
    }
}
