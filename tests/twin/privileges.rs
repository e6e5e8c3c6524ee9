//! What a role may not read comes from another source, or the report says that it is missing.

use std::collections::BTreeMap;

use pgrehearse::internals::db::Scope;
use pgrehearse::internals::twin::agreement::Agreement;
use pgrehearse::internals::twin::snapshot::{ExtendedStatistic, Oid, Statistic};
use pgrehearse::internals::workload::StatementId;
use serde_json::Value;

use crate::exactness::{Pair, conninfo, session, workload};
use crate::live::{Database, recommended, statement, text_of};

/// `STATISTIC_KIND_BOUNDS_HISTOGRAM` (src/include/catalog/pg_statistic.h).
const RANGE_BOUNDS: i16 = 7;

/// The database of all features, and a role; `{role}` in the grants stands for it.
fn features(role: &str, grants: &str) -> Database {
    let database = Database::new(
        role,
        &include_str!("features.sql").replace("DATABASE features", &format!("DATABASE {role}")),
    );
    include_str!("features-drift.sql")
        .lines()
        .for_each(|statement| database.run(statement));
    crate::exactness::wait_for_older_transactions(&database);
    database.run(&format!(
        "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN; {}",
        grants.replace("{role}", role)
    ));
    database
}

fn differing(pair: &mut Pair) -> Vec<(StatementId, Agreement)> {
    let agreements = pair.compare(&workload(include_str!("features-queries.sql")));
    assert_eq!(agreements.len(), 69);
    agreements
        .into_iter()
        .filter(|(_, agreement)| *agreement != Agreement::Exact)
        .collect()
}

/// Reading all data is enough, except for the first pages of GIN indexes.
#[test]
fn a_role_that_may_read_all_data_needs_no_more() {
    let database = features(
        "twin_all_data",
        "GRANT pg_read_all_data, pg_write_all_data TO {role};",
    );
    let (mut pair, snapshot) = Pair::seen_by(&database, "twin_all_data");
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    let differing = differing(&mut pair);
    assert!(
        differing.iter().all(|(id, how)| is_gin_guess(id, how)),
        "{differing:?}"
    );
}

/// Without the counters in an index's first page, the cost of reading it is guessed.
fn is_gin_guess(id: &StatementId, how: &Agreement) -> bool {
    let is_near = matches!(how, Agreement::SameShape { deviation } if *deviation < 0.01);
    ["workload:6", "workload:9", "workload:10", "workload:39"].contains(&id.0.as_str()) && is_near
}

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn statistics_are_rebuilt_from_the_views_as_analyze_wrote_them() {
    let grants = "GRANT USAGE ON SCHEMA shop TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA shop TO {role}; \
                  GRANT USAGE ON ALL SEQUENCES IN SCHEMA shop TO {role}; \
                  ALTER TABLE shop.customer OWNER TO {role};";
    let database = features("twin_views", grants);
    let real = session(&conninfo(&database, "postgres"))
        .snapshot(&Scope::Everything)
        .unwrap();
    let (mut pair, snapshot) = Pair::seen_by(&database, "twin_views");
    let shows_ranges = snapshot.origin.major() >= 17;
    let key =
        |statistic: &Statistic| (statistic.relation, statistic.attribute, statistic.inherited);
    let rebuilt: BTreeMap<(Oid, i16, bool), &Statistic> = snapshot
        .statistics
        .iter()
        .map(|statistic| (key(statistic), statistic))
        .collect();
    let (mut missing, mut unlike) = (0, 0);
    for statistic in &real.statistics {
        match rebuilt.get(&key(statistic)) {
            None => missing += 1,
            Some(found) if *found == statistic => {}
            Some(_)
                if statistic.slots.iter().any(|slot| slot.kind == RANGE_BOUNDS)
                    && !shows_ranges =>
            {
                unlike += 1
            }
            Some(found) => panic!("{statistic:?}\n{found:?}"),
        }
    }
    // Two indexes with expressions on tables of other owners; four columns of ranges.
    assert_eq!((missing, unlike), (2, if shows_ranges { 0 } else { 4 }));
    let is_filled =
        |found: &&ExtendedStatistic| found.ndistinct.is_some() || !found.expressions.is_empty();
    let shown: Vec<&ExtendedStatistic> = snapshot
        .extended_statistics
        .iter()
        .filter(is_filled)
        .collect();
    assert_eq!(shown.len(), 2);
    for found in shown {
        let real = real
            .extended_statistics
            .iter()
            .find(|real| real.oid == found.oid)
            .unwrap();
        assert_eq!(
            *found,
            ExtendedStatistic {
                most_common: None,
                ..real.clone()
            }
        );
    }
    let gaps = &snapshot.gaps;
    assert_eq!(gaps.len(), if shows_ranges { 2 } else { 3 }, "{gaps:?}");
    let mut expected = vec!["workload:39", "workload:49"];
    if !shows_ranges {
        expected.extend(["workload:34", "workload:44", "workload:45"]);
    }
    let unexpected: Vec<_> = differing(&mut pair)
        .into_iter()
        .filter(|(id, how)| !expected.contains(&id.0.as_str()) && !is_gin_guess(id, how))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
}

