//! Assigns the lines of a TEXT plan to its nodes.

use serde_json::{Map, Value};

use super::headline::{self, Attachment};
use super::logical::{LogicalLine, logical_at};
use super::{damage, detail, numbers, relationship, summary};
use crate::plan::read::builder::MAX_NODES;
use crate::plan::read::error::{OffsetError, Reason};
use crate::plan::read::lines::lines_from;
use crate::plan::read::property::property_type;
use crate::plan::read::warning::{OffsetWarning, WarningKind};
use crate::plan::{MAX_PLAN_DEPTH, Node, NodeId, Plan, Properties, PropertyNames};

/// A plan and where it ends.
pub(crate) struct TextPlan {
    /// The plan.
    pub(crate) plan: Plan,
    /// Where the first line after it begins.
    pub(crate) end: usize,
    /// What could not be read.
    pub(crate) warnings: Vec<OffsetWarning>,
}

/// Reads the plan whose first headline begins at `start`.
pub(super) fn read(text: &str, start: usize) -> Result<TextPlan, OffsetError> {
    let Some(first) = logical_at(text, start) else {
        return Err(OffsetError {
            offset: start,
            reason: Reason::NoPlan,
        });
    };
    let mut reader = TextReader::new(first.indent);
    let root = match first.text.strip_prefix("->") {
        Some(root) => {
            reader.warn(start, WarningKind::RootMissing);
            root.trim_start()
        }
        None => &*first.text,
    };
    reader
        .add_node(root, first.indent + 1, Attachment::default(), start)
        .map_err(OffsetError::at(start))?;
    let end = reader.body(text, first.next)?;
    reader.close_blocks(0);
    let mut warnings = std::mem::take(&mut reader.warnings);
    damage::report(&reader.read_nodes(), text, end, &mut warnings);
    Ok(TextPlan {
        plan: reader.finish(),
        end,
        warnings,
    })
}

/// Blank lines end a plan, unless its lines continue after them (pasted with double spacing).
fn after_blank(text: &str, from: usize, reader: &TextReader) -> Option<usize> {
    let next = lines_from(text, from).find(|line| !line.is_blank())?;
    let trimmed = next.text.trim();
    let is_part =
        trimmed.starts_with("->") || detail::is_known(trimmed) || relationship::is_label(trimmed);
    let goes_on = next.indent() > reader.base && is_part;
    (goes_on || summary::is_summary(trimmed)).then_some(next.offset)
}

/// A node whose details or children may follow.
struct OpenNode {
    index: usize,
    /// The column of its details and of its children's arrows, or one before it.
    column: usize,
    /// Children that have no label.
    children: usize,
}

/// An object within a node or the summary, made of the indented lines below; it is inserted when
/// they end.
struct Block {
    indent: usize,
    target: BlockTarget,
    properties: Map<String, Value>,
}

