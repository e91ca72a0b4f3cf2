//! Of `notifications`.

use reqwest::Method;
use uuid::Uuid;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Messages that were sent, or were not, to whom and why; what they said is not kept.
    ///
    /// `GET /api/v1/notifications`
    pub async fn list_notifications(&self, query: &ListNotificationsQuery) -> Result<Answer<Deliveries>> {
        self.call(Method::GET, &["api", "v1", "notifications"]).query(query.pairs()).typed().await
    }

    /// Takes messages out of the queue of the dead and has them sent, as if they had not failed.
    ///
    /// `POST /api/v1/notifications/replay`
    pub async fn replay_notifications(&self, body: &Replay) -> Result<Answer<Replayed>> {
        self.call(Method::POST, &["api", "v1", "notifications", "replay"]).json(body).typed().await
    }

    /// All webhooks.
    ///
    /// `GET /api/v1/webhooks`
    pub async fn list_webhooks(&self) -> Result<Answer<Webhooks>> {
        self.call(Method::GET, &["api", "v1", "webhooks"]).typed().await
    }

    /// Has a program told of orders: each event is a POST to its URL, with the header `chimera-signature: t=<seconds>,v1=<hex of HMAC-SHA-256 over
    /// "<t>.<body>">`. One that is not taken (any answer but 2xx) comes again, under the same `id`.
    ///
    /// `POST /api/v1/webhooks`
    pub async fn create_webhook(&self, body: &WebhookFields) -> Result<Answer<NewWebhook>> {
        self.call(Method::POST, &["api", "v1", "webhooks"]).json(body).typed().await
    }

    /// One webhook.
    ///
    /// `GET /api/v1/webhooks/{id}`
    pub async fn get_webhook(&self, id: Uuid) -> Result<Answer<Webhook>> {
        self.call(Method::GET, &["api", "v1", "webhooks", &id.to_string()]).typed().await
    }

    /// Changes a webhook; its secret stays. Messages that wait to be sent go where it leads then.
    ///
    /// `PUT /api/v1/webhooks/{id}`
    pub async fn put_webhook(&self, id: Uuid, body: &WebhookFields) -> Result<Answer<Webhook>> {
        self.call(Method::PUT, &["api", "v1", "webhooks", &id.to_string()]).json(body).typed().await
    }

    /// Removes a webhook. Messages that wait to be sent there are dropped.
    ///
    /// `DELETE /api/v1/webhooks/{id}`
    pub async fn delete_webhook(&self, id: Uuid) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "webhooks", &id.to_string()]).empty().await
    }
}
