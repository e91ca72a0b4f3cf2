//! WITH (key = 'value', …).

use super::Parser;
use crate::error::Error;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;
use std::collections::BTreeMap;

impl Parser<'_> {
    /// What follows WITH; keys come in lower case.
    pub(super) fn options(&mut self) -> Result<BTreeMap<String, String>, Error> {
        let mut options = BTreeMap::new();
        self.expect(&Token::LParen)?;
        while self.peek().token != Token::RParen {
            let at = self.place();
            let key = self.option_key()?;
            self.expect(&Token::Eq)?;
            let value = self.option_value(&key)?;
            if options.insert(key.clone(), value).is_some() {
                return Err(self.error(at, format!("option `{key}` is given twice")));
            }
            if !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        self.expect(&Token::RParen)?;
        Ok(options)
    }

    fn option_key(&mut self) -> Result<String, Error> {
        let token = self.peek();
        let key = match token.token {
            Token::Word(word) => word.value.to_lowercase(),
            Token::SingleQuotedString(text) => text.to_lowercase(),
            _ => return Err(self.unexpected("the name of an option")),
        };
        self.parser.next_token();
        Ok(key)
    }

    fn option_value(&mut self, key: &str) -> Result<String, Error> {
        let token = self.peek();
        let value = match token.token {
            Token::SingleQuotedString(text) => text,
            Token::Number(text, _) => text,
            Token::Word(word) if matches!(word.value.to_lowercase().as_str(), "true" | "false") => word.value.to_lowercase(),
            Token::Word(word) if word.keyword == Keyword::INTERVAL => {
                self.parser.next_token();
                return self.interval();
            }
            Token::Word(word) => {
                let help = format!("write {key} = '{}'", word.value);
                return Err(self.error(token.span.start.into(), format!("the value of option `{key}` must be quoted")).with_help(help));
            }
            _ => return Err(self.unexpected(&format!("the value of option `{key}` in single quotes"))),
        };
        self.parser.next_token();
        Ok(value)
    }

    /// What follows INTERVAL, as the text of an interval: `'5 seconds'`, or `'5' second`.
    pub(super) fn interval(&mut self) -> Result<String, Error> {
        let Token::SingleQuotedString(text) = self.peek().token else {
            return Err(self.unexpected("an interval in single quotes, such as '5 seconds'"));
        };
        self.parser.next_token();
        match self.peek().token {
            Token::Word(unit) if unit.quote_style.is_none() => {
                self.parser.next_token();
                Ok(format!("{text} {}", unit.value))
            }
            _ => Ok(text),
        }
    }
}
