//! Which queries only ever add rows: those that a sink can be fed with that takes no row back.

use super::Unsupported;
use super::aging::names_clock;
use super::lookup::{kind_of_lookup, looked_up};
use crate::functions::{session, window};
use crate::table::Table;
use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, ExprSchemable, Join, JoinType, LogicalPlan, Window};

/// When the rows of a query that only adds rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finality {
    /// As the rows that they are made of.
    Appended,
    /// When the window that they belong to has closed, all at once.
    Windowed,
}

/// How a row that was given out might change, and what to write instead.
fn changing(what: impl Into<String>, help: &str) -> Unsupported {
    Unsupported::new(format!("{} changes rows that were given out, and this sink can only be added to", what.into())).help(help)
}

const AS_CHANGES: &str = "write the sink with format = 'debezium_json', which carries changes";
const BY_WINDOW: &str = "group by tumble(…), hop(…) or session(…), whose results are final, or write the sink with format = 'debezium_json', which carries changes";

/// Refuses a query that does more than add rows.
pub(crate) fn of(plan: &LogicalPlan, sources: &[Table]) -> Result<Finality, Unsupported> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let name = scan.table_name.table();
            if scan.filters.iter().any(names_clock) {
                return Err(aging());
            }
            match sources.iter().find(|table| table.name == name) {
                Some(table) if table.is_changelog() => Err(changing(format!("`{name}`, a table of changes,"), AS_CHANGES).at(name)),
                _ => Ok(Finality::Appended),
            }
        }
        LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => Ok(Finality::Appended),
        LogicalPlan::Filter(filter) if names_clock(&filter.predicate) => Err(aging()),
        LogicalPlan::Aggregate(aggregate) => grouped(aggregate, sources),
        LogicalPlan::Window(window) => numbered(window, sources),
        LogicalPlan::Join(join) => joined(join, sources),
        LogicalPlan::Distinct(Distinct::All(input)) => match of(input, sources)? {
            Finality::Windowed if !input.schema().columns().iter().any(|column| is_closed_window(input, column)) => {
                Err(changing("DISTINCT over windows, without the window among its columns,", "select the window too"))
            }
            finality => Ok(finality),
        },
        LogicalPlan::Union(union) => {
            let mut inputs = union.inputs.iter().map(|input| of(input, sources));
            let first = inputs.next().unwrap_or(Ok(Finality::Appended))?;
            for finality in inputs {
                if finality? != first {
                    return Err(mixed("UNION"));
                }
            }
            Ok(first)
        }
        LogicalPlan::Sort(sort) if sort.fetch.is_some() => Err(changing("ORDER BY … LIMIT", AS_CHANGES).at("limit")),
        LogicalPlan::Limit(_) => Err(changing("LIMIT", AS_CHANGES).at("limit")),
        LogicalPlan::RecursiveQuery(query) => Err(changing(format!("the recursion `{}`", query.name), AS_CHANGES)),
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::Sort(_) => plan.inputs().first().map_or(Ok(Finality::Appended), |input| of(input, sources)),
        other => Err(changing(format!("`{}`", other.display()), AS_CHANGES)),
    }
}

fn aging() -> Unsupported {
    changing("a condition on now()", AS_CHANGES).at("now")
}

fn mixed(what: &str) -> Unsupported {
    Unsupported::new(format!(
        "{what} of rows that wait for a window with rows that do not is not supported in a sink that can only be added to"
    ))
    .help(AS_CHANGES)
}

fn grouped(aggregate: &Aggregate, sources: &[Table]) -> Result<Finality, Unsupported> {
    if grouping_window(aggregate).is_none() {
        let what = if aggregate.aggr_expr.is_empty() { "DISTINCT or GROUP BY without a window" } else { "an aggregate without a window" };
        return Err(changing(what, BY_WINDOW).at("group"));
    }
    of(&aggregate.input, sources)?;
    Ok(Finality::Windowed)
}

fn numbered(window: &Window, sources: &[Table]) -> Result<Finality, Unsupported> {
    let input = of(&window.input, sources)?;
    if window.window_expr.iter().all(is_session) && input == Finality::Appended {
        return Ok(Finality::Windowed);
    }
    let by_window = |expr: &Expr| match expr.clone().unalias() {
        Expr::WindowFunction(call) => call.params.partition_by.iter().any(|expr| reads_closed_window(&window.input, expr)),
        _ => false,
    };
    match input == Finality::Windowed && window.window_expr.iter().all(by_window) {
        true => Ok(Finality::Windowed),
        false => Err(changing(
            "a window function",
            "partition it by the window of a GROUP BY below it, or write the sink with format = 'debezium_json'",
        )
        .at("over")),
    }
}