#[derive(Clone, Copy)]
enum BlockTarget {
    /// The object of this name.
    Object(&'static str),
    /// The next item of the list of this name.
    Item(&'static str),
}

struct TextReader {
    base: usize,
    /// The column of the first line.
    first_indent: usize,
    nodes: Vec<Node>,
    /// The properties read so far of each node.
    properties: Vec<Map<String, Value>>,
    summary: Map<String, Value>,
    open: Vec<OpenNode>,
    blocks: Vec<Block>,
    label: Option<(usize, String)>,
    in_summary: bool,
    /// Was there a line below the first headline?
    has_body: bool,
    /// Where the headline of each node begins.
    offsets: Vec<usize>,
    /// What could not be read so far.
    warnings: Vec<OffsetWarning>,
    /// Lines below a line that is not understood, or below a gap, belong to no known node.
    skipping: Option<usize>,
}

impl TextReader {
    fn new(base: usize) -> TextReader {
        TextReader {
            base,
            first_indent: base,
            nodes: Vec::new(),
            properties: Vec::new(),
            summary: Map::new(),
            open: Vec::new(),
            blocks: Vec::new(),
            label: None,
            in_summary: false,
            has_body: false,
            offsets: Vec::new(),
            warnings: Vec::new(),
            skipping: None,
        }
    }

    fn read_nodes(&self) -> damage::ReadNodes<'_> {
        damage::ReadNodes {
            nodes: &self.nodes,
            properties: &self.properties,
            offsets: &self.offsets,
            open: self.open.iter().map(|open| open.index).collect(),
            has_summary: !self.summary.is_empty(),
            misses_subplan: self.label.is_some(),
        }
    }

    /// Below a gap the last node may have lost its siblings: a node that has no children is not the
    /// parent of one.
    fn close_leaves_below_gap(&mut self) {
        let has_gap = self
            .warnings
            .iter()
            .any(|warning| warning.kind == WarningKind::LinesLeftOut);
        let is_leaf = |open: &OpenNode| damage::is_leaf(self.properties.get(open.index));
        while has_gap && self.open.len() > 1 && self.open.last().is_some_and(is_leaf) {
            self.open.pop();
        }
    }

    fn warn(&mut self, offset: usize, kind: WarningKind) {
        self.warnings.push(OffsetWarning { offset, kind });
    }

    /// Reads the lines below the first headline; returns where the plan ends.
    fn body(&mut self, text: &str, from: usize) -> Result<usize, OffsetError> {
        let mut end = from;
        while let Some(line) = logical_at(text, end) {
            if line.text.is_empty() {
                match after_blank(text, line.next, self) {
                    Some(next) => end = next,
                    None => break,
                }
                continue;
            }
            if !self.take(&line, text)? {
                break;
            }
            end = line.next;
        }
        Ok(end)
    }

    /// Takes a line, even one that is not understood; false when the plan ends before it.
    fn take(&mut self, line: &LogicalLine<'_>, text: &str) -> Result<bool, OffsetError> {
        if damage::is_gap(&line.text) {
            self.warn(line.offset, WarningKind::LinesLeftOut);
            self.close_blocks(0);
            self.skipping = Some(0);
            return Ok(true);
        }
        let is_node = line.text.starts_with("->");
        if self.skips(line, is_node) {
            return Ok(true);
        }
        match self.line(line, text) {
            Ok(true) => Ok(true),
            // Another plan may begin right below this one.
            Ok(false)
                if !headline::is_root(&line.text)
                    && damage::goes_on_below(text, line, self.base) =>
            {
                self.warn(
                    line.offset,
                    WarningKind::NotRead(line.text.clone().into_owned()),
                );
                self.skipping = Some(line.indent + 1);
                Ok(true)
            }
            Ok(false) => Ok(false),
            Err(_) if !is_node => {
                self.warn(
                    line.offset,
                    WarningKind::NotRead(line.text.clone().into_owned()),
                );
                Ok(true)
            }
            Err(reason) => {
                let is_last = lines_from(text, line.next).all(|line| line.is_blank());
                let title = line.text.strip_prefix("->").and_then(damage::title_of_cut);
                let is_cut = matches!(reason, Reason::Truncated(_));
                let kind = match title {
                    Some(_) if is_last => WarningKind::CutOff,
                    Some(_) if is_cut => WarningKind::NumbersMissing,
                    _ => return Err(OffsetError::at(line.offset)(reason)),
                };
                self.warn(line.offset, kind);
                self.child(line, title.unwrap_or_default())
                    .map_err(OffsetError::at(line.offset))
            }
        }
    }

    /// Whether a line stands below one that is not understood, or below a gap.
    fn skips(&mut self, line: &LogicalLine<'_>, is_node: bool) -> bool {
        let Some(column) = self.skipping else {
            return false;
        };
        let ends = is_node || line.indent < column || summary::is_summary(&line.text);
        if ends {
            self.skipping = None;
        }
        !ends
    }

    fn finish(mut self) -> Plan {
        let mut names = PropertyNames::default();
        for (node, properties) in self.nodes.iter_mut().zip(self.properties) {
            node.properties = names.properties(properties);
        }
        Plan::from_parts(self.nodes, self.summary)
    }

    /// Adds a line; false when it is not part of the plan.
    fn line(&mut self, line: &LogicalLine<'_>, text: &str) -> Result<bool, Reason> {
        if !self.has_body && line.indent > self.base && !summary::is_summary(&line.text) {
            // The first line's indentation is often lost when a plan is copied; the others show
            // what it was.
            self.base = self.base.max(line.indent.saturating_sub(2));
            self.has_body = true;
        }
        if let Some(headline) = line.text.strip_prefix("->") {
            return self.child(line, headline.trim_start());
        }
        if self.label.take().is_some() {
            return Err(Reason::Truncated("a subplan whose node has to follow"));
        }
        if summary::is_summary(&line.text) && self.is_summary_place(line) {
            self.summary(line)?;
            return Ok(true);
        }
        if line.indent <= self.base {
            return Ok(false);
        }
        // Some clients and documents drop the arrows and keep the indentation.
        if !self.in_summary && headline::is_root(&line.text) {
            return self.child(line, &line.text);
        }
        if !self.in_summary && relationship::is_label(&line.text) && arrow_follows(text, line) {
            self.label = Some((line.indent, line.text.clone().into_owned()));
            return Ok(true);
        }
        self.detail(line)?;
        Ok(true)
    }

    /// Lines about the whole plan are in the first node's column. Copies indent some of them by one
    /// level more, where a node has no such line; a Citus task has them, further in.
    fn is_summary_place(&self, line: &LogicalLine<'_>) -> bool {
        line.indent < self.base + 2
            || !self.has_body
            || (line.indent == self.base + 2 && summary::is_of_whole_plan(&line.text))
    }

    fn summary(&mut self, line: &LogicalLine<'_>) -> Result<(), Reason> {
        self.close_blocks(0);
        self.in_summary = true;
        summary::read(&line.text, &mut self.summary)?;
        if let Some(name) = summary::block(&line.text) {
            self.open_block(line.indent, BlockTarget::Object(name), Map::new());
        }
        Ok(())
    }

    /// A node behind an arrow.
    fn child(&mut self, line: &LogicalLine<'_>, headline: &str) -> Result<bool, Reason> {
        let arrow = line.indent;
        if arrow < self.base && arrow >= self.first_indent {
            self.base = self.first_indent;
        }
        if arrow < self.base || (self.in_summary && arrow <= self.base) {
            return Ok(false);
        }
        self.in_summary = false;
        self.close_blocks(0);
        let column = self.label.as_ref().map_or(arrow, |(column, _)| *column);
        // The first line may be indented as far as its children when others are indented further.
        let is_roots = arrow == self.first_indent && self.has_body;
        while self
            .open
            .last()
            .is_some_and(|open| open.column > column && !(is_roots && open.index == 0))
        {
            self.open.pop();
        }
        self.close_leaves_below_gap();
        let Some(parent) = self.open.last_mut() else {
            return Err(Reason::LostIndentation);
        };
        let properties = self.properties.get(parent.index);
        let parent_type = properties
            .and_then(|known| known.get("Node Type")?.as_str())
            .unwrap_or_default();
        let attachment = match self.label.take() {
            Some((_, name)) => Attachment {
                relationship: Some(relationship::of_label(&name)),
                name: Some(name),
            },
            None => {
                let relationship = relationship::of_child(parent_type, parent.children);
                parent.children += 1;
                if relationship == "children" && parent.children == 2 {
                    rename_only_child(&self.nodes, &mut self.properties, parent.index);
                }
                Attachment {
                    relationship: Some(relationship),
                    name: None,
                }
            }
        };
        // Its details are indented by six columns; copies that lost some blanks keep at least one.
        self.add_node(headline, arrow + 1, attachment, line.offset)?;
        Ok(true)
    }

    fn add_node(
        &mut self,
        headline: &str,
        column: usize,
        attachment: Attachment,
        offset: usize,
    ) -> Result<(), Reason> {
        let index = self.nodes.len();
        if index >= MAX_NODES {
            return Err(Reason::TooManyNodes(MAX_NODES));
        }
        let depth = self.open.len();
        if depth > MAX_PLAN_DEPTH {
            return Err(Reason::TooDeep(MAX_PLAN_DEPTH));
        }
        let parent = self.open.last().map(|open| open.index);
        let properties = headline::read(headline, attachment)?;
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
            parent.children.push(NodeId(index));
        }
        self.nodes.push(Node {
            id: NodeId(index),
            parent: parent.map(NodeId),
            depth,
            children: Vec::new(),
            properties: Properties::default(),
        });
        self.properties.push(properties);
        self.offsets.push(offset);
        self.open.push(OpenNode {
            index,
            column,
            children: 0,
        });
        Ok(())
    }

