use super::*;
use crate::log::{self, LoggedPlan};
use serde_json::json;

const ENTRY: &str =
    "2026-03-02 08:15:00.250 UTC [77]: user=web,db=mill LOG:  duration: 31.500 ms  plan:";
const FURTHER: &[&str] = &[
    "Query Text: select * from bale where mill = 4",
    "Seq Scan on bale  (cost=0.00..81.00 rows=9 width=8) (actual time=0.100..31.000 rows=8 loops=1)",
    "  Filter: (mill = 4)",
    "  Rows Removed by Filter: 4992",
];

/// The lines of the entry as the server writes them.
fn server_lines() -> Vec<String> {
    let further = FURTHER.iter().map(|line| format!("\t{line}"));
    std::iter::once(ENTRY.to_owned()).chain(further).collect()
}

fn plans_of(wrapped: &str) -> Vec<LoggedPlan> {
    log::plans(&unwrap(wrapped).text)
}

/// Each line of the entry in a wrapper of lines.
fn each_line(wrap: impl Fn(&str) -> String) -> String {
    let lines: Vec<String> = server_lines().iter().map(|line| wrap(line)).collect();
    lines.join("\n") + "\n"
}

#[test]
fn a_plan_comes_out_of_every_wrapper() {
    let whole = server_lines().join("\n");
    let without_tabs = std::iter::once(ENTRY)
        .chain(FURTHER.iter().copied())
        .collect::<Vec<_>>()
        .join("\n");
    let bare = whole
        .split_once("LOG:  ")
        .map(|(_, message)| message.replace("\n\t", "\n"))
        .unwrap_or_default();
    let escaped = |line: &str| line.replace('\t', "#011");
    let wrapped = [
        json!([{"textPayload": whole, "severity": "INFO", "labels": {"a": "LOG"}}]).to_string(),
        serde_json::to_string_pretty(&json!([{"textPayload": without_tabs}])).unwrap_or_default(),
        json!({"events": [{"timestamp": 1, "message": whole, "ingestionTime": 2}]}).to_string(),
        json!({"hits": {"hits": [{"_id": "x", "_source": {"message": whole}}]}}).to_string(),
        json!({"streams": [{"stream": {"app": "db"}, "values": [["1767607200000000000", whole]]}]}).to_string(),
        each_line(|line| json!({"log": format!("{line}\n"), "stream": "stderr", "time": "t"}).to_string()),
        each_line(|line| json!({"MESSAGE": line, "PRIORITY": "6"}).to_string()),
        each_line(|line| format!("2026-03-02T08:15:00.250000001Z stderr F {line}")),
        each_line(|line| format!("2026-03-02T08:15:00.250000001Z {line}")),
        each_line(|line| format!("[pod/mill-0/postgres] {line}")),
        each_line(|line| format!("\u{1b}[36mmill-db-1  | \u{1b}[0m{line}")),
        each_line(|line| format!("mill_db.1.ab12@node-3    | {line}")),
        each_line(|line| format!("2026-03-02T08:15:00Z app[e2865] iad [info] {line}")),
        each_line(|line| format!("2026-03-02T08:15:00.250000+00:00 app[postgres.77]: [BLUE] [9-1]  {}", escaped(line))),
        each_line(|line| format!("Mar 02 08:15:00 mill app/postgres.77: [BLUE] [9-1]  {}", escaped(line))),
        each_line(|line| format!("Mar 02 08:15:00 mill postgres[77]: {line}")),
        json!({"level": "info", "logger": "postgres", "msg": "record", "record": {"log_time": "2026-03-02 08:15:00.250 UTC",
            "process_id": "77", "database_name": "mill", "error_severity": "LOG", "message": bare}}).to_string(),
        json!([{"event_message": bare, "metadata": [{"parsed": [{"error_severity": "LOG", "process_id": 77}]}]}]).to_string(),
        json!({"records": [{"properties": {"errorLevel": "LOG", "message": bare, "processId": 77}}]}).to_string(),
        format!("@timestamp,@message\n2026-03-02 08:15:00.250,\"{}\"\n", whole.replace('"', "\"\"")),
        format!("{}\n", json!({"log": json!({"textPayload": whole}).to_string() + "\n", "stream": "stdout"})),
        json!({"message": json!({"log": whole}).to_string()}).to_string(),
        json!({"message": json!({"log": json!({"msg": whole}).to_string()}).to_string()}).to_string(),
        json!(whole).to_string(),
        json!({"_PID": "77", "MESSAGE": whole.as_bytes()}).to_string(),
        format!("---\ninsertId: a\ntextPayload: {}\nseverity: INFO\n", json!(whole)),
        format!("2026-03-02 08:15:00.250000000 +0000 mill.log: {}\n", json!({"message": whole})),
        format!("[0] mill: [[1767607200.25, {{}}], {{\"log\"=>{}}}]\n", json!(whole)),
        each_line(|line| format!("2026-03-02 08:15:00.250000000 +0000 mill.log: {}", json!({"message": line}))),
        each_line(|line| format!("[0] mill: [1767607200.25, {{\"log\"=>{}}}]", json!(line))),
        each_line(|line| format!("__REALTIME_TIMESTAMP=17\n_PID=77\nMESSAGE={line}\n")),
        each_line(|line| format!("2026-03-02T08:15:00Z {{job=\"mill\", pod=\"db-0\"}} {line}")),
    ];
    for wrapped in &wrapped {
        let plans = plans_of(wrapped);
        assert_eq!(plans.len(), 1, "{wrapped}");
        assert_eq!(
            plans[0].plan_text.trim_end(),
            FURTHER[1..].join("\n"),
            "{wrapped}"
        );
        assert_eq!(
            plans[0].query.as_deref(),
            Some("select * from bale where mill = 4"),
            "{wrapped}"
        );
    }
}

