//! Ways in which people paste plans: each gives, node for node, the tree of the plan as the server
//! printed it. And what is missing is told.

use super::*;
use crate::plan::read::warning::{Warning, WarningKind};

/// Plans of real servers (fixtures/plans/corpus), as psql prints them without a frame.
fn plans() -> Vec<String> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/plans/corpus/16");
    let mut plans: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .filter(|text| {
            text.contains("(actual ")
                && text.lines().count() >= 4
                && read_text(text).unwrap().len() == 1
        })
        .collect();
    plans.sort_by_key(|text| (text.len(), text.clone()));
    plans.dedup();
    let step = plans.len() / 10;
    plans.into_iter().step_by(step).take(10).collect()
}

/// A way of pasting: its name, and what it makes of a plan.
type Way = (&'static str, fn(&str) -> String);

fn each(text: &str, wrap: impl Fn(usize, &str) -> String) -> String {
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(index, line)| wrap(index, line))
        .collect();
    lines.join("\n") + "\n"
}

fn rows(text: &str) -> Vec<serde_json::Value> {
    text.lines()
        .map(|line| json!({ "QUERY PLAN": line }))
        .collect()
}

fn python(text: &str) -> String {
    format!(
        "'{}'",
        text.replace('\\', "\\\\")
            .replace('\'', "\\'")
            .replace('\n', "\\n")
    )
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn boxed(text: &str) -> String {
    let width = text
        .lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0);
    let rule = "═".repeat(width + 2);
    let body = each(text, |_, line| format!("║ {line:width$} ║"));
    format!(
        "╔{rule}╗\n║ {:^width$} ║\n╠{rule}╣\n{body}╚{rule}╝\n(9 rows)\n",
        "QUERY PLAN"
    )
}

const WAYS: &[Way] = &[
    ("as it is", str::to_owned),
    ("prompt", |text| {
        format!(
            "[local] eva@mill=# EXPLAIN ANALYZE SELECT 1;\n QUERY PLAN\n------------\n{}(3 rows)\n",
            each(text, |_, line| format!(" {line}"))
        )
    }),
    ("box", boxed),
    ("bars behind", |text| {
        format!(
            "QUERY PLAN   |\n-------------+\n{}",
            each(text, |_, line| format!("{line}  |"))
        )
    }),
    ("process", |text| {
        each(text, |_, line| format!("[40213] {line}"))
    }),
    ("console of an editor", |text| {
        format!("[2026-03-02 08:15:00] 9 rows retrieved starting from 1 in 40 ms\n{text}")
    }),
    ("mail", |text| each(text, |_, line| format!("> > {line}"))),
    ("SQL comment", |text| {
        each(text, |_, line| format!("-- {line}"))
    }),
    ("shell comment", |text| {
        each(text, |_, line| format!("# {line}"))
    }),
    ("fence", |text| format!("look:\n```\n{text}```\nthanks\n")),
    ("fence on the line", |text| {
        format!("10:42\n```{}```\n", text.trim_end())
    }),
    ("Jira", |text| {
        format!("h2. Slow\n{{noformat}}\n{text}{{noformat}}\n")
    }),
    ("Jira code", |text| format!("{{code:sql}}{text}{{code}}\n")),
    ("forum", |text| format!("[code]\n{text}[/code]\nbye\n")),
    ("numbers", |text| {
        each(text, |index, line| format!("{}. {line}", index + 1))
    }),
    ("cat -n", |text| {
        each(text, |index, line| format!("{:6}\t{line}", index + 1))
    }),
    ("grep -n", |text| {
        each(text, |index, line| format!("{}:{line}", index + 1))
    }),
    ("colours", |text| {
        each(text, |_, line| format!("\u{1b}[1;32m{line}\u{1b}[0m"))
    }),
    ("lost escapes", |text| {
        each(text, |_, line| format!("[1m{line}[0m"))
    }),
    ("other blanks", |text| {
        each(text, |_, line| {
            let indent = line.len() - line.trim_start().len();
            format!("{}{}", "\u{a0}".repeat(indent), line.trim_start())
        })
    }),
    ("entities", html),
    ("preformatted", |text| {
        format!("<html><body><pre>\n{}</pre></body></html>\n", html(text))
    }),
    ("breaks", |text| {
        each(text, |_, line| {
            format!("{}<br>", html(line).replace("  ", "&nbsp;&nbsp;"))
        })
    }),
    ("arrows", |text| text.replace("->  ", "→  ")),
    ("long arrows", |text| text.replace("->  ", "–>  ")),
    ("escaped arrows", |text| text.replace("->  ", "-&gt;  ")),
    ("three dots", |text| text.replace("..", "…")),
    ("decimal commas", |text| {
        each(text, |_, line| {
            let (title, numbers) = line.split_once("  (cost=").unwrap_or((line, ""));
            if numbers.is_empty() {
                return line.to_owned();
            }
            let commas = numbers
                .replace("..", "\u{0}")
                .replace('.', ",")
                .replace('\u{0}', "..");
            // Fractions of rows exist from 18 on only.
            format!("{title}  (cost={commas}")
        })
    }),
    ("double quotes", |text| {
        each(text, |_, line| format!("\"{}\"", line.replace('"', "\"\"")))
    }),
    ("one string", |text| format!("{}\n", json!(text))),
    ("rows in JSON", |text| json!(rows(text)).to_string()),
    ("rows of a service", |text| {
        json!({"data": {"rows": rows(text)}}).to_string()
    }),
    ("list of lines", |text| {
        json!(text.lines().collect::<Vec<_>>()).to_string()
    }),
    ("tuples", |text| {
        format!(
            "[{}]",
            text.lines()
                .map(|line| format!("({},)", python(line)))
                .collect::<Vec<_>>()
                .join(", ")
        )
    }),
    ("rows of a driver", |text| {
        format!(
            "[{}]",
            text.lines()
                .map(|line| format!("RealDictRow([('QUERY PLAN', {})])", python(line)))
                .collect::<Vec<_>>()
                .join(", ")
        )
    }),
    ("carriage returns", |text| text.replace('\n', "\r\n")),
    ("double spacing", |text| text.replace('\n', "\n\n")),
    ("mail of a table", |text| {
        each(&boxed(text), |_, line| format!("> {line}"))
    }),
    ("JSON of a fence", |text| {
        json!({"message": format!("look\n```\n{text}```")}).to_string()
    }),
];

