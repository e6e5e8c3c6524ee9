use super::finding::{ExistingKind, Fix, LeftBy, SupportedForeignKey};
use super::*;
use crate::advise::drop_effects::DropEffects;
use crate::catalog::Catalog;
use crate::catalog::{Counters, ForeignKey, Server, TableKind};
use crate::index::parse_index;
use crate::model::{Bytes, Millis};

fn index(name: &str, columns: &str) -> ExistingIndex {
    let ddl = format!("CREATE INDEX {name} ON public.t USING btree ({columns})");
    ExistingIndex {
        name: QualifiedName::new("public", name),
        index: parse_index(&ddl).ok(),
        ddl,
        valid: true,
        size: Bytes(8192),
        scans: 1,
        ..ExistingIndex::default()
    }
}

fn unique(name: &str, columns: &str) -> ExistingIndex {
    ExistingIndex {
        unique: true,
        ..index(name, columns)
    }
}

fn catalog(indexes: Vec<ExistingIndex>) -> Catalog {
    let table = Table {
        name: QualifiedName::new("public", "t"),
        kind: TableKind::Plain,
        partition_of: None,
        partitions: Vec::new(),
        rows: None,
        pages: 1,
        all_visible_pages: 0,
        owned: true,
        lockable: true,
        modified_rows: 0,
        row_security: false,
        policies_of_others: None,
        policies: Vec::new(),
        writes: None,
        columns: Vec::new(),
        indexes,
    };
    Catalog {
        tables: vec![table],
        ..Catalog::default()
    }
}

const DAY_S: f64 = 86_400.0;

/// With counters of ten days and two standbys.
fn counting(indexes: Vec<ExistingIndex>) -> Catalog {
    let since = "2024-05-01T10:00:00Z".to_owned();
    let counters = Some(Counters {
        since,
        counted_for_s: 10.0 * DAY_S,
        was_reset: true,
        standbys: 2,
        standbys_counted: 0,
    });
    Catalog {
        server: Server {
            counters,
            version_num: 150_000,
            ..Server::default()
        },
        ..catalog(indexes)
    }
}

fn findings_of(catalog: &Catalog, used: &[&str], fresh_sizes: &FreshSizes) -> Vec<ExistingFinding> {
    let used = used.iter().map(|name| (*name).to_owned()).collect();
    let drop_effects = DropEffects::default();
    let (recommendations, unused_after) = (&[][..], Millis(7.0 * DAY_S * 1_000.0));
    findings(Observed {
        catalog,
        recommendations,
        drop_effects: &drop_effects,
        used: &used,
        fresh_sizes,
        unused_after,
    })
}

fn found(indexes: Vec<ExistingIndex>) -> Vec<(String, ExistingKind)> {
    let found = findings_of(&catalog(indexes), &[], &FreshSizes::new());
    found
        .into_iter()
        .map(|finding| {
            let kind = finding.kind();
            (finding.index.name, kind)
        })
        .collect()
}

#[test]
fn duplicates_prefixes_and_leftovers_are_found() {
    let primary_key = ExistingIndex {
        constraint: true,
        ..unique("pk", "id")
    };
    let invalid = ExistingIndex {
        valid: false,
        ..index("broken", "z")
    };
    let indexes = vec![
        primary_key,
        index("twin_of_pk", "id"),
        index("a", "x"),
        index("b", "x, y"),
        index("c", "x, y"),
        invalid,
    ];
    assert_eq!(
        found(indexes),
        [
            ("twin_of_pk".to_owned(), ExistingKind::Duplicate),
            ("a".to_owned(), ExistingKind::Redundant),
            ("c".to_owned(), ExistingKind::Duplicate),
            ("broken".to_owned(), ExistingKind::Invalid),
        ]
    );
}

#[test]
fn what_enforces_something_or_is_part_of_something_stays() {
    assert_eq!(found(vec![unique("u", "x"), index("long", "x, y")]), []);
    let identity = ExistingIndex {
        replica_identity: true,
        ..index("i", "x")
    };
    assert_eq!(found(vec![identity, index("long", "x, y")]), []);
    let part = ExistingIndex {
        part_of: Some(QualifiedName::new("public", "whole")),
        ..index("p", "x")
    };
    assert_eq!(found(vec![part.clone(), index("long", "x, y")]), []);
    assert_eq!(
        found(vec![ExistingIndex {
            valid: false,
            ..part
        }]),
        []
    );
}

#[test]
fn a_unique_leftover_is_completed_unless_a_valid_one_enforces_the_same() {
    let fixes = |indexes| {
        findings_of(&catalog(indexes), &[], &FreshSizes::new())
            .iter()
            .filter_map(|found| found.fix())
            .collect::<Vec<_>>()
    };
    let leftover = || ExistingIndex {
        valid: false,
        ..unique("u_ccnew", "x")
    };
    assert_eq!(fixes(vec![leftover()]), [Fix::Reindex]);
    assert_eq!(fixes(vec![leftover(), unique("u", "x")]), [Fix::Drop]);
    assert_eq!(
        fixes(vec![leftover(), index("i", "x")]),
        [Fix::Reindex],
        "a plain one enforces nothing"
    );
}