    fn detail(&mut self, line: &LogicalLine<'_>) -> Result<(), Reason> {
        self.close_blocks(line.indent);
        if !self.in_summary {
            // A detail is never left of its node's children, but with lost blanks it may be in the
            // arrow's column.
            while self.open.len() > 1
                && self
                    .open
                    .last()
                    .is_some_and(|open| open.column > line.indent)
            {
                self.open.pop();
            }
        }
        let text = line.text.as_ref();
        if let Some(worker) = worker(text) {
            return self.worker(line.indent, worker);
        }
        if text == "JIT:" {
            self.open_block(line.indent, BlockTarget::Object("JIT"), Map::new());
            return Ok(());
        }
        if let Some(target) = target_table(text) {
            self.open_block(line.indent, BlockTarget::Item("Target Tables"), target);
            return Ok(());
        }
        let properties = self.current();
        match text.split_once(": ") {
            Some((label, value)) => detail::read(label, value.trim(), properties),
            None => {
                let label = text
                    .strip_suffix(':')
                    .map(|label| (label, Value::String(String::new())));
                match label {
                    Some((label, empty))
                        if !properties.contains_key(label) && property_type(label).is_none() =>
                    {
                        properties.insert(label.to_owned(), empty);
                    }
                    _ => detail::add_other_line(properties, text),
                }
                Ok(())
            }
        }
    }

