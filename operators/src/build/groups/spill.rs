//! Groups and different values beyond the memory that they may take go to disk, and come back when they are touched.

use super::Feed;
use super::state::{Layout, State};
use crate::budget::Share;
use crate::build::cold::{Clock, Cold, Disk, whole};
use crate::build::saved::{COLD, Writer};
use crate::row::Row;
use dbsp::dynamic::DowncastTrait;
use dbsp::storage::backend::StoragePath;
use dbsp::trace::{BatchReader as _, Cursor as _};
use feldera_storage::FileCommitter;
use std::sync::Arc;

pub(super) struct Spill {
    share: Share,
    pub clock: Clock,
    /// Where in the hashes of values the next go.
    turn: u32,
    groups: Cold,
    /// One a part that counts different values.
    values: Vec<Cold>,
}

impl Spill {
    pub fn new(disk: &Disk, layout: &Layout) -> Self {
        let values = layout.different.iter().map(|_| Cold::new("values", disk.spill_bytes)).collect();
        Spill { share: disk.budget.share(), clock: Clock::default(), turn: 0, groups: Cold::new("groups", disk.spill_bytes), values }
    }

    /// Brings the groups that are about to change back into memory.
    pub fn warm_groups(&mut self, feeds: &[Feed], state: &mut State, layout: &Layout) {
        if self.groups.is_unused() {
            return;
        }
        let mut missing: Vec<Row> = vec![];
        let mut note = |key: &[u8]| {
            if missing.last().is_none_or(|last| last.bytes() != key) && !state.has_group(key) {
                missing.push(Row::new(key));
            }
        };
        for feed in feeds {
            match feed {
                Feed::Batch(batch) => (0..batch.rows).for_each(|row| note(batch.groups.get(row))),
                Feed::Held(_, changes) => {
                    let mut cursor = changes.cursor();
                    while cursor.key_valid() {
                        // SAFETY: the keys of this Z-set are rows.
                        note(unsafe { cursor.key().downcast::<Row>() }.bytes());
                        cursor.step_key();
                    }
                }
                Feed::Watermark(_) | Feed::Tick(_) => {}
            }
        }
        self.groups.take(missing, |key, row| whole(state.warm_group(key.bytes(), row, layout)));
    }

    /// Whether values of this part may be on disk.
    pub fn has_values(&self, part: usize) -> bool {
        !self.values[part].is_unused()
    }

    /// Brings values back into memory.
    pub fn warm_values(&mut self, part: usize, missing: Vec<Row>, state: &mut State) {
        self.values[part].take(missing, |key, row| whole(state.warm_value(part, key.bytes(), row)));
    }

    /// Moves what is too much to disk.
    pub async fn cool(&mut self, state: &mut State, layout: &Layout) {
        let cold = || std::iter::once(&self.groups).chain(&self.values);
        let waiting: usize = cold().map(Cold::waiting_bytes).sum();
        self.share.note(state.bytes(layout) + waiting);
        let excess = self.share.excess();
        if excess == 0 {
            return;
        }
        state.cool(excess.saturating_sub(waiting), layout, &mut self.clock, &mut self.turn, &mut self.groups, &mut self.values);
        for cold in std::iter::once(&mut self.groups).chain(&mut self.values) {
            cold.settle().await;
        }
        self.share.note(state.bytes(layout));
    }

    /// Adds what is on disk to a checkpoint. The mark says that there is some; files without one are those of tables that never spilled.
    pub fn save(
        &mut self,
        base: &StoragePath,
        id: &str,
        out: &mut Writer,
        files: &mut Vec<Arc<dyn FileCommitter>>,
    ) -> Result<(), dbsp::Error> {
        if std::iter::once(&self.groups).chain(&self.values).all(Cold::is_unused) {
            return Ok(());
        }
        out.number(COLD);
        self.each(id, |cold, id| cold.save(base, id, files))
    }

    pub fn restore(&mut self, base: &StoragePath, id: &str) -> Result<(), dbsp::Error> {
        self.each(id, |cold, id| cold.restore(base, id))
    }

    fn each(&mut self, id: &str, mut run: impl FnMut(&mut Cold, &str) -> Result<(), dbsp::Error>) -> Result<(), dbsp::Error> {
        run(&mut self.groups, id)?;
        self.values.iter_mut().enumerate().try_for_each(|(part, values)| run(values, &format!("{id}{part}")))
    }

    pub fn clear(&mut self) {
        self.groups.clear();
        self.values.iter_mut().for_each(Cold::clear);
        self.clock = Clock::default();
    }
}
