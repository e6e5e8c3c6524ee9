//! Plans of real servers (scripts/make-plan-corpus.sh): every file is read, all four formats of one
//! EXPLAIN give the same tree, and each tree meets its expectation. A new file is a new test; one
//! without an expectation fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may stop at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pgrehearse::internals::plan::Plan;
use pgrehearse::internals::plan::read::{SourceFormat, read};
use serde::Deserialize;
use serde_json::{Map, Value};

const FORMATS: [(&str, SourceFormat); 4] = [
    ("json", SourceFormat::Json),
    ("txt", SourceFormat::Text),
    ("yaml", SourceFormat::Yaml),
    ("xml", SourceFormat::Xml),
];

fn plans_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/plans")
}

/// What must be true of a statement's plans, in all versions and variants unless it names some.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    /// A note for readers of the corpus.
    about: String,
    /// Required nodes: some node has at least these properties.
    #[serde(default)]
    nodes: Vec<ExpectedNode>,
    /// How many plans one EXPLAIN prints.
    #[serde(default = "one")]
    plans: usize,
    /// Properties beside the plan.
    #[serde(default)]
    summary: Map<String, Value>,
}

fn one() -> usize {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedNode {
    has: Map<String, Value>,
    /// Major versions, both included.
    #[serde(default)]
    since: Option<u32>,
    #[serde(default)]
    until: Option<u32>,
    /// `""` (no ANALYZE), `"-analyze"` or `"-everything"`; all when absent.
    #[serde(default)]
    only: Option<Vec<String>>,
}

/// One EXPLAIN, in four files.
struct Case {
    version: u32,
    statement: String,
    variant: &'static str,
    directory: PathBuf,
}

impl Case {
    fn name(&self) -> String {
        format!("{}/{}{}", self.version, self.statement, self.variant)
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.directory
            .join(format!("{}{}.{extension}", self.statement, self.variant))
    }

    fn read(&self, (extension, format): (&str, SourceFormat)) -> Vec<Plan> {
        let path = self.file(extension);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let plans = read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(
            plans.iter().all(|plan| plan.format == format),
            "{}",
            path.display()
        );
        plans.into_iter().map(|read| read.plan).collect()
    }
}

fn cases() -> Vec<Case> {
    let mut cases = BTreeMap::new();
    let corpus = plans_directory().join("corpus");
    for version in fs::read_dir(&corpus).unwrap() {
        let directory = version.unwrap().path();
        let Ok(version) = directory
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .parse::<u32>()
        else {
            continue;
        };
        for file in fs::read_dir(&directory).unwrap() {
            let path = file.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let variant = ["-analyze", "-everything"]
                .into_iter()
                .find(|suffix| stem.ends_with(suffix))
                .unwrap_or("");
            let statement = stem.strip_suffix(variant).unwrap().to_owned();
            cases.insert(
                (version, stem),
                Case {
                    version,
                    statement,
                    variant,
                    directory: directory.clone(),
                },
            );
        }
    }
    assert!(cases.len() > 400, "the corpus is not there");
    cases.into_values().collect()
}

/// All plans of a file as one tree.
fn as_value(plans: &[Plan]) -> Value {
    plans.iter().cloned().map(Value::from).collect()
}

#[test]
fn four_formats_give_the_same_tree() {
    let mut different = Vec::new();
    for case in cases() {
        let json = case.read(FORMATS[0]);
        for format in &FORMATS[1..] {
            let other = case.read(*format);
            let [expected, found] = [&json, &other].map(|plan| {
                let mut tree = as_value(plan);
                if case.variant == "-everything" {
                    without_volatile(&mut tree);
                }
                if case.statement == "parallel" {
                    without_shares_of_work(&mut tree);
                }
                match format.1 {
                    SourceFormat::Text => without_what_text_leaves_out(&mut tree),
                    SourceFormat::Xml => without_what_xml_confuses(&mut tree),
                    SourceFormat::Json | SourceFormat::Yaml => {}
                }
                tree
            });
            if found != expected {
                different.push(format!(
                    "{} {}: {}",
                    case.name(),
                    format.0,
                    first_difference("", &expected, &found)
                ));
            }
        }
    }
    assert!(
        different.is_empty(),
        "{} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}

/// The expectation that all versions and variants of a statement share.
fn expectation(statement: &str) -> Expectation {
    let path = plans_directory().join(format!("corpus/expected/{statement}.json"));
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} has to say what is expected: {error}", path.display()));
    let expectation: Expectation =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        !expectation.about.is_empty() && !expectation.nodes.is_empty(),
        "{} says nothing",
        path.display()
    );
    expectation
}

#[test]
fn every_file_says_what_is_expected_of_it() {
    let mut missing = Vec::new();
    for case in cases() {
        let expectation = expectation(&case.statement);
        for format in FORMATS {
            let plans = case.read(format);
            assert_eq!(
                plans.len(),
                expectation.plans,
                "{}.{}",
                case.name(),
                format.0
            );
            for expected in expectation.nodes.iter().filter(|node| applies(node, &case)) {
                let mut nodes = plans.iter().flat_map(Plan::nodes);
                if !nodes.any(|node| holds(&expected.has, &node.properties.clone().into())) {
                    missing.push(format!("{}.{}: {:?}", case.name(), format.0, expected.has));
                }
            }
            if !plans
                .iter()
                .any(|plan| holds(&expectation.summary, &plan.summary))
            {
                missing.push(format!(
                    "{}.{}: {:?}",
                    case.name(),
                    format.0,
                    expectation.summary
                ));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "{} are not there:\n{}",
        missing.len(),
        missing.join("\n")
    );
}

fn applies(node: &ExpectedNode, case: &Case) -> bool {
    node.since.is_none_or(|since| since <= case.version)
        && node.until.is_none_or(|until| case.version <= until)
        && node
            .only
            .as_ref()
            .is_none_or(|variants| variants.iter().any(|variant| variant == case.variant))
}

fn holds(expected: &Map<String, Value>, properties: &Map<String, Value>) -> bool {
    expected.iter().all(|(key, value)| match value {
        // "*": any value, but the property must exist.
        Value::String(any) if any == "*" => properties.contains_key(key),
        value => properties.get(key) == Some(value),
    })
}

/// The numbers of the six plans of sample 002 do not change.
#[test]
fn the_plans_of_postgresql_9_6_are_read() {
    let expected = [
        ("a-before", 933_678.35, 2),
        ("a-after", 517_832.47, 3),
        ("b-before", 10_000_929_257.68, 3),
        ("b-after", 40.93, 2),
        ("c-before", 1_582_937.44, 1),
        ("c-after", 512_479.20, 2),
    ];
    for (name, cost, nodes) in expected {
        let bytes = fs::read(plans_directory().join(format!("table-sync-9.6/{name}.txt"))).unwrap();
        let plans = read(&bytes).unwrap();
        assert_eq!(plans.len(), 1);
        assert_eq!(plans[0].format, SourceFormat::Text);
        assert_eq!(
            (plans[0].plan.total_cost().0, plans[0].plan.nodes().len()),
            (cost, nodes),
            "{name}"
        );
    }
}

/// Where two trees differ first: `/Plan/Plans/0/Filter: "x" but "y"`.
fn first_difference(path: &str, expected: &Value, found: &Value) -> String {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            let null = Value::Null;
            let differing = keys
                .into_iter()
                .filter(|key| left.get(*key) != right.get(*key));
            let one = differing.map(|key| {
                first_difference(
                    &format!("{path}/{key}"),
                    left.get(key).unwrap_or(&null),
                    right.get(key).unwrap_or(&null),
                )
            });
            one.take(3).collect::<Vec<_>>().join("; ")
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let at = left
                .iter()
                .zip(right)
                .position(|(left, right)| left != right)
                .unwrap();
            first_difference(&format!("{path}/{at}"), &left[at], &right[at])
        }
        _ => format!("{path}: {expected} but {found}"),
    }
}

/// Calls a function with every object of a tree, inner ones first.
fn for_each_object(value: &mut Value, change: &dyn Fn(&mut Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            map.values_mut()
                .for_each(|value| for_each_object(value, change));
            change(map);
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|value| for_each_object(value, change)),
        _ => {}
    }
}

