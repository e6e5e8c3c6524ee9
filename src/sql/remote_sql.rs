//! What a statement asks of the tables of another server, as a foreign data wrapper sends it
//! (`Remote SQL` of a Foreign Scan). postgres_fdw names every table with its schema, and qualifies
//! columns only where there are several tables (`contrib/postgres_fdw/deparse.c`).

use std::ops::ControlFlow;

use sqlparser::ast::{
    Delete, Expr, FromTable, Join, JoinConstraint, JoinOperator, ObjectName, OrderBy, OrderByKind,
    Query, Select, Statement, TableFactor, TableWithJoins, Update, Visit, Visitor,
};

use super::parser::{SqlError, parse_all, syntax};

/// What one statement asks of its tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemoteSql {
    /// The tables it names.
    pub relations: Vec<RemoteRelation>,
    /// Conditions of WHERE and ON, as SQL.
    pub conditions: Vec<String>,
    /// Terms of ORDER BY.
    pub order: Vec<String>,
    /// It has a LIMIT.
    pub is_limited: bool,
}

/// A table in such a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRelation {
    /// Its schema; empty where the text has none.
    pub schema: String,
    /// Its own name, unquoted.
    pub name: String,
    /// What its columns are qualified with.
    pub alias: String,
}

/// Reads a statement.
///
/// # Errors
/// When it is not in the grammar that `sqlparser` knows.
pub fn remote_sql(sql: &str) -> Result<RemoteSql, SqlError> {
    parse_all(sql, |parser| {
        let statement = parser.parse_statement().map_err(|error| syntax(&error))?;
        let mut found = Found::default();
        let _ = statement.visit(&mut found);
        Ok(found.0)
    })
}

#[derive(Default)]
struct Found(RemoteSql);

impl Visitor for Found {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Update(Update {
                table, selection, ..
            }) => {
                self.add_joins(&table.joins);
                self.add_condition(selection.as_ref());
            }
            Statement::Delete(Delete {
                from,
                using,
                selection,
                ..
            }) => {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = from;
                self.add_tables(from);
                self.add_tables(using.as_deref().unwrap_or_default());
                self.add_condition(selection.as_ref());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.0.is_limited |= query.limit_clause.is_some();
        if let Some(OrderBy {
            kind: OrderByKind::Expressions(terms),
            ..
        }) = &query.order_by
        {
            self.0.order.extend(terms.iter().map(ToString::to_string));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.add_tables(&select.from);
        self.add_condition(select.selection.as_ref());
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                let alias = alias.as_ref().map(|alias| alias.name.value.clone());
                self.0.relations.extend(relation(name, alias));
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => self.add_joins(&table_with_joins.joins),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Found {
    fn add_tables(&mut self, tables: &[TableWithJoins]) {
        for table in tables {
            self.add_joins(&table.joins);
        }
    }

    fn add_joins(&mut self, joins: &[Join]) {
        for join in joins {
            if let Some(JoinConstraint::On(condition)) = constraint(&join.join_operator) {
                self.add_condition(Some(condition));
            }
        }
    }

    /// `ON TRUE` and the like ask nothing.
    fn add_condition(&mut self, condition: Option<&Expr>) {
        let texts = condition
            .filter(|condition| !matches!(condition, Expr::Value(_)))
            .map(ToString::to_string);
        self.0.conditions.extend(texts);
    }
}

fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}

fn relation(name: &ObjectName, alias: Option<String>) -> Option<RemoteRelation> {
    let mut parts = name.0.iter().rev().filter_map(|part| part.as_ident());
    let own = parts.next()?.value.clone();
    Some(RemoteRelation {
        schema: parts
            .next()
            .map_or_else(String::new, |ident| ident.value.clone()),
        alias: alias.unwrap_or_else(|| own.clone()),
        name: own,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relations(found: &RemoteSql) -> Vec<String> {
        let of = |relation: &RemoteRelation| {
            format!("{}.{} {}", relation.schema, relation.name, relation.alias)
        };
        found.relations.iter().map(of).collect()
    }

    #[test]
    fn one_table_with_conditions_order_and_limit() {
        let found = remote_sql(
            "SELECT id, amount FROM sales.\"Payments\" WHERE ((status = 'failed')) AND ((at > '2024-01-01 00:00:00+00')) ORDER BY amount DESC NULLS FIRST, id ASC NULLS LAST LIMIT 4::bigint",
        )
        .unwrap();
        assert_eq!(relations(&found), ["sales.Payments Payments"]);
        assert_eq!(
            found.conditions,
            ["((status = 'failed')) AND ((at > '2024-01-01 00:00:00+00'))"]
        );
        assert_eq!(
            found.order,
            ["amount DESC NULLS FIRST", "id ASC NULLS LAST"]
        );
        assert!(found.is_limited);
    }

    #[test]
    fn joins_that_were_pushed_down_have_their_conditions_in_on() {
        let found = remote_sql(
            "SELECT r1.email, r2.amount FROM ((public.users r1 INNER JOIN public.payments r2 ON (((r1.id = r2.user_id)) AND \
             ((r2.status = 'failed')))) LEFT JOIN crm.notes r4 ON (((r1.id = r4.user_id)))) WHERE ((r1.state = 'blocked'))",
        )
        .unwrap();
        assert_eq!(
            relations(&found),
            ["public.users r1", "public.payments r2", "crm.notes r4"]
        );
        let mut conditions = found.conditions;
        conditions.sort();
        assert_eq!(
            conditions,
            [
                "(((r1.id = r2.user_id)) AND ((r2.status = 'failed')))",
                "(((r1.id = r4.user_id)))",
                "((r1.state = 'blocked'))"
            ]
        );
    }

    #[test]
    fn a_full_join_of_subqueries_is_read_inside() {
        let found = remote_sql(
            "SELECT s4.c1, s5.c1 FROM ((SELECT c1 FROM app.t1 WHERE ((c1 < 9))) s4(c1) FULL JOIN (SELECT c1 FROM app.t2) s5(c1) ON (((s4.c1 = s5.c1))))",
        )
        .unwrap();
        assert_eq!(relations(&found), ["app.t1 t1", "app.t2 t2"]);
        assert!(found.conditions.contains(&"((c1 < 9))".to_owned()));
    }

    #[test]
    fn direct_modifications_have_conditions() {
        let update =
            remote_sql("UPDATE public.payments SET status = 'x'::text WHERE ((user_id = 4))")
                .unwrap();
        assert_eq!(relations(&update), ["public.payments payments"]);
        assert_eq!(update.conditions, ["((user_id = 4))"]);
        let delete =
            remote_sql("DELETE FROM public.payments WHERE ((user_id = $1::integer)) RETURNING id")
                .unwrap();
        assert_eq!(relations(&delete), ["public.payments payments"]);
        assert_eq!(delete.conditions, ["((user_id = $1::INTEGER))"]);
    }

    #[test]
    fn what_is_no_sql_is_an_error() {
        assert!(remote_sql("{\"find\": \"payments\"}").is_err());
    }
}
