//! Lookup tables on threads of their own: a worker of a dataflow asks, and waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use arrow::array::ArrayRef;
use chimera_connectors::lookup::{Answers, LookupTable};
use chimera_sql::{Found, Lookup};

use crate::Error;

/// Keys, and where the answers go.
type Request = (Vec<ArrayRef>, Sender<Result<Answers, String>>);

/// Asks a lookup table. The table is closed when nobody can ask it any more.
#[derive(Debug)]
pub(crate) struct Asker {
    table: String,
    requests: Sender<Request>,
}

impl Asker {
    /// Gives `table` a thread. What it leaves out is added to `bad`.
    pub(crate) fn start(name: &str, table: LookupTable, bad: Arc<AtomicU64>) -> Result<Self, Error> {
        let (requests, receiver) = channel();
        let thread = std::thread::Builder::new().name(format!("lookup-{name}"));
        let started = thread.spawn(move || answer(table, &receiver, &bad));
        started.map_err(|source| Error::Io { what: "cannot start a thread".into(), source })?;
        Ok(Asker { table: name.to_owned(), requests })
    }
}

fn answer(mut table: LookupTable, requests: &Receiver<Request>, bad: &AtomicU64) {
    for (keys, reply) in requests {
        let answers = table.get(&keys).map_err(|error| error.to_string());
        if let Ok(answers) = &answers {
            bad.fetch_add(answers.bad, Ordering::Relaxed);
        }
        // A worker that does not wait any more needs no answer.
        let _ = reply.send(answers);
    }
}

impl Lookup for Asker {
    fn get(&self, keys: &[ArrayRef]) -> Result<Found, String> {
        let ended = || format!("the thread of lookup table `{}` ended early", self.table);
        let (reply, answers) = channel();
        self.requests.send((keys.to_vec(), reply)).map_err(|_| ended())?;
        let answers = answers.recv().map_err(|_| ended())??;
        Ok(Found { is_found: answers.is_found, columns: answers.columns })
    }
}