/// Removes what changes from run to run; of a number only its presence remains.
fn without_volatile(tree: &mut Value) {
    for_each_object(tree, &|map| {
        map.retain(|key, _| {
            let volatile = [
                " Blocks",
                " Time",
                "Usage",
                " Used",
                " Allocated",
                "Full-sort Groups",
                "Pre-sorted Groups",
            ];
            !volatile.iter().any(|end| key.ends_with(end))
                && !key.starts_with("WAL ")
                && key != "Time"
                && key != "Timing"
        });
        if map
            .get("Planning")
            .is_some_and(|planning| *planning == Value::Object(Map::new()))
        {
            map.remove("Planning");
        }
    });
}

/// How the work is divided between workers is random.
fn without_shares_of_work(tree: &mut Value) {
    for_each_object(tree, &|map| {
        map.retain(|key, _| {
            !key.starts_with("Actual ") && !key.starts_with("Sort ") && key != "Workers"
        })
    });
}

/// XML prints `Sort-Space` for memory and for disk.
fn without_what_xml_confuses(tree: &mut Value) {
    for_each_object(tree, &|map| {
        if let Some(space) = map
            .remove("Sort Space Memory")
            .or_else(|| map.remove("Sort Space Disk"))
        {
            map.insert("Sort Space".to_owned(), space);
        }
    });
}

