//! A snapshot for a server of a later major version: what `pg_upgrade` would carry over.
//!
//! OIDs of objects of users stay, as they do with `pg_upgrade`. What PostgreSQL itself numbers differs:
//! operator classes and collations that have no number of their own in the sources. And expressions,
//! rules and the like are stored as trees of nodes, which no other version can read: each is printed by
//! the old version and parsed by the new one. The columns of the catalogs are those of the new server.

use std::collections::{BTreeMap, BTreeSet};

use super::Snapshot;
use super::snapshot::{Oid, Origin, SystemTable};

mod columns;
mod tree;

pub use columns::NewColumn;
pub use tree::{Form, parsed_list};

/// The expressions, rules and functions of a snapshot, printed by its own version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredText {
    /// Which value of which row.
    pub place: Place,
    /// How it was stored.
    pub form: Form,
    /// The relation whose columns it reads, if there is one.
    pub relation: Option<Oid>,
    /// What it was printed as; none if the old version cannot print it.
    pub text: Option<String>,
    /// What it belongs to, for people.
    pub described: String,
}

/// A value in a system catalog.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// `pg_index`.
    pub catalog: String,
    /// What identifies the row.
    pub oid: Oid,
    /// `indpred`.
    pub column: String,
}

/// What the new version stores at places.
pub type Trees = BTreeMap<Place, String>;

/// A server of the later version, as initdb made it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewServer {
    /// `server_version_num`.
    pub version_num: u32,
    /// The columns of its catalogs, by catalog.
    pub columns: BTreeMap<String, Vec<NewColumn>>,
    /// What it numbers itself.
    pub numbered: Numbered,
}

/// Objects of PostgreSQL itself whose OIDs differ between versions, by what they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbered {
    /// By access method, name and type.
    pub operator_classes: BTreeMap<String, Oid>,
    /// By name and encoding: those that have a number in the sources.
    pub collations: BTreeMap<String, Oid>,
    /// Functions of PostgreSQL's own libraries that initdb numbers, by name and arguments.
    pub functions: BTreeMap<String, Oid>,
    /// Names of types and operators by their numbers, which never change.
    pub fixed: BTreeMap<String, String>,
}

/// Columns that hold one OID or several of an operator class.
const OPERATOR_CLASSES: &[(&str, &str)] = &[
    ("pg_index", "indclass"),
    ("pg_partitioned_table", "partclass"),
    ("pg_range", "rngsubopc"),
];

/// Columns that hold one OID or several of a collation.
const COLLATIONS: &[(&str, &str)] = &[
    ("pg_attribute", "attcollation"),
    ("pg_index", "indcollation"),
    ("pg_partitioned_table", "partcollation"),
    ("pg_range", "rngcollation"),
    ("pg_type", "typcollation"),
];

/// Columns that hold the OID of a function of PostgreSQL's own libraries.
const FUNCTIONS: &[(&str, &str)] = &[
    ("pg_proc", "oid"),
    ("pg_language", "lanplcallfoid"),
    ("pg_language", "laninline"),
    ("pg_language", "lanvalidator"),
    ("pg_ts_template", "tmplinit"),
    ("pg_ts_template", "tmpllexize"),
];

/// What identifies the rows of catalogs with trees.
const KEYS: &[(&str, &str)] = &[
    ("pg_attrdef", "oid"),
    ("pg_class", "oid"),
    ("pg_constraint", "oid"),
    ("pg_index", "indexrelid"),
    ("pg_partitioned_table", "partrelid"),
    ("pg_policy", "oid"),
    ("pg_proc", "oid"),
    ("pg_rewrite", "oid"),
    ("pg_statistic_ext", "oid"),
    ("pg_trigger", "oid"),
    ("pg_type", "oid"),
];

/// Catalogs without which columns, types and functions can still be named.
const NOT_BARE: &[&str] = &[
    "pg_attrdef",
    "pg_depend",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_foreign_table",
    "pg_index",
    "pg_inherits",
    "pg_partitioned_table",
    "pg_policy",
    "pg_rewrite",
    "pg_statistic_ext",
    "pg_trigger",
];

/// Its nodes have been the same in all supported versions (`PartitionBoundSpec`,
/// src/include/nodes/parsenodes.h).
const SAME_TREE: (&str, &str) = ("pg_class", "relpartbound");

/// What a snapshot of the old version has, and the new one numbers differently.
pub struct Renumbering {
    operator_classes: BTreeMap<String, String>,
    collations: BTreeMap<String, String>,
    functions: BTreeMap<String, String>,
}

/// From here on initdb assigns OIDs (`FirstUnpinnedObjectId`); those rows are copied with theirs.
const FIRST_INITDB_OID: Oid = 12_000;

fn pinned(collations: &BTreeMap<String, Oid>) -> BTreeMap<String, Oid> {
    let own = collations
        .iter()
        .filter(|(_, oid)| **oid < FIRST_INITDB_OID);
    own.map(|(name, oid)| (name.clone(), *oid)).collect()
}

