//! psql's format wrapped: what each width of the screen, border and line style makes of a plan, as
//! psql 15 prints it (src/fe_utils/print.c), gives the tree of the plan or is told.

use super::*;
use crate::plan::read::warning::WarningKind;

/// The marks of a line style: where a line is broken, and where it goes on.
const STYLES: [(&str, char, char); 3] = [
    ("ascii", '.', '.'),
    ("unicode", '…', '…'),
    ("old-ascii", ' ', ' '),
];

const PLAN: &str = "\
Limit  (cost=812.40..812.41 rows=4 width=52) (actual time=88.403..88.409 rows=4 loops=1)
  Buffers: shared hit=521 read=48
  ->  Sort  (cost=812.40..829.13 rows=6693 width=52) (actual time=88.401..88.404 rows=4 loops=1)
        Sort Key: (count(*)) DESC
        Sort Method: top-N heapsort  Memory: 25kB
        ->  HashAggregate  (cost=634.89..701.82 rows=6693 width=52) (actual time=85.742..87.566 rows=6687 loops=1)
              Group Key: m.name
              ->  Hash Join  (cost=12.62..595.63 rows=7852 width=44) (actual time=0.872..74.196 rows=7987 loops=1)
                    Hash Cond: (b.mill_id = m.id)
                    ->  Seq Scan on bale b  (cost=0.00..512.00 rows=7852 width=4) (actual time=0.003..61.915 rows=7987 loops=1)
                          Filter: ((weight)::numeric > '40.5'::numeric)
                          Rows Removed by Filter: 14499
                    ->  Hash  (cost=8.00..8.00 rows=370 width=48) (actual time=0.783..0.784 rows=370 loops=1)
                          Buckets: 1024  Batches: 1  Memory Usage: 36kB
                          ->  Seq Scan on mill m  (cost=0.00..8.00 rows=370 width=48) (actual time=0.010..0.742 rows=370 loops=1)
Planning Time: 0.402 ms
Execution Time: 88.673 ms
";

/// The pieces of a line of at most that many characters.
fn pieces(line: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    let chunks = characters.chunks(width).map(|chunk| chunk.iter().collect());
    chunks.collect()
}

fn wrapped(
    width: usize,
    border: usize,
    (_, right, left): (&str, char, char),
    header: bool,
) -> String {
    let width = width - 1 - border;
    let mut text = String::new();
    if header {
        let before = " ".repeat(width / 2 - 5 + border);
        text.push_str(&format!(
            "{before}QUERY PLAN{before}\n{}\n",
            "-".repeat(width + 2 * border)
        ));
    }
    for line in PLAN.lines() {
        let pieces = pieces(line, width);
        for (index, piece) in pieces.iter().enumerate() {
            let before = match (border, index) {
                (0, _) => String::new(),
                (_, 0) => " ".to_owned(),
                _ => left.to_string(),
            };
            let is_last = index + 1 == pieces.len();
            let after = if is_last {
                String::new()
            } else {
                right.to_string()
            };
            text.push_str(&format!("{before}{piece}{after}\n"));
        }
    }
    if header {
        text.push_str("(17 rows)\n\n");
    }
    text
}

#[test]
fn lines_that_psql_wrapped_are_joined_or_refused() {
    let expected = plans(PLAN).unwrap();
    let (mut same, mut refused, mut all) = (0, 0, 0);
    for style in STYLES {
        for border in [0, 1] {
            for header in [true, false] {
                for width in 60..110 {
                    let text = wrapped(width, border, style, header);
                    all += 1;
                    match read_text(&text) {
                        Ok(read) if read.iter().all(|plan| plan.warnings.is_empty()) => {
                            let read: Vec<Plan> = read.into_iter().map(|read| read.plan).collect();
                            assert_eq!(read, expected, "{} {border} {width}\n{text}", style.0);
                            same += 1;
                        }
                        _ => refused += 1,
                    }
                }
            }
        }
    }
    assert!(
        same * 100 >= all * 96,
        "{same} of {all} read, {refused} refused or with a warning"
    );
}

#[test]
fn what_a_terminal_broke_at_a_dot_is_not_taken_for_psqls_mark() {
    let text = "Seq Scan on bale b  (cost=0.00..512.00 rows=7852 width=4) (actual time=0.\n003..61.915 rows=7987 loops=1)\n";
    let whole = text.replace(".\n0", ".0");
    assert_eq!(plans(text).unwrap(), plans(&whole).unwrap());
}

#[test]
fn records_of_the_expanded_output_need_no_border_and_no_heading() {
    let records: String = PLAN
        .lines()
        .map(|line| format!("QUERY PLAN {line}\n{}\n", " ".repeat(80)))
        .collect();
    assert_eq!(plans(&records).unwrap(), plans(PLAN).unwrap());
    let line = PLAN.lines().next().unwrap();
    let broken = format!(
        "-[ RECORD 1 ]-----\nQUERY PLAN | {}.\n           |.{}\n",
        &line[..48],
        &line[48..]
    );
    assert_eq!(plans(&broken).unwrap(), plans(line).unwrap());
    let yaml = "- Plan: \n    Node Type: \"Limit\"\n    Plans: \n      - Node Type: \"Seq Scan\"\n        Relation Name: \"bale\"\n        Alias: \"b\"\n";
    assert_eq!(
        plans(&format!("QUERY PLAN|{yaml}")).unwrap(),
        plans(yaml).unwrap()
    );
    let cells: String = PLAN
        .lines()
        .map(|line| format!("2+|\n<l|QUERY PLAN <l|{line}\n"))
        .collect();
    let asciidoc = format!("\n[cols=\"h,l\",frame=\"none\"]\n|====\n{cells}|====\n");
    assert_eq!(plans(&asciidoc).unwrap(), plans(PLAN).unwrap());
}

