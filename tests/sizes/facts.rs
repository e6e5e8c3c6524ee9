//! Facts as a caller of the size model has them, and the real index.

use std::collections::HashSet;

use pgrehearse::internals::twin::metapage::Metapage;
use pgrehearse::internals::twin::size::brin::{self, BrinFacts, BrinSummary};
use pgrehearse::internals::twin::size::btree::{self, BtreeFacts};
use pgrehearse::internals::twin::size::gin::{self, GinSampleBuild};
use pgrehearse::internals::twin::size::hash::{self, HashFacts};
use pgrehearse::internals::twin::size::sample::SampledKeys;
use pgrehearse::internals::twin::size::tree::{self, SampleBuild};
use pgrehearse::internals::twin::size::{EqualKeys, GinPages, IndexSize, StoredColumn};
use postgres::{Client, SimpleQueryMessage};
use serde_json::Value;

use crate::live::Database;

/// The source of rows of predicates and of distinct keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The planner's estimates and pg_stats; a sample only for expressions, GIN, GiST and SP-GiST.
    Statistics,
    /// The sample for predicates and equal keys too.
    Both,
}

/// An estimate and the real size.
#[derive(Debug)]
pub struct Measured {
    pub method: String,
    specification: String,
    estimate: IndexSize,
    real_pages: u64,
    real_level: Option<u32>,
}

impl Measured {
    pub fn ratio(&self) -> f64 {
        self.estimate.pages as f64 / self.real_pages as f64
    }

    pub fn deviation(&self) -> f64 {
        (self.ratio() - 1.0).abs()
    }

    pub fn level_is_right(&self) -> bool {
        match self.estimate.metapage {
            Some(Metapage::Btree { level }) => Some(level) == self.real_level,
            _ => true,
        }
    }

    pub fn line(&self) -> String {
        let Measured {
            specification,
            estimate,
            real_pages,
            ..
        } = self;
        let level = if self.level_is_right() {
            ""
        } else {
            "  HEIGHT"
        };
        let off = if self.deviation() > 0.25 {
            "  <<<"
        } else if self.deviation() > 0.1 {
            "  <"
        } else {
            ""
        };
        let gin = match estimate.metapage {
            Some(pages @ Metapage::Gin { .. }) => format!("  {pages:?}"),
            _ => String::new(),
        };
        format!(
            "{:5.2} {:>7} {real_pages:>7}  {specification}{off}{level}{gin}",
            self.ratio(),
            estimate.pages
        )
    }
}

/// The tables with samples of a table, the smallest first.
const SAMPLES: [&str; 3] = ["sixteenth", "quarter", "sample"];

struct Specification<'s> {
    table: &'s str,
    method: &'s str,
    keys: Vec<(&'s str, &'s str)>,
    include: Vec<&'s str>,
    predicate: &'s str,
    with: &'s str,
    unique: bool,
}

impl<'s> Specification<'s> {
    fn read(text: &'s str) -> Specification<'s> {
        let mut parts = text.split('|');
        let (table, method, keys) = (
            parts.next().unwrap(),
            parts.next().unwrap(),
            parts.next().unwrap(),
        );
        let rest: Vec<&str> = parts.collect();
        let option = |name: &str| {
            rest.iter()
                .find_map(|part| part.strip_prefix(name))
                .unwrap_or("")
        };
        let list = |text: &'s str| {
            text.split("; ")
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
        };
        Specification {
            table,
            method,
            keys: list(keys)
                .into_iter()
                .map(|key| key.split_once('#').unwrap_or((key, "")))
                .collect(),
            include: list(option("include=")),
            predicate: option("where="),
            with: option("with="),
            unique: rest.contains(&"unique"),
        }
    }

    fn ddl(&self, table: &str) -> String {
        let keys: Vec<String> = self
            .keys
            .iter()
            .map(|(key, class)| format!("({key}) {class}"))
            .collect();
        // An expression's parentheses are superfluous around a column, but allowed only for
        // expressions in INCLUDE.
        let optional = |word: &str, text: String| {
            if text.is_empty() {
                text
            } else {
                format!(" {word} {text}")
            }
        };
        let include = optional("INCLUDE", self.include.join(", ")).replace("INCLUDE ", "INCLUDE (");
        format!(
            "CREATE {} INDEX size_probe ON {table} USING {} ({}){}{}{}",
            if self.unique { "UNIQUE" } else { "" },
            self.method,
            keys.join(", "),
            if include.is_empty() {
                String::new()
            } else {
                format!("{include})")
            },
            if self.with.is_empty() {
                String::new()
            } else {
                format!(" WITH ({})", self.with)
            },
            optional("WHERE", self.predicate.to_owned()),
        )
    }

