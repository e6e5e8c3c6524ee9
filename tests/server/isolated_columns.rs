//! Conditions with the column alone on its side find the same rows, on a real server.

use pgrehearse::internals::sql::rewrite::{FromTable, KnownColumn, KnownTable, isolated};

use crate::live::Database;
use crate::rewrites::counted;

/// Around every bound that the conditions have, and at the ends of the types.
const FILL: &str = "
    CREATE TABLE q (id int, small smallint, n int, big bigint, amount numeric(10,2), key uuid,
        at timestamptz, local timestamp, day date);
    INSERT INTO q SELECT i, i - 40, i - 40, (i - 40) * 50 + i % 3 - 1, (i - 40) * 0.25,
        ('00000000-0000-0000-0000-0000000000' || lpad(to_hex(i), 2, '0'))::uuid,
        '2024-02-27 00:00Z'::timestamptz + i * interval '27 hours 20 minutes',
        '2024-02-27'::timestamp + i * interval '19 hours 30 minutes', '2024-01-20'::date + i
      FROM generate_series(0, 80) AS i;
    INSERT INTO q (id, at) SELECT 100 + i, '2024-10-25 00:00Z'::timestamptz + i * interval '1 hour' FROM generate_series(0, 240) AS i;
    INSERT INTO q (id, small, n, big, amount) VALUES (81, 32767, 700000000, 9223372036854775000, 'NaN'),
        (82, -32768, -700000000, -9223372036854775000, NULL), (83, NULL, NULL, NULL, NULL), (84, 0, 16777217, 9007199254740993, 0);";

/// With every number in the place of `{}`.
const NUMBERS: &[&str] = &[
    "n {op} {}.0",
    "small {op} {}.5",
    "big {op} -{}.25",
    "n::numeric {op} '{}'",
    "big::double precision {op} {}.5",
    "big {op} '9007199254740992'::float8 - {}",
    "{} {op} big / 50",
    "big / 50.0 {op} {}",
    "big / 100.0 {op} {}.5",
    "big / 100.0 {op} -{}.755",
    "-n + 3 {op} {}",
    "-n {op} -{}",
    "{} - n {op} 3",
    "n + 10 {op} {}",
    "n * 3 {op} {}",
    "n * 3 {op} -{}",
    "5 * small {op} 3 * {}",
    "small / 7 {op} {}",
    "small / 7 {op} -{}",
    "amount + 1.25 {op} {}",
    "amount * 100 {op} {}",
    "100 * amount {op} {}.5",
    "date_part('day', '2024-03-20 05:00Z'::timestamptz - at) {op} {}",
    "extract(day from local - '2024-03-20'::timestamp) {op} {}",
    "extract(epoch from '2024-03-20 05:00Z'::timestamptz - at) / 3600 {op} {}",
    "extract(epoch from at - '2024-03-20 05:00Z'::timestamptz) / 3600 {op} -{}",
    "extract(epoch from local - '2024-03-20'::timestamp) / 86400 {op} {}",
    "extract(epoch from at) {op} 1710000000 + {} * 3600",
];

/// The same without numbers.
const TIMES: &[&str] = &[
    "'2024-03-20 05:00Z'::timestamptz - at {op} interval '2 days'",
    "'2024-03-20 05:00Z'::timestamptz - local {op} interval '1 month 2 hours'",
    "at - '2024-03-20 05:00Z'::timestamptz {op} interval '-30:00:00'",
    "day - '2024-03-20 05:00Z'::timestamptz {op} '2 days'",
    "local - '2024-03-20 05:00'::timestamp {op} 3 * interval '1 week'",
    "at + interval '90 minutes' {op} '2024-11-03 05:30Z'::timestamptz",
    "at + interval '1 day' {op} '2024-10-28 00:30Z'::timestamptz",
    "at - interval '1 month' {op} '2024-10-01 00:00Z'::timestamptz",
    "at + interval '1 day' {op} '2024-11-04 01:00'",
    "at + interval '1 year' {op} '2025-03-01'",
    "at - interval '4688 days' {op} '2011-12-31 09:00Z'::timestamptz",
    "local + interval '1 day 30 minutes' {op} '2024-03-14 12:00'",
    "local + interval '1 month' {op} '2024-03-31'",
    "local - interval '13 months' {op} '2023-02-28'::timestamp",
    "local + interval '1 day' {op} '2024-03-14 12:00Z'::timestamptz",
    "day + interval '1 month' {op} '2024-02-29'::timestamp",
    "day::timestamp {op} '2024-03-01 12:00'",
    "day::timestamptz {op} '2024-03-01 12:00Z'",
    "local::timestamptz {op} '2024-03-14 12:00Z'::timestamptz",
    "extract(epoch from at) {op} 1729900800",
    "extract(epoch from at)::bigint {op} 1729900800",
    "date_part('epoch', local)::int {op} 1709900800",
    "extract(epoch from day) {op} 1709900800",
];

const LISTS: &[&str] = &[
    "n::text IN ('5', '-3')",
    "key::text = '00000000-0000-0000-0000-00000000000a'",
    "key::text = ANY (ARRAY['00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-000000000010'])",
    "big IN (49.0, 99.0)",
    "n::numeric BETWEEN 1.5 AND 7",
    "big / 100 BETWEEN -1 AND 3",
    "'2024-03-20 05:00Z'::timestamptz - at BETWEEN '1 day' AND '4 days'",
];

fn schema(table: &FromTable) -> Option<KnownTable> {
    let columns = [
        ("id", "integer"),
        ("small", "smallint"),
        ("n", "integer"),
        ("big", "bigint"),
        ("amount", "numeric(10,2)"),
        ("key", "uuid"),
        ("at", "timestamp with time zone"),
        ("local", "timestamp without time zone"),
        ("day", "date"),
    ];
    let column = |(name, type_name): (&str, &str)| KnownColumn {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        not_null: false,
        groups: None,
        parent: None,
    };
    (table.name == "q").then(|| KnownTable {
        columns: columns.into_iter().map(column).collect(),
    })
}

#[test]
fn a_column_alone_on_its_side_finds_the_same_rows() {
    let database = Database::new("isolated_columns", FILL);
    let mut client = database.client();
    let with_numbers = NUMBERS.iter().flat_map(|condition| {
        [0, 1, 2, 3, 7, 12, 20].map(|number| condition.replace("{}", &number.to_string()))
    });
    let conditions: Vec<String> = with_numbers
        .chain(TIMES.iter().map(|condition| (*condition).to_owned()))
        .collect();
    let (mut tried, mut found) = (0, 0);
    for zone in ["UTC", "America/Havana", "Pacific/Auckland", "Pacific/Apia"] {
        client
            .batch_execute(&format!("SET TimeZone = '{zone}'"))
            .unwrap();
        let mut check = |condition: &str| {
            let sql = format!("SELECT id FROM q WHERE id < 1000 AND {condition}");
            let Some(other) = isolated(&sql, &schema) else {
                return;
            };
            let wanted = counted(&mut client, &sql);
            assert_eq!(
                wanted,
                counted(&mut client, &other.sql),
                "{zone}: {sql}\n{}",
                other.sql
            );
            tried += 1;
            found += wanted.len();
        };
        for condition in &conditions {
            for operator in ["<", "<=", "=", ">=", ">"] {
                check(&condition.replace("{op}", operator));
            }
        }
        LISTS.iter().for_each(|condition| check(condition));
    }
    assert!(
        tried > 1_500 && found > 50_000,
        "{tried} conditions, {found} rows"
    );
}
