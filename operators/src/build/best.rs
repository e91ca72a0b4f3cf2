//! The first rows of each partition where rows only come: those that are not among the first never will be, and are not kept.

use super::cold::{Clock, Cold, Disk};
use super::relation::Arena;
use super::saved::{COLD, Reader, Saved, Writer};
use super::top::{entries, push_entry};
use super::ttl::{Idle, Tick};
use crate::budget::Share;
use crate::codec::{self, Codec, Rows, value};
use crate::delta::Chunk;
use crate::row::Row;
use arrow::datatypes::SchemaRef;
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
    /// Places of partitions that are not here any more, to be used again.
    free: Vec<u32>,
    /// What partitions take beside their own size.
    heap_bytes: usize,
    /// Where there is a disk.
    spill: Option<Spill>,
    idle: Option<(Idle<u32>, Tick)>,
    /// Partitions that changed since rows were last given out, and their rows then.
    changed: Vec<(u32, Vec<Row>)>,
    is_last: bool,
    saved: Saved,
}

/// Partitions beyond the memory that they may take are on disk.
struct Spill {
    share: Share,
    clock: Clock,
    cold: Cold,
}

#[derive(Default)]
struct Partition {
    key: Row,
    rows: Vec<Row>,
    is_changed: bool,
}

impl Best {
    pub fn new(numbers: Numbers, codec: Codec, schema: SchemaRef, disk: Option<&Disk>) -> Self {
        let spill = disk.map(|disk| {
            let cold = Cold::new("first rows", disk.spill_bytes);
            Spill { share: disk.budget.share(), clock: Clock::default(), cold }
        });
        let (places, partitions, free, changed) = (HashTable::new(), vec![], vec![], vec![]);
        let saved = Saved::new("best");
        Best { numbers, codec, schema, places, partitions, free, heap_bytes: 0, spill, idle: None, changed, is_last: false, saved }
    }

    /// The same, where partitions that nothing touches are dropped: they are few, and stay in memory.
    pub fn forgetting(mut self, idle: Idle<u32>) -> Self {
        self.idle = Some((idle, Tick { now: i64::MIN, is_sweep: false }));
        self.spill = None;
        self
    }

