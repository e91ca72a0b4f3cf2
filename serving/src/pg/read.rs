//! Which statement it is, and so who runs it.

use chimera_sql::nested_too_deep;
use datafusion::sql::sqlparser::ast::{DiscardObject, Set, Statement as Ast};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};

use super::handler::error;
use super::known::known;
use super::statements::chars_before;
use super::words::{Words, tokens};
use super::{cursors, ddl, subscribe, transaction};

/// A statement.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    /// Nothing but a comment.
    Empty,
    Subscribe(subscribe::Wanted),
    Views(ddl::Statement),
    Cursor(cursors::Statement),
    Transaction(transaction::Statement),
    /// SET and SHOW.
    Setting(Box<Ast>),
    /// What a pool sends to get a session as new; the tag that is answered.
    Forget(&'static str),
    /// DEALLOCATE; `None`: all.
    Deallocate(Option<String>),
    /// SELECT and EXPLAIN.
    Query(Box<Ast>),
}

impl Statement {
    /// Whether it may be run in a transaction that an error broke off.
    pub(super) fn ends_transaction(&self) -> bool {
        use transaction::Statement as T;
        matches!(self, Self::Transaction(T::Commit { .. } | T::Rollback { .. } | T::RollbackTo) | Self::Empty)
    }
}

/// Reads one statement.
pub(super) fn read(parser: &PostgresCompatibilityParser, text: &str) -> PgWireResult<Statement> {
    if let Some((line, column)) = nested_too_deep(text) {
        let message = "calls of functions stand too deep within each other: compute the inner ones in a subquery";
        let mut info = ErrorInfo::new("ERROR".to_owned(), "54001".to_owned(), message.to_owned());
        info.position = chars_before(text, line, column).map(|before| (before + 1).to_string());
        return Err(PgWireError::UserError(Box::new(info)));
    }
    if let Some(wanted) = subscribe::parse(text)? {
        return Ok(Statement::Subscribe(wanted));
    }
    if let Some(statement) = ddl::parse(text)? {
        return Ok(Statement::Views(statement));
    }
    if let Some(statement) = cursors::parse(text)? {
        return Ok(Statement::Cursor(statement));
    }
    if let Some(tag) = tokens(text).as_deref().and_then(|tokens| forgets(Words(tokens))) {
        return Ok(Statement::Forget(tag));
    }
    let mut statements = parser.parse(&known(text)).map_err(|cause| unread(text, &cause.to_string()))?;
    let Some(statement) = statements.pop() else { return Ok(Statement::Empty) };
    if let Some(statement) = transaction::of(&statement) {
        return Ok(Statement::Transaction(statement));
    }
    match statement {
        Ast::Query(_) | Ast::Explain { .. } => Ok(Statement::Query(Box::new(statement))),
        Ast::Set(ref set) if !is_of_engine(set) => Ok(Statement::Setting(Box::new(statement))),
        Ast::ShowVariable { variable } if variable.is_empty() => Err(error("42601", "SHOW wants the name of a setting, or ALL")),
        Ast::ShowVariable { .. } | Ast::ShowStatus { .. } => Ok(Statement::Setting(Box::new(statement))),
        Ast::Discard { object_type: DiscardObject::ALL } => Ok(Statement::Forget("DISCARD ALL")),
        Ast::Deallocate { name, .. } => {
            let all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
            Ok(Statement::Deallocate((!all).then_some(name.value)))
        }
        _ => Err(not_allowed()),
    }
}

/// Settings of the engine are those of all sessions, its limits among them.
fn is_of_engine(set: &Set) -> bool {
    set.to_string().replace('"', "").to_lowercase().contains("datafusion.")
}

fn forgets(mut words: Words<'_>) -> Option<&'static str> {
    if words.take(&["RESET"]) {
        return Some("RESET");
    }
    words.take(&["UNLISTEN"]).then_some("UNLISTEN")
}

pub(super) fn not_allowed() -> PgWireError {
    error(
        "25006",
        "only reading is allowed here, and CREATE, ALTER and DROP MATERIALIZED VIEW and INDEX; rows are written by pipelines alone",
    )
}

/// A text that is no SQL, with its place where the parser says it.
fn unread(text: &str, message: &str) -> PgWireError {
    // The compatible parser leaves the place out; the one below it says it.
    let located = Parser::parse_sql(&PostgreSqlDialect {}, text).err().map(|cause| cause.to_string());
    let message = located.as_deref().unwrap_or(message);
    let mut info = ErrorInfo::new("ERROR".to_owned(), "42601".to_owned(), message.to_owned());
    let place = message.rsplit_once(" at Line: ").and_then(|(_, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        let column: String = column.chars().take_while(char::is_ascii_digit).collect();
        chars_before(text, line.parse().ok()?, column.parse().ok()?)
    });
    info.position = place.map(|before| (before + 1).to_string());
    PgWireError::UserError(Box::new(info))
}

/// Moves the place that an error points at by the characters that come before its statement.
pub(super) fn moved(cause: PgWireError, by: usize) -> PgWireError {
    let PgWireError::UserError(mut info) = cause else { return cause };
    let place = info.position.as_deref().and_then(|place| place.parse::<usize>().ok());
    if let Some(place) = place {
        info.position = Some((place + by).to_string());
    }
    PgWireError::UserError(info)
}
