//! Rows of production in the twin: side tables over which PostgreSQL evaluates predicates and
//! expressions and builds indexes.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::{ToSql, Type};

use super::{Leaf, Twin};
use crate::db::DbError;
use crate::db::sampling::{NamedColumns, SampleRequest};
use crate::index::{Index, Method, NamedIndex};
use crate::model::quote_identifier;
use crate::sql::fingerprint::identifiers;
use crate::twin::snapshot::{Oid, TableSample};

const OPERATION: &str = "storing a sample in the planner twin";

/// The schema of the side tables.
pub(super) const SCHEMA: &str = "pgrehearse_sample";

/// The samples of the twin's tables.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// What was requested, whether or not it was returned.
    asked: BTreeMap<Oid, BTreeSet<String>>,
    /// The samples, by table.
    kept: BTreeMap<Oid, SideTable>,
}

/// A side table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SideTable {
    /// Its name, qualified.
    pub(super) name: String,
    pub(super) rows: f64,
    /// Does it have all rows of its table?
    pub(super) is_whole: bool,
    /// Its rows are from this share of the table's pages.
    pub(super) page_share: f64,
    /// Tables with about a third and a ninth of the rows; made when they are first needed.
    pub(super) parts: Vec<String>,
}

/// What an estimate of an index rests on.
#[derive(Debug, Default)]
pub struct NeededSamples {
    /// The tables that are looked at.
    pub tables: BTreeSet<Oid>,
    /// What nobody has asked for.
    pub requests: Vec<SampleRequest>,
}

impl Twin {
    /// The rows of this index's table that an estimate needs and nobody has asked for: for
    /// predicates, expressions, several columns, values that may be too long, and access methods
    /// that statistics do not describe. Each table is read once, with the columns that the index and
    /// the workload name, and again only if another index needs a further column.
    ///
    /// # Errors
    /// When the connection to the twin is lost.
    pub fn needed_samples(
        &mut self,
        index: &NamedIndex,
        named: &NamedColumns,
    ) -> Result<NeededSamples, DbError> {
        let mut needed = NeededSamples::default();
        if self.hypothetical(index).is_some() {
            return Ok(needed);
        }
        let for_size = needs_sample(&index.definition);
        for leaf in self.looked_at(&index.definition.table)? {
            needed.tables.insert(leaf.table);
            if !for_size && !self.may_have_long_keys(&index.definition, &leaf)? {
                continue;
            }
            needed
                .requests
                .extend(self.wanted(&index.definition, &leaf, named)?);
        }
        Ok(needed)
    }

    /// The samples that must be requested; remembers them.
    fn wanted(
        &mut self,
        index: &Index,
        leaf: &Leaf,
        named: &NamedColumns,
    ) -> Result<Option<SampleRequest>, DbError> {
        self.learn(leaf)?;
        let Some(facts) = self.facts.get(&leaf.table) else {
            return Ok(None);
        };
        let keys: BTreeSet<String> = identifiers(&index.definition());
        let columns = |of: &BTreeSet<String>| -> BTreeSet<String> {
            facts
                .columns
                .values()
                .map(|column| &column.name)
                .filter(|name| of.contains(*name))
                .cloned()
                .collect()
        };
        let asked = self.samples.asked.entry(leaf.table).or_default();
        let needed = columns(&keys);
        if needed.is_subset(asked) {
            return Ok(None);
        }
        asked.extend(needed);
        asked.extend(columns(named.of(&index.table)));
        Ok(Some(SampleRequest {
            relation: leaf.table,
            table: leaf.name.clone(),
            columns: asked.clone(),
        }))
    }

