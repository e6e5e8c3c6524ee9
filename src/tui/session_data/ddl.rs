//! The statements that create what was chosen. Made for a whole selection at once: the indexes on the partitions of one table must
//! not get the same names.

use std::collections::BTreeSet;

use super::{Entry, SessionData};
use crate::catalog::create_index::{Creation, creations};
use crate::rehearsal::TrialOutcome;

impl SessionData {
    /// The statements that create these indexes for keeps, in order.
    pub fn ddl(&self, entries: &BTreeSet<usize>) -> Vec<String> {
        let chosen = || entries.iter().filter_map(|entry| self.entries.get(*entry));
        let built: Vec<_> = chosen()
            .filter_map(|entry| Some((&entry.index, self.body(entry)?)))
            .collect();
        let mut created = creations(&built, &self.catalog).into_iter();
        let statements = |entry: &Entry| match self.body(entry).and_then(|_| created.next()) {
            Some(creation) => creation.statements().cloned().collect(),
            None => entry.ddl.clone(),
        };
        chosen().flat_map(statements).collect()
    }

    /// The statements that create this index when it is the only one.
    pub(super) fn ddl_alone(&self, entry: usize) -> Option<Vec<String>> {
        let entry = self.entries.get(entry)?;
        let created = creations(&[(&entry.index, self.body(entry)?)], &self.catalog);
        Some(
            created
                .iter()
                .flat_map(Creation::statements)
                .cloned()
                .collect(),
        )
    }

    /// What the server said stands behind the table's name, if the index was built.
    fn body(&self, entry: &Entry) -> Option<&str> {
        match &self.trials.get(entry.trial?)?.outcome {
            TrialOutcome::Built { build, .. } => Some(&build.body),
            TrialOutcome::Refused(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::catalog::Catalog;
    use crate::index::parse_index;
    use crate::model::{Bytes, Millis};
    use crate::rehearsal::{Build, Comparison, NamedIndex, Planned};

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
        let build = Build {
            names: BTreeSet::new(),
            body: body.to_owned(),
            size: Bytes(8192),
            build_time: Millis(1.0),
            usable: true,
        };
        Comparison {
            before: BTreeMap::new(),
            after: Planned {
                builds: vec![build],
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
            session_data.add_by_hand(index, built(&format!("USING btree (id) WHERE {predicate}")));
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
