//! Builds the dbsp circuit of a plan. Every worker runs this once.

/// Of an operator that gives out what it has when all of a step's rows have come: `is_last` says so.
macro_rules! gives_at_the_end {
    () => {
        fn fixedpoint(&self, _: dbsp::circuit::Scope) -> bool {
            true
        }

        fn flush(&mut self) {
            self.is_last = true;
        }

        fn is_flush_complete(&self) -> bool {
            !self.is_last
        }
    };
}

mod aggregate;
mod aging;
mod best;
pub(crate) mod close;
pub(crate) mod cold;
mod fixpoint;
mod group;
mod groups;
mod join;
mod linear;
mod lookup;
mod relation;
mod saved;
mod top;
pub(crate) mod ttl;
mod window;

use crate::codec::Codec;
use crate::column;
use crate::delta::Chunk;
use crate::late::LateRows;
use crate::lookup::{Failure, Lookups};
use crate::output::Output;
use crate::plan::{Node, NodeId, Operator, Plan};
use crate::row::Row;
use crate::row_errors::RowErrors;
use crate::{Error, Term};
use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use close::Watermark;
use cold::Disk;
use dbsp::{InputHandle, RootCircuit, Runtime, Stream};
use relation::{Relation, RowMap, Source};
use std::collections::HashMap;
use std::sync::Arc;
use ttl::{Due, Tick};

/// The ends of a circuit that the caller holds.
pub(crate) struct Ends {
    /// Tables to push to.
    pub inputs: Vec<(String, InputHandle<Vec<Chunk>>)>,
    /// Rows to push once, before the first step.
    pub constants: Vec<(RecordBatch, InputHandle<Vec<Chunk>>)>,
    /// The watermark of each step, where something waits for it.
    pub watermark: Option<InputHandle<Option<Watermark>>>,
    /// The time of the next step, if something depends on it: for all workers.
    pub clock: Option<InputHandle<i64>>,
    /// The clock of each step, if state of idle keys is dropped, and whether the step does so.
    pub tick: Option<InputHandle<Option<Tick>>>,
}

/// What the parts of the builder share.
pub(crate) struct Builder<'a> {
    plan: &'a Plan,
    circuit: &'a mut RootCircuit,
    errors: RowErrors,
    lookups: &'a Lookups,
    failure: Failure,
    late: Option<LateRows>,
    readers: Vec<usize>,
    append_only: Vec<bool>,
    relations: Vec<Option<Relation>>,
    /// Indexes by what they hold: operators that need the same one share it, and its state.
    indexes: HashMap<String, RowMap>,
    /// Where tables spill; `None`: nowhere.
    disk: Option<Disk>,
    watermark: Option<Stream<RootCircuit, Watermark>>,
    /// The time of each step, once somebody asked for it.
    clock: Option<Stream<RootCircuit, i64>>,
    tick: Option<Stream<RootCircuit, Tick>>,
    due: Due,
    /// The rows of keys that are not idle, by what they are keys of.
    fresh: HashMap<String, Stream<RootCircuit, Vec<(usize, Chunk)>>>,
    /// Of the node that is being built: how long it keeps what nothing touches.
    ttl: Option<i64>,
    ends: Ends,
}

/// What leaves a circuit, of all workers.
#[derive(Clone)]
pub(crate) struct Outputs {
    /// One a sink, in the plan's order.
    pub sinks: Vec<Output>,
    /// One an expiry, in the plan's order.
    pub expiries: Vec<Output>,
}

/// What a circuit tells and asks while it runs.
#[derive(Clone)]
pub(crate) struct Outside {
    pub outputs: Outputs,
    pub errors: RowErrors,
    pub lookups: Lookups,
    pub failure: Failure,
    pub due: Due,
    /// Where late rows go; `None`: nowhere.
    pub late: Option<LateRows>,
    /// Where tables that are too large for memory go; `None`: nowhere.
    pub disk: Option<Disk>,
}

