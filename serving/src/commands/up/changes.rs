//! Change capture: a reader a database.

use std::sync::Arc;

use anyhow::Context;
use chimera_connectors::log::Log;
use chimera_connectors::postgres_cdc::{Handle, Options, Reader};
use tokio_util::sync::CancellationToken;

use crate::shop::databases::{CAPTURED, Server};

/// The readers of the databases.
#[derive(Clone)]
pub struct Changes {
    readers: Vec<(String, Handle)>,
    stop: CancellationToken,
}

impl Changes {
    /// Follows every table that the databases publish.
    pub async fn start(server: &Server, log: &Arc<dyn Log>, stop: CancellationToken) -> anyhow::Result<Self> {
        let mut readers = Vec::new();
        for database in CAPTURED.iter().flat_map(|service| server.databases_of(service)) {
            let mut connection = server.connect(database).await?;
            let tables: Vec<String> =
                sqlx::query_scalar("SELECT schemaname || '.' || tablename FROM pg_publication_tables WHERE pubname = 'chimera' ORDER BY 1")
                    .fetch_all(&mut connection)
                    .await
                    .with_context(|| format!("cannot ask which tables database {database} publishes"))?;
            let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
            let options = Options::new(server.database_url(database), database, &tables);
            readers.push((database.to_owned(), Reader::start(options, log.clone(), stop.clone())));
        }
        Ok(Self { readers, stop })
    }

    /// Asks a source to mark its present position, so that stores pass it even when nothing else happens there.
    pub fn nudge(&self, source: &str) {
        for (_, reader) in self.readers.iter().filter(|(database, _)| database == source) {
            reader.nudge();
        }
    }

    /// Stops all readers, and waits until they have.
    pub async fn stop(&self) {
        self.stop.cancel();
        for (_, reader) in &self.readers {
            reader.stopped().await;
        }
    }
}
