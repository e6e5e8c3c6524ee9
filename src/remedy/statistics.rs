//! CREATE STATISTICS: columns that are compared or grouped together and may depend on each other,
//! and expressions, of which the planner knows nothing
//! (<https://www.postgresql.org/docs/current/planner-stats.html#PLANNER-STATS-EXTENDED>).

use std::collections::{BTreeMap, BTreeSet};

use super::{AskedBy, RemedyInput};
use crate::catalog::{Table, TableKind};
use crate::index::Key;
use crate::index::naming::cut;
use crate::model::QualifiedName;
use crate::plan::metrics::rows_of_all_processes;
use crate::plan::{Node, Plan};
use crate::planner::hypothesis::ExtendedStatistics;
use crate::predicate::{ConditionKind, RelationUse, relation_uses};
use crate::sql::{Shape, parse_expression};
use crate::workload::StatementId;

/// Minimum number of rows in the table.
const MIN_ROWS: f64 = 1_000.0;

/// `STATS_MAX_DIMENSIONS` (src/include/statistics/statistics.h).
const MAX_KEYS: usize = 8;

/// PostgreSQL cuts identifiers at `NAMEDATALEN - 1` bytes; this leaves room for the ending.
const MAX_NAME_BYTES: usize = 50;

/// Statistics to test.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// What to create.
    pub statistics: ExtendedStatistics,
    /// The columns that have to be analyzed for it.
    pub columns: BTreeSet<String>,
    /// Whose estimate it may change, and where in the plan that stands.
    pub asked_by: Vec<(StatementId, Estimated)>,
}

/// An estimate of a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Estimated {
    /// The rows of the scan under this alias.
    Scan(String),
    /// The groups by these keys.
    Groups(Vec<String>),
}

impl Estimated {
    /// The rows that a plan expects there.
    pub fn rows(&self, plan: &Plan) -> Option<f64> {
        let node = match self {
            Estimated::Scan(alias) => plan
                .nodes()
                .iter()
                .find(|node| node.table().is_some() && node.alias() == Some(alias)),
            Estimated::Groups(keys) => plan.nodes().iter().find(|node| is_grouped_by(node, keys)),
        };
        rows_of_all_processes(plan, node?)
    }
}

/// In whatever order: it depends on how the plan groups.
fn is_grouped_by(node: &Node, keys: &[String]) -> bool {
    let found: BTreeSet<&str> = node.group_key().into_iter().collect();
    found.len() == keys.len() && keys.iter().all(|key| found.contains(key.as_str()))
}

/// What to try, in a fixed order: one object for the same keys, of all kinds that are asked for,
/// each under a name of its own.
pub fn propose(input: RemedyInput<'_>) -> Vec<Proposal> {
    let mut merged: BTreeMap<(QualifiedName, Vec<String>), Drafts> = BTreeMap::new();
    for (statement, plan) in input.plans {
        let compared = relation_uses(plan, input.catalog)
            .into_iter()
            .flat_map(|relation| {
                let table = input
                    .catalog
                    .table(&relation.table)
                    .filter(|table| is_worth_it(table));
                table.map_or_else(Vec::new, |table| compared(&relation, table))
            });
        for (table, draft) in compared.chain(grouped(plan, input)).collect::<Vec<_>>() {
            merged
                .entry((table, draft.keys.clone()))
                .or_default()
                .push((statement.id.clone(), draft));
        }
    }
    let mut taken: BTreeSet<QualifiedName> = BTreeSet::new();
    merged
        .into_iter()
        .map(|((table, keys), drafts)| proposal(table, keys, drafts, &mut taken))
        .collect()
}

fn proposal(
    table: QualifiedName,
    keys: Vec<String>,
    drafts: Drafts,
    taken: &mut BTreeSet<QualifiedName>,
) -> Proposal {
    let wish = statistics_name(&table.name, &keys);
    let numbered = (0..).map(|number| {
        if number == 0 {
            wish.clone()
        } else {
            format!("{wish}{number}")
        }
    });
    let mut names = numbered.map(|name| QualifiedName::new(table.schema.clone(), name));
    let name = names
        .find(|name| taken.insert(name.clone()))
        .unwrap_or_else(|| table.clone());
    let kinds: BTreeSet<String> = drafts
        .iter()
        .flat_map(|(_, draft)| draft.kinds.iter().cloned())
        .collect();
    let columns = drafts
        .iter()
        .flat_map(|(_, draft)| draft.columns.iter().cloned())
        .collect();
    let asked_by = drafts
        .into_iter()
        .map(|(id, draft)| (id, draft.estimated))
        .collect();
    let statistics = ExtendedStatistics {
        name,
        table,
        kinds: kinds.into_iter().collect(),
        keys,
    };
    Proposal {
        statistics,
        columns,
        asked_by,
    }
}

impl Proposal {
    /// The statements that it is for.
    pub fn statements(&self) -> AskedBy {
        self.asked_by.iter().map(|(id, _)| id.clone()).collect()
    }
}

