//! What connectors of scripts run asynchronous calls in: each has a thread of its own.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::log::{KafkaLog, KafkaOptions};
use crate::{Error, Result};

/// A runtime for the calling thread.
pub(crate) fn runtime() -> Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| Error::Io { what: "cannot start a connector's runtime".into(), source })
}

/// Kafka, under a name that no other run has.
pub(crate) async fn kafka(bootstrap_servers: String) -> Result<Arc<KafkaLog>> {
    KafkaLog::open(KafkaOptions { bootstrap_servers, transactional_id: format!("chimera-run-{}", uuid::Uuid::new_v4()) }).await
}
