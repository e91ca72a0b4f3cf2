//! INSERT INTO: the query's columns are matched with the sink's, by position.

use super::Planner;
use crate::dialect::Name;
use crate::error::{Error, Position};
use arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col, lit};
use datafusion::sql::sqlparser::ast::{Ident, Query, Select, SelectItem, SetExpr, Spanned};
use std::collections::BTreeSet;

impl Planner<'_> {
    /// `plan` with the sink's columns, in its order and with its types.
    pub(super) fn insert(
        &self,
        index: usize,
        table: &Name,
        columns: &[Name],
        query: &Query,
        plan: LogicalPlan,
    ) -> Result<LogicalPlan, Error> {
        let Some(sink) = self.sinks.iter().chain(&self.memory).find(|sink| sink.name == table.text) else {
            let is_source = self.sources.iter().chain(&self.lookups).any(|source| source.name == table.text);
            let error = if is_source {
                self.error(table.at, format!("`{}` is a source and cannot be written to", table.text))
                    .with_help("write to a table with type = 'sink'")
            } else {
                let known: Vec<_> = self.sinks.iter().map(|sink| sink.name.as_str()).collect();
                let help = super::locate::suggestion(&table.text, &known);
                self.error(table.at, format!("there is no table `{}` to write to", table.text)).with_help(help)
            };
            return Err(error);
        };
        let fields = sink.schema.fields();
        let targets = if columns.is_empty() {
            (0..fields.len()).collect()
        } else {
            let target = |name: &Name| {
                sink.schema.index_of(&name.text).map_err(|_| {
                    let known: Vec<_> = fields.iter().map(|field| field.name().as_str()).collect();
                    self.error(name.at, format!("sink `{}` has no column `{}`", sink.name, name.text))
                        .with_help(super::locate::suggestion(&name.text, &known))
                })
            };
            columns.iter().map(target).collect::<Result<Vec<_>, _>>()?
        };
        let given = plan.schema().fields().len();
        if given != targets.len() {
            let names: Vec<_> = targets.iter().map(|target| fields[*target].name().as_str()).collect();
            let message = format!("the query has {given} columns, sink `{}` takes {}", sink.name, targets.len());
            return Err(self
                .error(self.query_place(query, table), message)
                .with_help(format!("it takes {}, by position", names.join(", "))));
        }
        let mut exprs = Vec::with_capacity(fields.len());
        for (position, field) in fields.iter().enumerate() {
            let Some(source) = targets.iter().position(|target| *target == position) else {
                if sink.primary_key.contains(field.name()) {
                    let message = format!("column `{}` of the primary key of sink `{}` gets no value", field.name(), sink.name);
                    return Err(self.error(table.at, message).with_help("name it in the list of columns and select a value for it"));
                }
                exprs.push(lit(ScalarValue::try_from(field.data_type()).unwrap_or(ScalarValue::Null)).alias(field.name()));
                continue;
            };
            let (qualifier, found) = plan.schema().qualified_field(source);
            let expr = col(Column::from((qualifier, found)));
            let expr = assign(expr, found.data_type(), field.data_type()).map_err(|reason| {
                let message = format!(
                    "column {} of the query is {}, but column `{}` of sink `{}` is {}",
                    source + 1,
                    sql_type(found.data_type()),
                    field.name(),
                    sink.name,
                    sql_type(field.data_type())
                );
                let at = item_place(query, source).unwrap_or_else(|| self.query_place(query, table));
                self.error(at, message).with_help(format!("{reason}CAST(… AS {})", sql_type(field.data_type())))
            })?;
            exprs.push(expr.alias(field.name()));
        }
        let plan = LogicalPlanBuilder::from(plan).project(exprs).and_then(LogicalPlanBuilder::build);
        plan.map_err(|e| self.plan_error(index, &e))
    }

    fn query_place(&self, query: &Query, table: &Name) -> Position {
        let at: Position = query.span().start.into();
        if at.line == 0 { table.at } else { at }
    }
}

