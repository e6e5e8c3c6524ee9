use serde_json::{Value, json};

use super::*;
use crate::catalog::{Catalog, Column, Table, TableKind};
use crate::index::{Index, Key, parse_index};
use crate::model::QualifiedName;
use crate::plan::Plan;

pub(super) fn table(name: &str, columns: &[(&str, &str)]) -> Table {
    let column = |(name, type_name): &(&str, &str)| Column {
        name: (*name).to_owned(),
        type_name: (*type_name).to_owned(),
        not_null: false,
        c_collation: false,
        names_partition: false,
        collation: None,
        statistics: None,
    };
    Table {
        name: QualifiedName::new("public", name),
        kind: TableKind::Plain,
        partition_of: None,
        partitions: Vec::new(),
        rows: Some(1_000.0),
        pages: 10,
        all_visible_pages: 0,
        owned: true,
        lockable: true,
        modified_rows: 0,
        row_security: false,
        policies_of_others: None,
        policies: Vec::new(),
        writes: None,
        columns: columns.iter().map(column).collect(),
        indexes: Vec::new(),
    }
}

fn catalog() -> Catalog {
    let jobs = &[
        ("id", "bigint"),
        ("state", "character varying(20)"),
        ("run_after", "bigint"),
        ("done", "boolean"),
        ("name", "text"),
    ];
    Catalog {
        tables: vec![
            table("jobs", jobs),
            table("users", &[("id", "bigint"), ("name", "text")]),
        ],
        ..Catalog::default()
    }
}

fn scan(table: &str, alias: &str, more: &Value) -> Value {
    let mut node = json!({"Node Type": "Seq Scan", "Schema": "public", "Relation Name": table, "Alias": alias});
    if let (Value::Object(node), Value::Object(more)) = (&mut node, more) {
        node.extend(more.clone());
    }
    node
}

fn uses(root: &Value) -> Vec<RelationUse> {
    relation_uses(
        &Plan::from_json(json!({ "Plan": root })).unwrap(),
        &catalog(),
    )
}

fn conditions(filter: &str) -> Vec<(String, ConditionKind, Operand)> {
    let uses = uses(&scan("jobs", "j", &json!({ "Filter": filter })));
    uses[0]
        .conditions
        .iter()
        .map(|c| (c.key.to_string(), c.kind, c.operand.clone()))
        .collect()
}

fn constant(text: &str) -> Operand {
    Operand::Constant(text.to_owned())
}

#[test]
fn conditions_are_sorted_by_what_an_index_can_do() {
    assert_eq!(
        conditions(
            "(((j.state)::text = 'PENDING'::text) AND (j.run_after <= $1) AND (j.id = ANY ('{1,2}'::bigint[])) AND (j.name IS NULL))"
        ),
        [
            (
                "state".to_owned(),
                ConditionKind::Equality,
                constant("'PENDING'::text")
            ),
            (
                "run_after".to_owned(),
                ConditionKind::Range,
                Operand::RunTime
            ),
            (
                "id".to_owned(),
                ConditionKind::Membership,
                constant("'{1,2}'::bigint[]")
            ),
            ("name".to_owned(), ConditionKind::Null, constant("")),
        ]
    );
    assert_eq!(
        conditions("(NOT j.done)"),
        [(
            "done".to_owned(),
            ConditionKind::Equality,
            constant("false")
        )]
    );
    assert_eq!(
        conditions("j.done"),
        [("done".to_owned(), ConditionKind::Equality, constant("true"))]
    );
    assert_eq!(
        conditions("(5 < j.run_after)"),
        [("run_after".to_owned(), ConditionKind::Range, constant("5"))]
    );
    assert_eq!(
        conditions("(lower(j.name) = 'x'::text)"),
        [(
            "lower(name)".to_owned(),
            ConditionKind::Equality,
            constant("'x'::text")
        )]
    );
    assert_eq!(
        conditions("((j.id)::text = '5'::text)"),
        [(
            "((id)::text)".to_owned(),
            ConditionKind::Equality,
            constant("'5'::text")
        )]
    );
}

