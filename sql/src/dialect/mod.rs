//! The text of a program as statements, with places kept.

mod create_function;
mod create_table;
mod create_view;
mod nesting;
mod options;
mod system_time;
mod types;

pub(crate) use create_function::CreateFunction;
pub(crate) use create_table::CreateTable;
pub use create_view::ViewStatement;
pub use nesting::nested_too_deep;
pub(crate) use system_time::SYSTEM_TIME;

use crate::error::{Error, Position};
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, Query};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser as TokenParser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// A statement of a program.
#[derive(Debug)]
pub(crate) struct Statement {
    pub kind: StatementKind,
    /// Where it begins.
    pub at: Position,
    /// Its words, to find the place of what a planner complains about.
    pub tokens: Vec<TokenWithSpan>,
}

#[derive(Debug)]
pub(crate) enum StatementKind {
    Table(CreateTable),
    Function(CreateFunction),
    View {
        name: Name,
        columns: Vec<Name>,
        query: Box<Query>,
    },
    Insert {
        table: Name,
        columns: Vec<Name>,
        query: Box<Query>,
    },
    /// `SET name = 'value'`.
    Set {
        name: Name,
        value: String,
    },
    /// A query on its own.
    Query {
        query: Box<Query>,
    },
}

/// A name in the form it is compared in (lower case unless quoted), with its place.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub text: String,
    pub at: Position,
}

impl From<Ident> for Name {
    fn from(ident: Ident) -> Self {
        let text = if ident.quote_style.is_some() { ident.value } else { ident.value.to_lowercase() };
        Name { text, at: ident.span.start.into() }
    }
}

/// A relation's name as it is compared.
pub(crate) fn plain(name: &ObjectName) -> String {
    let parts = name.0.iter().filter_map(|part| part.as_ident());
    let parts = parts.map(|ident| if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() });
    parts.collect::<Vec<_>>().join(".")
}

/// Splits and parses `source`.
pub(crate) fn parse(source: &str) -> Result<Vec<Statement>, Error> {
    let tokens = tokenize(source)?;
    let mut parser = parser(source, &tokens);
    let mut statements = Vec::new();
    loop {
        while parser.parser.consume_token(&Token::SemiColon) {}
        if parser.peek().token == Token::EOF {
            return Ok(statements);
        }
        let at = parser.place();
        let kind = parser.statement()?;
        let end = parser.place();
        if !matches!(parser.peek().token, Token::SemiColon | Token::EOF) {
            let found = parser.peek().token;
            return Err(parser.error(end, format!("expected `;` after the statement, found `{found}`")));
        }
        statements.push(Statement { kind, at, tokens: tokens_between(&tokens, at, end) });
    }
}

fn tokenize(source: &str) -> Result<Vec<TokenWithSpan>, Error> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, source).tokenize_with_location();
    let tokens = tokens.map_err(|e| Error::new(source, e.location.into(), uncapitalised(&e.message)))?;
    if let Some(at) = nesting::too_deep(&tokens) {
        let message = format!("calls of functions stand more than {} deep within each other", nesting::MAX_CALLS);
        return Err(Error::new(source, at, message).with_help("compute the inner ones in a view or a subquery"));
    }
    system_time::as_hints(source, tokens)
}

fn parser<'a>(source: &'a str, tokens: &'a [TokenWithSpan]) -> Parser<'a> {
    let parser = TokenParser::new(&PostgreSqlDialect {}).with_tokens_with_locations(tokens.to_vec());
    Parser { source, tokens, parser, half_closed: false }
}

/// The words from `at` up to `end`, or to the end of the text where `end` is no place.
fn tokens_between(tokens: &[TokenWithSpan], at: Position, end: Position) -> Vec<TokenWithSpan> {
    let is_inside = |token: &&TokenWithSpan| {
        let place = (token.span.start.line, token.span.start.column);
        place >= (at.line, at.column) && (end.line == 0 || place < (end.line, end.column))
    };
    tokens.iter().filter(is_inside).cloned().collect()
}

/// The token parser, with errors that know their place.
pub(crate) struct Parser<'a> {
    source: &'a str,
    tokens: &'a [TokenWithSpan],
    parser: TokenParser<'a>,
    /// A `>>` was read half: it closes two types.
    half_closed: bool,
}