/// Each line of the plan with this before and after it.
fn around(text: &str, before: &str, after: &str) -> String {
    each(text, |_, line| format!("{before}{line}{after}"))
}

fn quoted(line: &str) -> String {
    json!(line).to_string()
}

fn mapped(text: &str, separator: &str, wrap: impl Fn(&str) -> String) -> String {
    text.lines().map(wrap).collect::<Vec<_>>().join(separator)
}

/// What stands before and after each line of a plan, and lines in string literals of programs.
const MARGINS: &[Way] = &[
    ("rows of a sheet", |text| {
        each(text, |index, line| {
            format!("{};\"{}\"", index + 1, line.replace('"', "\"\""))
        })
    }),
    ("edited message", |text| {
        format!("{} (edited)\n10:32\n", text.trim_end())
    }),
    ("time of a message", |text| {
        text.replacen('\n', "  10:31 AM\n", 1)
    }),
    ("callouts", |text| {
        format!("----\n{}----\n<1> here\n", text.replacen('\n', " <1>\n", 1))
    }),
    ("nick", |text| around(text, "<ana> ", "")),
    ("time and nick", |text| around(text, "[10:31] <ana> ", "")),
    ("log of a chat", |text| {
        around(text, "10:31:02    ana | ", "")
    }),
    ("document's table", |text| {
        format!("QUERY PLAN\t\n{}", around(text, "", "\t"))
    }),
    ("statements", |text| {
        each(text, |_, line| {
            format!(
                "INSERT INTO \"table\" (\"QUERY PLAN\") VALUES ('{}');",
                line.replace('\'', "''")
            )
        })
    }),
    ("records", |text| {
        each(text, |index, line| {
            format!("-[ RECORD {} ]-----\nQUERY PLAN | {line}", index + 1)
        })
    }),
    ("records of another client", |text| {
        each(text, |index, line| {
            format!("****** {}. row ******\nQUERY PLAN: {line}", index + 1)
        })
    }),
    ("Rails", |text| {
        format!(
            "EXPLAIN for: SELECT a.* FROM a WHERE a.b = $1 [[\"b\", 1]]\n QUERY PLAN\n------------\n{}(3 rows)\n",
            around(text, " ", "")
        )
    }),
    ("suggestion", |text| format!("```suggestion\n{text}```\n")),
    ("reStructuredText", |text| {
        format!(
            ".. code-block:: text\n   :linenos:\n\n{}",
            around(text, "   ", "")
        )
    }),
    ("item of a list", |text| {
        format!("1. The plan:\n   ```\n{}   ```\n", around(text, "   ", ""))
    }),
    ("LaTeX", |text| {
        format!("\\begin{{verbatim}}\n{text}\\end{{verbatim}}\n")
    }),
    ("comment of C", |text| around(text, "// ", "")),
    ("comment of Java", |text| {
        format!("/**\n{} */\n", around(text, " * ", ""))
    }),
    ("ends shown", |text| around(text, "", "$")),
    ("data frame", |text| {
        format!(
            "    QUERY PLAN\n{}",
            each(text, |index, line| format!("{index:<4}{line}"))
        )
    }),
    ("container", |text| around(text, "db-1  | ", "")),
    ("pod", |text| around(text, "[pod/pg-0/postgres] ", "")),
    ("time of CI", |text| {
        each(text, |index, line| {
            format!(
                "2026-03-01T10:00:{:02}.{}Z {line}",
                index % 60,
                7 + index * 13
            )
        })
    }),
    ("time in brackets", |text| {
        each(text, |index, line| {
            format!("[10:00:01.{}] {line}", 9 + index)
        })
    }),
    ("logger", |text| {
        around(text, "2026-03-01 10:00:01,123 INFO app.db: ", "")
    }),
    ("logger of Java", |text| {
        around(
            text,
            "2026-03-01 10:00:01.123  INFO 1 --- [main] c.e.Db : ",
            "",
        )
    }),
    ("journal", |text| {
        around(text, "Mar 01 10:00:01 db1 psql[33]: ", "")
    }),
    ("notices", |text| {
        around(text, "psql:x.sql:3: NOTICE:  ", "")
    }),
    ("diff", |text| {
        format!(
            "--- /dev/null\n+++ b/p.txt\n@@ -0,0 +1,9 @@\n{}",
            around(text, "+", "")
        )
    }),
    ("Org", |text| {
        format!("#+begin_example\n{}#+end_example\n", around(text, ": ", ""))
    }),
    ("bar behind", |text| {
        each(text, |_, line| format!("{line:150}│"))
    }),
    ("pager", |text| {
        format!(
            "─────┬────────\n     │ File: p.txt\n─────┼────────\n{}─────┴────────\n",
            each(text, |index, line| format!("{:4} │ {line}", index + 1))
        )
    }),
    ("Jira's table", |text| {
        format!(
            "||QUERY PLAN||\n{}",
            around(&text.replace('|', "\\|"), "|", "|")
        )
    }),
    ("code in cells", |text| {
        format!(
            "| QUERY PLAN |\n|:---|\n{}",
            around(&text.replace('|', "\\|"), "| `", "` |")
        )
    }),
    ("console.table", |text| {
        let rows = each(text, |index, line| format!("│ {index:<7} │ '{line}'   │"));
        format!(
            "┌─────────┬──────┐\n│ (index) │ QUERY PLAN │\n├─────────┼──────┤\n{rows}└─────────┴──────┘\n"
        )
    }),
    ("maps of Go", |text| around(text, "map[QUERY PLAN:", "]")),
    ("maps of Java", |text| {
        format!(
            "[{}]\n",
            mapped(text, ", ", |line| format!("{{QUERY PLAN={line}}}"))
        )
    }),
    ("arrays of PHP", |text| {
        let rows = each(text, |index, line| {
            format!(
                "    [{index}] => Array\n        (\n            [QUERY PLAN] => {line}\n        )\n"
            )
        });
        format!("Array\n(\n{rows})\n")
    }),
    ("dump of PHP", |text| {
        each(text, |index, line| {
            format!(
                "  [{index}]=>\n  array(1) {{\n    [\"QUERY PLAN\"]=>\n    string({}) \"{line}\"\n  }}",
                line.len()
            )
        })
    }),
    ("INSERT", |text| {
        each(text, |_, line| {
            format!(
                "INSERT INTO \"EXPLAIN SELECT 1\" (\"QUERY PLAN\") VALUES ('{}');",
                line.replace('\'', "''")
            )
        })
    }),
    ("strings in lines", |text| {
        each(text, |_, line| format!("\t{},", quoted(line)))
    }),
    ("strings that are joined", |text| {
        each(text, |_, line| {
            format!("    + {}", quoted(&format!("{line}\n")))
        })
    }),
    ("strings of Python", |text| {
        format!(
            "plan = (\n{})\n",
            each(text, |_, line| format!(
                "    {}",
                python(&format!("{line}\n"))
            ))
        )
    }),
    ("tuples in lines", |text| {
        each(text, |_, line| format!("({},)", python(line)))
    }),
    ("pretty-printed tuples", |text| {
        format!(
            "[{}]\n",
            mapped(text, ",\n ", |line| format!("({},)", python(line)))
        )
    }),
    ("records", |text| {
        format!(
            "[{}]\n",
            mapped(text, ", ", |line| format!(
                "<Record QUERY PLAN={}>",
                python(line)
            ))
        )
    }),
    ("lines of JSON", |text| {
        each(text, |_, line| json!({ "QUERY PLAN": line }).to_string())
    }),
    ("result of Elixir", |text| {
        format!(
            "%Postgrex.Result{{columns: [\"QUERY PLAN\"], command: :explain, rows: [{}]}}\n",
            mapped(text, ", ", |line| format!("[{}]", quoted(line)))
        )
    }),
    ("hashes of Ruby", |text| {
        format!(
            "[{}]\n",
            mapped(text, ", ", |line| format!(
                "{{\"QUERY PLAN\"=>{}}}",
                quoted(line)
            ))
        )
    }),
    ("verbatim string", |text| {
        format!("var plan = @\"{}\";\n", text.replace('"', "\"\""))
    }),
    ("field of a logger", |text| {
        format!(
            "time=\"10:00\" level=info msg={} component=db\n",
            quoted(text)
        )
    }),
    ("literal of TOML", |text| {
        format!("[[plan]]\ntext = \'\'\'\n{text}\'\'\'\n")
    }),
    ("wiki", |text| {
        format!("<ac:macro ac:name=\"code\"><ac:body><![CDATA[{text}]]></ac:body></ac:macro>\n")
    }),
    ("table of HTML", |text| {
        format!(
            "<table border=\"1\">\n{}</table>\n",
            each(text, |_, line| {
                let indent = line.len() - line.trim_start().len();
                format!(
                    "  <tr>\n    <td>{}{}</td>\n  </tr>",
                    "&nbsp;".repeat(indent),
                    html(line.trim_start())
                )
            })
        )
    }),
    ("mail as it is sent", |text| {
        format!(
            "Content-Transfer-Encoding: quoted-printable\n\n{}",
            each(text, |_, line| {
                let encoded: Vec<char> = line.replace('=', "=3D").chars().collect();
                mapped_chunks(&encoded)
            })
        )
    }),
    ("chat", |text| {
        format!("[Yesterday 16:10] Eva\n{text}\nlike 1\n")
    }),
    ("quote of Jira", |text| {
        format!("{{quote}}\n{text}{{quote}}\n")
    }),
    ("AsciiDoc", |text| {
        format!("[source,text]\n----\n{text}----\n")
    }),
    ("one blank", |text| {
        each(text, |_, line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!(
                "{}{}",
                &line[..line.len() - line.trim_start().len()],
                words.join(" ")
            )
        })
    }),
];