/// Each line broken between words at that width, without indentation, as mail programs do it.
fn filled(width: usize) -> String {
    let mut text = String::new();
    for line in PLAN.lines() {
        let indent = line.len() - line.trim_start().len();
        let mut length = 0;
        for (index, word) in line.trim_start().split(' ').enumerate() {
            let blanks = if index == 0 { indent } else { 1 };
            if index > 0 && length + blanks + word.len() > width {
                text.truncate(text.trim_end().len());
                text.push_str(&format!("\n{word}"));
                length = word.len();
                continue;
            }
            text.push_str(&format!("{}{word}", " ".repeat(blanks)));
            length += blanks + word.len();
        }
        text.push('\n');
    }
    text
}

#[test]
fn lines_that_a_mail_program_broke_between_words_are_joined() {
    let expected = plans(PLAN).unwrap();
    for width in [68, 72, 74, 76, 78, 80, 90, 100] {
        let text = filled(width);
        assert_eq!(plans(&text).unwrap(), expected, "{width}\n{text}");
        let quoted: String = text.lines().map(|line| format!("> {line}\n")).collect();
        assert_eq!(plans(&quoted).unwrap(), expected, "{width}\n{text}");
    }
}

#[test]
fn exports_of_tables_in_html_and_xml_are_read() {
    let escaped = |line: &str| {
        line.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let cells = |wrap: fn(usize, &str) -> String| -> String {
        let lines = PLAN.lines().enumerate();
        lines
            .map(|(index, line)| wrap(index, &escaped(line)))
            .collect()
    };
    let rows = cells(|_, line| format!("<tr class=\"odd\"><td>{line}</td></tr>\n"));
    let page = format!(
        "<!DOCTYPE html><html><head><title/></head><body><table><tr><th>QUERY PLAN</th></tr>{rows}</table></body></html>"
    );
    let records = cells(|_, line| {
        format!("<DATA_RECORD>\n\t<QUERY_PLAN>{line}</QUERY_PLAN>\n</DATA_RECORD>\n")
    });
    let xml =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<RESULTS>\n{records}</RESULTS>\n");
    let numbered = cells(|index, line| {
        format!("    <tr>\n      <th>{index}</th>\n      <td>{line}</td>\n    </tr>\n")
    });
    let notebook = format!(
        "<div><table border=\"1\" class=\"dataframe\">\n  <tbody>\n{numbered}  </tbody>\n</table></div>"
    );
    for text in [page, xml, notebook] {
        assert_eq!(plans(&text).unwrap(), plans(PLAN).unwrap(), "{text}");
    }
}

#[test]
fn keywords_of_clojure_other_hyphens_and_old_line_ends_are_read() {
    let rows: Vec<String> = PLAN
        .lines()
        .map(|line| format!("{{:QUERY PLAN {}}}", json!(line)))
        .collect();
    let hyphens = PLAN.replace("->", "\u{2011}>");
    let inserted: Vec<String> = PLAN
        .lines()
        .map(|line| format!("\t ('{}')", line.replace('\'', "''")))
        .collect();
    let inserted = format!(
        "INSERT INTO  (\"QUERY PLAN\") VALUES\n{};\n",
        inserted.join(",\n")
    );
    let rows = format!("({})", rows.join("\n "));
    for text in [rows, hyphens, inserted, PLAN.replace('\n', "\r")] {
        assert_eq!(plans(&text).unwrap(), plans(PLAN).unwrap(), "{text}");
    }
}

#[test]
fn a_map_without_quotes_is_refused_by_its_name() {
    for (text, language) in [
        (
            "[{Plan={Node Type=Seq Scan, Alias=b, Plan Rows=7}, Planning Time=0.1}]",
            "Java",
        ),
        (
            "[map[Plan:map[Alias:b Node Type:Seq Scan Plan Rows:7] Planning Time:0.1]]",
            "Go",
        ),
    ] {
        let error = read_text(text).unwrap_err();
        assert_eq!(error.reason, Reason::PrintedMap(language));
    }
}

#[test]
fn a_text_that_ends_in_the_second_line_of_a_literal_is_cut_off() {
    let text = "Seq Scan on bale b  (cost=0.00..512.00 rows=7852 width=4)\n  Filter: (note = 'first\nsecond li\n";
    let read = read_text(text).unwrap();
    let kinds: Vec<&WarningKind> = read[0].warnings.iter().map(|it| &it.kind).collect();
    assert_eq!(kinds, [&WarningKind::CutOff]);
}

#[test]
fn a_line_that_a_node_has_twice_does_not_replace_the_first() {
    let text = "Seq Scan on bale b  (cost=0.00..512.00 rows=7852 width=4) (actual time=0.003..61.915 rows=7987 loops=1)\n  Buffers: shared hit=17\n  Buffers: shared hit=223\nExecution Time: 62.1 ms\n";
    let read = read_text(text).unwrap();
    let hit = read[0].plan.root().number("Shared Hit Blocks");
    assert_eq!(hit, Some(17.0));
    let kinds: Vec<&WarningKind> = read[0].warnings.iter().map(|it| &it.kind).collect();
    let left_out = WarningKind::NotRead("Buffers: shared hit=223".to_owned());
    assert_eq!(kinds, [&left_out]);
}

#[test]
fn what_is_written_right_below_a_plan_is_no_part_of_it() {
    for below in ["Any idea?", "it is slow", "'''", "(3 of these a day)"] {
        let plan: String = PLAN
            .lines()
            .take(12)
            .map(|line| format!("{line}\n"))
            .collect();
        let read = plans(&format!("{plan}{below}\n")).unwrap();
        assert_eq!(read, plans(&plan).unwrap(), "{below}");
    }
}
