//! The first rows of each partition where rows only come: those that are not among the first never will be, and are not kept.

use super::relation::Arena;
use super::saved::{Reader, Saved, Writer};
use super::ttl::{Idle, Tick};
use crate::codec::{self, Codec, Rows, value};
use crate::delta::Chunk;
use crate::row::Row;
use arrow::datatypes::SchemaRef;
use dbsp::circuit::Scope;
use dbsp::circuit::circuit_builder::GlobalNodeId;
use dbsp::circuit::operator_traits::{Operator, UnaryOperator};
use dbsp::storage::backend::StoragePath;
use feldera_storage::FileCommitter;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::borrow::Cow;
use std::sync::Arc;

/// Rows of bytes: their partitions, and what they are sorted by with what is kept beside it.
#[derive(Debug)]
pub(super) struct Batch {
    pub rows: usize,
    pub partitions: Rows,
    pub values: Rows,
    pub weights: Option<Arc<Vec<i64>>>,
}

/// What a step brings to the partitions.
#[derive(Clone)]
pub(super) enum Feed {
    Batch(Arc<Batch>),
    /// Where idle partitions are dropped: the clock.
    Tick(Tick),
}

/// Which of a partition's rows are given out: from number `skip + 1` to number `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub skip: usize,
    pub end: usize,
}

/// Keeps the first rows of each partition, in order.
pub(super) struct Best {
    numbers: Numbers,
    /// Of a partition, a row and its number.
    codec: Codec,
    schema: SchemaRef,
    places: HashTable<u32>,
    partitions: Vec<Partition>,
    /// Places of partitions that were dropped, to be used again.
    free: Vec<u32>,
    idle: Option<(Idle<u32>, Tick)>,
    /// Partitions that changed since rows were last given out, and their rows then.
    changed: Vec<(u32, Vec<Row>)>,
    is_last: bool,
    saved: Saved,
}

#[derive(Default)]
struct Partition {
    key: Row,
    rows: Vec<Row>,
    is_changed: bool,
}

impl Best {
    pub fn new(numbers: Numbers, codec: Codec, schema: SchemaRef) -> Self {
        let (places, partitions, changed) = (HashTable::new(), vec![], vec![]);
        Best { numbers, codec, schema, places, partitions, free: vec![], idle: None, changed, is_last: false, saved: Saved::new("best") }
    }

    /// The same, where partitions that nothing touches are dropped.
    pub fn forgetting(mut self, idle: Idle<u32>) -> Self {
        self.idle = Some((idle, Tick { now: i64::MIN, is_sweep: false }));
        self
    }

    fn sweep(&mut self, now: i64) {
        let Some((idle, _)) = &mut self.idle else { return };
        for place in idle.take(now) {
            let partition = std::mem::take(&mut self.partitions[place as usize]);
            if let Ok(entry) = self.places.find_entry(codec::of_bytes(partition.key.bytes()), |found| *found == place) {
                entry.remove();
            }
            self.free.push(place);
        }
    }

    fn add(&mut self, batch: &Batch) {
        for row in 0..batch.rows {
            let place = self.place(batch.partitions.get(row));
            if let Some((idle, tick)) = &mut self.idle {
                idle.touch(&(place as u32), tick.now);
            }
            let partition = &mut self.partitions[place];
            let value = batch.values.get(row);
            let times = batch.weights.as_ref().map_or(1, |weights| weights[row]);
            for _ in 0..times {
                let is_full = partition.rows.len() >= self.numbers.end;
                if is_full && partition.rows.last().is_none_or(|last| last.bytes() <= value) {
                    break;
                }
                if !partition.is_changed {
                    partition.is_changed = true;
                    self.changed.push((place as u32, partition.rows.clone()));
                }
                if is_full {
                    partition.rows.pop();
                }
                let index = partition.rows.partition_point(|row| row.bytes() <= value);
                partition.rows.insert(index, Row::new(value));
            }
        }
    }

    fn place(&mut self, key: &[u8]) -> usize {
        let partitions = &self.partitions;
        let is_same = |place: &u32| partitions[*place as usize].key.bytes() == key;
        match self.places.entry(codec::of_bytes(key), is_same, |place| codec::of_bytes(partitions[*place as usize].key.bytes())) {
            Entry::Occupied(entry) => *entry.get() as usize,
            Entry::Vacant(entry) => {
                let place = self.free.pop().unwrap_or(self.partitions.len() as u32);
                entry.insert(place);
                let partition = Partition { key: Row::new(key), ..Partition::default() };
                match self.partitions.get_mut(place as usize) {
                    Some(free) => *free = partition,
                    None => self.partitions.push(partition),
                }
                place as usize
            }
        }
    }

