//! Lines that name the process in another way than a syslog daemon: `app[postgres.123]: [NAME] `
//! (Heroku) and `app/postgres.123: ` (Papertrail). They become lines of syslog, whose reader knows
//! the numbers of the parts.

use std::sync::LazyLock;

use regex::Regex;

use super::lines::Lines;

pub(super) fn unwrap(text: &str) -> Option<Lines> {
    static PROCESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let time = r"\S{1,12} [ \d]?\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+";
        Regex::new(&format!(
            r"^({time}) (?:\S+ )?(?:app|heroku)(?:\[|/)(?:heroku-)?postgres(?:ql)?\.(\d{{1,10}})\]?: +(?:\[[A-Z_][A-Za-z_0-9]*\] +)?"
        ))
        .ok()
    });
    let process = PROCESS.as_ref()?;
    // Excludes most logs at once.
    if !text.contains("postgres.") && !text.contains("postgresql.") {
        return None;
    }
    let mut lines = Lines::default();
    let mut is_wrapped = false;
    for (index, line) in text.lines().enumerate() {
        let Some(found) = process.captures(line) else {
            lines.push(line, index + 1);
            continue;
        };
        is_wrapped = true;
        let group = |number: usize| found.get(number).map_or("", |group| group.as_str());
        let message = line.get(found[0].len()..).unwrap_or_default();
        // The prefix of these servers begins with a blank, also in lines that have no prefix.
        let message = message.replacen("]  #011", "] #011", 1);
        lines.push(
            &format!("{} host postgres[{}]: {message}", group(1), group(2)),
            index + 1,
        );
    }
    is_wrapped.then_some(lines)
}