pub(crate) fn build(plan: &Plan, circuit: &mut RootCircuit, outside: &Outside) -> Result<Ends, Error> {
    let outputs = &outside.outputs;
    let ends = Ends { inputs: vec![], constants: vec![], watermark: None, clock: None, tick: None };
    let relations = vec![None; plan.nodes.len()];
    let mut builder = Builder {
        plan,
        circuit,
        errors: outside.errors.clone(),
        lookups: &outside.lookups,
        failure: outside.failure.clone(),
        late: outside.late.clone(),
        readers: plan.readers(),
        append_only: plan.append_only(),
        relations,
        indexes: HashMap::new(),
        disk: outside.disk.clone(),
        watermark: None,
        clock: None,
        tick: None,
        due: outside.due.clone(),
        fresh: HashMap::new(),
        ttl: None,
        ends,
    };
    for index in 0..plan.nodes.len() {
        if builder.readers[index] > 0 {
            let relation = builder.node(NodeId(index))?;
            builder.relations[index] = Some(relation);
        }
    }
    let worker = Runtime::worker_index();
    let sinks = plan.sinks.iter().zip(&outputs.sinks);
    for (sink, output) in sinks.chain(plan.expiries.iter().zip(&outputs.expiries)) {
        let output = output.clone();
        builder.relation(sink.node).to_chunks()?.inspect(move |chunks| output.push(worker, chunks));
    }
    Ok(builder.ends)
}

