//! A schema of a thousand tables. To print figures, run `cargo test --release --test twin many --
//! --ignored --nocapture`.

use std::fmt::Write;

use pgrehearse::internals::twin::agreement::Agreement;

use crate::exactness::{Pair, workload};
use crate::live::{Database, cluster};

#[test]
#[ignore = "takes a while; its figures are printed"]
fn a_thousand_tables_are_copied_in_a_few_round_trips() {
    let mut sql = String::new();
    for number in 0..1000 {
        let _ = write!(
            sql,
            "CREATE TABLE t{number} (id bigint PRIMARY KEY, owner_id int NOT NULL, name text, at timestamptz, amount numeric);
             INSERT INTO t{number} SELECT n, n % 17, 'name ' || n, timestamptz '2024-01-01' + n * interval '1 hour', n / 3.0
             FROM generate_series(1, 500) AS n;
             CREATE INDEX ON t{number} (owner_id, at);
             CREATE INDEX ON t{number} (name);"
        );
    }
    let database = Database::new("twin_many", &sql);
    database.run("ANALYZE");
    let (mut pair, _) = Pair::connected(&cluster().conninfo_of(&database.name));
    let statements: Vec<String> = (0..1000)
        .step_by(50)
        .map(|number| {
            let other = number + 1;
            format!("SELECT * FROM t{number} a JOIN t{other} b USING (id) WHERE a.owner_id = 3 AND b.name > 'name 49';")
        })
        .collect();
    let agreements = pair.compare(&workload(&statements.join("\n")));
    assert_eq!(agreements.len(), statements.len());
    assert!(
        agreements
            .values()
            .all(|agreement| *agreement == Agreement::Exact),
        "{agreements:?}"
    );
}
