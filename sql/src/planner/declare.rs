//! Which tables and views there are, which of the tables are sinks, and who reads what.

pub(super) use crate::dialect::plain;
use crate::dialect::{Statement, StatementKind};
use crate::error::Error;
use crate::table::Table;
use datafusion::sql::sqlparser::ast::{ObjectName, Query, visit_relations};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The sources and the sinks.
pub(super) fn tables(sql: &str, statements: &[Statement]) -> Result<(Vec<Table>, Vec<Table>), Error> {
    let (mut sources, mut sinks) = (vec![], vec![]);
    let mut names: BTreeMap<&str, u64> = BTreeMap::new();
    for statement in statements {
        let name = match &statement.kind {
            StatementKind::Table(table) => &table.name,
            StatementKind::View { name, .. } => name,
            StatementKind::Insert { .. } => continue,
        };
        if let Some(line) = names.insert(&name.text, name.at.line) {
            let message = format!("`{}` is declared twice, first on line {line}", name.text);
            return Err(Error::new(sql, name.at, message).with_help("give one of them another name"));
        }
    }
    let is_target = |name: &str| statements.iter().any(|s| matches!(&s.kind, StatementKind::Insert { table, .. } if table.text == name));
    for statement in statements {
        let StatementKind::Table(declared) = &statement.kind else { continue };
        let table = Table::from(declared);
        let is_sink = match table.options.get("type").map(String::as_str) {
            Some("source") => false,
            Some("sink") => true,
            None => is_target(&table.name),
            Some(other) => {
                let message = format!("table `{}` has type '{other}', which there is not", table.name);
                return Err(Error::new(sql, declared.name.at, message).with_help("write type = 'source' or type = 'sink'"));
            }
        };
        if !is_sink {
            sources.push(table);
            continue;
        }
        if table.primary_key.is_empty() {
            let message = format!("sink `{}` has no PRIMARY KEY", table.name);
            let help = "declare one: a store is kept by updating and deleting rows by their key";
            return Err(Error::new(sql, declared.name.at, message).with_help(help));
        }
        if !is_target(&table.name) {
            let message = format!("nothing is written to sink `{}`", table.name);
            let help = format!("add INSERT INTO {} SELECT …, or remove the table", table.name);
            return Err(Error::new(sql, declared.name.at, message).with_help(help));
        }
        sinks.push(table);
    }
    Ok((sources, sinks))
}

/// How often each relation is read, in all statements.
pub(super) fn readers(statements: &[Statement]) -> BTreeMap<String, usize> {
    let mut readers = BTreeMap::new();
    for statement in statements {
        if let StatementKind::View { query, .. } | StatementKind::Insert { query, .. } = &statement.kind {
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
