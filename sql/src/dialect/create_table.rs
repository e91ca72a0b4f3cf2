//! CREATE TABLE with the parts that streams add: options, metadata columns, watermarks.

use super::{Name, Parser};
use crate::error::{Error, Position};
use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;
use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct CreateTable {
    pub name: Name,
    pub columns: Vec<ColumnDef>,
    pub primary_key: Vec<Name>,
    /// `WATERMARK FOR column AS expression`.
    pub watermark: Option<(Name, Option<Expr>)>,
    /// Keys in lower case.
    pub options: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(crate) struct ColumnDef {
    pub name: Name,
    pub data_type: DataType,
    pub not_null: bool,
    /// `METADATA FROM 'key'`.
    pub metadata: Option<String>,
    /// `GENERATED ALWAYS AS (expression)`, of the other columns.
    pub generated: Option<Expr>,
}

impl Parser<'_> {
    /// What follows CREATE TABLE.
    pub(super) fn create_table(&mut self, at: Position) -> Result<CreateTable, Error> {
        if self.parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]) {
            return Err(self.error(at, "a table is declared once: IF NOT EXISTS has no meaning here").with_help("remove IF NOT EXISTS"));
        }
        let name = self.name()?;
        let (columns, primary_key, watermark, options) = (vec![], vec![], None, BTreeMap::new());
        let mut table = CreateTable { name, columns, primary_key, watermark, options };
        // Some connectors say themselves what their columns are.
        if !matches!(&self.peek().token, Token::Word(word) if word.keyword == Keyword::WITH) {
            self.table_elements(&mut table)?;
        }
        if self.keyword(Keyword::WITH) {
            table.options = self.options()?;
        }
        self.check(&table)?;
        Ok(table)
    }

    fn table_elements(&mut self, table: &mut CreateTable) -> Result<(), Error> {
        self.expect(&Token::LParen)?;
        loop {
            self.table_element(table)?;
            if !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        if self.peek().token != Token::RParen {
            return Err(self.unexpected("`,` or `)`"));
        }
        self.expect(&Token::RParen)
    }

    fn table_element(&mut self, table: &mut CreateTable) -> Result<(), Error> {
        let at = self.place();
        if self.word("WATERMARK") {
            self.expect_keyword(Keyword::FOR)?;
            let column = self.name()?;
            let expression =
                if self.keyword(Keyword::AS) { Some(self.parser.parse_expr().map_err(|e| self.parser_error(e))?) } else { None };
            if table.watermark.replace((column, expression)).is_some() {
                return Err(self.error(at, "a table has at most one watermark"));
            }
            return Ok(());
        }
        if self.keyword(Keyword::CONSTRAINT) {
            self.name()?;
        }
        if self.keyword(Keyword::PRIMARY) {
            self.expect_keyword(Keyword::KEY)?;
            let columns = self.names_in_parentheses()?;
            return self.set_primary_key(table, columns, at);
        }
        let name = self.name()?;
        let data_type = self.data_type()?;
        let mut column = ColumnDef { name, data_type, not_null: false, metadata: None, generated: None };
        loop {
            let at = self.place();
            if self.keyword(Keyword::PRIMARY) {
                self.expect_keyword(Keyword::KEY)?;
                self.set_primary_key(table, vec![column.name.clone()], at)?;
            } else if self.keyword(Keyword::NOT) {
                self.expect_keyword(Keyword::NULL)?;
                column.not_null = true;
            } else if self.keyword(Keyword::NULL) {
                column.not_null = false;
            } else if self.keyword(Keyword::METADATA) {
                self.expect_keyword(Keyword::FROM)?;
                column.metadata = Some(self.parser.parse_literal_string().map_err(|e| self.parser_error(e))?);
            } else if self.keyword(Keyword::GENERATED) {
                self.expect_keyword(Keyword::ALWAYS)?;
                self.expect_keyword(Keyword::AS)?;
                self.expect(&Token::LParen)?;
                column.generated = Some(self.parser.parse_expr().map_err(|e| self.parser_error(e))?);
                self.expect(&Token::RParen)?;
                if !(self.keyword(Keyword::STORED) || self.keyword(Keyword::VIRTUAL)) {
                    return Err(self.unexpected("STORED"));
                }
            } else {
                break;
            }
        }
        table.columns.push(column);
        Ok(())
    }

    fn set_primary_key(&self, table: &mut CreateTable, columns: Vec<Name>, at: Position) -> Result<(), Error> {
        if !table.primary_key.is_empty() {
            return Err(self
                .error(at, format!("table `{}` has two primary keys", table.name.text))
                .with_help("write one PRIMARY KEY (a, b) after the columns for a key of several"));
        }
        table.primary_key = columns;
        Ok(())
    }

    /// Names that repeat or do not exist.
    fn check(&self, table: &CreateTable) -> Result<(), Error> {
        for (index, column) in table.columns.iter().enumerate() {
            if table.columns[..index].iter().any(|before| before.name.text == column.name.text) {
                let message = format!("column `{}` is declared twice in table `{}`", column.name.text, table.name.text);
                return Err(self.error(column.name.at, message));
            }
        }
        let watermark = table.watermark.as_ref().map(|(column, _)| column);
        for (name, role) in table.primary_key.iter().map(|name| (name, "primary key")).chain(watermark.map(|name| (name, "watermark"))) {
            if !table.columns.iter().any(|column| column.name.text == name.text) {
                let message = format!("the {role} names column `{}`, which table `{}` does not have", name.text, table.name.text);
                let columns: Vec<_> = table.columns.iter().map(|column| column.name.text.as_str()).collect();
                return Err(self.error(name.at, message).with_help(format!("its columns are {}", columns.join(", "))));
            }
        }
        Ok(())
    }
}
