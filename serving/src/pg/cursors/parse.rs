//! DECLARE, FETCH, MOVE and CLOSE.

use std::time::Duration;

use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_postgres::pgwire::error::PgWireResult;

use crate::pg::handler::error;
use crate::pg::statements::chars_before;
use crate::pg::words::{Words, tokens, usage};

/// A statement about cursors.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::pg) enum Statement {
    Declare {
        name: String,
        /// Whether it outlives its transaction.
        hold: bool,
        /// Characters of the statement before its query.
        query_at: usize,
    },
    Fetch {
        name: String,
        /// `None`: all.
        rows: Option<usize>,
        /// Of MOVE: the rows are passed over.
        is_move: bool,
        /// How long a subscription is waited for.
        wait: Option<Duration>,
    },
    /// `None`: all of them.
    Close { name: Option<String> },
}

const DECLARE: &str = "DECLARE name [NO SCROLL] CURSOR [WITH HOLD] FOR query";
const FETCH: &str = "FETCH [NEXT | FORWARD] [n | ALL] [FROM] name";
const CLOSE: &str = "CLOSE name, or CLOSE ALL";

/// `None`: another statement.
pub(in crate::pg) fn parse(text: &str) -> PgWireResult<Option<Statement>> {
    let Some(tokens) = tokens(text) else { return Ok(None) };
    let mut words = Words(&tokens);
    if words.take(&["DECLARE"]) {
        return declare(text, words).map(Some);
    }
    let is_move = words.take(&["MOVE"]);
    if is_move || words.take(&["FETCH"]) {
        return fetch(words, is_move).map(Some);
    }
    if words.take(&["CLOSE"]) {
        let name = if words.take(&["ALL"]) { None } else { Some(words.word().ok_or_else(|| usage(CLOSE))?) };
        return words.end(CLOSE).map(|()| Some(Statement::Close { name }));
    }
    Ok(None)
}

fn declare(text: &str, mut words: Words<'_>) -> PgWireResult<Statement> {
    let name = words.word().ok_or_else(|| usage(DECLARE))?;
    if words.take(&["BINARY"]) {
        return Err(error("0A000", "a cursor gives text; prepare the query where binary values are wanted"));
    }
    let _ = words.take(&["INSENSITIVE"]) || words.take(&["ASENSITIVE"]);
    if !words.take(&["NO", "SCROLL"]) && words.take(&["SCROLL"]) {
        return Err(error("0A000", "a cursor goes forward only; declare it without SCROLL"));
    }
    if !words.take(&["CURSOR"]) {
        return Err(usage(DECLARE));
    }
    let hold = words.take(&["WITH", "HOLD"]);
    let _ = words.take(&["WITHOUT", "HOLD"]);
    if !words.take(&["FOR"]) {
        return Err(usage(DECLARE));
    }
    let start = words.0.first().map(|token| token.span.start).ok_or_else(|| usage(DECLARE))?;
    let query_at = chars_before(text, start.line, start.column).ok_or_else(|| usage(DECLARE))?;
    Ok(Statement::Declare { name, hold, query_at })
}

fn fetch(mut words: Words<'_>, is_move: bool) -> PgWireResult<Statement> {
    const BACK: [&str; 6] = ["PRIOR", "FIRST", "LAST", "ABSOLUTE", "RELATIVE", "BACKWARD"];
    let goes_back = words.0.len() > 1 && (BACK.iter().any(|word| words.clone().take(&[word])) || words.clone().token(&Token::Minus));
    let count = |words: &mut Words<'_>| {
        if words.take(&["ALL"]) { Some(None) } else { words.number().map(|rows| Some(usize::try_from(rows).unwrap_or(usize::MAX))) }
    };
    let rows = if words.take(&["NEXT"]) {
        Some(1)
    } else {
        let _ = words.take(&["FORWARD"]);
        count(&mut words).unwrap_or(Some(1))
    };
    if goes_back || rows == Some(0) || words.clone().token(&Token::Minus) {
        return Err(error("55000", "cursor can only scan forward"));
    }
    let _ = words.take(&["FROM"]) || words.take(&["IN"]);
    let name = words.word().ok_or_else(|| usage(FETCH))?;
    let wait = timeout(&mut words)?;
    words.end(FETCH).map(|()| Statement::Fetch { name, rows, is_move, wait })
}

/// `WITH (TIMEOUT = '5s')`: the time in milliseconds (`ms`) or seconds (`s`).
fn timeout(words: &mut Words<'_>) -> PgWireResult<Option<Duration>> {
    const TIMEOUT: &str = "WITH (TIMEOUT = '5s'): a number of ms or s";
    if !words.take(&["WITH"]) {
        return Ok(None);
    }
    if !words.token(&Token::LParen) || !words.take(&["TIMEOUT"]) {
        return Err(usage(TIMEOUT));
    }
    let _ = words.token(&Token::Eq);
    let Some(Token::SingleQuotedString(text)) = words.0.first().map(|token| &token.token) else { return Err(usage(TIMEOUT)) };
    let text = text.trim();
    let (digits, unit_ms) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('s').ok_or_else(|| usage(TIMEOUT))?, 1_000),
    };
    let number: u32 = digits.trim().parse().map_err(|_| usage(TIMEOUT))?;
    words.0 = &words.0[1..];
    if !words.token(&Token::RParen) {
        return Err(usage(TIMEOUT));
    }
    Ok(Some(Duration::from_millis(u64::from(number) * unit_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_about_cursors_are_read() {
        let read = |text: &str| parse(text).ok().flatten();
        let declared = |name: &str, hold, query_at| Some(Statement::Declare { name: name.into(), hold, query_at });
        assert_eq!(read("DECLARE _psql_cursor NO SCROLL CURSOR FOR\nSELECT 1"), declared("_psql_cursor", false, 42));
        assert_eq!(read("declare \"C\" cursor with hold for SUBSCRIBE a.b"), declared("C", true, 33));
        let fetched = |rows| Some(Statement::Fetch { name: "c".into(), rows, is_move: false, wait: None });
        assert_eq!(read("FETCH c"), fetched(Some(1)));
        assert_eq!(read("FETCH FORWARD 100 FROM c;"), fetched(Some(100)));
        assert_eq!(read("fetch forward all in C"), fetched(None));
        assert_eq!(read("FETCH 7 c"), fetched(Some(7)));
        let waited = Statement::Fetch { name: "c".into(), rows: None, is_move: false, wait: Some(Duration::from_millis(1_500)) };
        assert_eq!(read("FETCH ALL c WITH (timeout = '1500ms')"), Some(waited));
        assert_eq!(read("MOVE 2 FROM c"), Some(Statement::Fetch { name: "c".into(), rows: Some(2), is_move: true, wait: None }));
        assert_eq!(read("CLOSE ALL"), Some(Statement::Close { name: None }));
        assert_eq!(read("SELECT 1"), None);
        for refused in
            ["FETCH PRIOR FROM c", "FETCH -1 FROM c", "FETCH BACKWARD 3 FROM c", "FETCH 0 FROM c", "DECLARE c SCROLL CURSOR FOR SELECT 1"]
        {
            assert!(parse(refused).is_err(), "{refused}");
        }
        for refused in ["DECLARE c", "FETCH FROM", "CLOSE", "FETCH ALL c WITH (timeout = 'soon')"] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }
}
