//! Rows that are made up, at a rate: to try a script, and to measure.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampNanosecondArray};
use arrow::error::ArrowError;

use super::{Batch, Source, SourceSpec, implied_columns, options};
use crate::options::Options;
use crate::{Changes, Error, Result, nexmark};

pub(super) const IMPULSE: &str = "impulse";
pub(super) const NEXMARK: &str = "nexmark";
const NANOSECONDS: f64 = 1e9;
/// Rows come at least this often, if there are any.
const PULSE: Duration = Duration::from_millis(20);

/// Makes the rows from `first` to `first + rows`.
type Make = Box<dyn FnMut(u64, usize) -> Result<RecordBatch, ArrowError> + Send>;

/// Numbered rows, at a rate.
struct Generated {
    connector: &'static str,
    make: Make,
    next: u64,
    /// `None`: for ever.
    count: Option<u64>,
    /// Rows a second; `None`: as fast as they are taken.
    rate: Option<f64>,
    started: Option<Instant>,
}

/// `event_rate`: rows a second. `message_count`: how many. `paced`: whether they take their time, or come as fast as they are taken.
fn pace(options: &mut Options) -> Result<(f64, Option<f64>, Option<u64>)> {
    let rate: f64 = options.parsed("event_rate", "a number of rows a second")?.unwrap_or(1_000.0);
    if !(rate.is_finite() && rate > 0.0) {
        return Err(options.error(format!("option 'event_rate' = '{rate}' must be above zero")));
    }
    let count = options.parsed("message_count", "a number of rows")?;
    let paced = options.parsed("paced", "true or false")?.unwrap_or(true);
    Ok((rate, paced.then_some(rate), count))
}

pub(super) fn open_impulse(spec: SourceSpec) -> Result<Box<dyn Source>> {
    let mut options = options(IMPULSE, &spec);
    let (rate, paced, count) = pace(&mut options)?;
    options.finish()?;
    let schema = columns(IMPULSE, &spec)?;
    let start = now_ns();
    let make: Make = Box::new(move |first, rows| {
        let numbers = || first..first + rows as u64;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(numbers().map(|number| number as i64))),
            Arc::new(Int64Array::from_iter_values(numbers().map(|_| 0))),
            Arc::new(TimestampNanosecondArray::from_iter_values(
                numbers().map(|number| start + (number as f64 / rate * NANOSECONDS) as i64),
            )),
        ];
        RecordBatch::try_new(schema.clone(), columns)
    });
    Ok(Box::new(Generated { connector: IMPULSE, make, next: 0, count, rate: paced, started: None }))
}

pub(super) fn open_nexmark(spec: SourceSpec) -> Result<Box<dyn Source>> {
    let mut options = options(NEXMARK, &spec);
    let (rate, paced, count) = pace(&mut options)?;
    let seed = options.parsed("seed", "a number")?;
    options.finish()?;
    let schema = columns(NEXMARK, &spec)?;
    let default = nexmark::Config::default();
    let events_per_second = (rate as u64).max(1);
    let mut generator = nexmark::Generator::new(nexmark::Config { seed: seed.unwrap_or(default.seed), events_per_second, ..default });
    let make: Make = Box::new(move |first, rows| {
        let times = (first..first + rows as u64).map(|event| generator.time_ns(event)).collect::<Vec<_>>();
        let events = generator.next(rows)?.joined()?;
        let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(times));
        RecordBatch::try_new(schema.clone(), events.columns().iter().cloned().chain([times]).collect())
    });
    Ok(Box::new(Generated { connector: NEXMARK, make, next: 0, count, rate: paced, started: None }))
}

/// The columns of the connector, which the table may not change.
fn columns(connector: &'static str, spec: &SourceSpec) -> Result<arrow::datatypes::SchemaRef> {
    let (schema, _) = implied_columns(connector).ok_or_else(|| Error::config(connector, "it has no columns"))?;
    let names = |schema: &arrow::datatypes::Schema| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    if names(&schema) != names(&spec.schema) {
        let message = format!("table {}: its columns are {}; declare the table without any", spec.table, names(&schema).join(", "));
        return Err(Error::config(connector, message));
    }
    Ok(schema)
}

fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}

impl Source for Generated {
    fn next(&mut self, rows: usize) -> Result<Option<Batch>> {
        let left = self.count.map_or(u64::MAX, |count| count.saturating_sub(self.next));
        if left == 0 {
            return Ok(None);
        }
        let started = *self.started.get_or_insert_with(Instant::now);
        let due = match self.rate {
            None => rows as u64,
            Some(rate) => {
                let due = |elapsed: Duration| ((elapsed.as_secs_f64() * rate) as u64).saturating_sub(self.next);
                if due(started.elapsed()) == 0 {
                    let next = Duration::from_secs_f64((self.next + 1) as f64 / rate).saturating_sub(started.elapsed());
                    std::thread::sleep(next.min(PULSE));
                } else if due(started.elapsed()) < rows as u64 {
                    // A few more, rather than one by one.
                    std::thread::sleep(PULSE / 4);
                }
                due(started.elapsed())
            }
        };
        let rows = due.min(left).min(rows as u64) as usize;
        let batch = (self.make)(self.next, rows).map_err(|error| Error::corrupt(self.connector, error))?;
        self.next += rows as u64;
        Ok(Some(Batch { changes: Changes { batch, weights: vec![1; rows] }, bad: vec![] }))
    }
}
