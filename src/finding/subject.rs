//! The input of the rules: a plan with its metrics, the catalog when there is one, and conditions
//! that are parsed once.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::ancestry::Ancestry;
use super::partitions::PartitionGroups;
use super::threshold::is_reportable;
use crate::catalog::{Catalog, Table};
use crate::model::{Bytes, Cost, Millis, QualifiedName, group_thousands, quote_identifier};
use crate::plan::metrics::{Basis, Metrics, NodeMetrics};
use crate::plan::{Node, NodeId, Plan};
use crate::predicate::{Relation, catalog_of_plan};
use crate::sql::{Expression, parse_expression};

type ConditionKey = (NodeId, &'static str);

pub(super) struct Subject<'a> {
    pub(super) plan: &'a Plan,
    pub(super) metrics: &'a Metrics,
    pub(super) catalog: Option<&'a Catalog>,
    conditions: RefCell<HashMap<ConditionKey, Option<Rc<Expression>>>>,
    plan_catalog: OnceCell<Catalog>,
    partitions: PartitionGroups,
    pub(super) ancestry: Ancestry,
}

impl<'a> Subject<'a> {
    pub(super) fn new(plan: &'a Plan, metrics: &'a Metrics, catalog: Option<&'a Catalog>) -> Self {
        let partitions = PartitionGroups::of(plan, metrics);
        Subject {
            plan,
            metrics,
            catalog,
            conditions: RefCell::new(HashMap::new()),
            plan_catalog: OnceCell::new(),
            partitions,
            ancestry: Ancestry::of(plan, metrics),
        }
    }

