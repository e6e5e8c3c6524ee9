//! Checks the documents against the tree: the files and options they name must exist.

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
        // A file of the user.
        .filter(|word| !["pgrehearse.toml", ".cursor/mcp.json"].contains(&word.as_str()))
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
    let manifest = read("Cargo.toml");
    let dependency = Regex::new(r"(?m)^([a-z0-9_-]+) *=").unwrap();
    let names: Vec<&str> = ["dependencies", "dev-dependencies"]
        .into_iter()
        .flat_map(|section| dependency.captures_iter(section_of(&manifest, section)))
        .map(|found| found.extract::<1>().1[0])
        .filter(|name| *name != "pgrehearse")
        .collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        assert!(
            architecture.contains(&format!("`{name}`")),
            "the reason for {name} is missing"
        );
    }
}

/// The text of the section `[name]`.
fn section_of<'text>(manifest: &'text str, name: &str) -> &'text str {
    let (_, below) = manifest.split_once(&format!("\n[{name}]\n")).unwrap();
    below
        .split_once("\n[")
        .map_or(below, |(section, _)| section)
}

/// The chapters of the guide that are not made from the code.
fn chapters() -> Vec<String> {
    let files = fs::read_dir(root().join("docs")).unwrap();
    let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut chapters: Vec<String> = names
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .map(|name| format!("docs/{name}"))
        .collect();
    chapters.sort();
    chapters
}

#[test]
fn every_chapter_is_in_the_summary_and_every_link_leads_somewhere() {
    let summary = read("docs/SUMMARY.md");
    let link = Regex::new(r"\]\(([^)#:]+)(?:#[^)]*)?\)").unwrap();
    let mut seen = 0;
    for chapter in chapters() {
        let name = chapter.trim_start_matches("docs/");
        assert!(summary.contains(&format!("({name})")), "{name} is missing");
        for found in link.captures_iter(&read(&chapter)) {
            assert!(
                root().join("docs").join(&found[1]).exists(),
                "{chapter}: {}",
                &found[1]
            );
            seen += 1;
        }
    }
    for found in link.captures_iter(&summary) {
        assert!(
            root().join("docs").join(&found[1]).exists(),
            "{}",
            &found[1]
        );
    }
    for found in link.captures_iter(&read("README.md")) {
        assert!(root().join(&found[1]).exists(), "README.md: {}", &found[1]);
        seen += 1;
    }
    assert!(seen > 20, "{seen} links");
}

#[test]
fn options_in_the_readme_and_the_guide_exist() {
    let help = Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
        .args(["advise", "--help"])
        .output()
        .unwrap();
    let commands = [
        "advise", "check", "compare", "config", "demo", "explain", "mcp", "man", "review",
        "snapshot", "watch",
    ];
    let all: String = commands
        .map(|command| {
            let help = Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
                .args([command, "--help"])
                .output()
                .unwrap();
            String::from_utf8(help.stdout).unwrap()
        })
        .concat();
    assert!(help.status.success());
    let guide = chapters().into_iter().map(|chapter| read(&chapter));
    let readme = guide.fold(read("README.md"), |all, chapter| all + &chapter);
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
