use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Vec<LogEntry> {
    entries(text).collect()
}

fn messages(text: &str) -> Vec<String> {
    read(text).into_iter().map(|entry| entry.message).collect()
}

#[test]
fn prefixes_are_searched_for_process_and_time() {
    for (prefix, process_id, time) in [
        (
            "2024-11-20 10:00:00.123 UTC [19651] ",
            Some(19651),
            Some("2024-11-20 10:00:00.123 UTC"),
        ),
        (
            "2024-11-20 10:00:00 UTC:10.0.0.1(5432):user@db:[123]:",
            Some(123),
            Some("2024-11-20 10:00:00 UTC"),
        ),
        (
            "2024-11-20 10:00:00 CET [123] user@db ",
            Some(123),
            Some("2024-11-20 10:00:00 CET"),
        ),
        (
            "2024-11-20 10:00:00.123 +01 [123]: [4-1] db=d,user=u ",
            Some(123),
            Some("2024-11-20 10:00:00.123 +01"),
        ),
        (
            "2024-11-20 10:00:00 UTC-6b0026b1.535c-",
            Some(0x535c),
            Some("2024-11-20 10:00:00 UTC"),
        ),
        ("21762 1795172020.134 0 ", Some(21762), None),
        (
            "2024-11-20 10:00:00 UTC",
            None,
            Some("2024-11-20 10:00:00 UTC"),
        ),
        ("pid=77,user=u,db=d ", Some(77), None),
        ("", None, None),
    ] {
        let entry = read(&format!(
            "{prefix}LOG:  duration: 1.500 ms  statement: select 1\n"
        ))
        .remove(0);
        assert_eq!(
            (entry.process_id, entry.time.as_deref()),
            (process_id, time),
            "{prefix}"
        );
        assert_eq!(entry.duration_ms(), Some(1.5), "{prefix}");
    }
}

#[test]
fn fields_and_further_lines_belong_to_their_entry() {
    let log = "[1] LOG:  duration: 1.000 ms  execute a: select\n\t\t1,\n\t\n\t2\n[1] DETAIL:  parameters: $1 = 'a\n\tb'\n\
               [1] HINT:  none\n\tof this\n[1] CONTEXT:  function f\n\tline 2\n[2] ERROR:  bad at character 3\n[2] STATEMENT:  x\n\ty\n";
    let entries = read(log);
    assert_eq!(entries.len(), 2);
    assert_eq!(
        entries[0].message,
        "duration: 1.000 ms  execute a: select\n\t1,\n\n2"
    );
    assert_eq!(entries[0].parameters(), Some("$1 = 'a\nb'"));
    assert_eq!(entries[0].context.as_deref(), Some("function f\nline 2"));
    assert_eq!(
        (entries[1].line, entries[1].statement.as_deref()),
        (11, Some("x\ny"))
    );
}

#[test]
fn lines_of_others_are_left_out_unless_tabs_got_lost() {
    let with_tabs = "[1] LOG:  a\n\tb\ncp: cannot stat 'x'\n\tlost\n[1] LOG:  c\n";
    assert_eq!(messages(with_tabs), ["a\nb", "c"]);
    let without_tabs = "[1] LOG:  a\nb\n  c 'LOG:  d'\n\n[1] LOG:  e\n";
    assert_eq!(messages(without_tabs), ["a\nb\n  c 'LOG:  d'", "e"]);
}

#[test]
fn containers_put_their_names_before_each_line() {
    let log = "db-1   | 2024-11-20 10:00:00.123 UTC [7] LOG:  a\nweb-1  | GET /\ndb-1   | \tb\nweb-1  | LOG:  no\n";
    assert_eq!(messages(log), ["a\nb"]);
}

#[test]
fn carriage_returns_and_broken_letters_do_no_harm() {
    assert_eq!(
        messages("[1] LOG:  a\r\n\tb\r\n[1] LOG:  c\r\n"),
        ["a\nb", "c"]
    );
    assert_eq!(
        messages(&decode(b"\xef\xbb\xbf[1] LOG:  gr\xfcn\n")),
        ["gr\u{fffd}n"]
    );
}