#[test]
fn what_no_index_serves_is_left_out() {
    for filter in [
        "(j.id = $1 + j.run_after)",
        "((j.id = 1) OR (j.id = 2))",
        "(random() < 0.5)",
        "(nonsense",
        "(j.gone = 1)",
    ] {
        assert_eq!(conditions(filter), [], "{filter}");
    }
}

#[test]
fn a_fact_about_the_row_is_no_key_but_may_be_a_predicate() {
    let of_row = |filter: &str| match conditions(filter).as_slice() {
        [(text, ConditionKind::RowPredicate, Operand::Constant(literal))] if literal.is_empty() => {
            Some(text.clone())
        }
        _ => None,
    };
    for (filter, text) in [
        ("(j.id < j.run_after)", "(id < run_after)"),
        ("(j.run_after > j.id)", "(id < run_after)"),
        ("(j.run_after >= j.id)", "(id <= run_after)"),
        ("(j.run_after = j.id)", "(id = run_after)"),
        (
            "(j.run_after IS DISTINCT FROM j.id)",
            "(run_after IS DISTINCT FROM id)",
        ),
        ("(j.done IS NOT TRUE)", "(done IS NOT TRUE)"),
        (
            "((j.run_after - 5) > abs(j.id))",
            "(abs(id) < (run_after - 5))",
        ),
    ] {
        assert_eq!(of_row(filter).as_deref(), Some(text), "{filter}");
    }
    for filter in [
        "(j.id < (j.run_after + $1))",
        "(j.id < (SubPlan 1))",
        "(j.id < (j.run_after)::text || now())",
    ] {
        assert_eq!(of_row(filter), None, "{filter}");
    }
}

#[test]
fn what_is_not_in_a_list_and_distinct_from_a_value_is_known() {
    assert_eq!(
        conditions(
            "((j.name <> ALL ('{a,b}'::text[])) AND (j.name IS DISTINCT FROM 'x'::text) AND (j.done IS FALSE))"
        ),
        [
            (
                "name".to_owned(),
                ConditionKind::Exclusion,
                constant("'{a,b}'::text[]")
            ),
            (
                "name".to_owned(),
                ConditionKind::Inequality,
                constant("'x'::text")
            ),
            (
                "done".to_owned(),
                ConditionKind::Equality,
                constant("false")
            ),
        ]
    );
}

#[test]
fn a_column_with_its_own_collation_named_is_the_column() {
    let mut catalog = catalog();
    catalog.tables[0].columns[4].collation = Some("de-x-icu".to_owned());
    let key = |term: &str| {
        let sort = json!({"Node Type": "Sort", "Sort Key": [term], "Plans": [scan("jobs", "j", &json!({}))]});
        let uses = relation_uses(&Plan::from_json(json!({ "Plan": sort })).unwrap(), &catalog);
        uses[0].orders[0][0].key.to_string()
    };
    assert_eq!(key("j.name COLLATE \"de-x-icu\" DESC"), "name");
    assert_eq!(key("j.name COLLATE \"C\""), "(name COLLATE \"C\")");
}

#[test]
fn a_join_condition_belongs_to_both_sides() {
    let uses = uses(
        &json!({"Node Type": "Hash Join", "Hash Cond": "(j.id = u.id)", "Plans": [
        scan("jobs", "j", &json!({})), scan("users", "u", &json!({}))]}),
    );
    assert_eq!(uses.len(), 2);
    for relation in uses {
        assert_eq!(relation.conditions.len(), 1);
        assert!(relation.conditions[0].is_join());
        assert_eq!(relation.conditions[0].key, Key::Column("id".to_owned()));
    }
}

#[test]
fn index_and_recheck_conditions_count_once() {
    let uses = uses(&scan(
        "jobs",
        "j",
        &json!({"Recheck Cond": "(j.id = 5)", "Index Cond": "(j.id = 5)"}),
    ));
    assert_eq!(uses[0].conditions.len(), 1);
}

