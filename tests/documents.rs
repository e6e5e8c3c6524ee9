//! The documents are held to the tree: what they name is there.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// Words in backquotes that look like paths of this tree.
fn paths(text: &str) -> Vec<String> {
    let quoted = Regex::new(r"`([A-Za-z0-9_.][A-Za-z0-9_.*/-]*)`").unwrap();
    let looks_like_a_path = |word: &str| {
        word.contains('/')
            || word.ends_with(".rs")
            || word.ends_with(".md")
            || word.ends_with(".toml")
    };
    quoted
        .captures_iter(text)
        .map(|found| found[1].to_owned())
        .filter(|word| looks_like_a_path(word))
        .collect()
}

#[test]
fn every_path_in_the_documents_exists() {
    for document in ["ARCHITECTURE.md", "README.md"] {
        let found = paths(&read(document));
        assert!(
            document != "ARCHITECTURE.md" || found.len() > 20,
            "{found:?}"
        );
        for path in found {
            let path = path.trim_end_matches("/*");
            assert!(root().join(path).exists(), "{document} names {path}");
        }
    }
}

#[test]
fn every_room_and_every_dependency_is_in_the_architecture() {
    let architecture = read("ARCHITECTURE.md");
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(room) = name
            .strip_suffix(".rs")
            .filter(|room| !matches!(*room, "lib" | "main"))
        {
            assert!(
                architecture.contains(&format!("`src/{room}.rs`")),
                "the room {room} is missing"
            );
        }
    }
    let manifest: String = read("Cargo.toml")
        .split("[dependencies]")
        .nth(1)
        .unwrap()
        .split("[[bench]]")
        .next()
        .unwrap()
        .to_owned();
    let dependency = Regex::new(r"(?m)^([a-z0-9_-]+) *=").unwrap();
    for found in dependency.captures_iter(&manifest) {
        assert!(
            architecture.contains(&format!("`{}`", &found[1])),
            "the reason for {} is missing",
            &found[1]
        );
    }
}

/// Rules a grep can check: who may name what.
#[test]
fn rooms_keep_to_themselves() {
    let source = |path: &Path| fs::read_to_string(path).unwrap();
    let mut waiting = vec![root().join("src")];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let name = path
            .strip_prefix(root().join("src"))
            .unwrap()
            .display()
            .to_string();
        let text = source(&path);
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        for (word, room) in [
            ("tokio", "db"),
            ("sqlparser::", "sql"),
            ("ratatui::", "tui"),
            ("crossterm::", "tui"),
            ("indicatif::", "terminal"),
            ("async ", "db"),
        ] {
            let allowed = name == format!("{room}.rs") || name.starts_with(&format!("{room}/"));
            // The report's width is the terminal's; its events are the interface's alone.
            let code = if name == "terminal.rs" {
                code.replace("crossterm::terminal::size", "")
            } else {
                code.clone()
            };
            assert!(
                allowed || !code.contains(word),
                "{name} names {word}, which belongs to {room}"
            );
        }
        let is_screen = name.starts_with("tui/") && name != "tui/tests.rs";
        assert!(
            !is_screen || !code.contains("crate::db"),
            "{name}: the interface knows no server, only its Backend"
        );
    }
}

#[test]
fn options_in_the_readme_exist() {
    let help = Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
        .args(["advise", "--help"])
        .output()
        .unwrap();
    let all: String = ["advise", "explain", "review", "demo"]
        .map(|command| {
            let help = Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
                .args([command, "--help"])
                .output()
                .unwrap();
            String::from_utf8(help.stdout).unwrap()
        })
        .concat();
    assert!(help.status.success());
    let readme = read("README.md");
    let option = Regex::new(r"pgrehearse [^\n`]*?(--[a-z][a-z-]+)").unwrap();
    let word = Regex::new(r"--[a-z][a-z-]+").unwrap();
    let mut seen = 0;
    for line in readme.lines().filter(|line| line.contains("pgrehearse ")) {
        for found in word.find_iter(line).filter(|_| option.is_match(line)) {
            assert!(
                all.contains(found.as_str()),
                "{} in: {line}",
                found.as_str()
            );
            seen += 1;
        }
    }
    assert!(seen > 5, "the README shows options");
}
