//! Which statement about a view it is. The query of a CREATE is read by `chimera_sql`.

use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_postgres::pgwire::error::PgWireResult;

use crate::pg::handler::error;
use crate::pg::statements::chars_before;
use crate::pg::words::{Words, tokens, usage};

use super::index::Wanted;

/// A statement about views. Names are `schema.view`.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::pg) enum Statement {
    /// The text is a CREATE MATERIALIZED VIEW.
    Create,
    Drop {
        names: Vec<String>,
        if_exists: bool,
    },
    Rename {
        name: String,
        to: String,
        if_exists: bool,
    },
    Refresh {
        name: String,
    },
    /// EXPLAIN of the CREATE that begins after so many characters.
    ExplainCreate {
        at: usize,
    },
    Explain {
        name: String,
    },
    CreateIndex(Wanted),
    /// Names are `schema.index`.
    DropIndex {
        names: Vec<String>,
        if_exists: bool,
    },
}

/// `None`: another statement.
pub(in crate::pg) fn parse(text: &str) -> PgWireResult<Option<Statement>> {
    let Some(tokens) = tokens(text) else { return Ok(None) };
    let mut words = Words(&tokens);
    if words.take(&["EXPLAIN"]) {
        if is_create(words) {
            let start = words.0.first().map(|token| token.span.start);
            let at = start.and_then(|start| chars_before(text, start.line, start.column)).unwrap_or(0);
            return Ok(Some(Statement::ExplainCreate { at }));
        }
        if !words.take(&["MATERIALIZED", "VIEW"]) {
            return Ok(None);
        }
        let name = words.name("EXPLAIN MATERIALIZED VIEW [schema.]view")?;
        return words.end("EXPLAIN MATERIALIZED VIEW [schema.]view").map(|()| Some(Statement::Explain { name }));
    }
    if is_create(words) {
        return Ok(Some(Statement::Create));
    }
    if words.take(&["CREATE", "UNIQUE", "INDEX"]) {
        return Err(error("0A000", "an index of a view is not unique; what is unique in a view is its key"));
    }
    if words.take(&["CREATE", "INDEX"]) {
        return create_index(words).map(Some);
    }
    if words.take(&["DROP", "INDEX"]) {
        const USAGE: &str = "DROP INDEX [IF EXISTS] [schema.]name [, …]";
        let _ = words.take(&["CONCURRENTLY"]);
        let if_exists = words.take(&["IF", "EXISTS"]);
        let mut names = vec![words.name(USAGE)?];
        while words.token(&Token::Comma) {
            names.push(words.name(USAGE)?);
        }
        return words.end(USAGE).map(|()| Some(Statement::DropIndex { names, if_exists }));
    }
    if words.take(&["REFRESH", "MATERIALIZED", "VIEW"]) {
        const USAGE: &str = "REFRESH MATERIALIZED VIEW [schema.]view";
        let _ = words.take(&["CONCURRENTLY"]);
        let name = words.name(USAGE)?;
        return words.end(USAGE).map(|()| Some(Statement::Refresh { name }));
    }
    if words.take(&["DROP", "MATERIALIZED", "VIEW"]) {
        const USAGE: &str = "DROP MATERIALIZED VIEW [IF EXISTS] [schema.]view [, …]";
        let if_exists = words.take(&["IF", "EXISTS"]);
        let mut names = vec![words.name(USAGE)?];
        while words.token(&Token::Comma) {
            names.push(words.name(USAGE)?);
        }
        let _ = words.take(&["RESTRICT"]);
        return words.end(USAGE).map(|()| Some(Statement::Drop { names, if_exists }));
    }
    if words.take(&["ALTER", "MATERIALIZED", "VIEW"]) {
        const USAGE: &str = "ALTER MATERIALIZED VIEW [IF EXISTS] [schema.]view RENAME TO name";
        let if_exists = words.take(&["IF", "EXISTS"]);
        let name = words.name(USAGE)?;
        if !words.take(&["RENAME", "TO"]) {
            return Err(usage(USAGE));
        }
        let to = words.word().ok_or_else(|| usage(USAGE))?;
        return words.end(USAGE).map(|()| Some(Statement::Rename { name, to, if_exists }));
    }
    Ok(None)
}