impl Builder<'_> {
    fn relation(&self, id: NodeId) -> &Relation {
        self.relations[id.0].as_ref().expect("inputs are built before the nodes that read them")
    }

    fn node(&mut self, id: NodeId) -> Result<Relation, Error> {
        let node = self.plan.node(id);
        self.ttl = None;
        self.operator(id, node, &node.operator)
    }

    fn operator(&mut self, id: NodeId, node: &Node, operator: &Operator) -> Result<Relation, Error> {
        match operator {
            Operator::Input { table, .. } => {
                let (stream, handle) = self.circuit.add_input_stream::<Vec<Chunk>>();
                stream.set_persistent_id(Some(&node.id));
                self.ends.inputs.push((table.clone(), handle));
                Ok(Relation::chunks(stream, node.schema.clone(), self.errors.clone()))
            }
            Operator::Constant { rows } => self.constant(node, rows),
            Operator::Map { input, stages } => {
                let relation = self.relation(*input).clone().then(stages, node.schema.clone());
                // What several nodes read is computed once.
                if self.readers[id.0] == 1 {
                    return Ok(relation);
                }
                Ok(Relation::chunks(relation.to_chunks()?, node.schema.clone(), self.errors.clone()))
            }
            Operator::Union { inputs } => self.union(node, inputs),
            Operator::Distinct { input } => {
                let rows = self.relation(*input).to_rows()?;
                rows.set_persistent_id(Some(&format!("{}-in", node.id)));
                let distinct = rows.distinct();
                distinct.set_persistent_id(Some(&node.id));
                self.held(node, Source::Rows(distinct))
            }
            Operator::Join { kind, left, right, null_is_equal, with_key } => self.join(node, *kind, left, right, *null_is_equal, *with_key),
            Operator::Lookup { input, table, key, value, columns } => self.lookup(node, *input, table, key, value, columns),
            Operator::Semi { left, right, anti, null_is_equal } => self.semi(node, left, right, *anti, *null_is_equal),
            Operator::Aggregate { input, group, parts, closes } => self.aggregate(node, *input, group, parts, closes.as_ref()),
            Operator::Late { input, closes } => self.late(id, node, *input, closes),
            Operator::Close { input, closes, value } => self.close(node, *input, closes, value),
            Operator::OrElse { input, default } => self.or_else(node, *input, default),
            Operator::Top { input, partition, order, value, numbering, skip, limit } => {
                self.top(node, *input, top::Spec { partition, order, value, numbering: *numbering, skip: *skip, limit: *limit })
            }
            Operator::Fixpoint { base, body } => self.fixpoint(node, *base, body),
            Operator::Round { name } => Err(Error::Engine(format!("`{name}` is read outside of its recursion"))),
            Operator::Aging { input, time, value, after, until } => self.aging(node, *input, time, value, after.as_ref(), until.as_ref()),
            Operator::Fresh { inputs, side, ttl } => self.fresh(node, inputs, *side, *ttl),
            Operator::Quiet { input, .. } => self.quiet(node, *input),
            Operator::Forgetful { operator, ttl } => {
                self.ttl = Some(*ttl);
                self.operator(id, node, operator)
            }
            Operator::Window { input, partition, order, value, function } => {
                self.window(node, *input, partition, &[&order[..], &value[..]].concat(), function)
            }
        }
    }

    /// The rows of a node as a Z-set from `key` to `value`.
    fn index(&mut self, input: NodeId, key: &[Term], value: &[Term], drop_null_keys: bool) -> Result<RowMap, Error> {
        let id = self.index_id(input, key, value, drop_null_keys);
        if let Some(index) = self.indexes.get(&id) {
            return Ok(index.clone());
        }
        let index = self.relation(input).to_map(key, value, drop_null_keys)?;
        index.set_persistent_id(Some(&id));
        self.indexes.insert(id, index.clone());
        Ok(index)
    }

    /// The rows of a node where those of equal keys are at one worker, and the terms that key and values have there.
    fn sharded(&mut self, input: NodeId, key: &[Term], value: &[Term]) -> Result<(Relation, Vec<Term>, Vec<Term>), Error> {
        if Runtime::num_workers() == 1 {
            return Ok((self.relation(input).clone(), key.to_vec(), value.to_vec()));
        }
        let map = self.index(input, key, value, false)?.shard();
        let terms = [key, value].concat();
        let fields = terms.iter().enumerate().map(|(index, term)| Field::new(format!("c{index}"), term.data_type.clone(), true));
        let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let mut columns: Vec<Term> = terms.iter().enumerate().map(|(index, term)| term.at(index)).collect();
        let values = columns.split_off(key.len());
        Ok((Relation::held(Source::Map(map), column::encodings(&terms), schema, self.errors.clone()), columns, values))
    }

    fn index_id(&self, input: NodeId, key: &[Term], value: &[Term], drop_null_keys: bool) -> String {
        let describe = |terms: &[Term]| terms.iter().map(Term::describe).collect::<Vec<_>>().join("\0");
        let text = format!("{}\n{}\n{}\n{drop_null_keys}", self.plan.node(input).id, describe(key), describe(value));
        format!("index-{}", &blake3::hash(text.as_bytes()).to_hex()[..24])
    }

    /// A relation whose rows are encoded compactly.
    fn held(&self, node: &Node, source: Source) -> Result<Relation, Error> {
        let encodings = Codec::for_schema(&node.schema)?.encodings;
        Ok(Relation::held(source, encodings, node.schema.clone(), self.errors.clone()))
    }

    fn constant(&mut self, node: &Node, rows: &RecordBatch) -> Result<Relation, Error> {
        let (stream, handle) = self.circuit.add_input_stream::<Vec<Chunk>>();
        stream.set_persistent_id(Some(&node.id));
        self.ends.constants.push((rows.clone(), handle));
        Ok(Relation::chunks(stream, node.schema.clone(), self.errors.clone()))
    }

    fn union(&mut self, node: &Node, inputs: &[NodeId]) -> Result<Relation, Error> {
        let streams = inputs.iter().map(|input| self.relation(*input).to_chunks()).collect::<Result<Vec<_>, _>>()?;
        let schema = node.schema.clone();
        let merged = dbsp::operator::apply_n(self.circuit, streams.iter(), move |chunks| {
            let mut all = Vec::new();
            for chunks in chunks {
                // The inputs agree on types; names and nullability are the union's.
                all.extend(chunks.iter().filter(|chunk| chunk.rows() > 0).map(|chunk| {
                    Chunk {
                        batch: crate::delta::batch_of(&schema, chunk.batch.columns().to_vec(), chunk.rows())
                            .unwrap_or_else(|e| panic!("the sides of a union have different columns: {e}")),
                        weights: chunk.weights.clone(),
                    }
                }));
            }
            all
        });
        Ok(Relation::chunks(merged, node.schema.clone(), self.errors.clone()))
    }

    fn or_else(&mut self, node: &Node, input: NodeId, default: &RecordBatch) -> Result<Relation, Error> {
        let rows = self.relation(input).to_rows()?;
        let constant = self.constant(node, default)?.to_rows()?;
        let codec = Codec::for_schema(&node.schema)?;
        let default = codec.encode(default.columns()).map_err(Error::Codec)?;
        let default = Row::new(default.get(0));
        // The default goes when a row comes and returns when it goes.
        let instead = rows.map(move |_| default.clone()).neg();
        let sum = rows.plus(&instead).plus(&constant);
        sum.set_persistent_id(Some(&format!("{}-sum", node.id)));
        self.held(node, Source::Rows(sum))
    }
}
