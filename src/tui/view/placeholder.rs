//! What is shown while there is no data: progress, a failure, a message.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::paint::line;
use crate::model::printable;
use crate::text_layout::wrap;
use crate::tui::cells::bar;
use crate::tui::model::{Model, Pane, Progress};

/// Draws the screen.
pub fn draw<T>(model: &Model, pane: &Pane<T>, buffer: &mut Buffer, area: Rect) {
    let theme = model.theme;
    let columns = usize::from(area.width).saturating_sub(4);
    let inner = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(1),
    };
    let (headline, text) = match pane {
        Pane::Loading(progress) => return loading(model, progress, buffer, inner),
        Pane::Empty(why) => (
            Line::styled("There is nothing to show.", theme.bold()),
            why.clone(),
        ),
        Pane::Failed(why) => (
            Line::styled(
                "✗ The request to the server failed.  r retries, q quits",
                theme.bad(),
            ),
            why.clone(),
        ),
        Pane::Cancelled => (
            Line::styled("Stopped.  r goes on, q quits", theme.bold()),
            "What was open on the server is rolled back. The line below shows the result."
                .to_owned(),
        ),
        Pane::Has(_) => return,
    };
    line(buffer, inner, 0, headline);
    let paragraphs = text
        .lines()
        .flat_map(|paragraph| wrap(&printable(paragraph), columns, 20));
    for (number, text) in paragraphs.enumerate() {
        line(buffer, inner, 2 + number, Line::raw(text));
    }
}

fn loading(model: &Model, progress: &Progress, buffer: &mut Buffer, area: Rect) {
    const BAR: usize = 40;
    let theme = model.theme;
    let began = model
        .jobs
        .main
        .as_ref()
        .map_or(model.jobs.now, |job| job.began);
    let elapsed = model.jobs.now.saturating_sub(began).as_secs_f64();
    let share = if progress.steps > 0 {
        progress.step as f64 / progress.steps as f64
    } else {
        0.0
    };
    let number = if progress.steps > 0 {
        format!("{} of {}", progress.step, progress.steps)
    } else {
        String::new()
    };
    let columns = BAR.min(usize::from(area.width));
    line(
        buffer,
        area,
        0,
        Line::styled(printable(&progress.what).into_owned(), theme.bold()),
    );
    line(
        buffer,
        area,
        1,
        Line::styled(bar(share, columns), theme.bar()),
    );
    line(
        buffer,
        area,
        2,
        Line::raw(format!("{number}  {elapsed:.1} s")),
    );
    line(
        buffer,
        area,
        3,
        Line::raw(printable(&progress.about).into_owned()),
    );
    let note = "Statements are planned, not executed. Nothing is built on the server before R.";
    for (number, text) in wrap(note, usize::from(area.width).min(90), 4)
        .into_iter()
        .enumerate()
    {
        line(buffer, area, 5 + number, Line::styled(text, theme.dim()));
    }
}
