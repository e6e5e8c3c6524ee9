//! The types of plan nodes, as EXPLAIN prints them in `Node Type`.
//!
//! The names are those of `ExplainNode` (src/backend/commands/explain.c) in PostgreSQL 14 to 18. A
//! type of another version or program is kept as the text it is, so nothing is lost when a plan is
//! written again.

use std::fmt;

/// Declares the enum once: each variant with the name EXPLAIN prints.
macro_rules! node_types {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// The type of a plan node.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum NodeType {
            $(
                #[doc = concat!("`", $name, "`.")]
                $variant,
            )+
            /// A type that PostgreSQL 14 to 18 do not print.
            Other(Box<str>),
        }

        impl NodeType {
            /// The type of that name; [`NodeType::Other`] when it is not known.
            pub fn parse(name: &str) -> NodeType {
                match name {
                    $($name => NodeType::$variant,)+
                    other => NodeType::Other(other.into()),
                }
            }

            /// The name as the server printed it.
            pub fn name(&self) -> &str {
                match self {
                    $(NodeType::$variant => $name,)+
                    NodeType::Other(name) => name,
                }
            }

            /// All known types.
            #[cfg(test)]
            pub(crate) const KNOWN: &[NodeType] = &[$(NodeType::$variant),+];
        }
    };
}

node_types! {
    Result = "Result",
    ProjectSet = "ProjectSet",
    ModifyTable = "ModifyTable",
    Append = "Append",
    MergeAppend = "Merge Append",
    RecursiveUnion = "Recursive Union",
    BitmapAnd = "BitmapAnd",
    BitmapOr = "BitmapOr",
    NestedLoop = "Nested Loop",
    MergeJoin = "Merge Join",
    HashJoin = "Hash Join",
    SeqScan = "Seq Scan",
    SampleScan = "Sample Scan",
    Gather = "Gather",
    GatherMerge = "Gather Merge",
    IndexScan = "Index Scan",
    IndexOnlyScan = "Index Only Scan",
    BitmapIndexScan = "Bitmap Index Scan",
    BitmapHeapScan = "Bitmap Heap Scan",
    TidScan = "Tid Scan",
    TidRangeScan = "Tid Range Scan",
    SubqueryScan = "Subquery Scan",
    FunctionScan = "Function Scan",
    TableFunctionScan = "Table Function Scan",
    ValuesScan = "Values Scan",
    CteScan = "CTE Scan",
    NamedTuplestoreScan = "Named Tuplestore Scan",
    WorkTableScan = "WorkTable Scan",
    ForeignScan = "Foreign Scan",
    CustomScan = "Custom Scan",
    Materialize = "Materialize",
    Memoize = "Memoize",
    Sort = "Sort",
    IncrementalSort = "Incremental Sort",
    Group = "Group",
    Aggregate = "Aggregate",
    WindowAgg = "WindowAgg",
    Unique = "Unique",
    SetOp = "SetOp",
    LockRows = "LockRows",
    Limit = "Limit",
    Hash = "Hash",
}

impl NodeType {
    /// Reads the rows of a table, by whatever access path. A Bitmap Index Scan delivers no rows.
    pub fn is_table_scan(&self) -> bool {
        matches!(
            self,
            NodeType::SeqScan
                | NodeType::IndexScan
                | NodeType::IndexOnlyScan
                | NodeType::BitmapHeapScan
                | NodeType::TidScan
                | NodeType::TidRangeScan
                | NodeType::SampleScan
                | NodeType::ForeignScan
        )
    }

    /// Reads rows in the order of an index.
    pub fn is_index_scan(&self) -> bool {
        matches!(self, NodeType::IndexScan | NodeType::IndexOnlyScan)
    }

    /// Builds, combines or reads a bitmap of row positions.
    pub fn is_bitmap(&self) -> bool {
        matches!(
            self,
            NodeType::BitmapIndexScan
                | NodeType::BitmapHeapScan
                | NodeType::BitmapAnd
                | NodeType::BitmapOr
        )
    }

    /// Joins two inputs, by whatever method.
    pub fn is_join(&self) -> bool {
        matches!(
            self,
            NodeType::NestedLoop | NodeType::HashJoin | NodeType::MergeJoin
        )
    }

    /// Sorts, completely or in parts.
    pub fn is_sort(&self) -> bool {
        matches!(self, NodeType::Sort | NodeType::IncrementalSort)
    }

    /// Collects rows from parallel workers.
    pub fn is_gather(&self) -> bool {
        matches!(self, NodeType::Gather | NodeType::GatherMerge)
    }

    /// Returns the rows of several inputs, such as partitions.
    pub fn is_append(&self) -> bool {
        matches!(self, NodeType::Append | NodeType::MergeAppend)
    }
}

impl fmt::Display for NodeType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_parsed_to_its_variant_and_printed_the_same() {
        for node_type in NodeType::KNOWN {
            assert!(!matches!(node_type, NodeType::Other(_)));
            assert_eq!(NodeType::parse(node_type.name()), *node_type);
            assert_eq!(node_type.to_string(), node_type.name());
        }
        assert_eq!(NodeType::KNOWN.len(), 42);
    }

    #[test]
    fn an_unknown_name_is_kept_as_it_is() {
        for name in ["seq scan", "Seq Scan ", "ColumnarScan", "", "???"] {
            let node_type = NodeType::parse(name);
            assert_eq!(node_type, NodeType::Other(name.into()));
            assert_eq!(node_type.name(), name);
        }
    }
}
