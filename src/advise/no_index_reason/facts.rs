//! What a plan and the catalog alone say about why no index helps.

use crate::advise::no_index_helps::NoIndexHelps;
use crate::catalog::{Catalog, Table};
use crate::index::Method;
use crate::model::{Cost, QualifiedName};
use crate::plan::metrics::{metrics, rows_of_all_processes};
use crate::plan::{Node, NodeType, Plan};
use crate::predicate::{RelationUse, relation_uses};
use crate::sql::{Expression, Shape};

/// From this share of a table's rows on, most of it is read.
pub(super) const MOST: f64 = 0.5;

/// A row through an index takes at least a page of the index and one of the table, each at
/// `random_page_cost` (`genericcostestimate` in src/backend/utils/adt/selfuncs.c, `cost_index` in
/// src/backend/optimizer/path/costsize.c).
const PAGES_OF_ONE_ROW: f64 = 2.0;

/// How a statement reads the table that most of its cost is for.
pub(super) struct Scan<'p> {
    plan: &'p Plan,
    pub(super) node: &'p Node,
    pub(super) name: QualifiedName,
    table: Option<&'p Table>,
    /// What the statement wants of it.
    asked: Option<RelationUse>,
}

impl<'p> Scan<'p> {
    /// The costliest scan of a table, if there is one.
    pub(super) fn costliest(plan: &'p Plan, catalog: &'p Catalog) -> Option<Scan<'p>> {
        let metrics = metrics(plan);
        let scans = plan
            .nodes()
            .iter()
            .filter(|node| *node.node_type() != NodeType::ModifyTable && node.table().is_some());
        let share = |node: &Node| metrics.node(node.id).share;
        let node = scans.max_by(|a, b| share(a).total_cmp(&share(b)).then(b.id.cmp(&a.id)))?;
        let name = node.table()?;
        let asked = relation_uses(plan, catalog)
            .into_iter()
            .find(|asked| Some(asked.alias.as_str()) == node.alias());
        Some(Scan {
            plan,
            node,
            table: catalog.table(&name),
            name,
            asked,
        })
    }

    /// The nodes that read the table's indexes: itself, or those below a Bitmap Heap Scan.
    fn index_scans(&self) -> Vec<&'p Node> {
        let mut found = Vec::new();
        let mut waiting = vec![self.node];
        while let Some(node) = waiting.pop() {
            found.extend(Some(node).filter(|node| node.index_name().is_some()));
            if node.node_type().is_bitmap() {
                waiting.extend(
                    node.children
                        .iter()
                        .rev()
                        .map(|child| self.plan.node(*child)),
                );
            }
        }
        found
    }

    fn is_limited(&self) -> bool {
        self.asked
            .as_ref()
            .is_some_and(|asked| asked.limited || !asked.extremes.is_empty())
    }

    /// The rows it returns of those that are there; of a table in parts, of this part.
    pub(super) fn rows(&self) -> Option<(f64, f64)> {
        let all = self.table?.rows.filter(|rows| *rows > 0.0)?;
        let returned = rows_of_all_processes(self.plan, self.node)?;
        Some((returned.min(all), all))
    }

    /// Its conditions as the plan has them.
    pub(super) fn filter(&self) -> Option<&'p str> {
        self.node.filter()
    }

    /// Does it ask for anything that a generator can read?
    pub(super) fn has_readable_condition(&self) -> bool {
        self.asked
            .as_ref()
            .is_some_and(|asked| !asked.conditions.is_empty() || !asked.alternatives.is_empty())
    }
}

/// A comparison with a function that is evaluated for every row. (Where it has columns as its
/// arguments, an expression index could hold it if it were IMMUTABLE: another reason.)
pub(super) fn volatile(plan: &Plan, catalog: &Catalog) -> Option<NoIndexHelps> {
    let scan = Scan::costliest(plan, catalog)?;
    let filter = Expression::from_sql(scan.filter()?);
    let mut conditions = filter.conjuncts().iter();
    let (condition, call) = conditions.find_map(|condition| {
        let Shape::Binary { left, right, .. } = &condition.shape else {
            return None;
        };
        let mut values = [left, right]
            .into_iter()
            .filter(|side| side.columns.is_empty());
        let call = values.find_map(|value| catalog.volatile_call(&value.text))?;
        Some((condition, call))
    })?;
    Some(NoIndexHelps::Volatile {
        table: scan.name,
        filter: condition.text.clone(),
        call: call.clone(),
    })
}

/// The reason that the plan and the catalog give, if there is one.
pub(super) fn decided(plan: &Plan, catalog: &Catalog) -> Option<NoIndexHelps> {
    if let Some(server) = foreign_server(plan, catalog) {
        return Some(NoIndexHelps::OnForeignServer(server));
    }
    let Some(scan) = Scan::costliest(plan, catalog) else {
        return Some(NoIndexHelps::ReadsNoTable);
    };
    if asks_nothing(plan, catalog) {
        return Some(NoIndexHelps::NoCondition(scan.name));
    }
    let checks = [table_too_small, already_indexed, reads_most];
    checks.iter().find_map(|check| check(&scan, catalog))
}

