//! What a plan and the catalog alone say about why no index helps.

use crate::catalog::{Catalog, Table};
use crate::model::{Cost, QualifiedName, group_thousands};
use crate::plan::metrics::{metrics, rows_of_all_processes};
use crate::plan::{Node, NodeType, Plan};
use crate::predicate::{RelationUse, relation_uses};
use crate::verdict::{NoIndexHelps, NoIndexReason};

/// From this share of a table's rows on, most of it is read.
pub(super) const MOST: f64 = 0.5;

/// A row through an index takes at least a page of the index and one of the table, each at `random_page_cost`
/// (`genericcostestimate` in src/backend/utils/adt/selfuncs.c, `cost_index` in src/backend/optimizer/path/costsize.c).
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
                waiting.extend(self.plan.children(node.id).rev());
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

/// The reason that needs nobody to be asked, if there is one.
pub(super) fn decided(plan: &Plan, catalog: &Catalog) -> Option<NoIndexHelps> {
    let because = |reason, detail| Some(NoIndexHelps { reason, detail });
    let Some(scan) = Scan::costliest(plan, catalog) else {
        return because(NoIndexReason::NoCondition, "it reads no table".to_owned());
    };
    if asks_nothing(plan, catalog) {
        let detail = format!(
            "nothing filters, orders or groups the rows of {}",
            scan.name
        );
        return because(NoIndexReason::NoCondition, detail);
    }
    let checks = [table_too_small, already_indexed, reads_most];
    checks
        .iter()
        .find_map(|check| check(&scan, catalog))
        .and_then(|(reason, detail)| because(reason, detail))
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

type Verdict = Option<(NoIndexReason, String)>;

fn table_too_small(scan: &Scan<'_>, catalog: &Catalog) -> Verdict {
    let one_row = Cost(PAGES_OF_ONE_ROW * setting(catalog, "random_page_cost", 4.0));
    let small = *scan.node.node_type() == NodeType::SeqScan && scan.node.total_cost() <= one_row;
    let pages = scan.table.filter(|_| small)?.pages;
    let detail = format!(
        "{} has {} {}: to read it whole costs {}, one row through an index at least {one_row}",
        scan.name,
        group_thousands(pages as f64, 0),
        if pages == 1 { "page" } else { "pages" },
        scan.node.total_cost()
    );
    Some((NoIndexReason::TableTooSmall, detail))
}

/// All that it asks for is answered by an index: nothing is left to filter.
fn already_indexed(scan: &Scan<'_>, _catalog: &Catalog) -> Verdict {
    let indexes = scan.index_scans();
    let first = indexes.first()?;
    let filtered = scan.filter().is_some() || indexes.iter().any(|node| node.filter().is_some());
    let conditions: Vec<&str> = indexes
        .iter()
        .filter_map(|node| node.index_cond())
        .collect();
    let ordered = scan.is_limited()
        || scan
            .asked
            .as_ref()
            .is_some_and(|asked| !asked.distances.is_empty());
    if filtered || (conditions.len() < indexes.len() && !ordered) {
        return None;
    }
    let names: Vec<&str> = indexes
        .iter()
        .filter_map(|node| node.index_name())
        .collect();
    let how = match conditions.first() {
        Some(_) => format!("with all conditions on it: {}", conditions.join(" and ")),
        None => "in the order that is wanted".to_owned(),
    };
    let detail = format!(
        "{} is read by {} of {} {how}",
        scan.name,
        first.node_type(),
        names.join(" and ")
    );
    Some((NoIndexReason::AlreadyIndexed, detail))
}

fn reads_most(scan: &Scan<'_>, _catalog: &Catalog) -> Verdict {
    // What is above it may end before it does: a merge join whose other side is short.
    let to_its_end = scan.node.total_cost().0 <= scan.plan.total_cost().0 * 1.01;
    let (returned, all) = scan.rows().filter(|_| !scan.is_limited() && to_its_end)?;
    let share = returned / all;
    let detail = format!(
        "{} of the {} rows of {} are wanted ({:.0} %)",
        group_thousands(returned, 0),
        group_thousands(all, 0),
        scan.name,
        share * 100.0
    );
    (share >= MOST).then_some((NoIndexReason::ReadsMostOfTheTable, detail))
}

/// A numeric setting of the server, or its default.
pub(super) fn setting(catalog: &Catalog, name: &str, default: f64) -> f64 {
    catalog
        .settings
        .get(name)
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}
