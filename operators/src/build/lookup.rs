//! Rows beside what a table answers to their keys. Where rows only come, nothing is kept; where they also go, the answer that each was
//! given is kept, so that it goes with that.

use super::Builder;
use super::relation::{Encoder, Relation};
use crate::codec::{Codec, Encoding};
use crate::delta::{Chunk, batch_of};
use crate::lookup::{Failure, Lookup};
use crate::plan::{Node, NodeId};
use crate::row::Row;
use crate::row_errors::RowErrors;
use crate::stage::columns_of;
use crate::{Error, Term};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::SchemaRef;
use dbsp::circuit::operator_traits::{Operator, UnaryOperator};
use dbsp::{Circuit, ZWeight};
use hashbrown::HashMap;
use std::borrow::Cow;
use std::sync::Arc;

const UNKNOWN: &str = "a row went that a lookup join had not been given";

/// Rows to be answered.
#[derive(Clone)]
struct Asked {
    keys: Vec<ArrayRef>,
    values: Vec<ArrayRef>,
    weights: Arc<Vec<ZWeight>>,
}

impl Builder<'_> {
    pub(super) fn lookup(
        &mut self,
        node: &Node,
        input: NodeId,
        table: &str,
        key: &[Term],
        value: &[Term],
        columns: &[usize],
    ) -> Result<Relation, Error> {
        let asked = self.lookups.get(table).cloned().ok_or_else(|| Error::NoLookup(table.into()))?;
        let (relation, key, value, given) = match self.append_only[input.0] {
            true => (self.relation(input).clone(), key.to_vec(), value.to_vec(), None),
            false => {
                let (relation, key, value) = self.sharded(input, key, value)?;
                let rows = Encoder::new(&[&value[..], &key[..]].concat())?.codec;
                let answers = Codec::new(answer_encodings(&node.schema, value.len()))?;
                (relation, key, value, Some(Given { rows, answers, kept: HashMap::new() }))
            }
        };
        let rows = relation.collect(
            "keys",
            move |chunk, out| {
                let (keys, values) = (columns_of(&key, &chunk.batch)?, columns_of(&value, &chunk.batch)?);
                let weights = (0..chunk.rows()).map(|row| chunk.weight(row)).collect();
                out.push(Asked { keys, values, weights: Arc::new(weights) });
                Ok(())
            },
            |asked| asked,
        )?;
        let (columns, schema) = (columns.to_vec(), node.schema.clone());
        let (errors, failure) = (self.errors.clone(), self.failure.clone());
        let operator = Asking { table: asked, columns, schema, given, errors, failure, waiting: vec![], is_last: false };
        let chunks = self.circuit.add_unary_operator(operator, &rows);
        chunks.set_persistent_id(Some(&node.id));
        Ok(Relation::chunks(chunks, node.schema.clone(), self.errors.clone()))
    }
}

fn answer_encodings(schema: &SchemaRef, values: usize) -> Vec<Encoding> {
    schema.fields().iter().skip(values).map(|field| Encoding::compact(field.data_type().clone())).collect()
}

/// Asks for all keys of a step at once.
struct Asking {
    table: Arc<dyn Lookup>,
    /// Of the table's columns.
    columns: Vec<usize>,
    schema: SchemaRef,
    /// `None`: rows only come.
    given: Option<Given>,
    errors: RowErrors,
    failure: Failure,
    waiting: Vec<Asked>,
    is_last: bool,
}

/// The answers that rows were given.
struct Given {
    /// Of a row's values and key.
    rows: Codec,
    answers: Codec,
    /// By row: answers, and how often each was given to it; the newest is the last.
    kept: HashMap<Row, Vec<(Row, ZWeight)>>,
}

impl Asking {
    fn changes(&mut self) -> Result<Vec<Chunk>, String> {
        let Some(asked) = joined(std::mem::take(&mut self.waiting))? else { return Ok(vec![]) };
        match self.given.take() {
            None => {
                let answers = self.answers(&asked.keys)?;
                Ok(vec![self.chunk(asked.values, answers, asked.weights.to_vec())?])
            }
            Some(mut given) => {
                let chunks = self.kept_changes(&asked, &mut given);
                self.given = Some(given);
                chunks
            }
        }
    }

    /// What comes is asked for, what goes takes the answer along that it was given.
    fn kept_changes(&self, asked: &Asked, given: &mut Given) -> Result<Vec<Chunk>, String> {
        let rows = given.rows.encode(&[&asked.values[..], &asked.keys[..]].concat())?;
        // What comes and goes in one step is not touched.
        let mut net: HashMap<&[u8], (u32, ZWeight)> = HashMap::new();
        let mut order = vec![];
        for row in 0..rows.len() {
            let entry = net.entry(rows.get(row)).or_insert_with(|| {
                order.push(row);
                (row as u32, 0)
            });
            entry.1 += asked.weights[row];
        }
        let net: Vec<(u32, ZWeight)> = order.into_iter().filter_map(|row| net.get(rows.get(row)).copied()).collect();
        let (coming, weights): (Vec<u32>, Vec<ZWeight>) = net.iter().filter(|(_, weight)| *weight > 0).copied().unzip();
        let mut chunks = vec![];
        let (mut gone, mut gone_weights, mut gone_answers) = (vec![], vec![], vec![]);
        for (row, weight) in net.into_iter().filter(|(_, weight)| *weight < 0) {
            for (answer, weight) in given.give_back(rows.get(row as usize), -weight, &self.errors) {
                gone.push(row);
                gone_weights.push(-weight);
                gone_answers.push(answer);
            }
        }
        if !gone.is_empty() {
            let answers = given.answers.decode(gone_answers.iter().map(Row::bytes))?;
            chunks.push(self.chunk(taken(&asked.values, &gone)?, answers, gone_weights)?);
        }
        if !coming.is_empty() {
            let answers = self.answers(&taken(&asked.keys, &coming)?)?;
            let encoded = given.answers.encode(&answers)?;
            for (index, (row, weight)) in coming.iter().zip(&weights).enumerate() {
                given.give(rows.get(*row as usize), encoded.get(index), *weight);
            }
            chunks.push(self.chunk(taken(&asked.values, &coming)?, answers, weights)?);
        }
        Ok(chunks)
    }

