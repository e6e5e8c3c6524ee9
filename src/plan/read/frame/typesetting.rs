//! psql's output for documents: AsciiDoc, LaTeX and troff.

use std::borrow::Cow;

use super::line::FramedLine;

/// What LaTeX writes for characters that mean something to it.
const LATEX: &[(&str, &str)] = &[
    ("\\textgreater{}", ">"),
    ("\\textless{}", "<"),
    ("\\textbar{}", "|"),
    ("\\ensuremath{<}", "<"),
    ("\\ensuremath{>}", ">"),
    ("\\^{}", "^"),
    ("\\~{}", "~"),
    ("\\{", "{"),
    ("\\}", "}"),
    ("\\_", "_"),
    ("\\$", "$"),
    ("\\&", "&"),
    ("\\%", "%"),
    ("\\#", "#"),
    ("\\textbackslash{}", "\\"),
];

pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let any = |is_it: fn(&str) -> bool| lines.iter().any(|line| is_it(line.text.trim()));
    let plain: fn(&str) -> Vec<String> = if any(|line| line == "|====") {
        asciidoc
    } else if any(|line| {
        line.starts_with("\\begin{tabular}") || line.starts_with("\\begin{longtable}")
    }) {
        latex
    } else if any(|line| line == ".TS") {
        troff
    } else {
        return false;
    };
    let mut stripped = Vec::with_capacity(lines.len());
    for line in lines.iter() {
        stripped.extend(plain(&line.text).into_iter().map(|text| FramedLine {
            number: line.number,
            text: Cow::Owned(text),
        }));
    }
    *lines = stripped;
    true
}

/// The value behind the column's name, and nothing for lines that only name it or a record.
fn value(line: &str, separator: &str) -> Option<String> {
    let value = match line.trim_start().strip_prefix("QUERY PLAN") {
        Some(rest) => rest.trim_start_matches(' ').strip_prefix(separator)?,
        None => line,
    };
    let is_record = value
        .trim()
        .strip_prefix("Record ")
        .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    (!is_record && !value.trim().is_empty()).then(|| value.to_owned())
}

fn asciidoc(line: &str) -> Vec<String> {
    let trimmed = line.trim();
    if trimmed == "|===="
        || trimmed == "...."
        || (trimmed.starts_with('[') && trimmed.contains("cols="))
    {
        return Vec::new();
    }
    let bare = ["2+^|", "2+|", "^l|", "<l|", "|"]
        .iter()
        .find_map(|cell| line.strip_prefix(cell))
        .unwrap_or(line);
    let bare = bare.replace("\\|", "|");
    value(&bare, "<l|").into_iter().collect()
}

fn latex(line: &str) -> Vec<String> {
    const COMMANDS: [&str; 9] = [
        "\\begin{",
        "\\end",
        "\\hline",
        "\\midrule",
        "\\noindent",
        "\\toprule",
        "\\bottomrule",
        "\\caption",
        "\\multicolumn",
    ];
    let trimmed = line.trim();
    let is_title = trimmed.contains("\\textit{");
    if is_title || COMMANDS.iter().any(|command| trimmed.starts_with(command)) {
        return Vec::new();
    }
    let row = line.trim_end().strip_suffix("\\\\").unwrap_or(line);
    let row = row.strip_suffix("\\tabularnewline").unwrap_or(row);
    let Some(cell) = value(row, "& ") else {
        return Vec::new();
    };
    let cell = cell.trim_end();
    let cell = match cell.split_once("\\raggedright{") {
        Some((_, inner)) => inner.strip_suffix('}').unwrap_or(inner),
        None => cell,
    };
    let unescaped = |part: &str| {
        LATEX
            .iter()
            .fold(part.to_owned(), |text, (command, character)| {
                text.replace(command, character)
            })
    };
    cell.split("\\\\").map(unescaped).collect()
}

fn troff(line: &str) -> Vec<String> {
    let trimmed = line.trim();
    let is_command = trimmed.starts_with('.')
        || trimmed.starts_with("\\fI")
        || matches!(
            trimmed,
            "_" | "l."
                | "center;"
                | "box;"
                | "center box;"
                | "c s."
                | "c | l."
                | "c l."
                | "T{"
                | "T}"
        );
    if is_command {
        return Vec::new();
    }
    value(&line.replace("\\(rs", "\\"), "\t")
        .into_iter()
        .collect()
}
