//! Calling a webhook: a POST of JSON, signed as what payment providers send is, so that its receiver knows who sends it, and when.

use std::error::Error as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderName;
use reqwest::{StatusCode, Url, redirect};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::target::{self, NotPublic, PublicOnly};
use super::webhook::{Webhook, sealed_as};
use crate::api::auth::Vault;
use crate::api::notifications::{Failure, Message};
use crate::api::payments::signature;

const CONNECT_AT_MOST: Duration = Duration::from_secs(5);
const ANSWER_AT_MOST: Duration = Duration::from_secs(15);
pub const SIGNATURE: HeaderName = HeaderName::from_static("chimera-signature");

/// What is sent.
#[derive(Serialize)]
struct Event<'a> {
    /// The same when it is sent again.
    id: Uuid,
    event: &'a str,
    occurred_at: DateTime<Utc>,
    data: &'a Value,
}

pub struct Client {
    http: reqwest::Client,
    /// Whether those may be called that only this machine, or its network, reaches.
    pub private_too: bool,
}

impl Client {
    pub fn new(private_too: bool) -> reqwest::Result<Self> {
        // No redirects: they would lead past the check. No proxy: it would look the names up in our place.
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_AT_MOST)
            .timeout(ANSWER_AT_MOST)
            .user_agent("chimera-webhooks/1");
        let http = if private_too { http } else { http.dns_resolver(PublicOnly) };
        Ok(Self { http: http.build()?, private_too })
    }

    /// An answer of 200 to 299 takes the message. 410 says that it is not wanted any more; all others, and none, that it may come again.
    pub async fn call(&self, vault: &Vault, webhook: &Webhook, message: &Message) -> Result<(), Failure> {
        let permanent = |error: &dyn std::fmt::Display| Failure::Permanent(error.to_string());
        let url = Url::parse(&webhook.url).map_err(|error| permanent(&error))?;
        // What was taken when private addresses were allowed is not called once they are not.
        target::check(&url, self.private_too).map_err(|error| permanent(&error))?;
        let secret = vault.open(&sealed_as(webhook.id), &webhook.secret);
        let secret = secret.map_err(|_| Failure::Permanent("its secret was sealed with another key than this server's".to_owned()))?;
        let secret = String::from_utf8(secret).map_err(|error| permanent(&error))?;
        let event = Event { id: message.id, event: &message.topic, occurred_at: message.created_at, data: &message.data };
        let body = serde_json::to_vec(&event).map_err(|error| permanent(&error))?;
        let signed = signature::sign(&secret, &body, Utc::now().timestamp());
        let request = self.http.post(url).header(SIGNATURE, signed).header("content-type", "application/json").body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) if answer.status() == StatusCode::GONE => Err(Failure::Unwanted(format!("it answers {}", answer.status()))),
            Ok(answer) => Err(Failure::Temporary(format!("it answers {}", answer.status()))),
            Err(error) => Err(failure(&error)),
        }
    }
}

fn failure(error: &reqwest::Error) -> Failure {
    let causes = || std::iter::successors(error.source(), |&cause| cause.source());
    match causes().find_map(|cause| cause.downcast_ref::<NotPublic>()) {
        Some(not_public) => Failure::Permanent(not_public.to_string()),
        None => Failure::Temporary(causes().last().map_or_else(|| error.to_string(), ToString::to_string)),
    }
}
