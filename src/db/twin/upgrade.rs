//! What is asked of two twins of different versions, to carry a snapshot from the one to the other:
//! what the old one prints, and what the new one makes of it.
//!
//! The new version parses expressions as the role without rights, and evaluates none: a policy is
//! parsed when it is created, and its expression is neither simplified nor executed
//! (`CreatePolicy`, src/backend/commands/policy.c). Rules, domains and functions in SQL are parsed in
//! the same way.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::Type;

use super::load::CASTS;
use super::{OPERATION, Twin};
use crate::db::row::field;
use crate::db::session::OWN_PATH;
use crate::db::{DbError, Session};
use crate::model::quote_identifier;
use crate::twin::Snapshot;
use crate::twin::snapshot::Oid;
use crate::twin::upgrade::{
    Form, NewColumn, NewServer, Numbered, Place, StoredText, Trees, parsed_list,
};

/// The column with the defaults of a function's arguments.
const DEFAULTS: &str = "proargdefaults";

/// The schema of what is made only to be parsed.
const SCHEMA: &str = "pgrehearse_upgrade";

/// A setting, and whether it is the server's own default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannerSetting {
    /// Its value, as it is set.
    pub value: String,
    /// Nobody changed it.
    pub is_default: bool,
}

/// Settings of a planner by name.
pub type PlannerSettings = BTreeMap<String, PlannerSetting>;

/// What a version made of texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// What it stores.
    pub trees: Trees,
    /// What it refused, with its message.
    pub refused: Vec<(StoredText, String)>,
}

impl Session {
    /// A new server's catalogs and what it numbers itself.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn new_server(&self, snapshot: &Snapshot) -> Result<NewServer, DbError> {
        let names = snapshot.system_table_names();
        let sql = include_str!("../snapshot/catalog_columns.sql");
        let mut columns: BTreeMap<String, Vec<NewColumn>> = BTreeMap::new();
        for row in self.query(OPERATION, sql, &[(&names, Type::TEXT_ARRAY)])? {
            let catalog: String = field(&row, "catalog_name")?;
            let name: String = field(&row, "column_name")?;
            let of_old = snapshot.system_table(&catalog);
            let is_new = of_old.is_some_and(|table| table.position(&name).is_none());
            let usual = if is_new {
                self.usual_value(&catalog, &name)?
            } else {
                None
            };
            columns.entry(catalog).or_default().push(NewColumn {
                name,
                type_name: field(&row, "type_name")?,
                usual,
            });
        }
        let sql = "SELECT pg_catalog.current_setting('server_version_num')::integer AS version_num";
        let rows = self.query(OPERATION, sql, &[])?;
        let version = rows.first().map(|row| field::<i32>(row, "version_num"));
        Ok(NewServer {
            version_num: version
                .transpose()?
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(0),
            columns,
            numbered: self.numbered()?,
        })
    }

    /// The value that most rows of a catalog have in a column; none if that is NULL.
    fn usual_value(&self, catalog: &str, column: &str) -> Result<Option<String>, DbError> {
        let column = quote_identifier(column);
        let sql = format!(
            "SELECT x.{column}::pg_catalog.text AS value FROM pg_catalog.{} x GROUP BY 1 ORDER BY pg_catalog.count(*) DESC, 1 LIMIT 1",
            quote_identifier(catalog)
        );
        let rows = self.query(OPERATION, &sql, &[])?;
        match rows.first() {
            Some(row) => field(row, "value"),
            None => Ok(None),
        }
    }

    fn numbered(&self) -> Result<Numbered, DbError> {
        let mut numbered = Numbered::default();
        for row in self.query(OPERATION, include_str!("numbered.sql"), &[])? {
            let (name, oid): (String, Oid) = (field(&row, "name")?, field(&row, "oid")?);
            match field::<&str>(&row, "kind")? {
                "class" => drop(numbered.operator_classes.insert(name, oid)),
                "function" => drop(numbered.functions.insert(name, oid)),
                "collation" => drop(numbered.collations.insert(name, oid)),
                _ => drop(
                    numbered
                        .fixed
                        .insert(format!("{oid} {}", kind(&name)), name),
                ),
            }
        }
        Ok(numbered)
    }

    fn planner_settings(&self) -> Result<PlannerSettings, DbError> {
        let rows = self.query(OPERATION, include_str!("planner_settings.sql"), &[])?;
        let setting = |row| {
            let setting = PlannerSetting {
                value: field(row, "value")?,
                is_default: field(row, "is_default")?,
            };
            Ok((field(row, "name")?, setting))
        };
        rows.iter().map(setting).collect()
    }
}

/// `the operator family` of `the operator family int_ops 403`: numbers are unique in a catalog only.
fn kind(name: &str) -> &str {
    ["the operator family", "the operator", "the type"]
        .into_iter()
        .find(|kind| name.starts_with(kind))
        .unwrap_or_default()
}