fn create_index(mut words: Words<'_>) -> PgWireResult<Statement> {
    const USAGE: &str = "CREATE INDEX [CONCURRENTLY] [IF NOT EXISTS] [name] ON [schema.]view (column, …)";
    let concurrently = words.take(&["CONCURRENTLY"]);
    let if_not_exists = words.take(&["IF", "NOT", "EXISTS"]);
    let name = if words.take(&["ON"]) {
        None
    } else {
        let name = words.word().ok_or_else(|| usage(USAGE))?;
        if !words.take(&["ON"]) {
            return Err(usage(USAGE));
        }
        Some(name)
    };
    let view = words.name(USAGE)?;
    if words.take(&["USING"]) && !words.take(&["BTREE"]) {
        return Err(error("0A000", "indexes of views are sorted ones: leave USING out"));
    }
    if !words.token(&Token::LParen) {
        return Err(usage(USAGE));
    }
    let mut columns = vec![words.word().ok_or_else(|| usage(USAGE))?];
    while words.token(&Token::Comma) {
        columns.push(words.word().ok_or_else(|| usage(USAGE))?);
    }
    if !words.token(&Token::RParen) {
        return Err(usage(USAGE));
    }
    words.end(USAGE).map(|()| Statement::CreateIndex(Wanted { name, view, columns, if_not_exists, concurrently }))
}

/// Whether it is a CREATE MATERIALIZED VIEW.
fn is_create(mut words: Words<'_>) -> bool {
    words.take(&["CREATE", "MATERIALIZED", "VIEW"]) || words.take(&["CREATE", "OR", "REPLACE", "MATERIALIZED", "VIEW"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_about_views_are_told_from_others() {
        let read = |text: &str| parse(text).ok().flatten();
        assert_eq!(read("create  materialized view a.b as select 1"), Some(Statement::Create));
        assert_eq!(read("CREATE OR REPLACE MATERIALIZED VIEW b AS SELECT 1"), Some(Statement::Create));
        assert_eq!(read("EXPLAIN\n CREATE MATERIALIZED VIEW b AS SELECT 1"), Some(Statement::ExplainCreate { at: 9 }));
        assert_eq!(read("EXPLAIN MATERIALIZED VIEW B"), Some(Statement::Explain { name: "public.b".into() }));
        let names = vec!["a.b".into(), "public.C".into()];
        assert_eq!(read("DROP MATERIALIZED VIEW IF EXISTS a.b, \"C\";"), Some(Statement::Drop { names, if_exists: true }));
        let renamed = Statement::Rename { name: "a.b".into(), to: "c".into(), if_exists: false };
        assert_eq!(read("ALTER MATERIALIZED VIEW a.b RENAME TO c"), Some(renamed));
        assert_eq!(read("REFRESH MATERIALIZED VIEW CONCURRENTLY a.b"), Some(Statement::Refresh { name: "a.b".into() }));
        let index = |name: Option<&str>, columns: &[&str], if_not_exists| {
            let (name, columns) = (name.map(str::to_owned), columns.iter().map(|column| (*column).to_owned()).collect());
            Some(Statement::CreateIndex(Wanted { name, view: "a.b".into(), columns, if_not_exists, concurrently: false }))
        };
        assert_eq!(read("CREATE INDEX i ON a.b (c)"), index(Some("i"), &["c"], false));
        assert_eq!(read("create index if not exists I on a.b using btree (c, \"D\");"), index(Some("i"), &["c", "D"], true));
        assert_eq!(read("CREATE INDEX ON a.b (c)"), index(None, &["c"], false));
        assert_eq!(
            read("DROP INDEX IF EXISTS a.i, j"),
            Some(Statement::DropIndex { names: vec!["a.i".into(), "public.j".into()], if_exists: true })
        );
        assert!(
            parse("CREATE UNIQUE INDEX i ON a (b)").is_err()
                && parse("CREATE INDEX i ON a").is_err()
                && parse("CREATE INDEX i ON a (lower(b))").is_err()
        );
        for other in ["SELECT 1", "EXPLAIN SELECT 1", "CREATE VIEW a AS SELECT 1", "DROP TABLE a", "SUBSCRIBE a.b", "'"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert!(parse("DROP MATERIALIZED VIEW").is_err() && parse("DROP MATERIALIZED VIEW a CASCADE").is_err());
        assert!(parse("ALTER MATERIALIZED VIEW a OWNER TO b").is_err());
    }
}
