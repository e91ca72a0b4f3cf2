//! Errors that point into the SQL text.

use std::fmt;

/// What is wrong with a program and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// From 1. 0 when no place could be found.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line of the text that the error points at.
    pub source_line: String,
}

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    pub line: u64,
    pub column: u64,
}

impl Error {
    pub(crate) fn new(source: &str, at: Position, message: impl Into<String>) -> Self {
        let source_line = (at.line as usize).checked_sub(1).and_then(|line| source.lines().nth(line)).unwrap_or_default();
        Error { line: at.line, column: at.column, message: message.into(), help: None, source_line: source_line.to_string() }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)?;
        if !self.source_line.is_empty() {
            let before = self.source_line.chars().take(self.column.saturating_sub(1) as usize);
            let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(f, "\n  {}\n  {indent}^", self.source_line)?;
        }
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<datafusion::sql::sqlparser::tokenizer::Location> for Position {
    fn from(location: datafusion::sql::sqlparser::tokenizer::Location) -> Self {
        Position { line: location.line, column: location.column }
    }
}