    /// What is different, number by number, since the last time.
    fn changes(&mut self) -> Vec<Chunk> {
        let mut arena = Arena::with_capacity(2 * self.changed.len());
        let mut number = Vec::new();
        for (place, before) in self.changed.drain(..) {
            let partition = &mut self.partitions[place as usize];
            partition.is_changed = false;
            for index in self.numbers.skip..partition.rows.len() {
                let (old, new) = (before.get(index), &partition.rows[index]);
                if old == Some(new) {
                    continue;
                }
                number.clear();
                value::uint64(&mut number, index as u64 + 1);
                for (row, weight) in old.map(|row| (row, -1)).into_iter().chain([(new, 1)]) {
                    arena.push(&[partition.key.bytes(), row.bytes(), &number], weight);
                }
            }
        }
        if arena.is_empty() {
            return vec![];
        }
        // Only broken storage makes decoding fail; dbsp reports the panic as a failed step.
        vec![arena.decode(&self.codec, &self.schema).unwrap_or_else(|e| panic!("stored rows cannot be read: {e}"))]
    }
}

/// The partitions of a checkpoint: keys, and rows in order.
fn read(mut saved: Reader<'_>) -> Option<Vec<(Row, Vec<Row>)>> {
    let mut partitions = vec![];
    for _ in 0..saved.number()? {
        let key = Row::new(saved.bytes()?);
        let rows = (0..saved.number()?).map(|_| saved.bytes().map(Row::new)).collect::<Option<_>>()?;
        partitions.push((key, rows));
    }
    saved.is_empty().then_some(partitions)
}

impl Operator for Best {
    fn name(&self) -> Cow<'static, str> {
        "first rows".into()
    }

    fn init(&mut self, id: &GlobalNodeId) {
        self.saved.set_node(id);
    }

    fn fixedpoint(&self, _: Scope) -> bool {
        true
    }

    fn flush(&mut self) {
        self.is_last = true;
    }

    fn is_flush_complete(&self) -> bool {
        !self.is_last
    }

    fn checkpoint(
        &mut self,
        base: &StoragePath,
        persistent_id: Option<&str>,
        files: &mut Vec<Arc<dyn FileCommitter>>,
    ) -> Result<(), dbsp::Error> {
        let mut out = Writer::default();
        out.number(self.partitions.len() as u64);
        for partition in &self.partitions {
            out.bytes(partition.key.bytes());
            out.number(partition.rows.len() as u64);
            partition.rows.iter().for_each(|row| out.bytes(row.bytes()));
        }
        self.saved.write(base, persistent_id, out, files)
    }

    fn restore(&mut self, base: &StoragePath, persistent_id: Option<&str>) -> Result<(), dbsp::Error> {
        self.clear_state()?;
        for (key, rows) in self.saved.read(base, persistent_id, read)? {
            let place = self.place(key.bytes());
            self.partitions[place].rows = rows;
        }
        Ok(())
    }

    fn clear_state(&mut self) -> Result<(), dbsp::Error> {
        self.places.clear();
        self.partitions.clear();
        self.changed.clear();
        Ok(())
    }
}

impl UnaryOperator<Vec<Feed>, Vec<Chunk>> for Best {
    async fn eval(&mut self, feeds: &Vec<Feed>) -> Vec<Chunk> {
        // The clock first: rows are touched by it.
        for tick in feeds.iter().filter_map(|feed| if let Feed::Tick(tick) = feed { Some(tick) } else { None }) {
            self.idle.iter_mut().for_each(|(_, now)| *now = *tick);
        }
        for batch in feeds.iter().filter_map(|feed| if let Feed::Batch(batch) = feed { Some(batch) } else { None }) {
            self.add(batch);
        }
        if !std::mem::take(&mut self.is_last) {
            return vec![];
        }
        if let Some(tick) = self.idle.as_ref().map(|(_, tick)| *tick).filter(|tick| tick.is_sweep) {
            self.sweep(tick.now);
        }
        self.changes()
    }
}
