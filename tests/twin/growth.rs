//! The twin of a small server, grown, plans as the large server does.

use pgrehearse::internals::db::{Scope, Server};
use pgrehearse::internals::twin::growth::Growth;

use crate::exactness::session;
use crate::live::{Database, cluster};
use crate::tally::{SAMPLES, Tally, plans, sample_workload, twin_of};

/// A fifth of the rows, grown five times, compared with all of them: most statements have the large
/// server's plan, and more have it than without growth.
#[test]
fn a_fifth_grown_five_times_plans_like_the_whole() {
    let (mut grown_tally, mut small_tally) = (Tally::default(), Tally::default());
    for sample in SAMPLES {
        let number = &sample[..3];
        let workload = sample_workload(sample);
        let small = Database::sample(&format!("growth_small_{number}"), sample, "0.2");
        let large = Database::sample(&format!("growth_large_{number}"), sample, "1.0");
        let snapshot = session(&cluster().conninfo_of(&small.name))
            .snapshot(&Scope::Everything)
            .unwrap();
        let large = session(&cluster().conninfo_of(&large.name));
        let real = plans(&mut Server::new(&large), &workload);
        let grown = plans(&mut twin_of(&snapshot.grown(&Growth::by(5.0))), &workload);
        let ungrown = plans(&mut twin_of(&snapshot), &workload);
        grown_tally.add("grown", &real, &grown);
        small_tally.add("as it is", &real, &ungrown);
    }
    eprintln!("as it is: {small_tally}\ngrown:    {grown_tally}");
    assert_eq!(grown_tally.total(), 28);
    assert!(grown_tally.same_shape() >= 22, "{grown_tally}");
    assert!(grown_tally.same_shape() > small_tally.same_shape());
    assert!(grown_tally.exact() >= small_tally.exact());
    assert!(grown_tally.median_deviation() < small_tally.median_deviation());
}

/// Columns with about ten rows for each value, on either side of the tenth from which on ANALYZE
/// stores the number of values as a share of the rows; compared with ten times the rows.
#[test]
fn columns_between_sets_and_keys_are_predicted_as_they_really_grow() {
    const VISITS: &str = "INSERT INTO visit
         SELECT n, abs(hashint4extended(n, 1) % 1990)::int, abs(hashint4extended(n, 2) % 2250)::int, n / 9,
                'p' || abs(hashint4extended(n, 3) % 2700), repeat('x', 60)
         FROM generate_series";
    let database = Database::new(
        "growth_between",
        "CREATE TABLE visit (id bigint PRIMARY KEY, room int, desk int, session int, badge text, note text);
         CREATE INDEX ON visit (room); CREATE INDEX ON visit (desk); CREATE INDEX ON visit (session); CREATE INDEX ON visit (badge);",
    );
    database.run(&format!("{VISITS}(1, 20000) AS n"));
    database.run("ANALYZE visit");
    let shares = "SELECT count(*) FROM pg_stats WHERE tablename = 'visit' AND attname IN ('room', 'desk', 'session', 'badge') AND n_distinct BETWEEN -0.2 AND -0.1";
    assert_ne!(database.text(shares), "0", "some are stored as shares");
    // Values that are as frequent as the others: how an outlier goes on is not to be known.
    let conditions = ["room", "desk", "session", "badge"].map(|column| {
        let value = database.text(&format!(
            "SELECT {column} FROM visit GROUP BY 1
             ORDER BY abs(count(*) - (SELECT count(*)::float / count(DISTINCT {column}) FROM visit)), 1 LIMIT 1"
        ));
        format!("{column} = '{value}'")
    });
    let workload = conditions.map(|condition| format!("SELECT note FROM visit WHERE {condition}"));
    let report = database.advise(&["-c", &workload.join("; "), "--scale", "10"]);
    let predicted: Vec<f64> = report["what_if"]["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|statement| statement["cost_before_then"].as_f64().unwrap())
        .collect();
    assert_eq!(predicted.len(), workload.len());

    database.run(&format!("{VISITS}(20001, 200000) AS n"));
    // As pages of a loaded table are once it was vacuumed.
    let mut client = database.client();
    client.batch_execute("VACUUM ANALYZE visit").unwrap();
    for (sql, predicted) in workload.iter().zip(predicted) {
        // ANALYZE reads other rows each time; the median of several is hardly ever one of the draws
        // that make a value look frequent.
        let mut costs = [0.0; 5].map(|_: f64| {
            client.batch_execute("ANALYZE visit").unwrap();
            let plan = database.text(&format!("EXPLAIN (FORMAT JSON) {sql}"));
            let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
            plan[0]["Plan"]["Total Cost"].as_f64().unwrap()
        });
        costs.sort_by(f64::total_cmp);
        let real = costs[2];
        let ratio = predicted / real;
        assert!((0.7..1.4).contains(&ratio), "{sql}: {predicted} of {real}");
    }
}
