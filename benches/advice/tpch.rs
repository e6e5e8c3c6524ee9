//! TPC-H: the `tpchgen` crate's data, primary keys only, parallel query and jit off.

use std::fmt::Display;
use std::io::Write;

use postgres::Client;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

use super::server::Server;

const SCHEMA: &str = include_str!("../tpch/schema.sql");
const KEYS: &str = include_str!("../tpch/keys.sql");
pub const QUERIES: &str = include_str!("../tpch/queries.sql");

/// Left out of the published comparison: without indexes their subqueries cost more than all the
/// others together.
pub const DOMINATING: &[&str] = &["q02", "q17", "q20"];

/// Σ cost after / before over the other 19 of the best published set that fits into so many MB,
/// really built.
pub const TO_BEAT: &[(u64, f64)] = &[(78, 0.863), (130, 0.774), (341, 0.689)];

/// What the comparison is made with.
const SETTINGS: &[&str] = &["max_parallel_workers_per_gather = 0", "jit = off"];

pub fn load(server: &Server, database: &str, scale: f64) {
    let mut client = server.client(database);
    for setting in SETTINGS {
        client
            .batch_execute(&format!("ALTER DATABASE {database} SET {setting}"))
            .unwrap();
    }
    client.batch_execute(SCHEMA).unwrap();
    copy(
        &mut client,
        "region",
        RegionGenerator::new(scale, 1, 1).iter(),
    );
    copy(
        &mut client,
        "nation",
        NationGenerator::new(scale, 1, 1).iter(),
    );
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let mut client = server.client(database);
            copy(
                &mut client,
                "lineitem",
                LineItemGenerator::new(scale, 1, 1).iter(),
            );
        });
        copy(&mut client, "part", PartGenerator::new(scale, 1, 1).iter());
        copy(
            &mut client,
            "supplier",
            SupplierGenerator::new(scale, 1, 1).iter(),
        );
        copy(
            &mut client,
            "partsupp",
            PartSuppGenerator::new(scale, 1, 1).iter(),
        );
        copy(
            &mut client,
            "customer",
            CustomerGenerator::new(scale, 1, 1).iter(),
        );
        copy(
            &mut client,
            "orders",
            OrderGenerator::new(scale, 1, 1).iter(),
        );
    });
    client.batch_execute(KEYS).unwrap();
    drop(client);
    server
        .client(database)
        .batch_execute("VACUUM ANALYZE")
        .unwrap();
}

/// Rows print as dbgen writes them, with a bar at the end of the line, which COPY would take for
/// one more column.
fn copy<Row: Display>(client: &mut Client, table: &str, rows: impl Iterator<Item = Row>) {
    let mut writer = client
        .copy_in(&format!("COPY {table} FROM STDIN (DELIMITER '|')"))
        .unwrap();
    let mut lines = Vec::with_capacity(1 << 20);
    for row in rows {
        write!(lines, "{row}").unwrap();
        lines.pop();
        lines.push(b'\n');
        if lines.len() > (1 << 20) - 4096 {
            writer.write_all(&lines).unwrap();
            lines.clear();
        }
    }
    writer.write_all(&lines).unwrap();
    writer.finish().unwrap();
}

/// The queries, all or without those that dominate.
pub fn workload(all: bool) -> String {
    let wanted = |query: &&str| all || !DOMINATING.iter().any(|name| query.starts_with(name));
    let queries = QUERIES.split("-- name: ").skip(1).filter(wanted);
    queries.map(|query| format!("-- name: {query}")).collect()
}
