//! What the server says about a statement: errors with a caret under their place, and notices.

use tokio_postgres::error::{DbError, ErrorPosition};

use crate::commands::ui;

/// An error in one line.
pub fn plain(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

/// An error of `statement`, with its place and what helps.
pub fn error(error: &tokio_postgres::Error, statement: &str) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} {}", ui::red("error:"), database(error, statement)),
        None => format!("{} {error}", ui::red("error:")),
    }
}

/// A notice of the server.
pub fn notice(notice: &DbError) -> String {
    format!("{} {}", ui::dim(&format!("{}:", notice.severity().to_lowercase())), database(notice, ""))
}

fn database(error: &DbError, statement: &str) -> String {
    let mut said = error.message().to_owned();
    if let Some(ErrorPosition::Original(position)) = error.position()
        && let Some(place) = place(statement, *position as usize)
    {
        said.push('\n');
        said.push_str(&place);
    }
    for (what, text) in [("detail", error.detail()), ("hint", error.hint())] {
        if let Some(text) = text {
            said.push_str(&format!("\n{what}: {text}"));
        }
    }
    said
}

/// The line with character `position` of `text`, counted from one, and a caret under it. `None`: there is no such place.
fn place(text: &str, position: usize) -> Option<String> {
    let before = position.checked_sub(1)?;
    if before > text.chars().count() {
        return None;
    }
    let (mut number, mut start) = (1, 0);
    for (at, character) in text.chars().take(before).enumerate() {
        if character == '\n' {
            (number, start) = (number + 1, at + 1);
        }
    }
    let line: String = text.chars().skip(start).take_while(|&character| character != '\n').collect();
    let head = format!("line {number}: ");
    // Tabs stay tabs, so that the caret stands where it should.
    let gap: String = line.chars().take(before - start).map(|character| if character == '\t' { '\t' } else { ' ' }).collect();
    Some(format!("{head}{line}\n{}{gap}^", " ".repeat(head.len())))
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_caret_stands_under_the_place() {
        assert_eq!(place("SELECT é, b", 11).as_deref(), Some("line 1: SELECT é, b\n                  ^"));
        assert_eq!(place("SELECT\n\tb", 9).as_deref(), Some("line 2: \tb\n        \t^"));
        assert_eq!(place("a", 3), None);
    }
}
