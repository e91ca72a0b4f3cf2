//! The groups of an aggregate, in a hash table: sums, counts and different values are kept here; what other operators keep of a group
//! (its first value, for one) comes in and is held beside them, so that a group's result is one row.

use super::close::{Closing, Watermark};
use super::linear::{Slot, Values};
use super::relation::Arena;
use super::saved::{Reader, Saved, Writer};
use super::ttl::{Idle, Tick};
use crate::codec::{self, Codec, NULL, Rows, value};
use crate::delta::Chunk;
use crate::limbs;
use crate::row::Row;
use crate::row_errors::RowErrors;
use arrow::datatypes::SchemaRef;
use dbsp::OrdIndexedZSet;
use dbsp::circuit::Scope;
use dbsp::circuit::circuit_builder::GlobalNodeId;
use dbsp::circuit::operator_traits::{Operator, UnaryOperator};
use dbsp::dynamic::DowncastTrait;
use dbsp::storage::backend::StoragePath;
use dbsp::trace::{BatchReader as _, Cursor as _};
use feldera_storage::FileCommitter;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::borrow::Cow;
use std::collections::HashSet;
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

/// Where the outputs of a group come from, in their order.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Totals(Vec<Slot>),
    /// A word that counts different values.
    Different(usize),
    /// What is held at this place.
    Held(usize),
}

/// What is kept of each group.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub pieces: Vec<Piece>,
    pub words: usize,
    pub held: usize,
    /// The words that count different values.
    pub different: Vec<usize>,
    /// What is held at these places is the smallest value that ever came.
    pub first: Vec<usize>,
}

impl Layout {
    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.pieces.iter().filter_map(|piece| if let Piece::Totals(slots) = piece { Some(slots) } else { None }).flatten()
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
    idle: Option<(Idle<u32>, Tick)>,
    is_last: bool,
    saved: Saved,
}

/// Groups by place; places of groups that are gone are used again.
#[derive(Default)]
struct State {
    places: HashTable<u32>,
    keys: Vec<Row>,
    /// Unlike places, numbers are not used again: different values are kept under them.
    numbers: Vec<u64>,
    next_number: u64,
    words: Vec<i64>,
    held: Vec<Row>,
    free: Vec<u32>,
    /// A group's number and a value → how often it is there.
    different: Vec<HashTable<(Row, i64)>>,
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
    pub fn new(layout: Layout, codec: Codec, schema: SchemaRef, errors: RowErrors, closing: Option<Closing>) -> Self {
        let state = State::new(&layout);
        Groups {
            layout,
            codec,
            schema,
            errors,
            state,
            changed: Changed::default(),
            closing,
            idle: None,
            is_last: false,
            saved: Saved::new("groups"),
        }
    }

    /// The same, where groups that nothing touches are dropped.
    pub fn forgetting(mut self, idle: Idle<u32>) -> Self {
        self.idle = Some((idle, Tick { now: i64::MIN, is_sweep: false }));
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
        self.make_room(batch);
        for (part, values) in batch.first.iter().enumerate() {
            self.add_first(self.layout.first[part], values, starts.iter().map(|start| start / width));
        }
    }

    /// Groups that are given out only when they close are carried now and then; others are whenever they change.
    fn make_room(&mut self, batch: &Batch) {
        let Some(closing) = &mut self.closing else { return };
        closing.additions += (0..batch.rows).map(|row| batch.weight(row).unsigned_abs()).sum::<u64>();
        if closing.additions > limbs::ADDITIONS {
            closing.additions = 0;
            for words in self.state.words.chunks_mut(self.layout.words) {
                self.layout.slots().for_each(|slot| slot.carry(words));
            }
        }
    }

    fn add_different(&mut self, part: usize, batch: &Batch, starts: &[usize]) {
        let (word, values) = (self.layout.different[part], &batch.different[part]);
        let mut key = Vec::new();
        for (row, start) in starts.iter().enumerate().filter(|(row, _)| values.get(*row) != [NULL]) {
            key.clear();
            value::uint64(&mut key, self.state.numbers[start / self.layout.words]);
            key.extend_from_slice(values.get(row));
            self.state.words[start + word] += self.state.count(part, &key, batch.weight(row));
        }
    }

