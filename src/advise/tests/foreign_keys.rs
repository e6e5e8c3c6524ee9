//! The lookups that foreign keys make.

use super::*;
use crate::catalog::ForeignKey;

/// A parent from which 3 rows are deleted, 10 times, or whose column is updated, and a child that
/// refers to it by a.
fn parent(sql: &str, operation: &str, indexed: bool) -> TestPlanner {
    let written = seq_scan("customers", 50.0)
        .rows(3.0)
        .modifying(operation, "customers");
    let lookup = seq_scan("orders", TODAY)
        .with("Alias", "x".into())
        .filter("(x.a = $1)");
    TestPlanner::new([orders(), table("customers", &["id bigint", "name text"])])
        .called(10.0, "write", sql, written)
        .planning("write/orders_a_fkey", lookup)
        .index("orders (a)", MB, &[("write/orders_a_fkey", 10.0)])
        .with_catalog(move |catalog| {
            catalog.foreign_keys.push(ForeignKey {
                name: "orders_a_fkey".to_owned(),
                table: QualifiedName::new("public", "orders"),
                columns: vec!["a".to_owned()],
                operators: Vec::new(),
                parent: QualifiedName::new("public", "customers"),
                parent_columns: vec!["id".to_owned()],
                on_delete: "a".to_owned(),
                on_update: "a".to_owned(),
                indexed,
                certain: true,
            });
        })
}

const DELETE: &str = "DELETE FROM customers WHERE name = 'x'";

#[test]
fn a_delete_of_the_parent_looks_rows_up_as_often_as_rows_are_deleted() {
    let advice = advice(&mut parent(DELETE, "Delete", false));
    assert_eq!(recommended(&advice), ["orders (a)"]);
    let lookup = &advice.statements[1].statement;
    assert_eq!(lookup.id, id("write/orders_a_fkey"));
    assert_eq!(lookup.sql, "SELECT 1 FROM public.orders x WHERE x.a = $1");
    assert!((lookup.calls - 30.0).abs() < 1e-9, "{}", lookup.calls);
}

#[test]
fn an_update_looks_rows_up_only_where_it_changes_the_key() {
    let statements = |sql| {
        let advice = advice(&mut parent(sql, "Update", false));
        advice.statements.len()
    };
    assert_eq!(statements("UPDATE customers SET id = 7 WHERE id = 8"), 2);
    assert_eq!(
        statements("UPDATE customers SET name = 'x' WHERE id = 8"),
        1
    );
}

#[test]
fn a_foreign_key_with_an_index_needs_no_other() {
    let advice = advice(&mut parent(DELETE, "Delete", true));
    assert_eq!(advice.statements.len(), 1);
}