/// Lines of quoted-printable text: an escape is not broken.
fn mapped_chunks(encoded: &[char]) -> String {
    let mut text = String::new();
    for (index, character) in encoded.iter().enumerate() {
        if index > 0 && index % 70 == 0 && *character != '3' && *character != 'D' {
            text.push_str("=\n");
        }
        text.push(*character);
    }
    text
}

#[test]
fn every_way_of_pasting_gives_the_same_tree() {
    for plan in plans() {
        let expected = only(&plan).plan;
        for (name, way) in WAYS.iter().chain(MARGINS) {
            let pasted = way(&plan);
            let read =
                read_text(&pasted).unwrap_or_else(|error| panic!("{name}: {error}\n{pasted}"));
            assert_eq!(read.len(), 1, "{name}\n{pasted}");
            let (found, warnings) = (&read[0].plan, &read[0].warnings);
            assert_eq!(warnings, &[], "{name}\n{pasted}");
            assert_eq!(found.nodes(), expected.nodes(), "{name}\n{pasted}");
            assert_eq!(
                found.summary.get("Execution Time"),
                expected.summary.get("Execution Time"),
                "{name}\n{pasted}"
            );
        }
    }
}

#[test]
fn json_over_several_lines_is_read_out_of_margins_and_strings() {
    const OF_TEXT: &[&str] = &[
        "records of another client",
        "Jira's table",
        "code in cells",
        "console.table",
        "maps of Go",
        "maps of Java",
        "arrays of PHP",
        "dump of PHP",
        "INSERT",
        "one blank",
    ];
    let node = json!({"Node Type": "Limit", "Total Cost": 5.5, "Plans": [{"Node Type": "Seq Scan", "Relation Name": "bale", "Alias": "b",
        "Filter": "(kind = 'it''s \"so\" = x'::text)", "Total Cost": 80.0, "Parent Relationship": "Outer"}]});
    let pretty = serde_json::to_string_pretty(&json!([{ "Plan": node }])).unwrap() + "\n";
    let expected = only(&pretty).plan;
    let of_json = MARGINS.iter().filter(|(name, _)| !OF_TEXT.contains(name));
    for (name, way) in of_json {
        let pasted = way(&pretty);
        let read = read_text(&pasted).unwrap_or_else(|error| panic!("{name}: {error}\n{pasted}"));
        assert_eq!(read.len(), 1, "{name}\n{pasted}");
        assert_eq!(read[0].plan.nodes(), expected.nodes(), "{name}\n{pasted}");
    }
}