impl Twin {
    /// What of its server's own objects has a number.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn numbered(&self) -> Result<Numbered, DbError> {
        self.admin.numbered()
    }

    /// The planner's settings with which statements are planned here.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn settings_here(&self) -> Result<PlannerSettings, DbError> {
        self.session.planner_settings()
    }

    /// The planner's settings that its server has by itself.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn settings_of_server(&self) -> Result<PlannerSettings, DbError> {
        self.admin.planner_settings()
    }

    /// Everything that is stored as trees of nodes, printed.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn stored_texts(&self) -> Result<Vec<StoredText>, DbError> {
        let rows = self
            .admin
            .query(OPERATION, include_str!("stored_texts.sql"), &[])?;
        let text = |row| {
            Ok(StoredText {
                place: Place {
                    catalog: field(row, "catalog")?,
                    oid: field(row, "oid")?,
                    column: field(row, "stored")?,
                },
                form: match field::<&str>(row, "form")? {
                    "list" => Form::List,
                    "domain" => Form::Domain,
                    "function" => Form::Function,
                    "rule" => Form::Rule,
                    _ => Form::One,
                },
                relation: field(row, "relation")?,
                text: field(row, "printed")?,
                described: field(row, "described")?,
            })
        };
        rows.iter().map(text).collect()
    }

    /// What this version stores for these texts. They are of this snapshot, of which this twin has the
    /// tables, types and functions (`crate::twin::upgrade::bare`).
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn parsed(&self, texts: Vec<StoredText>, snapshot: &Snapshot) -> Result<Parsed, DbError> {
        let owner = quote_identifier(&self.role.name);
        self.admin.batch(
            OPERATION,
            &format!("CREATE SCHEMA {SCHEMA} AUTHORIZATION {owner}"),
        )?;
        self.session.set("search_path", OWN_PATH)?;
        self.session.set("check_function_bodies", "off")?;
        let table = format!("CREATE TABLE {SCHEMA}.nothing ()");
        self.session.batch(OPERATION, &table)?;
        let names = crate::twin::checks::names(snapshot);
        let mut parsed = Parsed::default();
        let (rules, others): (Vec<_>, Vec<_>) =
            texts.into_iter().partition(|text| text.form == Form::Rule);
        // Calls of functions leave out what these have by default.
        let (defaults, others): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|text| text.place.column == DEFAULTS);
        let functions = defaults.len();
        for (number, text) in defaults.into_iter().chain(others).enumerate() {
            if number == functions {
                self.set_defaults(snapshot, &parsed.trees)?;
            }
            let on = match text.relation {
                Some(oid) => names.get(&oid).map(|(_, name)| name.to_string()),
                None => Some(format!("{SCHEMA}.nothing")),
            };
            let Some(on) = on else { continue };
            let tree = self.parse(&text, &on, number)?;
            parsed.keep(text, tree);
        }
        // Materialized views were tables until now, because those have policies, and only views have
        // rules that are created.
        let materialized = materialized_views(snapshot);
        self.set_kind(&materialized, 'v')?;
        let is_of_one =
            |text: &StoredText| text.relation.is_some_and(|oid| materialized.contains(&oid));
        let (first, then): (Vec<_>, Vec<_>) = rules.into_iter().partition(is_of_one);
        for text in first {
            let tree = self.parse_rule(&text)?;
            parsed.keep(text, tree);
        }
        self.set_kind(&materialized, 'm')?;
        for text in then {
            let tree = self.parse_rule(&text)?;
            parsed.keep(text, tree);
        }
        Ok(parsed)
    }

    /// Parses an expression, a check of a domain or a function; the server's message if it refuses.
    fn parse(
        &self,
        text: &StoredText,
        on: &str,
        number: usize,
    ) -> Result<Result<String, String>, DbError> {
        let printed = text.text.as_deref().unwrap_or_default();
        let name = format!("pgrehearse_{number}");
        let (sql, stored) = match text.form {
            Form::Domain => (
                format!("CREATE DOMAIN {SCHEMA}.{name} AS {printed}"),
                format!(
                    "SELECT conbin::text AS tree FROM pg_catalog.pg_constraint WHERE contypid = '{SCHEMA}.{name}'::pg_catalog.regtype AND contype = 'c'"
                ),
            ),
            Form::Function => (
                printed.to_owned(),
                format!(
                    "SELECT prosqlbody::text AS tree FROM pg_catalog.pg_proc WHERE oid = {}",
                    text.place.oid
                ),
            ),
            _ => (
                format!("CREATE POLICY {name} ON {on} USING (ROW({printed}) IS NOT NULL)"),
                format!(
                    "SELECT polqual::text AS tree FROM pg_catalog.pg_policy WHERE polname = '{name}'"
                ),
            ),
        };
        let tree = match self.stored(&sql, &stored)? {
            Ok(tree) => tree,
            Err(message) => return Ok(Err(message)),
        };
        Ok(match text.form {
            Form::Domain | Form::Function | Form::Rule => Ok(tree),
            form => {
                parsed_list(&tree, form).ok_or_else(|| "it is stored in another way".to_owned())
            }
        })
    }

    fn parse_rule(&self, text: &StoredText) -> Result<Result<String, String>, DbError> {
        let printed = text.text.as_deref().unwrap_or_default();
        let column = quote_identifier(&text.place.column);
        // The old rule is not here, so this one has another number; a relation has one of each name.
        let stored = format!(
            "SELECT {column}::text AS tree FROM pg_catalog.pg_rewrite WHERE ev_class = {} ORDER BY oid DESC LIMIT 1",
            text.relation.unwrap_or(0)
        );
        let created = printed.replacen("CREATE RULE", "CREATE OR REPLACE RULE", 1);
        self.stored(&created, &stored)
    }

    /// Runs a statement and reads what was stored; the server's message if it refuses.
    fn stored(&self, sql: &str, stored: &str) -> Result<Result<String, String>, DbError> {
        // With one statement each: the text is one.
        match self.session.query(OPERATION, sql, &[]) {
            Ok(_) => {}
            Err(DbError::Query {
                message,
                state: Some(_),
                ..
            }) => return Ok(Err(message)),
            Err(error) => return Err(error),
        }
        let rows = self.session.query(OPERATION, stored, &[])?;
        let tree: Option<String> = match rows.first() {
            Some(row) => field(row, "tree")?,
            None => None,
        };
        Ok(tree.ok_or_else(|| "nothing was stored".to_owned()))
    }

    /// Functions get the defaults of their arguments.
    fn set_defaults(&self, snapshot: &Snapshot, trees: &Trees) -> Result<(), DbError> {
        let functions = snapshot.rows_of("pg_proc", ["oid", "pronargdefaults"]);
        let tree = |[oid, number]: [&str; 2]| {
            let place = Place {
                catalog: "pg_proc".to_owned(),
                oid: oid.parse().ok()?,
                column: DEFAULTS.to_owned(),
            };
            Some((
                place.oid,
                number.parse::<i16>().ok()?,
                trees.get(&place)?.as_str(),
            ))
        };
        let rows: Vec<(Oid, i16, &str)> = functions.into_iter().filter_map(tree).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let oids: Vec<Oid> = rows.iter().map(|(oid, ..)| *oid).collect();
        let numbers: Vec<i16> = rows.iter().map(|(_, number, _)| *number).collect();
        let trees: Vec<&str> = rows.iter().map(|(.., tree)| *tree).collect();
        self.admin.batch(OPERATION, &format!("BEGIN; {CASTS}"))?;
        let sql = "UPDATE pg_catalog.pg_proc p SET pronargdefaults = r.number, proargdefaults = r.tree::pg_catalog.pg_node_tree \
                   FROM unnest($1::oid[], $2::int2[], $3::text[]) AS r (oid, number, tree) WHERE p.oid = r.oid";
        self.admin.query(
            OPERATION,
            sql,
            &[
                (&oids, Type::OID_ARRAY),
                (&numbers, Type::INT2_ARRAY),
                (&trees, Type::TEXT_ARRAY),
            ],
        )?;
        self.admin.batch(
            OPERATION,
            "DELETE FROM pg_catalog.pg_cast WHERE oid BETWEEN 9990 AND 9993; COMMIT",
        )
    }

    fn set_kind(&self, relations: &[Oid], kind: char) -> Result<(), DbError> {
        let sql = format!(
            "UPDATE pg_catalog.pg_class SET relkind = '{kind}' WHERE oid = ANY ($1::oid[])"
        );
        self.admin
            .query(OPERATION, &sql, &[(&relations, Type::OID_ARRAY)])
            .map(|_| ())
    }
}

fn materialized_views(snapshot: &Snapshot) -> Vec<Oid> {
    let classes = snapshot.rows_of("pg_class", ["oid", "relkind"]);
    let materialized = classes.into_iter().filter(|[_, kind]| *kind == "m");
    materialized
        .filter_map(|[oid, _]| oid.parse().ok())
        .collect()
}

impl Parsed {
    fn keep(&mut self, text: StoredText, tree: Result<String, String>) {
        match tree {
            Ok(tree) => drop(self.trees.insert(text.place, tree)),
            Err(message) => self.refused.push((text, message)),
        }
    }

    /// The views and rules that were refused, once each with the message.
    pub fn refused_rules(&self) -> BTreeSet<(String, String)> {
        let rules = self.refused.iter();
        rules
            .filter(|(text, _)| text.form == Form::Rule)
            .map(|(text, message)| (text.described.clone(), message.clone()))
            .collect()
    }

    /// The first other thing that was refused.
    pub fn refused_otherwise(&self) -> Option<(String, String)> {
        let mut others = self
            .refused
            .iter()
            .filter(|(text, _)| text.form != Form::Rule);
        others
            .next()
            .map(|(text, message)| (text.described.clone(), message.clone()))
    }
}