    /// Stores a sample in the twin; returns whether that worked.
    ///
    /// # Errors
    /// When the connection to the twin is lost.
    pub fn add_sample(&mut self, sample: &TableSample) -> Result<bool, DbError> {
        let Some(leaf) = self.leaf(sample.relation)? else {
            return Ok(false);
        };
        self.learn(&leaf)?;
        let asked = self.samples.asked.entry(sample.relation).or_default();
        asked.extend(sample.columns.iter().cloned());
        self.samples.kept.remove(&sample.relation);
        self.observed
            .retain(|(table, _), _| *table != sample.relation);
        let side = SideTable {
            name: format!("{SCHEMA}.t{}", sample.relation),
            rows: sample.rows as f64,
            is_whole: sample.is_whole,
            page_share: sample.page_share.unwrap_or(1.0),
            parts: Vec::new(),
        };
        match self.fill_side(&leaf, sample, &side) {
            Ok(()) => {
                self.samples.kept.insert(sample.relation, side);
                Ok(true)
            }
            Err(refused) if refused.is_refusal() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A table like the real one, with the sampled columns only. Its columns get no statistics,
    /// only expressions of indexes do.
    fn fill_side(
        &self,
        leaf: &Leaf,
        sample: &TableSample,
        side: &SideTable,
    ) -> Result<(), DbError> {
        let facts = self.facts.get(&leaf.table);
        let type_of = |name: &String| {
            let columns = facts.map(|facts| &facts.columns);
            columns
                .and_then(|columns| columns.values().find(|column| column.name == *name))
                .map(|c| c.type_name.clone())
        };
        let Some(types) = sample
            .columns
            .iter()
            .map(type_of)
            .collect::<Option<Vec<String>>>()
        else {
            return Ok(());
        };
        let names: Vec<String> = sample
            .columns
            .iter()
            .map(|name| quote_identifier(name).into_owned())
            .collect();
        let without_statistics: Vec<String> = names
            .iter()
            .map(|name| format!("ALTER COLUMN {name} SET STATISTICS 0"))
            .collect();
        let script = format!(
            "DROP TABLE IF EXISTS {0}, {0}_3, {0}_9; CREATE TABLE {0} AS SELECT {1} FROM ONLY {2} WITH NO DATA; ALTER TABLE {0} {3}",
            side.name,
            names.join(", "),
            leaf.name,
            without_statistics.join(", ")
        );
        self.session.batch(OPERATION, &script)?;
        let fields: Vec<String> = types
            .iter()
            .enumerate()
            .map(|(at, type_name)| format!("r.c{}::{type_name}", at + 1))
            .collect();
        let aliases: Vec<String> = (1..=names.len())
            .map(|number| format!("c{number}"))
            .collect();
        let arrays: Vec<String> = (1..=names.len())
            .map(|number| format!("${number}::text[]"))
            .collect();
        let sql = format!(
            "INSERT INTO {} SELECT {} FROM unnest({}) AS r ({})",
            side.name,
            fields.join(", "),
            arrays.join(", "),
            aliases.join(", ")
        );
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> = sample
            .values
            .iter()
            .map(|values| (values as &(dyn ToSql + Sync), Type::TEXT_ARRAY))
            .collect();
        self.session.query(OPERATION, &sql, &parameters).map(|_| ())
    }

    /// The sample of a table, if there is one with rows.
    pub(super) fn side(&self, table: Oid) -> Option<&SideTable> {
        self.samples.kept.get(&table).filter(|side| side.rows > 0.0)
    }

    /// Creates the smaller samples; their rows are in the order of the larger one.
    pub(super) fn divide_sample(&mut self, table: Oid) -> Result<(), DbError> {
        let Some(side) = self
            .samples
            .kept
            .get_mut(&table)
            .filter(|side| side.parts.is_empty())
        else {
            return Ok(());
        };
        for part in [3, 9] {
            let name = format!("{}_{part}", side.name);
            let sql = format!(
                "CREATE TABLE {name} AS SELECT * FROM {} AS s WHERE abs(hashtid(s.ctid)::bigint) % {part} = 0 ORDER BY s.ctid",
                side.name
            );
            self.session.batch(OPERATION, &sql)?;
            side.parts.push(name);
        }
        Ok(())
    }
}

/// Does an estimate for this index need more than statistics?
fn needs_sample(index: &Index) -> bool {
    let by_build = matches!(index.method, Method::Gin | Method::Gist | Method::SpGist);
    index.predicate.is_some()
        || index.has_expression()
        || by_build
        || (index.method == Method::Btree && index.keys.len() > 1)
}
