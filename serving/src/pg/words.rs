//! Statements read word by word: those that no parser of SQL knows as we have them.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};

use super::handler::error;

/// The words and signs of a statement. `None`: it cannot be read as such.
pub(super) fn tokens(text: &str) -> Option<Vec<TokenWithSpan>> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location().ok()?;
    Some(tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect())
}

/// That a statement is to be written otherwise.
pub(super) fn usage(usage: &str) -> PgWireError {
    error("42601", format!("write {usage}"))
}

/// What is left of a statement.
#[derive(Clone, Copy)]
pub(super) struct Words<'a>(pub &'a [TokenWithSpan]);

impl Words<'_> {
    /// Takes these keywords if they come next, all of them.
    pub fn take(&mut self, keywords: &[&str]) -> bool {
        let is = |token: &TokenWithSpan, keyword: &str| match &token.token {
            Token::Word(word) => word.quote_style.is_none() && word.value.eq_ignore_ascii_case(keyword),
            _ => false,
        };
        let all = self.0.len() >= keywords.len() && self.0.iter().zip(keywords).all(|(token, keyword)| is(token, keyword));
        if all {
            self.0 = &self.0[keywords.len()..];
        }
        all
    }

    /// Takes this token if it comes next.
    pub fn token(&mut self, wanted: &Token) -> bool {
        let is_next = self.0.first().is_some_and(|token| token.token == *wanted);
        if is_next {
            self.0 = &self.0[1..];
        }
        is_next
    }

    /// A name as it is compared: in lower case unless quoted.
    pub fn word(&mut self) -> Option<String> {
        let Token::Word(word) = &self.0.first()?.token else { return None };
        let name = if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() };
        self.0 = &self.0[1..];
        Some(name)
    }

    /// `view` or `schema.view`.
    pub fn name(&mut self, of: &str) -> PgWireResult<String> {
        let first = self.word().ok_or_else(|| usage(of))?;
        if !self.token(&Token::Period) {
            return Ok(format!("public.{first}"));
        }
        Ok(format!("{first}.{}", self.word().ok_or_else(|| usage(of))?))
    }

    /// A whole number from zero on.
    pub fn number(&mut self) -> Option<u64> {
        let Token::Number(digits, _) = &self.0.first()?.token else { return None };
        let number = digits.parse().ok()?;
        self.0 = &self.0[1..];
        Some(number)
    }

    /// Refuses what comes after the statement.
    pub fn end(mut self, of: &str) -> PgWireResult<()> {
        while self.token(&Token::SemiColon) {}
        if self.0.is_empty() { Ok(()) } else { Err(usage(of)) }
    }
}