/// Some columns, policies, no privileges: statements that can be planned get advice, and the report
/// has the GRANTs.
#[test]
fn what_may_not_be_read_is_reported_with_the_grant_that_helps() {
    let database = Database::new(
        "twin_some",
        "DROP ROLE IF EXISTS twin_some; CREATE ROLE twin_some LOGIN;
         CREATE TABLE part (id int PRIMARY KEY, a int, b text, secret text);
         INSERT INTO part SELECT n, n % 5000, 'b' || n, 's' || n FROM generate_series(1, 60000) AS n;
         CREATE TABLE guarded (id int PRIMARY KEY, owner text, a int);
         INSERT INTO guarded SELECT n, CASE WHEN n % 3 = 0 THEN 'twin_some' ELSE 'x' END, n % 7000 FROM generate_series(1, 60000) AS n;
         ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON guarded USING (owner = current_user);
         CREATE TABLE closed (id int PRIMARY KEY, a int);
         INSERT INTO closed SELECT n, n % 8000 FROM generate_series(1, 60000) AS n;
         CREATE VIEW opened AS SELECT * FROM closed;
         GRANT SELECT (id, a, b) ON part TO twin_some;
         GRANT SELECT ON guarded, opened TO twin_some;
         ANALYZE;",
    );
    let output = database
        .program(&["advise", "--format", "json", "-c", SOME_WORKLOAD])
        .arg("-d")
        .arg(conninfo(&database, "twin_some"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let notices: Vec<&str> = report["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notice| notice.as_str().unwrap())
        .collect();
    for expected in [
        "public.part: the role twin_some cannot read the table or some of its columns",
        "What helps: GRANT SELECT ON public.part TO twin_some;",
        "GRANT SELECT ON public.closed TO twin_some;",
        "public.guarded: row-level security policies apply to the role",
        "public.guarded: row-level security hides the statistics",
        "GRANT SELECT ON pg_catalog.pg_statistic, pg_catalog.pg_statistic_ext_data TO twin_some;",
    ] {
        assert!(
            notices.iter().any(|notice| notice.contains(expected)),
            "{expected}: {notices:#?}"
        );
    }
    let agreement = |id: &str| statement(&report, id)["twin_agreement"].clone();
    assert_eq!(agreement("command-1:1"), "exact", "{report:#}");
    assert!(
        !recommended(&report, &["public.part"]).is_empty(),
        "{report:#}"
    );
    // The server lets the role plan it no more than read it; the twin plans it and says so.
    let withheld = statement(&report, "command-1:4");
    assert_eq!(withheld["status"], "planned", "{report:#}");
    let reason = withheld["twin_only"].to_string();
    assert!(reason.contains("permission denied"), "{reason}");
}

const SOME_WORKLOAD: &str = "SELECT b FROM part WHERE a = 7;
SELECT id FROM guarded WHERE a = 9;
SELECT * FROM opened WHERE a = 3;
SELECT secret FROM part WHERE a = 7";
