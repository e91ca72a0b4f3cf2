//! Messages to people about their accounts, written in the transaction of what they tell of. They hold tokens: they go by e-mail, and nowhere else.

use serde::Serialize;
use sqlx::PgConnection;

use super::email::Email;
use crate::api::notifications::Channel;
use crate::api::outbox;
use crate::api::problem::Result;
use crate::api::state::App;

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
    outbox::write(connection, topic.name(), Some(email.as_str()), data).await
}

pub async fn relay(app: &App) -> Result<()> {
    outbox::relay(app.notifications.as_ref(), &app.auth.pool, &[Channel::Email]).await
}
