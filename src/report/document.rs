//! A Markdown document with a limit to its size: what does not fit is counted, not cut.

/// A comment on GitHub holds 65,536 characters; some room is left for what is written around it.
pub(super) const MAX_BYTES: usize = 60_000;

/// Room for the end of a folded part and of the document.
const RESERVE_BYTES: usize = 2_000;

/// The document so far.
#[derive(Debug, Default)]
pub(super) struct Document {
    text: String,
    left_out: usize,
}

impl Document {
    /// Adds a piece if there is room for it.
    pub fn add(&mut self, piece: &str) {
        if self.has_room_for(piece) {
            self.text += piece;
        } else {
            self.left_out += 1;
        }
    }

    /// Adds a folded part: as many of the pieces as there is room for. Nothing where there are none.
    pub fn fold(&mut self, title: &str, pieces: impl IntoIterator<Item = String>) {
        let mut pieces = pieces.into_iter();
        let Some(first) = pieces.next() else {
            return;
        };
        let opening = format!("<details><summary>{title}</summary>\n\n{first}");
        if !self.has_room_for(&opening) {
            self.left_out += 1 + pieces.count();
            return;
        }
        self.text += &opening;
        let mut left_out = 0;
        for piece in pieces {
            if left_out == 0 && self.has_room_for(&piece) {
                self.text += &piece;
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            self.text += &format!("\n{left_out} more: there is no room for them here\n");
        }
        self.text += "\n</details>\n\n";
    }

    /// The document, with its last words.
    pub fn finish(mut self, last: &str) -> String {
        if self.left_out > 0 {
            self.text += &format!(
                "{} parts are left out, because a comment holds no more; --format html has everything.\n\n",
                self.left_out
            );
        }
        if self.text.len() + last.len() <= MAX_BYTES {
            self.text += last;
        }
        self.text
    }

    fn has_room_for(&self, piece: &str) -> bool {
        self.text.len() + piece.len() + RESERVE_BYTES <= MAX_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut document = Document::default();
        document.add(&"x".repeat(50_000));
        document.fold("some", (0..20).map(|_| "y".repeat(1_000)));
        document.add(&"z".repeat(20_000));
        document.fold("none", [] as [String; 0]);
        let text = document.finish("the end");
        assert!(text.len() <= MAX_BYTES, "{}", text.len());
        assert!(
            text.contains("13 more: there is no room"),
            "{}",
            &text[50_000..]
        );
        assert!(text.contains("1 parts are left out"), "{}", &text[50_000..]);
        assert!(text.ends_with("the end") && text.contains("</details>"));
    }
}