/// The server that the costliest scan reads from, if that is a foreign one.
fn foreign_server(plan: &Plan, catalog: &Catalog) -> Option<String> {
    let metrics = metrics(plan);
    let reads = |node: &&Node| {
        let is_scan = node.table().is_some() || !node.pushed_down_tables().is_empty();
        is_scan && *node.node_type() != NodeType::ModifyTable
    };
    let share = |node: &Node| metrics.node(node.id).share;
    let scans = plan.nodes().iter().filter(reads);
    let costliest = scans.max_by(|a, b| share(a).total_cmp(&share(b)).then(b.id.cmp(&a.id)))?;
    let mut tables = costliest.pushed_down_tables();
    tables.extend(costliest.table());
    let mut foreign = tables.iter();
    let foreign = foreign.find_map(|table| catalog.foreign_table(table))?;
    Some(foreign.server.clone())
}

fn asks_nothing(plan: &Plan, catalog: &Catalog) -> bool {
    let asks = |node: &Node| {
        ["Filter", "Join Filter", "TID Cond"]
            .iter()
            .any(|what| node.text(what).is_some())
            || ["Sort Key", "Group Key"]
                .iter()
                .any(|what| !node.texts(what).is_empty())
    };
    let filtered = plan.nodes().iter().any(asks);
    let idle = |asked: &RelationUse| {
        asked.conditions.is_empty()
            && asked.orders.is_empty()
            && asked.extremes.is_empty()
            && asked.distances.is_empty()
            && asked.alternatives.is_empty()
    };
    !filtered && relation_uses(plan, catalog).iter().all(idle)
}

fn table_too_small(scan: &Scan<'_>, catalog: &Catalog) -> Option<NoIndexHelps> {
    let one_row = Cost(PAGES_OF_ONE_ROW * setting(catalog, "random_page_cost", 4.0));
    let small = *scan.node.node_type() == NodeType::SeqScan && scan.node.total_cost() <= one_row;
    Some(NoIndexHelps::TableTooSmall {
        table: scan.name.clone(),
        pages: scan.table.filter(|_| small)?.pages,
        whole: scan.node.total_cost(),
        one_row,
    })
}

/// All that it asks for is answered by an index: nothing is left to filter.
fn already_indexed(scan: &Scan<'_>, catalog: &Catalog) -> Option<NoIndexHelps> {
    let indexes = scan.index_scans();
    let first = indexes.first()?;
    let filtered = scan.filter().is_some() || indexes.iter().any(|node| node.filter().is_some());
    let conditions: Vec<String> = indexes
        .iter()
        .filter_map(|node| Some(node.index_cond()?.to_owned()))
        .collect();
    let asked = scan.asked.as_ref();
    let ordered = scan.is_limited() || asked.is_some_and(|asked| !asked.distances.is_empty());
    if filtered || (conditions.len() < indexes.len() && !ordered) {
        return None;
    }
    let names = indexes.iter().filter_map(|node| node.index_name());
    Some(NoIndexHelps::AlreadyIndexed {
        table: scan.name.clone(),
        scan: first.node_type().name().to_owned(),
        indexes: names.map(str::to_owned).collect(),
        conditions,
        not_by_first: indexes.iter().find_map(|node| {
            let is_not = searched_without_first(node, scan.table, catalog);
            node.index_name().filter(|_| is_not).map(str::to_owned)
        }),
    })
}

/// A scan of a GiST index without a condition on its first column.
fn searched_without_first(node: &Node, table: Option<&Table>, catalog: &Catalog) -> bool {
    let owner = table.and_then(|table| catalog.index_owner(&table.name));
    let mut known = [table, owner].into_iter().flatten();
    let index = known.find_map(|table| {
        let mut indexes = table.indexes.iter();
        indexes.find(|index| Some(index.name.name.as_str()) == node.index_name())
    });
    let definition = index.and_then(|index| index.index.as_ref());
    let (Some(definition), Some(condition)) = (definition, node.index_cond()) else {
        return false;
    };
    let first = definition.keys.first().and_then(|key| key.key.columns());
    let searched = Expression::from_sql(condition);
    let apart = first.zip(searched.known_columns());
    definition.method == Method::Gist
        && apart.is_some_and(|(first, searched)| first.is_disjoint(searched))
}

fn reads_most(scan: &Scan<'_>, _catalog: &Catalog) -> Option<NoIndexHelps> {
    // What is above it may end before it does: a merge join whose other side is short.
    let to_its_end = scan.node.total_cost().0 <= scan.plan.total_cost().0 * 1.01;
    let (returned, rows) = scan.rows().filter(|_| !scan.is_limited() && to_its_end)?;
    (returned / rows >= MOST).then(|| NoIndexHelps::ReadsMost {
        table: scan.name.clone(),
        returned,
        rows,
    })
}

/// A numeric setting of the server, or its default.
pub(super) fn setting(catalog: &Catalog, name: &str, default: f64) -> f64 {
    catalog
        .settings
        .get(name)
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}
