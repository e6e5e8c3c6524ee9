//! What somebody proposes, and the program as one who does.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use pgrehearse::internals::model::Bytes;
use serde::Serialize;
use serde_json::Value;

/// A set of indexes, and what it took to find it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Proposal {
    /// What to run, in order.
    pub statements: Vec<String>,
    /// What to write in place of a statement, by its name.
    pub rewrites: BTreeMap<String, String>,
    /// The sum of the sizes it was told to have.
    pub predicted_bytes: u64,
    pub wall_s: f64,
    pub twin_explains: u64,
    pub server_explains: u64,
    pub real_builds: u64,
    /// How many indexes rest on which evidence.
    pub evidence: BTreeMap<String, usize>,
    /// Statements that it could not plan.
    pub failed: Vec<String>,
}

/// One question to an advisor.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    pub conninfo: &'a str,
    pub workload: &'a str,
    pub budget: Option<Bytes>,
}

/// The program, run as a user would, with limits that let it build on large tables.
pub struct Program<'a> {
    pub file: Option<&'a Path>,
    pub options: &'a [String],
}

const ROOM: &[&str] = &[
    "--max-table-size",
    "1TB",
    "--max-write-block",
    "2h",
    "--statement-timeout",
    "1h",
];

impl Program<'_> {
    pub fn advise(&self, task: Task<'_>) -> Proposal {
        self.ask(task).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Or what the program says when it fails.
    pub fn ask(&self, task: Task<'_>) -> Result<Proposal, String> {
        let mut workload = tempfile::Builder::new().suffix(".sql").tempfile().unwrap();
        workload.write_all(task.workload.as_bytes()).unwrap();
        let program = self.file.map_or_else(
            || PathBuf::from(env!("CARGO_BIN_EXE_pgrehearse")),
            Path::to_owned,
        );
        let mut command = Command::new(program);
        command
            .args([
                "advise",
                "--format",
                "json",
                "--quiet",
                "-d",
                task.conninfo,
                "-f",
            ])
            .arg(workload.path());
        command.args(ROOM).args(self.options);
        if let Some(budget) = task.budget {
            command.arg("--budget").arg(format!("{}B", budget.0));
        }
        let began = Instant::now();
        let output = command.output().unwrap();
        let wall_s = began.elapsed().as_secs_f64();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}\n{said}", output.status));
        }
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        Ok(Proposal {
            wall_s,
            ..proposal(&report)
        })
    }
}

fn proposal(report: &Value) -> Proposal {
    let recommendations: Vec<&Value> = report["recommendations"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    let statements = recommendations
        .iter()
        .flat_map(|index| index["statements"].as_array().unwrap());
    let size = |index: &&Value| {
        index["predicted_size_bytes"]
            .as_u64()
            .or(index["size_bytes"].as_u64())
            .unwrap()
    };
    let mut evidence: BTreeMap<String, usize> = BTreeMap::new();
    for index in &recommendations {
        *evidence
            .entry(index["evidence"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    let failed = report["workload"]["statements"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["status"] != "planned");
    // Older programs do not tell how often they asked.
    let count = |name: &str| report["rehearsal"][name].as_u64().unwrap_or_default();
    Proposal {
        statements: statements
            .map(|statement| statement.as_str().unwrap().to_owned())
            .collect(),
        rewrites: rewrites(report),
        predicted_bytes: recommendations.iter().map(size).sum(),
        wall_s: 0.0,
        twin_explains: count("twin_explains"),
        server_explains: count("server_explains"),
        real_builds: count("indexes_built"),
        evidence,
        failed: failed
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect(),
    }
}

/// Older programs know no remedies.
fn rewrites(report: &Value) -> BTreeMap<String, String> {
    let remedies = report["remedies"].as_array().into_iter().flatten();
    let mut rewrites = BTreeMap::new();
    for remedy in remedies.filter(|remedy| remedy["kind"] == "rewrite") {
        // Those before it are its indexes, which are recommended, too.
        let sql = remedy["statements"].as_array().unwrap().last().unwrap();
        for benefit in remedy["benefits"].as_array().unwrap() {
            let statement = benefit["statement"].as_str().unwrap();
            rewrites.insert(statement.to_owned(), sql.as_str().unwrap().to_owned());
        }
    }
    rewrites
}