    /// Smaller values take the place of those that are held.
    fn add_first(&mut self, index: usize, values: &Rows, places: impl Iterator<Item = usize>) {
        for (row, place) in places.enumerate() {
            let held = &mut self.state.held[place * self.layout.held + index];
            let value = values.get(row);
            if held.bytes().is_empty() || value < held.bytes() {
                *held = Row::new(value);
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
                    self.state.held[held] = unsafe { cursor.val().downcast::<Row>() }.clone();
                    is_there = true;
                }
                cursor.step_val();
            }
            if !is_there {
                self.state.held[held] = Row::default();
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

impl State {
    fn new(layout: &Layout) -> Self {
        State { different: layout.different.iter().map(|_| HashTable::new()).collect(), ..State::default() }
    }

    fn place(&mut self, key: &[u8], layout: &Layout) -> usize {
        let keys = &self.keys;
        let is_same = |place: &u32| keys[*place as usize].bytes() == key;
        match self.places.entry(codec::of_bytes(key), is_same, |place| codec::of_bytes(keys[*place as usize].bytes())) {
            Entry::Occupied(entry) => *entry.get() as usize,
            Entry::Vacant(entry) => {
                let place = self.free.pop().unwrap_or(self.keys.len() as u32);
                entry.insert(place);
                let place = place as usize;
                if place == self.keys.len() {
                    self.keys.push(Row::default());
                    self.numbers.push(0);
                    self.words.resize(self.words.len() + layout.words, 0);
                    self.held.resize(self.held.len() + layout.held, Row::default());
                }
                self.keys[place] = Row::new(key);
                self.numbers[place] = self.next_number;
                self.next_number += 1;
                place
            }
        }
    }

    /// A group is there while it has rows, and a result of every part: an operator beside this table may have left its rows out.
    fn is_there(&self, place: usize, layout: &Layout) -> bool {
        let held = &self.held[place * layout.held..(place + 1) * layout.held];
        self.words[place * layout.words] > 0 && held.iter().all(|row| !row.bytes().is_empty())
    }

    fn result(&self, place: usize, layout: &Layout, errors: &mut dyn FnMut(&str), out: &mut Vec<u8>) {
        let words = &self.words[place * layout.words..(place + 1) * layout.words];
        for piece in &layout.pieces {
            match piece {
                Piece::Totals(slots) => slots.iter().for_each(|slot| slot.finish(words, errors, out)),
                Piece::Different(word) => value::int64(out, Some(words[*word])),
                Piece::Held(index) => out.extend_from_slice(self.held[place * layout.held + index].bytes()),
            }
        }
    }

    /// Gives up the place of a group that has nothing any more.
    fn forget(&mut self, place: usize, layout: &Layout) {
        let words = &self.words[place * layout.words..(place + 1) * layout.words];
        let held = &self.held[place * layout.held..(place + 1) * layout.held];
        if words.iter().any(|word| *word != 0) || held.iter().any(|row| !row.bytes().is_empty()) {
            return;
        }
        let hash = codec::of_bytes(self.keys[place].bytes());
        if let Ok(entry) = self.places.find_entry(hash, |found| *found as usize == place) {
            entry.remove();
            self.keys[place] = Row::default();
            self.free.push(place as u32);
        }
    }

    /// Adds to how often a value is there; how many more different values there are then.
    fn count(&mut self, part: usize, key: &[u8], weight: i64) -> i64 {
        let hash = |row: &(Row, i64)| codec::of_bytes(row.0.bytes());
        match self.different[part].entry(codec::of_bytes(key), |row| row.0.bytes() == key, hash) {
            Entry::Occupied(mut entry) => {
                let times = &mut entry.get_mut().1;
                let before = *times;
                *times += weight;
                let after = *times;
                if after == 0 {
                    entry.remove();
                }
                i64::from(after > 0) - i64::from(before > 0)
            }
            Entry::Vacant(_) if weight == 0 => 0,
            Entry::Vacant(entry) => {
                entry.insert((Row::new(key), weight));
                i64::from(weight > 0)
            }
        }
    }

    /// Forgets groups, whatever they have.
    fn remove(&mut self, places: &[u32], layout: &Layout) {
        let mut numbers = HashSet::with_capacity(places.len());
        for place in places {
            let index = *place as usize;
            let hash = codec::of_bytes(self.keys[index].bytes());
            if let Ok(entry) = self.places.find_entry(hash, |found| found == place) {
                entry.remove();
            }
            numbers.insert(self.numbers[index]);
            self.keys[index] = Row::default();
            self.words[index * layout.words..(index + 1) * layout.words].fill(0);
            self.held[index * layout.held..(index + 1) * layout.held].fill(Row::default());
            self.free.push(*place);
        }
        if !numbers.is_empty() {
            let is_kept = |key: &[u8]| value::read_uint64(key).is_none_or(|number| !numbers.contains(&number));
            self.different.iter_mut().for_each(|values| values.retain(|(key, _)| is_kept(key.bytes())));
        }
    }

    fn write(&self, layout: &Layout) -> Writer {
        let mut out = Writer::default();
        out.number(self.next_number);
        out.number(self.places.len() as u64);
        for place in &self.places {
            let place = *place as usize;
            out.bytes(self.keys[place].bytes());
            out.number(self.numbers[place]);
            self.words[place * layout.words..(place + 1) * layout.words].iter().for_each(|word| out.integer(*word));
            self.held[place * layout.held..(place + 1) * layout.held].iter().for_each(|row| out.bytes(row.bytes()));
        }
        for values in &self.different {
            out.number(values.len() as u64);
            values.iter().for_each(|(row, times)| {
                out.bytes(row.bytes());
                out.integer(*times);
            });
        }
        out
    }

    fn read(mut saved: Reader<'_>, layout: &Layout) -> Option<Self> {
        let mut state = State::new(layout);
        let next_number = saved.number()?;
        for _ in 0..saved.number()? {
            let place = state.place(saved.bytes()?, layout);
            state.numbers[place] = saved.number()?;
            for word in &mut state.words[place * layout.words..(place + 1) * layout.words] {
                *word = saved.integer()?;
            }
            for row in &mut state.held[place * layout.held..(place + 1) * layout.held] {
                *row = Row::new(saved.bytes()?);
            }
        }
        for part in 0..layout.different.len() {
            for _ in 0..saved.number()? {
                let key = saved.bytes()?;
                let times = saved.integer()?;
                state.count(part, key, times);
            }
        }
        state.next_number = next_number;
        saved.is_empty().then_some(state)
    }
}

impl Operator for Groups {
    fn name(&self) -> Cow<'static, str> {
        "groups".into()
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
        self.saved.write(base, persistent_id, self.state.write(&self.layout), files)
    }

    fn restore(&mut self, base: &StoragePath, persistent_id: Option<&str>) -> Result<(), dbsp::Error> {
        self.state = self.saved.read(base, persistent_id, |saved| State::read(saved, &self.layout))?;
        if let Some(closing) = &mut self.closing {
            let groups = self.state.places.iter().map(|place| *place as usize);
            groups.for_each(|place| closing.opened(self.state.keys[place].bytes(), place));
        }
        Ok(())
    }

    fn clear_state(&mut self) -> Result<(), dbsp::Error> {
        self.state = State::new(&self.layout);
        self.changed = Changed::default();
        Ok(())
    }
}

impl UnaryOperator<Vec<Feed>, Vec<Chunk>> for Groups {
    async fn eval(&mut self, feeds: &Vec<Feed>) -> Vec<Chunk> {
        feeds.iter().for_each(|feed| self.take(feed));
        match (std::mem::take(&mut self.is_last), &self.closing) {
            (false, _) => vec![],
            (true, None) => self.changes(),
            (true, Some(_)) => self.closed(),
        }
    }
}
