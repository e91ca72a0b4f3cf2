//! Which person or auction an event speaks of. Numbers begin at zero here; [`FIRST_ID`] is added where they are written.

use super::random::Random;
use super::{AUCTIONS, PERIOD, PERSONS};

pub(super) const FIRST_ID: i64 = 1000;

/// Hot auctions, bidders and sellers are one of so many; they change as new ones come.
const HOT: i64 = 100;
/// Bids and auctions may name a person or an auction that comes only so many later.
const LEAD: i64 = 10;
const OPEN_AUCTIONS: i64 = 100;
const ACTIVE_PERSONS: i64 = 1000;

/// The last person that there is when event `event` comes.
pub(super) fn last_person(event: u64) -> i64 {
    (event / PERIOD) as i64
}

/// The last auction that there is when event `event` comes; −1 before the first.
pub(super) fn last_auction(event: u64) -> i64 {
    let (epoch, offset) = ((event / PERIOD) as i64, event % PERIOD);
    let made = offset.saturating_sub(PERSONS - 1).min(AUCTIONS) as i64;
    epoch * AUCTIONS as i64 + made - 1
}

/// The first of the last hundred auctions in half of the cases, else any of those that are open.
pub(super) fn auction(event: u64, random: &mut Random) -> i64 {
    let last = last_auction(event);
    if random.is_hot(2) {
        return last / HOT * HOT;
    }
    let first = (last - OPEN_AUCTIONS).max(0);
    first + random.below((last - first + 1 + LEAD) as u64) as i64
}

/// The first of the last hundred persons in three of four cases, else any of the active ones.
pub(super) fn seller(event: u64, random: &mut Random) -> i64 {
    if random.is_hot(4) { last_person(event) / HOT * HOT } else { any_person(event, random) }
}

/// As [`seller`], but the second of the hundred: hot bidders are not hot sellers.
pub(super) fn bidder(event: u64, random: &mut Random) -> i64 {
    if random.is_hot(4) { last_person(event) / HOT * HOT + 1 } else { any_person(event, random) }
}

fn any_person(event: u64, random: &mut Random) -> i64 {
    let persons = last_person(event) + 1;
    let active = persons.min(ACTIVE_PERSONS);
    persons - active + random.below((active + LEAD) as u64) as i64
}