fn joined(join: &Join, sources: &[Table]) -> Result<Finality, Unsupported> {
    // What a lookup table answered once is not asked again.
    for (stream, side, is_right) in [(&join.left, &join.right, true), (&join.right, &join.left, false)] {
        if looked_up(side, sources).is_some() && kind_of_lookup(join.join_type, is_right).is_some() {
            return of(stream, sources);
        }
    }
    let (left, right) = (of(&join.left, sources)?, of(&join.right, sources)?);
    match (left, right) {
        (Finality::Appended, Finality::Appended) if join.join_type == JoinType::Inner => Ok(Finality::Appended),
        (Finality::Appended, Finality::Appended) => Err(changing(
            format!("a {} join", join.join_type),
            "join windows of both sides, or write the sink with format = 'debezium_json'",
        )
        .at("join")),
        (Finality::Windowed, Finality::Windowed) => {
            let is_window = |(l, r): &(Expr, Expr)| reads_closed_window(&join.left, l) && reads_closed_window(&join.right, r);
            match join.on.iter().any(is_window) {
                true => Ok(Finality::Windowed),
                false => Err(changing("a join of windows that are not the same", "add the equality of the windows to ON").at("join")),
            }
        }
        _ => Err(mixed("a join")),
    }
}

/// The expression of a GROUP BY that is a window.
pub(crate) fn grouping_window(aggregate: &Aggregate) -> Option<&Expr> {
    let is_window = |expr: &&Expr| expr.get_type(aggregate.input.schema()).is_ok_and(|data_type| is_window_type(&data_type));
    aggregate.group_expr.iter().find(is_window)
}

pub(crate) fn is_window_type(data_type: &DataType) -> bool {
    let (DataType::Struct(found), DataType::Struct(window)) = (data_type, window::window_type()) else { return false };
    found.iter().map(|f| (f.name(), f.data_type())).eq(window.iter().map(|f| (f.name(), f.data_type())))
}

pub(crate) fn is_session(expr: &Expr) -> bool {
    matches!(expr.clone().unalias(), Expr::WindowFunction(call) if call.fun.name() == session::NAME)
}

/// Whether `expr` is computed of the closed window of `input`'s rows alone.
pub(crate) fn reads_closed_window(input: &LogicalPlan, expr: &Expr) -> bool {
    let columns = expr.column_refs();
    !columns.is_empty() && columns.into_iter().all(|column| is_closed_window(input, column))
}

/// Whether a column of `plan` is the window that its rows waited for.
pub(crate) fn is_closed_window(plan: &LogicalPlan, column: &Column) -> bool {
    let Some(index) = plan.schema().maybe_index_of_column(column) else { return false };
    let below = |input: &LogicalPlan, index: usize| is_closed_window(input, &Column::from(input.schema().qualified_field(index)));
    match plan {
        LogicalPlan::Projection(projection) => match projection.expr[index].clone().unalias() {
            Expr::Column(inner) => is_closed_window(&projection.input, &inner),
            _ => false,
        },
        LogicalPlan::Aggregate(aggregate) => {
            let group = aggregate.group_expr.get(index);
            group.is_some_and(|expr| expr.get_type(aggregate.input.schema()).is_ok_and(|data_type| is_window_type(&data_type)))
        }
        LogicalPlan::Window(window) => match index.checked_sub(window.input.schema().fields().len()) {
            Some(own) => is_session(&window.window_expr[own]),
            None => is_closed_window(&window.input, column),
        },
        LogicalPlan::Join(join) => {
            let side = |side: &LogicalPlan| has(side.schema(), column) && is_closed_window(side, column);
            side(&join.left) || side(&join.right)
        }
        LogicalPlan::Union(union) => union.inputs.iter().all(|input| below(input, index)),
        LogicalPlan::Unnest(unnest) => has(unnest.input.schema(), column) && is_closed_window(&unnest.input, column),
        LogicalPlan::SubqueryAlias(alias) => below(&alias.input, index),
        LogicalPlan::Filter(_) | LogicalPlan::Sort(_) | LogicalPlan::Distinct(Distinct::All(_)) | LogicalPlan::Subquery(_) => {
            plan.inputs().first().is_some_and(|input| is_closed_window(input, column))
        }
        _ => false,
    }
}

fn has(schema: &DFSchema, column: &Column) -> bool {
    schema.maybe_index_of_column(column).is_some()
}
