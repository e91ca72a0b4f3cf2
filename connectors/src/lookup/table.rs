//! A lookup table: keys in, columns out.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow::compute::kernels::cast_utils::parse_interval_month_day_nano;
use arrow::compute::take;
use arrow::datatypes::{IntervalMonthDayNano, Schema, SchemaRef};
use bytes::Bytes;

use super::cache::{Cache, Limits};
use super::{Columns, Key, Lookup, LookupSpec, connector};
use crate::format::json::Values;
use crate::format::{Decoder, Format};
use crate::log::{Entry, Record};
use crate::options::Options;
use crate::{Error, Result};

/// What a cache takes at most, if it is not said.
const CACHE_BYTES: usize = 8 << 20;
/// How often a wait looks whether it is in vain.
const GLANCE: Duration = Duration::from_millis(50);

/// How long a store that is away is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Requests until it is given up.
    pub tries: u32,
    /// The delay after the first one; each is twice the one before.
    pub first: Duration,
    pub longest: Duration,
}

impl Default for Patience {
    /// About half a minute.
    fn default() -> Self {
        Patience { tries: 12, first: Duration::from_millis(100), longest: Duration::from_secs(5) }
    }
}

/// Answers to keys, in their order.
#[derive(Debug)]
pub struct Answers {
    pub is_found: BooleanArray,
    /// All columns of the table, nullable; null where there is no row.
    pub columns: Vec<ArrayRef>,
    /// Rows that could not be read, and are left out.
    pub bad: u64,
}

/// A table that is asked for rows by key. Calls may block.
pub struct LookupTable {
    name: String,
    connector: &'static str,
    store: Box<dyn Lookup>,
    cache: Option<Cache>,
    patience: Patience,
    drop_bad: bool,
    stop: Arc<AtomicBool>,
    /// Of the columns beside the key.
    decoder: Decoder,
    /// Of each column of the table, where it is among the key's columns, or else among the decoder's.
    places: Vec<Place>,
}

enum Place {
    Key(usize),
    Rest(usize),
}

impl LookupTable {
    /// Opens the table; nothing is asked yet. Once `stop` is set, no call waits any longer.
    ///
    /// Errors when there is no such connector, and when an option is missing, unknown or cannot work.
    pub fn open(name: &str, spec: &LookupSpec, patience: Patience, stop: Arc<AtomicBool>) -> Result<Self> {
        let (connector, open) = connector(name, &spec.table)?;
        let mut options = Options::of_table(connector, spec.table.clone(), &spec.options);
        let format: Format = options.optional("format").as_deref().unwrap_or("json").parse()?;
        if format == Format::DebeziumJson {
            return Err(options.error("format 'debezium_json' is of changes, and a lookup table has rows; use 'json'"));
        }
        let cache = cache(&mut options)?;
        let (mut places, mut rest) = (vec![], vec![]);
        for field in spec.schema.fields() {
            places.push(match spec.primary_key.iter().position(|key| key == field.name()) {
                Some(place) => Place::Key(place),
                None => {
                    rest.push(field.clone());
                    Place::Rest(rest.len() - 1)
                }
            });
        }
        let rest: SchemaRef = Arc::new(Schema::new(rest));
        let columns = Columns { key: spec.primary_key.clone(), rest: rest.clone() };
        let store = open(&mut options, &columns)?;
        options.finish()?;
        let decoder = Decoder::new(format, rest, Default::default())?;
        Ok(LookupTable { name: spec.table.clone(), connector, store, cache, patience, drop_bad: spec.drop_bad, stop, decoder, places })
    }

    /// Whether the store is there and has what the table declares.
    pub fn check(&mut self) -> Result<()> {
        self.patiently(|store| store.check())
    }

    /// The rows of `keys`: the columns of the primary key in its order, of one length, without nulls.
    pub fn get(&mut self, keys: &[ArrayRef]) -> Result<Answers> {
        let (different, numbers) = self.different(keys)?;
        let records = self.records(different)?;
        let entries = (0u64..)
            .zip(records)
            .filter_map(|(number, record)| Some(Entry { offset: number, record: Record::new(None, Some(record?), 0) }));
        let entries: Vec<Entry> = entries.collect();
        let decoded = self.decoder.decode(&self.name, 0, &entries);
        if let Some(bad) = decoded.bad.first() {
            let key = numbers.iter().position(|number| u64::from(*number) == bad.offset).unwrap_or_default();
            let message =
                format!("table {}: the row of the key ({}) cannot be read: {}", self.name, texts(keys, key)?.join(", "), bad.error);
            if !self.drop_bad {
                return Err(Error::corrupt(self.connector, format!("{message}; with the option bad_data = 'drop' such rows are left out")));
            }
            tracing::warn!(rows = decoded.bad.len(), "{message}");
        }
        // Of each different key, the row of the batch that answers it.
        let mut rows: HashMap<u32, u32> = HashMap::with_capacity(decoded.origins.len());
        for (row, origin) in (0u32..).zip(&decoded.origins) {
            rows.insert(entries[*origin].offset as u32, row);
        }
        let answered: UInt32Array = numbers.iter().map(|number| rows.get(number).copied()).collect();
        let own: UInt32Array = (0u32..).zip(&answered).map(|(row, answer)| answer.map(|_| row)).collect();
        let column = |place: &Place| match place {
            Place::Key(index) => take(&keys[*index], &own, None),
            Place::Rest(index) => take(decoded.changes.batch.column(*index), &answered, None),
        };
        let columns = self.places.iter().map(column).collect::<Result<_, _>>().map_err(|error| Error::corrupt(self.connector, error))?;
        let is_found = answered.iter().map(|answer| Some(answer.is_some())).collect();
        Ok(Answers { is_found, columns, bad: decoded.bad.len() as u64 })
    }

