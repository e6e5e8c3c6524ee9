use super::*;

fn fixture(path: &str) -> Plan {
    let full = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(path);
    crate::plan::read::plans(&std::fs::read_to_string(full).unwrap())
        .unwrap()
        .remove(0)
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn join_method() -> (Plan, Plan) {
    (
        fixture("findings/repeated-scan/bad.json"),
        fixture("findings/repeated-scan/good.json"),
    )
}

#[test]
fn another_join_method_is_told_in_80_columns() {
    let (before, after) = join_method();
    let text = Diff::new(("before.json", &before), ("after.json", &after)).text(80);
    let widest = plain(&text)
        .lines()
        .map(crate::text_layout::display_width)
        .max();
    assert!(widest <= Some(80));
    assert!(
        plain(&text).lines().all(|line| line == line.trim_end()),
        "no line ends with blanks"
    );
    insta::assert_snapshot!(plain(&text));
}

#[test]
fn spilling_is_told_as_markdown() {
    let (before, after) = (
        fixture("findings/sort-spilled/bad.json"),
        fixture("findings/sort-spilled/good.json"),
    );
    let text = Diff::new(("bad.json", &before), ("good.json", &after)).markdown(100);
    assert!(
        text.lines().all(|line| line == line.trim_end()),
        "no line ends with blanks"
    );
    insta::assert_snapshot!(text);
}

#[test]
fn json_names_the_kind_and_both_nodes() {
    let (before, after) = join_method();
    let diff = Diff::new(("a", &before), ("b", &after));
    let join = diff
        .report()
        .changes
        .iter()
        .find(|change| change.kind == ChangeKind::JoinMethod)
        .unwrap();
    assert_eq!(
        join.before.as_ref().map(|side| side.title.as_str()),
        Some("Nested Loop")
    );
    assert_eq!(
        join.after.as_ref().map(|side| side.title.as_str()),
        Some("Hash Join")
    );
    assert!(write_json(&[diff]).unwrap().contains("\"join_method\""));
}

#[test]
fn a_plan_is_the_same_as_itself() {
    let (before, _) = join_method();
    let diff = Diff::new(("a", &before), ("a", &before));
    assert!(diff.report().changes.is_empty() && diff.report().join_order.is_none());
}