    pub(super) fn of(&self, node: &Node) -> &'a NodeMetrics {
        self.metrics.node(node.id)
    }

    pub(super) fn node(&self, id: NodeId) -> &'a Node {
        self.plan.node(id)
    }

    pub(super) fn parent(&self, node: &Node) -> Option<&'a Node> {
        self.plan.parent(node.id)
    }

    /// The inputs: no InitPlans and SubPlans.
    pub(super) fn inputs(
        &self,
        node: &Node,
    ) -> impl DoubleEndedIterator<Item = &'a Node> + use<'a> {
        self.plan.inputs(node.id)
    }

    /// What the node takes by itself, in the unit of the basis; the costliest partition of a group
    /// has the sum of the group.
    pub(super) fn own(&self, id: NodeId) -> f64 {
        self.partitions
            .own(id)
            .unwrap_or_else(|| self.metrics.own(id))
    }

    /// How many other partitions this one represents.
    pub(super) fn other_partitions(&self, id: NodeId) -> Option<usize> {
        self.partitions.others(id)
    }

    /// What it takes with everything below it.
    pub(super) fn inclusive(&self, id: NodeId) -> f64 {
        self.metrics.inclusive(id)
    }

    /// Is an impact large enough for a finding?
    pub(super) fn is_reportable(&self, impact: f64) -> bool {
        is_reportable(impact, self.metrics.basis)
    }

    /// Was the plan executed?
    pub(super) fn measured(&self) -> bool {
        self.metrics
            .nodes
            .first()
            .is_some_and(|root| root.loops.is_some())
    }

    /// `1,234 ms, 84 % of the time` or `cost 5,678, 84 % of the plan`.
    pub(super) fn impact_text(&self, impact: f64) -> String {
        let percent = (100.0 * impact / self.metrics.basis.whole())
            .min(100.0)
            .round();
        match self.metrics.basis {
            Basis::Time(_) => format!("{}, {percent} % of the time", Millis(impact)),
            Basis::Cost(_) => format!("cost {}, {percent} % of the plan", Cost(impact)),
        }
    }

    /// How often a node was executed in each process; none without ANALYZE.
    pub(super) fn repetitions(&self, node: &Node) -> Option<f64> {
        let metrics = self.of(node);
        Some(metrics.loops? / metrics.processes)
    }

    /// The rows a node delivered in all, measured or expected.
    pub(super) fn rows(&self, node: &Node) -> Option<f64> {
        if self.measured() {
            self.of(node).rows_total()
        } else {
            node.plan_rows()
        }
    }

    /// A condition, parsed once.
    pub(super) fn condition(&self, node: &Node, property: &'static str) -> Option<Rc<Expression>> {
        let known = self.conditions.borrow().get(&(node.id, property)).cloned();
        known.unwrap_or_else(|| {
            let read = node
                .text(property)
                .and_then(|text| parse_expression(text).ok())
                .map(Rc::new);
            self.conditions
                .borrow_mut()
                .insert((node.id, property), read.clone());
            read
        })
    }

    /// The table a node reads, as SQL names it; a bitmap's index scan has none.
    pub(super) fn table_name(&self, node: &Node) -> Option<String> {
        match node.table() {
            Some(name) => Some(name.to_string()),
            None => node
                .relation_name()
                .map(|name| quote_identifier(name).into_owned()),
        }
    }

    /// The table in the catalog; without VERBOSE it is found by its name, when the name is unique.
    pub(super) fn table(&self, node: &Node) -> Option<&'a Table> {
        let catalog = self.catalog?;
        if let Some(name) = node.table() {
            return catalog.table(&name);
        }
        let name = node.relation_name()?;
        let mut named = catalog
            .tables
            .iter()
            .filter(|table| table.name.name == name);
        named.next().filter(|_| named.next().is_none())
    }

    /// The tables and columns that the plan names, with what the catalog knows of them.
    pub(super) fn plan_catalog(&self) -> &Catalog {
        self.plan_catalog
            .get_or_init(|| catalog_of_plan(self.plan, self.catalog))
    }

    /// The relation a node reads; a partition's conditions are those of its partitioned table.
    pub(super) fn relation<'s>(&'s self, node: &'s Node) -> Option<Relation<'s>> {
        let table = match node.table() {
            Some(name) => self.plan_catalog().index_owner(&name),
            None => {
                let name = QualifiedName::new("", node.relation_name()?);
                self.plan_catalog().index_owner(&name)
            }
        };
        Some(Relation {
            alias: node.alias()?,
            table: table?,
        })
    }

    /// `CREATE INDEX CONCURRENTLY ON public.jobs`; for a partition, when the catalog knows of what,
    /// on the partitioned table, where CONCURRENTLY is not possible
    /// (<https://www.postgresql.org/docs/current/sql-createindex.html>).
    pub(super) fn create_index_on(&self, node: &Node) -> Option<String> {
        match self
            .table(node)
            .and_then(|table| table.partition_of.as_ref())
        {
            Some(partitioned) => Some(format!("CREATE INDEX ON {partitioned}")),
            None => Some(format!(
                "CREATE INDEX CONCURRENTLY ON {}",
                self.table_name(node)?
            )),
        }
    }

    /// The statement for the partitioned table, where a plan shows only that the node's table is one
    /// of many partitions; none where the partitioned table's name is not known. The alias of a
    /// partition is the table's with a number (`events_12`), and its name mostly begins with it.
    pub(super) fn for_all_partitions(&self, node: NodeId, action: String) -> Option<String> {
        let node = self.node(node);
        let Some(table) = self.table_name(node) else {
            return Some(action);
        };
        let begin = format!("CREATE INDEX CONCURRENTLY ON {table} ");
        let Some(index) = action.strip_prefix(&begin) else {
            return Some(action);
        };
        let (alias, name) = (node.alias()?, node.relation_name()?);
        let (parent, number) = alias.rsplit_once('_')?;
        let behind = name.strip_prefix(parent)?;
        let is_numbered = number.bytes().all(|byte| byte.is_ascii_digit());
        let is_partition = behind.starts_with(|c: char| c == '_' || c.is_ascii_digit());
        let parent = match node.text("Schema") {
            Some(schema) => QualifiedName::new(schema, parent).to_string(),
            None => quote_identifier(parent).into_owned(),
        };
        (is_numbered && is_partition).then(|| format!("CREATE INDEX ON {parent} {index}"))
    }

    /// The node that reads the relation of that alias.
    pub(super) fn scan_of(&self, alias: &str) -> Option<&'a Node> {
        self.plan
            .nodes()
            .iter()
            .find(|node| node.alias() == Some(alias) && node.relation_name().is_some())
    }

    /// A setting as it was when the statement was planned: EXPLAIN's SETTINGS (which lists only
    /// what is not the default), else the catalog's.
    pub(super) fn setting(&self, name: &str) -> Option<&'a str> {
        let printed = self
            .plan
            .summary
            .get("Settings")
            .and_then(|settings| settings.get(name))
            .and_then(Value::as_str);
        printed.or_else(|| self.catalog?.settings.get(name).map(String::as_str))
    }

    /// `work_mem`, when it is known; its default when SETTINGS were asked for and do not list it.
    pub(super) fn work_mem(&self) -> Option<Bytes> {
        match self.setting("work_mem") {
            Some(text) => Bytes::parse(text).ok(),
            None => self
                .plan
                .summary
                .contains_key("Settings")
                .then_some(Bytes(4 * Bytes::MB)),
        }
    }
}

/// `12,345`.
pub(super) fn count(number: f64) -> String {
    group_thousands(number, 0)
}

/// `1 row`, `12,345 rows`.
pub(super) fn rows(number: f64) -> String {
    let text = count(number);
    match text.as_str() {
        "1" => "1 row".to_owned(),
        _ => format!("{text} rows"),
    }
}

/// `97 %`; never 100 % for less than all.
pub(super) fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    if rounded >= 100.0 && share < 1.0 {
        "more than 99 %".to_owned()
    } else {
        format!("{rounded} %")
    }
}

/// `3.4×`, `120×`.
pub(super) fn times(factor: f64) -> String {
    if factor < 10.0 {
        format!("{factor:.1}×")
    } else {
        format!("{}×", count(factor))
    }
}
