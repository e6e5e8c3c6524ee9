//! The types an index consists of.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{QualifiedName, quote_identifier};
use crate::sql::Expression;

/// An index access method.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// btree, the default.
    Btree,
    /// Block range index.
    Brin,
    /// Generalized inverted index: many entries for each row.
    Gin,
    /// Generalized search tree: what overlaps, contains, is near.
    Gist,
    /// Space-partitioned search tree.
    SpGist,
    /// Hash table: equality only, whatever the width of the value.
    Hash,
    /// Any other method, by its name in `pg_am`.
    #[serde(untagged)]
    Other(String),
}

impl Method {
    /// The method of that name.
    pub fn from_name(name: &str) -> Method {
        match name {
            "btree" => Method::Btree,
            "brin" => Method::Brin,
            "gin" => Method::Gin,
            "gist" => Method::Gist,
            "spgist" => Method::SpGist,
            "hash" => Method::Hash,
            other => Method::Other(other.to_owned()),
        }
    }

    /// Its name in `pg_am`.
    pub fn name(&self) -> &str {
        match self {
            Method::Btree => "btree",
            Method::Brin => "brin",
            Method::Gin => "gin",
            Method::Gist => "gist",
            Method::SpGist => "spgist",
            Method::Hash => "hash",
            Method::Other(name) => name,
        }
    }
}

/// What one column of an index holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// A column of the table, unquoted.
    Column(String),
    /// An expression over its columns.
    Expression(Expression),
}

impl Key {
    /// The columns it reads; none when its expression could not be parsed.
    pub fn columns(&self) -> Option<BTreeSet<String>> {
        match self {
            Key::Column(name) => Some(BTreeSet::from([name.clone()])),
            Key::Expression(expression) => expression.known_columns().cloned(),
        }
    }

    /// The column, where it is a plain one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Key::Column(name) => Some(name),
            Key::Expression(_) => None,
        }
    }

    /// The expression, where it is not a plain column.
    pub fn expression(&self) -> Option<&Expression> {
        match self {
            Key::Column(_) => None,
            Key::Expression(expression) => Some(expression),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Column(name) => formatter.write_str(&quote_identifier(name)),
            Key::Expression(expression) => formatter.write_str(&expression.key_text()),
        }
    }
}

/// A key column with the order it is kept in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IndexKey {
    /// What it holds.
    pub key: Key,
    /// The operator class, when it is not the type's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_class: Option<String>,
    /// DESC.
    #[serde(default)]
    pub descending: bool,
    /// NULLS FIRST; by default nulls come last in ascending order and first in descending order.
    #[serde(default)]
    pub nulls_first: bool,
}

impl IndexKey {
    /// Ascending, nulls last, default operator class.
    pub fn ascending(key: Key) -> Self {
        IndexKey {
            key,
            operator_class: None,
            descending: false,
            nulls_first: false,
        }
    }

    /// Ascending, with an operator class that is not the default.
    pub fn with_class(key: Key, operator_class: String) -> Self {
        IndexKey {
            operator_class: Some(operator_class),
            ..IndexKey::ascending(key)
        }
    }

    /// Does it hold the same in the same order, read forwards or backwards? `pg_get_indexdef`
    /// writes an operator class with its schema or without, as the search_path has it.
    fn is_like(&self, other: &IndexKey, backwards: bool) -> bool {
        self.key == other.key
            && self.operator_class.as_deref().map(plain_class)
                == other.operator_class.as_deref().map(plain_class)
            && (self.descending != other.descending) == backwards
            && (self.nulls_first != other.nulls_first) == backwards
    }
}

/// The name without a schema; varchar's pattern class is text's under another name
/// (src/include/catalog/pg_opclass.dat).
fn plain_class(name: &str) -> &str {
    match name.rsplit('.').next().unwrap_or(name) {
        "varchar_pattern_ops" => "text_pattern_ops",
        name => name,
    }
}

impl fmt::Display for IndexKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.key)?;
        if let Some(operator_class) = &self.operator_class {
            write!(formatter, " {operator_class}")?;
        }
        if self.descending {
            formatter.write_str(" DESC")?;
        }
        match (self.descending, self.nulls_first) {
            (false, true) => formatter.write_str(" NULLS FIRST"),
            (true, false) => formatter.write_str(" NULLS LAST"),
            _ => Ok(()),
        }
    }
}

/// An index, existing or imagined.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Index {
    /// The table it is on.
    pub table: QualifiedName,
    /// The access method.
    pub method: Method,
    /// The key columns in order.
    pub keys: Vec<IndexKey>,
    /// Columns it only carries (INCLUDE), unquoted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// The WHERE clause of a partial index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Expression>,
    /// The BRIN storage parameter, when it is not the default of 128 pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages_per_range: Option<u32>,
    /// An extension that its operator class belongs to and the database does not have yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Box<Extension>>,
}

/// An extension that the server could install.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Extension {
    /// Its name in `pg_available_extensions`.
    pub name: String,
    /// The schema its objects would go to.
    pub schema: String,
}