impl Renumbering {
    /// From the old server's own objects to the new one's.
    ///
    /// # Errors
    /// When a number means something else in the new version.
    pub fn between(old: &Numbered, new: &Numbered) -> Result<Renumbering, String> {
        for (number, name) in &old.fixed {
            if let Some(other) = new.fixed.get(number).filter(|other| *other != name) {
                return Err(format!(
                    "the OID {number} is {name} in the one version and {other} in the other"
                ));
            }
        }
        let pairs = |old: &BTreeMap<String, Oid>, new: &BTreeMap<String, Oid>| {
            let same = |(name, oid): (&String, &Oid)| {
                let there = new.get(name)?;
                (there != oid).then(|| (oid.to_string(), there.to_string()))
            };
            old.iter().filter_map(same).collect::<BTreeMap<_, _>>()
        };
        Ok(Renumbering {
            operator_classes: pairs(&old.operator_classes, &new.operator_classes),
            collations: pairs(&old.collations, &pinned(&new.collations)),
            functions: pairs(&old.functions, &new.functions),
        })
    }
}

/// The places of these texts that the snapshot has: a twin has a few functions of its own.
pub fn of_snapshot(texts: Vec<StoredText>, snapshot: &Snapshot) -> Vec<StoredText> {
    let mut known: BTreeSet<(&str, Oid)> = BTreeSet::new();
    for (catalog, key) in KEYS {
        let rows = snapshot.rows_of(catalog, [key]).into_iter();
        known.extend(rows.filter_map(|[oid]| Some((*catalog, oid.parse().ok()?))));
    }
    let is_known =
        |text: &StoredText| known.contains(&(text.place.catalog.as_str(), text.place.oid));
    texts.into_iter().filter(is_known).collect()
}

/// A column and its value.
type Filled = (&'static str, Option<&'static str>);

/// Columns of what is bare, and their values there.
const BARE: &[(&str, &[Filled])] = &[
    (
        "pg_class",
        &[
            ("relchecks", Some("0")),
            ("relhasrules", Some("false")),
            ("relhastriggers", Some("false")),
            ("relispartition", Some("false")),
            ("relhassubclass", Some("false")),
            ("relhasindex", Some("false")),
            ("relrowsecurity", Some("false")),
            ("relpartbound", None),
        ],
    ),
    (
        "pg_attribute",
        &[
            ("atthasdef", Some("false")),
            ("attgenerated", Some("")),
            ("attidentity", Some("")),
        ],
    ),
    (
        "pg_proc",
        &[
            ("pronargdefaults", Some("0")),
            ("proargdefaults", None),
            ("prosqlbody", None),
        ],
    ),
    ("pg_type", &[("typdefaultbin", None)]),
    ("pg_constraint", &[("conbin", None)]),
];

/// Tables, types and functions of a snapshot in the new version's catalogs, without anything that is
/// stored as a tree, without indexes and without files: enough to parse expressions.
pub fn bare(snapshot: &Snapshot, new: &NewServer, renumbering: &Renumbering) -> Snapshot {
    let renumbered = renumbered(snapshot, renumbering);
    let classes = snapshot.rows_of("pg_class", ["oid", "relkind"]);
    let indexes: BTreeSet<&str> = classes
        .into_iter()
        .filter(|[_, kind]| matches!(*kind, "i" | "I"))
        .map(|[oid, _]| oid)
        .collect();
    let bare_table = |table: &SystemTable| {
        let name = table.name.as_str();
        let mut table = match name {
            "pg_class" => table.only("oid", |oid| !indexes.contains(oid)),
            "pg_attribute" => table.only("attrelid", |oid| !indexes.contains(oid)),
            // Checks come from their texts.
            "pg_constraint" => table.only("contype", |kind| kind != "c"),
            _ => table.clone(),
        };
        for (_, columns) in BARE.iter().filter(|(catalog, _)| *catalog == name) {
            for (column, value) in *columns {
                fill(&mut table, column, *value);
            }
        }
        relations_with_policies(&mut table);
        table
    };
    let tables = renumbered.system_tables.iter();
    let mut bare = Snapshot {
        origin: Origin {
            version_num: new.version_num,
            ..renumbered.origin.clone()
        },
        system_tables: tables
            .filter(|table| !NOT_BARE.contains(&table.name.as_str()))
            .map(bare_table)
            .collect(),
        ..Snapshot::default()
    };
    columns::fit(&mut bare, &new.columns);
    bare
}

/// Only tables have policies, through which expressions are parsed.
fn relations_with_policies(table: &mut SystemTable) {
    let (Some(kind), Some(method)) = (table.position("relkind"), table.position("relam")) else {
        return;
    };
    for row in &mut table.rows {
        if matches!(row.get(kind), Some(Some(text)) if text == "m" || text == "f") {
            if let Some(value) = row.get_mut(kind) {
                *value = Some("r".to_owned());
            }
            if let Some(value) = row.get_mut(method) {
                *value = Some("2".to_owned());
            }
        }
    }
}

fn fill(table: &mut SystemTable, column: &str, value: Option<&str>) {
    let Some(position) = table.position(column) else {
        return;
    };
    for row in &mut table.rows {
        if let Some(field) = row.get_mut(position) {
            *field = value.map(str::to_owned);
        }
    }
}

