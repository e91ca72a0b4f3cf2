//! The groups of an aggregate, in a hash table: sums, counts and different values are kept here; what other operators keep of a group
//! (its first value, for one) comes in and is held beside them, so that a group's result is one row.

mod spill;
mod state;

pub(super) use state::{Layout, Piece};

use super::close::{Closing, Watermark};
use super::cold::Disk;
use super::linear::Values;
use super::relation::Arena;
use super::saved::Saved;
use super::ttl::{Idle, Tick};
use crate::codec::{Codec, NULL, Rows, value};
use crate::delta::Chunk;
use crate::row::Row;
use crate::row_errors::RowErrors;
use arrow::datatypes::SchemaRef;
use dbsp::OrdIndexedZSet;
use dbsp::circuit::circuit_builder::GlobalNodeId;
use dbsp::circuit::operator_traits::{Operator, UnaryOperator};
use dbsp::dynamic::DowncastTrait;
use dbsp::storage::backend::StoragePath;
use dbsp::trace::{BatchReader as _, Cursor as _};
use feldera_storage::FileCommitter;
use spill::Spill;
use state::State;
use std::borrow::Cow;
use std::sync::Arc;

/// What a step brings to the groups.
#[derive(Clone)]
pub(super) enum Feed {
    Batch(Arc<Batch>),
    /// Changes of what is held at this place of each group.
    Held(usize, OrdIndexedZSet<Row, Row>),
    /// Where groups close: how far time has come.
    Watermark(Watermark),
    /// Where idle groups are dropped: the clock.
    Tick(Tick),
}

/// Rows about to be added up.
#[derive(Debug)]
pub(super) struct Batch {
    pub rows: usize,
    pub groups: Rows,
    /// One a slot.
    pub values: Vec<Values>,
    /// Of each part that counts different values, the values.
    pub different: Vec<Rows>,
    /// Of each part whose first value is kept here, the values.
    pub first: Vec<Rows>,
    pub weights: Option<Arc<Vec<i64>>>,
}

impl Batch {
    fn weight(&self, row: usize) -> i64 {
        self.weights.as_ref().map_or(1, |weights| weights[row])
    }
}

/// Keeps the groups, and gives their changes when all of a step's rows have come.
pub(super) struct Groups {
    layout: Layout,
    /// Of a group's key and outputs.
    codec: Codec,
    schema: SchemaRef,
    errors: RowErrors,
    state: State,
    changed: Changed,
    closing: Option<Closing>,
    /// Where there is a disk, and groups do not go by themselves.
    spill: Option<Spill>,
    idle: Option<(Idle<u32>, Tick)>,
    is_last: bool,
    saved: Saved,
}

/// Groups that changed since results were last given out, and their results then.
#[derive(Default)]
struct Changed {
    is_noted: Vec<bool>,
    places: Vec<u32>,
    was_there: Vec<bool>,
    results: Vec<u8>,
    ends: Vec<usize>,
}

impl Groups {
    pub fn new(layout: Layout, codec: Codec, schema: SchemaRef, errors: RowErrors, closing: Option<Closing>, disk: Option<&Disk>) -> Self {
        let state = State::new(&layout);
        let spill = disk.filter(|_| closing.is_none()).map(|disk| Spill::new(disk, &layout));
        let (changed, saved) = (Changed::default(), Saved::new("groups"));
        Groups { layout, codec, schema, errors, state, changed, closing, spill, idle: None, is_last: false, saved }
    }

    /// The same, where groups that nothing touches are dropped: they are few, and stay in memory.
    pub fn forgetting(mut self, idle: Idle<u32>) -> Self {
        self.idle = Some((idle, Tick { now: i64::MIN, is_sweep: false }));
        self.spill = None;
        self
    }

    fn take(&mut self, feed: &Feed) {
        match feed {
            Feed::Batch(batch) => self.add(batch),
            Feed::Held(index, changes) => self.hold(*index, changes),
            Feed::Tick(tick) => self.idle.iter_mut().for_each(|(_, now)| *now = *tick),
            Feed::Watermark(watermark) => self.closing.iter_mut().for_each(|closing| closing.watermark = *watermark),
        }
    }