#[test]
fn json_is_read_out_of_what_programs_print() {
    let node = json!({"Node Type": "Limit", "Total Cost": 5.5, "Plans": [{"Node Type": "Seq Scan", "Relation Name": "bale", "Alias": "b",
        "Filter": "((kind)::text = 'it''s \"so\"'::text)", "Total Cost": 80.0, "Parent Relationship": "Outer"}]});
    let explain = json!([{"Plan": node, "Execution Time": 1.5}]);
    let python = explain
        .to_string()
        .replace('\'', "\\'")
        .replace("\\\"", "\u{0}")
        .replace('"', "'")
        .replace('\u{0}', "\"");
    let pretty = serde_json::to_string_pretty(&explain).unwrap();
    for pasted in [
        node.to_string(),
        json!([node]).to_string(),
        json!({"data": {"explain": explain}}).to_string(),
        json!([{ "QUERY PLAN": explain }]).to_string(),
        json!([{ "QUERY PLAN": explain.to_string() }]).to_string(),
        json!([{ "QUERY PLAN": pretty }]).to_string(),
        json!({"plan": {"definition": json!({ "Plan": node }).to_string()}}).to_string(),
        json!(pretty).to_string(),
        json!([[explain]]).to_string(),
        format!("[({python},)]"),
        format!("[RealDictRow([('QUERY PLAN', {python})])]"),
        format!(">>> cursor.fetchall()\n[({python},)]\n"),
        format!("> {}\n", pretty.replace('\n', "\n> ")),
        each(&pretty, |index, line| format!("{}\t{line}", index + 1)),
    ] {
        let read = only(&pasted);
        assert_eq!(
            read.plan.root(),
            Plan::from_json(json!({ "Plan": node })).unwrap().root(),
            "{pasted}"
        );
        assert_eq!(read.plan.nodes().len(), 2, "{pasted}");
        assert!(
            read.plan
                .node(crate::plan::NodeId(1))
                .filter()
                .is_some_and(|filter| filter.contains("it''s \"so\"")),
            "{pasted}"
        );
    }
}