#[test]
fn orders_groups_and_extremes_are_found() {
    let sorted = uses(
        &json!({"Node Type": "Sort", "Sort Key": ["j.state DESC", "j.id"], "Plans": [scan("jobs", "j", &json!({}))]}),
    );
    let keys: Vec<_> = sorted[0].orders[0]
        .iter()
        .map(|key| (key.key.to_string(), key.descending, key.nulls_first))
        .collect();
    assert_eq!(
        keys,
        [
            ("state".to_owned(), true, true),
            ("id".to_owned(), false, false)
        ]
    );

    let grouped = uses(
        &json!({"Node Type": "Aggregate", "Group Key": ["j.state"], "Plans": [scan("jobs", "j", &json!({}))]}),
    );
    assert_eq!(grouped[0].orders.len(), 1);

    let largest = uses(
        &json!({"Node Type": "Aggregate", "Output": ["max(j.id)"], "Plans": [scan("jobs", "j", &json!({}))]}),
    );
    assert_eq!(largest[0].extremes, [Key::Column("id".to_owned())]);

    let across = uses(
        &json!({"Node Type": "Sort", "Sort Key": ["j.id", "u.id"], "Plans": [
        {"Node Type": "Nested Loop", "Plans": [scan("jobs", "j", &json!({})), scan("users", "u", &json!({}))]}]}),
    );
    assert!(
        across.iter().all(|relation| relation.orders.is_empty()),
        "no index of one table delivers an order over two"
    );
}

#[test]
fn what_is_asked_of_groups_is_not_asked_of_rows() {
    let conditions = |plan: &serde_json::Value| -> Vec<usize> {
        let uses = uses(plan);
        uses.iter()
            .map(|relation| relation.conditions.len())
            .collect()
    };
    let having = json!({"Node Type": "Aggregate", "Group Key": ["j.state"],
        "Filter": "((sum(j.id) > 100) AND (max(j.state) = 'x'::text))",
        "Plans": [scan("jobs", "j", &json!({"Filter": "(j.state <> 'y'::text)"}))]});
    assert_eq!(conditions(&having), [1]);

    let grouped = json!({"Node Type": "Aggregate", "Group Key": ["j.id"], "Plans": [scan("jobs", "j", &json!({}))]});
    let join = |condition: &str| json!({"Node Type": "Hash Join", "Hash Cond": condition, "Plans": [scan("users", "u", &json!({})), grouped.clone()]});
    // What a group has is a value for the other table.
    assert_eq!(conditions(&join("(u.id = (max(j.id)))")), [1, 0]);
    assert_eq!(conditions(&join("(u.id > (0.5 * sum(j.id)))")), [1, 0]);
    // A join to distinct values is also one to their table.
    assert_eq!(conditions(&join("(u.id = j.id)")), [1, 1]);
}

#[test]
fn an_order_that_an_index_delivers_today_is_wanted_too() {
    let ddl = "CREATE UNIQUE INDEX jobs_pkey ON public.jobs USING btree (id)";
    let mut catalog = catalog();
    catalog.tables[0]
        .indexes
        .push(crate::catalog::ExistingIndex {
            name: QualifiedName::new("public", "jobs_pkey"),
            ddl: ddl.to_owned(),
            index: crate::index::parse_index(ddl).ok(),
            unique: true,
            constraint: true,
            valid: true,
            being_built: false,
            partitioned: false,
            size: crate::model::Bytes(8192),
            scans: 0,
            ..crate::catalog::ExistingIndex::default()
        });
    let index_scan = json!({"Node Type": "Index Scan", "Index Name": "jobs_pkey", "Scan Direction": "Backward",
        "Schema": "public", "Relation Name": "jobs", "Alias": "j", "Filter": "(j.done)"});
    let orders = |root: &Value| {
        relation_uses(&Plan::from_json(json!({ "Plan": root })).unwrap(), &catalog)[0]
            .orders
            .clone()
    };
    let found = orders(&json!({"Node Type": "Limit", "Plans": [index_scan]}));
    assert_eq!(
        found,
        [[OrderKey {
            key: Key::Column("id".to_owned()),
            descending: true,
            nulls_first: true
        }]]
    );
    assert!(orders(&json!({"Node Type": "Sort", "Plans": [index_scan]})).is_empty());
}

