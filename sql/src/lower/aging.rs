//! Conditions on a time and the clock: bounds that move on.

use super::{Lowered, Lowering, Unsupported, column_term, is_helper, schema_of};
use crate::functions::clock;
use crate::table::nullable;
use arrow::datatypes::{DataType, Field, TimeUnit};
use chimera_operators::{Bound, Operator, Term};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator as Comparison};

impl Lowering<'_> {
    /// The rows of `input` while `condition`, which names the clock, holds.
    pub(super) fn aging(&mut self, input: &Lowered, condition: &Expr) -> Result<Lowered, Unsupported> {
        let refused = || {
            Unsupported::new("`now()` is in a condition that cannot be maintained")
                .help("compare a time with it, as in WHERE at > now() - INTERVAL '1 hour', and join such conditions by AND")
                .at("now")
        };
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return Err(refused()) };
        let (time, op, limit) = match (names_clock(left), names_clock(right)) {
            (false, true) => (left, *op, right),
            (true, false) => (right, op.swap().ok_or_else(refused)?, left),
            _ => return Err(refused()),
        };
        if !never_goes_back(limit) {
            return Err(refused()
                .and_help("an interval of months has no one length: write days, or date_trunc('month', now()) - INTERVAL '1 month'"));
        }
        let time = self.term(time, &input.schema)?;
        let bound = self.bound(limit, &time, matches!(op, Comparison::GtEq | Comparison::LtEq))?;
        let (after, until) = match op {
            Comparison::Gt | Comparison::GtEq => (Some(bound), None),
            Comparison::Lt | Comparison::LtEq => (None, Some(bound)),
            _ => return Err(refused()),
        };
        let (mut fields, mut value) = (vec![], vec![]);
        let columns = input.schema.columns();
        for index in (0..columns.len()).filter(|index| !is_helper(&columns[*index])) {
            let (qualifier, field) = input.schema.qualified_field(index);
            fields.push((qualifier.cloned(), field.as_ref().clone().with_nullable(true)));
            value.push(column_term(&input.schema, index));
        }
        let schema = schema_of(fields.into_iter())?;
        let operator = Operator::Aging { input: input.node, time, value, after, until };
        let node = self.plan.add(operator, nullable(schema.as_arrow()));
        Ok(Lowered { node, schema })
    }

    /// `limit` over the clock as its only column.
    fn bound(&self, limit: &Expr, time: &Term, inclusive: bool) -> Result<Bound, Unsupported> {
        let failed = |e: datafusion::error::DataFusionError| Unsupported::new(e.strip_backtrace()).at("now");
        let clock = Field::new("now", DataType::Timestamp(TimeUnit::Nanosecond, None), true);
        let schema = DFSchema::from_unqualified_fields(vec![clock].into(), Default::default()).map_err(failed)?;
        let over_clock = limit.clone().transform_down(|expr| match clock::is_now(&expr) {
            true => Ok(Transformed::yes(Expr::Column(Column::from_name("now")))),
            false => Ok(Transformed::no(expr)),
        });
        let term = self.term(&over_clock.map_err(failed)?.data, &schema)?;
        if term.data_type != time.data_type {
            let message = format!("a {} cannot be compared with `now()` here, which is a {}", time.data_type, term.data_type);
            return Err(Unsupported::new(message).help("cast the column to TIMESTAMP").at("now"));
        }
        Ok(Bound { time: term, inclusive })
    }
}

pub(super) fn names_clock(expr: &Expr) -> bool {
    let mut found = false;
    let visited = expr.apply(|expr| {
        found |= clock::is_now(expr);
        Ok(TreeNodeRecursion::Continue)
    });
    found && visited.is_ok()
}

/// Does this grow, or stay, when the clock goes on?
fn never_goes_back(limit: &Expr) -> bool {
    let is_constant = |expr: &Expr| expr.column_refs().is_empty();
    match limit {
        expr if clock::is_now(expr) => true,
        Expr::Cast(cast) => matches!(cast.field.data_type(), DataType::Timestamp(..) | DataType::Date32) && never_goes_back(&cast.expr),
        Expr::BinaryExpr(BinaryExpr { left, op: Comparison::Plus | Comparison::Minus, right }) => {
            never_goes_back(left) && is_constant(right) && (is_of_one_length(right) || is_whole_days(left))
        }
        Expr::ScalarFunction(call) => match (call.func.name(), &call.args[..]) {
            ("date_trunc", [unit, time]) => is_constant(unit) && never_goes_back(time),
            ("date_bin", [width, time, origin @ ..]) => is_constant(width) && never_goes_back(time) && origin.iter().all(is_constant),
            ("to_timestamp" | "to_date", [time]) => never_goes_back(time),
            _ => false,
        },
        _ => false,
    }
}

/// An interval without months: a month before the 28th of March is as early as one before the 29th, but not at every time of the day.
fn is_of_one_length(interval: &Expr) -> bool {
    match interval {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) => interval.months == 0,
        Expr::Literal(ScalarValue::IntervalYearMonth(_), _) => false,
        Expr::Literal(..) => true,
        _ => false,
    }
}

/// Does this have no time of the day?
fn is_whole_days(time: &Expr) -> bool {
    match time {
        Expr::Cast(cast) => cast.field.data_type() == &DataType::Date32 || is_whole_days(&cast.expr),
        Expr::ScalarFunction(call) => match (call.func.name(), &call.args[..]) {
            ("to_date", _) => true,
            ("date_trunc", [Expr::Literal(unit, _), _]) => {
                let unit = unit.try_as_str().flatten().unwrap_or_default().to_lowercase();
                ["day", "week", "month", "quarter", "year"].contains(&unit.as_str())
            }
            _ => false,
        },
        _ => false,
    }
}
