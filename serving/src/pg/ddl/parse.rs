//! Which statement about a view it is. The query of a CREATE is read by `chimera_sql`.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};

use crate::pg::handler::error;
use crate::pg::statements::chars_before;

/// A statement about views. Names are `schema.view`.
#[derive(Debug, PartialEq)]
pub(in crate::pg) enum Statement {
    /// The text is a CREATE MATERIALIZED VIEW.
    Create,
    Drop {
        names: Vec<String>,
        if_exists: bool,
    },
    Rename {
        name: String,
        to: String,
        if_exists: bool,
    },
    Refresh {
        name: String,
    },
    /// EXPLAIN of the CREATE that begins after so many characters.
    ExplainCreate {
        at: usize,
    },
    Explain {
        name: String,
    },
    /// CREATE INDEX or DROP INDEX.
    Index,
}

/// `None`: another statement.
pub(in crate::pg) fn parse(text: &str) -> PgWireResult<Option<Statement>> {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location() else { return Ok(None) };
    let tokens: Vec<TokenWithSpan> = tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let mut words = Words { tokens: &tokens };
    if words.take(&["EXPLAIN"]) {
        if words.is_create() {
            let start = words.tokens.first().map(|token| token.span.start);
            let at = start.and_then(|start| chars_before(text, start.line, start.column)).unwrap_or(0);
            return Ok(Some(Statement::ExplainCreate { at }));
        }
        if !words.take(&["MATERIALIZED", "VIEW"]) {
            return Ok(None);
        }
        let name = words.name("EXPLAIN MATERIALIZED VIEW [schema.]view")?;
        return words.end(Statement::Explain { name }, "EXPLAIN MATERIALIZED VIEW [schema.]view");
    }
    if words.is_create() {
        return Ok(Some(Statement::Create));
    }
    if words.take(&["CREATE", "INDEX"]) || words.take(&["CREATE", "UNIQUE", "INDEX"]) || words.take(&["DROP", "INDEX"]) {
        return Ok(Some(Statement::Index));
    }
    if words.take(&["REFRESH", "MATERIALIZED", "VIEW"]) {
        const USAGE: &str = "REFRESH MATERIALIZED VIEW [schema.]view";
        let _ = words.take(&["CONCURRENTLY"]);
        let name = words.name(USAGE)?;
        return words.end(Statement::Refresh { name }, USAGE);
    }
    if words.take(&["DROP", "MATERIALIZED", "VIEW"]) {
        const USAGE: &str = "DROP MATERIALIZED VIEW [IF EXISTS] [schema.]view [, …]";
        let if_exists = words.take(&["IF", "EXISTS"]);
        let mut names = vec![words.name(USAGE)?];
        while words.token(&Token::Comma) {
            names.push(words.name(USAGE)?);
        }
        let _ = words.take(&["RESTRICT"]);
        return words.end(Statement::Drop { names, if_exists }, USAGE);
    }
    if words.take(&["ALTER", "MATERIALIZED", "VIEW"]) {
        const USAGE: &str = "ALTER MATERIALIZED VIEW [IF EXISTS] [schema.]view RENAME TO name";
        let if_exists = words.take(&["IF", "EXISTS"]);
        let name = words.name(USAGE)?;
        if !words.take(&["RENAME", "TO"]) {
            return Err(usage(USAGE));
        }
        let to = words.word().ok_or_else(|| usage(USAGE))?;
        return words.end(Statement::Rename { name, to, if_exists }, USAGE);
    }
    Ok(None)
}

fn usage(usage: &str) -> PgWireError {
    error("42601", format!("write {usage}"))
}

/// What is left of a statement.
#[derive(Clone, Copy)]
struct Words<'a> {
    tokens: &'a [TokenWithSpan],
}

impl Words<'_> {
    /// Takes these keywords if they come next, all of them.
    fn take(&mut self, keywords: &[&str]) -> bool {
        let is = |token: &TokenWithSpan, keyword: &str| match &token.token {
            Token::Word(word) => word.quote_style.is_none() && word.value.eq_ignore_ascii_case(keyword),
            _ => false,
        };
        let all = self.tokens.len() >= keywords.len() && self.tokens.iter().zip(keywords).all(|(token, keyword)| is(token, keyword));
        if all {
            self.tokens = &self.tokens[keywords.len()..];
        }
        all
    }

    /// Whether it is a CREATE MATERIALIZED VIEW.
    fn is_create(mut self) -> bool {
        self.take(&["CREATE", "MATERIALIZED", "VIEW"]) || self.take(&["CREATE", "OR", "REPLACE", "MATERIALIZED", "VIEW"])
    }

    fn token(&mut self, wanted: &Token) -> bool {
        let is_next = self.tokens.first().is_some_and(|token| token.token == *wanted);
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }

    /// A name as it is compared: in lower case unless quoted.
    fn word(&mut self) -> Option<String> {
        let Token::Word(word) = &self.tokens.first()?.token else { return None };
        let name = if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() };
        self.tokens = &self.tokens[1..];
        Some(name)
    }

    /// `view` or `schema.view`.
    fn name(&mut self, of: &str) -> PgWireResult<String> {
        let first = self.word().ok_or_else(|| usage(of))?;
        if !self.token(&Token::Period) {
            return Ok(format!("public.{first}"));
        }
        Ok(format!("{first}.{}", self.word().ok_or_else(|| usage(of))?))
    }

    fn end(mut self, statement: Statement, of: &str) -> PgWireResult<Option<Statement>> {
        while self.token(&Token::SemiColon) {}
        if self.tokens.is_empty() { Ok(Some(statement)) } else { Err(usage(of)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_about_views_are_told_from_others() {
        let read = |text: &str| parse(text).ok().flatten();
        assert_eq!(read("create  materialized view a.b as select 1"), Some(Statement::Create));
        assert_eq!(read("CREATE OR REPLACE MATERIALIZED VIEW b AS SELECT 1"), Some(Statement::Create));
        assert_eq!(read("EXPLAIN\n CREATE MATERIALIZED VIEW b AS SELECT 1"), Some(Statement::ExplainCreate { at: 9 }));
        assert_eq!(read("EXPLAIN MATERIALIZED VIEW B"), Some(Statement::Explain { name: "public.b".into() }));
        let names = vec!["a.b".into(), "public.C".into()];
        assert_eq!(read("DROP MATERIALIZED VIEW IF EXISTS a.b, \"C\";"), Some(Statement::Drop { names, if_exists: true }));
        let renamed = Statement::Rename { name: "a.b".into(), to: "c".into(), if_exists: false };
        assert_eq!(read("ALTER MATERIALIZED VIEW a.b RENAME TO c"), Some(renamed));
        assert_eq!(read("REFRESH MATERIALIZED VIEW CONCURRENTLY a.b"), Some(Statement::Refresh { name: "a.b".into() }));
        assert_eq!(read("CREATE INDEX i ON a.b (c)"), Some(Statement::Index));
        for other in ["SELECT 1", "EXPLAIN SELECT 1", "CREATE VIEW a AS SELECT 1", "DROP TABLE a", "SUBSCRIBE a.b", "'"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert!(parse("DROP MATERIALIZED VIEW").is_err() && parse("DROP MATERIALIZED VIEW a CASCADE").is_err());
        assert!(parse("ALTER MATERIALIZED VIEW a OWNER TO b").is_err());
    }
}