#[test]
fn begin_and_end_may_be_missing() {
    assert_eq!(
        messages("\tof an entry\n[1] DETAIL:  of it\n[1] LOG:  a\n\tb"),
        ["a\nb"]
    );
    let record = "2024-11-20 10:00:00.000 UTC,\"u\",\"d\",7,\"[local]\",6b.7,1,\"SELECT\",2024-11-20 10:00:00 UTC,2/2,0,LOG,00000,\"a\nb\",,,,,,,,,\"app\",\"client backend\",,0\n";
    let csv = format!("end of a quote\",,,\n{record}{record}{}", &record[..90]);
    assert_eq!(messages(&csv), ["a\nb", "a\nb"]);
    assert_eq!(read(&csv)[1].line, 4);
    let json = "estamp\":1}\n{\"timestamp\":\"t\",\"pid\":7,\"error_severity\":\"LOG\",\"message\":\"a\"}\n{\"timestamp\":\"t\",\"pi";
    assert_eq!(messages(json), ["a"]);
}

#[test]
fn syslog_parts_of_several_processes_are_told_apart() {
    let log = "Nov 20 10:00:00 host postgres[1]: [4-1] x LOG:  duration: 1.000 ms  statement: select a,\n\
               Nov 20 10:00:00 host postgres[2]: [9-1] x LOG:  second\n\
               Nov 20 10:00:00 host postgres[1]: [4-2] #011 from\n\
               Nov 20 10:00:00 host kernel: [1.0] usb LOG:  no\n\
               Nov 20 10:00:00 host postgres[2]: [9-2] #011entry\n\
               Nov 20 10:00:00 host postgres[1]: [4-3]  t\n\
               Nov 20 10:00:00 host postgres[1]: [4-4] x DETAIL:  d\n";
    let entries = read(log);
    let messages: Vec<&str> = entries.iter().map(|entry| entry.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "duration: 1.000 ms  statement: select a,\n from t",
            "second\nentry"
        ]
    );
    assert_eq!(
        (entries[0].process_id, entries[0].time.as_deref()),
        (Some(1), Some("Nov 20 10:00:00"))
    );
    assert_eq!(entries[0].detail.as_deref(), Some("d"));
}

#[test]
fn syslog_has_several_formats() {
    for line in [
        "<134>Nov  2 10:00:00 host postgres[12]: [4] LOG:  a",
        "2024-11-20T10:00:00.123+01:00 host postgres[12]: [4-1] user@db LOG:  a",
        "<134>1 2024-11-20T10:00:00.123Z host postgres 12 - - [4-1] LOG:  a",
        "<134>1 2024-11-20T10:00:00.123Z host postgres 12 - [x y=\"1\"] \u{feff}[4-1] LOG:  a",
        "Nov 20 10:00:00 host postgres[12]: LOG:  a",
        "Nov 20 10:00:00 host pg-main[12]: LOG:  a",
        "Nov 20 10:00:00 host postgres[7]: 2024-11-20 10:00:00.123 UTC [12] LOG:  a",
    ] {
        assert_eq!(LogFormat::of(line), Some(LogFormat::Syslog), "{line}");
        let entry = read(line).remove(0);
        assert_eq!(
            (entry.message.as_str(), entry.process_id),
            ("a", Some(12)),
            "{line}"
        );
    }
}

#[test]
fn journalctl_indents_the_further_lines_of_a_message() {
    let before = "Mar 01 10:00:00 db1 postgres[77]: ";
    let blanks = " ".repeat(before.len());
    let log = format!(
        "{before}[77] web@app LOG:  duration: 31.000 ms  statement: SELECT *\n{blanks}\tFROM events\n\
         {blanks}\tWHERE tenant_id = 4\n{before}[77] web@app LOG:  duration: 2.000 ms  statement: SELECT 1\n\
         \x20  something else\n-- Boot 5 --\n"
    );
    assert_eq!(
        executed(&log),
        [
            timed("SELECT *\nFROM events\nWHERE tenant_id = 4", 31.0),
            timed("SELECT 1", 2.0)
        ]
    );
}

