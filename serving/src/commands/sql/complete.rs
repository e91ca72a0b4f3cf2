//! What the line is completed with, and whether it is a whole statement.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Result};

use super::catalog::Names;
use super::meta;

const KEYWORDS: [&str; 64] = [
    "ALTER",
    "AND",
    "AS",
    "ASC",
    "BEGIN",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CLOSE",
    "COMMIT",
    "CREATE",
    "CROSS JOIN",
    "CURSOR",
    "DECLARE",
    "DESC",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FETCH",
    "FILTER",
    "FROM",
    "GROUP BY",
    "HAVING",
    "IN",
    "INDEX",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MATERIALIZED VIEW",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER BY",
    "OVER",
    "PARTITION BY",
    "RENAME TO",
    "REPLACE",
    "RIGHT",
    "ROLLBACK",
    "SELECT",
    "SET",
    "SHOW",
    "SUBSCRIBE",
    "THEN",
    "TRUE",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
    "IF NOT EXISTS",
];

/// Completes lines, and says where a statement ends.
#[derive(Default)]
pub struct Helper {
    pub names: Names,
}

/// Whether `text` ends with a statement's semicolon. Text within quotes and comments is none.
pub fn is_complete(text: &str) -> bool {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize() else { return false };
    // Comments are whitespace too.
    tokens.iter().rfind(|token| !matches!(token, Token::Whitespace(_))).is_none_or(|token| matches!(token, Token::SemiColon))
}

impl Helper {
    /// Where the word before `place` begins, and what it may become.
    fn candidates(&self, line: &str, place: usize) -> (usize, Vec<String>) {
        let before = &line[..place];
        if before.trim_start().starts_with('\\') && !before.contains(' ') {
            let start = before.len() - before.trim_start().len();
            let commands = meta::COMMANDS.iter().map(|(command, ..)| format!("\\{command}"));
            return (start, commands.filter(|command| command.starts_with(&before[start..])).collect());
        }
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let word = &before[start..];
        let fits =
            |name: &str| name.len() >= word.len() && name.is_char_boundary(word.len()) && name[..word.len()].eq_ignore_ascii_case(word);
        let mut found: Vec<String> = Vec::new();
        if let Some(owner) = before[..start].strip_suffix('.') {
            let owner_start = owner.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).map_or(0, |at| at + 1);
            let owner = &owner[owner_start..];
            found.extend(self.names.views.get(owner).into_iter().flatten().filter(|view| fits(view)).cloned());
            // A view, its own name or another one that stands for it in the statement.
            let columns = self.names.columns.iter().filter(|(view, _)| *view == owner || stands_for(line, view, owner));
            found.extend(columns.flat_map(|(_, columns)| columns).filter(|column| fits(column)).cloned());
        } else {
            let named =
                |view: &&String| line.contains(view.as_str()) || view.strip_prefix("public.").is_some_and(|view| line.contains(view));
            let columns = self.names.columns.iter().filter(|(view, _)| named(view)).flat_map(|(_, columns)| columns);
            found.extend(columns.filter(|column| fits(column)).cloned());
            let schemas = self.names.views.keys().filter(|schema| schema.as_str() != "public").map(|schema| format!("{schema}."));
            found.extend(schemas.filter(|schema| fits(schema)));
            found.extend(self.names.views.get("public").into_iter().flatten().filter(|view| fits(view)).cloned());
            if !word.is_empty() {
                found.extend(KEYWORDS.iter().filter(|keyword| fits(keyword)).map(|keyword| keyword.to_string()));
                found.extend(self.names.functions.iter().filter(|function| fits(function)).map(|function| format!("{function}(")));
            }
        }
        found.sort();
        found.dedup();
        (start, found)
    }
}

/// Whether `FROM view [AS] other` stands in the line.
fn stands_for(line: &str, view: &str, other: &str) -> bool {
    let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|word| !word.is_empty()).collect();
    words.iter().enumerate().any(|(at, word)| {
        let next = words.get(at + 1).filter(|word| !word.eq_ignore_ascii_case("as")).or_else(|| words.get(at + 2));
        *word == view && next == Some(&other)
    })
}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(&self, line: &str, place: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        let (start, found) = self.candidates(line, place);
        Ok((start, found.into_iter().map(|name| Pair { display: name.clone(), replacement: name }).collect()))
    }
}

impl Validator for Helper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        let text = context.input().trim();
        let whole = text.is_empty() || text.starts_with('\\') || is_complete(text);
        Ok(if whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Helper {
    type Hint = String;
}

impl Highlighter for Helper {}

impl rustyline::Helper for Helper {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_with_a_semicolon_of_their_own() {
        for whole in ["SELECT 1;", "SELECT ';' ; \n", "-- a comment", "", "a; -- and more"] {
            assert!(is_complete(whole), "{whole}");
        }
        for part in ["SELECT 1", "SELECT ';", "SELECT 1 -- ;", "a; b"] {
            assert!(!is_complete(part), "{part}");
        }
    }

    #[test]
    fn names_are_completed_where_they_fit() {
        let mut helper = Helper::default();
        helper.names.views.entry("sales".into()).or_default().extend(["totals".to_owned(), "top_products".to_owned()]);
        helper.names.columns.entry("sales.totals".into()).or_default().extend(["orders".to_owned(), "revenue".to_owned()]);
        helper.names.functions.insert("round".into());
        let complete = |line: &str| helper.candidates(line, line.len());
        assert_eq!(complete("SELECT * FROM sa"), (14, vec!["sales.".to_owned()]));
        assert_eq!(complete("SELECT * FROM sales.to"), (20, vec!["top_products".to_owned(), "totals".to_owned()]));
        assert_eq!(complete("SELECT t. FROM sales.totals AS t WHERE t.re"), (41, vec!["revenue".to_owned()]));
        assert_eq!(complete("SELECT rou"), (7, vec!["round(".to_owned()]));
        assert_eq!(complete("FROM sales.totals GRO"), (18, vec!["GROUP BY".to_owned()]));
        assert_eq!(complete("\\ti"), (0, vec!["\\timing".to_owned()]));
    }
}
