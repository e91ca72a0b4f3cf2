//! Connections to the database: one that replicates, and a small pool of ordinary ones.

use std::str::FromStr;
use std::time::Duration;

use pg_walstream::{PgReplicationConnection, ReplicationError, ReplicationSlotOptions, SlotType};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::Options;
use super::error::{Error, Result};

/// How values are written as text. pgoutput writes them as the session would, and the server's defaults may be anything.
const SETTINGS: [(&str, &str); 5] =
    [("TimeZone", "UTC"), ("DateStyle", "ISO, YMD"), ("IntervalStyle", "postgres"), ("bytea_output", "hex"), ("extra_float_digits", "1")];

/// How long a new slot waits for transactions that are open, before it is tried anew. Bounds how long a shutdown can take.
const SLOT_WAIT_S: u64 = 10;

fn ordinary(options: &Options) -> Result<PgConnectOptions> {
    let url = |error: sqlx::Error| Error::Url { service: options.service.clone(), message: error.to_string() };
    Ok(PgConnectOptions::from_str(&options.url).map_err(url)?.application_name("chimera_cdc").options(SETTINGS))
}

/// The database's name, from the address.
pub(super) fn database(options: &Options) -> Result<String> {
    let connect = ordinary(options)?;
    Ok(connect.get_database().unwrap_or_else(|| connect.get_username()).to_owned())
}

/// A pool that connects when it is first used.
pub(super) fn pool(options: &Options) -> Result<PgPool> {
    let pool = PgPoolOptions::new().max_connections(3).min_connections(0).acquire_timeout(Duration::from_secs(5));
    Ok(pool.connect_lazy_with(ordinary(options)?))
}

/// A connection in replication mode, with the settings pinned.
pub(super) async fn replication(options: &Options) -> Result<PgReplicationConnection> {
    let separator = if options.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}replication=database&connect_timeout=10&tcp_user_timeout=30000", options.url);
    // The client blocks while it connects.
    let connection = tokio::task::spawn_blocking(move || -> Result<_, ReplicationError> {
        let mut connection = PgReplicationConnection::connect(&url)?;
        for (name, value) in SETTINGS {
            connection.exec(&format!("SET {name} = '{value}'"))?;
        }
        connection.exec(&format!("SET lock_timeout = '{SLOT_WAIT_S}s'"))?;
        Ok(connection)
    });
    Ok(connection.await??)
}

/// A new slot's first position, and the name under which other connections see the database as of then.
pub(super) struct NewSlot {
    pub consistent_point: u64,
    pub snapshot: String,
}

/// Makes the slot. Its snapshot lives until the connection's next command.
pub(super) async fn create_slot(mut connection: PgReplicationConnection, slot: &str) -> Result<(PgReplicationConnection, NewSlot)> {
    let slot = slot.to_owned();
    tokio::task::spawn_blocking(move || {
        let options = ReplicationSlotOptions { snapshot: Some("export".to_owned()), ..Default::default() };
        let created = connection.create_replication_slot_with_options(&slot, SlotType::Logical, Some("pgoutput"), &options);
        let row = created.map_err(|error| match error.to_string() {
            message if message.contains("[55P03]") => Error::SnapshotHeldUp { waited_s: SLOT_WAIT_S, message },
            _ => error.into(),
        })?;
        let unexpected = || ReplicationError::protocol("CREATE_REPLICATION_SLOT did not answer with a position and a snapshot");
        let consistent_point = row.get_value(0, 1).ok_or_else(unexpected)?;
        let new = NewSlot {
            consistent_point: pg_walstream::parse_lsn(&consistent_point)?,
            snapshot: row.get_value(0, 2).ok_or_else(unexpected)?,
        };
        Ok((connection, new))
    })
    .await?
}

/// Starts to stream from what the slot knows to be durable.
pub(super) async fn start(mut connection: PgReplicationConnection, options: &Options) -> Result<PgReplicationConnection> {
    let (slot, publication) = (options.slot.clone(), format!("\"{}\"", options.publication));
    tokio::task::spawn_blocking(move || {
        connection.start_replication(&slot, 0, &[("proto_version", "1"), ("publication_names", &publication), ("messages", "on")])?;
        Ok(connection)
    })
    .await?
}
