//! The log: embedded in the data folder, or Kafka.

use std::sync::Arc;

use anyhow::Context;
use chimera_connectors::log::Log;
use chimera_connectors::log::embedded::EmbeddedLog;
use chimera_connectors::log::kafka::{KafkaLog, KafkaOptions};

use crate::commands::Settings;

/// Under this name one instance at a time appends to Kafka; a second one shuts the first one out.
const TRANSACTIONAL_ID: &str = "chimera";

/// Opens it, and makes the topic of the clicks, which is read before the first click comes.
pub async fn open(settings: &Settings) -> anyhow::Result<Arc<dyn Log>> {
    let log: Arc<dyn Log> = match &settings.kafka {
        Some(servers) => {
            let options = KafkaOptions { bootstrap_servers: servers.clone(), transactional_id: TRANSACTIONAL_ID.to_owned() };
            KafkaLog::open(options).await.with_context(|| format!("cannot use Kafka at {servers}"))?
        }
        None => {
            let folder = settings.data_dir.join("log");
            let open = tokio::task::spawn_blocking(move || EmbeddedLog::open(folder));
            open.await.context("a thread broke off")?.context("cannot open the log")?
        }
    };
    log.create_topic("clickstream", Default::default()).await?;
    Ok(log)
}
