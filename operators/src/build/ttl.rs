//! Keys that nothing touches for a time: their rows are taken back, and nobody further on gets to know.

use super::Builder;
use super::relation::{Encoder, Relation};
use crate::Error;
use crate::codec::{Codec, Rows};
use crate::column::{self, Term};
use crate::delta::{Chunk, batch_of};
use crate::plan::{Node, NodeId};
use crate::row::Row;
use crate::stage::columns_of;
use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use dbsp::circuit::operator_traits::{Operator, UnaryOperator};
use dbsp::operator::apply_n;
use dbsp::{Circuit, RootCircuit, Stream, ZWeight};
use hashbrown::HashMap;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The clock of a step. In a sweep, which is a step of its own without rows, idle keys are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    /// Nanoseconds since 1970.
    pub now: i64,
    pub is_sweep: bool,
}

/// When the first key may be idle, over all workers and operators: before that no sweep finds anything.
#[derive(Clone, Debug)]
pub(crate) struct Due(Arc<AtomicI64>);

impl Default for Due {
    fn default() -> Self {
        Due(Arc::new(AtomicI64::new(i64::MAX)))
    }
}

impl Due {
    fn at(&self, time: i64) {
        self.0.fetch_min(time, Ordering::Relaxed);
    }

    /// Whether a sweep is due at `now`. Who sweeps says anew when the next one is.
    pub fn take(&self, now: i64) -> bool {
        let is_due = self.0.load(Ordering::Relaxed) <= now;
        if is_due {
            self.0.store(i64::MAX, Ordering::Relaxed);
        }
        is_due
    }
}

/// When keys were touched last.
pub(super) struct Idle<K> {
    ttl: i64,
    due: Due,
    touched: HashMap<K, i64>,
    /// Each key once, by a time at or before that of its last touch.
    queue: BTreeMap<i64, Vec<K>>,
}

impl<K: Clone + Eq + Hash> Idle<K> {
    pub fn new(ttl: i64, due: Due) -> Self {
        Idle { ttl, due, touched: HashMap::new(), queue: BTreeMap::new() }
    }

    pub fn touch(&mut self, key: &K, now: i64) {
        if let Some(last) = self.touched.get_mut(key) {
            *last = now;
            return;
        }
        self.touched.insert(key.clone(), now);
        self.queue.entry(now).or_default().push(key.clone());
        self.due.at(now.saturating_add(self.ttl));
    }

    /// The keys that nothing touched for the time to live; they are forgotten here.
    pub fn take(&mut self, now: i64) -> Vec<K> {
        let before = now.saturating_sub(self.ttl);
        let mut idle = vec![];
        while let Some(first) = self.queue.first_entry().filter(|first| *first.key() <= before) {
            for key in first.remove() {
                match self.touched.get(&key) {
                    Some(last) if *last > before => self.queue.entry(*last).or_default().push(key),
                    Some(_) => {
                        self.touched.remove(&key);
                        idle.push(key);
                    }
                    None => {}
                }
            }
        }
        if let Some((first, _)) = self.queue.first_key_value() {
            self.due.at(first.saturating_add(self.ttl));
        }
        idle
    }
}

/// What a step brings to the keys.
#[derive(Clone)]
enum Feed {
    Rows(Arc<Batch>),
    Tick(Tick),
}

/// Rows of one side with their keys.
struct Batch {
    side: usize,
    chunk: Chunk,
    keys: Rows,
    rows: Rows,
}

/// Keeps the rows of each key, to take them back when it is idle, and to know those that were.
struct Fresh {
    sides: Vec<(Codec, SchemaRef)>,
    idle: Idle<Row>,
    /// By key: side and row, and how often it is there.
    keys: HashMap<Row, HashMap<(usize, Row), ZWeight>>,
    waiting: Vec<Arc<Batch>>,
    tick: Tick,
    is_last: bool,
}