#[test]
fn a_new_version_of_an_invalid_index_is_dropped_and_that_one_rebuilt() {
    let invalid = |name: &str| ExistingIndex {
        valid: false,
        ..unique(name, "x")
    };
    let indexes = vec![index("u_ok", "x"), invalid("u"), invalid("u_ccnew")];
    let found = findings_of(&catalog(indexes), &[], &FreshSizes::new());
    let fix = |name: &str| {
        let mut of = found.iter().filter(|found| found.index.name == name);
        of.next().map(|found| (found.fix(), found.cause.clone()))
    };
    let (of_index, _) = fix("u").unwrap();
    let (of_version, cause) = fix("u_ccnew").unwrap();
    assert_eq!(
        (of_index, of_version),
        (Some(Fix::Reindex), Some(Fix::Drop))
    );
    let ExistingCause::Invalid { left_by, .. } = cause else {
        panic!("{cause:?}")
    };
    assert_eq!(
        left_by,
        LeftBy::Rebuild(QualifiedName::new("public", "u")),
        "not of another index with the same columns"
    );
}

#[test]
fn what_was_not_scanned_for_long_and_no_plan_uses_is_unused() {
    let never = |name, columns| ExistingIndex {
        scans: 0,
        ..index(name, columns)
    };
    let indexes = || {
        vec![
            never("u", "x"),
            index("scanned", "y"),
            ExistingIndex {
                unique: true,
                ..never("key", "z")
            },
        ]
    };
    let [unused] = &findings_of(&counting(indexes()), &[], &FreshSizes::new())[..] else {
        panic!()
    };
    assert_eq!(
        (unused.index.name.as_str(), unused.kind(), unused.freed()),
        ("u", ExistingKind::Unused, Bytes(8192))
    );
    assert_eq!(
        unused.statement().as_deref(),
        Some("DROP INDEX CONCURRENTLY public.u;")
    );
    assert_eq!(unused.unused_since(), Some("2024-05-01T10:00:00Z"));
    let ExistingCause::Unused(cause) = &unused.cause else {
        panic!("{unused:?}")
    };
    assert_eq!(cause.counters.standbys, 2);
    assert_eq!(cause.foreign_key, None);
    assert_eq!(
        findings_of(&counting(indexes()), &["u"], &FreshSizes::new()),
        [],
        "a plan uses it"
    );
    let mut young = counting(indexes());
    young.server.counters.as_mut().unwrap().counted_for_s = 6.0 * DAY_S;
    assert_eq!(
        findings_of(&young, &[], &FreshSizes::new()),
        [],
        "too short a time"
    );
    assert_eq!(
        findings_of(&catalog(indexes()), &[], &FreshSizes::new()),
        [],
        "nobody knows how long"
    );
}

/// To drop both would be a mistake.
#[test]
fn what_makes_another_one_redundant_is_not_called_unused() {
    let catalog = counting(vec![
        index("a", "x"),
        ExistingIndex {
            scans: 0,
            ..index("b", "x, y")
        },
    ]);
    let kinds: Vec<_> = findings_of(&catalog, &[], &FreshSizes::new())
        .iter()
        .map(|found| (found.index.name.clone(), found.kind()))
        .collect();
    assert_eq!(kinds, [("a".to_owned(), ExistingKind::Redundant)]);
}

#[test]
fn a_foreign_key_and_cluster_are_mentioned() {
    let index = ExistingIndex {
        scans: 0,
        clustered: true,
        ..index("fk", "b, a")
    };
    let key = ForeignKey {
        name: "t_parent".to_owned(),
        table: QualifiedName::new("public", "t"),
        columns: vec!["a".to_owned(), "b".to_owned()],
        operators: Vec::new(),
        parent: QualifiedName::new("public", "parent"),
        parent_columns: vec!["a".to_owned(), "b".to_owned()],
        on_delete: "a".to_owned(),
        on_update: "a".to_owned(),
        indexed: true,
        certain: true,
    };
    let catalog = Catalog {
        foreign_keys: vec![key],
        ..counting(vec![index])
    };
    let [finding] = &findings_of(&catalog, &[], &FreshSizes::new())[..] else {
        panic!()
    };
    assert!(finding.clustered);
    let ExistingCause::Unused(cause) = &finding.cause else {
        panic!("{finding:?}")
    };
    let expected = SupportedForeignKey {
        name: "t_parent".to_owned(),
        table: QualifiedName::new("public", "t"),
        parent: QualifiedName::new("public", "parent"),
        another_index: false,
    };
    assert_eq!(cause.foreign_key.as_ref(), Some(&expected));
}

#[test]
fn twice_the_size_and_some_megabytes_are_bloat() {
    let large = |size| ExistingIndex {
        size: Bytes(size),
        ..unique("i", "x")
    };
    let kinds = |size, fresh| {
        let fresh = [(QualifiedName::new("public", "i"), Bytes(fresh))].into();
        findings_of(&catalog(vec![large(size)]), &[], &fresh)
    };
    let [bloated] = &kinds(20 * Bytes::MB, 9 * Bytes::MB)[..] else {
        panic!()
    };
    assert_eq!(
        (bloated.kind(), bloated.fix(), bloated.freed()),
        (
            ExistingKind::Bloated,
            Some(Fix::Reindex),
            Bytes(11 * Bytes::MB)
        )
    );
    assert_eq!(
        bloated.statement().as_deref(),
        Some("REINDEX INDEX CONCURRENTLY public.i;")
    );
    assert_eq!(kinds(20 * Bytes::MB, 11 * Bytes::MB), [], "not twice");
    assert_eq!(kinds(5 * Bytes::MB, 2 * Bytes::MB), [], "not worth it");
}
