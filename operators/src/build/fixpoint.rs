//! Recursion: a nested circuit that goes round until nothing new comes, as in Budiu et al., "DBSP: Automatic Incremental View
//! Maintenance for Rich Query Languages" (VLDB 2023), section 5. Its operators keep what came in each round, so that a change
//! goes through the rounds that it changes and no others.

use super::Builder;
use super::relation::{Relation, RowMap, RowSet, Source};
use crate::Error;
use crate::codec::Codec;
use crate::column;
use crate::plan::{Body, Node, NodeId};
use crate::row::Row;
use crate::row_errors::RowErrors;
use dbsp::algebra::HasZero;
use dbsp::circuit::operator_traits::{Operator, UnaryOperator};
use dbsp::circuit::{Circuit, NestedCircuit, Scope};
use dbsp::trace::BatchReader;
use dbsp::{OrdZSet, Stream};
use std::borrow::Cow;

type NestedRows = Stream<NestedCircuit, OrdZSet<Row>>;

/// Rounds after which a recursion is cut off: one that goes on for ever must not stop everything else.
const MAX_ROUNDS: usize = 1000;

impl Builder<'_> {
    pub(super) fn fixpoint(&mut self, node: &Node, base: NodeId, body: &Body) -> Result<Relation, Error> {
        let base = self.relation(base).to_rows()?;
        base.set_persistent_id(Some(&format!("{}-base", node.id)));
        let mut others = vec![];
        self.others(body, &mut others)?;
        let rounds = Rounds { node, base, others, errors: self.errors.clone() };
        let mut failed = None;
        let mut inside = |child: &NestedCircuit, rows: NestedRows| match rounds.next(child, body, rows) {
            Ok(rows) => rows,
            Err(error) => {
                failed = Some(error);
                rounds.base.delta0(child)
            }
        };
        let rows: RowSet =
            self.circuit.recursive(|child, rows: NestedRows| Ok(inside(child, rows))).map_err(|e| Error::Engine(e.to_string()))?;
        if let Some(error) = failed {
            return Err(error);
        }
        rows.set_persistent_id(Some(&node.id));
        self.held(node, Source::Rows(rows))
    }

    /// Indexes of the rows that the recursion is joined with, in the order of the body.
    fn others(&mut self, body: &Body, found: &mut Vec<RowMap>) -> Result<(), Error> {
        match body {
            Body::Round => {}
            Body::Map { input, .. } => self.others(input, found)?,
            Body::Union { inputs } => inputs.iter().try_for_each(|input| self.others(input, found))?,
            Body::Join { input, other, null_is_equal, .. } => {
                self.others(input, found)?;
                found.push(self.index(other.input, &other.key, &other.value, !null_is_equal)?);
            }
        }
        Ok(())
    }
}

/// What the inside of a recursion is built from.
struct Rounds<'a> {
    node: &'a Node,
    base: RowSet,
    others: Vec<RowMap>,
    errors: RowErrors,
}

impl Rounds<'_> {
    /// The rows after a round, from those of the round before.
    fn next(&self, child: &NestedCircuit, body: &Body, rows: NestedRows) -> Result<NestedRows, Error> {
        rows.set_persistent_id(Some(&format!("{}-rounds", self.node.id)));
        let encodings = Codec::for_schema(&self.node.schema)?.encodings;
        let round = Relation::held(Source::Rows(rows), encodings, self.node.schema.clone(), self.errors.clone());
        let mut names = Names { id: &self.node.id, next: 0 };
        let made = self.body(child, body, &round, &mut self.others.iter(), &mut names)?.to_rows()?;
        names.name(&made);
        let made = child.add_unary_operator(Cut { round: 0, errors: self.errors.clone() }, &made);
        names.name(&made);
        let base = self.base.delta0(child);
        names.name(&base);
        let all = made.plus(&base);
        names.name(&all);
        Ok(all)
    }

    fn body(
        &self,
        child: &NestedCircuit,
        body: &Body,
        round: &Relation<NestedCircuit>,
        others: &mut std::slice::Iter<'_, RowMap>,
        names: &mut Names<'_>,
    ) -> Result<Relation<NestedCircuit>, Error> {
        Ok(match body {
            Body::Round => round.clone(),
            Body::Map { input, stages, schema } => self.body(child, input, round, others, names)?.then(stages, schema.clone()),
            Body::Union { inputs } => {
                let mut sum: Option<NestedRows> = None;
                for input in inputs {
                    let rows = self.body(child, input, round, others, names)?.to_rows()?;
                    names.name(&rows);
                    sum = Some(sum.map_or(rows.clone(), |sum| sum.plus(&rows)));
                }
                match sum {
                    Some(sum) => {
                        names.name(&sum);
                        Relation::held(Source::Rows(sum), round.encodings.clone(), round.schema.clone(), self.errors.clone())
                    }
                    None => round.clone(),
                }
            }
            Body::Join { input, key, value, other, is_left, null_is_equal, with_key, schema } => {
                let own = self.body(child, input, round, others, names)?.to_map(key, value, !null_is_equal)?;
                names.name(&own);
                let Some(map) = others.next() else {
                    return Err(Error::Engine("a recursion joins more than it was given".into()));
                };
                let (is_left, with_key) = (*is_left, *with_key);
                let map = map.delta0(child);
                names.name(&map);
                let rows = own.join(&map, move |key, own, other| {
                    let (left, right) = if is_left { (own, other) } else { (other, own) };
                    Row::concat(&[if with_key { key.bytes() } else { &[] }, left.bytes(), right.bytes()])
                });
                names.name(&rows);
                let (left, right) = if is_left { (value, &other.value) } else { (&other.value, value) };
                let left_key = if is_left { key } else { &other.key };
                let key = if with_key { &left_key[..] } else { &[] };
                let encodings = [key, left, right].iter().flat_map(|terms| column::encodings(terms)).collect();
                Relation::held(Source::Rows(rows), encodings, schema.clone(), self.errors.clone())
            }
        })
    }
}

/// Gives the streams of a recursion names under which their state is found again.
struct Names<'a> {
    id: &'a str,
    next: usize,
}

impl Names<'_> {
    fn name<B: Clone + 'static>(&mut self, stream: &Stream<NestedCircuit, B>) {
        stream.set_persistent_id(Some(&format!("{}-inside{}", self.id, self.next)));
        self.next += 1;
    }
}

/// Lets rows through for [`MAX_ROUNDS`] rounds.
struct Cut {
    round: usize,
    errors: RowErrors,
}

impl Operator for Cut {
    fn name(&self) -> Cow<'static, str> {
        "rounds".into()
    }

    fn clock_start(&mut self, scope: Scope) {
        if scope == 0 {
            self.round = 0;
        }
    }

    fn fixedpoint(&self, _: Scope) -> bool {
        true
    }
}

impl UnaryOperator<OrdZSet<Row>, OrdZSet<Row>> for Cut {
    async fn eval(&mut self, rows: &OrdZSet<Row>) -> OrdZSet<Row> {
        self.eval_owned(rows.clone()).await
    }

    async fn eval_owned(&mut self, rows: OrdZSet<Row>) -> OrdZSet<Row> {
        self.round += 1;
        if self.round <= MAX_ROUNDS || rows.is_empty() {
            return rows;
        }
        self.errors.add(&format!("a recursion was cut off after {MAX_ROUNDS} rounds"), rows.len() as u64);
        OrdZSet::zero()
    }
}
