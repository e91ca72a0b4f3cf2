//! All that is wrong with a body, told at once.

use serde::Serialize;

use crate::api::problem::{Problem, Result, kinds};

#[derive(Serialize)]
struct Fault {
    path: String,
    message: String,
}

/// Collects what is wrong, by field.
#[derive(Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault { path: path.into(), message: message.into() });
    }

    pub fn unless(&mut self, is_good: bool, path: &str, message: &str) {
        if !is_good {
            self.add(path, message);
        }
    }

    /// A text of 1 to `max` characters.
    pub fn text(&mut self, path: &str, text: &str, max: usize) {
        if let Some(message) = text_error(text, max) {
            self.add(path, message);
        }
    }

    /// All of it in words; `None`: nothing is wrong.
    pub fn sentence(&self) -> Option<String> {
        let told: Vec<String> = self.0.iter().map(|fault| format!("`{}`: {}", fault.path, fault.message)).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// The first fault in words, and all of them in `errors`.
    pub fn check(self) -> Result<()> {
        let Some(first) = self.0.first() else { return Ok(()) };
        let more = if self.0.len() > 1 { format!(" (and {} more in `errors`)", self.0.len() - 1) } else { String::new() };
        Err(Problem::new(&kinds::INVALID_BODY, format!("`{}`: {}{more}.", first.path, first.message)).with("errors", &self.0))
    }
}

/// One field of the body is wrong.
pub fn invalid(path: &str, message: impl Into<String>) -> Problem {
    let fault = Fault { path: path.to_owned(), message: message.into() };
    Problem::new(&kinds::INVALID_BODY, format!("`{}`: {}.", fault.path, fault.message)).with("errors", [fault])
}

/// Why `text` cannot stand in a column of `max` characters; PostgreSQL counts characters and takes no NUL.
pub fn text_error(text: &str, max: usize) -> Option<String> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        Some("this is empty".into())
    } else if length > max {
        Some(format!("this has {length} characters; at most {max} are taken"))
    } else if text.chars().any(char::is_control) {
        Some("this has control characters".into())
    } else {
        None
    }
}