/// Each with the statement that it is for.
type Drafts = Vec<(StatementId, Draft)>;

struct Draft {
    kinds: Vec<String>,
    keys: Vec<String>,
    columns: BTreeSet<String>,
    estimated: Estimated,
}

fn is_worth_it(table: &Table) -> bool {
    table.kind == TableKind::Plain
        && table.rows.is_none_or(|rows| rows >= MIN_ROWS)
        && table.pages > 1
}

/// Two or more keys that are each compared with one value or a few; and each expression by itself.
fn compared(relation: &RelationUse, table: &Table) -> Vec<(QualifiedName, Draft)> {
    let narrow = relation.conditions.iter().filter(|condition| {
        matches!(
            condition.kind,
            ConditionKind::Equality | ConditionKind::Membership | ConditionKind::Null
        ) && !condition.is_join()
    });
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for condition in narrow {
        keys.insert(written(&condition.key), condition.columns());
    }
    let all: BTreeSet<String> = keys.values().flatten().cloned().collect();
    let estimated = Estimated::Scan(relation.alias.clone());
    let mut drafts = Vec::new();
    if (2..=MAX_KEYS).contains(&keys.len()) && !is_unique(table, &all) {
        drafts.push(Draft {
            kinds: vec!["dependencies".to_owned(), "mcv".to_owned()],
            keys: keys.keys().cloned().collect(),
            columns: all,
            estimated: estimated.clone(),
        });
    }
    for condition in relation
        .conditions
        .iter()
        .filter(|condition| !condition.is_join())
    {
        if let Key::Expression(_) = condition.key {
            let columns = condition.columns();
            drafts.push(Draft {
                kinds: Vec::new(),
                keys: vec![written(&condition.key)],
                columns,
                estimated: estimated.clone(),
            });
        }
    }
    drafts
        .into_iter()
        .map(|draft| (table.name.clone(), draft))
        .collect()
}

/// At most one row is expected: statistics cannot improve that.
fn is_unique(table: &Table, columns: &BTreeSet<String>) -> bool {
    let within = |key: &Key| matches!(key, Key::Column(name) if columns.contains(name));
    table.indexes.iter().any(|index| {
        let known = index
            .index
            .as_ref()
            .filter(|known| known.predicate.is_none());
        index.unique && known.is_some_and(|known| known.keys.iter().all(|key| within(&key.key)))
    })
}

/// An expression has to stand in parentheses; a second pair does no harm.
fn written(key: &Key) -> String {
    match key {
        Key::Column(name) => crate::model::quote_identifier(name).into_owned(),
        Key::Expression(expression) => format!("({expression})"),
    }
}

/// Two or more plain columns of one table that are grouped by.
fn grouped(plan: &Plan, input: RemedyInput<'_>) -> Vec<(QualifiedName, Draft)> {
    plan.nodes()
        .iter()
        .filter_map(|node| grouped_at(plan, node, input))
        .collect()
}

fn grouped_at(plan: &Plan, node: &Node, input: RemedyInput<'_>) -> Option<(QualifiedName, Draft)> {
    let texts = node.group_key();
    if !(2..=MAX_KEYS).contains(&texts.len()) {
        return None;
    }
    let keys: Vec<_> = texts
        .iter()
        .map(|text| parse_expression(text).ok())
        .collect::<Option<_>>()?;
    let aliases: BTreeSet<&String> = keys.iter().flat_map(|key| &key.relations).collect();
    let mut scans = plan.nodes().iter().filter(|scan| match aliases.first() {
        Some(alias) => scan.table().is_some() && scan.alias() == Some(alias),
        None => scan.table().is_some(),
    });
    let scan = scans
        .next()
        .filter(|_| aliases.len() < 2 && (!aliases.is_empty() || scans.next().is_none()))?;
    let table = input
        .catalog
        .table(&scan.table()?)
        .filter(|table| is_worth_it(table))?;
    let plain = |shape: &Shape| match shape {
        Shape::Column(name) => table.column(name).map(|column| column.name.clone()),
        _ => None,
    };
    let columns: BTreeSet<String> = keys
        .iter()
        .map(|key| plain(&key.shape))
        .collect::<Option<_>>()?;
    let draft = Draft {
        kinds: vec!["ndistinct".to_owned()],
        keys: columns
            .iter()
            .map(|name| crate::model::quote_identifier(name).into_owned())
            .collect(),
        columns,
        estimated: Estimated::Groups(texts.into_iter().map(str::to_owned).collect()),
    };
    (draft.keys.len() > 1).then(|| (table.name.clone(), draft))
}