impl Extension {
    /// The statement that installs it.
    pub fn create(&self) -> String {
        let (name, schema) = (quote_identifier(&self.name), quote_identifier(&self.schema));
        format!("CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {schema}")
    }
}

/// An index under the name it would be created with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedIndex {
    /// Unqualified; it lies in its table's schema.
    pub name: String,
    /// What it is: table, method, keys, predicate.
    #[serde(rename = "index")]
    pub definition: Index,
}

impl NamedIndex {
    /// Its name with its schema, which is its table's.
    pub fn qualified_name(&self) -> QualifiedName {
        QualifiedName::new(self.definition.table.schema.clone(), self.name.clone())
    }
}

/// How an index differs from a plain one-column one; the report's `features`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// More than one key column.
    Composite,
    /// A WHERE clause.
    Partial,
    /// A key that is an expression.
    Expression,
    /// Columns it only carries.
    Covering,
    /// A key in descending order or with nulls first.
    Ordered,
}

impl Feature {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Feature::Composite => "composite",
            Feature::Partial => "partial",
            Feature::Expression => "expression",
            Feature::Covering => "covering",
            Feature::Ordered => "ordered",
        }
    }
}

impl Index {
    /// A btree on these keys.
    pub fn btree(table: QualifiedName, keys: Vec<IndexKey>) -> Self {
        Index {
            table,
            method: Method::Btree,
            keys,
            include: Vec::new(),
            predicate: None,
            pages_per_range: None,
            extension: None,
        }
    }

    /// The same index over only the rows that satisfy the predicate.
    pub fn partial(self, predicate: Expression) -> Self {
        Index {
            predicate: Some(predicate),
            ..self
        }
    }

    /// Does a key hold an expression? Such an index gets statistics of its own from ANALYZE.
    pub fn has_expression(&self) -> bool {
        self.keys
            .iter()
            .any(|key| matches!(key.key, Key::Expression(_)))
    }

    /// What is special about it.
    pub fn features(&self) -> Vec<Feature> {
        let ordered = self
            .keys
            .iter()
            .any(|key| key.descending || key.nulls_first);
        [
            (self.keys.len() > 1, Feature::Composite),
            (self.predicate.is_some(), Feature::Partial),
            (self.has_expression(), Feature::Expression),
            (!self.include.is_empty(), Feature::Covering),
            (ordered, Feature::Ordered),
        ]
        .into_iter()
        .filter_map(|(present, feature)| present.then_some(feature))
        .collect()
    }

    /// Does this index answer all that `other` answers? True for equal indexes, for a btree whose
    /// leading keys are `other`'s keys (in its order or exactly the reverse), over the same rows,
    /// for a GIN index over more columns, and for a btree instead of a hash index on its first key.
    pub fn subsumes(&self, other: &Index) -> bool {
        if self == other {
            return true;
        }
        if self.table != other.table || self.predicate != other.predicate {
            return false;
        }
        let carries = other.include.iter().all(|column| self.carries(column));
        match (&self.method, &other.method) {
            (Method::Btree, Method::Btree) => carries && self.starts_like(other),
            (Method::Btree, Method::Hash) => {
                self.keys.first().map(|key| &key.key) == other.keys.first().map(|key| &key.key)
            }
            (Method::Gin, Method::Gin) => other
                .keys
                .iter()
                .all(|key| self.keys.iter().any(|own| own.is_like(key, false))),
            (own, others) => {
                own == others
                    && carries
                    && self.pages_per_range == other.pages_per_range
                    && self.keys.len() == other.keys.len()
                    && self.starts_like(other)
            }
        }
    }

    fn starts_like(&self, other: &Index) -> bool {
        let alike = |backwards| {
            self.keys
                .iter()
                .zip(&other.keys)
                .all(|(own, key)| own.is_like(key, backwards))
        };
        self.keys.len() >= other.keys.len() && (alike(false) || alike(true))
    }

    /// Does it hold the column, so that a scan need not read it from the table?
    pub fn carries(&self, column: &String) -> bool {
        self.include.contains(column)
            || self
                .keys
                .iter()
                .any(|key| matches!(&key.key, Key::Column(name) if name == column))
    }

    /// The `CREATE INDEX` statement that builds it at once, blocking writers: for the rolled-back
    /// transaction.
    pub fn create(&self, name: &str) -> String {
        format!(
            "CREATE INDEX {} ON {}",
            quote_identifier(name),
            self.definition()
        )
    }

    /// Everything after `ON`: `public.jobs (state, run_after) WHERE …`.
    pub fn definition(&self) -> String {
        format!("{} {}", self.table, self.body())
    }

