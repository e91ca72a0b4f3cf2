//! Open event streams and WebSockets: so many in all, and so many a caller, that one of them cannot take all places.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{Problem, Result, kinds};
use super::rate_limit::Who;
use super::state::Limits;

pub struct Places {
    all: Arc<Semaphore>,
    each: Arc<Mutex<HashMap<Who, usize>>>,
    most: usize,
    most_each: usize,
}

/// Free again when it is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    who: Option<Who>,
    each: Arc<Mutex<HashMap<Who, usize>>>,
}

impl Places {
    pub fn new(limits: &Limits) -> Self {
        let (most, most_each) = (limits.max_streams, limits.max_streams_each);
        Self { all: Arc::new(Semaphore::new(most)), each: Arc::default(), most, most_each }
    }

    /// `who`: `None` is bounded by all places only.
    pub fn take(&self, who: Option<Who>) -> Result<Place> {
        let refused = |_| Problem::new(&kinds::OVERLOADED, "As many event streams are open as this server takes.").retry_after(5);
        let permit = self.all.clone().try_acquire_owned().map_err(refused)?;
        if let Some(who) = who {
            let mut each = self.each.lock();
            let taken = each.entry(who).or_default();
            if *taken >= self.most_each {
                return Err(Problem::new(&kinds::TOO_MANY_STREAMS, format!("You have {taken} open; more are not taken.")).retry_after(5));
            }
            *taken += 1;
        }
        Ok(Place { _permit: permit, who, each: self.each.clone() })
    }

    pub fn taken(&self) -> usize {
        self.most.saturating_sub(self.all.available_permits())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(who) = self.who else { return };
        let mut each = self.each.lock();
        if let Some(taken) = each.get_mut(&who) {
            *taken -= 1;
            if *taken == 0 {
                each.remove(&who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn one_caller_cannot_take_all_and_what_is_left_is_free_again() {
        let places = Places::new(&Limits { max_streams: 3, max_streams_each: 2, ..Limits::default() });
        let who = |last: u8| Some(Who::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))));
        let held = [places.take(who(1)), places.take(who(1))].map(|place| place.expect("a place"));
        assert_eq!(places.take(who(1)).err().expect("one too many").kind().name, "too-many-streams");
        let other = places.take(who(2)).expect("another caller's");
        assert_eq!(places.take(None).err().expect("all are taken").kind().name, "overloaded");
        assert_eq!(places.taken(), 3);
        drop((held, other));
        assert_eq!(places.taken(), 0);
        assert!(places.each.lock().is_empty());
    }
}
