//! A small shop: tables, statements, a twin file of it, and copies to migrate.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::live::{Database, connect, program, text_of};

pub const QUERIES: &str = include_str!("shop-queries.sql");

/// The database and its twin file; made once.
pub struct Shop {
    pub directory: TempDir,
    pub twin: PathBuf,
    pub queries: PathBuf,
}

/// The shop.
pub fn shop() -> &'static Shop {
    static SHOP: OnceLock<Shop> = OnceLock::new();
    SHOP.get_or_init(|| {
        let database = Database::new("check_shop", "");
        // VACUUM runs in no transaction.
        let mut client = database.client();
        for statement in include_str!("shop.sql").split(";\n") {
            if !statement.trim().is_empty() {
                client.batch_execute(statement).unwrap();
            }
        }
        drop(client);
        let directory = tempfile::tempdir().unwrap();
        let queries = directory.path().join("queries.sql");
        std::fs::write(&queries, QUERIES).unwrap();
        let twin = directory.path().join("shop.twin");
        let output = database
            .program(&["snapshot", "-f", queries.to_str().unwrap()])
            .args(["-o", twin.to_str().unwrap()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text_of(&output));
        Shop {
            directory,
            twin,
            queries,
        }
    })
}

impl Shop {
    /// `check` of this migration against the twin file.
    pub fn check(&self, name: &str, migration: &str, options: &[&str]) -> Command {
        let file = self.directory.path().join(format!("{name}.sql"));
        std::fs::write(&file, migration).unwrap();
        let mut command = program();
        command
            .args(["check", "--snapshot", self.twin.to_str().unwrap()])
            .args(["--migrate", file.to_str().unwrap()])
            .args(options);
        command
    }

    /// The JSON report of `check`.
    pub fn report(&self, name: &str, migration: &str) -> Value {
        let output = self
            .check(name, migration, &["--format", "json"])
            .output()
            .unwrap();
        let report = serde_json::from_slice(&output.stdout);
        report.unwrap_or_else(|error| panic!("{name}: {error}: {}", text_of(&output)))
    }

    /// A copy of the database.
    pub fn copy(&self, name: &str) -> Database {
        let name = format!("check_copy_{name}");
        let mut client = connect("postgres");
        for sql in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name} TEMPLATE check_shop"),
        ] {
            client.batch_execute(&sql).unwrap();
        }
        Database { name }
    }
}
