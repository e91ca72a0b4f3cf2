//! The events of the Nexmark benchmark (Tucker, Tufte, Papadimos, Maier: "NEXMark – A Benchmark for Queries over Data Streams", 2002, in
//! the proportions that Apache Beam's and Flink's generators gave it): of fifty events one is a person, three are auctions and 46 are bids,
//! most of them on a few hot auctions and by a few hot bidders.
//!
//! An event depends on the seed and its number alone, so a stream can be made in any batches, and gone on with anywhere.

mod auction;
mod bid;
mod columns;
mod ids;
mod person;
mod random;

use arrow::array::{ArrayRef, RecordBatch, StructArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use random::Random;
use std::sync::Arc;

const PERSONS: u64 = 1;
const AUCTIONS: u64 = 3;
const PERIOD: u64 = 50;
/// Events in which as many auctions begin as are open at once.
const HORIZON_EVENTS: i128 = 100 * PERIOD as i128 / AUCTIONS as i128;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Another seed, other events.
    pub seed: u64,
    /// How far apart events are in their own time; not how fast they are made.
    pub events_per_second: u64,
    /// The number of the first event that is made.
    pub first_event: u64,
    /// When event 0 takes place, in nanoseconds since 1970.
    pub start_ns: i64,
}

impl Default for Config {
    fn default() -> Self {
        // 2015-07-15, as in Beam.
        Config { seed: 1, events_per_second: 10_000, first_event: 0, start_ns: 1_436_918_400_000_000_000 }
    }
}

/// Makes events, one after another.
#[derive(Clone, Debug)]
pub struct Generator {
    config: Config,
    next: u64,
}

/// Some events in a row.
#[derive(Clone, Debug)]
pub struct Events {
    first: u64,
    person: RecordBatch,
    auction: RecordBatch,
    bid: RecordBatch,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Person,
    Auction,
    Bid,
}

impl Kind {
    fn of(event: u64) -> Self {
        match event % PERIOD {
            offset if offset < PERSONS => Kind::Person,
            offset if offset < PERSONS + AUCTIONS => Kind::Auction,
            _ => Kind::Bid,
        }
    }
}

impl Generator {
    pub fn new(config: Config) -> Self {
        Generator { next: config.first_event, config }
    }

    /// The number of the event that comes next: with it as `first_event`, another generator goes on from here.
    pub fn next_event(&self) -> u64 {
        self.next
    }

    /// When an event takes place, in nanoseconds since 1970.
    pub fn time_ns(&self, event: u64) -> i64 {
        let since = i128::from(event) * 1_000_000_000 / i128::from(self.config.events_per_second.max(1));
        self.config.start_ns.saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
    }

    /// The next `events` events. Fails when a column of texts would be longer than 2 GiB: at about ten million events.
    pub fn next(&mut self, events: usize) -> Result<Events, ArrowError> {
        let first = self.next;
        let seed = self.config.seed;
        let horizon = HORIZON_EVENTS * 1_000_000_000 / i128::from(self.config.events_per_second.max(1));
        let horizon = i64::try_from(horizon).unwrap_or(i64::MAX / 4);
        let periods = events / PERIOD as usize + 1;
        let mut persons = person::Persons::new(periods);
        let mut auctions = auction::Auctions::new(periods * AUCTIONS as usize);
        let mut bids = bid::Bids::new(seed, events);
        for event in first..first + events as u64 {
            let (time, random) = (self.time_ns(event), Random::of(seed, event));
            match Kind::of(event) {
                Kind::Person => persons.push(event, time, random),
                Kind::Auction => auctions.push(event, time, horizon, random),
                Kind::Bid => bids.push(event, time, random),
            }
        }
        self.next = first + events as u64;
        Ok(Events { first, person: persons.finish()?, auction: auctions.finish()?, bid: bids.finish()? })
    }
}

impl Events {
    pub fn len(&self) -> usize {
        self.person.num_rows() + self.auction.num_rows() + self.bid.num_rows()
    }

    /// The rows of each of the tables `person`, `auction` and `bid`, in their order.
    pub fn tables(&self) -> Vec<(&'static str, RecordBatch)> {
        vec![("person", self.person.clone()), ("auction", self.auction.clone()), ("bid", self.bid.clone())]
    }

    /// One row an event, in their order: of the columns `person`, `auction` and `bid` one is a struct and two are null. Names are those
    /// of Arroyo's `nexmark` connector: [`joined_schema`].
    pub fn joined(&self) -> Result<RecordBatch, ArrowError> {
        let column = |kind: Kind, batch: &RecordBatch| -> Result<ArrayRef, ArrowError> {
            let structs = StructArray::new(arroyo_fields(&batch.schema()), batch.columns().to_vec(), None);
            let mut row = 0u32;
            let rows: UInt32Array = (self.first..self.first + self.len() as u64)
                .map(|event| {
                    let is_here = Kind::of(event) == kind;
                    row += u32::from(is_here);
                    is_here.then(|| row - 1)
                })
                .collect();
            take(&structs, &rows, None)
        };
        let columns = vec![column(Kind::Person, &self.person)?, column(Kind::Auction, &self.auction)?, column(Kind::Bid, &self.bid)?];
        RecordBatch::try_new(joined_schema(), columns)
    }
}

/// The columns of the tables that [`Events::tables`] gives.
pub fn table_schemas() -> Vec<(&'static str, SchemaRef)> {
    vec![("person", person::columns()), ("auction", auction::columns()), ("bid", bid::columns())]
}

/// The columns of [`Events::joined`].
pub fn joined_schema() -> SchemaRef {
    let field = |(name, schema): (&str, SchemaRef)| Field::new(name, DataType::Struct(arroyo_fields(&schema)), true);
    Arc::new(Schema::new(table_schemas().into_iter().map(field).collect::<Vec<_>>()))
}

/// Arroyo writes `datetime`.
fn arroyo_fields(schema: &Schema) -> Fields {
    let renamed = |name: &str| if name == "date_time" { "datetime" } else { name }.to_string();
    schema.fields().iter().map(|field| field.as_ref().clone().with_name(renamed(field.name()))).collect()
}

#[cfg(test)]
mod tests;
