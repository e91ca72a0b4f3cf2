//! Telling the shop, again and again until it says that it knows.

use std::time::Duration;

use chrono::Utc;
use futures::StreamExt;
use reqwest::Client;
use uuid::Uuid;

use super::{SimulatedProvider, books};
use crate::api::payments::events::SIGNATURE;
use crate::api::payments::signature::sign;

const EVERY: Duration = Duration::from_millis(100);
/// Told in one round, and at once of them.
const AT_MOST: i64 = 64;
const AT_ONCE: usize = 16;
const GIVEN_UP_AFTER: i32 = 20;

/// Settles what is pending and tells what is due, for ever.
pub async fn tell(provider: SimulatedProvider) {
    let client = Client::builder().timeout(Duration::from_secs(5)).redirect(reqwest::redirect::Policy::none()).build().unwrap_or_default();
    loop {
        let settled = books::settle(&provider.pool).await;
        let told = tell_due(&provider, &client).await;
        match settled.and(told) {
            Ok(()) => tokio::time::sleep(EVERY).await,
            Err(error) => {
                tracing::debug!(%error, "the simulated payment provider cannot read its books");
                tokio::time::sleep(EVERY * 5).await;
            }
        }
    }
}

async fn tell_due(provider: &SimulatedProvider, client: &Client) -> sqlx::Result<()> {
    let due: Vec<(Uuid, i32, String, i32)> =
        sqlx::query_as("SELECT id, delivery, body, attempts FROM events WHERE due_at <= now() ORDER BY due_at LIMIT $1")
            .bind(AT_MOST)
            .fetch_all(&provider.pool)
            .await?;
    if due.is_empty() {
        return Ok(());
    }
    let told = due.into_iter().map(|(id, delivery, body, attempts)| async move {
        let signature = sign(&provider.secret, body.as_bytes(), Utc::now().timestamp());
        let answer = client.post(&provider.events_url).header(SIGNATURE, signature).body(body).send().await;
        let is_over = answer.is_ok_and(|answer| answer.status().is_success()) || attempts >= GIVEN_UP_AFTER;
        (is_over, (id, delivery))
    });
    let told: Vec<(bool, (Uuid, i32))> = futures::stream::iter(told).buffer_unordered(AT_ONCE).collect().await;
    for (is_over, statement) in [
        (true, "DELETE FROM events WHERE (id, delivery) IN (SELECT * FROM unnest($1::uuid[], $2::int[]))"),
        (
            false,
            "UPDATE events SET attempts = attempts + 1, due_at = now() + least(2 ^ attempts, 60) * interval '250 milliseconds'
             WHERE (id, delivery) IN (SELECT * FROM unnest($1::uuid[], $2::int[]))",
        ),
    ] {
        let (ids, deliveries): (Vec<Uuid>, Vec<i32>) = told.iter().filter(|(over, _)| *over == is_over).map(|(_, event)| *event).unzip();
        if !ids.is_empty() {
            sqlx::query(statement).bind(ids).bind(deliveries).execute(&provider.pool).await?;
        }
    }
    Ok(())
}
