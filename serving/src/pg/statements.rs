//! The statements of a message, each with its place in it.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

/// One statement of a message.
#[derive(Debug, PartialEq)]
pub(crate) struct Piece<'a> {
    pub text: &'a str,
    /// Characters of the message before it.
    pub at: usize,
}

/// Splits a message at its semicolons. One that cannot be read as words is one piece: whoever parses it says what is wrong.
pub(crate) fn split(message: &str) -> Vec<Piece<'_>> {
    let whole = || vec![Piece { text: message, at: 0 }];
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, message).tokenize_with_location() else { return whole() };
    let bytes: Vec<usize> = message.char_indices().map(|(byte, _)| byte).chain([message.len()]).collect();
    let ends = tokens.iter().filter(|token| token.token == Token::SemiColon);
    let ends = ends.filter_map(|token| chars_before(message, token.span.start.line, token.span.start.column));
    let mut pieces = Vec::new();
    let mut from = 0;
    for end in ends.chain([bytes.len() - 1]) {
        let (Some(first), Some(last)) = (bytes.get(from), bytes.get(end)) else { return whole() };
        let Some(text) = message.get(*first..*last) else { return whole() };
        if !text.trim().is_empty() {
            pieces.push(Piece { text, at: from });
        }
        from = (end + 1).min(bytes.len() - 1);
    }
    pieces
}

/// The characters of `text` before a place; both from 1. `None`: there is no such place.
pub(super) fn chars_before(text: &str, line: u64, column: u64) -> Option<usize> {
    let (line, column) = (usize::try_from(line).ok()?.checked_sub(1)?, usize::try_from(column).ok()?.checked_sub(1)?);
    let before: usize = text.split_inclusive('\n').take(line).map(|line| line.chars().count()).sum();
    Some(before + column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_split_where_statements_end() {
        let texts = |message| split(message).into_iter().map(|piece| (piece.text.to_owned(), piece.at)).collect::<Vec<_>>();
        assert_eq!(texts("SELECT 1"), [("SELECT 1".into(), 0)]);
        assert_eq!(texts("é;\n SELECT ';' ; "), [("é".into(), 0), ("\n SELECT ';' ".into(), 2)]);
        assert_eq!(texts(";; "), []);
        assert_eq!(texts("SELECT 'open; x"), [("SELECT 'open; x".into(), 0)]);
    }

    #[test]
    fn a_place_is_counted_in_characters() {
        assert_eq!(chars_before("aé\nb", 2, 1), Some(3));
        assert_eq!(chars_before("a", 0, 1), None);
    }
}
