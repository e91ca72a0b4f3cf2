//! `tumble(width)`, `hop(slide, width)`, `session(gap)` and their forms with a time as the last argument: the windows of a time, as
//! structs of `start` and `end`. A row falls into one window of `tumble` and of `session`, and into several of `hop`.

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
        match window(call, &times) {
            Ok(Some(window)) => {
                *expr = window;
                ControlFlow::Continue(())
            }
            Ok(None) => ControlFlow::Continue(()),
            Err(problem) => ControlFlow::Break(problem),
        }
    });
    match outcome {
        ControlFlow::Break(problem) => Err(problem),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn window(call: &Function, times: &BTreeSet<String>) -> Result<Option<Expr>, Problem> {
    let text = match declare::plain(&call.name).as_str() {
        "tumble" => {
            let ([width], time) = arguments(call, "tumble", "INTERVAL '1 minute'", times)?;
            let start = format!("date_bin({width}, {time})");
            format!("named_struct('start', {start}, 'end', {start} + {width})")
        }
        "hop" => {
            let ([slide, width], time) = arguments(call, "hop", "INTERVAL '1 minute', INTERVAL '1 hour'", times)?;
            format!("unnest(hop({slide}, {width}, {time}))")
        }
        "session" => {
            let ([gap], time) = arguments(call, "session", "INTERVAL '30 minutes'", times)?;
            format!("session({gap}, {time})")
        }
        _ => return Ok(None),
    };
    let dialect = PostgreSqlDialect {};
    let parsed = Parser::new(&dialect).try_with_sql(&text).and_then(|mut parser| parser.parse_expr());
    let at = call.span().start.into();
    parsed.map(Some).map_err(|e| (at, format!("`{}` cannot use these arguments: {e}", call.name), "write plain expressions".into()))
}

/// The intervals and the time that a window function is called with. Without a time it is the event time, if there is one.
fn arguments<const N: usize>(call: &Function, name: &str, intervals: &str, times: &BTreeSet<String>) -> Result<([Expr; N], Expr), Problem> {
    let at: Position = call.span().start.into();
    let usage = format!("write {name}({intervals}) or {name}({intervals}, time_column)");
    let expression = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    let mut args = match &call.args {
        FunctionArguments::List(list) => list.args.iter().map(expression).collect::<Option<Vec<_>>>(),
        _ => None,
    }
    .unwrap_or_default();
    let found = args.len();
    let time = match args.len() {
        length if length == N + 1 => args.pop(),
        length if length == N => {
            let mut names = times.iter();
            let (Some(name_of_time), None) = (names.next(), names.next()) else {
                let message = match times.len() {
                    0 => format!("`{name}` does not know which time to use: no table here has a WATERMARK"),
                    _ => format!("`{name}` does not know which time to use: {}", times.iter().cloned().collect::<Vec<_>>().join(" or ")),
                };
                return Err((at, message, format!("write {name}({intervals}, time_column)")));
            };
            Some(Expr::Identifier(Ident::with_quote('"', name_of_time)))
        }
        _ => None,
    };
    match (<[Expr; N]>::try_from(args), time) {
        (Ok(intervals), Some(time)) => Ok((intervals, time)),
        _ => Err((at, format!("`{name}` takes {N} interval(s) and a time, found {found} arguments"), usage)),
    }
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
