//! A run without a twin, and the inputs of a twin.

use super::*;
use crate::workload::Usage;

fn refused() -> TwinError {
    TwinError::BlockSize(16_384)
}

#[test]
fn without_a_twin_a_run_goes_on_unless_nothing_else_is_allowed() {
    for rehearse in [Rehearse::Auto, Rehearse::Transaction, Rehearse::Off] {
        let state = without_twin(refused(), rehearse).unwrap();
        let TwinState::Unavailable(reason) = state else {
            panic!("{state:?}");
        };
        assert!(reason.contains("16384 bytes"), "{reason}");
    }
    let error = without_twin(refused(), Rehearse::Twin).unwrap_err();
    assert!(error.to_string().starts_with("building the planner twin: "));
}

#[test]
fn an_interrupt_while_the_twin_is_made_ends_the_run() {
    let rollback = Rollback::Confirmed;
    for error in [
        TwinError::Db(DbError::Interrupted { rollback }),
        TwinError::Cluster(ClusterError::Interrupted),
    ] {
        let error = without_twin(error, Rehearse::Auto).unwrap_err();
        assert!(matches!(error, PlannerError::Interrupted { .. }), "{error}");
    }
}

fn origin(provider: &str, provider_locale: Option<&str>) -> Origin {
    Origin {
        version_num: 170_002,
        encoding: "UTF8".to_owned(),
        locale_provider: provider.to_owned(),
        collate: "de_CH.utf8".to_owned(),
        ctype: "de_CH.utf8".to_owned(),
        provider_locale: provider_locale.map(str::to_owned),
        icu_rules: None,
        block_size_bytes: 8_192,
        database: "shop".to_owned(),
        in_recovery: false,
        role: "me".to_owned(),
    }
}

#[test]
fn the_twin_has_the_servers_locale() {
    for (provider, expected) in [
        ("c", LocaleProvider::Libc),
        ("i", LocaleProvider::Icu),
        ("b", LocaleProvider::Builtin),
    ] {
        assert_eq!(locale(&origin(provider, None)).provider, expected);
    }
    let icu = locale(&origin("i", Some("de-CH")));
    assert_eq!(icu.provider_locale.as_deref(), Some("de-CH"));
    assert_eq!(icu.collate, "de_CH.utf8");
    let plain = c_locale(&origin("i", Some("de-CH")));
    assert_eq!(plain, ClusterLocale::libc("UTF8", "C"));
}

#[test]
fn another_locale_is_a_gap_that_names_the_servers() {
    let gap = locale_gap(&origin("c", None));
    assert!(
        matches!(&gap.cause, GapCause::LocaleMissing { locale } if locale.contains("de_CH.utf8")),
        "{gap:?}"
    );
    assert!(gap.tables.is_empty(), "it is about all of them");
}

#[test]
fn a_snapshot_is_of_the_tables_and_of_what_statements_name() {
    let mut workload = Workload::default();
    let usage = Usage {
        calls: 1.0,
        mean_time_ms: None,
    };
    let sql = "SELECT * FROM open_orders WHERE state = 'closed'";
    workload.add("s", sql, usage, "s.sql:1".to_owned());
    let tables = BTreeSet::from([QualifiedName::new("public", "orders")]);
    let Scope::Named(names) = scope(&tables, &names_of(&workload)) else {
        panic!("everything");
    };
    let names: Vec<_> = names
        .iter()
        .map(|name| (name.schema.as_deref(), name.name.as_str()))
        .collect();
    assert_eq!(names, [(None, "open_orders"), (Some("public"), "orders")]);
}

#[test]
fn what_the_operating_system_does_not_forbid_is_a_gap_of_every_report() {
    let gap = |files, network| unconfined(Confinement { files, network });
    assert_eq!(gap(true, true), None);
    for (files, network, expected) in [
        (true, false, Unprotected::Network),
        (false, true, Unprotected::Files),
        (false, false, Unprotected::FilesAndNetwork),
    ] {
        let gap = gap(files, network).unwrap();
        assert_eq!(gap.cause, GapCause::Unconfined(expected));
        let tables = BTreeSet::from([QualifiedName::new("public", "orders")]);
        assert!(gap.about(&tables).is_some(), "it is about all tables");
    }
}