#[test]
fn what_is_no_log_is_not_taken_for_one() {
    for text in [
        "",
        "select 'LOG:  x';",
        "ERROR:  relation \"x\" does not exist\n",
        "psql:a.sql:12: NOTICE:  table \"x\" does not exist, skipping",
        " QUERY PLAN\n-----\n Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n   Filter: (a = 'LOG:  x'::text)\n",
        "[{\"Plan\": {\"Node Type\": \"Result\"}}]",
        "Nov 20 10:00:00 host sshd[12]: Accepted publickey for x",
        "2024-11-20,a,b\n",
    ] {
        assert!(!looks_like_log(text), "{text}");
        assert_eq!(read(text), []);
    }
}

fn executed(log: &str) -> Vec<(String, Option<f64>)> {
    executions(log)
        .map(|execution| (execution.sql, execution.duration_ms))
        .collect()
}

fn timed(sql: &str, duration_ms: f64) -> (String, Option<f64>) {
    (sql.to_owned(), Some(duration_ms))
}

#[test]
fn a_statement_and_its_duration_are_paired_by_process() {
    let log = "[1] LOG:  statement: select a\n[2] LOG:  statement: select b\n[1] LOG:  duration: 1.000 ms\n\
               [2] LOG:  duration: 2.000 ms\n[2] LOG:  duration: 3.000 ms\n[2] LOG:  execute x: select c\n[2] LOG:  duration: 4.000 ms\n";
    assert_eq!(
        executed(log),
        [
            timed("select a", 1.0),
            timed("select b", 2.0),
            timed("select c", 4.0)
        ]
    );
}

#[test]
fn what_failed_is_not_paired_with_the_next() {
    let log = "[1] LOG:  statement: select x\n[1] ERROR:  no\n[1] STATEMENT:  select x\n[1] LOG:  duration: 1.000 ms\n";
    assert_eq!(executed(log), []);
}

#[test]
fn an_execution_that_is_logged_twice_counts_once() {
    let plan = "[1] LOG:  duration: 1.000 ms  plan:\n\tQuery Text: select a;\n\tResult  (cost=0.00..1.00 rows=1 width=4)\n";
    let statement = "[1] LOG:  duration: 1.500 ms  statement: select a;\n";
    let execute = "[1] LOG:  duration: 1.500 ms  execute x: select a;\n";
    assert_eq!(
        executed(&[plan, statement].concat()),
        [timed("select a;", 1.5)],
        "simple protocol"
    );
    assert_eq!(
        executed(&[execute, plan].concat()),
        [timed("select a;", 1.5)],
        "extended protocol"
    );
    assert_eq!(
        executed(&[plan, plan].concat()),
        [timed("select a;", 1.0), timed("select a;", 1.0)],
        "plans only"
    );
    let twice = [plan, statement, plan, statement].concat();
    assert_eq!(
        executed(&twice),
        [timed("select a;", 1.5), timed("select a;", 1.5)]
    );
}

#[test]
fn our_own_statements_are_left_out() {
    let log = "[1] app=pgrehearse LOG:  duration: 1.000 ms  statement: select a\n\
               [1] LOG:  duration: 1.000 ms  statement: /* pgrehearse: x */ select b\n\
               [1] db=pgrehearse LOG:  duration: 1.000 ms  statement: select c\n";
    assert_eq!(executed(log), [timed("select c", 1.0)]);
    let untimed =
        "[1] LOG:  statement: /* pgrehearse: x */ select a\n[2] LOG:  statement: select b\n";
    assert_eq!(executed(untimed), [("select b".to_owned(), None)]);
}

#[test]
fn a_prepared_statement_is_read_from_the_detail() {
    let log = "[1] LOG:  duration: 1.000 ms  statement: EXECUTE p(1);\n[1] DETAIL:  prepare: PREPARE p (int) AS select a where b = $1;\n";
    assert_eq!(executed(log), [timed("select a where b = $1;", 1.0)]);
}