    /// Everything after the table's name: `(state, run_after) WHERE …`.
    pub fn body(&self) -> String {
        let method = match &self.method {
            Method::Btree => String::new(),
            other => format!("USING {} ", other.name()),
        };
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        let mut sql = format!("{method}({})", keys.join(", "));
        if !self.include.is_empty() {
            let columns: Vec<_> = self
                .include
                .iter()
                .map(|column| quote_identifier(column))
                .collect();
            sql += &format!(" INCLUDE ({})", columns.join(", "));
        }
        if let Some(pages) = self.pages_per_range {
            sql += &format!(" WITH (pages_per_range = {pages})");
        }
        if let Some(predicate) = &self.predicate {
            sql += &format!(" WHERE {}", predicate.text_without_parentheses());
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::parse_index;

    fn table() -> QualifiedName {
        QualifiedName::new("public", "jobs")
    }

    fn column(name: &str) -> IndexKey {
        IndexKey::ascending(Key::Column(name.to_owned()))
    }

    #[test]
    fn prints_as_sql_and_reads_back() {
        for ddl in [
            "CREATE INDEX i ON public.jobs (state, run_after DESC)",
            "CREATE INDEX i ON public.jobs (run_after DESC NULLS LAST, id NULLS FIRST)",
            "CREATE INDEX i ON public.jobs (lower(name)) WHERE state = 'PENDING'::text",
            "CREATE INDEX i ON public.jobs ((payload ->> 'a)b'::text)) INCLUDE (id)",
            "CREATE INDEX i ON public.jobs USING brin (run_after, abs(amount)) WITH (pages_per_range = 32)",
            "CREATE INDEX i ON public.jobs (((a)::date))",
            "CREATE INDEX i ON public.jobs (((a - b) / 1000))",
            "CREATE INDEX i ON public.jobs (name text_pattern_ops)",
            "CREATE INDEX i ON public.jobs USING gin (payload jsonb_path_ops, name public.gin_trgm_ops)",
            "CREATE INDEX i ON public.jobs USING gist (during, lower(name) gist_trgm_ops)",
            "CREATE INDEX i ON public.jobs USING spgist (address inet_ops) WHERE id IS NOT NULL",
            "CREATE INDEX i ON public.jobs USING hash (name)",
            "CREATE INDEX i ON public.jobs USING brin (at int8_minmax_multi_ops) WITH (pages_per_range = 8)",
            "CREATE INDEX i ON public.jobs USING hnsw (embedding vector_l2_ops)",
            "CREATE INDEX i ON \"My App\".\"order\" (\"Group\")",
            "CREATE INDEX i ON public.jobs (a) WHERE (a > 1) AND (b IS NULL)",
        ] {
            let index = parse_index(ddl).unwrap();
            assert_eq!(parse_index(&index.create("i")), Ok(index.clone()), "{ddl}");
            assert_eq!(index.create("i"), ddl);
        }
    }

    #[test]
    fn reads_what_pg_get_indexdef_prints() {
        let index =
            parse_index("CREATE UNIQUE INDEX jobs_pkey ON public.jobs USING btree (id)").unwrap();
        assert_eq!(index, Index::btree(table(), vec![column("id")]));
        let index = parse_index("CREATE INDEX t ON ONLY public.jobs USING gin (tags)").unwrap();
        assert_eq!(index.method, Method::Gin);
        assert!(parse_index("DROP INDEX jobs_pkey").is_err());
    }

    #[test]
    fn a_longer_index_subsumes_its_prefix_over_the_same_rows() {
        let short = Index::btree(table(), vec![column("a")]);
        let long = Index::btree(table(), vec![column("a"), column("b")]);
        assert!(long.subsumes(&short) && !short.subsumes(&long));
        assert!(
            !long
                .clone()
                .partial(Expression::from_sql("(c = 1)"))
                .subsumes(&short)
        );
        assert!(!long.subsumes(&Index::btree(table(), vec![column("b")])));
        let carrying = Index {
            include: vec!["b".to_owned()],
            ..short.clone()
        };
        assert!(long.subsumes(&carrying) && !short.subsumes(&carrying));
        let brin = Index {
            method: Method::Brin,
            ..long
        };
        assert!(!brin.subsumes(&short));
    }

    #[test]
    fn existing_indexes_are_compared_by_what_they_answer() {
        let subsumes = |one: &str, other: &str| {
            let index =
                |body: &str| parse_index(&format!("CREATE INDEX i ON public.jobs {body}")).unwrap();
            index(one).subsumes(&index(other))
        };
        assert!(subsumes("(a DESC, b)", "(a, b DESC)"), "read backwards");
        assert!(!subsumes("(a DESC, b)", "(a, b)"));
        assert!(subsumes(
            "USING gin (t, n gin_trgm_ops)",
            "USING gin (n public.gin_trgm_ops)"
        ));
        assert!(!subsumes("USING gin (p)", "USING gin (p jsonb_path_ops)"));
        assert!(subsumes("(a, b)", "USING hash (a)") && !subsumes("USING hash (a)", "(a)"));
        assert!(
            !subsumes("(n)", "(n text_pattern_ops)") && !subsumes("(n text_pattern_ops)", "(n)")
        );
        assert!(subsumes("(n varchar_pattern_ops)", "(n text_pattern_ops)"));
        assert!(!subsumes(
            "USING brin (a)",
            "USING brin (a) WITH (pages_per_range = 8)"
        ));
    }
}
