//! `tumble(width)` and `tumble(width, time)`: the window of a time, as a struct of `start` and `end`.

use super::context::Context;
use super::declare;
use crate::error::Position;
use crate::table::Table;
use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, Spanned, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Place, message and help.
type Problem = (Position, String, String);

/// Replaces window functions by the functions that compute them.
pub(super) fn rewrite(query: &mut Query, context: &Context, sources: &[Table]) -> Result<(), Problem> {
    let times = event_times(query, context, sources);
    let outcome = visit_expressions_mut(query, |expr| {
        let Expr::Function(call) = expr else { return ControlFlow::Continue(()) };
        let at: Position = call.span().start.into();
        let rewritten = match declare::plain(&call.name).as_str() {
            "tumble" => tumble(call, at, &times),
            name @ ("hop" | "session") => {
                Err((at, format!("`{name}` windows are not supported"), "group by tumble(width) or date_bin(width, time)".to_string()))
            }
            _ => return ControlFlow::Continue(()),
        };
        match rewritten {
            Ok(window) => {
                *expr = window;
                ControlFlow::Continue(())
            }
            Err(problem) => ControlFlow::Break(problem),
        }
    });
    match outcome {
        ControlFlow::Break(problem) => Err(problem),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn tumble(call: &Function, at: Position, times: &BTreeSet<String>) -> Result<Expr, Problem> {
    let usage = "write tumble(INTERVAL '1 minute') or tumble(INTERVAL '1 minute', time_column)".to_string();
    let FunctionArguments::List(list) = &call.args else {
        return Err((at, "`tumble` needs the width of its windows".into(), usage));
    };
    let args: Vec<&Expr> = list
        .args
        .iter()
        .filter_map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect();
    let (width, time) = match args[..] {
        [width] => {
            let mut names = times.iter();
            let (Some(name), None) = (names.next(), names.next()) else {
                let message = match times.len() {
                    0 => "`tumble` does not know which time to use: no table here has a WATERMARK".to_string(),
                    _ => format!("`tumble` does not know which time to use: {}", times.iter().cloned().collect::<Vec<_>>().join(" or ")),
                };
                return Err((at, message, "write tumble(INTERVAL '1 minute', time_column)".into()));
            };
            (width.clone(), Expr::Identifier(Ident::with_quote('"', name)))
        }
        [width, time] => (width.clone(), time.clone()),
        _ => return Err((at, format!("`tumble` takes a width and a time, found {} arguments", args.len()), usage)),
    };
    let start = format!("date_bin({width}, {time})");
    let text = format!("named_struct('start', {start}, 'end', {start} + {width})");
    let dialect = PostgreSqlDialect {};
    let parsed = Parser::new(&dialect).try_with_sql(&text).and_then(|mut parser| parser.parse_expr());
    parsed.map_err(|e| (at, format!("`tumble` cannot use these arguments: {e}"), usage))
}

/// Event-time columns of the program that the relations of this query have.
fn event_times(query: &Query, context: &Context, sources: &[Table]) -> BTreeSet<String> {
    let names: BTreeSet<&String> = sources.iter().filter_map(|table| table.event_time.as_ref()).collect();
    let relations = declare::relations(query);
    let relations = relations.iter().filter_map(|name| context.relations.get(&declare::plain(name)));
    let mut found = BTreeSet::new();
    for relation in relations {
        let is_time = |name: &str| relation.schema.field_with_name(name).is_ok_and(|f| matches!(f.data_type(), DataType::Timestamp(..)));
        found.extend(names.iter().filter(|name| is_time(name)).map(|name| name.to_string()));
    }
    found
}