    fn sweep(&mut self, now: i64) {
        let Some((idle, _)) = &mut self.idle else { return };
        for place in idle.take(now) {
            let partition = std::mem::take(&mut self.partitions[place as usize]);
            if let Ok(entry) = self.places.find_entry(codec::of_bytes(partition.key.bytes()), |found| *found == place) {
                entry.remove();
            }
            self.heap_bytes -= partition.key.heap_bytes() + partition.rows.iter().map(row_bytes).sum::<usize>();
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
                    self.spill.iter_mut().for_each(|spill| spill.clock.touch(place));
                    self.changed.push((place as u32, partition.rows.clone()));
                }
                if let Some(last) = partition.rows.pop_if(|_| is_full) {
                    self.heap_bytes -= row_bytes(&last);
                }
                let index = partition.rows.partition_point(|row| row.bytes() <= value);
                let row = Row::new(value);
                self.heap_bytes += row_bytes(&row);
                partition.rows.insert(index, row);
            }
        }
    }

    fn place(&mut self, key: &[u8]) -> usize {
        let partitions = &self.partitions;
        let is_same = |place: &u32| partitions[*place as usize].key.bytes() == key;
        match self.places.entry(codec::of_bytes(key), is_same, |place| codec::of_bytes(partitions[*place as usize].key.bytes())) {
            Entry::Occupied(entry) => *entry.get() as usize,
            Entry::Vacant(entry) => {
                let place = self.free.pop().unwrap_or(self.partitions.len() as u32) as usize;
                entry.insert(place as u32);
                if place == self.partitions.len() {
                    self.partitions.push(Partition::default());
                }
                self.partitions[place].key = Row::new(key);
                self.heap_bytes += self.partitions[place].key.heap_bytes();
                place
            }
        }
    }

    /// Gives a new partition its rows.
    fn fill(&mut self, key: &Row, rows: Vec<Row>) {
        let place = self.place(key.bytes());
        self.heap_bytes += rows.iter().map(row_bytes).sum::<usize>();
        self.partitions[place].rows = rows;
    }

    fn has(&self, key: &[u8]) -> bool {
        self.places.find(codec::of_bytes(key), |place| self.partitions[*place as usize].key.bytes() == key).is_some()
    }

    /// Brings the partitions that may change back into memory.
    fn warm<'a>(&mut self, batches: impl Iterator<Item = &'a Batch>) {
        let Some(mut spill) = self.spill.take_if(|spill| !spill.cold.is_unused()) else { return };
        let mut missing: Vec<Row> = vec![];
        for batch in batches {
            for key in (0..batch.rows).map(|row| batch.partitions.get(row)) {
                if missing.last().is_none_or(|last| last.bytes() != key) && !self.has(key) {
                    missing.push(Row::new(key));
                }
            }
        }
        spill.cold.take(missing, |key, row| self.fill(key, entries(row).map(Row::new).collect()));
        self.spill = Some(spill);
    }

    /// Moves what is too much to disk.
    async fn cool(&mut self) {
        let bytes = self.bytes();
        let Some(spill) = &mut self.spill else { return };
        let waiting = spill.cold.waiting_bytes();
        spill.share.note(bytes + waiting);
        let excess = spill.share.excess();
        if excess == 0 {
            return;
        }
        let part = excess.saturating_sub(waiting) as f64 / bytes.max(1) as f64;
        let kept = self.places.len() - ((self.places.len() as f64 * part).ceil() as usize).min(self.places.len());
        let mut list = Vec::new();
        while self.places.len() > kept {
            let place = spill.clock.next(self.partitions.len());
            let hash = codec::of_bytes(self.partitions[place].key.bytes());
            let Ok(entry) = self.places.find_entry(hash, |found| *found as usize == place) else { continue };
            entry.remove();
            let partition = std::mem::take(&mut self.partitions[place]);
            self.heap_bytes -= partition.key.heap_bytes() + partition.rows.iter().map(row_bytes).sum::<usize>();
            list.clear();
            partition.rows.iter().for_each(|row| push_entry(&mut list, &[row.bytes()]));
            spill.cold.put(partition.key, Row::new(&list));
            self.free.push(place as u32);
        }
        spill.cold.settle().await;
        if self.partitions.len() > 2 * self.places.len() {
            self.compact();
        }
        let bytes = self.bytes();
        self.spill.iter_mut().for_each(|spill| spill.share.note(bytes));
    }

    /// About how much memory partitions take.
    fn bytes(&self) -> usize {
        self.places.len() * (size_of::<Partition>() + 2 * size_of::<u32>()) + self.heap_bytes
    }

    /// Lets go of places without a partition.
    fn compact(&mut self) {
        let mut places: Vec<u32> = self.places.drain().collect();
        places.sort_unstable();
        self.partitions = places.iter().map(|place| std::mem::take(&mut self.partitions[*place as usize])).collect();
        self.free = vec![];
        self.places = HashTable::with_capacity(self.partitions.len());
        let hash = |place: &u32| codec::of_bytes(self.partitions[*place as usize].key.bytes());
        for place in 0..self.partitions.len() as u32 {
            self.places.insert_unique(hash(&place), place, hash);
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

/// What a partition takes for one of its rows.
fn row_bytes(row: &Row) -> usize {
    size_of::<Row>() + row.heap_bytes()
}

type Partitions = Vec<(Row, Vec<Row>)>;

/// The partitions of a checkpoint: keys, and rows in order; and whether others are on disk.
fn read(saved: &mut Reader<'_>) -> Option<(Partitions, bool)> {
    let mut partitions = vec![];
    for _ in 0..saved.number()? {
        let key = Row::new(saved.bytes()?);
        let rows = (0..saved.number()?).map(|_| saved.bytes().map(Row::new)).collect::<Option<_>>()?;
        partitions.push((key, rows));
    }
    Some((partitions, saved.cold()?))
}

impl Operator for Best {
    fn name(&self) -> Cow<'static, str> {
        "first rows".into()
    }

    fn init(&mut self, id: &GlobalNodeId) {
        self.saved.set_node(id);
    }

    gives_at_the_end!();

    fn checkpoint(
        &mut self,
        base: &StoragePath,
        persistent_id: Option<&str>,
        files: &mut Vec<Arc<dyn FileCommitter>>,
    ) -> Result<(), dbsp::Error> {
        let mut out = Writer::default();
        out.number(self.places.len() as u64);
        for partition in self.places.iter().map(|place| &self.partitions[*place as usize]) {
            out.bytes(partition.key.bytes());
            out.number(partition.rows.len() as u64);
            partition.rows.iter().for_each(|row| out.bytes(row.bytes()));
        }
        if let Some(spill) = self.spill.as_mut().filter(|spill| !spill.cold.is_unused()) {
            out.number(COLD);
            spill.cold.save(base, &self.saved.cold_id(persistent_id)?, files)?;
        }
        self.saved.write(base, persistent_id, out, files)
    }

    fn restore(&mut self, base: &StoragePath, persistent_id: Option<&str>) -> Result<(), dbsp::Error> {
        self.clear_state()?;
        let (partitions, has_cold) = self.saved.read(base, persistent_id, read)?;
        partitions.into_iter().for_each(|(key, rows)| self.fill(&key, rows));
        if let Some(spill) = self.spill.as_mut().filter(|_| has_cold) {
            spill.cold.restore(base, &self.saved.cold_id(persistent_id)?)?;
        }
        Ok(())
    }

    fn clear_state(&mut self) -> Result<(), dbsp::Error> {
        self.places.clear();
        self.partitions.clear();
        self.free.clear();
        self.heap_bytes = 0;
        self.spill.iter_mut().for_each(|spill| spill.cold.clear());
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
        let batches = || feeds.iter().filter_map(|feed| if let Feed::Batch(batch) = feed { Some(batch.as_ref()) } else { None });
        self.warm(batches());
        batches().for_each(|batch| self.add(batch));
        if !std::mem::take(&mut self.is_last) {
            return vec![];
        }
        if let Some(tick) = self.idle.as_ref().map(|(_, tick)| *tick).filter(|tick| tick.is_sweep) {
            self.sweep(tick.now);
        }
        let changes = self.changes();
        self.cool().await;
        changes
    }
}