    fn filter(&self) -> String {
        if self.predicate.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.predicate)
        }
    }

    fn key_list(&self) -> String {
        self.keys
            .iter()
            .map(|(key, _)| *key)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Reads from the server what a caller of the model can know.
pub struct Observer {
    client: Client,
    source: Source,
    sampled: HashSet<String>,
}

impl Observer {
    pub fn new(database: &Database, source: Source) -> Observer {
        let mut client = database.client();
        for extension in ["pageinspect", "pg_trgm", "bloom"] {
            client
                .batch_execute(&format!("CREATE EXTENSION IF NOT EXISTS {extension}"))
                .unwrap();
        }
        client
            .batch_execute(
                "SET client_min_messages = 'error'; SET max_parallel_workers_per_gather = 0",
            )
            .unwrap();
        Observer {
            client,
            source,
            sampled: HashSet::new(),
        }
    }

    pub fn measure(&mut self, text: &str) -> Measured {
        let specification = Specification::read(text);
        self.sample(specification.table);
        let estimate = self.estimate(&specification);
        self.client
            .batch_execute(&specification.ddl(specification.table))
            .unwrap();
        let real_pages = self.pages();
        let level = (specification.method == "btree")
            .then(|| self.number("SELECT level::float8 FROM bt_metap('size_probe')") as u32);
        self.client.batch_execute("DROP INDEX size_probe").unwrap();
        let method = specification.method.to_owned();
        Measured {
            method,
            specification: text.to_owned(),
            estimate,
            real_pages,
            real_level: level,
        }
    }

    fn pages(&mut self) -> u64 {
        self.number("SELECT (pg_relation_size('size_probe') / 8192)::float8") as u64
    }

    fn number(&mut self, sql: &str) -> f64 {
        self.client
            .query_one(sql, &[])
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
            .get::<_, Option<f64>>(0)
            .unwrap_or(0.0)
    }

    /// The plan's estimate of rows.
    fn planned(&mut self, sql: &str) -> f64 {
        let messages = self
            .client
            .simple_query(&format!("EXPLAIN (FORMAT JSON) {sql}"))
            .unwrap();
        let json = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let plan: Value = serde_json::from_str(json.unwrap()).unwrap();
        plan[0]["Plan"]["Plan Rows"].as_f64().unwrap()
    }

    /// Samples of the table's rows in their order, each taken from the next larger one.
    fn sample(&mut self, table: &str) {
        if !self.sampled.insert(table.to_owned()) {
            return;
        }
        let rows = self.number(&format!("SELECT count(*)::float8 FROM {table}")) as u64;
        let [sixteenth, quarter, sample] = sample_rows(rows, 30_000.min(rows / 3));
        let mut sql = "SELECT setseed(0.125);".to_owned();
        for (which, source, limit) in [
            ("sample", table.to_owned(), sample),
            ("quarter", format!("sample_{table}"), quarter),
            ("sixteenth", format!("quarter_{table}"), sixteenth),
        ] {
            sql += &format!(
                "DROP TABLE IF EXISTS {which}_{table};
                 CREATE TABLE {which}_{table} AS
                 WITH chosen AS (SELECT ctid AS place FROM {source} ORDER BY random() LIMIT {limit})
                 SELECT t.* FROM {source} AS t JOIN chosen ON t.ctid = place ORDER BY t.ctid;"
            );
        }
        self.client.batch_execute(&sql).unwrap();
    }

    fn table_rows(&mut self, table: &str) -> f64 {
        self.number(&format!(
            "SELECT reltuples::float8 FROM pg_class WHERE oid = '{table}'::regclass"
        ))
    }

    fn rows(&mut self, specification: &Specification<'_>) -> f64 {
        let (table, filter) = (specification.table, specification.filter());
        let all = self.table_rows(table);
        if filter.is_empty() {
            return all;
        }
        if self.source == Source::Statistics {
            return self.planned(&format!("SELECT 1 FROM {table}{filter}"));
        }
        let share = self.number(&format!(
            "SELECT (count(*) FILTER (WHERE {}))::float8 / count(*) FROM sample_{table}",
            specification.predicate
        ));
        all * share
    }

    fn estimate(&mut self, specification: &Specification<'_>) -> IndexSize {
        match specification.method {
            "btree" => self.btree(specification),
            "hash" => self.hash(specification),
            "brin" => self.brin(specification),
            "gin" => self.gin(specification),
            "bloom" => tree::bloom(self.table_rows(specification.table), 80),
            _ => {
                let builds = SAMPLES.map(|which| self.sample_build(specification, which));
                tree::extrapolate(self.table_rows(specification.table), &builds).unwrap()
            }
        }
    }

    fn btree(&mut self, specification: &Specification<'_>) -> IndexSize {
        let rows = self.rows(specification);
        let keys: Vec<StoredColumn> = specification
            .keys
            .iter()
            .map(|(key, _)| self.column(specification, key, rows))
            .collect();
        let include = specification
            .include
            .iter()
            .map(|key| self.column(specification, key, rows))
            .collect();
        let equal_keys = self.equal_keys(specification, rows);
        btree::size(&BtreeFacts {
            include,
            unique: specification.unique,
            ..BtreeFacts::new(rows, keys, equal_keys)
        })
    }

    fn hash(&mut self, specification: &Specification<'_>) -> IndexSize {
        let rows = self.rows(specification);
        hash::size(&HashFacts {
            table_rows: self.table_rows(specification.table),
            rows,
            key: self.column(specification, specification.keys[0].0, rows),
            equal_keys: self.equal_keys(specification, rows),
            fillfactor: hash::DEFAULT_FILLFACTOR,
        })
    }

    fn brin(&mut self, specification: &Specification<'_>) -> IndexSize {
        let table = specification.table;
        let rows = self.table_rows(table);
        let heap_pages = self.number(&format!(
            "SELECT (pg_relation_size('{table}') / 8192)::float8"
        )) as u64;
        let columns = specification
            .keys
            .iter()
            .map(|(key, class)| {
                let column = self.column(specification, key, rows);
                let summary = if class.contains("multi") {
                    BrinSummary::MinmaxMulti
                } else if class.contains("bloom") {
                    let distinct_values = column.distinct_values.unwrap_or(1e9);
                    BrinSummary::Bloom {
                        distinct_per_range: -0.1,
                        distinct_values,
                    }
                } else if class.contains("inclusion") || *key == "area" {
                    BrinSummary::Inclusion
                } else {
                    BrinSummary::Minmax
                };
                (column, summary)
            })
            .collect();
        let pages_per_range = specification
            .with
            .strip_prefix("pages_per_range=")
            .map_or(brin::DEFAULT_PAGES_PER_RANGE, |number| {
                number.parse().unwrap()
            });
        brin::size(&BrinFacts {
            rows,
            heap_pages,
            pages_per_range,
            columns,
        })
    }

    fn gin(&mut self, specification: &Specification<'_>) -> IndexSize {
        let rows = self.rows(specification);
        let builds = SAMPLES.map(|which| {
            let build = self.sample_build(specification, which);
            GinSampleBuild {
                rows: build.rows,
                pages: build.pages,
                contents: self.gin_pages(specification, which),
            }
        });
        gin::extrapolate(rows, &builds).unwrap()
    }

    fn sample_build(&mut self, specification: &Specification<'_>, which: &str) -> SampleBuild {
        let table = format!("{which}_{}", specification.table);
        self.client
            .batch_execute(&specification.ddl(&table))
            .unwrap();
        let pages = self.pages();
        let rows = self.number(&format!(
            "SELECT count(*)::float8 FROM {table}{}",
            specification.filter()
        ));
        self.client.batch_execute("DROP INDEX size_probe").unwrap();
        SampleBuild { rows, pages }
    }

    fn gin_pages(&mut self, specification: &Specification<'_>, which: &str) -> GinPages {
        self.client
            .batch_execute(&specification.ddl(&format!("{which}_{}", specification.table)))
            .unwrap();
        let sql = "SELECT n_entry_pages::bigint, n_data_pages::bigint, n_entries::bigint
                   FROM gin_metapage_info(get_raw_page('size_probe', 0))";
        let row = self.client.query_one(sql, &[]).unwrap();
        self.client.batch_execute("DROP INDEX size_probe").unwrap();
        let number = |at: usize| row.get::<_, i64>(at) as u64;
        GinPages {
            entry_pages: number(0),
            data_pages: number(1),
            entries: number(2),
        }
    }

    /// Equal keys: the planner's estimate for plain columns, a sample for expressions and, if asked
    /// for, for all keys.
    fn equal_keys(&mut self, specification: &Specification<'_>, rows: f64) -> EqualKeys {
        let (table, keys, filter) = (
            specification.table,
            specification.key_list(),
            specification.filter(),
        );
        let is_plain = specification
            .keys
            .iter()
            .all(|(key, _)| !key.contains(['(', ' ']));
        if is_plain && self.source == Source::Statistics {
            let planned = self.planned(&format!("SELECT DISTINCT {keys} FROM {table}{filter}"));
            return EqualKeys::Distinct(planned.min(rows.max(1.0)));
        }
        let list = (1..=specification.keys.len())
            .map(|at| format!("g{at}"))
            .collect::<Vec<_>>()
            .join(", ");
        let sql = format!(
            "SELECT n, count(*) FROM (
                 SELECT count(*) AS n FROM (SELECT {keys} FROM sample_{table}{filter}) AS s ({list}) GROUP BY {list}) AS g
             GROUP BY n"
        );
        let rows = self.client.query(&sql, &[]).unwrap();
        let groups = rows
            .iter()
            .map(|row| (row.get::<_, i64>(0) as u64, row.get::<_, i64>(1) as u64))
            .collect();
        EqualKeys::Sampled(SampledKeys {
            groups,
            as_before: 0,
            page_share: 1.0,
        })
    }

    fn column(&mut self, specification: &Specification<'_>, key: &str, rows: f64) -> StoredColumn {
        let table = specification.table;
        let sql = format!(
            "SELECT t.typlen, t.typalign::text, t.typname::text, t.typtype::text FROM pg_type t
             WHERE t.oid = (SELECT pg_typeof(v) FROM (SELECT ({key}) AS v FROM {table} LIMIT 1) AS s
                            UNION ALL SELECT 'int4'::regtype LIMIT 1)"
        );
        let kind = self.client.query_one(&sql, &[]).unwrap();
        let (mut length, align, name, class): (i16, String, String, String) =
            (kind.get(0), kind.get(1), kind.get(2), kind.get(3));
        let mut alignment = match align.as_str() {
            "c" => 1,
            "s" => 2,
            "i" => 4,
            _ => 8,
        };
        if name == "name" && specification.method == "btree" {
            (length, alignment) = (-2, 1);
        }
        let is_name = length == -2;
        let known = self.client.query_opt(STATISTICS, &[&table, &key]).unwrap();
        let column = match known {
            Some(row) => {
                let (width, nulls): (i32, f64) = (row.get(0), row.get(1));
                let distinct: f64 = row.get(2);
                // pg_stats has the 64 bytes of the table; the index stores the string and a
                // terminating zero.
                let width = if is_name {
                    self.name_width(table, key)
                } else {
                    width
                };
                let deviation = match (is_name, length) {
                    (true, _) => 1.0,
                    (false, ..0) => self.width_deviation(table, key, &name),
                    (false, _) => 0.0,
                };
                StoredColumn {
                    null_fraction: nulls,
                    distinct_values: Some(if distinct < 0.0 {
                        -distinct * rows
                    } else {
                        distinct
                    }),
                    common_fractions: row
                        .get::<_, Option<Vec<f32>>>(3)
                        .unwrap_or_default()
                        .into_iter()
                        .map(f64::from)
                        .collect(),
                    ..StoredColumn::variable(alignment, f64::from(width), deviation)
                }
            }
            None => self.expression(specification, key, alignment),
        };
        let column = StoredColumn {
            type_length: length,
            alignment_bytes: alignment,
            deduplicates: type_deduplicates(&name) || class == "e",
            ..column
        };
        column_of_partial(column, specification.predicate, key)
    }

    fn name_width(&mut self, table: &str, column: &str) -> i32 {
        self.number(&format!(
            "SELECT avg(octet_length({column}::text) + 1)::float8 FROM sample_{table}"
        )) as i32
    }

    /// Standard deviation of the lengths of the values that pg_stats shows.
    fn width_deviation(&mut self, table: &str, column: &str, type_name: &str) -> f64 {
        self.number(&format!(
            "SELECT stddev_pop(pg_column_size(v::{type_name}))::float8 FROM pg_stats,
             unnest(coalesce(histogram_bounds, most_common_vals)::text::text[]) AS v
             WHERE tablename = '{table}' AND attname = '{column}' AND schemaname = 'public'"
        ))
    }

    /// An expression has no statistics: widths are from the sample, where values have headers of 4
    /// bytes.
    fn expression(
        &mut self,
        specification: &Specification<'_>,
        key: &str,
        alignment: u8,
    ) -> StoredColumn {
        let (table, filter) = (specification.table, specification.filter());
        let row = self
            .client
            .query_one(
                &format!(
                    "SELECT coalesce(avg(pg_column_size(v)), 4)::float8, coalesce(stddev_pop(pg_column_size(v)), 0)::float8,
                         coalesce(avg((v IS NULL)::int), 0)::float8
                     FROM (SELECT ({key}) AS v FROM sample_{table}{filter}) AS s"
                ),
                &[],
            )
            .unwrap();
        let width: f64 = row.get(0);
        let stored = if width <= 130.0 { width - 3.0 } else { width };
        let column = StoredColumn::variable(alignment, 0.0, row.get(1));
        StoredColumn {
            average_width_bytes: stored,
            null_fraction: row.get(2),
            ..column
        }
    }
}

