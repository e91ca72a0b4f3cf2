//! `FETCH FIRST 3 ROWS ONLY` is `LIMIT 3`.

use datafusion::sql::sqlparser::ast::{Expr, Fetch, LimitClause, Query, Value, VisitMut, VisitorMut};
use std::ops::ControlFlow;

/// In the query and those within it. With ties, or a part in a hundred, it is left to the planner, which refuses it.
pub(in crate::planner) fn fetch_as_limit(query: &mut Query) {
    let _ = query.visit(&mut Queries);
}

struct Queries;

impl VisitorMut for Queries {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let Some(Fetch { with_ties: false, percent: false, quantity }) = &query.fetch else { return ControlFlow::Continue(()) };
        let first = quantity.clone().unwrap_or_else(|| Expr::Value(Value::Number("1".into(), false).into()));
        match &mut query.limit_clause {
            None => query.limit_clause = Some(LimitClause::LimitOffset { limit: Some(first), offset: None, limit_by: vec![] }),
            Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = Some(first),
            Some(_) => return ControlFlow::Continue(()),
        }
        query.fetch = None;
        ControlFlow::Continue(())
    }
}
