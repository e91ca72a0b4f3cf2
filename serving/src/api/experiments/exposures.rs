//! Who was shown what: noted when a flag is evaluated, written to the topic `clickstream` a moment later.

use std::sync::Arc;

use chimera_connectors::log::Log;
use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use parking_lot::Mutex;
use uuid::Uuid;

use super::running::Running;
use crate::api::events::create::append;
use crate::api::events::event::Event;
use crate::api::extract::text_error;
use crate::api::flags::context::{CUSTOMER_ID, Context};
use crate::api::problem::Result;

/// More are not kept waiting while the log is away; who is left out is noted when they come again.
const MAX_WAITING: usize = 10_000;
/// Written at once.
const BATCH: usize = 500;
/// Remembered as noted. Forgetting one costs an event that counts for nothing.
const MAX_NOTED: u64 = 100_000;

/// Somebody came into an experiment.
#[derive(Clone, Debug)]
struct Exposure {
    experiment: String,
    variant: String,
    subject: String,
    customer_id: Option<String>,
    exposed_at: DateTime<Utc>,
    window_days: i32,
}

/// What makes an exposure another one.
type Noted = (Uuid, Option<String>);

/// The exposures of this server, on their way to the log.
pub struct Exposures {
    waiting: Mutex<Vec<Exposure>>,
    noted: Cache<Noted, ()>,
    /// One batch after the other.
    writing: tokio::sync::Mutex<()>,
}

impl Default for Exposures {
    fn default() -> Self {
        Self { waiting: Mutex::default(), noted: Cache::new(MAX_NOTED), writing: tokio::sync::Mutex::default() }
    }
}

impl Exposures {
    /// Notes that somebody is shown a variant. Waits for nothing.
    pub fn note(&self, experiment: &Running, variant: &str, context: &Context) {
        let Some(subject) = &context.targeting_key else { return };
        let customer_id = context.attribute(CUSTOMER_ID).and_then(|id| id.as_str()).filter(|id| text_error(id, 64).is_none());
        let exposure = Exposure {
            experiment: experiment.key.clone(),
            variant: variant.to_owned(),
            subject: subject.clone(),
            customer_id: customer_id.map(str::to_owned),
            exposed_at: Utc::now(),
            window_days: experiment.window_days,
        };
        let noted = exposure.noted();
        if self.noted.contains_key(&noted) {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() < MAX_WAITING {
            waiting.push(exposure);
            self.noted.insert(noted, ());
        } else {
            metrics::counter!("chimera_exposures_dropped_total").increment(1);
        }
    }

    /// Writes what waits. What cannot be written waits on.
    pub async fn write(&self, log: &Arc<dyn Log>) -> Result<()> {
        let _one_at_a_time = self.writing.lock().await;
        loop {
            let batch: Vec<Exposure> = {
                let mut waiting = self.waiting.lock();
                let count = waiting.len().min(BATCH);
                waiting.drain(..count).collect()
            };
            if batch.is_empty() {
                return Ok(());
            }
            let records =
                batch.iter().map(|exposure| append(&exposure.event(), exposure.exposed_at.timestamp_millis())).collect::<Result<_>>()?;
            if let Err(error) = log.append(records).await {
                self.put_back(batch);
                return Err(error.into());
            }
            metrics::counter!("chimera_exposures_written_total").increment(batch.len() as u64);
        }
    }

    /// A batch that could not be written is the first again.
    fn put_back(&self, mut batch: Vec<Exposure>) {
        let mut waiting = self.waiting.lock();
        batch.append(&mut waiting);
        for left_out in batch.drain(MAX_WAITING.min(batch.len())..) {
            self.noted.invalidate(&left_out.noted());
            metrics::counter!("chimera_exposures_dropped_total").increment(1);
        }
        *waiting = batch;
    }
}

impl Exposure {
    fn noted(&self) -> Noted {
        (event_id(&self.experiment, &self.subject), self.customer_id.clone())
    }

    fn event(&self) -> Event {
        let window_ends_at = self.exposed_at + TimeDelta::days(self.window_days.into());
        Event::exposure(
            event_id(&self.experiment, &self.subject),
            &self.subject,
            self.customer_id.clone(),
            (&self.experiment, &self.variant),
            self.exposed_at,
            window_ends_at,
        )
    }
}

/// The same whenever and wherever somebody is exposed to an experiment again: so they count once.
fn event_id(experiment: &str, subject: &str) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key("chimera experiments exposure event id");
    // A key of an experiment has no NUL.
    hasher.update(experiment.as_bytes()).update(&[0]).update(subject.as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exposure_has_one_id_and_others_have_others() {
        let id = event_id("e1", "s1");
        assert_eq!((id, id.get_version_num()), (event_id("e1", "s1"), 8));
        let mut ids = [id, event_id("e1", "s2"), event_id("e2", "s1"), event_id("e", "1s1")];
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn what_waits_is_bounded_and_repeats_are_noted_once() {
        let exposures = Exposures::default();
        let experiment = Running { key: "e".into(), salt: "s".into(), shares: Default::default(), window_days: 7 };
        let note = |subject: &str| exposures.note(&experiment, "on", &Context::of(subject, Default::default()).expect("a context"));
        (0..3).for_each(|_| note("again"));
        assert_eq!(exposures.waiting.lock().len(), 1);
        (0..MAX_WAITING + 10).for_each(|n| note(&n.to_string()));
        assert_eq!(exposures.waiting.lock().len(), MAX_WAITING);
        // The log was away: what had been taken out comes back in front, and what has no place is noted when it comes again.
        let batch: Vec<Exposure> = exposures.waiting.lock().drain(..BATCH).collect();
        let first = batch[0].subject.clone();
        (0..BATCH).for_each(|n| note(&format!("later-{n}")));
        exposures.put_back(batch);
        let waiting = exposures.waiting.lock();
        assert_eq!((waiting.len(), &waiting[0].subject), (MAX_WAITING, &first));
        drop(waiting);
        exposures.waiting.lock().clear();
        note("later-0");
        assert_eq!(exposures.waiting.lock().len(), 1);
    }
}