const JOIN: &[&str] = &[
    "Sort  (cost=81.00..82.00 rows=100 width=4) (actual time=4.000..4.100 rows=90 loops=1)",
    "  Sort Key: b.weight",
    "  ->  Hash Join  (cost=30.00..76.00 rows=100 width=4) (actual time=1.000..3.000 rows=90 loops=1)",
    "        Hash Cond: (b.mill = m.id)",
    "        ->  Seq Scan on bale b  (cost=0.00..40.00 rows=900 width=8) (actual time=0.010..1.000 rows=900 loops=1)",
    "              Filter: (kind <> 'teal'::text)",
    "        ->  Hash  (cost=22.00..22.00 rows=64 width=8) (actual time=0.500..0.500 rows=60 loops=1)",
    "              ->  Seq Scan on mill m  (cost=0.00..22.00 rows=64 width=8) (actual time=0.005..0.400 rows=60 loops=1)",
    "Planning Time: 0.310 ms",
    "Execution Time: 4.800 ms",
];

fn warnings(text: &str) -> Vec<(usize, WarningKind)> {
    let of = |Warning { line, kind }: Warning| (line, kind);
    only(text).warnings.into_iter().map(of).collect()
}

#[test]
fn lost_line_feeds_and_indentation_are_rebuilt_and_told() {
    let text = JOIN.join("\n");
    let expected = only(&text).plan;
    let flat: Vec<&str> = JOIN.iter().map(|line| line.trim()).collect();
    for pasted in [
        flat.join("\n"),
        flat.join(" "),
        format!(">  {}", flat.join("\n>  ")),
    ] {
        let read = only(&pasted);
        assert_eq!(read.plan.nodes(), expected.nodes(), "{pasted}");
        assert_eq!(
            read.warnings
                .iter()
                .map(|warning| &warning.kind)
                .collect::<Vec<_>>(),
            [&WarningKind::IndentationRebuilt]
        );
    }
    // A join that lost a child could be any tree.
    let damaged: Vec<&str> = flat
        .iter()
        .copied()
        .filter(|line| !line.contains("mill m") && !line.starts_with("->  Hash  ("))
        .collect();
    assert!(error(&damaged.join("\n")).contains("the indentation is lost"));
}