/// How a predicate on the column itself changes its facts.
fn column_of_partial(column: StoredColumn, predicate: &str, key: &str) -> StoredColumn {
    if predicate.contains(&format!("{key} IS NOT NULL")) {
        column.without_nulls()
    } else if !predicate.is_empty() && predicate.contains(key) {
        StoredColumn {
            common_fractions: Vec::new(),
            distinct_values: None,
            ..column
        }
    } else {
        column
    }
}

const STATISTICS: &str =
    "SELECT avg_width, null_frac::float8, n_distinct::float8, most_common_freqs
FROM pg_stats WHERE tablename = $1 AND attname = $2 AND schemaname = 'public'";

/// The numbers of rows to build indexes on, the smallest first: the table's rows divided by a power
/// of two, `most_rows` at most, and a quarter and a sixteenth of that. Full pages of an index split
/// at about the same time, so an index on half of the rows is as full as that on all.
pub fn sample_rows(table_rows: u64, most_rows: u64) -> [u64; 3] {
    let mut rows = table_rows;
    while rows > most_rows.max(1) {
        rows = rows.div_ceil(2);
    }
    [rows.div_ceil(16), rows.div_ceil(4), rows]
}

#[test]
fn samples_are_halves_of_halves() {
    assert_eq!(sample_rows(80_000, 30_000), [1_250, 5_000, 20_000]);
    assert_eq!(sample_rows(10, 30_000), [1, 3, 10]);
    assert_eq!(sample_rows(0, 0), [0, 0, 0]);
}

/// Do the default B-tree operator classes of this type (`pg_type.typname`) let equal values share
/// one tuple? As `pg_amproc` of PostgreSQL 14 to 18 has it (`btequalimage` and
/// `btvarstrequalimage`; the latter only holds for deterministic collations). Types that are not
/// known, such as those of extensions, do not; enums do, and their names are the user's.
pub fn type_deduplicates(type_name: &str) -> bool {
    const TYPES: [&str; 30] = [
        "bit",
        "bool",
        "bpchar",
        "bytea",
        "char",
        "cidr",
        "date",
        "inet",
        "int2",
        "int4",
        "int8",
        "macaddr",
        "macaddr8",
        "money",
        "name",
        "oid",
        "oidvector",
        "pg_lsn",
        "regclass",
        "text",
        "tid",
        "time",
        "timestamp",
        "timestamptz",
        "timetz",
        "uuid",
        "varbit",
        "varchar",
        "xid8",
        "regtype",
    ];
    TYPES.contains(&type_name)
}