    fn add(&mut self, batch: &Batch) {
        let width = self.layout.words;
        let mut starts = Vec::with_capacity(batch.rows);
        for row in 0..batch.rows {
            let place = self.place(batch.groups.get(row));
            starts.push(place * width);
        }
        for (row, start) in starts.iter().enumerate() {
            self.state.words[*start] += batch.weight(row);
        }
        for (slot, values) in self.layout.slots().zip(&batch.values) {
            slot.add(values, &starts, |row| batch.weight(row), &mut self.state.words);
        }
        for part in 0..batch.different.len() {
            self.add_different(part, batch, &starts);
        }
        for (part, values) in batch.first.iter().enumerate() {
            self.add_first(self.layout.first[part], values, starts.iter().map(|start| start / width));
        }
    }

    fn add_different(&mut self, part: usize, batch: &Batch, starts: &[usize]) {
        let (width, word, values) = (self.layout.words, self.layout.different[part], &batch.different[part]);
        let rows = || starts.iter().enumerate().filter(|(row, _)| values.get(*row) != [NULL]);
        let mut key = Vec::new();
        if let Some(spill) = self.spill.as_mut().filter(|spill| spill.has_values(part)) {
            let mut missing = vec![];
            for (row, start) in rows() {
                value_key(&mut key, self.state.numbers[start / width], values.get(row));
                if !self.state.has_value(part, &key) {
                    missing.push(Row::new(&key));
                }
            }
            spill.warm_values(part, missing, &mut self.state);
        }
        for (row, start) in rows() {
            value_key(&mut key, self.state.numbers[start / width], values.get(row));
            self.state.words[start + word] += self.state.count(part, &key, batch.weight(row));
        }
    }

    /// Smaller values take the place of those that are held.
    fn add_first(&mut self, index: usize, values: &Rows, places: impl Iterator<Item = usize>) {
        for (row, place) in places.enumerate() {
            let index = place * self.layout.held + index;
            let (held, value) = (self.state.held[index].bytes(), values.get(row));
            if held.is_empty() || value < held {
                self.state.hold(index, Row::new(value));
            }
        }
    }

    fn hold(&mut self, index: usize, changes: &OrdIndexedZSet<Row, Row>) {
        let mut cursor = changes.cursor();
        while cursor.key_valid() {
            // SAFETY: keys and values of this Z-set are rows.
            let place = self.place(unsafe { cursor.key().downcast::<Row>() }.bytes());
            let held = place * self.layout.held + index;
            let mut is_there = false;
            while cursor.val_valid() {
                if **cursor.weight() > 0 {
                    // SAFETY: as above.
                    self.state.hold(held, unsafe { cursor.val().downcast::<Row>() }.clone());
                    is_there = true;
                }
                cursor.step_val();
            }
            if !is_there {
                self.state.hold(held, Row::default());
            }
            cursor.step_key();
        }
    }

    /// The place of the group with this key, found or made, whose result is noted before it changes.
    fn place(&mut self, key: &[u8]) -> usize {
        let groups = self.state.next_number;
        let place = self.state.place(key, &self.layout);
        if let Some(closing) = &mut self.closing {
            if self.state.next_number > groups {
                closing.opened(key, place);
            }
            return place;
        }
        if self.changed.is_noted.len() <= place {
            self.changed.is_noted.resize(place + 1, false);
        }
        if !self.changed.is_noted[place] {
            self.changed.is_noted[place] = true;
            self.changed.places.push(place as u32);
            self.spill.iter_mut().for_each(|spill| spill.clock.touch(place));
            let was_there = self.state.is_there(place, &self.layout);
            self.changed.was_there.push(was_there);
            if was_there {
                // Counted when it was given out.
                self.state.result(place, &self.layout, &mut |_| {}, &mut self.changed.results);
            }
            self.changed.ends.push(self.changed.results.len());
        }
        place
    }

