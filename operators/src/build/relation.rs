//! The rows of a node inside a circuit: a stream, and the stateless stages that have not run yet.

use crate::Error;
use crate::codec::{Codec, Encoding, Rows};
use crate::column::{self, Term};
use crate::delta::{Chunk, batch_of};
use crate::row::Row;
use crate::row_errors::RowErrors;
use crate::stage::{self, Stage};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::SchemaRef;
use dbsp::dynamic::DowncastTrait;
use dbsp::trace::{BatchReader as _, Cursor as _};
use dbsp::utils::Tup2;
use dbsp::{Circuit, OrdIndexedZSet, OrdZSet, RootCircuit, Stream, ZWeight};
use std::sync::Arc;

pub(crate) type RowSet = Stream<RootCircuit, OrdZSet<Row>>;
pub(crate) type RowMap = Stream<RootCircuit, OrdIndexedZSet<Row, Row>>;

/// How rows are held between operators.
#[derive(Clone)]
pub(crate) enum Source<C: Circuit = RootCircuit> {
    /// Arrow batches, not consolidated.
    Chunks(Stream<C, Vec<Chunk>>),
    /// A Z-set of whole rows.
    Rows(Stream<C, OrdZSet<Row>>),
    /// A Z-set of rows split in two; key and value together make the row.
    Map(Stream<C, OrdIndexedZSet<Row, Row>>),
}

/// `C` is the circuit that the rows are in: the root, or the inside of a recursion.
#[derive(Clone)]
pub(crate) struct Relation<C: Circuit = RootCircuit> {
    pub source: Source<C>,
    /// The columns of `source` as bytes; only for rows and maps.
    pub encodings: Vec<Encoding>,
    /// The columns of `source`.
    pub source_schema: SchemaRef,
    pub stages: Vec<Stage>,
    /// The columns after the stages.
    pub schema: SchemaRef,
    pub errors: RowErrors,
}

/// Rows copied out of a Z-set, ready to be decoded.
pub(super) struct Arena {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    weights: Vec<i64>,
}

impl Arena {
    pub fn with_capacity(rows: usize) -> Self {
        Arena { bytes: Vec::with_capacity(rows * 48), ends: Vec::with_capacity(rows), weights: Vec::with_capacity(rows) }
    }

    pub fn push(&mut self, parts: &[&[u8]], weight: i64) {
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.ends.push(self.bytes.len());
        self.weights.push(weight);
    }

    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    pub fn decode(self, codec: &Codec, schema: &SchemaRef) -> Result<Chunk, String> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let columns = codec.decode(starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end]))?;
        let batch = batch_of(schema, columns, self.weights.len()).map_err(|e| e.to_string())?;
        Ok(Chunk { batch, weights: Some(Arc::new(self.weights)) })
    }
}

/// The rows of a Z-set as a batch.
fn rows_to_chunk(rows: &OrdZSet<Row>, codec: &Codec, schema: &SchemaRef) -> Result<Chunk, String> {
    let mut arena = Arena::with_capacity(rows.len());
    let mut cursor = rows.cursor();
    while cursor.key_valid() {
        // SAFETY: the keys of this Z-set are rows.
        let row: &Row = unsafe { cursor.key().downcast() };
        arena.push(&[row.bytes()], 0);
        let last = arena.weights.len() - 1;
        arena.weights[last] = **cursor.weight();
        cursor.step_key();
    }
    arena.decode(codec, schema)
}

fn map_to_chunk(map: &OrdIndexedZSet<Row, Row>, codec: &Codec, schema: &SchemaRef) -> Result<Chunk, String> {
    let mut arena = Arena::with_capacity(map.len());
    let mut cursor = map.cursor();
    while cursor.key_valid() {
        while cursor.val_valid() {
            let weight = **cursor.weight();
            // SAFETY: keys and values of this Z-set are rows.
            let (key, value): (&Row, &Row) = unsafe { (cursor.key().downcast(), cursor.val().downcast()) };
            arena.push(&[key.bytes(), value.bytes()], weight);
            cursor.step_val();
        }
        cursor.step_key();
    }
    arena.decode(codec, schema)
}

impl<C: Circuit> Relation<C> {
    pub fn chunks(source: Stream<C, Vec<Chunk>>, schema: SchemaRef, errors: RowErrors) -> Self {
        Relation { source: Source::Chunks(source), encodings: vec![], source_schema: schema.clone(), stages: vec![], schema, errors }
    }

    pub fn held(source: Source<C>, encodings: Vec<Encoding>, schema: SchemaRef, errors: RowErrors) -> Self {
        Relation { source, encodings, source_schema: schema.clone(), stages: vec![], schema, errors }
    }

    /// This relation with one more list of stages.
    pub fn then(mut self, stages: &[Stage], schema: SchemaRef) -> Self {
        self.stages.extend_from_slice(stages);
        self.schema = schema;
        self
    }

