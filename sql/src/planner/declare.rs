//! Which tables and views there are, which of the tables are sinks, and who reads what.

use super::Mode;
pub(super) use crate::dialect::plain;
use crate::dialect::{CreateTable, Statement, StatementKind};
use crate::error::Error;
use crate::table::{SinkChanges, Table};
use datafusion::sql::sqlparser::ast::{ObjectName, Query, visit_relations};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The tables of a program by what they are for.
pub(super) struct Declared {
    pub sources: Vec<Table>,
    pub sinks: Vec<Table>,
    /// Tables that are asked for rows by key.
    pub lookups: Vec<Table>,
    /// Tables without a connector that a script both writes and reads: names for what is written to them.
    pub memory: Vec<Table>,
}

/// Sorts the declared tables.
pub(super) fn tables(sql: &str, statements: &[Statement], mode: &Mode<'_>) -> Result<Declared, Error> {
    unique(sql, statements)?;
    let mut found = Declared { sources: vec![], sinks: vec![], lookups: vec![], memory: vec![] };
    let is_target = |name: &str| statements.iter().any(|s| matches!(&s.kind, StatementKind::Insert { table, .. } if table.text == name));
    let readers = readers(statements);
    for statement in statements {
        let StatementKind::Table(declared) = &statement.kind else { continue };
        let mut table = Table::from(declared);
        let is_written = is_target(&table.name);
        let is_script = matches!(mode, Mode::Script(_));
        if is_script && is_written && !table.options.contains_key("connector") && readers.contains_key(&table.name) {
            found.memory.push(table);
            continue;
        }
        if table.is_lookup() {
            check_lookup(sql, declared, mode)?;
            found.lookups.push(table);
            continue;
        }
        let is_sink = match table.options.get("type").map(String::as_str) {
            Some("source") => false,
            Some("sink") => true,
            None => is_written,
            Some(other) => {
                let message = format!("table `{}` has type '{other}', which there is not", table.name);
                return Err(Error::new(sql, declared.name.at, message).with_help("write type = 'source', type = 'sink' or type = 'lookup'"));
            }
        };
        if !is_sink {
            imply_columns(sql, declared, &mut table, mode)?;
            // A script's connectors bring changes in one format alone.
            table.append_only |= is_script && !table.is_changelog();
            found.sources.push(table);
            continue;
        }
        if is_script {
            table.changes = table.sink_changes();
        }
        check_sink(sql, declared, &table, is_written)?;
        found.sinks.push(table);
    }
    Ok(found)
}

fn unique(sql: &str, statements: &[Statement]) -> Result<(), Error> {
    let mut names: BTreeMap<&str, u64> = BTreeMap::new();
    for statement in statements {
        let name = match &statement.kind {
            StatementKind::Table(table) => &table.name,
            StatementKind::View { name, .. } => name,
            StatementKind::Insert { .. } | StatementKind::Query { .. } | StatementKind::Function(_) | StatementKind::Set { .. } => continue,
        };
        if let Some(line) = names.insert(&name.text, name.at.line) {
            let message = format!("`{}` is declared twice, first on line {line}", name.text);
            return Err(Error::new(sql, name.at, message).with_help("give one of them another name"));
        }
    }
    Ok(())
}

/// The columns of a table that is declared without any are those of its connector.
fn imply_columns(sql: &str, declared: &CreateTable, table: &mut Table, mode: &Mode<'_>) -> Result<(), Error> {
    if !declared.columns.is_empty() {
        return Ok(());
    }
    let implied = match mode {
        Mode::Script(implied) => implied(&table.options),
        Mode::Stores => None,
    };
    let Some(implied) = implied else {
        let message = format!("table `{}` has no columns", table.name);
        return Err(Error::new(sql, declared.name.at, message).with_help("declare them in parentheses after its name"));
    };
    table.schema = implied.schema;
    table.event_time = table.event_time.take().or(implied.event_time);
    Ok(())
}

fn check_sink(sql: &str, declared: &CreateTable, table: &Table, is_written: bool) -> Result<(), Error> {
    let refused = |at, message: String, help: String| Err(Error::new(sql, at, message).with_help(help));
    if let Some(column) = declared.columns.iter().find(|column| column.generated.is_some()) {
        let message = format!("column `{}` of sink `{}` cannot be generated", column.name.text, table.name);
        return refused(column.name.at, message, "select its value in the INSERT INTO".into());
    }
    if declared.columns.is_empty() {
        return refused(
            declared.name.at,
            format!("sink `{}` has no columns", table.name),
            "declare them in parentheses after its name".into(),
        );
    }
    if table.primary_key.is_empty() && table.changes == SinkChanges::Keyed {
        let help = "declare one: a store is kept by updating and deleting rows by their key";
        return refused(declared.name.at, format!("sink `{}` has no PRIMARY KEY", table.name), help.into());
    }
    if !is_written {
        let help = format!("add INSERT INTO {} SELECT …, or remove the table", table.name);
        return refused(declared.name.at, format!("nothing is written to sink `{}`", table.name), help);
    }
    Ok(())
}

fn check_lookup(sql: &str, declared: &CreateTable, mode: &Mode<'_>) -> Result<(), Error> {
    let name = &declared.name;
    let refused = |at, message: String, help: &str| Err(Error::new(sql, at, message).with_help(help));
    if matches!(mode, Mode::Stores) {
        let message = format!(
            "`{}` is a lookup table, which may answer otherwise when the log is read again: a store that is kept would differ from its query",
            name.text
        );
        return refused(name.at, message, "capture the table's changes (format = 'debezium_json') and join those, or use `chimera run`");
    }
    if declared.primary_key.is_empty() {
        let help = "declare the columns that it is asked by: PRIMARY KEY (…)";
        return refused(name.at, format!("lookup table `{}` has no PRIMARY KEY", name.text), help);
    }
    if let Some(column) = declared.columns.iter().find(|column| column.generated.is_some()) {
        let message = format!("column `{}` of lookup table `{}` cannot be generated", column.name.text, name.text);
        return refused(column.name.at, message, "compute it in the query that joins the table");
    }
    if let Some((column, _)) = &declared.watermark {
        let message = format!("lookup table `{}` has no time of its own, and so no watermark", name.text);
        return refused(column.at, message, "remove WATERMARK");
    }
    let of_key = |column: &str| declared.primary_key.iter().any(|key| key.text == column);
    let odd =
        declared.columns.iter().find(|column| column.metadata.as_ref().is_some_and(|from| from != "key" || !of_key(&column.name.text)));
    if let Some(column) = odd {
        let message = format!("column `{}`: of a lookup table nothing but its key is known beside the row", column.name.text);
        return refused(column.name.at, message, "write METADATA FROM 'key' at a column of the PRIMARY KEY");
    }
    Ok(())
}

/// How often each relation is read, in all statements.
pub(super) fn readers(statements: &[Statement]) -> BTreeMap<String, usize> {
    let mut readers = BTreeMap::new();
    for statement in statements {
        if let StatementKind::View { query, .. } | StatementKind::Insert { query, .. } | StatementKind::Query { query } = &statement.kind {
            for name in relations(query) {
                *readers.entry(plain(&name)).or_default() += 1;
            }
        }
    }
    readers
}

/// The relations that a query names, one entry a mention.
pub(super) fn relations(query: &Query) -> Vec<ObjectName> {
    let mut names = Vec::new();
    let _ = visit_relations(query, |name| {
        names.push(name.clone());
        ControlFlow::<()>::Continue(())
    });
    names
}
