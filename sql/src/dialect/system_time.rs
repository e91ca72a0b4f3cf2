//! `table FOR SYSTEM_TIME AS OF time [AS alias]`, or with the alias before FOR, is read as the hint `WITH (__system_time(time))` of the table:
//! the token parser of our dialect knows hints, and not this.

use crate::error::Error;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::keywords::{Keyword, RESERVED_FOR_TABLE_ALIAS};
use datafusion::sql::sqlparser::parser::Parser as TokenParser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// The function that holds the time.
pub(crate) const SYSTEM_TIME: &str = "__system_time";

const CLAUSE: [Keyword; 4] = [Keyword::FOR, Keyword::SYSTEM_TIME, Keyword::AS, Keyword::OF];

/// `tokens` with hints instead of such clauses.
pub(super) fn as_hints(source: &str, mut tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, Error> {
    let mut from = 0;
    while let Some((start, time)) = (from..tokens.len()).find_map(|start| Some((start, clause(&tokens, start)?))) {
        let rest = &tokens[time..];
        let mut parser = TokenParser::new(&PostgreSqlDialect {}).with_tokens_with_locations(rest.to_vec());
        let is_missing = keyword(rest, 0).is_some_and(|word| RESERVED_FOR_TABLE_ALIAS.contains(&word));
        if is_missing || parser.parse_expr().is_err() {
            let message = "FOR SYSTEM_TIME AS OF needs a time, which cannot be read here";
            let at = rest.first().unwrap_or(&tokens[start]).span.start.into();
            return Err(Error::new(source, at, message).with_help("write a column of the left side: FOR SYSTEM_TIME AS OF o.at"));
        }
        let next = parser.peek_token();
        let end = if next.token == Token::EOF { rest.len() } else { rest.iter().position(|token| *token == next).unwrap_or(rest.len()) };
        let alias = alias(&tokens, time + end);
        let span = tokens[start].span;
        let made = |token: Token| TokenWithSpan { token, span };
        let mut clause = tokens[time + end..alias].to_vec();
        clause.extend([Token::make_keyword("WITH"), Token::LParen, Token::make_word(SYSTEM_TIME, None), Token::LParen].map(made));
        clause.extend_from_slice(&tokens[time..time + end]);
        clause.extend([Token::RParen, Token::RParen].map(made));
        from = start + clause.len();
        tokens.splice(start..alias, clause);
    }
    Ok(tokens)
}

/// The first place from `at` on that is no space.
fn solid(tokens: &[TokenWithSpan], at: usize) -> usize {
    (at..tokens.len()).find(|place| !matches!(tokens[*place].token, Token::Whitespace(_))).unwrap_or(tokens.len())
}

fn keyword(tokens: &[TokenWithSpan], at: usize) -> Option<Keyword> {
    match &tokens.get(at)?.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

/// Where the time begins, if the clause does at `start`.
fn clause(tokens: &[TokenWithSpan], start: usize) -> Option<usize> {
    let mut at = start;
    for word in CLAUSE {
        if keyword(tokens, at)? != word {
            return None;
        }
        at = solid(tokens, at + 1);
    }
    Some(at)
}

/// Where an alias that begins at `start` ends; `start` if there is none.
fn alias(tokens: &[TokenWithSpan], start: usize) -> usize {
    let first = solid(tokens, start);
    if keyword(tokens, first) == Some(Keyword::AS) {
        return (solid(tokens, first + 1) + 1).min(tokens.len());
    }
    match tokens.get(first).map(|token| &token.token) {
        Some(Token::Word(word)) if word.quote_style.is_some() || !RESERVED_FOR_TABLE_ALIAS.contains(&word.keyword) => first + 1,
        _ => start,
    }
}
