//! Messages to people, written in the transaction of what they tell of.

use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::email::Email;
use crate::api::problem::{Problem, Result};

/// What a message is about: also the last part of the key that it is routed by, and the name of its template.
#[derive(Clone, Copy, Debug)]
pub enum Topic {
    VerifyEmail,
    ResetPassword,
    PasswordChanged,
    SecondFactorChanged,
}

impl Topic {
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "account.verify_email",
            Self::ResetPassword => "account.reset_password",
            Self::PasswordChanged => "account.password_changed",
            Self::SecondFactorChanged => "account.second_factor_changed",
        }
    }
}

pub async fn write(connection: &mut PgConnection, topic: Topic, email: &Email, data: impl Serialize) -> Result<()> {
    let data: Value = serde_json::to_value(data).map_err(Problem::internal)?;
    sqlx::query("INSERT INTO outbox (message_id, topic, email, data) VALUES ($1, $2, $3, $4)")
        .bind(Uuid::now_v7())
        .bind(topic.name())
        .bind(email.as_str())
        .bind(data)
        .execute(connection)
        .await?;
    Ok(())
}
