//! `DELETE /api/v1/users/me`.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::addresses;
use crate::api::access::Session;
use crate::api::auth::account;
use crate::api::carts;
use crate::api::extract::{Body, Json};
use crate::api::notifications::deliveries;
use crate::api::orders;
use crate::api::pricing;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// Of the account: a device that was left open is not enough.
    #[schema(max_length = 128)]
    pub password: String,
}

impl Body for Erasure {
    const MAX_BYTES: usize = 4096;
}

/// Removes one's profile, addresses, cart and account for good, and ends all sessions. Orders stay, with where they went, as the record of a
/// sale; from those that are over the e-mail goes. An order that is on its way keeps it, and so does one whose buyer waits for money or for the
/// answer to a return: they are still written to.
#[utoipa::path(delete, path = "/api/v1/users/me", tag = "users", request_body = Erasure,
    responses((status = 204, description = "removed"), (status = 401, description = "the password is wrong", body = ProblemBody),
        (status = 429, body = ProblemBody)))]
pub async fn erase_me(State(app): State<App>, session: Session, Json(given): Json<Erasure>) -> Result<StatusCode> {
    let account = account::check_password(&app.auth, session.user_id, given.password, None).await?;
    // The account after the rest: if this breaks off, its owner can come back and do it again. And the rest once more: what another of
    // one's requests wrote meanwhile.
    erase_belongings(&app, session.user_id).await?;
    account::erase(&app.auth, session.user_id).await?;
    erase_belongings(&app, session.user_id).await?;
    deliveries::forget(&app.databases.notifications, &account.email).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn erase_belongings(app: &App, user_id: Uuid) -> Result<()> {
    addresses::erase(&app.databases.users, user_id).await?;
    carts::erase::erase(app, user_id).await?;
    orders::person::forget_email(app, user_id).await?;
    pricing::forget_user(app, user_id).await
}
