//! Transactions that lose against others are tried again.

use std::future::Future;
use std::time::Duration;

use rand::Rng;

use crate::api::problem::{Problem, Result, kinds};

/// How often a transaction that lost against another one is tried.
const ATTEMPTS: u32 = 6;

/// Why a transaction came to nothing.
pub enum Failure {
    /// Against another transaction; the next attempt may do.
    Lost(sqlx::Error),
    Final(Problem),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|cause| cause.code()).unwrap_or_default().into_owned();
        match code.as_str() {
            // serialization_failure, deadlock_detected, lock_not_available
            "40001" | "40P01" | "55P03" => Self::Lost(error),
            // A number that another order has.
            "23505" => Self::Lost(error),
            // undefined_table
            "42P01" => Self::Final(
                Problem::new(&kinds::STORE_NOT_READY, "The stock levels are not there yet: the `inventory` pipeline has not made them.")
                    .retry_after(2),
            ),
            _ if matches!(error, sqlx::Error::RowNotFound) => Self::Lost(error),
            _ => Self::Final(error.into()),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Final(problem)
    }
}

/// Runs a transaction until it is decided. Each attempt is a whole one.
pub async fn retried<T, F: Future<Output = Result<T, Failure>>>(attempt: impl Fn() -> F) -> Result<T> {
    let mut tried = 1;
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Failure::Lost(error)) if tried < ATTEMPTS => {
                tracing::debug!(%error, tried, "an order's transaction is tried again");
                let pause_ms = rand::rng().random_range(1..=5_u64 << tried);
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                tried += 1;
            }
            Err(Failure::Lost(error)) => {
                return Err(Problem::new(&kinds::BUSY, format!("The order lost against others {ATTEMPTS} times ({error}).")).retry_after(1));
            }
            Err(Failure::Final(problem)) => return Err(problem),
        }
    }
}
