//! Which types can be redacted, and how.

use std::collections::{BTreeMap, BTreeSet};

use crate::twin::Snapshot;
use crate::twin::snapshot::Oid;

/// How values of a type are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ValueKind {
    /// Texts, by the collation they are sorted with.
    Text(Oid),
    /// `json` and `jsonb`: an object with a text.
    Json,
    /// UUIDs: 128 bits.
    Uuid,
    /// All integers, because they are compared with each other.
    Integer,
    /// Types of [`Scale`](crate::twin::scalar::Scale), by their OID.
    OnScale(Oid),
    /// Not replaced: booleans, and enums, whose values belong to the schema.
    NotSensitive,
    /// Unknown types.
    Unknown,
}

/// Types of the snapshot: built-in ones, and the base or element types of its own.
pub(super) struct ValueKinds<'s> {
    base_types: BTreeMap<Oid, Oid>,
    elements: BTreeMap<Oid, Oid>,
    enums: BTreeSet<Oid>,
    columns: BTreeMap<(Oid, i16), (Oid, Oid)>,
    type_names: BTreeMap<Oid, &'s str>,
    /// By name, for the catalog, which has no OIDs.
    pub(super) columns_by_name: BTreeMap<(&'s str, &'s str, &'s str), (Oid, i16)>,
}

/// Built-in array types and their elements (src/include/catalog/pg_type.dat).
const ARRAYS: [(Oid, Oid); 17] = [
    (1000, 16),
    (1005, 21),
    (1007, 23),
    (1016, 20),
    (1009, 25),
    (1014, 1042),
    (1015, 1043),
    (1003, 19),
    (1021, 700),
    (1022, 701),
    (1231, 1700),
    (1182, 1082),
    (1115, 1114),
    (1185, 1184),
    (2951, 2950),
    (199, 114),
    (3807, 3802),
];

/// Types of which only the name is known here.
const NAMES: [(Oid, &str); 15] = [
    (17, "bytea"),
    (18, "\"char\""),
    (19, "name"),
    (26, "oid"),
    (142, "xml"),
    (600, "point"),
    (603, "box"),
    (650, "cidr"),
    (790, "money"),
    (829, "macaddr"),
    (869, "inet"),
    (1083, "time"),
    (1186, "interval"),
    (1266, "timetz"),
    (1560, "bit"),
];

/// `tsvector`, whose elements are sorted in an order of their own (`ts_typanalyze`).
const TSVECTOR: Oid = 3614;

impl<'s> ValueKinds<'s> {
    pub(super) fn of(snapshot: &'s Snapshot) -> ValueKinds<'s> {
        let mut kinds = ValueKinds {
            base_types: BTreeMap::new(),
            elements: BTreeMap::from(ARRAYS),
            enums: BTreeSet::new(),
            columns: BTreeMap::new(),
            type_names: BTreeMap::from(NAMES),
            columns_by_name: BTreeMap::new(),
        };
        kinds.add_types(snapshot);
        kinds.add_columns(snapshot);
        kinds
    }

    fn add_types(&mut self, snapshot: &'s Snapshot) {
        let columns = [
            "oid",
            "typname",
            "typtype",
            "typbasetype",
            "typelem",
            "typlen",
        ];
        for [oid, name, kind, base, element, length] in snapshot.rows_of("pg_type", columns) {
            let Ok(oid) = oid.parse() else { continue };
            self.type_names.insert(oid, name);
            match (kind, base.parse(), element.parse()) {
                ("e", _, _) => drop(self.enums.insert(oid)),
                ("d", Ok(base), _) => drop(self.base_types.insert(oid, base)),
                (_, _, Ok(element)) if element != 0 && length == "-1" => {
                    self.elements.insert(oid, element);
                }
                _ => {}
            }
        }
    }

    fn add_columns(&mut self, snapshot: &'s Snapshot) {
        let schemas: BTreeMap<&str, &str> = snapshot
            .rows_of("pg_namespace", ["oid", "nspname"])
            .into_iter()
            .map(|[oid, name]| (oid, name))
            .collect();
        let tables: BTreeMap<&str, (&str, &str)> = snapshot
            .rows_of("pg_class", ["oid", "relnamespace", "relname"])
            .into_iter()
            .map(|[oid, schema, name]| {
                (
                    oid,
                    (schemas.get(schema).copied().unwrap_or_default(), name),
                )
            })
            .collect();
        for [table, number, name, type_oid, collation] in snapshot.rows_of(
            "pg_attribute",
            ["attrelid", "attnum", "attname", "atttypid", "attcollation"],
        ) {
            let parsed = (
                table.parse(),
                number.parse(),
                type_oid.parse(),
                collation.parse(),
            );
            let (Ok(oid), Ok(number), Ok(type_oid), Ok(collation)) = parsed else {
                continue;
            };
            self.columns.insert((oid, number), (type_oid, collation));
            if let Some((schema, table)) = tables.get(table) {
                self.columns_by_name
                    .insert((schema, table, name), (oid, number));
            }
        }
    }

    /// Its name, where it is known.
    pub(super) fn type_name(&self, type_oid: Oid) -> String {
        self.type_names
            .get(&type_oid)
            .map_or_else(|| format!("type-{type_oid}"), |name| (*name).to_owned())
    }

    /// The base type of domains.
    pub(super) fn base(&self, type_oid: Oid) -> Oid {
        let mut found = type_oid;
        for _ in 0..32 {
            found = self.base_types.get(&found).copied().unwrap_or(found);
        }
        found
    }

    /// The elements' type of an array.
    pub(super) fn element(&self, type_oid: Oid) -> Option<Oid> {
        self.elements.get(&self.base(type_oid)).copied()
    }

    /// The type and the collation of a column.
    pub(super) fn column(&self, key: (Oid, i16)) -> Option<(Oid, Oid)> {
        self.columns.get(&key).copied()
    }

    pub(super) fn is_text_search(&self, key: (Oid, i16)) -> bool {
        self.column(key)
            .is_some_and(|(type_oid, _)| self.base(type_oid) == TSVECTOR)
    }

    /// How values of a type that is not an array are replaced.
    pub(super) fn kind(&self, type_oid: Oid, collation: Oid) -> ValueKind {
        match self.base(type_oid) {
            16 => ValueKind::NotSensitive,
            25 | 1042 | 1043 => ValueKind::Text(collation),
            114 | 3802 => ValueKind::Json,
            2950 => ValueKind::Uuid,
            20 | 21 | 23 => ValueKind::Integer,
            base @ (700 | 701 | 1700 | 1082 | 1114 | 1184) => ValueKind::OnScale(base),
            base if self.enums.contains(&base) => ValueKind::NotSensitive,
            _ => ValueKind::Unknown,
        }
    }
}
