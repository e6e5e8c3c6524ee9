//! Writes the bill of materials of the program (CycloneDX 1.6, <https://cyclonedx.org/docs/1.6/json/>) to standard
//! output: the crates that it is built from, with versions, licences and the checksums of Cargo.lock.
//! `cargo run --example sbom -- x86_64-unknown-linux-musl` leaves out what that target does not have.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool of the project itself"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

fn main() {
    let target = std::env::args().nth(1);
    let metadata = metadata(target.as_deref());
    let checksums = checksums(include_str!("../Cargo.lock"));
    let root = metadata["resolve"]["root"].as_str().unwrap();
    let packages: BTreeMap<&str, &Value> = list(&metadata["packages"])
        .map(|package| (package["id"].as_str().unwrap(), package))
        .collect();
    let edges = edges(&metadata);
    let used = reachable(root, &edges);
    let reference = |id: &str| purl(packages[id]);
    let components = used.iter().filter(|id| **id != root);
    let components: Vec<Value> = components
        .map(|id| component(packages[id], "library", &checksums))
        .collect();
    let dependencies: Vec<Value> = used
        .iter()
        .map(|id| {
            let on: Vec<String> = edges[id].iter().map(|id| reference(id)).collect();
            json!({"ref": reference(id), "dependsOn": on})
        })
        .collect();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(packages[root], "application", &checksums)},
        "components": components,
        "dependencies": dependencies,
    });
    println!("{bill:#}");
}

fn metadata(target: Option<&str>) -> Value {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["metadata", "--format-version=1", "--locked"]);
    if let Some(target) = target {
        command.args(["--filter-platform", target]);
    }
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// What each package needs to be built and to run; not what only its tests need.
fn edges(metadata: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    let is_needed =
        |dependency: &&Value| list(&dependency["dep_kinds"]).any(|kind| kind["kind"] != "dev");
    let of = |node: &'_ Value| -> BTreeSet<String> {
        let needed = list(&node["deps"]).filter(is_needed);
        needed
            .map(|dependency| dependency["pkg"].as_str().unwrap().to_owned())
            .collect()
    };
    let nodes: Vec<(&str, BTreeSet<String>)> = list(&metadata["resolve"]["nodes"])
        .map(|node| (node["id"].as_str().unwrap(), of(node)))
        .collect();
    let ids: BTreeSet<&str> = nodes.iter().map(|(id, _)| *id).collect();
    let known = |wanted: &BTreeSet<String>| {
        ids.iter()
            .copied()
            .filter(|id| wanted.contains(*id))
            .collect()
    };
    nodes
        .iter()
        .map(|(id, wanted)| (*id, known(wanted)))
        .collect()
}

fn reachable<'m>(root: &'m str, edges: &BTreeMap<&'m str, BTreeSet<&'m str>>) -> BTreeSet<&'m str> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![root];
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            waiting.extend(edges[id].iter().copied().filter(|id| !seen.contains(id)));
        }
    }
    seen
}

fn purl(package: &Value) -> String {
    let (name, version) = (package["name"].as_str(), package["version"].as_str());
    format!("pkg:cargo/{}@{}", name.unwrap(), version.unwrap())
}

fn component(package: &Value, kind: &str, checksums: &BTreeMap<(String, String), String>) -> Value {
    let (name, version) = (&package["name"], &package["version"]);
    let mut component = json!({
        "type": kind,
        "bom-ref": purl(package),
        "name": name,
        "version": version,
        "purl": purl(package),
    });
    if let Some(licence) = package["license"].as_str() {
        component["licenses"] = json!([{"expression": licence.replace('/', " OR ")}]);
    }
    let key = (
        name.as_str().unwrap().to_owned(),
        version.as_str().unwrap().to_owned(),
    );
    if let Some(checksum) = checksums.get(&key) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    component
}

/// The SHA-256 sums of the crates' archives, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let lock: toml::Table = lock.parse().unwrap();
    let packages = lock["package"].as_array().unwrap().iter();
    let text = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    packages
        .filter_map(|package| {
            let key = (text(package, "name")?, text(package, "version")?);
            Some((key, text(package, "checksum")?))
        })
        .collect()
}