impl Parser<'_> {
    fn peek(&self) -> TokenWithSpan {
        self.parser.peek_token()
    }

    fn place(&self) -> Position {
        self.peek().span.start.into()
    }

    fn error(&self, at: Position, message: impl Into<String>) -> Error {
        Error::new(self.source, at, message)
    }

    fn unexpected(&self, expected: &str) -> Error {
        let found = match self.peek().token {
            Token::EOF => "the end of the text".to_string(),
            token => format!("`{token}`"),
        };
        self.error(self.place(), format!("expected {expected}, found {found}"))
    }

    /// An error of the token parser, at the place that its message names, else here.
    fn parser_error(&self, error: ParserError) -> Error {
        let text = match error {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
            ParserError::RecursionLimitExceeded => "the statement is nested too deeply".into(),
        };
        let (message, at) = split_place(&text);
        let at = at.unwrap_or_else(|| self.place());
        // The parser may be past the word that it names.
        let named = message.rsplit_once("found: ").and_then(|(_, word)| {
            let is_before = |token: &&TokenWithSpan| (token.span.start.line, token.span.start.column) <= (at.line, at.column);
            self.tokens.iter().filter(is_before).rfind(|token| token.token.to_string() == word)
        });
        self.error(named.map_or(at, |token| token.span.start.into()), uncapitalised(message))
    }

    fn name(&mut self) -> Result<Name, Error> {
        self.parser.parse_identifier().map(Name::from).map_err(|e| self.parser_error(e))
    }

    fn names_in_parentheses(&mut self) -> Result<Vec<Name>, Error> {
        self.expect(&Token::LParen)?;
        let mut names = vec![self.name()?];
        while self.parser.consume_token(&Token::Comma) {
            names.push(self.name()?);
        }
        self.expect(&Token::RParen)?;
        Ok(names)
    }

    fn expect(&mut self, token: &Token) -> Result<(), Error> {
        if self.parser.consume_token(token) { Ok(()) } else { Err(self.unexpected(&format!("`{token}`"))) }
    }

    fn keyword(&mut self, keyword: Keyword) -> bool {
        self.parser.parse_keyword(keyword)
    }

    fn expect_keyword(&mut self, keyword: Keyword) -> Result<(), Error> {
        if self.keyword(keyword) { Ok(()) } else { Err(self.unexpected(&format!("{keyword:?}"))) }
    }

    /// A word that is not a keyword of the token parser.
    fn word(&mut self, word: &str) -> bool {
        let is_word = matches!(&self.peek().token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word));
        if is_word {
            self.parser.next_token();
        }
        is_word
    }

    fn statement(&mut self) -> Result<StatementKind, Error> {
        let at = self.place();
        if self.keyword(Keyword::CREATE) {
            // Arroyo's word for tables that are declared for one program: here all are.
            let is_temporary = self.keyword(Keyword::TEMPORARY);
            if is_temporary && self.peek().token.to_string().to_uppercase() != "TABLE" {
                return Err(self.unexpected("TABLE"));
            }
            if self.keyword(Keyword::TABLE) {
                return Ok(StatementKind::Table(self.create_table(at)?));
            }
            if self.keyword(Keyword::FUNCTION) {
                return Ok(StatementKind::Function(self.create_function()?));
            }
            self.keyword(Keyword::MATERIALIZED);
            if self.keyword(Keyword::VIEW) {
                let name = self.name()?;
                let columns = if self.peek().token == Token::LParen { self.names_in_parentheses()? } else { vec![] };
                self.expect_keyword(Keyword::AS)?;
                return Ok(StatementKind::View { name, columns, query: self.query()? });
            }
            return Err(self.unexpected("TABLE, VIEW or FUNCTION"));
        }
        if self.keyword(Keyword::INSERT) {
            self.expect_keyword(Keyword::INTO)?;
            let table = self.name()?;
            let is_list = self.peek().token == Token::LParen && !self.is_query_in_parentheses();
            let columns = if is_list { self.names_in_parentheses()? } else { vec![] };
            return Ok(StatementKind::Insert { table, columns, query: self.query()? });
        }
        if self.keyword(Keyword::SET) {
            return self.set();
        }
        if matches!(&self.peek().token, Token::Word(w) if w.keyword == Keyword::SELECT || w.keyword == Keyword::WITH) {
            return Ok(StatementKind::Query { query: self.query()? });
        }
        Err(self.unexpected("CREATE TABLE, CREATE VIEW, CREATE FUNCTION or INSERT INTO"))
    }

    /// What follows SET.
    fn set(&mut self) -> Result<StatementKind, Error> {
        let name = self.name()?;
        if !self.keyword(Keyword::TO) {
            self.expect(&Token::Eq)?;
        }
        let value = match self.keyword(Keyword::INTERVAL) {
            true => self.interval()?,
            false => self.parser.parse_literal_string().map_err(|e| self.parser_error(e))?,
        };
        Ok(StatementKind::Set { name, value })
    }

    fn is_query_in_parentheses(&self) -> bool {
        let next = self.parser.peek_nth_token(1);
        matches!(&next.token, Token::LParen)
            || matches!(&next.token, Token::Word(w) if matches!(w.keyword, Keyword::SELECT | Keyword::WITH))
    }

    fn query(&mut self) -> Result<Box<Query>, Error> {
        self.parser.parse_query().map_err(|e| self.parser_error(e))
    }
}

/// Takes ` at Line: 3, Column: 7` off the end of a message.
pub(crate) fn split_place(text: &str) -> (&str, Option<Position>) {
    let Some((message, place)) = text.rsplit_once(" at Line: ") else { return (text, None) };
    let Some((line, column)) = place.split_once(", Column: ") else { return (text, None) };
    match (line.trim().parse(), column.trim().parse()) {
        (Ok(line), Ok(column)) => (message, Some(Position { line, column })),
        _ => (text, None),
    }
}

/// Messages begin in lower case, as all of ours do.
fn uncapitalised(message: &str) -> String {
    let mut chars = message.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(message.chars().skip(1)).collect(),
        _ => message.to_string(),
    }
}