    /// `Worker 0:  actual time=0.1..0.2 rows=1 loops=1`, and the lines below it.
    fn worker(&mut self, indent: usize, (number, rest): (u64, &str)) -> Result<(), Reason> {
        let properties = Map::from_iter([("Worker Number".to_owned(), number.into())]);
        self.open_block(indent, BlockTarget::Item("Workers"), properties);
        let properties = self.current();
        if let Some(actual) = rest.strip_prefix("actual ") {
            return numbers::add_actual(actual, properties);
        }
        match rest.split_once(": ") {
            Some((label, value)) => detail::read(label, value.trim(), properties)?,
            None if rest == "JIT:" => {
                self.open_block(indent + 1, BlockTarget::Object("JIT"), Map::new())
            }
            None => {}
        }
        Ok(())
    }

    fn open_block(&mut self, indent: usize, target: BlockTarget, properties: Map<String, Value>) {
        self.blocks.push(Block {
            indent,
            target,
            properties,
        });
    }

    /// Inserts the blocks that begin in this column or a later one into the objects around them.
    fn close_blocks(&mut self, column: usize) {
        while self
            .blocks
            .last()
            .is_some_and(|block| block.indent >= column)
        {
            let Some(Block {
                target, properties, ..
            }) = self.blocks.pop()
            else {
                break;
            };
            put(self.current(), target, properties);
        }
    }

    /// Where the properties of the current line go: the node or the summary, or the innermost open
    /// block within.
    fn current(&mut self) -> &mut Map<String, Value> {
        if let Some(block) = self.blocks.last_mut() {
            return &mut block.properties;
        }
        let node = self.open.last().map_or(0, |open| open.index);
        match self.properties.get_mut(node) {
            Some(properties) if !self.in_summary => properties,
            _ => &mut self.summary,
        }
    }
}

/// A custom scan's only child is its `child`, several are its `children`.
fn rename_only_child(nodes: &[Node], properties: &mut [Map<String, Value>], parent: usize) {
    for NodeId(child) in nodes
        .get(parent)
        .map(|parent| &parent.children)
        .into_iter()
        .flatten()
    {
        let relationship = properties
            .get_mut(*child)
            .and_then(|known| known.get_mut("Parent Relationship"));
        if let Some(relationship) = relationship.filter(|relationship| **relationship == "child") {
            *relationship = Value::String("children".to_owned());
        }
    }
}

/// Inserts a block into the properties around it; properties of a known worker are merged.
fn put(around: &mut Map<String, Value>, target: BlockTarget, properties: Map<String, Value>) {
    match target {
        BlockTarget::Object(key) => match around
            .entry(key)
            .or_insert_with(|| Value::Object(Map::new()))
        {
            Value::Object(known) => known.extend(properties),
            other => *other = Value::Object(properties),
        },
        BlockTarget::Item(key) => {
            let Value::Array(items) = around
                .entry(key)
                .or_insert_with(|| Value::Array(Vec::new()))
            else {
                return;
            };
            let number = properties.get("Worker Number");
            let same = items
                .iter_mut()
                .find(|item| number.is_some() && item.get("Worker Number") == number);
            match same {
                Some(Value::Object(same)) => same.extend(properties),
                _ => items.push(Value::Object(properties)),
            }
        }
    }
}

fn arrow_follows(text: &str, label: &LogicalLine<'_>) -> bool {
    lines_from(text, label.next)
        .find(|line| !line.is_blank())
        .is_none_or(|next| next.indent() > label.indent && next.text.trim_start().starts_with("->"))
}

/// `Worker 0:  …` → its number and what follows.
fn worker(text: &str) -> Option<(u64, &str)> {
    let (number, rest) = text.strip_prefix("Worker ")?.split_once(':')?;
    Some((number.parse().ok()?, rest.trim()))
}

/// `Update on part_1 p`, below a ModifyTable: one of several tables it changes.
fn target_table(text: &str) -> Option<Map<String, Value>> {
    let (operation, target) = text.split_once(" on ")?;
    let operation = operation.strip_prefix("Foreign ").unwrap_or(operation);
    if !["Insert", "Update", "Delete", "Merge"].contains(&operation) {
        return None;
    }
    headline::target("ModifyTable", target)
}
