//! The pages of `docs/findings`: one for each rule, written from its metadata and its examples in
//! `fixtures/findings`. `WRITE_PAGES=1 cargo test --lib finding::tests::pages` writes them.

use std::fmt::Write as _;

use super::*;

fn pages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/findings")
}

/// The first letter in upper case.
fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}

fn page(rule: &Rule) -> String {
    let directory = directory().join(rule.name);
    let files = names_in(&directory);
    let kind = |kind: &'static str| {
        files
            .iter()
            .filter(move |file| file.starts_with(kind) && is_plan(file))
            .collect::<Vec<_>>()
    };
    let (bad, good) = (kind("bad"), kind("good"));
    let mut page = format!("# {}\n\n", rule.name);
    let _ = writeln!(page, "{}: {}.\n", capital(rule.looks_for), rule.why);
    let _ = writeln!(page, "- Severity: up to {}", rule.max_severity.name());
    let _ = writeln!(page, "- PostgreSQL's documentation: <{}>", rule.source);
    let _ = writeln!(
        page,
        "- Tested with {} that must have this finding and {} that must not\n",
        counted(bad.len()),
        good.len()
    );
    page.push_str("## Example\n\n");
    let simple = bad.iter().find(|file| file.as_str() == "bad.json");
    let first = simple.unwrap_or(&bad[0]);
    write_example(&mut page, rule, &directory, first);
    if let Some(sql) = statement(&directory, good[0]) {
        let _ = writeln!(page, "No finding for\n\n```sql\n{sql}\n```");
    }
    page.trim_end().to_owned() + "\n"
}

fn counted(plans: usize) -> String {
    format!("{plans} plan{}", if plans == 1 { "" } else { "s" })
}

/// The statement of a plan that `scripts/finding-fixtures.sh` made, without its EXPLAIN.
fn statement(directory: &Path, plan: &str) -> Option<String> {
    let sql = fs::read_to_string(directory.join(plan.replace(".json", ".sql"))).ok()?;
    let lines = sql.lines().filter(|line| !line.starts_with("explain ("));
    Some(lines.collect::<Vec<_>>().join("\n").trim().to_owned())
}

fn write_example(page: &mut String, rule: &Rule, directory: &Path, file: &str) {
    if let Some(sql) = statement(directory, file) {
        let _ = writeln!(page, "```sql\n{sql}\n```\n");
    }
    let plan = read_plan(&directory.join(file));
    let findings = findings(&plan, None);
    let finding = findings
        .iter()
        .find(|finding| finding.rule == rule.name)
        .unwrap_or_else(|| panic!("{}/{file} has no finding", rule.name));
    let node = plan.node(finding.node);
    let _ = writeln!(page, "```text\n{}", node.title());
    for (label, value) in node.details() {
        let _ = writeln!(page, "  {label}: {value}");
    }
    let _ = writeln!(
        page,
        "```\n\n> **{}**: {}\n",
        finding.severity.name(),
        finding.message
    );
    if let Some(action) = &finding.action {
        let _ = writeln!(page, "```sql\n{action}\n```\n");
    }
}

fn index() -> String {
    let mut index = String::from(
        "# Findings\n\nWhat `pgrehearse review` and `pgrehearse explain` say about plans. These pages are written from the rules and their test \
         plans.\n\n| finding | what it looks for |\n|---|---|\n",
    );
    for rule in RULES {
        let _ = writeln!(index, "| [{0}]({0}.md) | {1} |", rule.name, rule.looks_for);
    }
    index
}

#[test]
fn each_rule_has_a_page_that_is_up_to_date() {
    let mut expected: Vec<(String, String)> = RULES
        .iter()
        .map(|rule| (format!("{}.md", rule.name), page(rule)))
        .collect();
    expected.push(("README.md".to_owned(), index()));
    if std::env::var_os("WRITE_PAGES").is_some() {
        fs::create_dir_all(pages()).unwrap();
        for (name, text) in &expected {
            fs::write(pages().join(name), text).unwrap();
        }
    }
    let names: BTreeSet<String> = expected.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, names_in(&pages()), "docs/findings has other pages");
    for (name, text) in expected {
        let found = fs::read_to_string(pages().join(&name)).unwrap();
        assert!(
            found == text,
            "docs/findings/{name} is out of date; WRITE_PAGES=1 cargo test --lib pages writes it"
        );
    }
}