/// The snapshot in the new version's catalogs, with the trees of the new version. Rules without one are
/// left out; of everything else each needs its tree.
pub fn upgraded(
    snapshot: &Snapshot,
    new: &NewServer,
    renumbering: &Renumbering,
    trees: &Trees,
) -> Snapshot {
    let mut upgraded = renumbered(snapshot, renumbering);
    upgraded.origin.version_num = new.version_num;
    for table in &mut upgraded.system_tables {
        replace_trees(table, new, trees);
    }
    forget_rules_without_tree(&mut upgraded);
    columns::fit(&mut upgraded, &new.columns);
    upgraded
}

fn replace_trees(table: &mut SystemTable, new: &NewServer, trees: &Trees) {
    let name = table.name.clone();
    let Some((_, key)) = KEYS.iter().find(|(catalog, _)| *catalog == name) else {
        return;
    };
    let Some(key) = table.position(key) else {
        return;
    };
    let is_tree = |column: &String| {
        let columns = new.columns.get(&name).into_iter().flatten();
        let mut same = columns.filter(|other| other.name == *column);
        same.any(|column| column.type_name == "pg_node_tree")
            && (name.as_str(), column.as_str()) != SAME_TREE
    };
    let trees_at: Vec<(usize, String)> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| is_tree(column))
        .map(|(position, column)| (position, column.clone()))
        .collect();
    for row in &mut table.rows {
        let oid = row.get(key).cloned().flatten();
        let Some(oid) = oid.and_then(|oid| oid.parse::<Oid>().ok()) else {
            continue;
        };
        for (position, column) in &trees_at {
            let place = Place {
                catalog: name.clone(),
                oid,
                column: column.clone(),
            };
            if let Some(value) = row.get_mut(*position).filter(|value| value.is_some()) {
                *value = trees.get(&place).cloned();
            }
        }
    }
}

/// The OID of `pg_rewrite`, which dependencies of rules name.
const PG_REWRITE: &str = "2618";

/// Rules that the new version refuses are none; a view without its rule cannot be read.
fn forget_rules_without_tree(snapshot: &mut Snapshot) {
    let mut gone: Vec<String> = Vec::new();
    for table in &mut snapshot.system_tables {
        let (Some(position), Some(oid)) = (table.position("ev_action"), table.position("oid"))
        else {
            continue;
        };
        let has_tree = |row: &Vec<Option<String>>| row.get(position).is_some_and(Option::is_some);
        let without = table.rows.iter().filter(|row| !has_tree(row));
        gone.extend(without.filter_map(|row| row.get(oid)?.clone()));
        table.rows.retain(has_tree);
    }
    for table in &mut snapshot.system_tables {
        for (class, object) in [("classid", "objid"), ("refclassid", "refobjid")] {
            let (Some(class), Some(object)) = (table.position(class), table.position(object))
            else {
                continue;
            };
            table.rows.retain(|row| {
                let of = |position: usize| row.get(position).and_then(Option::as_ref);
                of(class).is_none_or(|class| class != PG_REWRITE)
                    || of(object).is_none_or(|object| !gone.contains(object))
            });
        }
    }
}

/// With the new server's numbers of PostgreSQL's own objects.
fn renumbered(snapshot: &Snapshot, renumbering: &Renumbering) -> Snapshot {
    let mut snapshot = snapshot.clone();
    let all = [
        (OPERATOR_CLASSES, &renumbering.operator_classes),
        (COLLATIONS, &renumbering.collations),
        (FUNCTIONS, &renumbering.functions),
    ];
    for (columns, numbers) in all {
        for (catalog, column) in columns {
            let tables = snapshot.system_tables.iter_mut();
            for table in tables.filter(|table| table.name == *catalog) {
                renumber(table, column, numbers);
            }
        }
    }
    let collation = |oid: &mut Oid| {
        let new = renumbering.collations.get(&oid.to_string());
        if let Some(new) = new.and_then(|new| new.parse().ok()) {
            *oid = new;
        }
    };
    let extended = snapshot.extended_statistics.iter_mut();
    let expressions = extended.flat_map(|extended| &mut extended.expressions);
    for statistic in snapshot.statistics.iter_mut().chain(expressions) {
        for slot in &mut statistic.slots {
            collation(&mut slot.collation);
        }
    }
    // Those that have a number of their own now are there already.
    for table in &mut snapshot.system_tables {
        if table.name == "pg_collation" {
            *table = table.only("oid", |oid| !renumbering.collations.contains_key(oid));
        }
    }
    snapshot
}

fn renumber(table: &mut SystemTable, column: &str, numbers: &BTreeMap<String, String>) {
    let Some(position) = table.position(column) else {
        return;
    };
    for row in &mut table.rows {
        let Some(Some(text)) = row.get_mut(position) else {
            continue;
        };
        let new: Vec<&str> = text
            .split(' ')
            .map(|oid| numbers.get(oid).map_or(oid, String::as_str))
            .collect();
        *text = new.join(" ");
    }
}