    /// The different keys, and the number of each row's one.
    fn different(&self, keys: &[ArrayRef]) -> Result<(Vec<Key>, Vec<u32>)> {
        let rows = keys.first().map_or(0, |column| column.len());
        let mut known: HashMap<Key, u32> = HashMap::new();
        let (mut different, mut numbers) = (vec![], Vec::with_capacity(rows));
        let columns = values(self.connector, keys)?;
        for row in 0..rows {
            let key: Key = columns.iter().map(|column| text(column, row)).collect();
            let next = different.len() as u32;
            numbers.push(*known.entry(key).or_insert_with_key(|key| {
                different.push(key.clone());
                next
            }));
        }
        Ok((different, numbers))
    }

    /// The record of each key, of the cache or else of the store.
    fn records(&mut self, keys: Vec<Key>) -> Result<Vec<Option<Bytes>>> {
        let now = Instant::now();
        let mut records: Vec<Option<Option<Bytes>>> = match &mut self.cache {
            Some(cache) => keys.iter().map(|key| cache.get(key, now)).collect(),
            None => vec![None; keys.len()],
        };
        let asked: Vec<usize> = (0..keys.len()).filter(|index| records[*index].is_none()).collect();
        if !asked.is_empty() {
            let asked_keys: Vec<Key> = asked.iter().map(|index| keys[*index].clone()).collect();
            let answers = self.patiently(|store| store.get(&asked_keys))?;
            for ((index, key), answer) in asked.into_iter().zip(asked_keys).zip(answers) {
                if let Some(cache) = &mut self.cache {
                    cache.insert(key, answer.clone(), now);
                }
                records[index] = Some(answer);
            }
        }
        Ok(records.into_iter().map(Option::flatten).collect())
    }

    /// Asks again while the store is away, for a bounded time.
    fn patiently<T>(&mut self, mut ask: impl FnMut(&mut dyn Lookup) -> Result<T>) -> Result<T> {
        let named = |error: Error| match error {
            Error::Config { connector, message } => Error::Config { connector, message: format!("table {}: {message}", self.name) },
            Error::Corrupt { connector, message } => Error::Corrupt { connector, message: format!("table {}: {message}", self.name) },
            error => error,
        };
        let mut delay = self.patience.first;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match ask(self.store.as_mut()) {
                Err(error) if error.is_retryable() => error,
                result => return result.map_err(named),
            };
            if attempt >= self.patience.tries || self.stop.load(Ordering::Relaxed) {
                let message = format!("lookup table {} was asked {attempt} times in vain: {error}", self.name);
                return Err(Error::unavailable(self.connector, message));
            }
            tracing::warn!(table = self.name, %error, "a lookup is tried again");
            let until = Instant::now() + delay;
            while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
                std::thread::sleep(GLANCE.min(until.saturating_duration_since(Instant::now())));
            }
            delay = (delay * 2).min(self.patience.longest);
        }
    }
}

/// The options of the cache; without any, every step asks anew.
fn cache(options: &mut Options) -> Result<Option<Cache>> {
    let bytes: Option<usize> = options.parsed("lookup.cache.max_bytes", "a number of bytes")?;
    let rows: Option<usize> = options.parsed("lookup.cache.max_rows", "a number of rows")?;
    let ttl = options.optional("lookup.cache.ttl");
    if bytes.is_none() && rows.is_none() && ttl.is_none() {
        return Ok(None);
    }
    let ttl = match ttl {
        Some(text) => Some(duration(&text).ok_or_else(|| {
            options.error(format!("option 'lookup.cache.ttl' = '{text}' is no time above zero; write '5 seconds', or INTERVAL '5 seconds'"))
        })?),
        None => None,
    };
    let bytes = bytes.unwrap_or(if rows.is_some() { usize::MAX } else { CACHE_BYTES });
    Ok(Some(Cache::new(Limits { bytes, rows: rows.unwrap_or(usize::MAX), ttl })))
}

/// `5 seconds`: a positive time without months, which have no one length.
fn duration(text: &str) -> Option<Duration> {
    let IntervalMonthDayNano { months: 0, days, nanoseconds } = parse_interval_month_day_nano(text).ok()? else { return None };
    let nanoseconds = i64::from(days).checked_mul(86_400_000_000_000)?.checked_add(nanoseconds)?;
    u64::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds > 0).map(Duration::from_nanos)
}

fn values<'a>(connector: &'static str, keys: &'a [ArrayRef]) -> Result<Vec<Values<'a>>> {
    keys.iter().map(|column| Values::new(connector, "key", column)).collect()
}

fn text(column: &Values<'_>, row: usize) -> String {
    let mut text = vec![];
    column.write_text(row, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn texts(keys: &[ArrayRef], row: usize) -> Result<Key> {
    Ok(values("lookup", keys)?.iter().map(|column| text(column, row)).collect())
}
