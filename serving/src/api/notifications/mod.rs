//! Messages to people, by e-mail, and to programs, by webhook.
//!
//! A service writes what it has to tell into its outbox ([`super::outbox`]); from there it goes through RabbitMQ ([`topology`]) to a worker, which
//! sends it. What was sent is written down under the message's id, so that a message that comes twice is sent once ([`deliveries`]); what fails
//! is tried again, later each time, and in the end put aside, where administrators find it ([`replay`]).

pub mod broker;
pub mod deliveries;
pub mod list;
pub mod mail;
pub mod message;
pub mod replay;
pub mod templates;
pub mod topology;
pub mod webhooks;
pub mod worker;

use super::state::App;

pub use broker::Broker;
pub use mail::Mailer;
pub use message::{Channel, Message, Routed};
pub use topology::Topology;

/// What messages are sent with.
pub struct Notifications {
    pub broker: Broker,
    pub mailer: Mailer,
    pub webhooks: webhooks::Client,
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may go later.
    #[error("{0}")]
    Temporary(String),
    /// It never will, as it is.
    #[error("{0}")]
    Permanent(String),
    /// Whoever wanted it does not any more.
    #[error("{0}")]
    Unwanted(String),
}

/// Whether webhooks may lead into the shop's own network.
fn private_too(app: &App) -> bool {
    app.notifications.as_ref().is_some_and(|notifications| notifications.webhooks.private_too)
}
