//! What waits for the watermark: groups by a window, and sessions, of sinks that can only be added to.

use super::finality::{grouping_window, reads_closed_window};
use super::{Lowered, Lowering, Needed, Unsupported, column_term, expr, with};
use crate::table::nullable;
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use chimera_operators::{NodeId, Operator, Part, Term};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Aggregate, Expr, Window};
use std::collections::HashSet;

/// Times in their order; rows without one never close.
const ASCENDING: SortOptions = SortOptions { descending: false, nulls_first: false };
/// The table under which closed rows are taken back.
const EXPIRED: &str = "__expired_";

/// The end of a window.
fn end(window: &Expr) -> Expr {
    get_field(window.clone().unalias(), "end")
}

impl Lowering<'_> {
    /// The window that the groups of `aggregate` wait for; none if nothing waits here, or if its rows have done so already.
    pub(super) fn awaited<'e>(&self, aggregate: &'e Aggregate) -> Option<&'e Expr> {
        let window = grouping_window(aggregate).filter(|_| self.closing)?;
        (!reads_closed_window(&aggregate.input, window) || !matches!(window.clone().unalias(), Expr::Column(_))).then_some(window)
    }

    /// Groups that are given out when `window` closes. Columns as those of the aggregate, whose columns are `arrow`.
    pub(super) fn closing_groups(
        &mut self,
        window: &Expr,
        input: &Lowered,
        group: Vec<Term>,
        parts: Vec<Part>,
        arrow: &SchemaRef,
    ) -> Result<NodeId, Unsupported> {
        let closes = self.term(&end(window), &input.schema)?.ordered(ASCENDING);
        let rows = self.plan.node(input.node).schema.clone();
        let input = self.plan.add(Operator::Late { input: input.node, closes: closes.clone() }, rows);
        Ok(self.plan.add(Operator::Aggregate { input, group, parts, closes: Some(closes) }, arrow.clone()))
    }

    /// Rows with the session that each is in, when it has closed; then they are forgotten.
    pub(super) fn closed_sessions(&mut self, window: &Window, needed: &Needed) -> Result<Lowered, Unsupported> {
        let [call] = &window.window_expr[..] else { return Err(Unsupported::new("`session` may be in GROUP BY once")) };
        let Expr::WindowFunction(function) = call.clone().unalias() else { return Err(Unsupported::new("`session` is a window function")) };
        let [_, time] = &function.params.args[..] else { return Err(Unsupported::new("`session` takes a gap and a time")) };
        let all: HashSet<_> = window.input.schema().columns().into_iter().collect();
        let mut columns = with(&Some(needed.clone().unwrap_or_else(|| all.clone())), &window.window_expr);
        if let Some(columns) = &mut columns {
            columns.retain(|column| all.contains(column));
        }
        let input = self.lower(&window.input, &columns)?;
        let rows = self.plan.node(input.node).schema.clone();
        // A row that is older than the watermark may belong to a session that has closed.
        let in_time = Operator::Late { input: input.node, closes: expr::just_after(self.term(time, &input.schema)?) };
        let in_time = self.plan.add(in_time, rows.clone());
        // Each kind of session has open rows of its own.
        let table = format!("{EXPIRED}{} {}", self.plan.node(in_time).id, call.clone().unalias());
        let expired = self.plan.add(Operator::Input { table: table.clone(), append_only: false }, rows.clone());
        let open = self.plan.add(Operator::Union { inputs: vec![in_time, expired] }, rows.clone());
        // Not by SET updating_ttl: sessions are freed when they close.
        let ttl = self.plan.ttl.take();
        let sessions = self.sessions(window, Lowered { node: open, schema: input.schema.clone() });
        self.plan.ttl = ttl;
        let sessions = sessions?;
        let own = sessions.schema.fields().len() - 1;
        // A row of the very end still belongs to the session: it closes when the watermark has passed that.
        let end = self.term(&end(&Expr::Column(sessions.schema.columns()[own].clone())), &sessions.schema)?;
        let closes = expr::just_after(end).ordered(ASCENDING);
        let value = (0..=own).map(|index| column_term(&sessions.schema, index)).collect();
        let arrow = nullable(sessions.schema.as_arrow());
        let node = self.plan.add(Operator::Close { input: sessions.node, closes, value }, arrow);
        let closed = Lowered { node, schema: sessions.schema };
        let closed_rows = self.arrange(closed.clone(), &input.schema)?;
        self.plan.add_expiry(&table, closed_rows.node);
        Ok(closed)
    }
}