#[test]
fn many_processes_and_deep_texts_take_one_pass() {
    let mut log = String::new();
    for process in 0..30_000 {
        log += &format!(
            "Nov 20 10:00:00 host postgres[{process}]: [1-1] LOG:  statement: select {process}\n"
        );
    }
    assert_eq!(executions(&log).count(), 30_000);
    let one_line = format!("[1] LOG:  {}", "x:  ".repeat(500_000));
    assert_eq!(read(&one_line).len(), 1);
    let lines = format!(
        "[1] LOG:  duration: 1.000 ms  plan:\n\tQuery Text: a\n{}",
        "\tb  (cost=\n\t\n".repeat(100_000)
    );
    assert_eq!(plans(&lines).len(), 1);
}

/// A record holds one message (write_syslog in elog.c), also with `syslog_split_messages = off`,
/// where its line feeds are `#012`.
#[test]
fn a_syslog_record_holds_at_most_one_entry() {
    let record = "Nov 20 10:00:00 host postgres[1]: ";
    let whole = format!("{record}ERROR:  a#012#011b#012DETAIL:  c#012STATEMENT:  d#012#011e\n");
    let entries = read(&whole);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].message, "a\nb");
    assert_eq!(entries[0].detail.as_deref(), Some("c"));
    assert_eq!(entries[0].statement.as_deref(), Some("d\ne"));

    let two_labels = format!("{record}LOG:  a#012ERROR:  b\n{record}LOG:  c\n");
    let messages: Vec<String> = read(&two_labels)
        .into_iter()
        .map(|entry| entry.message)
        .collect();
    assert_eq!(messages, ["a\nERROR:  b", "c"]);

    let label_behind_a_line_feed = format!("{record}#012LOG:  #012ERROR:  ");
    assert_eq!(read(&label_behind_a_line_feed).len(), 1);
}

const PIECES: [&str; 30] = [
    "LOG:  ",
    "DETAIL:  ",
    "STATEMENT:  ",
    "ERROR:  ",
    "duration: 1.000 ms  plan:\n",
    "duration: 1.000 ms",
    "  statement: select 1",
    "\tQuery Text: ",
    "\n",
    "\r\n",
    "\t",
    "#011",
    "#012",
    "[1] ",
    "[4-1] ",
    "[4-2] ",
    "Nov 20 10:00:00 host postgres[1]: ",
    "<1>1 2024-11-20T10:00:00Z h postgres 1 - - ",
    "2024-11-20 10:00:00.000 UTC",
    ",\"u\",\"d\",7,\"[local]\",6b.7,1,",
    "\"",
    "'",
    "{\"timestamp\":\"t\",\"error_severity\":\"LOG\",\"message\":\"",
    "\"}\n",
    "Result  (cost=0.00..1 rows=1 width=1)\n",
    "<Query-Text>",
    "&amp;",
    "Query Parameters: ",
    "ä日\u{a0}",
    ":  ",
];

proptest! {
    #[test]
    fn any_pieces_are_taken_apart(pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..60)) {
        let text = pieces.concat();
        let entries = read(&text);
        let lines = text.lines().count();
        prop_assert!(entries.len() <= lines);
        prop_assert!(entries.iter().all(|entry| entry.line >= 1 && entry.line <= lines));
        let kept: usize = entries.iter().map(|entry| entry.message.len()).sum();
        prop_assert!(kept <= text.len());
        prop_assert!(plans(&text).len() <= entries.len());
        prop_assert!(executions(&text).count() <= entries.len());
    }

    #[test]
    fn any_text_is_taken_apart(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let log = format!("[1] LOG:  {text}\n{}", decode(&bytes));
        prop_assert!(!read(&log).is_empty());
        plans(&log);
        executions(&log).count();
    }

    /// What the server would have written is what is read.
    #[test]
    fn a_message_comes_back(message in "[a-z'\"():$ \n\t]{0,60}", detail in "[a-z \n]{1,30}") {
        let message = format!("x{message}x");
        let log = format!("[1] LOG:  {}\n[1] DETAIL:  {}\n", message.replace('\n', "\n\t"), detail.replace('\n', "\n\t"));
        let entries = read(&log);
        prop_assert_eq!(&entries[0].message, &message);
        prop_assert_eq!(entries[0].detail.as_deref(), Some(detail.as_str()));
    }
}