impl Builder<'_> {
    /// The clock of each step, and whether it is a sweep.
    pub(super) fn tick(&mut self) -> Stream<RootCircuit, Tick> {
        if let Some(tick) = &self.tick {
            return tick.clone();
        }
        let (stream, handle) = self.circuit.add_input_stream::<Option<Tick>>();
        stream.set_persistent_id(Some("tick"));
        // A step may take dbsp several turns, and only the first of them gets what was put in.
        let mut last = Tick { now: i64::MIN, is_sweep: false };
        let tick = stream.apply_mut(move |next| {
            last = next.unwrap_or(last);
            last
        });
        self.ends.tick = Some(handle);
        self.tick = Some(tick.clone());
        tick
    }

    pub(super) fn fresh(&mut self, node: &Node, inputs: &[(NodeId, Vec<Term>)], side: usize, ttl: i64) -> Result<Relation, Error> {
        let describe = |key: &[Term]| key.iter().map(Term::describe).collect::<Vec<_>>().join("\0");
        let ids: Vec<String> = inputs.iter().map(|(input, key)| format!("{}\n{}", self.plan.node(*input).id, describe(key))).collect();
        let id = format!("{}\n{ttl}", ids.join("\n"));
        let sides = match self.fresh.get(&id) {
            Some(sides) => sides.clone(),
            None => {
                let sides = self.fresh_sides(inputs, ttl)?;
                self.fresh.insert(id, sides.clone());
                sides
            }
        };
        let chunks = sides.apply(move |chunks| {
            let own = chunks.iter().filter(|(of, _)| *of == side);
            own.map(|(_, chunk)| chunk.clone()).collect::<Vec<Chunk>>()
        });
        chunks.set_persistent_id(Some(&node.id));
        Ok(Relation::chunks(chunks, node.schema.clone(), self.errors.clone()))
    }

    fn fresh_sides(&mut self, inputs: &[(NodeId, Vec<Term>)], ttl: i64) -> Result<Stream<RootCircuit, Vec<(usize, Chunk)>>, Error> {
        let (mut feeds, mut sides) = (vec![], vec![]);
        for (side, (input, key)) in inputs.iter().enumerate() {
            let schema = self.plan.node(*input).schema.clone();
            let fields = schema.fields().iter().enumerate();
            let columns: Vec<Term> = fields.map(|(index, field)| Term::column(index, field.name(), field.data_type().clone())).collect();
            let (relation, key, columns) = self.sharded(*input, key, &columns)?;
            let (keys, rows, of) = (Encoder::new(&key)?, Codec::new(column::encodings(&columns))?, schema.clone());
            feeds.push(relation.collect(
                "rows by key",
                move |chunk, out| {
                    let columns = columns_of(&columns, &chunk.batch)?;
                    let (keys, rows) = (keys.encode(chunk)?.1, rows.encode(&columns)?);
                    let batch = batch_of(&of, columns, chunk.rows()).map_err(|e| e.to_string())?;
                    out.push(Feed::Rows(Arc::new(Batch { side, chunk: Chunk { batch, weights: chunk.weights.clone() }, keys, rows })));
                    Ok(())
                },
                |feeds| feeds,
            )?);
            sides.push((Codec::for_schema(&schema)?, schema));
        }
        feeds.push(self.tick().apply(|tick| vec![Feed::Tick(*tick)]));
        let all = apply_n(self.circuit, feeds.iter(), |feeds| feeds.flat_map(Cow::into_owned).collect::<Vec<Feed>>());
        let (idle, tick) = (Idle::new(ttl, self.due.clone()), Tick { now: i64::MIN, is_sweep: false });
        let fresh = Fresh { sides, idle, keys: HashMap::new(), waiting: vec![], tick, is_last: false };
        Ok(self.circuit.add_unary_operator(fresh, &all))
    }

    /// What `input` gives, but for what comes of keys that are dropped.
    pub(super) fn quiet(&mut self, node: &Node, input: NodeId) -> Result<Relation, Error> {
        let chunks = self.relation(input).to_chunks()?;
        let quiet = chunks.apply2(&self.tick(), |chunks, tick| if tick.is_sweep { vec![] } else { chunks.clone() });
        Ok(Relation::chunks(quiet, node.schema.clone(), self.errors.clone()))
    }
}