/// `query` with names for columns that are written like others before them: a sink goes by position, the planner by name.
pub(super) fn told_apart(query: &Query) -> Query {
    let mut query = query.clone();
    each_select(&mut query.body, &mut |select| {
        let mut seen = BTreeSet::new();
        for (index, item) in select.projection.iter_mut().enumerate() {
            if let SelectItem::UnnamedExpr(expr) = item
                && !seen.insert(expr.to_string())
            {
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', format!("__column_{index}")) };
            }
        }
    });
    query
}

/// Those whose rows are the query's.
fn each_select(body: &mut SetExpr, change: &mut dyn FnMut(&mut Select)) {
    match body {
        SetExpr::Select(select) => change(select),
        SetExpr::Query(query) => each_select(&mut query.body, change),
        SetExpr::SetOperation { left, right, .. } => {
            each_select(left, change);
            each_select(right, change);
        }
        _ => {}
    }
}

/// Where a query's result column is written.
pub(super) fn item_place(query: &Query, column: usize) -> Option<Position> {
    let mut body = query.body.as_ref();
    loop {
        match body {
            SetExpr::Select(select) => {
                let at: Position = select.projection.get(column)?.span().start.into();
                return (at.line > 0).then_some(at);
            }
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = query.body.as_ref(),
            _ => return None,
        }
    }
}

/// `expr` as a value of type `to`: where every value fits, or where the one that does not is refused when it comes.
fn assign(expr: Expr, from: &DataType, to: &DataType) -> Result<Expr, &'static str> {
    use DataType::*;
    if from == to {
        return Ok(expr);
    }
    let is_exact = |t: &DataType| t.is_integer() || matches!(t, Decimal128(..) | Decimal256(..) | Decimal32(..) | Decimal64(..));
    let is_text = |t: &DataType| matches!(t, Utf8 | LargeUtf8 | Utf8View);
    let is_bytes = |t: &DataType| matches!(t, Binary | LargeBinary | BinaryView);
    let is_allowed = match (from, to) {
        (Null, _) => true,
        // Digits after the point would be lost without a word.
        (Decimal128(_, scale), Int16 | Int32 | Int64) => *scale <= 0,
        (Decimal128(_, scale), Decimal128(_, to_scale)) => scale <= to_scale,
        (from, to) if is_exact(from) && is_exact(to) => true,
        (from, Float32 | Float64) => from.is_numeric(),
        (from, to) if is_text(from) && is_text(to) => true,
        (from, to) if is_bytes(from) && is_bytes(to) => true,
        (Dictionary(_, value), to) => value.as_ref() == to,
        (Timestamp(..) | Date32, Timestamp(..)) => true,
        (List(a) | LargeList(a) | FixedSizeList(a, _), List(b)) => {
            let (a, b) = (a.data_type(), b.data_type());
            a == b || (a.is_numeric() && b.is_floating()) || (is_text(a) && is_text(b))
        }
        _ => false,
    };
    if is_allowed {
        return Ok(cast(expr, to.clone()));
    }
    Err(if is_exact(to) && from.is_numeric() { "digits would be lost; say so with " } else { "write " })
}

/// The SQL name of a type.
fn sql_type(data_type: &DataType) -> String {
    use DataType::*;
    match data_type {
        Boolean => "BOOLEAN".into(),
        Int8 | Int16 | UInt8 => "SMALLINT".into(),
        Int32 | UInt16 => "INT".into(),
        Int64 | UInt32 | UInt64 => "BIGINT".into(),
        Float16 | Float32 => "REAL".into(),
        Float64 => "DOUBLE".into(),
        Utf8 | LargeUtf8 | Utf8View => "TEXT".into(),
        Binary | LargeBinary | BinaryView => "BYTEA".into(),
        Date32 | Date64 => "DATE".into(),
        Timestamp(..) => "TIMESTAMP".into(),
        Decimal128(p, s) | Decimal256(p, s) => format!("DECIMAL({p}, {s})"),
        List(field) | LargeList(field) | FixedSizeList(field, _) => format!("{}[]", sql_type(field.data_type())),
        other => other.to_string(),
    }
}