#[test]
fn records_have_the_lines_they_came_from() {
    let record = |line: &str| json!({"log": format!("{line}\n")}).to_string();
    let text = format!("{{\"log\": \"starting\\n\"}}\n\n{}", each_line(record));
    let unwrapped = unwrap(&text);
    let plan = log::plans(&unwrapped.text).remove(0);
    assert_eq!(unwrapped.line(plan.line), 3);
}

#[test]
fn what_was_delivered_twice_is_one_entry() {
    let record = |text: &str| json!({ "textPayload": text }).to_string() + "\n";
    let whole = server_lines().join("\n");
    let later = whole.replace("00.250", "00.900");
    let text = record(&whole) + &record(&whole) + &record(&later);
    assert_eq!(plans_of(&text).len(), 2);
}

#[test]
fn of_fields_with_names_only_the_message_is_taken() {
    let row = |message: &str| {
        json!([{"field": "@timestamp", "value": "2026-03-01 10:00:00.123"}, {"field": "@message", "value": message},
            {"field": "@ptr", "value": "CmEKJgoiMTIz"}])
    };
    let statement = "2026-03-01 10:00:00 UTC:10.0.1.5(43210):web@app:[77]:LOG:  duration: 20.500 ms  execute <unnamed>: SELECT $1";
    let detail =
        "2026-03-01 10:00:00 UTC:10.0.1.5(43210):web@app:[77]:DETAIL:  parameters: $1 = '5'";
    let text = json!({"results": [row(statement), row(detail)], "status": "Complete"}).to_string();
    assert_eq!(unwrap(&text).text, format!("{statement}\n{detail}\n"));
}

#[test]
fn parts_of_long_lines_are_joined() {
    let docker = "{\"log\":\"2026-03-02 08:15:00 UTC [7] LOG:  duration: 3.000 ms  sta\"}\n{\"log\":\"tement: select 1\\n\"}\n";
    assert_eq!(
        unwrap(docker).text,
        "2026-03-02 08:15:00 UTC [7] LOG:  duration: 3.000 ms  statement: select 1\n"
    );
    let cri = "2026-03-02T08:15:00.1Z stderr P x LOG:  duration: 3.000 ms  sta\n2026-03-02T08:15:00.1Z stderr F tement: select 1\n";
    assert_eq!(
        unwrap(cri).text,
        "x LOG:  duration: 3.000 ms  statement: select 1\n"
    );
}

#[test]
fn columns_of_a_record_stay_with_their_message() {
    let record = json!({"record": {"error_severity": "LOG", "process_id": "5", "application_name": "shop", "database_name": "mill",
        "message": "duration: 2.000 ms  execute <unnamed>: select $1", "detail": "parameters: $1 = '7'"}});
    let text = record.to_string();
    let entry = log::entries(&unwrap(&text).text).next().unwrap();
    assert_eq!(
        (entry.process_id, entry.database.as_deref()),
        (Some(5), Some("mill"))
    );
    assert_eq!(entry.parameters(), Some("$1 = '7'"));
}

#[test]
fn the_servers_own_logs_and_other_texts_are_not_changed() {
    for text in [
        server_lines().join("\n"),
        json!({"timestamp": "2026", "error_severity": "LOG", "message": "duration: 1.000 ms  statement: select 1"}).to_string(),
        "[{\"Plan\": {\"Node Type\": \"Result\"}, \"Query Text\": \"select 'duration: 1'\"}]".to_owned(),
        "Sort  (cost=1.00..2.00 rows=1 width=1)\n\t->  Seq Scan on a  (cost=1.00..2.00 rows=1 width=1)\n".to_owned(),
        String::new(),
    ] {
        assert_eq!(unwrap(&text).text, text);
    }
}

#[test]
fn a_string_with_an_entry_in_a_statement_is_the_statements() {
    let log = format!(
        "2026-03-02 08:15:00.250 UTC [77] LOG:  statement: INSERT INTO notes VALUES ('{{\"log\": {}}}')\n",
        json!(server_lines().join("\n"))
    );
    assert_eq!(unwrap(&log).text, log);
    assert!(plans_of(&log).is_empty());
}
