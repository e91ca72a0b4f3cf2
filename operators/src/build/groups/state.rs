//! What is kept of groups: in slabs, at places that a hash table finds.

use crate::build::cold::{Clock, Cold};
use crate::build::linear::Slot;
use crate::build::saved::{Reader, Writer};
use crate::codec::{self, value};
use crate::row::Row;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::collections::HashSet;

/// Where the outputs of a group come from, in their order.
#[derive(Clone, Debug)]
pub(in crate::build) enum Piece {
    Totals(Vec<Slot>),
    /// A word that counts different values.
    Different(usize),
    /// What is held at this place.
    Held(usize),
}

/// What is kept of each group.
#[derive(Clone, Debug)]
pub(in crate::build) struct Layout {
    pub pieces: Vec<Piece>,
    pub words: usize,
    pub held: usize,
    /// The words that count different values.
    pub different: Vec<usize>,
    /// What is held at these places is the smallest value that ever came.
    pub first: Vec<usize>,
}

impl Layout {
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.pieces.iter().filter_map(|piece| if let Piece::Totals(slots) = piece { Some(slots) } else { None }).flatten()
    }
}

/// Groups by place; places of groups that are gone are used again.
#[derive(Default)]
pub(super) struct State {
    pub places: HashTable<u32>,
    pub keys: Vec<Row>,
    /// Unlike places, numbers are not used again: different values are kept under them.
    pub numbers: Vec<u64>,
    pub next_number: u64,
    pub words: Vec<i64>,
    pub held: Vec<Row>,
    free: Vec<u32>,
    /// A group's number and a value → how often it is there.
    different: Vec<HashTable<(Row, i64)>>,
    /// What keys, held rows and values take beside their own size.
    heap_bytes: usize,
}

impl State {
    pub fn new(layout: &Layout) -> Self {
        State { different: layout.different.iter().map(|_| HashTable::new()).collect(), ..State::default() }
    }

