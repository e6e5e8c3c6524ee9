//! psql's format wrapped: what each width of the screen, border and line style makes of a plan, as
//! psql 15 prints it (src/fe_utils/print.c), gives the tree of the plan or is told.

use super::*;

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
