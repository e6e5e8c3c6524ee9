//! The statements that create the selected indexes. Made for a whole selection at once, because
//! indexes on the partitions of one table must not get the same names.

use std::collections::BTreeSet;

use super::{IndexView, SessionData};
use crate::catalog::create_index::{Creation, creations};

impl SessionData {
    /// The DDL that creates these indexes, in order.
    pub fn ddl(&self, indexes: &BTreeSet<usize>) -> Vec<String> {
        let created = self.creations(indexes);
        let statements = created.iter().flat_map(Creation::statements);
        statements.cloned().collect()
    }

    /// What creates each of these indexes, in order.
    pub(super) fn creations(&self, indexes: &BTreeSet<usize>) -> Vec<Creation> {
        let chosen = || indexes.iter().filter_map(|index| self.indexes.get(*index));
        let built: Vec<_> = chosen()
            .filter_map(|index| Some((&index.named, self.body(index)?)))
            .collect();
        let mut created = creations(&built, &self.catalog).into_iter();
        chosen()
            .map(
                |index| match self.body(index).and_then(|_| created.next()) {
                    Some(creation) => creation,
                    None => Creation {
                        create: index.ddl.clone(),
                        afterwards: Vec::new(),
                    },
                },
            )
            .collect()
    }

    /// The statements that create this index when it is the only one.
    pub(super) fn ddl_alone(&self, index: usize) -> Option<Vec<String>> {
        let index = self.indexes.get(index)?;
        let created = creations(&[(&index.named, self.body(index)?)], &self.catalog);
        Some(
            created
                .iter()
                .flat_map(Creation::statements)
                .cloned()
                .collect(),
        )
    }

    /// The definition behind the table's name as the server prints it, if the index was tested.
    fn body(&self, index: &IndexView) -> Option<&str> {
        let tested = self.trials[index.trial?].tested()?;
        Some(&tested.body)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::catalog::Catalog;
    use crate::index::parse_index;
    use crate::model::{Bytes, Millis};
    use crate::planner::{Comparison, NamedIndex, Planned, TestedIndex};

    /// A table in two partitions.
    fn events() -> Catalog {
        let catalog = serde_json::json!({
            "server": {"version_num": 150_000, "version": "15", "database": "d", "in_recovery": false}, "settings": {}, "taken_names": [],
            "tables": [{"name": {"schema": "public", "name": "event"}, "kind": "partitioned", "partition_of": null, "rows": 10.0,
                "pages": 2, "owned": true, "columns": [], "indexes": [], "partitions": [
                    {"name": {"schema": "public", "name": "e1"}, "parent": {"schema": "public", "name": "event"}, "partitioned": false},
                    {"name": {"schema": "public", "name": "e2"}, "parent": {"schema": "public", "name": "event"}, "partitioned": false}]}]});
        serde_json::from_value(catalog).unwrap()
    }

    fn built(body: &str) -> Comparison {
        let build = TestedIndex {
            names: BTreeSet::new(),
            body: body.to_owned(),
            size: Bytes(8192),
            build_time: Some(Millis(1.0)),
            usable: true,
        };
        Comparison {
            before: BTreeMap::new(),
            after: Planned {
                indexes: vec![build],
                ..Planned::default()
            },
        }
    }

    #[test]
    fn indexes_that_are_exported_together_share_no_name() {
        let mut session_data = SessionData {
            catalog: events(),
            ..SessionData::default()
        };
        for (name, predicate) in [
            ("event_id_partial_idx", "(a)"),
            ("event_id_partial_idx1", "(b)"),
        ] {
            let index = parse_index(&format!(
                "CREATE INDEX ON public.event (id) WHERE {predicate}"
            ))
            .unwrap();
            let index = NamedIndex {
                name: name.to_owned(),
                definition: index,
            };
            session_data
                .add_user_defined(index, built(&format!("USING btree (id) WHERE {predicate}")));
        }
        let ddl = session_data.ddl(&[0, 1].into());
        let names: Vec<&str> = ddl
            .iter()
            .filter_map(|sql| sql.strip_prefix("CREATE INDEX ")?.split(" ON ").next())
            .collect();
        assert_eq!(names.len(), 6, "{ddl:#?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 6, "{ddl:#?}");
    }
}
