//! By which factor each table grows, as the user typed it.

use std::collections::BTreeMap;

use crate::model::QualifiedName;

/// The factors by which tables grow: 10.0 is ten times as many rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    /// The factor of all tables that are not listed.
    pub all: f64,
    /// The factors of some tables and their partitions. An empty schema means any.
    pub tables: BTreeMap<QualifiedName, f64>,
}

impl Default for Growth {
    fn default() -> Self {
        Growth::by(1.0)
    }
}

impl Growth {
    /// The same factor for all tables.
    pub fn by(factor: f64) -> Growth {
        Growth {
            all: factor,
            tables: BTreeMap::new(),
        }
    }

    /// Reads an option and adds it: `10`, `orders=10`, `shop.orders=0.5`.
    ///
    /// # Errors
    /// A sentence for the user if the text has another form.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let (table, number) = text
            .rsplit_once('=')
            .map_or((None, text), |(table, number)| (Some(table), number));
        let factor = number.trim().trim_end_matches(['x', '×']).parse().ok();
        let factor = factor.filter(|factor: &f64| *factor > 0.0 && *factor <= 1e9);
        let Some(factor) = factor else {
            return Err(format!(
                "expected a growth such as 10 or orders=10 (above 0, up to 1e9), got {text:?}"
            ));
        };
        match table.map(|table| table.split_once('.').unwrap_or(("", table))) {
            None => self.all = factor,
            Some((_, "")) => return Err(format!("{text:?} names no table")),
            Some((schema, name)) => {
                self.tables
                    .insert(QualifiedName::new(schema.trim(), name.trim()), factor);
            }
        }
        Ok(())
    }

    /// The factor of a listed table.
    pub(super) fn named(&self, table: &QualifiedName) -> Option<f64> {
        let exact = self.tables.get(table);
        exact
            .or_else(|| {
                self.tables
                    .iter()
                    .find(|(name, _)| matches(name, table))
                    .map(|(_, factor)| factor)
            })
            .copied()
    }
}

/// Does the option name this table? Without a schema it names tables of all schemas.
pub(super) fn matches(typed: &QualifiedName, table: &QualifiedName) -> bool {
    typed.name == table.name && (typed.schema.is_empty() || typed.schema == table.schema)
}
