//! The connection to RabbitMQ: made when it is needed, and made again, later each time, when it breaks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use tokio::sync::Mutex;
use tokio::time::timeout;
use uuid::Uuid;

use super::{Routed, Topology};
use crate::api::problem::Problem;

const CONNECT_AT_MOST: Duration = Duration::from_secs(15);
const CONFIRM_AT_MOST: Duration = Duration::from_secs(15);
const FIRST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(15);
/// In AMQP: it is on the disk before it is confirmed.
const PERSISTENT: u8 = 2;

/// The broker does not have what it was given, or it is not known whether it has.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("RabbitMQ cannot be reached, and is left alone for a moment")]
    Resting,
    #[error("RabbitMQ: {0}")]
    Broken(#[from] lapin::Error),
    #[error("RabbitMQ did not {0} in time")]
    TimedOut(&'static str),
    #[error("RabbitMQ took no message for `{0}`")]
    Refused(String),
    #[error("a message cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::unavailable("The broker", error)
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Cheap to clone.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    url: String,
    topology: Topology,
    state: Mutex<State>,
}

struct State {
    connection: Option<Connection>,
    /// In which everything is confirmed.
    publisher: Option<lapin::Channel>,
    rest: Duration,
    resting_until: Option<Instant>,
}

/// What goes to an exchange.
pub struct Publication<'a> {
    pub exchange: &'a str,
    pub key: &'a str,
    pub id: Option<Uuid>,
    pub body: &'a [u8],
    pub headers: FieldTable,
}

impl Broker {
    /// `url`: `amqp://user:password@host:port/vhost`, or `amqps`. Nothing is connected before it is needed.
    pub fn new(url: &str, topology: Topology) -> Self {
        let state = State { connection: None, publisher: None, rest: FIRST_REST, resting_until: None };
        Self(Arc::new(Inner { url: url.to_owned(), topology, state: Mutex::new(state) }))
    }

    pub fn topology(&self) -> &Topology {
        &self.0.topology
    }

    /// Connects, if there is no connection.
    ///
    /// # Errors
    /// [`Error::Resting`] if it did not go a moment ago.
    pub async fn ready(&self) -> Result<()> {
        self.publisher().await.map(drop)
    }

    /// Gives messages to the exchange. When this returns, the broker has all of them on its disk; if it fails, it may have some.
    pub async fn publish(&self, messages: &[Routed]) -> Result<()> {
        let bodies = messages.iter().map(|routed| serde_json::to_vec(&routed.message)).collect::<Result<Vec<_>, _>>()?;
        let publications = messages.iter().zip(&bodies).map(|(routed, body)| Publication {
            exchange: self.topology().exchange(),
            key: &routed.key,
            id: Some(routed.message.id),
            body,
            headers: FieldTable::default(),
        });
        self.send(publications.collect()).await
    }

    /// The same of anything.
    pub async fn send(&self, publications: Vec<Publication<'_>>) -> Result<()> {
        let publisher = self.publisher().await?;
        let all = async {
            let mut confirms = Vec::new();
            for publication in publications {
                let key = publication.key.to_owned();
                let mut properties = BasicProperties::default()
                    .with_delivery_mode(PERSISTENT)
                    .with_content_type("application/json".into())
                    .with_headers(publication.headers);
                if let Some(id) = publication.id {
                    properties = properties.with_message_id(id.to_string().into());
                }
                // What no queue takes comes back, in the place of being lost.
                let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
                let confirm = publisher
                    .basic_publish(publication.exchange.into(), publication.key.into(), options, publication.body, properties)
                    .await?;
                confirms.push(async {
                    let confirmation = confirm.await?;
                    if confirmation.is_ack() && confirmation.take_message().is_none() { Ok(()) } else { Err(Error::Refused(key)) }
                });
            }
            try_join_all(confirms).await.map(drop)
        };
        timeout(CONFIRM_AT_MOST, all).await.unwrap_or(Err(Error::TimedOut("confirm messages")))
    }

    /// A channel of one's own.
    pub async fn open(&self) -> Result<lapin::Channel> {
        let mut state = self.0.state.lock().await;
        Ok(self.connected(&mut state).await?.create_channel().await?)
    }

    async fn publisher(&self) -> Result<lapin::Channel> {
        let mut state = self.0.state.lock().await;
        if let Some(publisher) = state.publisher.as_ref().filter(|publisher| publisher.status().connected()) {
            return Ok(publisher.clone());
        }
        let publisher = self.connected(&mut state).await?.create_channel().await?;
        publisher.confirm_select(ConfirmSelectOptions::default()).await?;
        state.publisher = Some(publisher.clone());
        Ok(publisher)
    }

    async fn connected<'a>(&self, state: &'a mut State) -> Result<&'a Connection> {
        if !state.connection.as_ref().is_some_and(|connection| connection.status().connected()) {
            if state.resting_until.is_some_and(|until| Instant::now() < until) {
                return Err(Error::Resting);
            }
            let connected = timeout(CONNECT_AT_MOST, self.connect()).await.unwrap_or(Err(Error::TimedOut("answer")));
            match connected {
                Ok(connection) => {
                    state.connection = Some(connection);
                    state.publisher = None;
                    state.rest = FIRST_REST;
                    state.resting_until = None;
                }
                Err(error) => {
                    state.resting_until = Some(Instant::now() + state.rest);
                    state.rest = (state.rest * 2).min(LONGEST_REST);
                    return Err(error);
                }
            }
        }
        state.connection.as_ref().ok_or(Error::Resting)
    }

    async fn connect(&self) -> Result<Connection> {
        let properties = ConnectionProperties::default().with_connection_name("chimera".into());
        let connection = Connection::connect(&self.0.url, properties).await?;
        let channel = connection.create_channel().await?;
        self.0.topology.declare(&channel).await?;
        channel.close(200, "declared".into()).await?;
        Ok(connection)
    }
}