impl Fresh {
    fn changes(&mut self) -> Result<Vec<(usize, Chunk)>, String> {
        if self.tick.is_sweep {
            return self.dropped();
        }
        let mut out = vec![];
        let waiting = std::mem::take(&mut self.waiting);
        // What of a row comes and goes in one step counts together: it may go before it comes.
        let mut net: HashMap<(usize, &[u8], &[u8]), ZWeight> = HashMap::new();
        for batch in &waiting {
            for row in 0..batch.chunk.rows() {
                *net.entry((batch.side, batch.keys.get(row), batch.rows.get(row))).or_default() += batch.chunk.weight(row);
            }
        }
        for batch in &waiting {
            let (mut places, mut weights) = (vec![], vec![]);
            for row in 0..batch.chunk.rows() {
                let (key, bytes) = (batch.keys.get(row), batch.rows.get(row));
                let Some(weight) = net.remove(&(batch.side, key, bytes)).filter(|weight| *weight != 0) else { continue };
                let weight = self.apply(Row::new(key), (batch.side, Row::new(bytes)), weight);
                if weight != 0 {
                    places.push(row as u32);
                    weights.push(weight);
                }
            }
            if !places.is_empty() {
                let rows = take_record_batch(&batch.chunk.batch, &UInt32Array::from(places)).map_err(|e| e.to_string())?;
                out.push((batch.side, Chunk { batch: rows, weights: Some(Arc::new(weights)) }));
            }
        }
        Ok(out)
    }

    /// Changes how often a row is there, and says by how much: what was dropped cannot go once more.
    fn apply(&mut self, key: Row, row: (usize, Row), weight: ZWeight) -> ZWeight {
        let there = self.keys.get(&key).and_then(|rows| rows.get(&row)).copied().unwrap_or(0);
        let weight = weight.max(-there);
        if weight == 0 {
            return 0;
        }
        self.idle.touch(&key, self.tick.now);
        let rows = self.keys.entry(key).or_default();
        match there + weight {
            0 => drop(rows.remove(&row)),
            left => drop(rows.insert(row, left)),
        }
        weight
    }

    fn dropped(&mut self) -> Result<Vec<(usize, Chunk)>, String> {
        let mut sides: Vec<(Vec<Row>, Vec<ZWeight>)> = self.sides.iter().map(|_| Default::default()).collect();
        for key in self.idle.take(self.tick.now) {
            for ((side, row), weight) in self.keys.remove(&key).unwrap_or_default() {
                sides[side].0.push(row);
                sides[side].1.push(-weight);
            }
        }
        let mut out = vec![];
        for (side, ((rows, weights), (codec, schema))) in sides.into_iter().zip(&self.sides).enumerate() {
            if !rows.is_empty() {
                let columns = codec.decode(rows.iter().map(Row::bytes))?;
                let batch = batch_of(schema, columns, rows.len()).map_err(|e| e.to_string())?;
                out.push((side, Chunk { batch, weights: Some(Arc::new(weights)) }));
            }
        }
        Ok(out)
    }
}

impl Operator for Fresh {
    fn name(&self) -> Cow<'static, str> {
        "fresh".into()
    }

    gives_at_the_end!();
}

impl UnaryOperator<Vec<Feed>, Vec<(usize, Chunk)>> for Fresh {
    async fn eval(&mut self, feeds: &Vec<Feed>) -> Vec<(usize, Chunk)> {
        for feed in feeds {
            match feed {
                Feed::Rows(batch) => self.waiting.push(batch.clone()),
                Feed::Tick(tick) => self.tick = *tick,
            }
        }
        if !std::mem::take(&mut self.is_last) {
            return vec![];
        }
        // Rows that we wrote ourselves can be read; dbsp reports the panic as a failed step.
        self.changes().unwrap_or_else(|e| panic!("kept rows cannot be read: {e}"))
    }
}