#[test]
fn lines_that_a_terminal_broke_are_joined() {
    let expected = only(&JOIN.join("\n")).plan;
    for width in [60, 72, 79, 80, 81, 90, 100] {
        let broken = each(&JOIN.join("\n"), |_, line| {
            let characters: Vec<char> = format!(" {line}").chars().collect();
            characters
                .chunks(width)
                .map(|part| part.iter().collect::<String>())
                .collect::<Vec<_>>()
                .join("\n")
        });
        let read = only(&broken);
        assert_eq!(read.plan.nodes(), expected.nodes(), "{broken}");
    }
}

#[test]
fn text_that_is_cut_off_is_read_as_far_as_it_goes() {
    for end in 3..7 {
        let text = JOIN[..end].join("\n");
        assert!(
            warnings(&text).contains(&(end, WarningKind::CutOff)),
            "{text}"
        );
    }
    let within = format!("{}\n        ->  Hash  (cost=22.00..2", JOIN[..6].join("\n"));
    assert_eq!(only(&within).plan.nodes().len(), 4);
    assert_eq!(warnings(&within)[0], (7, WarningKind::CutOff));
    assert_eq!(
        warnings("Limit  (cost=0.00..1.00 rows=1 width=1)\n  SubPlan 1\n"),
        [(2, WarningKind::CutOff)]
    );
    let json = "[{\"Plan\": {\"Node Type\": \"Limit\", \"Plans\": [{\"Node Type\": \"Seq Scan\", \"Relation Name\": \"bale\", \"Fil";
    assert_eq!(only(json).plan.nodes().len(), 2);
    assert_eq!(warnings(json), [(1, WarningKind::CutOff)]);
}

#[test]
fn every_format_that_is_cut_off_says_so() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/plans/corpus/16");
    for name in ["cte-init-sub-analyze", "bitmap-or-analyze"] {
        for extension in ["json", "xml", "yaml"] {
            let text = std::fs::read_to_string(format!("{corpus}/{name}.{extension}")).unwrap();
            let whole = only(&text).plan;
            let end = text
                .find("Triggers")
                .or_else(|| text.find("Planning Time"))
                .unwrap();
            let ends = (text.len() / 5..end).step_by(23);
            for cut in ends.map(|at| &text[..at]) {
                let read = read_text(cut).unwrap_or_else(|error| panic!("{error}\n{cut}"));
                let plan = &read[0].plan;
                let kinds: Vec<_> = read[0].warnings.iter().map(|it| &it.kind).collect();
                assert_eq!(kinds, [&WarningKind::CutOff], "{name}.{extension}\n{cut}");
                for (found, expected) in plan.nodes().iter().zip(whole.nodes()) {
                    assert_eq!(found.node_type(), expected.node_type(), "{cut}");
                }
            }
            assert!(only(&text).warnings.is_empty(), "{name}.{extension}");
        }
    }
}

