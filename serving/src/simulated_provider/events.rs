//! Telling the shop, again and again until it says that it knows.

use std::time::Duration;

use chrono::Utc;
use reqwest::Client;
use uuid::Uuid;

use super::{SimulatedProvider, books};
use crate::api::payments::events::SIGNATURE;
use crate::api::payments::signature::sign;

const EVERY: Duration = Duration::from_millis(200);
const GIVEN_UP_AFTER: i32 = 20;

/// Settles what is pending and tells what is due, for ever.
pub async fn tell(provider: SimulatedProvider) {
    let client = Client::builder().timeout(Duration::from_secs(5)).redirect(reqwest::redirect::Policy::none()).build().unwrap_or_default();
    loop {
        let settled = books::settle(&provider.pool).await;
        let told = tell_due(&provider, &client).await;
        match settled.and(told) {
            Ok(count) if count > 0 => {}
            Ok(_) => tokio::time::sleep(EVERY).await,
            Err(error) => {
                tracing::debug!(%error, "the simulated payment provider cannot read its books");
                tokio::time::sleep(EVERY * 5).await;
            }
        }
    }
}

/// Returns how many the shop has taken.
async fn tell_due(provider: &SimulatedProvider, client: &Client) -> sqlx::Result<usize> {
    let due: Vec<(Uuid, i32, String, i32)> =
        sqlx::query_as("SELECT id, delivery, body, attempts FROM events WHERE due_at <= now() ORDER BY due_at LIMIT 32")
            .fetch_all(&provider.pool)
            .await?;
    let sent = due.into_iter().map(|(id, delivery, body, attempts)| async move {
        let signature = sign(&provider.secret, body.as_bytes(), Utc::now().timestamp());
        let answer = client.post(&provider.events_url).header(SIGNATURE, signature).body(body).send().await;
        let is_done = answer.is_ok_and(|answer| answer.status().is_success()) || attempts >= GIVEN_UP_AFTER;
        let statement = if is_done {
            "DELETE FROM events WHERE id = $1 AND delivery = $2"
        } else {
            "UPDATE events SET attempts = attempts + 1, due_at = now() + least(2 ^ attempts, 60) * interval '250 milliseconds'
             WHERE id = $1 AND delivery = $2"
        };
        sqlx::query(statement).bind(id).bind(delivery).execute(&provider.pool).await.map(|_| usize::from(is_done))
    });
    futures::future::try_join_all(sent).await.map(|done| done.into_iter().sum())
}
