//! CREATE MATERIALIZED VIEW on its own: a view that is kept, of tables that are declared elsewhere.

use super::{Name, Parser, Statement, StatementKind, parser, tokens_between};
use crate::error::Error;
use datafusion::sql::sqlparser::ast::{Query, visit_relations};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// `CREATE [OR REPLACE] MATERIALIZED VIEW [IF NOT EXISTS] [schema.]name [(columns)] [WITH (…)] AS query`, read but not planned.
#[derive(Debug)]
pub struct ViewStatement {
    pub or_replace: bool,
    pub if_not_exists: bool,
    /// In the form it is compared in, like all names here; `None` when the view is named without one.
    pub schema: Option<String>,
    pub name: String,
    /// What `WITH (…)` says; keys in lower case.
    pub options: BTreeMap<String, String>,
    /// What the query reads: `table`, or `schema.view`. Names that the query itself gives with WITH are among them.
    pub reads: BTreeSet<String>,
    /// The view's name is that of the statement, its columns too.
    pub(crate) statement: Statement,
}

impl ViewStatement {
    /// Reads the text of one statement.
    pub fn parse(source: &str) -> Result<ViewStatement, Error> {
        let tokens = super::tokenize(source)?;
        let mut parser = parser(source, &tokens);
        let at = parser.place();
        parser.expect_keyword(Keyword::CREATE)?;
        let or_replace = parser.parser.parse_keywords(&[Keyword::OR, Keyword::REPLACE]);
        parser.expect_keyword(Keyword::MATERIALIZED)?;
        parser.expect_keyword(Keyword::VIEW)?;
        let if_not_exists = parser.parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
        let (schema, name) = parser.qualified_name()?;
        let columns = if parser.peek().token == Token::LParen { parser.names_in_parentheses()? } else { vec![] };
        let options = if parser.keyword(Keyword::WITH) { parser.options()? } else { BTreeMap::new() };
        parser.expect_keyword(Keyword::AS)?;
        let query = parser.query()?;
        // PostgreSQL's way to say that the view is to be filled now.
        if parser.keyword(Keyword::WITH) {
            parser.expect_keyword(Keyword::DATA)?;
        }
        let end = parser.place();
        while parser.parser.consume_token(&Token::SemiColon) {}
        if parser.peek().token != Token::EOF {
            return Err(parser.unexpected("the end of the statement"));
        }
        let reads = relations(&query);
        let (text, schema) = (name.text.clone(), schema.map(|schema| schema.text));
        let kind = StatementKind::View { name, columns, query };
        let statement = Statement { kind, at, tokens: tokens_between(&tokens, at, end) };
        Ok(ViewStatement { or_replace, if_not_exists, schema, name: text, options, reads, statement })
    }
}

fn relations(query: &Query) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let _ = visit_relations(query, |name| {
        names.insert(super::plain(name));
        ControlFlow::<()>::Continue(())
    });
    names
}

impl Parser<'_> {
    /// `name` or `schema.name`.
    fn qualified_name(&mut self) -> Result<(Option<Name>, Name), Error> {
        let first = self.name()?;
        if !self.parser.consume_token(&Token::Period) {
            return Ok((None, first));
        }
        Ok((Some(first), self.name()?))
    }
}