#[test]
fn what_is_missing_in_the_middle_is_told() {
    for gap in ["...", "…", "[...]", "<snip>", "(...)", "  ..."] {
        let mut lines = JOIN.to_vec();
        lines.splice(5..7, [gap]);
        let text = lines.join("\n");
        assert_eq!(warnings(&text), [(6, WarningKind::LinesLeftOut)], "{text}");
        assert_eq!(only(&text).plan.nodes().len(), 4);
        assert_eq!(
            only(&text).plan.execution_time(),
            Some(crate::model::Millis(4.8))
        );
    }
    let mut lines = JOIN.to_vec();
    lines.remove(7);
    assert_eq!(
        warnings(&lines.join("\n")),
        [(7, WarningKind::ChildrenMissing)]
    );
    let rootless = JOIN[2..].join("\n");
    assert_eq!(warnings(&rootless), [(1, WarningKind::RootMissing)]);
    let mut lines = JOIN.to_vec();
    lines[4] = "        ->  Seq Scan on bale b";
    assert_eq!(
        warnings(&lines.join("\n")),
        [(5, WarningKind::NumbersMissing)]
    );
}

#[test]
fn an_odd_line_loses_nothing_but_itself() {
    for (odd, at) in [
        ("  Buffers: shared hit=", 2),
        ("        Rows Removed by Filter: many", 4),
        ("RTI 1 (relation, in-from-clause):", 8),
        ("Generated Plan Advice:\n  SEQ_SCAN(b m)\n  HASH_JOIN(m)", 9),
        ("WARNING:  something was said", 8),
    ] {
        let mut lines = JOIN.to_vec();
        lines.insert(at, odd);
        let read = only(&lines.join("\n"));
        assert_eq!(read.plan.nodes().len(), 5, "{odd}");
        assert_eq!(
            read.plan.execution_time(),
            Some(crate::model::Millis(4.8)),
            "{odd}"
        );
        assert_eq!(read.warnings.len(), 1, "{odd}: {:?}", read.warnings);
        assert_eq!(read.warnings[0].line, at + 1, "{odd}");
    }
}

#[test]
fn lines_about_the_whole_plan_may_be_indented() {
    let text = "Limit  (cost=1.00..2.00 rows=1 width=8) (actual time=5.000..5.100 rows=1 loops=1)\n  ->  Seq Scan on a  (cost=0.00..1.00 rows=1 width=8) (actual time=0.010..0.020 rows=1 loops=1)\n  Settings: work_mem = '8MB'\n  Planning Time: 0.1 ms\n  JIT:\n    Functions: 3\n  Execution Time: 5.2 ms\n";
    let plan = only(text).plan;
    assert_eq!(
        plan.summary.get("Settings"),
        Some(&json!({"work_mem": "8MB"}))
    );
    assert_eq!(plan.summary.get("JIT"), Some(&json!({"Functions": 3})));
    assert_eq!(plan.execution_time(), Some(crate::model::Millis(5.2)));
    assert!(!plan.root().properties.contains("Settings"));
}

#[test]
fn remote_plans_within_a_node_are_its_children() {
    let scan = json!({"Node Type": "Seq Scan", "Relation Name": "bale_102008", "Alias": "bale", "Total Cost": 3.0});
    let remote =
        json!([[{"Plan": {"Node Type": "Aggregate", "Plans": [scan]}, "Planning Time": 0.1}]]);
    let query =
        json!({"Job": {"Task Count": 2, "Tasks": [{"Node": "host=w1", "Remote Plan": remote}]}});
    let custom = json!({"Node Type": "Custom Scan", "Custom Plan Provider": "Citus Adaptive", "Distributed Query": query});
    let plan = only(
        &json!([{"Plan": {"Node Type": "Sort", "Plans": [custom]}, "Planning Time": 1.5}])
            .to_string(),
    )
    .plan;
    let titles: Vec<_> = plan
        .nodes()
        .iter()
        .map(|node| (node.depth, node.title()))
        .collect();
    let expected = [
        (0, "Sort"),
        (1, "Custom Scan (Citus Adaptive)"),
        (2, "Aggregate"),
        (3, "Seq Scan on bale_102008 bale"),
    ];
    assert_eq!(
        titles,
        expected.map(|(depth, title)| (depth, title.to_owned()))
    );
    assert_eq!(plan.summary.get("Planning Time"), Some(&json!(1.5)));
}

