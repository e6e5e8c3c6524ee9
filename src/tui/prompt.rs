//! What is being typed: a search, a command, a path, or an index.

use super::editor::TextInput;
use super::pager::Pager;

/// What is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptPurpose {
    /// A text to search for on this screen.
    Search,
    /// A command, as `:` shows them.
    Command,
    /// A file to write to.
    Path(Export),
    /// An index to test.
    Index,
}

/// What can be copied or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// The SQL of the indexes that are on.
    Ddl,
    /// The SQL of the selected statement.
    Statement,
    /// The plan that is shown, as text.
    Plan,
    /// The two plans that are shown, as text.
    Plans,
    /// The text in the pager.
    Pager,
    /// The report; its format by the file's name.
    Report,
    /// The recording of the run.
    Recording,
}

impl Export {
    /// In a few words.
    pub fn name(self) -> &'static str {
        match self {
            Export::Ddl => "the DDL of the indexes that are on",
            Export::Statement => "the statement",
            Export::Plan => "the plan",
            Export::Plans => "both plans",
            Export::Pager => "this text",
            Export::Report => "the report",
            Export::Recording => "the recording of the session",
        }
    }

    /// The file that is proposed.
    pub fn file_name(self) -> &'static str {
        match self {
            Export::Ddl => "indexes.sql",
            Export::Statement => "statement.sql",
            Export::Plan => "plan.txt",
            Export::Plans => "plans.txt",
            Export::Pager => "text.txt",
            Export::Report => "report.txt",
            Export::Recording => "recording.json",
        }
    }
}

/// What is being typed, and for what.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// For what.
    pub purpose: PromptPurpose,
    /// The text.
    pub input: TextInput,
    /// Why it was rejected, or what can be typed here.
    pub note: Option<Note>,
    /// How far back in what was typed before; 0 is the text itself.
    back: usize,
    /// The text as it was before going back.
    draft: String,
    /// The request that tests the index, until it is answered.
    pub waits_for: Option<u64>,
    /// The text over the screen that the prompt is about.
    pub under: Option<Box<Pager>>,
}

/// What is said about a text that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// It cannot be done, for this reason.
    Error(String),
    /// What can be typed here.
    Hint(String),
}

impl Prompt {
    /// A prompt with this text.
    pub fn new(purpose: PromptPurpose, text: &str) -> Prompt {
        Prompt {
            purpose,
            input: TextInput::new(text),
            note: None,
            back: 0,
            draft: String::new(),
            waits_for: None,
            under: None,
        }
    }

    /// Shows an earlier text, or a later one.
    pub fn step_back(&mut self, earlier: &[String], by: isize) {
        if self.back == 0 {
            self.draft = self.input.text().to_owned();
        }
        self.back = self.back.saturating_add_signed(by).min(earlier.len());
        let text = match self.back {
            0 => self.draft.as_str(),
            back => earlier[earlier.len() - back].as_str(),
        };
        self.input = TextInput::new(text);
        self.note = None;
    }

    /// Completes the word before the cursor: to the only word that begins with it, or as far as all
    /// of them agree; then the words are listed.
    pub fn complete(&mut self, words: &[String]) {
        let before = self.input.before_cursor();
        let start = before
            .rfind(|character: char| !is_word(character))
            .map_or(0, |at| {
                at + before[at..].chars().next().map_or(1, char::len_utf8)
            });
        let begun = before[start..].to_lowercase();
        let fitting: Vec<&String> = words
            .iter()
            .filter(|word| word.to_lowercase().starts_with(&begun))
            .collect();
        let Some(common) = common_beginning(&fitting) else {
            self.note = Some(Note::Hint(format!("nothing begins with {begun:?}")));
            return;
        };
        self.input.replace_before_cursor(start, &common);
        self.note = (fitting.len() > 1).then(|| {
            let listed: Vec<&str> = fitting.iter().map(|word| word.as_str()).collect();
            Note::Hint(listed.join("  "))
        });
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '.'
}

/// The longest text that all of these begin with.
fn common_beginning(words: &[&String]) -> Option<String> {
    let (first, others) = words.split_first()?;
    let common = others.iter().fold(first.chars().count(), |common, other| {
        let same = first.chars().zip(other.chars());
        let same = same.take_while(|(one, two)| one.to_lowercase().eq(two.to_lowercase()));
        common.min(same.count())
    });
    Some(first.chars().take(common).collect())
}

/// What was typed in this session, the latest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    searches: Vec<String>,
    commands: Vec<String>,
    indexes: Vec<String>,
    paths: Vec<String>,
}

impl Typed {
    /// What was typed for this purpose.
    pub fn of(&self, purpose: &PromptPurpose) -> &[String] {
        match purpose {
            PromptPurpose::Search => &self.searches,
            PromptPurpose::Command => &self.commands,
            PromptPurpose::Path(_) => &self.paths,
            PromptPurpose::Index => &self.indexes,
        }
    }

    /// Remembers a text.
    pub fn remember(&mut self, purpose: &PromptPurpose, text: &str) {
        let texts = match purpose {
            PromptPurpose::Search => &mut self.searches,
            PromptPurpose::Command => &mut self.commands,
            PromptPurpose::Path(_) => &mut self.paths,
            PromptPurpose::Index => &mut self.indexes,
        };
        if !text.is_empty() {
            texts.retain(|earlier| earlier != text);
            texts.push(text.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_word_is_completed_as_far_as_it_is_known() {
        let tables = words(&["orders", "order_item", "Kunden"]);
        let mut prompt = Prompt::new(PromptPurpose::Index, "CREATE INDEX ON or");
        prompt.complete(&tables);
        assert_eq!(prompt.input.text(), "CREATE INDEX ON order");
        assert_eq!(
            prompt.note,
            Some(Note::Hint("orders  order_item".to_owned()))
        );
        prompt.input.insert("_");
        prompt.complete(&tables);
        assert_eq!(prompt.input.text(), "CREATE INDEX ON order_item");
        assert_eq!(prompt.note, None);
        let mut prompt = Prompt::new(PromptPurpose::Index, "(ku");
        prompt.complete(&tables);
        assert_eq!(prompt.input.text(), "(Kunden");
        prompt.complete(&[]);
        assert!(matches!(prompt.note, Some(Note::Hint(_))));
        assert_eq!(prompt.input.text(), "(Kunden");
    }

    #[test]
    fn earlier_texts_come_back_and_the_draft_is_kept() {
        let mut typed = Typed::default();
        for text in ["one", "two", "one", ""] {
            typed.remember(&PromptPurpose::Search, text);
        }
        let earlier = typed.of(&PromptPurpose::Search);
        assert_eq!(earlier, ["two", "one"]);
        let mut prompt = Prompt::new(PromptPurpose::Search, "dra");
        let mut seen = Vec::new();
        for by in [1, 1, 1, -1, -1, -1] {
            prompt.step_back(earlier, by);
            seen.push(prompt.input.text().to_owned());
        }
        assert_eq!(seen, ["one", "two", "two", "one", "dra", "dra"]);
    }
}
