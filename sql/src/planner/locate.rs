//! Finds the place in the text that an error is about.

use super::context::Context;
use super::declare;
use crate::dialect::{Statement, split_place};
use crate::error::Position;
use crate::table::Table;
use datafusion::common::{DataFusionError, Diagnostic};
use datafusion::sql::sqlparser::ast::{Query, Spanned, visit_relations};
use datafusion::sql::sqlparser::tokenizer::Token;
use std::ops::ControlFlow;

/// An error's place and text.
pub(super) struct Place {
    pub at: Position,
    pub message: String,
    pub help: Option<String>,
}

/// What DataFusion says is wrong with a statement.
pub(super) fn plan_error(error: &DataFusionError, statement: &Statement) -> Place {
    let text = error.strip_backtrace();
    if let Some(diagnostic) = error.diagnostic() {
        return from_diagnostic(diagnostic, statement);
    }
    let (message, at) = split_place(clean(&text));
    let (message, help) = match message.split_once("\n\n") {
        Some((message, help)) => (message, Some(help.trim().to_string())),
        None => match message.split_once(". Did you mean ") {
            Some((message, guess)) => (message, Some(format!("did you mean {guess}"))),
            None => (message, None),
        },
    };
    let at = at.or_else(|| quoted(message).into_iter().find_map(|word| self::word(statement, word))).unwrap_or(statement.at);
    Place { at, message: message.to_string(), help: help.map(|help| help.lines().collect::<Vec<_>>().join(" ")) }
}

fn from_diagnostic(diagnostic: &Diagnostic, statement: &Statement) -> Place {
    let at = diagnostic.span.map(|span| Position { line: span.start.line, column: span.start.column });
    let at = at.filter(|at| at.line > 0);
    let named = || quoted(&diagnostic.message).into_iter().find_map(|text| word(statement, text));
    let helps = diagnostic.helps.iter().map(|help| &help.message).chain(diagnostic.notes.iter().map(|note| &note.message));
    let help = helps.cloned().collect::<Vec<_>>().join("; ");
    let message = diagnostic.message.replace('\'', "`");
    Place { at: at.or_else(named).unwrap_or(statement.at), message, help: (!help.is_empty()).then_some(help) }
}

/// The message without the names of DataFusion's kinds of errors.
fn clean(text: &str) -> &str {
    const KINDS: [&str; 9] = [
        "Error during planning: ",
        "Schema error: ",
        "Execution error: ",
        "This feature is not implemented: ",
        "Arrow error: ",
        "SQL error: ",
        "Internal error: ",
        "Optimizer rule ",
        "type_coercion\ncaused by\n",
    ];
    let mut text = text;
    while let Some(rest) = KINDS.iter().find_map(|kind| text.strip_prefix(kind)) {
        text = rest;
    }
    text.rsplit_once("caused by\n").map_or(text, |(_, cause)| KINDS.iter().find_map(|kind| cause.strip_prefix(kind)).unwrap_or(cause))
}

/// The words that a message quotes.
fn quoted(message: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    for quote in ['\'', '`', '"'] {
        words.extend(message.split(quote).skip(1).step_by(2));
    }
    // A qualified name is written in parts.
    words.iter().flat_map(|word| [*word, word.rsplit('.').next().unwrap_or(word)]).collect()
}

/// Where `word` stands in the statement.
pub(crate) fn word(statement: &Statement, word: &str) -> Option<Position> {
    let word = word.trim_end_matches("()");
    let found = statement.tokens.iter().find(|token| match &token.token {
        Token::Word(found) => found.value.eq_ignore_ascii_case(word),
        _ => false,
    })?;
    Some(found.span.start.into())
}

/// The first relation in a query that is not there to be read.
pub(super) fn unreadable(query: &Query, context: &Context, sinks: &[Table]) -> Option<(Position, String)> {
    let ctes: Vec<String> = common_tables(query);
    let found = visit_relations(query, |relation| {
        let name = declare::plain(relation);
        let is_known = (context.relations.contains_key(&name) && !sinks.iter().any(|sink| sink.name == name)) || ctes.contains(&name);
        if is_known { ControlFlow::Continue(()) } else { ControlFlow::Break((relation.span().start.into(), name)) }
    });
    match found {
        ControlFlow::Break(found) => Some(found),
        ControlFlow::Continue(()) => None,
    }
}

/// Names that WITH gives anywhere in the query.
fn common_tables(query: &Query) -> Vec<String> {
    use datafusion::sql::sqlparser::ast::{Visit, Visitor};
    struct Names(Vec<String>);
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let tables = query.with.iter().flat_map(|with| &with.cte_tables);
            self.0.extend(tables.map(|table| crate::dialect::Name::from(table.alias.name.clone()).text));
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(vec![]);
    let _ = query.visit(&mut names);
    names.0
}

/// The nearest of the known names, or all of them.
pub(super) fn suggestion(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (distance(name, known), *known)).min();
    match near {
        Some((distance, known)) if distance <= 2.max(name.len() / 3) => format!("did you mean `{known}`?"),
        Some(_) => format!("there are {}", known.join(", ")),
        None => "declare it with CREATE TABLE or CREATE VIEW before this statement".into(),
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let cost = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