/// What explain.c prints only `if (es->format != EXPLAIN_FORMAT_TEXT)`, or in TEXT only if it is
/// not zero.
fn without_what_text_leaves_out(tree: &mut Value) {
    for_each_object(tree, &|map| {
        let never_executed = map.get("Actual Loops") == Some(&Value::from(0));
        let same = |now: &str, then: &str| map.get(now) == map.get(then);
        let originals = same("Hash Buckets", "Original Hash Buckets")
            && same("Hash Batches", "Original Hash Batches");
        map.retain(|key, value| {
            let is_zero = value.as_f64() == Some(0.0);
            let zeros_are_left_out = key.starts_with("Rows Removed by ")
                || key.ends_with(" Blocks")
                || key.starts_with("WAL ")
                || key.contains("I/O ")
                || ["Subplans Removed", "Planned Partitions", "Disk Usage"].contains(&key.as_str())
                || (key.starts_with("Tuples ") && key != "Tuples Inserted")
                || (never_executed && key.starts_with("Actual ") && key.ends_with(" Time"));
            let is_false_flag = *value == Value::Bool(false)
                && [
                    "Parallel Aware",
                    "Async Capable",
                    "Inner Unique",
                    "Single Copy",
                    "Disabled",
                ]
                .contains(&key.as_str());
            let is_repeated = originals && key.starts_with("Original Hash ");
            let is_empty_group = ["Triggers", "Settings", "Planning"].contains(&key.as_str())
                && (value.as_array().is_some_and(Vec::is_empty)
                    || value.as_object().is_some_and(Map::is_empty));
            // TEXT says that a join is unique only with VERBOSE, which trigger only with VERBOSE or
            // without a constraint, and the trigger's table only if there are several.
            let is_verbose = ["Inner Unique", "Trigger Name", "Relation"].contains(&key.as_str());
            let left_out = (is_zero && zeros_are_left_out)
                || is_false_flag
                || is_repeated
                || is_empty_group
                || is_verbose;
            !left_out
        });
    });
}