    /// The changes of all results since the last time; what is dropped is none.
    fn changes(&mut self) -> Vec<Chunk> {
        let changed = std::mem::take(&mut self.changed);
        if let Some((idle, tick)) = &mut self.idle {
            changed.places.iter().for_each(|place| idle.touch(place, tick.now));
            if tick.is_sweep {
                self.state.remove(&idle.take(tick.now), &self.layout);
            }
        }
        let mut arena = Arena::with_capacity(2 * changed.places.len());
        let mut result = Vec::new();
        let mut start = 0;
        for (index, place) in changed.places.iter().enumerate() {
            let place = *place as usize;
            let words = place * self.layout.words..(place + 1) * self.layout.words;
            self.layout.slots().for_each(|slot| slot.carry(&mut self.state.words[words.clone()]));
            let before = &changed.results[start..changed.ends[index]];
            start = changed.ends[index];
            let (was_there, is_there) = (changed.was_there[index], self.state.is_there(place, &self.layout));
            result.clear();
            if is_there {
                self.state.result(place, &self.layout, &mut |message| self.errors.add(message, 1), &mut result);
            }
            if was_there != is_there || before != result {
                let key = self.state.keys[place].bytes();
                if was_there {
                    arena.push(&[key, before], -1);
                }
                if is_there {
                    arena.push(&[key, &result], 1);
                }
            }
            if !is_there {
                self.state.forget(place, &self.layout);
            }
        }
        self.changed = changed.emptied();
        if arena.is_empty() {
            return vec![];
        }
        // Only broken storage makes decoding fail; dbsp reports the panic as a failed step.
        vec![arena.decode(&self.codec, &self.schema).unwrap_or_else(|e| panic!("stored rows cannot be read: {e}"))]
    }

    /// The groups that have closed, each once, in the order of their times; and those that were given out before, taken back.
    fn closed(&mut self) -> Vec<Chunk> {
        let Some(closing) = &mut self.closing else { return vec![] };
        let mut arena = Arena::with_capacity(closing.given.len());
        closing.given.drain(..).for_each(|row| arena.push(&[row.bytes()], -1));
        let places = closing.close();
        let mut result = Vec::new();
        for place in places.iter().map(|place| *place as usize).filter(|place| self.state.is_there(*place, &self.layout)) {
            result.clear();
            self.state.result(place, &self.layout, &mut |message| self.errors.add(message, 1), &mut result);
            let key = &self.state.keys[place].bytes()[closing.time_bytes..];
            arena.push(&[key, &result], 1);
            closing.given.push(Row::concat(&[key, &result]));
        }
        self.state.remove(&places, &self.layout);
        if arena.is_empty() {
            return vec![];
        }
        // Only broken storage makes decoding fail; dbsp reports the panic as a failed step.
        vec![arena.decode(&self.codec, &self.schema).unwrap_or_else(|e| panic!("stored rows cannot be read: {e}"))]
    }
}

/// What a value of a group is counted under.
fn value_key(key: &mut Vec<u8>, group_number: u64, value: &[u8]) {
    key.clear();
    value::uint64(key, group_number);
    key.extend_from_slice(value);
}

impl Changed {
    /// Ready to be used again.
    fn emptied(mut self) -> Self {
        self.places.iter().for_each(|place| self.is_noted[*place as usize] = false);
        self.places.clear();
        self.was_there.clear();
        self.results.clear();
        self.ends.clear();
        self
    }
}

impl Operator for Groups {
    fn name(&self) -> Cow<'static, str> {
        "groups".into()
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
        let mut out = self.state.write(&self.layout);
        if let Some(spill) = &mut self.spill {
            spill.save(base, &self.saved.cold_id(persistent_id)?, &mut out, files)?;
        }
        self.saved.write(base, persistent_id, out, files)
    }

    fn restore(&mut self, base: &StoragePath, persistent_id: Option<&str>) -> Result<(), dbsp::Error> {
        self.clear_state()?;
        let (state, has_cold) = self.saved.read(base, persistent_id, |saved| {
            let state = State::read(saved, &self.layout)?;
            Some((state, saved.cold()?))
        })?;
        self.state = state;
        if let Some(spill) = self.spill.as_mut().filter(|_| has_cold) {
            spill.restore(base, &self.saved.cold_id(persistent_id)?)?;
        }
        Ok(())
    }

    fn clear_state(&mut self) -> Result<(), dbsp::Error> {
        self.state = State::new(&self.layout);
        self.changed = Changed::default();
        self.spill.iter_mut().for_each(Spill::clear);
        Ok(())
    }
}

impl UnaryOperator<Vec<Feed>, Vec<Chunk>> for Groups {
    async fn eval(&mut self, feeds: &Vec<Feed>) -> Vec<Chunk> {
        if let Some(spill) = &mut self.spill {
            spill.warm_groups(feeds, &mut self.state, &self.layout);
        }
        feeds.iter().for_each(|feed| self.take(feed));
        if !std::mem::take(&mut self.is_last) {
            return vec![];
        }
        let changes = if self.closing.is_some() { self.closed() } else { self.changes() };
        if let Some(spill) = &mut self.spill {
            spill.cool(&mut self.state, &self.layout).await;
        }
        changes
    }
}
