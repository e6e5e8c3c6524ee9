//! SQL as text: splitting a workload into statements, parsing the expressions of plans and index
//! definitions.
//!
//! This is the only module that uses `sqlparser`; its public types are its own. `sqlparser` is
//! lenient, incomplete and recursive (measured: it accepts 98.6 % of the condition strings in plans
//! and can overflow the stack on long chains), so nothing here may be needed for a statement to be
//! planned: what cannot be parsed is `None` or an error value, and the caller goes on without it.

mod alter_table;
mod assignments;
mod catalog_statement;
mod concurrently;
mod create_index;
mod create_schema;
mod expression;
pub mod fingerprint;
mod leading_words;
mod literals;
mod parse_expression;
mod parser;
pub mod psql;
mod qualify;
mod references;
mod relation_names;
mod remote_sql;
pub mod rewrite;
mod settings;
pub mod settle;
pub mod shape;
pub mod split;
mod statement_kind;
mod tokens;
mod with_values;

pub use alter_table::{AlterAction, AlterTable, ConstraintKind, alter_table};
pub use assignments::{Assigned, assignments};
pub use catalog_statement::reads_only_catalogs;
pub use concurrently::concurrently;
pub use create_index::{IndexElement, parse_create_index, with_folded_names};
pub use create_schema::schema_to_create;
pub use expression::{DISTINCT, Expression, Shape, SortTerm};
pub use leading_words::leading_words;
pub use literals::{array_elements, literal_value, literals};
pub use parse_expression::{parse_expression, parse_sort_term};
pub use parser::SqlError;
pub use qualify::qualified;
pub use references::{ColumnReference, column_references, with_column_replaced};
pub use relation_names::{RelationName, quoted_relation_names, relation_names};
pub use remote_sql::{RemoteRelation, RemoteSql, remote_sql};
pub use settings::setting_read;
pub use statement_kind::{StatementKind, explained_statement, statement_kind};
pub use with_values::{
    ValuePlace, bound_literals, limit_place, literal_texts, literals_equal_to, literals_within,
    parameters, with_values,
};
