//! `hop` windows by panes: all times of one slide are in the same windows, so rows that differ in nothing but that are made one row before
//! each becomes a row a window.

use super::aggregate::numbered_schema;
use super::{Lowered, Lowering, Unsupported, with};
use crate::functions::{hop, window};
use crate::table::nullable;
use chimera_operators::{Stage, Term};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan};
use std::collections::HashSet;

impl Lowering<'_> {
    /// A projection with one call of `hop`, whose width is a number of slides; `None` for anything else.
    pub(super) fn panes(&mut self, plan: &LogicalPlan) -> Result<Option<Lowered>, Unsupported> {
        let LogicalPlan::Projection(projection) = plan else { return Ok(None) };
        let mut calls = projection.expr.iter().enumerate().filter_map(|(place, expr)| Some((place, call(expr)?)));
        let (Some((place, hop)), None) = (calls.next(), calls.next()) else { return Ok(None) };
        let ([slide, _, time], Some(date_bin)) = (&hop.args[..], self.state.scalar_functions().get("date_bin")) else { return Ok(None) };
        let pane = Expr::ScalarFunction(ScalarFunction::new_udf(date_bin.clone(), vec![slide.clone(), time.clone()]));
        let input = self.lower(&projection.input, &with(&Some(HashSet::new()), &projection.expr))?;
        let mut terms = vec![];
        for (index, expr) in projection.expr.iter().enumerate() {
            terms.push(self.term(if index == place { &pane } else { expr }, &input.schema)?);
        }
        let types: Vec<_> = terms.iter().map(|term| term.data_type.clone()).collect();
        let arrow = numbered_schema(&types);
        let schema = DFSchema::try_from(arrow.as_ref().clone()).map_err(|e| Unsupported::new(e.strip_backtrace()))?;
        let stages = vec![Stage::Project { terms, schema: arrow.clone() }, Stage::Combine];
        let combined = self.map(input.node, stages, arrow.clone());
        let mut windows = hop.clone();
        windows.args[2] = Expr::Column(Column::from(schema.qualified_field(place)));
        let windows = self.term(&Expr::ScalarFunction(windows), &schema)?;
        let fields = arrow.fields().iter().enumerate();
        let mut terms: Vec<Term> = fields.map(|(index, field)| Term::column(index, field.name(), field.data_type().clone())).collect();
        terms[place] = windows;
        let arrow = nullable(projection.schema.as_arrow());
        let node = self.map(combined, vec![Stage::Project { terms, schema: arrow.clone() }], arrow);
        Ok(Some(Lowered { node, schema: projection.schema.as_ref().clone() }))
    }
}

/// The call of `hop` that an expression is, if panes can stand for its times.
fn call(expr: &Expr) -> Option<&ScalarFunction> {
    let call = match expr {
        Expr::Alias(alias) => return call(&alias.expr),
        Expr::ScalarFunction(call) if call.func.name() == hop::NAME => call,
        _ => return None,
    };
    let length = |place: usize, argument: &str| match call.args.get(place) {
        Some(Expr::Literal(value, _)) => window::duration(hop::NAME, argument, Some(value)).ok(),
        _ => None,
    };
    (length(1, "width")? % length(0, "slide")? == 0).then_some(call)
}
