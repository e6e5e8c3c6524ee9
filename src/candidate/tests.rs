//! Each idea on a use of a table made by hand; what the planner makes of them is tested on a real
//! server.

use super::*;
use crate::catalog::{CallKind, Column, ColumnStatistics, Mutable, OperatorClass, Table};
use crate::index::{Extension, Key, Method, parse_index};
use crate::model::{Bytes, QualifiedName};
use crate::plan::NodeId;
use crate::predicate::{Condition, ConditionKind, Operand, OrderKey};
use crate::sql::Expression;
use crate::sql::fingerprint::Fingerprint;

fn column(name: &str, type_name: &str, statistics: ColumnStatistics) -> Column {
    Column {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        not_null: false,
        c_collation: false,
        names_partition: false,
        collation: None,
        statistics: Some(statistics),
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Table {
    let states = vec![
        ("DONE".to_owned(), 0.9),
        ("PENDING".to_owned(), 0.05),
        ("FAILED".to_owned(), 0.05),
    ];
    let attempts = vec![
        ("0".to_owned(), 0.8),
        ("1".to_owned(), 0.1),
        ("2".to_owned(), 0.1),
    ];
    Table {
        name: QualifiedName::new("public", "jobs"),
        kind: TableKind::Plain,
        partition_of: None,
        partitions: Vec::new(),
        rows: Some(200_000.0),
        pages: 4_000,
        all_visible_pages: 0,
        owned: true,
        lockable: true,
        modified_rows: 0,
        row_security: false,
        policies_of_others: None,
        policies: Vec::new(),
        writes: None,
        columns: vec![
            column(
                "id",
                "bigint",
                ColumnStatistics {
                    distinct: -1.0,
                    ..Default::default()
                },
            ),
            column(
                "state",
                "text",
                ColumnStatistics {
                    distinct: 3.0,
                    most_common_values: states,
                    ..Default::default()
                },
            ),
            column(
                "attempts",
                "integer",
                ColumnStatistics {
                    distinct: 3.0,
                    most_common_values: attempts,
                    ..Default::default()
                },
            ),
            column(
                "owner",
                "bigint",
                ColumnStatistics {
                    distinct: 5_000.0,
                    null_fraction: 0.02,
                    ..Default::default()
                },
            ),
            column(
                "at",
                "bigint",
                ColumnStatistics {
                    distinct: -1.0,
                    correlation: Some(0.99),
                    ..Default::default()
                },
            ),
        ],
        indexes: Vec::new(),
    }
}

fn condition(column: &str, kind: ConditionKind, operand: Operand, text: &str) -> Condition {
    let operator = text.split(' ').nth(1).unwrap_or_default().to_owned();
    Condition {
        key: Key::Column(column.to_owned()),
        kind,
        operator,
        operand,
        expression: Expression::from_sql(text),
    }
}

fn constant(text: &str) -> Operand {
    Operand::Constant(text.to_owned())
}

fn order(column: &str, descending: bool) -> OrderKey {
    OrderKey {
        key: Key::Column(column.to_owned()),
        descending,
        nulls_first: descending,
    }
}

fn unused(table: &Table) -> RelationUse {
    RelationUse::new(NodeId(0), table.name.clone(), "j".to_owned())
}

fn definitions(
    conditions: Vec<Condition>,
    orders: Vec<Vec<OrderKey>>,
    table: Table,
) -> Vec<String> {
    let relation = RelationUse {
        conditions,
        orders,
        ..unused(&table)
    };
    let catalog = Catalog {
        tables: vec![table],
        ..Catalog::default()
    };
    let found = generate(
        &[(StatementId("s".to_owned()), relation)],
        &BTreeMap::new(),
        &catalog,
    );
    found
        .to_try
        .into_iter()
        .map(|candidate| candidate.index.definition().replace("public.jobs ", ""))
        .collect()
}

#[test]
fn equality_then_order_then_range() {
    let conditions = vec![
        condition(
            "owner",
            ConditionKind::Equality,
            Operand::RunTime,
            "(owner = $1)",
        ),
        condition("at", ConditionKind::Range, Operand::RunTime, "(at > $2)"),
    ];
    let found = definitions(conditions, vec![vec![order("id", true)]], table());
    for wanted in [
        "(owner)",
        "(at)",
        "(owner, id)",
        "(owner, id, at)",
        "(owner, at)",
        "USING brin (at)",
    ] {
        assert!(found.contains(&wanted.to_owned()), "{wanted} in {found:?}");
    }
    assert!(
        !found
            .iter()
            .any(|definition| definition.starts_with("(id, owner")),
        "{found:?}"
    );
}

#[test]
fn a_descending_order_is_read_backwards_and_a_mixed_one_is_not() {
    let found = definitions(
        Vec::new(),
        vec![vec![order("at", true), order("id", true)]],
        table(),
    );
    assert_eq!(found, ["(at, id)"]);
    let found = definitions(
        Vec::new(),
        vec![vec![order("at", true), order("id", false)]],
        table(),
    );
    assert_eq!(found, ["(at, id DESC)"]);
}

#[test]
fn states_become_predicates_and_owners_do_not() {
    let conditions = vec![
        condition(
            "state",
            ConditionKind::Equality,
            constant("'PENDING'::text"),
            "(state = 'PENDING'::text)",
        ),
        condition(
            "owner",
            ConditionKind::Equality,
            constant("'7'::bigint"),
            "(owner = '7'::bigint)",
        ),
        condition(
            "attempts",
            ConditionKind::Range,
            constant("0"),
            "(attempts > 0)",
        ),
    ];
    let found = definitions(conditions, vec![vec![order("at", false)]], table());
    for wanted in [
        "(owner, at) WHERE state = 'PENDING'::text",
        "(owner, state, at) WHERE attempts > 0",
        "(owner, at) WHERE (state = 'PENDING'::text) AND (attempts > 0)",
    ] {
        assert!(found.contains(&wanted.to_owned()), "{wanted} in {found:#?}");
    }
    assert!(
        !found
            .iter()
            .any(|definition| definition.contains("WHERE owner")
                || definition.contains("AND (owner")),
        "{found:?}"
    );
}

#[test]
fn a_frequent_state_is_no_predicate() {
    let done = condition(
        "state",
        ConditionKind::Equality,
        constant("'DONE'::text"),
        "(state = 'DONE'::text)",
    );
    assert_eq!(definitions(vec![done], Vec::new(), table()), ["(state)"]);
}

#[test]
fn a_short_list_of_states_becomes_a_predicate() {
    let list = "'{PENDING,FAILED}'::text[]";
    let waiting = condition(
        "state",
        ConditionKind::Membership,
        constant(list),
        &format!("(state = ANY ({list}))"),
    );
    let owner = condition(
        "owner",
        ConditionKind::Equality,
        Operand::RunTime,
        "(owner = $1)",
    );
    let found = definitions(vec![waiting, owner], Vec::new(), table());
    assert!(
        found.contains(&format!("(owner) WHERE state = ANY ({list})")),
        "{found:?}"
    );
}

#[test]
fn a_predicate_alone_still_needs_a_key() {
    let pending = condition(
        "state",
        ConditionKind::Equality,
        constant("'PENDING'::text"),
        "(state = 'PENDING'::text)",
    );
    assert!(
        definitions(vec![pending], Vec::new(), table())
            .contains(&"(state) WHERE state = 'PENDING'::text".to_owned())
    );
}

#[test]
fn brin_needs_a_large_table_and_physical_order() {
    let range = |column: &str| {
        vec![condition(
            column,
            ConditionKind::Range,
            Operand::RunTime,
            "(x > $1)",
        )]
    };
    let found = definitions(range("at"), Vec::new(), table());
    assert!(
        found.contains(&"USING brin (at) WITH (pages_per_range = 32)".to_owned()),
        "{found:?}"
    );
    assert_eq!(
        definitions(range("owner"), Vec::new(), table()),
        ["(owner)"]
    );
    assert_eq!(
        definitions(
            range("at"),
            Vec::new(),
            Table {
                pages: 10,
                ..table()
            }
        ),
        ["(at)"]
    );
}

fn existing(ddl: &str) -> ExistingIndex {
    ExistingIndex {
        name: QualifiedName::new("public", "jobs_owner_at_idx"),
        ddl: ddl.to_owned(),
        index: parse_index(ddl).ok(),
        unique: false,
        constraint: false,
        valid: true,
        being_built: false,
        partitioned: false,
        size: Bytes(8192),
        scans: 0,
        ..ExistingIndex::default()
    }
}

#[test]
fn what_an_existing_index_does_is_not_tried() {
    let ddl = "CREATE INDEX jobs_owner_at_idx ON public.jobs USING btree (owner, at)";
    let existing = existing(ddl);
    let owner = condition(
        "owner",
        ConditionKind::Equality,
        Operand::RunTime,
        "(owner = $1)",
    );
    let with = |existing| Table {
        indexes: vec![existing],
        ..table()
    };
    assert_eq!(
        definitions(vec![owner.clone()], Vec::new(), with(existing.clone())),
        [""; 0]
    );
    let invalid = ExistingIndex {
        valid: false,
        ..existing
    };
    assert_eq!(
        definitions(vec![owner], Vec::new(), with(invalid)),
        ["(owner)"]
    );
}

fn class(
    method: Method,
    name: &str,
    input_type: &str,
    default: bool,
    searched: &[&str],
) -> OperatorClass {
    let searched = searched
        .iter()
        .map(|operator| (*operator).to_owned())
        .collect();
    let (name, input_type) = (name.to_owned(), input_type.to_owned());
    OperatorClass {
        method,
        name,
        input_type,
        default,
        searched,
        ordered: Vec::new(),
        extension: None,
    }
}

/// With the classes that the catalog of a server would tell.
fn with_classes(relation: RelationUse, table: Table) -> Candidates {
    let trigrams = Extension {
        name: "pg_trgm".to_owned(),
        schema: "public".to_owned(),
    };
    let operator_classes = vec![
        class(Method::Btree, "text_ops", "text", true, &["="]),
        class(Method::Btree, "int8_ops", "bigint", true, &["="]),
        OperatorClass {
            extension: Some(trigrams),
            ..class(
                Method::Gin,
                "public.gin_trgm_ops",
                "text",
                false,
                &["~~", "~~*"],
            )
        },
        class(Method::Gist, "gist_trgm_ops", "text", false, &["~~", "~~*"]),
    ];
    let mutable = vec![Mutable {
        kind: CallKind::Function,
        called: "own".to_owned(),
        arguments: vec!["text".to_owned()],
        own: true,
        volatile: false,
    }];
    let catalog = Catalog {
        tables: vec![table],
        operator_classes,
        mutable,
        ..Catalog::default()
    };
    generate(
        &[(StatementId("s".to_owned()), relation)],
        &BTreeMap::new(),
        &catalog,
    )
}

#[test]
fn a_substring_needs_an_extension_and_a_beginning_another_class() {
    let like = |pattern: &str| {
        let text = format!("(state ~~ '{pattern}'::text)");
        let like = condition(
            "state",
            ConditionKind::Other,
            constant(&format!("'{pattern}'::text")),
            &text,
        );
        with_classes(
            RelationUse {
                conditions: vec![like],
                ..unused(&table())
            },
            table(),
        )
    };
    let [found] = like("%abc%").to_try.try_into().unwrap();
    assert_eq!(
        found.index.definition(),
        "public.jobs USING gin (state public.gin_trgm_ops)"
    );
    assert_eq!(
        found.index.extension.unwrap().create(),
        "CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public"
    );
    assert!(like("%a%").to_try.is_empty(), "no trigram");
    let found: Vec<String> = like("abc%")
        .to_try
        .iter()
        .map(|found| found.index.definition())
        .collect();
    assert!(
        found.contains(&"public.jobs (state text_pattern_ops)".to_owned()),
        "{found:?}"
    );
}

#[test]
fn what_is_not_immutable_is_a_note() {
    let own = Condition {
        key: Key::Expression(Expression::from_sql("own(state)")),
        ..condition(
            "state",
            ConditionKind::Equality,
            constant("'x'::text"),
            "(own(state) = 'x'::text)",
        )
    };
    let found = with_classes(
        RelationUse {
            conditions: vec![own],
            ..unused(&table())
        },
        table(),
    );
    assert!(found.to_try.is_empty(), "{:?}", found.to_try);
    let [note] = found.notes.try_into().unwrap();
    assert_eq!(note.call.called, "own");
    assert_eq!(note.expression, "own(state)");
    assert_eq!(note.alternative, Alternative::DeclareImmutable);
}

#[test]
fn few_columns_of_many_rows_are_carried_by_an_index_over_visible_pages() {
    let width = |column: &mut Column| column.statistics.as_mut().unwrap().average_width_bytes = 8;
    let visible = |pages| {
        let mut table = Table {
            all_visible_pages: pages,
            ..table()
        };
        table.columns.iter_mut().for_each(width);
        let owner = condition(
            "owner",
            ConditionKind::Equality,
            Operand::RunTime,
            "(owner = $1)",
        );
        let needed = Some(["at".to_owned()].into());
        let relation = RelationUse {
            conditions: vec![owner],
            fetched: Some(500.0),
            needed,
            ..unused(&table)
        };
        let found = with_classes(relation, table).to_try;
        found
            .iter()
            .any(|found| found.index.definition() == "public.jobs (owner) INCLUDE (at)")
    };
    assert!(visible(4_000) && !visible(400));
}

#[test]
fn the_same_question_with_other_values_is_about_no_kind() {
    let of = |state: &str| {
        let text = format!("(state = '{state}'::text)");
        let state = condition(
            "state",
            ConditionKind::Equality,
            constant(&format!("'{state}'::text")),
            &text,
        );
        RelationUse {
            conditions: vec![state],
            orders: vec![vec![order("at", false)]],
            ..unused(&table())
        }
    };
    let partial = |states: &[&str]| {
        let uses: Vec<_> = states
            .iter()
            .map(|state| (StatementId((*state).to_owned()), of(state)))
            .collect();
        let shape = || StatementShape {
            shape: Fingerprint(1),
            varying: BTreeSet::new(),
            fixed: BTreeSet::new(),
        };
        let shapes = states
            .iter()
            .map(|state| (StatementId((*state).to_owned()), shape()))
            .collect();
        let catalog = Catalog {
            tables: vec![table()],
            ..Catalog::default()
        };
        generate(&uses, &shapes, &catalog)
            .to_try
            .iter()
            .any(|found| found.index.predicate.is_some())
    };
    assert!(partial(&["PENDING", "FAILED"]) && !partial(&["PENDING", "FAILED", "DONE", "OLD"]));
}

#[test]
fn a_literal_that_its_source_saw_vary_is_about_no_kind() {
    let state = condition(
        "state",
        ConditionKind::Equality,
        constant("'PENDING'::text"),
        "(state = 'PENDING'::text)",
    );
    let list = "'{1,2}'::integer[]";
    let attempts = condition(
        "attempts",
        ConditionKind::Membership,
        constant(list),
        &format!("(attempts = ANY ({list}))"),
    );
    let predicates = |varying: &[&str]| {
        let relation = RelationUse {
            conditions: vec![state.clone(), attempts.clone()],
            ..unused(&table())
        };
        let varying = varying.iter().map(|value| (*value).to_owned()).collect();
        let shapes = [(
            StatementId("s".to_owned()),
            StatementShape {
                shape: Fingerprint(1),
                varying,
                fixed: BTreeSet::new(),
            },
        )]
        .into();
        let catalog = Catalog {
            tables: vec![table()],
            ..Catalog::default()
        };
        let found = generate(
            &[(StatementId("s".to_owned()), relation)],
            &shapes,
            &catalog,
        )
        .to_try;
        found
            .into_iter()
            .filter_map(|found| found.index.predicate)
            .collect::<BTreeSet<_>>()
            .len()
    };
    assert_eq!(predicates(&[]), 3, "each, and both together");
    assert_eq!(predicates(&["2"]), 1);
    assert_eq!(predicates(&["PENDING"]), 1);
    assert_eq!(predicates(&["PENDING", "2"]), 0);
}

fn even(name: &str, values: usize) -> Column {
    let share = 1.0 / values as f64;
    let most_common_values = (0..values)
        .map(|number| (number.to_string(), share))
        .collect();
    column(
        name,
        "integer",
        ColumnStatistics {
            distinct: values as f64,
            most_common_values,
            ..Default::default()
        },
    )
}

/// The predicates that a condition by itself leads to on a column like this.
fn predicates_of(column: &Column, kind: ConditionKind, literal: &str, text: &str) -> Vec<String> {
    let table = Table {
        columns: [table().columns, vec![column.clone()]].concat(),
        ..table()
    };
    let of_column = Condition {
        ..condition(&column.name, kind, constant(literal), text)
    };
    let owner = condition(
        "owner",
        ConditionKind::Equality,
        Operand::RunTime,
        "(owner = $1)",
    );
    let found = definitions(vec![of_column, owner], Vec::new(), table);
    let predicates = found
        .iter()
        .filter_map(|definition| Some(definition.split_once(" WHERE ")?.1.to_owned()));
    predicates.collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn values_that_are_all_as_frequent_are_no_kinds() {
    let sizes = |count| {
        predicates_of(
            &even("size", count),
            ConditionKind::Equality,
            "1",
            "(size = 1)",
        )
    };
    assert_eq!(
        (sizes(2), sizes(4), sizes(7), sizes(50)),
        (vec![], vec![], vec![], vec![]),
        "the next call asks for another one"
    );
    let list = "'{1,2,3}'::integer[]";
    let text = "(size = ANY ('{1,2,3}'::integer[]))";
    assert_eq!(
        predicates_of(&even("size", 50), ConditionKind::Membership, list, text),
        [""; 0]
    );
    assert_eq!(
        predicates_of(
            &even("size", 50),
            ConditionKind::Inequality,
            "3",
            "(size <> 3)"
        ),
        [""; 0]
    );
}

/// All rows of the partition of region n are of region n: their order needs no key before it.
#[test]
fn what_names_a_partition_is_left_out_of_the_keys_as_well() {
    let of = |names_partition| {
        let region = Column {
            names_partition,
            ..even("region", 3)
        };
        let table = Table {
            columns: [table().columns, vec![region]].concat(),
            ..table()
        };
        let region = condition(
            "region",
            ConditionKind::Equality,
            constant("1"),
            "(region = 1)",
        );
        let owner = condition(
            "owner",
            ConditionKind::Equality,
            Operand::RunTime,
            "(owner = $1)",
        );
        let attempts = condition(
            "attempts",
            ConditionKind::Equality,
            Operand::RunTime,
            "(attempts = $2)",
        );
        let order = OrderKey {
            key: Key::Column("id".to_owned()),
            descending: false,
            nulls_first: false,
        };
        let found = definitions(vec![region, owner, attempts], vec![vec![order]], table);
        found.contains(&"(owner, attempts, id)".to_owned())
    };
    assert!(of(true));
    assert!(!of(false), "this test shows nothing");
}

/// `a` is the usual grade; `b` is about as frequent, and no state beside it.
#[test]
fn beside_a_usual_value_a_frequent_one_is_no_kind() {
    let grades = || {
        let shares = [("a", 0.6), ("b", 0.3), ("c", 0.08), ("d", 0.019)];
        let statistics = ColumnStatistics {
            distinct: 5.0,
            most_common_values: shares
                .map(|(value, share)| (value.to_owned(), share))
                .into(),
            ..Default::default()
        };
        column("grade", "text", statistics)
    };
    let of = |value: &str| {
        let (literal, text) = (
            format!("'{value}'::text"),
            format!("(grade = '{value}'::text)"),
        );
        predicates_of(&grades(), ConditionKind::Equality, &literal, &text)
    };
    assert_eq!(of("b"), [""; 0], "a third of the rows");
    assert_eq!(of("c"), ["grade = 'c'::text"], "few rows");
}

/// One value is usual; the one that is asked for is one of several that somebody may ask for.
#[test]
fn a_code_among_many_is_no_kind() {
    let of = |name: &str, type_name: &str, shares: &[(&str, f64)], value: &str| {
        let statistics = ColumnStatistics {
            distinct: shares.len() as f64,
            most_common_values: shares
                .iter()
                .map(|(value, share)| ((*value).to_owned(), *share))
                .collect(),
            ..Default::default()
        };
        let found = column(name, type_name, statistics);
        let literal = format!("'{value}'::{type_name}");
        let text = format!("({name} = '{value}'::{type_name})");
        predicates_of(&found, ConditionKind::Equality, &literal, &text).len()
    };
    let countries = [
        ("US", 0.7),
        ("GB", 0.2),
        ("DE", 0.08),
        ("FR", 0.015),
        ("LI", 0.005),
    ];
    assert_eq!(of("country", "text", &countries, "LI"), 0);
    let small = countries.map(|(code, share)| (code.to_ascii_lowercase(), share));
    let small: Vec<(&str, f64)> = small
        .iter()
        .map(|(code, share)| (&**code, *share))
        .collect();
    assert_eq!(of("language", "text", &small, "li"), 0);
    let locales = [
        ("en_US", 0.7),
        ("en_GB", 0.2),
        ("de_DE", 0.08),
        ("fr_FR", 0.015),
        ("is_IS", 0.005),
    ];
    assert_eq!(of("locale", "text", &locales, "is_IS"), 0);
    let states = [
        ("DONE", 0.7),
        ("HELD", 0.2),
        ("SENT", 0.08),
        ("OPEN", 0.015),
        ("LOST", 0.005),
    ];
    assert_eq!(of("state", "text", &states, "LOST"), 1);
    let numbers = ["41", "42", "43", "44", "45", "46", "47", "48"];
    let mut faults = vec![("0", 0.9), ("17", 0.09)];
    faults.extend(numbers.map(|number| (number, 0.001)));
    assert_eq!(of("fault", "smallint", &faults, "44"), 0);
    assert_eq!(of("fault", "smallint", &faults[..4], "42"), 1);
    // ANALYZE saw three rows of one and eleven of another, in a sample of 30,000.
    let counted = [3.0, 7.0, 11.0, 8.0, 5.0, 6.0, 9.0, 7.0].map(|rows| rows / 30_000.0);
    faults.truncate(2);
    faults.extend(numbers.into_iter().zip(counted));
    assert_eq!(of("fault", "smallint", &faults, "44"), 0);
    assert_eq!(of("fault", "smallint", &faults, "17"), 1);
}

/// `note` is NULL in most rows and has one text in the others.
#[test]
fn a_text_that_no_row_has_is_no_kind_where_most_rows_have_none() {
    let of = |value: &str, null_fraction: f64, common: &[(&str, f64)]| {
        let statistics = ColumnStatistics {
            distinct: 1.0,
            null_fraction,
            most_common_values: common
                .iter()
                .map(|(value, share)| ((*value).to_owned(), *share))
                .collect(),
            ..Default::default()
        };
        let (literal, text) = (
            format!("'{value}'::text"),
            format!("(note = '{value}'::text)"),
        );
        let note = column("note", "text", statistics);
        predicates_of(&note, ConditionKind::Equality, &literal, &text)
    };
    let notes = [("gift", 0.001)];
    assert_eq!(of("a", 0.999, &notes), [""; 0], "somebody searches for it");
    assert_eq!(of("gift", 0.999, &notes), ["note = 'gift'::text"]);
    let states = [("done", 1.0)];
    assert_eq!(of("queued", 0.0, &states), ["note = 'queued'::text"]);
    assert_eq!(
        of("\u{fffd}t\u{fffd}", 0.0, &states),
        [""; 0],
        "read with the wrong encoding"
    );
}

#[test]
fn what_most_rows_do_not_have_is_a_kind() {
    let mut shares = vec![("0".to_owned(), 0.93)];
    shares.extend((1..8).map(|number| (number.to_string(), 0.01)));
    let seven = ColumnStatistics {
        distinct: 8.0,
        most_common_values: shares.clone(),
        ..Default::default()
    };
    let rare = predicates_of(
        &column("level", "integer", seven),
        ConditionKind::Equality,
        "5",
        "(level = 5)",
    );
    assert_eq!(rare, ["level = 5"], "seven states besides the usual one");
    let debts = || {
        column(
            "debt",
            "integer",
            ColumnStatistics {
                distinct: 9_000.0,
                most_common_values: shares.clone(),
                ..Default::default()
            },
        )
    };
    assert_eq!(
        predicates_of(&debts(), ConditionKind::Range, "0", "(debt > 0)"),
        ["debt > 0"]
    );
    assert_eq!(
        predicates_of(&debts(), ConditionKind::Inequality, "0", "(debt <> 0)"),
        ["debt <> 0"]
    );
    assert_eq!(
        predicates_of(&debts(), ConditionKind::Equality, "7", "(debt = 7)"),
        [""; 0]
    );
    assert_eq!(
        predicates_of(&debts(), ConditionKind::Range, "5", "(debt > 5)"),
        [""; 0]
    );
}

#[test]
fn a_parameter_is_a_key_whatever_its_column_is_like() {
    let state = condition(
        "state",
        ConditionKind::Equality,
        Operand::RunTime,
        "(state = $1)",
    );
    let found = definitions(vec![state], vec![vec![order("at", false)]], table());
    assert!(
        found.contains(&"(state, at)".to_owned())
            && !found.iter().any(|found| found.contains("WHERE")),
        "{found:?}"
    );
}

fn of_row(text: &str) -> Condition {
    Condition {
        key: Key::Expression(Expression::from_sql(text)),
        kind: ConditionKind::RowPredicate,
        operator: String::new(),
        operand: constant(""),
        expression: Expression::from_sql(text),
    }
}

#[test]
fn facts_about_a_row_become_predicates_over_the_keys_of_the_rest() {
    let owner = condition(
        "owner",
        ConditionKind::Equality,
        Operand::RunTime,
        "(owner = $1)",
    );
    let found = definitions(
        vec![of_row("(id < at)"), of_row("(at < owner)"), owner],
        Vec::new(),
        table(),
    );
    for wanted in [
        "(owner) WHERE id < at",
        "(owner) WHERE at < owner",
        "(owner) WHERE (id < at) AND (at < owner)",
    ] {
        assert!(found.contains(&wanted.to_owned()), "{wanted} in {found:#?}");
    }
    let alone = definitions(vec![of_row("(id < at)")], Vec::new(), table());
    assert_eq!(
        alone,
        ["(at) WHERE id < at"],
        "a predicate alone still needs a key"
    );
}

#[test]
fn an_or_of_kinds_is_one_predicate() {
    let state = |value: &str| {
        condition(
            "state",
            ConditionKind::Equality,
            constant(&format!("'{value}'::text")),
            &format!("(state = '{value}'::text)"),
        )
    };
    let owner = condition(
        "owner",
        ConditionKind::Equality,
        Operand::RunTime,
        "(owner = $1)",
    );
    let attempts = condition(
        "attempts",
        ConditionKind::Equality,
        constant("2"),
        "(attempts = 2)",
    );
    let alternatives = vec![vec![vec![state("PENDING"), owner.clone()], vec![attempts]]];
    let found = |alternatives| {
        let relation = RelationUse {
            alternatives,
            orders: vec![vec![order("at", false)]],
            ..unused(&table())
        };
        with_classes(relation, table())
            .to_try
            .iter()
            .map(|found| found.index.definition())
            .collect::<Vec<_>>()
    };
    let with_or = found(alternatives);
    let wanted = "public.jobs (at) WHERE (state = 'PENDING'::text) OR (attempts = 2)";
    assert!(with_or.iter().any(|found| found == wanted), "{with_or:#?}");
    let one_is_none = found(vec![vec![vec![state("PENDING")], vec![owner]]]);
    assert!(
        !one_is_none.iter().any(|found| found.contains(" OR ")),
        "{one_is_none:#?}"
    );
}

#[test]
fn other_methods_are_partial_too() {
    let like = condition(
        "state",
        ConditionKind::Other,
        constant("'%abc%'::text"),
        "(state ~~ '%abc%'::text)",
    );
    let tried = condition(
        "attempts",
        ConditionKind::Equality,
        constant("2"),
        "(attempts = 2)",
    );
    let found = with_classes(
        RelationUse {
            conditions: vec![like, tried],
            ..unused(&table())
        },
        table(),
    );
    let wanted = "public.jobs USING gin (state public.gin_trgm_ops) WHERE attempts = 2";
    assert!(
        found
            .to_try
            .iter()
            .any(|found| found.index.definition() == wanted),
        "{:#?}",
        found.to_try
    );
}

#[test]
fn an_index_that_finds_the_same_rows_behind_what_is_fixed_is_there_already() {
    let ddl = "CREATE INDEX i ON public.jobs USING btree (owner, at)";
    let existing = existing(ddl);
    let table = || Table {
        indexes: vec![existing.clone()],
        pages: 10,
        ..table()
    };
    let owner = condition(
        "owner",
        ConditionKind::Equality,
        Operand::RunTime,
        "(owner = $1)",
    );
    let at = condition("at", ConditionKind::Range, Operand::RunTime, "(at > $2)");
    assert_eq!(
        definitions(vec![owner, at.clone()], Vec::new(), table()),
        [""; 0]
    );
    assert_eq!(
        definitions(vec![at], Vec::new(), table()),
        ["(at)"],
        "nothing is fixed"
    );
}

#[test]
fn an_index_that_is_being_built_stands_for_the_same_columns_in_another_order() {
    let ddl = "CREATE INDEX i ON public.jobs USING btree (owner, at)";
    let equality = |column: &str, text: &str| {
        condition(column, ConditionKind::Equality, Operand::RunTime, text)
    };
    let of = |being_built: bool| {
        let existing = ExistingIndex {
            valid: false,
            being_built,
            ..existing(ddl)
        };
        let table = Table {
            indexes: vec![existing],
            pages: 10,
            ..table()
        };
        let both = vec![
            equality("owner", "(owner = $1)"),
            equality("at", "(at = $2)"),
        ];
        definitions(both, Vec::new(), table)
    };
    assert_eq!(of(true), [""; 0]);
    assert!(!of(false).is_empty(), "a leftover is of no use");
}

/// (at, owner) would come on top of (owner); (owner, at) takes its place.
#[test]
fn an_existing_index_is_made_longer() {
    let ddl = "CREATE INDEX jobs_owner_idx ON public.jobs USING btree (owner)";
    let name = QualifiedName::new("public", "jobs_owner_idx");
    let existing = |unique| ExistingIndex {
        name: name.clone(),
        index: parse_index(ddl).ok(),
        valid: true,
        unique,
        ..ExistingIndex::default()
    };
    let equal = |column: &str| {
        condition(
            column,
            ConditionKind::Equality,
            Operand::RunTime,
            "(x = $1)",
        )
    };
    let found = |unique| {
        let table = Table {
            indexes: vec![existing(unique)],
            ..table()
        };
        definitions(vec![equal("owner"), equal("at")], Vec::new(), table)
    };
    assert!(
        found(false).contains(&"(owner, at)".to_owned()),
        "{:?}",
        found(false)
    );
    assert!(
        !found(true).contains(&"(owner, at)".to_owned()),
        "a unique one stays, whatever comes: {:?}",
        found(true)
    );
}

/// The definitions of the candidates for these conditions and orders on the usual table.
fn of_use(conditions: Vec<Condition>, orders: Vec<Vec<OrderKey>>) -> Vec<String> {
    definitions(conditions, orders, table())
}

#[test]
fn the_largest_of_each_row_of_another_table_is_behind_the_join() {
    let join = condition(
        "owner",
        ConditionKind::Equality,
        Operand::Join,
        "(owner = o.id)",
    );
    let relation = RelationUse {
        conditions: vec![join],
        extremes: vec![Key::Column("at".to_owned())],
        ..unused(&table())
    };
    let found = with_classes(relation, table()).to_try;
    let found: Vec<String> = found
        .iter()
        .map(|candidate| candidate.index.definition())
        .collect();
    assert!(
        found.iter().any(|index| index.ends_with("(owner, at)")),
        "{found:?}"
    );
}

#[test]
fn null_is_no_place_between_an_equality_and_an_order() {
    let owner = condition(
        "owner",
        ConditionKind::Equality,
        constant("5"),
        "(owner = 5)",
    );
    let open = condition(
        "attempts",
        ConditionKind::Null,
        constant(""),
        "(attempts IS NULL)",
    );
    let alone = of_use(vec![open.clone()], Vec::new());
    assert!(alone.contains(&"(attempts)".to_owned()), "{alone:?}");
    let found = of_use(vec![owner, open], vec![vec![order("at", true)]]);
    assert!(!found.contains(&"(attempts)".to_owned()), "{found:?}");
    for wanted in [
        "(owner, at) WHERE attempts IS NULL",
        "(owner, at, attempts)",
        "(owner, at)",
    ] {
        assert!(
            found.iter().any(|index| index == wanted),
            "{wanted}: {found:?}"
        );
    }
    assert!(
        !found
            .iter()
            .any(|index| index.starts_with("(owner, attempts, at")
                || index.starts_with("(attempts, owner, at")),
        "{found:?}"
    );
}

#[test]
fn no_index_begins_with_null_or_a_bit_where_a_partial_one_holds_the_same_rows() {
    let open = condition(
        "attempts",
        ConditionKind::Null,
        constant(""),
        "(attempts IS NULL)",
    );
    let late = condition("at", ConditionKind::Range, Operand::RunTime, "(at < $1)");
    let found = of_use(vec![open, late.clone()], Vec::new());
    assert!(
        found.contains(&"(at) WHERE attempts IS NULL".to_owned()),
        "{found:?}"
    );
    assert!(
        !found.iter().any(|index| index.starts_with("(attempts, ")),
        "{found:?}"
    );

    let text = "((attempts & 16) = 16)";
    let masked = Expression::from_sql("(attempts & 16)");
    let bit = Condition {
        key: Key::Expression(masked),
        ..condition("attempts", ConditionKind::Equality, constant("16"), text)
    };
    let found = of_use(vec![bit, late], Vec::new());
    assert!(
        found.contains(&"(at) WHERE (attempts & 16) = 16".to_owned()),
        "{found:?}"
    );
    assert!(
        !found.iter().any(|index| index.contains("16)), at")),
        "{found:?}"
    );
}

/// One value always correlates with the place of a row, and so would seem to be a good first key.
#[test]
fn a_flag_that_most_rows_have_is_the_last_key() {
    let shares = [("f".to_owned(), 0.98), ("t".to_owned(), 0.02)];
    let statistics = ColumnStatistics {
        distinct: 2.0,
        most_common_values: shares.into(),
        ..Default::default()
    };
    let table = Table {
        columns: [
            table().columns,
            vec![column("hidden", "boolean", statistics)],
        ]
        .concat(),
        ..table()
    };
    let shown = condition(
        "hidden",
        ConditionKind::Equality,
        constant("false"),
        "(NOT hidden)",
    );
    let owners = condition(
        "owner",
        ConditionKind::Membership,
        Operand::RunTime,
        "(owner = ANY ($1))",
    );
    let found = definitions(vec![shown, owners], vec![vec![order("at", true)]], table);
    assert!(found.contains(&"(owner, hidden)".to_owned()), "{found:?}");
    assert!(
        !found.iter().any(|index| index.starts_with("(hidden, ")),
        "{found:?}"
    );
}

#[test]
fn members_are_checked_behind_an_order_and_not_before_it() {
    let owner = condition(
        "owner",
        ConditionKind::Equality,
        constant("5"),
        "(owner = 5)",
    );
    let some = condition(
        "attempts",
        ConditionKind::Membership,
        constant("'{1,2,3,4,5,6,7,8,9}'::integer[]"),
        "(attempts = ANY ('{1,2,3,4,5,6,7,8,9}'::integer[]))",
    );
    let found = of_use(vec![owner, some], vec![vec![order("at", true)]]);
    assert!(
        found.contains(&"(owner, at, attempts)".to_owned()),
        "{found:?}"
    );
    assert!(
        !found.contains(&"(owner, attempts, at)".to_owned()),
        "{found:?}"
    );
}

#[test]
fn each_equality_alone_is_tried_before_an_order_and_two_ranges_together() {
    let equal = |column: &str| {
        condition(
            column,
            ConditionKind::Equality,
            constant("5"),
            &format!("({column} = 5)"),
        )
    };
    let found = of_use(
        vec![equal("owner"), equal("attempts")],
        vec![vec![order("at", true)]],
    );
    for wanted in ["(owner, attempts, at)", "(owner, at)", "(attempts, at)"] {
        assert!(found.contains(&wanted.to_owned()), "{wanted}: {found:?}");
    }
    let above = |column: &str| {
        condition(
            column,
            ConditionKind::Range,
            constant("5"),
            &format!("({column} > 5)"),
        )
    };
    let found = of_use(vec![above("owner"), above("at")], Vec::new());
    for wanted in ["(owner, at)", "(at, owner)"] {
        assert!(found.contains(&wanted.to_owned()), "{wanted}: {found:?}");
    }
}

#[test]
fn what_names_a_row_or_a_version_is_no_kind() {
    let usual = || ColumnStatistics {
        distinct: 4.0,
        most_common_values: vec![
            ("1".to_owned(), 0.9),
            ("2".to_owned(), 0.05),
            ("3".to_owned(), 0.03),
            ("4".to_owned(), 0.02),
        ],
        ..Default::default()
    };
    let predicate = |name: &str, type_name: &str| {
        predicates_of(
            &column(name, type_name, usual()),
            ConditionKind::Equality,
            "3",
            &format!("({name} = 3)"),
        )
    };
    for name in [
        "lock_version",
        "shop_id",
        "id_phi",
        "shopId",
        "order_no",
        "revision",
    ] {
        assert_eq!(predicate(name, "integer"), [""; 0], "{name}");
    }
    assert_eq!(predicate("level", "date"), [""; 0], "a date is no state");
    assert_eq!(predicate("level", "integer"), ["level = 3"]);
}

#[test]
fn what_is_searched_for_is_no_fact_about_a_row() {
    let found = |text: &str| {
        let found = of_use(vec![of_row(text)], Vec::new());
        found.iter().any(|index| index.contains(" WHERE "))
    };
    for text in [
        "starts_with(state, 'user77'::text)",
        "(NOT (state IS DISTINCT FROM 'r778'::text))",
    ] {
        assert!(!found(text), "{text}");
    }
}

#[test]
fn that_an_expression_is_not_null_is_a_predicate_and_a_key() {
    let text = "((facts ->> 'coupon'::text) IS NOT NULL)";
    let has_coupon = Condition {
        key: Key::Expression(Expression::from_sql("(facts ->> 'coupon'::text)")),
        ..condition("attempts", ConditionKind::NotNull, constant(""), text)
    };
    let found = of_use(vec![has_coupon], Vec::new());
    for wanted in [
        "((facts ->> 'coupon'::text))",
        "((facts ->> 'coupon'::text)) WHERE (facts ->> 'coupon'::text) IS NOT NULL",
    ] {
        assert!(
            found.iter().any(|index| index == wanted),
            "{wanted}: {found:?}"
        );
    }
}
