//! The page of `--format html` in a real browser: no error on the console, no network request, and
//! no violation that axe-core knows (<https://github.com/dequelabs/axe-core>), at the width of a phone and of a desktop,
//! light and dark, with everything opened.
//!
//! It needs Chromium and axe-core: `make test-browser` installs both. Without them it says so and tests
//! nothing. With `SCREENSHOTS=DIR` it also writes pictures.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop at the first surprise"
)]

#[path = "browser/chromium.rs"]
mod chromium;

use std::path::{Path, PathBuf};
use std::process::Command;

use chromium::{Chromium, Look};
use serde_json::{Value, json};

const LOOKS: [Look; 4] = [
    Look {
        name: "phone",
        width: 390,
        height: 844,
        dark: false,
    },
    Look {
        name: "phone-dark",
        width: 390,
        height: 844,
        dark: true,
    },
    Look {
        name: "desktop",
        width: 1280,
        height: 900,
        dark: false,
    },
    Look {
        name: "desktop-dark",
        width: 1280,
        height: 900,
        dark: true,
    },
];

/// axe-core's script, or why nothing can be tested.
fn axe_core() -> Result<String, String> {
    let path = std::env::var_os("AXE_CORE").ok_or("AXE_CORE does not name axe-core's script")?;
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// What the tests need; none where it is missing, which is said, or an error if `AXE_CORE` says that
/// it should be there.
fn browser() -> Option<(Chromium, String)> {
    match axe_core() {
        Ok(script) => Some((Chromium::start().unwrap(), script)),
        Err(reason) if std::env::var_os("AXE_CORE").is_none() => {
            eprintln!("NOT TESTED: the HTML report in a browser: {reason}: make test-browser");
            None
        }
        Err(reason) => panic!("{reason}"),
    }
}

/// The pages of the program, of recordings and of saved plans.
fn pages(directory: &Path) -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let sources: [(&str, &[&str]); 4] = [
        ("job-queue", &["recordings/000-job-queue-twin.json"]),
        ("gigs", &["recordings/004-gigs-and-events-twin.json"]),
        ("table-sync", &["recordings/002-table-sync.json"]),
        (
            "plans",
            &[
                "findings/sort-spilled/bad.json",
                "findings/index-filter/bad.json",
            ],
        ),
    ];
    let write = |(name, files): (&str, &[&str])| {
        let page = directory.join(format!("{name}.html"));
        let output = Command::new(env!("CARGO_BIN_EXE_pgrehearse"))
            .arg("review")
            .args(files.iter().map(|file| fixtures.join(file)))
            .args(["--format", "html", "--output"])
            .arg(&page)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        page
    };
    sources.into_iter().map(write).collect()
}

/// What axe-core objects to, one line each.
fn violations(result: &Value) -> Vec<String> {
    let found = result["violations"].as_array().unwrap().iter();
    let lines = found.flat_map(|violation| {
        let rule = violation["id"].as_str().unwrap_or_default().to_owned();
        let nodes = violation["nodes"].as_array().unwrap().clone();
        nodes
            .into_iter()
            .map(move |node| format!("{rule}: {} {}", node["html"], node["failureSummary"]))
    });
    lines.collect()
}

#[test]
fn the_page_has_no_errors_no_requests_and_no_barriers() {
    let Some((mut chromium, axe)) = browser() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let mut problems = Vec::new();
    for page in pages(directory.path()) {
        for look in LOOKS {
            let name = format!("{}-{}", page.file_stem().unwrap().display(), look.name);
            let opened = chromium.open(&page, look);
            chromium.evaluate(
                "document.querySelectorAll('details').forEach((d) => { d.open = true; })",
            );
            chromium.screenshot(&name);
            let wide = chromium.evaluate("document.documentElement.scrollWidth - innerWidth");
            if wide.as_f64().unwrap() > 0.0 {
                problems.push(format!("{name}: {wide} pixels wider than the window"));
            }
            chromium.evaluate(&axe);
            let result = chromium.evaluate("axe.run()");
            assert!(!result["passes"].as_array().unwrap().is_empty(), "axe ran");
            let found = violations(&result);
            problems.extend(found.iter().map(|problem| format!("{name}: {problem}")));
            let address = json!(format!("file://{}", page.display()));
            for event in opened.into_iter().chain(chromium.events()) {
                if let Some(problem) = problem(&event, &address) {
                    problems.push(format!("{name}: {problem}"));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A message on the console, an error, or a request for anything but the page itself.
fn problem(event: &Value, address: &Value) -> Option<String> {
    let parameters = &event["params"];
    match event["method"].as_str()? {
        "Network.requestWillBeSent" => {
            let url = &parameters["request"]["url"];
            let is_own = url == address || url.as_str().is_some_and(|url| url.starts_with("data:"));
            (!is_own).then(|| format!("requests {url}"))
        }
        "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded" => {
            Some(parameters.to_string())
        }
        _ => None,
    }
}

#[test]
fn what_is_not_the_page_is_a_problem() {
    let address = json!("file:///p.html");
    let request = |url: &str| json!({"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}});
    assert_eq!(problem(&request("file:///p.html"), &address), None);
    assert!(problem(&request("https://example.org/x.js"), &address).is_some());
    let logged = json!({"method": "Log.entryAdded", "params": {"entry": {"text": "blocked"}}});
    assert!(problem(&logged, &address).is_some());
}
