//! WITH RECURSIVE. The recursive term is lowered like any query, over a node that stands for the last round; what depends on
//! that node is then taken out of the plan as the body of the recursion.

use super::{Lowered, Lowering, Unsupported};
use crate::table::nullable;
use arrow::datatypes::SchemaRef;
use chimera_operators::{Body, JoinKind, NodeId, Operator, Stage};
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan, RecursiveQuery, cast};

impl Lowering<'_> {
    pub(super) fn recursion(&mut self, query: &RecursiveQuery) -> Result<Lowered, Unsupported> {
        if !query.is_distinct {
            return Err(Unsupported::new("WITH RECURSIVE … UNION ALL is not supported: in a circle its copies would never end")
                .help("write UNION, which keeps each row once; a column such as a depth tells copies apart where they matter")
                .at("recursive"));
        }
        let schema = nullable(query.schema.as_arrow());
        let base = self.conformed(&query.static_term, &schema)?;
        let round = self.plan.add(Operator::Round { name: query.name.clone() }, schema.clone());
        self.rounds.push((query.name.clone(), round));
        // Recursions keep everything: SET updating_ttl is not theirs.
        let ttl = self.plan.ttl.take();
        let last = self.conformed(&query.recursive_term, &schema);
        self.plan.ttl = ttl;
        self.rounds.pop();
        let last = last?;
        let operator = match self.body(last, round)? {
            Some(body) => Operator::Fixpoint { base, body },
            // Nothing is left of the recursion, as when its condition is never true.
            None => Operator::Distinct { input: self.plan.add(Operator::Union { inputs: vec![base, last] }, schema.clone()) },
        };
        let node = self.plan.add(operator, schema);
        Ok(Lowered { node, schema: query.schema.as_ref().clone() })
    }

    /// Lowers `plan` to a node with the types of `schema`.
    fn conformed(&mut self, plan: &LogicalPlan, schema: &SchemaRef) -> Result<NodeId, Unsupported> {
        let lowered = self.exactly(plan)?;
        let mut terms = vec![];
        for (index, field) in schema.fields().iter().enumerate() {
            let column = Column::from(lowered.schema.qualified_field(index));
            terms.push(self.term(&cast(Expr::Column(column), field.data_type().clone()), &lowered.schema)?);
        }
        Ok(self.map(lowered.node, vec![Stage::Project { terms, schema: schema.clone() }], schema.clone()))
    }

    /// What `node` does with the rows of `round`; `None` when it does not read them.
    fn body(&self, node: NodeId, round: NodeId) -> Result<Option<Body>, Unsupported> {
        if node == round {
            return Ok(Some(Body::Round));
        }
        let found = self.plan.node(node);
        let schema = found.schema.clone();
        let inputs = found.operator.inputs().into_iter().map(|input| self.body(input, round)).collect::<Result<Vec<_>, _>>()?;
        if inputs.iter().all(Option::is_none) {
            return Ok(None);
        }
        let refused = |message: &str| Unsupported::new(message.to_string()).at("recursive");
        let body = match &found.operator {
            Operator::Map { stages, .. } => {
                let input = inputs.into_iter().flatten().next().unwrap_or(Body::Round);
                Body::Map { input: Box::new(input), stages: stages.clone(), schema }
            }
            Operator::Union { .. } if inputs.iter().all(Option::is_some) => Body::Union { inputs: inputs.into_iter().flatten().collect() },
            Operator::Join { kind: JoinKind::Inner, left, right, null_is_equal, with_key } => {
                let mut inputs = inputs.into_iter();
                let (input, own, other, is_left) = match (inputs.next().flatten(), inputs.next().flatten()) {
                    (Some(input), None) => (input, left, right, true),
                    (None, Some(input)) => (input, right, left, false),
                    _ => {
                        return Err(refused("a recursive query may refer to itself once in each SELECT")
                            .help("join the recursion with a table or a view, not with itself"));
                    }
                };
                Body::Join {
                    input: Box::new(input),
                    key: own.key.clone(),
                    value: own.value.clone(),
                    other: other.clone(),
                    is_left,
                    null_is_equal: *null_is_equal,
                    with_key: *with_key,
                    schema,
                }
            }
            _ => {
                return Err(refused("the recursive part of WITH RECURSIVE may only filter, compute, unnest, join (inner) and unite")
                    .help("do what else there is to do in the query that reads the recursion"));
            }
        };
        Ok(Some(body))
    }

    /// The node that stands for the rows of a recursion's last round, inside of it.
    pub(super) fn round(&self, name: &str) -> Option<NodeId> {
        self.rounds.iter().rev().find(|(round, _)| round == name).map(|(_, node)| *node)
    }
}