/// `accounts_country_city_stats`, unquoted. The name is optional only since PostgreSQL 16, so there
/// is always one.
pub fn statistics_name(table: &str, keys: &[String]) -> String {
    let words = |text: &str| {
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let words = words.filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
    };
    let parts: Vec<String> = std::iter::once(table)
        .chain(keys.iter().map(String::as_str))
        .map(words)
        .collect();
    format!("{}_stats", cut(&parts.join("_"), MAX_NAME_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::test_planner::{TestPlan, TestTable, seq_scan, table};
    use crate::remedy::testing::Asked;

    fn people() -> TestTable {
        table("people", &["id bigint", "country text", "city text"])
    }

    fn proposals(table: TestTable, plan: &TestPlan) -> Vec<String> {
        let asked = Asked::of([table]).statement("SELECT 1", plan);
        asked.ask(|input| {
            let found = propose(input).into_iter();
            found.map(|proposal| proposal.statistics.create()).collect()
        })
    }

    fn filtered(condition: &str) -> TestPlan {
        seq_scan("people", 2_000.0).filter(condition)
    }

    const BOTH: &str = "((people.country = 'X'::text) AND (people.city = 'Y'::text))";

    const CREATE_BOTH: &str = "CREATE STATISTICS public.people_city_country_stats (dependencies, mcv) ON city, country FROM public.people";

    #[test]
    fn columns_that_are_compared_together_may_depend_on_each_other() {
        assert_eq!(proposals(people(), &filtered(BOTH)), [CREATE_BOTH]);
        let one = "(people.country = 'X'::text)";
        assert_eq!(proposals(people(), &filtered(one)), Vec::<String>::new());
        let range = "((people.country = 'X'::text) AND (people.id > 5))";
        assert_eq!(proposals(people(), &filtered(range)), Vec::<String>::new());
    }

    #[test]
    fn small_tables_partitions_and_unique_keys_need_none() {
        let none = Vec::<String>::new();
        let plan = filtered(BOTH);
        assert_eq!(proposals(people().rows(999.0), &plan), none);
        let one_page = people().with(|table| table.pages = 1);
        assert_eq!(proposals(one_page, &plan), none);
        let whole = people().with(|table| table.kind = TableKind::Partitioned);
        assert_eq!(proposals(whole, &plan), none);
        let unique = |body: &str| {
            let size = crate::model::Bytes(8192);
            people()
                .existing("key", body, size)
                .with(|table| table.indexes[0].unique = true)
        };
        assert_eq!(proposals(unique("(country, city)"), &plan), none);
        assert_eq!(proposals(unique("(id)"), &plan), [CREATE_BOTH]);
        let plain = unique("(country, city)").with(|table| table.indexes[0].unique = false);
        assert_eq!(proposals(plain, &plan), [CREATE_BOTH]);
    }

    #[test]
    fn an_expression_gets_statistics_of_its_own() {
        let lower = filtered("(lower(people.city) = 'y'::text)");
        let found = proposals(people(), &lower);
        let [create] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert!(create.contains("lower(city)"), "{create}");
        assert!(create.starts_with("CREATE STATISTICS public.people_lower_city_stats ON "));
    }

    #[test]
    fn columns_that_are_grouped_by_get_their_number_of_groups() {
        let scan = || seq_scan("people", 2_000.0);
        let both = scan().grouped_by(&["people.country", "people.city"], 50.0);
        assert_eq!(
            proposals(people(), &both),
            [
                "CREATE STATISTICS public.people_city_country_stats (ndistinct) ON city, country FROM public.people"
            ]
        );
        for keys in [
            &["people.country"][..],
            &["people.country", "lower(people.city)"],
            &["people.country", "other.city"],
        ] {
            let grouped = scan().grouped_by(keys, 50.0);
            assert_eq!(proposals(people(), &grouped), Vec::<String>::new());
        }
    }

    #[test]
    fn one_object_serves_all_that_ask_for_the_same_keys() {
        let grouped = seq_scan("people", 2_000.0).grouped_by(&["country", "city"], 50.0);
        let asked = Asked::of([people()])
            .statement("SELECT 1", &filtered(BOTH))
            .statement("SELECT 2", &grouped);
        let found = asked.ask(propose);
        let [proposal] = found.as_slice() else {
            panic!("{found:?}");
        };
        let kinds = &proposal.statistics.kinds;
        assert_eq!(*kinds, ["dependencies", "mcv", "ndistinct"]);
        let statements: Vec<StatementId> = proposal.statements().into_iter().collect();
        assert_eq!(
            statements,
            ["s", "s-2"].map(|id| StatementId(id.to_owned()))
        );
    }

    #[test]
    fn an_estimate_is_found_in_another_plan_of_the_statement() {
        let scan = seq_scan("people", 9.0).rows(70.0);
        let grouped = scan.grouped_by(&["people.country", "people.city"], 7.0);
        let keys = ["people.city", "people.country"].map(str::to_owned);
        let rows = |estimated: Estimated| estimated.rows(&grouped.plan());
        assert_eq!(rows(Estimated::Groups(keys.to_vec())), Some(7.0));
        assert_eq!(rows(Estimated::Groups(keys[..1].to_vec())), None);
        assert_eq!(rows(Estimated::Scan("people".to_owned())), Some(70.0));
        assert_eq!(rows(Estimated::Scan("other".to_owned())), None);
    }
}
