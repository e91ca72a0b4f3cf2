//! Where else a program could run: whether Arroyo (0.15 and 0.16) takes it, and what it refuses.

use crate::functions::session;
use crate::lower::finality::{grouping_window, is_window_type};
use crate::lower::lookup::{kind_of_lookup, looked_up};
use crate::table::Table;
use datafusion::logical_expr::{Expr, ExprSchemable, Join, JoinType, LogicalPlan};
use std::collections::BTreeMap;

/// Sinks that Arroyo has, of those that we have.
const SINKS: [&str; 7] = ["kafka", "redis", "single_file", "filesystem", "stdout", "webhook", "blackhole"];

/// What a query means for Arroyo: whether its rows change, or why it is refused.
type Answer = Result<bool, String>;

pub(super) struct Arroyo<'a> {
    /// Sources and lookup tables.
    pub tables: &'a [Table],
    pub views: BTreeMap<&'a str, &'a LogicalPlan>,
}

impl Arroyo<'_> {
    /// Why Arroyo does not keep `sink` equal to `plan`; `None` if it does.
    pub fn refuses(&self, sink: &Table, plan: &LogicalPlan) -> Option<String> {
        let connector = sink.options.get("connector").map(String::as_str).unwrap_or_default();
        if !connector.is_empty() && !SINKS.contains(&connector) {
            return Some(format!("it has no sink `{connector}`"));
        }
        match self.changes(plan) {
            Err(reason) => Some(reason),
            Ok(true) if connector == "redis" => Some("its Redis sink never deletes".into()),
            Ok(_) => None,
        }
    }

    fn changes(&self, plan: &LogicalPlan) -> Answer {
        match plan {
            LogicalPlan::TableScan(scan) => {
                let name = scan.table_name.table();
                match self.views.get(name) {
                    Some(view) => self.changes(view),
                    None => Ok(self.tables.iter().any(|source| source.name == name && source.is_changelog())),
                }
            }
            LogicalPlan::Aggregate(aggregate) => match (self.changes(&aggregate.input)?, grouping_window(aggregate)) {
                (true, _) => Err("it refuses aggregates over rows that change".into()),
                (false, window) => Ok(window.is_none()),
            },
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Window(window) => {
                match self.changes(&window.input)? || !window.window_expr.iter().all(|expr| is_windowed(expr, window.input.as_ref())) {
                    true => Err("it refuses window functions that are not over the windows of a GROUP BY".into()),
                    false => Ok(false),
                }
            }
            LogicalPlan::Sort(_) | LogicalPlan::Limit(_) => Err("it refuses ORDER BY and LIMIT".into()),
            LogicalPlan::RecursiveQuery(_) => Err("it has no recursion".into()),
            other => {
                let mut changes = false;
                for input in other.inputs() {
                    changes |= self.changes(input)?;
                }
                Ok(changes)
            }
        }
    }

    fn join(&self, join: &Join) -> Answer {
        for (stream, side, is_right) in [(&join.left, &join.right, true), (&join.right, &join.left, false)] {
            let Some(table) = looked_up(side, self.tables) else { continue };
            return match (table.options.get("connector").map(String::as_str), kind_of_lookup(join.join_type, is_right)) {
                (Some("redis"), Some(JoinType::Inner | JoinType::Left)) if !self.changes(stream)? => Ok(false),
                (Some("redis"), Some(JoinType::Inner | JoinType::Left)) => Err("it refuses lookup joins of rows that change".into()),
                (Some("redis"), _) => Err(format!("it has no {} lookup join", join.join_type)),
                (connector, _) => Err(format!("it has no lookup `{}`", connector.unwrap_or_default())),
            };
        }
        if self.changes(&join.left)? || self.changes(&join.right)? {
            return Err("it refuses joins with a side that changes: of change events, or of an aggregate without a window".into());
        }
        let has_session = [&join.left, &join.right].iter().any(|side| side.to_string().contains(session::NAME));
        let is_windowed = |side: &LogicalPlan| side.schema().fields().iter().any(|field| is_window_type(field.data_type()));
        match (join.join_type, is_windowed(&join.left) && is_windowed(&join.right)) {
            (_, true) if has_session => Err("it refuses session windows in joins".into()),
            (JoinType::Inner, _) | (_, true) => Ok(false),
            (kind, false) => Err(format!("it refuses a {kind} join that is not of windows")),
        }
    }
}

/// Whether a window function's partition holds the window of a GROUP BY.
fn is_windowed(expr: &Expr, input: &LogicalPlan) -> bool {
    match expr.clone().unalias() {
        Expr::WindowFunction(call) if call.fun.name() == session::NAME => true,
        Expr::WindowFunction(call) => {
            let is_window = |expr: &Expr| expr.get_type(input.schema()).is_ok_and(|data_type| is_window_type(&data_type));
            call.params.partition_by.iter().any(is_window)
        }
        _ => false,
    }
}