    /// One operator that runs the pending stages on every batch, collects what `each` pushes and hands it to `finish`.
    pub fn collect<T: 'static, O: Clone + 'static>(
        &self,
        name: &'static str,
        each: impl Fn(&Chunk, &mut Vec<T>) -> Result<(), String> + 'static,
        finish: impl Fn(Vec<T>) -> O + 'static,
    ) -> Result<Stream<C, O>, Error> {
        let (stages, errors) = (self.stages.clone(), self.errors.clone());
        let run = move |chunk: Chunk, out: &mut Vec<T>| {
            stage::run_each(&stages, chunk, &errors, &mut |chunk| each(chunk, out));
        };
        // Rows that cannot be decoded were not written by us: a broken file. dbsp reports the panic as a failed step.
        let decoded = |chunk: Result<Chunk, String>| chunk.unwrap_or_else(|e| panic!("stored rows cannot be read: {e}"));
        Ok(match &self.source {
            Source::Chunks(stream) => stream.apply_named(name, move |chunks| {
                let mut out = Vec::new();
                chunks.iter().for_each(|chunk| run(chunk.clone(), &mut out));
                finish(out)
            }),
            Source::Rows(stream) => {
                let (codec, schema) = (Codec::new(self.encodings.clone())?, self.source_schema.clone());
                stream.apply_named(name, move |rows| {
                    let mut out = Vec::new();
                    if !rows.is_empty() {
                        run(decoded(rows_to_chunk(rows, &codec, &schema)), &mut out);
                    }
                    finish(out)
                })
            }
            Source::Map(stream) => {
                let (codec, schema) = (Codec::new(self.encodings.clone())?, self.source_schema.clone());
                stream.apply_named(name, move |map| {
                    let mut out = Vec::new();
                    if map.len() > 0 {
                        run(decoded(map_to_chunk(map, &codec, &schema)), &mut out);
                    }
                    finish(out)
                })
            }
        })
    }

    /// The rows as batches, all stages done.
    pub fn to_chunks(&self) -> Result<Stream<C, Vec<Chunk>>, Error> {
        if let (Source::Chunks(stream), true) = (&self.source, self.stages.is_empty()) {
            return Ok(stream.clone());
        }
        self.collect(
            "batches",
            |chunk, out| {
                out.push(chunk.clone());
                Ok(())
            },
            |chunks| chunks,
        )
    }

    /// The rows as a Z-set, encoded compactly.
    pub fn to_rows(&self) -> Result<Stream<C, OrdZSet<Row>>, Error> {
        let compact: Vec<_> = self.schema.fields().iter().map(|f| Encoding::compact(f.data_type().clone())).collect();
        if let (Source::Rows(stream), true) = (&self.source, self.stages.is_empty() && self.encodings == compact) {
            return Ok(stream.clone());
        }
        let codec = Codec::new(compact)?;
        self.collect(
            "rows",
            move |chunk, out| {
                let rows = codec.encode(chunk.batch.columns())?;
                out.extend((0..chunk.rows()).map(|i| Tup2(Row::new(rows.get(i)), chunk.weight(i))));
                Ok(())
            },
            |tuples| OrdZSet::from_keys((), tuples),
        )
    }

    /// The rows as a Z-set from the key terms to the value terms. Rows with a null in the key are left out when `drop_null_keys`.
    pub fn to_map(&self, key: &[Term], value: &[Term], drop_null_keys: bool) -> Result<Stream<C, OrdIndexedZSet<Row, Row>>, Error> {
        self.indexed(key, value, drop_null_keys, Row::new, |tuples| OrdIndexedZSet::from_tuples((), tuples))
    }

    /// The same, in the form that the right side of a left join has.
    pub fn to_optional_map(
        &self,
        key: &[Term],
        value: &[Term],
        drop_null_keys: bool,
    ) -> Result<Stream<C, OrdIndexedZSet<Row, Option<Row>>>, Error> {
        self.indexed(key, value, drop_null_keys, |bytes| Some(Row::new(bytes)), |tuples| OrdIndexedZSet::from_tuples((), tuples))
    }

    fn indexed<V: 'static, O: Clone + 'static>(
        &self,
        key: &[Term],
        value: &[Term],
        drop_null_keys: bool,
        wrap: impl Fn(&[u8]) -> V + 'static,
        finish: impl Fn(Vec<Tup2<Tup2<Row, V>, ZWeight>>) -> O + 'static,
    ) -> Result<Stream<C, O>, Error> {
        let keys = Encoder::new(key)?;
        let values = Encoder::new(value)?;
        self.collect(
            "index",
            move |chunk, out| {
                let (key_columns, keys) = keys.encode(chunk)?;
                let (_, values) = values.encode(chunk)?;
                out.reserve(chunk.rows());
                for i in 0..chunk.rows() {
                    if !(drop_null_keys && key_columns.iter().any(|column| column.is_null(i))) {
                        out.push(Tup2(Tup2(Row::new(keys.get(i)), wrap(values.get(i))), chunk.weight(i)));
                    }
                }
                Ok(())
            },
            finish,
        )
    }
}

/// Evaluates terms and encodes what they yield.
pub(crate) struct Encoder {
    terms: Vec<Term>,
    pub codec: Codec,
}

impl Encoder {
    pub fn new(terms: &[Term]) -> Result<Self, Error> {
        Ok(Encoder { terms: terms.to_vec(), codec: Codec::new(column::encodings(terms))? })
    }

    pub fn encode(&self, chunk: &Chunk) -> Result<(Vec<ArrayRef>, Rows), String> {
        let columns = stage::columns_of(&self.terms, &chunk.batch)?;
        let rows = self.codec.encode(&columns)?;
        Ok((columns, rows))
    }
}
