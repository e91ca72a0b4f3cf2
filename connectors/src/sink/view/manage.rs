//! Views that come and go while everything runs. Whoever calls has stopped what writes to a view that it removes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::views::{KEYSPACE, OpenView, Views, failed};
use crate::Result;

impl Views {
    /// Whether the view that is kept under `id` can be read: not while it holds a part of what it will.
    pub fn set_filled(&self, id: &str, filled: bool) {
        if let Some(view) = self.by_id(id) {
            view.filled.store(filled, Ordering::Release);
        }
    }

    /// Whether readers find the view that is kept under `id`.
    pub fn is_read(&self, id: &str) -> bool {
        self.open.read().values().any(|open| open.id == id)
    }

    /// Puts the view kept under `id` in the place of the one called `name`, in one moment for all readers, if it holds no less: then its
    /// epoch is at least that of the other. Both may be further than their marks say (epochs without changes are not written): `live` and
    /// `shadow` say how far they are known to be. Subscribers take a new snapshot. Returns whether it was done.
    pub fn replace(&self, name: &str, id: &str, live: u64, shadow: u64) -> Result<bool> {
        let Some(old) = self.find(name) else { return Ok(false) };
        // Nothing is written to the old one from here on, until the new one is read.
        let _publishing = old.publishing.lock();
        let at = |view: &OpenView, known: u64| Ok::<_, crate::Error>(self.stands_at(view)?.map_or(0, |mark| mark.epoch).max(known));
        let mut open = self.open.write();
        let mut shadows = self.shadows.write();
        let Some(new) = shadows.get(id).cloned() else { return Ok(false) };
        if at(&new, shadow)? < at(&old, live)? {
            return Ok(false);
        }
        // Before the swap: one that fails is tried again as a whole, and an index that is there already is passed over.
        self.inherit_indexes(&old, &new)?;
        shadows.remove(id);
        open.insert(name.to_owned(), new.clone());
        shadows.insert(old.id.clone(), old.clone());
        old.tell_resync();
        Ok(true)
    }

    /// Forgets the view kept under `id`, whether it is read or in the shadow, and its rows.
    pub fn remove(&self, id: &str) -> Result<()> {
        let Some(view) = self.by_id(id) else { return Ok(()) };
        self.open.write().retain(|_, open| open.id != id);
        self.shadows.write().remove(id);
        view.tell_resync();
        self.marks.remove(id).map_err(failed)?;
        view.stop_indexes();
        self.forget_indexes(id)?;
        self.database.delete_keyspace(view.rows.clone()).map_err(failed)
    }

    /// The view called `name` is called `to` from now on.
    pub fn rename(&self, name: &str, to: &str) {
        let mut open = self.open.write();
        if let Some(view) = open.remove(name) {
            open.insert(to.to_owned(), view);
        }
    }

    /// Removes what is kept under ids that are numbers and not among `ids`: left-overs of views that were removed.
    pub fn remove_others(&self, ids: &BTreeSet<String>) -> Result<()> {
        for name in self.database.list_keyspace_names() {
            let name = name.to_string();
            let Some(id) = name.strip_prefix(KEYSPACE).filter(|id| id.parse::<u64>().is_ok() && !ids.contains(*id)) else { continue };
            let rows = self.database.keyspace(&name, super::views::keyspace_options).map_err(failed)?;
            self.marks.remove(id).map_err(failed)?;
            self.forget_indexes(id)?;
            self.database.delete_keyspace(rows).map_err(failed)?;
        }
        Ok(())
    }

    fn by_id(&self, id: &str) -> Option<Arc<OpenView>> {
        let open = self.open.read().values().find(|open| open.id == id).cloned();
        open.or_else(|| self.shadows.read().get(id).cloned())
    }
}