    /// The columns of the answers to `keys`, and whether there is one. A key with a null has none.
    fn answers(&self, keys: &[ArrayRef]) -> Result<Vec<ArrayRef>, String> {
        let rows = keys.first().map_or(0, |column| column.len());
        let known: Vec<u32> = (0..rows as u32).filter(|row| keys.iter().all(|column| column.is_valid(*row as usize))).collect();
        if known.is_empty() {
            let first = self.schema.fields().len() - self.columns.len() - 1;
            let fields = self.schema.fields().iter().skip(first).take(self.columns.len());
            let none: ArrayRef = Arc::new(BooleanArray::from(vec![false; rows]));
            return Ok(fields.map(|field| new_null_array(field.data_type(), rows)).chain([none]).collect());
        }
        let is_whole = known.len() == rows;
        let found = self.table.get(&if is_whole { keys.to_vec() } else { taken(keys, &known)? })?;
        let column = |column: &usize| found.columns.get(*column).cloned().ok_or("an answer lacks a column");
        let mut columns = self.columns.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        columns.push(Arc::new(found.is_found));
        if is_whole {
            return Ok(columns);
        }
        let mut places = vec![None; rows];
        known.iter().enumerate().for_each(|(place, row)| places[*row as usize] = Some(place as u32));
        let places = UInt32Array::from(places);
        let mut columns =
            columns.iter().map(|column| take(column, &places, None).map_err(|e| e.to_string())).collect::<Result<Vec<_>, _>>()?;
        if let Some(is_found) = columns.last_mut() {
            *is_found = Arc::new(is_found.as_boolean().iter().map(|found| Some(found.unwrap_or(false))).collect::<BooleanArray>());
        }
        Ok(columns)
    }

    fn chunk(&self, mut values: Vec<ArrayRef>, answers: Vec<ArrayRef>, weights: Vec<ZWeight>) -> Result<Chunk, String> {
        values.extend(answers);
        let batch = batch_of(&self.schema, values, weights.len()).map_err(|e| e.to_string())?;
        Ok(Chunk { batch, weights: Some(Arc::new(weights)) })
    }
}

fn taken(columns: &[ArrayRef], rows: &[u32]) -> Result<Vec<ArrayRef>, String> {
    let rows = UInt32Array::from(rows.to_vec());
    columns.iter().map(|column| take(column, &rows, None).map_err(|e| e.to_string())).collect()
}

/// All that waits as one.
fn joined(mut waiting: Vec<Asked>) -> Result<Option<Asked>, String> {
    if waiting.len() < 2 {
        return Ok(waiting.pop());
    }
    let column = |pick: &dyn Fn(&Asked) -> &ArrayRef| {
        let parts: Vec<&dyn Array> = waiting.iter().map(|asked| pick(asked).as_ref()).collect();
        concat(&parts).map_err(|e| e.to_string())
    };
    let keys = (0..waiting[0].keys.len()).map(|index| column(&|asked| &asked.keys[index])).collect::<Result<_, _>>()?;
    let values = (0..waiting[0].values.len()).map(|index| column(&|asked| &asked.values[index])).collect::<Result<_, _>>()?;
    let weights = waiting.iter().flat_map(|asked| asked.weights.iter().copied()).collect();
    Ok(Some(Asked { keys, values, weights: Arc::new(weights) }))
}

impl Given {
    fn give(&mut self, row: &[u8], answer: &[u8], weight: ZWeight) {
        let answers = self.kept.entry(Row::new(row)).or_default();
        match answers.last_mut() {
            Some((last, times)) if last.bytes() == answer => *times += weight,
            _ => answers.push((Row::new(answer), weight)),
        }
    }

    /// The answers of `weight` equal rows, the newest first.
    fn give_back(&mut self, row: &[u8], mut weight: ZWeight, errors: &RowErrors) -> Vec<(Row, ZWeight)> {
        let (row, mut back) = (Row::new(row), vec![]);
        let Some(answers) = self.kept.get_mut(&row) else {
            errors.add(UNKNOWN, weight as u64);
            return back;
        };
        while weight > 0 {
            let Some((answer, times)) = answers.last_mut() else {
                errors.add(UNKNOWN, weight as u64);
                break;
            };
            let part = weight.min(*times);
            back.push((answer.clone(), part));
            (*times, weight) = (*times - part, weight - part);
            if *times == 0 {
                answers.pop();
            }
        }
        if answers.is_empty() {
            self.kept.remove(&row);
        }
        back
    }
}

impl Operator for Asking {
    fn name(&self) -> Cow<'static, str> {
        "lookup".into()
    }

    gives_at_the_end!();
}

impl UnaryOperator<Vec<Asked>, Vec<Chunk>> for Asking {
    async fn eval(&mut self, asked: &Vec<Asked>) -> Vec<Chunk> {
        self.waiting.extend(asked.iter().cloned());
        if !std::mem::take(&mut self.is_last) {
            return vec![];
        }
        self.changes().unwrap_or_else(|message| {
            self.failure.set(message);
            vec![]
        })
    }
}
