//! How deep calls may stand within each other.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::error::Position;

/// The parser reads an argument once to see whether it has a name, and then again: each level doubles the work, and 30 take minutes.
pub(crate) const MAX_CALLS: usize = 16;

/// Words that a parenthesis follows which is no call.
const NO_CALLS: [&str; 31] = [
    "ALL",
    "AND",
    "ANY",
    "AS",
    "BY",
    "CUBE",
    "ELSE",
    "EXCEPT",
    "EXISTS",
    "FILTER",
    "FROM",
    "GROUP",
    "IN",
    "INTERSECT",
    "JOIN",
    "LATERAL",
    "MATCH_CONDITION",
    "NOT",
    "ON",
    "OR",
    "OVER",
    "ROLLUP",
    "SELECT",
    "SETS",
    "THEN",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// The line and column of the first call in `sql` that stands too deep in others. A text that cannot be read as words has none.
pub fn nested_too_deep(sql: &str) -> Option<(u64, u64)> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location().ok()?;
    too_deep(&tokens).map(|place| (place.line, place.column))
}

pub(super) fn too_deep(tokens: &[TokenWithSpan]) -> Option<Position> {
    // Of each open parenthesis: is it a call's?
    let mut open = Vec::new();
    let (mut calls, mut after_name) = (0, false);
    for token in tokens {
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::LParen => {
                calls += usize::from(after_name);
                open.push(after_name);
                if calls > MAX_CALLS {
                    return Some(token.span.start.into());
                }
                after_name = false;
            }
            Token::RParen => {
                calls -= usize::from(open.pop().unwrap_or_default());
                after_name = false;
            }
            Token::Word(word) => after_name = word.quote_style.is_some() || !NO_CALLS.contains(&word.value.to_uppercase().as_str()),
            _ => after_name = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_and_other_parentheses_are_not() {
        let nested = |open: &str, levels: usize| format!("SELECT 1,\n {}x{}", open.repeat(levels), ")".repeat(levels));
        assert_eq!(nested_too_deep(&nested("upper (", MAX_CALLS)), None);
        assert_eq!(nested_too_deep(&nested("f(", MAX_CALLS + 1)), Some((2, 2 * MAX_CALLS as u64 + 3)));
        assert_eq!(nested_too_deep(&nested("(", 40)), None);
        assert_eq!(nested_too_deep(&nested("(SELECT x FROM ", 20)), None);
        assert_eq!(nested_too_deep(&"replace(x) || ".repeat(40)), None);
        assert_eq!(nested_too_deep("')"), None);
        assert_eq!(nested_too_deep("))))f("), None);
    }
}