#[test]
fn a_name_in_brackets_is_no_colour() {
    let text = "Index Scan using a_b on a  (cost=0.00..1.00 rows=1 width=4)\n  Index Cond: (b = ANY (ARRAY[m.id, $1]))\n";
    assert_eq!(
        only(text).plan.root().text("Index Cond"),
        Some("(b = ANY (ARRAY[m.id, $1]))")
    );
}

#[test]
fn a_plan_may_begin_right_below_another() {
    let text = "Seq Scan on a  (cost=0.00..35.50 rows=2550 width=4)\n  Filter: (x > 3)\n\
                Limit  (cost=0.00..35.50 rows=2550 width=4)\n  ->  Seq Scan on b  (cost=0.00..35.50 rows=2550 width=4)\n";
    let records = each(text, |index, line| {
        format!("-[ RECORD {} ]-----\nQUERY PLAN | {line}", index % 2 + 1)
    });
    for text in [text, records.as_str()] {
        let plans = read_text(text).unwrap();
        let nodes: Vec<usize> = plans.iter().map(|read| read.plan.nodes().len()).collect();
        assert_eq!(nodes, [1, 2], "{text}");
        assert!(plans.iter().all(|read| read.warnings.is_empty()), "{text}");
    }
}

#[test]
fn a_plan_in_an_older_encoding_is_read_and_that_is_told() {
    let bytes = b"Seq Scan on gr\xf6\xdfe  (cost=0.00..1.00 rows=1 width=4)\n";
    let plans = read(bytes).unwrap();
    assert_eq!(plans[0].plan.nodes()[0].title(), "Seq Scan on \"größe\"");
    assert_eq!(
        plans[0].warnings,
        [Warning {
            line: 1,
            kind: WarningKind::EncodingGuessed
        }]
    );
}

#[test]
fn the_time_of_a_log_is_the_plans_where_it_was_timed() {
    let timed = "Seq Scan on a  (cost=0.00..35.50 rows=2550 width=4) (actual time=0.01..2.50 rows=9 loops=1)\n";
    let time = |text: &str| only(text).with_duration(Some(900.0)).plan.execution_time();
    assert_eq!(time(timed), Some(crate::model::Millis(900.0)));
    let own = format!("{timed}Execution Time: 3.5 ms\n");
    assert_eq!(time(&own), Some(crate::model::Millis(3.5)));
    let estimated = "Seq Scan on a  (cost=0.00..35.50 rows=2550 width=4)\n";
    assert_eq!(time(estimated), None);
}

#[test]
fn a_child_may_have_lost_its_arrow() {
    let text = "Aggregate  (cost=107.50..107.51 rows=1 width=8)\n    Seq Scan on contacts  (cost=0.00..105.00 rows=1000 width=0)\n        \
                Filter: (account_id = 1234)\n";
    let read = only(text);
    let nodes = read.plan.nodes();
    assert_eq!(nodes.len(), 2);
    assert_eq!(nodes[1].text("Filter"), Some("(account_id = 1234)"));
    assert_eq!(read.warnings, []);
}

#[test]
fn motions_and_settings_of_greenplum_are_read() {
    let text = "Gather Motion 12:1  (slice1; segments: 12)  (cost=0.00..862.00 rows=2 width=64)\n  ->  Seq Scan on a  (cost=0.00..431.00 rows=1 width=28)\n\
                Settings:  enable_hashjoin=off; optimizer=on\nOptimizer status: PQO version 2.53.8\n";
    let read = only(text);
    assert_eq!(read.warnings, []);
    assert_eq!(
        read.plan.summary["Settings"],
        json!({"enable_hashjoin": "off", "optimizer": "on"})
    );
}