    pub fn place(&mut self, key: &[u8], layout: &Layout) -> usize {
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
                self.heap_bytes += self.keys[place].heap_bytes();
                self.numbers[place] = self.next_number;
                self.next_number += 1;
                place
            }
        }
    }

    /// A group is there while it has rows, and a result of every part: an operator beside this table may have left its rows out.
    pub fn is_there(&self, place: usize, layout: &Layout) -> bool {
        let held = &self.held[place * layout.held..(place + 1) * layout.held];
        self.words[place * layout.words] > 0 && held.iter().all(|row| !row.bytes().is_empty())
    }

    pub fn result(&self, place: usize, layout: &Layout, errors: &mut dyn FnMut(&str), out: &mut Vec<u8>) {
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
    pub fn forget(&mut self, place: usize, layout: &Layout) {
        let words = &self.words[place * layout.words..(place + 1) * layout.words];
        let held = &self.held[place * layout.held..(place + 1) * layout.held];
        if words.iter().any(|word| *word != 0) || held.iter().any(|row| !row.bytes().is_empty()) {
            return;
        }
        self.give_up(place, layout);
    }

    /// Takes a group off its place; a place without one is left as it is.
    fn give_up(&mut self, place: usize, layout: &Layout) {
        let hash = codec::of_bytes(self.keys[place].bytes());
        let Ok(entry) = self.places.find_entry(hash, |found| *found as usize == place) else { return };
        entry.remove();
        self.heap_bytes -= std::mem::take(&mut self.keys[place]).heap_bytes();
        self.words[place * layout.words..(place + 1) * layout.words].fill(0);
        (0..layout.held).for_each(|index| self.hold(place * layout.held + index, Row::default()));
        self.free.push(place as u32);
    }

    /// Puts `row` where groups hold rows.
    #[inline]
    pub fn hold(&mut self, index: usize, row: Row) {
        self.heap_bytes += row.heap_bytes();
        self.heap_bytes -= std::mem::replace(&mut self.held[index], row).heap_bytes();
    }

    /// Adds to how often a value is there; how many more different values there are then.
    pub fn count(&mut self, part: usize, key: &[u8], weight: i64) -> i64 {
        let hash = |row: &(Row, i64)| codec::of_bytes(row.0.bytes());
        match self.different[part].entry(codec::of_bytes(key), |row| row.0.bytes() == key, hash) {
            Entry::Occupied(mut entry) => {
                let times = &mut entry.get_mut().1;
                let before = *times;
                *times += weight;
                let after = *times;
                if after == 0 {
                    let ((key, _), _) = entry.remove();
                    self.heap_bytes -= key.heap_bytes();
                }
                i64::from(after > 0) - i64::from(before > 0)
            }
            Entry::Vacant(_) if weight == 0 => 0,
            Entry::Vacant(entry) => {
                let key = Row::new(key);
                self.heap_bytes += key.heap_bytes();
                entry.insert((key, weight));
                i64::from(weight > 0)
            }
        }
    }

    /// Forgets groups, whatever they have.
    pub fn remove(&mut self, places: &[u32], layout: &Layout) {
        let mut numbers = HashSet::with_capacity(places.len());
        for place in places {
            numbers.insert(self.numbers[*place as usize]);
            self.give_up(*place as usize, layout);
        }
        if !numbers.is_empty() {
            let is_kept = |mut key: &[u8]| value::take_uint64(&mut key).is_none_or(|number| !numbers.contains(&number));
            for values in &mut self.different {
                values.retain(|(key, _)| {
                    let is_kept = is_kept(key.bytes());
                    self.heap_bytes -= if is_kept { 0 } else { key.heap_bytes() };
                    is_kept
                });
            }
        }
    }

    pub fn write(&self, layout: &Layout) -> Writer {
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

    pub fn read(saved: &mut Reader<'_>, layout: &Layout) -> Option<Self> {
        let mut state = State::new(layout);
        let next_number = saved.number()?;
        for _ in 0..saved.number()? {
            let place = state.place(saved.bytes()?, layout);
            state.numbers[place] = saved.number()?;
            for word in &mut state.words[place * layout.words..(place + 1) * layout.words] {
                *word = saved.integer()?;
            }
            for index in place * layout.held..(place + 1) * layout.held {
                state.hold(index, Row::new(saved.bytes()?));
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
        Some(state)
    }
}

/// What a table takes beside its entries, a part of them: it grows by doubling, and is never full.
const SLACK: usize = 2;

/// Moving to disk and back.
impl State {
    /// About how much memory groups and values take.
    pub fn bytes(&self, layout: &Layout) -> usize {
        self.groups_bytes(layout) + self.values_bytes() + self.heap_bytes
    }

    fn groups_bytes(&self, layout: &Layout) -> usize {
        let group = size_of::<Row>() * (1 + layout.held) + size_of::<i64>() * (1 + layout.words) + 2 * size_of::<u32>();
        self.places.len() * (group + group / SLACK)
    }

    fn values_bytes(&self) -> usize {
        let value = size_of::<(Row, i64)>() + 1;
        self.different.iter().map(|values| values.len() * (value + value / SLACK)).sum()
    }

    pub fn has_group(&self, key: &[u8]) -> bool {
        self.places.find(codec::of_bytes(key), |place| self.keys[*place as usize].bytes() == key).is_some()
    }

    pub fn has_value(&self, part: usize, key: &[u8]) -> bool {
        self.different[part].find(codec::of_bytes(key), |(row, _)| row.bytes() == key).is_some()
    }

    /// Moves as many of the groups and of the values as there are too many bytes: of the groups those that were not used lately,
    /// of the values those whose hashes come next after `turn`.
    pub fn cool(&mut self, excess: usize, layout: &Layout, clock: &mut Clock, turn: &mut u32, groups: &mut Cold, values: &mut [Cold]) {
        // Parts of 2³².
        let part = ((excess as u128) << 32) / self.bytes(layout).max(1) as u128;
        let part = part.min(u128::from(u32::MAX)) as u32;
        let kept = self.places.len() - ((self.places.len() as u128 * u128::from(part)).div_ceil(1 << 32)) as usize;
        let mut row = Vec::new();
        while self.places.len() > kept {
            let place = clock.next(self.keys.len());
            if self.is_free(place) {
                continue;
            }
            row.clear();
            value::uint64(&mut row, self.numbers[place]);
            self.words[place * layout.words..(place + 1) * layout.words].iter().for_each(|word| value::int64(&mut row, Some(*word)));
            self.held[place * layout.held..(place + 1) * layout.held].iter().for_each(|held| value::bytes(&mut row, held.bytes()));
            groups.put(self.keys[place].clone(), Row::new(&row));
            self.give_up(place, layout);
        }
        for (table, cold) in self.different.iter_mut().zip(values) {
            let heap_bytes = &mut self.heap_bytes;
            let is_next = |row: &Row| ((codec::of_bytes(row.bytes()) >> 16) as u32).wrapping_sub(*turn) <= part;
            table.extract_if(|(row, _)| is_next(row)).for_each(|(key, times)| {
                row.clear();
                value::int64(&mut row, Some(times));
                *heap_bytes -= key.heap_bytes();
                cold.put(key, Row::new(&row));
            });
            table.shrink_to(2 * table.len(), |(key, _)| codec::of_bytes(key.bytes()));
        }
        *turn = turn.wrapping_add(part).wrapping_add(1);
        if self.keys.len() > 2 * self.places.len() {
            self.compact(layout);
        }
    }

    /// Takes a group back; `None` when its row is damaged.
    pub fn warm_group(&mut self, key: &[u8], mut row: &[u8], layout: &Layout) -> Option<()> {
        let place = self.place(key, layout);
        self.numbers[place] = value::take_uint64(&mut row)?;
        for word in &mut self.words[place * layout.words..(place + 1) * layout.words] {
            *word = value::take_int64(&mut row)?;
        }
        for index in place * layout.held..(place + 1) * layout.held {
            self.hold(index, Row::new(value::take_bytes(&mut row)?));
        }
        row.is_empty().then_some(())
    }

    /// Takes a value back.
    pub fn warm_value(&mut self, part: usize, key: &[u8], mut row: &[u8]) -> Option<()> {
        self.count(part, key, value::take_int64(&mut row)?);
        row.is_empty().then_some(())
    }

    /// Whether no group is at a place: the hash table does not find it there.
    fn is_free(&self, place: usize) -> bool {
        let hash = codec::of_bytes(self.keys[place].bytes());
        self.places.find(hash, |found| *found as usize == place).is_none()
    }

    /// Lets go of places without a group.
    fn compact(&mut self, layout: &Layout) {
        let mut places: Vec<u32> = self.places.drain().collect();
        places.sort_unstable();
        let keys = places.iter().map(|place| std::mem::take(&mut self.keys[*place as usize])).collect::<Vec<_>>();
        self.numbers = places.iter().map(|place| self.numbers[*place as usize]).collect();
        let range = |place: &u32, each: usize| *place as usize * each..(*place as usize + 1) * each;
        self.words = places.iter().flat_map(|place| self.words[range(place, layout.words)].iter().copied()).collect();
        let held = places.iter().flat_map(|place| range(place, layout.held));
        self.held = held.map(|index| std::mem::take(&mut self.held[index])).collect();
        self.keys = keys;
        self.free = vec![];
        self.places = HashTable::with_capacity(self.keys.len());
        for (place, key) in self.keys.iter().enumerate() {
            self.places
                .insert_unique(codec::of_bytes(key.bytes()), place as u32, |place| codec::of_bytes(self.keys[*place as usize].bytes()));
        }
    }
}
