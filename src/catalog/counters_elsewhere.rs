//! What other servers of a cluster have counted.

use std::collections::BTreeMap;

use super::counters::Counters;
use super::tables::Catalog;
use crate::model::QualifiedName;

/// What another server of the same cluster has counted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CountersElsewhere {
    /// Since when; none where that is not known.
    pub counters: Option<Counters>,
    /// Scans of indexes.
    pub scans: BTreeMap<QualifiedName, u64>,
}

impl Catalog {
    /// Adds what another server of the cluster has counted. All count together only from when the
    /// last of them began.
    pub fn add_counters(&mut self, elsewhere: &CountersElsewhere) {
        let indexes = self.tables.iter_mut().flat_map(|table| &mut table.indexes);
        for index in indexes {
            index.scans += elsewhere.scans.get(&index.name).copied().unwrap_or(0);
        }
        let both = self.server.counters.take().zip(elsewhere.counters.clone());
        self.server.counters = both.map(|(own, other)| {
            let (standbys, counted) = (own.standbys, own.standbys_counted + 1);
            let later = if other.counted_for_s < own.counted_for_s {
                other
            } else {
                own
            };
            Counters {
                standbys,
                standbys_counted: counted,
                ..later
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Server;

    fn counted(since: &str, counted_for_s: f64) -> Counters {
        Counters {
            since: since.to_owned(),
            counted_for_s,
            was_reset: false,
            standbys: 2,
            standbys_counted: 0,
        }
    }

    #[test]
    fn servers_count_together_from_when_the_last_began() {
        let mut catalog = Catalog {
            server: Server {
                counters: Some(counted("2024-01-01T00:00:00Z", 900.0)),
                ..Server::default()
            },
            ..Catalog::default()
        };
        let elsewhere = |since, seconds| CountersElsewhere {
            counters: Some(counted(since, seconds)),
            ..CountersElsewhere::default()
        };
        catalog.add_counters(&elsewhere("2024-03-01T00:00:00Z", 300.0));
        catalog.add_counters(&elsewhere("2023-01-01T00:00:00Z", 2_000.0));
        let counters = catalog.server.counters.as_ref().unwrap();
        assert_eq!(counters.since, "2024-03-01T00:00:00Z");
        assert_eq!((counters.standbys, counters.standbys_counted), (2, 2));
        catalog.add_counters(&CountersElsewhere::default());
        assert_eq!(catalog.server.counters, None, "nothing is known then");
    }
}