#[test]
fn the_result_of_a_grouping_is_no_index_key() {
    let scan = scan("jobs", "j", &json!({}));
    let grouped = |key: &str| {
        let sort = json!({"Node Type": "Sort", "Sort Key": [key], "Plans": [
            {"Node Type": "Aggregate", "Strategy": "Hashed", "Plans": [scan]}]});
        uses(&sort)[0].orders.len()
    };
    assert_eq!(grouped("(sum(j.id)) DESC"), 0);
    assert_eq!(grouped("j.state"), 1);
    let computed = json!({"Node Type": "Sort", "Sort Key": ["(lower(j.name))"], "Plans": [scan]});
    assert_eq!(uses(&computed)[0].orders.len(), 1);
}

/// The keys and kinds of conditions, read without a catalog.
fn conditions_without_catalog(root: &Value) -> Vec<(String, ConditionKind)> {
    let plan = Plan::from_json(json!({ "Plan": root })).unwrap();
    let uses = relation_uses(&plan, &catalog_of_plan(&plan, None));
    let conditions = uses.iter().flat_map(|relation| &relation.conditions);
    conditions
        .map(|condition| (condition.key.to_string(), condition.kind))
        .collect()
}

#[test]
fn a_plan_without_a_catalog_names_its_columns_itself() {
    let filter =
        "(((state)::text = 'NEW'::text) AND (NOT done) AND (at > 5) AND ((id)::numeric = 5.0))";
    let scan =
        json!({"Node Type": "Seq Scan", "Relation Name": "jobs", "Alias": "j", "Filter": filter});
    assert_eq!(
        conditions_without_catalog(&scan),
        [
            ("state".to_owned(), ConditionKind::Equality),
            ("done".to_owned(), ConditionKind::Equality),
            ("at".to_owned(), ConditionKind::Range),
            ("((id)::numeric)".to_owned(), ConditionKind::Equality),
        ]
    );
}

#[test]
fn columns_that_the_catalog_lacks_are_added_to_it() {
    let filter = "((j.state = 'NEW'::text) AND (j.added = 1))";
    let plan = Plan::from_json(json!({ "Plan": scan("jobs", "j", &json!({ "Filter": filter })) }))
        .unwrap();
    let merged = catalog_of_plan(&plan, Some(&catalog()));
    let jobs = merged.table(&QualifiedName::new("public", "jobs")).unwrap();
    assert_eq!(
        jobs.column("state").unwrap().type_name,
        "character varying(20)"
    );
    assert_eq!(jobs.column("added").unwrap().type_name, "");
}

/// By which columns of `jobs` a count of its rows with this condition could use an index.
fn named(filter: &str) -> NamedColumns {
    let scan = scan(
        "jobs",
        "jobs",
        &json!({ "Filter": filter, "Output": ["id"] }),
    );
    let count = json!({"Node Type": "Aggregate", "Output": ["count(*)"], "Plans": [scan]});
    let plan = Plan::from_json(json!({ "Plan": count })).unwrap();
    NamedColumns::of(&plan, &catalog())
}

fn index(text: &str) -> Index {
    parse_index(&format!("CREATE INDEX ON public.jobs {text}")).unwrap()
}

#[test]
fn an_index_is_of_use_by_what_the_statement_names() {
    let named = named("((jobs.run_after = 5) AND (lower(jobs.name) = 'x'::text))");
    for of_use in [
        "(run_after)",
        "(id, run_after)",
        "(lower(name))",
        "(id) WHERE (run_after = 5)",
        "(id) INCLUDE (run_after, name)",
    ] {
        assert!(named.may_use(&index(of_use)), "{of_use}");
    }
    for useless in [
        "(id)",
        "(abs(id))",
        "(id) INCLUDE (run_after)",
        "(id) WHERE done",
    ] {
        assert!(!named.may_use(&index(useless)), "{useless}");
    }
}

#[test]
fn where_the_plan_cannot_be_read_every_index_may_be_of_use() {
    assert!(named("(jobs.name = 'x)").may_use(&index("(id)")));
}
