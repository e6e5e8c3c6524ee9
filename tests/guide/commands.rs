//! Finds the commands in a Markdown document.

/// The commands of a document, in its order: each line of its `sh` blocks, and each code span in the
/// text that begins with `pgrehearse` or another program that [`is_command`] knows.
pub fn commands_of(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut block: Option<String> = None;
    let mut unfinished = String::new();
    let mut prose = String::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(language) = trimmed.strip_prefix("```") {
            commands.extend(spans(&std::mem::take(&mut prose)));
            block = block.is_none().then(|| language.to_owned());
        } else if let Some(language) = &block {
            if language != "sh" || trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            match trimmed.strip_suffix('\\') {
                Some(part) => unfinished += part,
                None => commands.push(std::mem::take(&mut unfinished) + trimmed),
            }
        } else {
            prose += line;
            prose.push('\n');
        }
    }
    commands.extend(spans(&prose));
    commands
}

/// The commands whose output a document shows: a block with one command, and a `text` block after it.
pub fn outputs_of(text: &str) -> Vec<(String, String)> {
    let parts: Vec<&str> = text.split("```").collect();
    let blocks = parts.windows(3).filter_map(|parts| {
        let command = parts[0].strip_prefix("sh\n")?.trim();
        let output = parts[2].strip_prefix("text\n")?;
        let is_beside = parts[1].trim().is_empty() && command.lines().count() == 1;
        is_beside.then(|| (command.to_owned(), output.to_owned()))
    });
    blocks.collect()
}

/// The commands in the text between blocks.
fn spans(prose: &str) -> Vec<String> {
    let parts = prose.split('`').enumerate();
    let spans = parts.filter(|(number, _)| number % 2 == 1);
    let spans = spans.map(|(_, span)| span.split_whitespace().collect::<Vec<_>>().join(" "));
    spans.filter(|span| is_command(span)).collect()
}

/// `pgrehearse check` alone is the name of a command, not something to type; and what has a
/// placeholder is a form.
fn is_command(span: &str) -> bool {
    const COMPLETE: [&str; 2] = ["demo", "man"];
    let is_placeholder =
        |word: &&str| word.contains('…') || ["FILE", "NAME", "SHELL", "DIR"].contains(word);
    let words: Vec<&str> = span.split(' ').collect();
    if words.len() < 2 || words.iter().any(is_placeholder) {
        return false;
    }
    match words[..] {
        ["pgrehearse", name] => COMPLETE.contains(&name) || name.starts_with('-'),
        [
            "pgrehearse" | "psql" | "cargo" | "make" | "podman" | "mdbook",
            ..,
        ] => true,
        [program, ..] => program.starts_with("scripts/"),
        [] => false,
    }
}

#[test]
fn blocks_and_spans_are_found_in_order() {
    let text = "Call `pgrehearse\ndemo` or `pgrehearse check` or `--x`.\n```sh\na b \\\n  c   # d\n```\n```sql\nSELECT 1\n```\n`make it`\n";
    assert_eq!(
        commands_of(text),
        ["pgrehearse demo", "a b c   # d", "make it"]
    );
}
