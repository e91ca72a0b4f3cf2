//! CREATE FUNCTION f(a INT, b INT) RETURNS INT LANGUAGE SQL AS 'a + b', or RETURN a + b: an expression that queries call by a name.

use super::types::arrow_type;
use super::{Name, Parser};
use crate::error::{Error, Position};
use datafusion::sql::sqlparser::ast::{DataType as SqlType, Expr, Query, SelectItem, SetExpr};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser as TokenParser;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

#[derive(Debug, Clone)]
pub(crate) struct CreateFunction {
    pub name: Name,
    /// Names and types, in their order.
    pub args: Vec<(Name, SqlType)>,
    pub returns: SqlType,
    pub body: Expr,
}

impl Parser<'_> {
    /// What follows CREATE FUNCTION.
    pub(super) fn create_function(&mut self) -> Result<CreateFunction, Error> {
        let name = self.name()?;
        let mut args: Vec<(Name, SqlType)> = vec![];
        self.expect(&Token::LParen)?;
        while self.peek().token != Token::RParen {
            let arg = self.name()?;
            if args.iter().any(|(before, _)| before.text == arg.text) {
                return Err(self.error(arg.at, format!("argument `{}` is declared twice in function `{}`", arg.text, name.text)));
            }
            args.push((arg, self.sql_type()?));
            if !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        self.expect(&Token::RParen)?;
        self.expect_keyword(Keyword::RETURNS)?;
        let returns = self.sql_type()?;
        let mut body = None;
        loop {
            let at = self.place();
            if self.keyword(Keyword::LANGUAGE) {
                let language = self.name()?;
                if language.text != "sql" {
                    let help = "write LANGUAGE SQL; functions in Rust are registered with the program that runs the pipelines";
                    return Err(self.error(at, format!("functions in `{}` are not supported", language.text)).with_help(help));
                }
            } else if self.keyword(Keyword::RETURN) {
                body = Some(self.parser.parse_expr().map_err(|e| self.parser_error(e))?);
            } else if self.keyword(Keyword::AS) {
                body = Some(self.quoted_body()?);
            } else if !self.keyword(Keyword::IMMUTABLE) {
                break;
            }
        }
        let body = body.ok_or_else(|| self.unexpected("LANGUAGE SQL, RETURN or AS"))?;
        Ok(CreateFunction { name, args, returns, body })
    }

    fn sql_type(&mut self) -> Result<SqlType, Error> {
        let at = self.place();
        let sql_type = self.parser.parse_data_type().map_err(|e| self.parser_error(e))?;
        arrow_type(&sql_type).map_err(|message| self.error(at, message)).map(|_| sql_type)
    }

    /// An expression, or a SELECT of one, in quotes. Its words keep their places in the program.
    fn quoted_body(&mut self) -> Result<Expr, Error> {
        let token = self.peek();
        let at: Position = token.span.start.into();
        let (text, quote) = match token.token {
            Token::SingleQuotedString(text) => (text, 1),
            Token::DollarQuotedString(text) => (text.value, 2 + text.tag.map_or(0, |tag| tag.chars().count() as u64)),
            _ => return Err(self.unexpected("the function's body in quotes")),
        };
        self.parser.next_token();
        let dialect = PostgreSqlDialect {};
        let begin = Position { line: at.line, column: at.column + quote };
        let failed =
            |e: datafusion::sql::sqlparser::tokenizer::TokenizerError| self.error(at, format!("the function's body: {}", e.message));
        let mut tokens = Tokenizer::new(&dialect, &text).tokenize_with_location().map_err(failed)?;
        tokens.iter_mut().for_each(|token| shift(token, begin));
        let place = |rest: &TokenParser<'_>| rest.peek_token().span.start.into();
        let mut body = TokenParser::new(&dialect).with_tokens_with_locations(tokens);
        let is_query = matches!(&body.peek_token().token, Token::Word(word) if word.keyword == Keyword::SELECT);
        let parsed = match is_query {
            true => body.parse_query().map(|query| selected(*query)),
            false => body.parse_expr().map(Some),
        };
        match parsed {
            Ok(Some(expr)) if body.peek_token().token == Token::EOF => Ok(expr),
            Ok(None) => Err(self.error(begin, "a function is one expression").with_help("write AS 'SELECT expression', without FROM")),
            Ok(Some(_)) => Err(self.error(place(&body), format!("expected the end of the function, found `{}`", body.peek_token().token))),
            Err(error) => {
                let text = error.to_string();
                let (message, found) = super::split_place(&text);
                Err(self
                    .error(found.unwrap_or(begin), format!("the function's body: {}", message.trim_start_matches("sql parser error: "))))
            }
        }
    }
}

/// The only expression of a SELECT without FROM.
fn selected(query: Query) -> Option<Expr> {
    let SetExpr::Select(select) = *query.body else { return None };
    match (&select.projection[..], select.from.is_empty(), &select.selection) {
        ([SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }], true, None) => Some(expr.clone()),
        _ => None,
    }
}

/// Moves the place of a word of a text that begins at `begin`.
fn shift(token: &mut TokenWithSpan, begin: Position) {
    let shifted = |place: Location| Location {
        line: place.line + begin.line - 1,
        column: if place.line == 1 { place.column + begin.column - 1 } else { place.column },
    };
    token.span.start = shifted(token.span.start);
    token.span.end = shifted(token.span.end);
}
