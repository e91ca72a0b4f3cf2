//! `POST /api/v1/auth/register`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::email::Email;
use super::one_time::{self, Purpose};
use super::outbox::{self, Topic};
use super::sessions::{self, Standing, TokenPair};
use super::{log_in, passwords};
use crate::api::access::Role;
use crate::api::carts;
use crate::api::extract::{Body, Json, invalid};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    #[schema(max_length = 254, example = "ada@example.com")]
    pub email: String,
    #[schema(min_length = 10, max_length = 128, example = "correct horse battery")]
    pub password: String,
}

impl Body for Registration {
    const MAX_BYTES: usize = 4096;
    const UNKNOWN_FIELD_HELP: Option<&'static str> = Some("Names and addresses belong to the profile; roles are given by administrators.");
}

/// Opens an account and logs it in. A message with a token for POST /api/v1/auth/verify-email goes to the address. What is in the cart
/// of a guest goes into the account's.
#[utoipa::path(post, path = "/api/v1/auth/register", tag = "auth", request_body = Registration,
    params(("chimera-cart" = Option<String>, Header, description = "of a guest: the cart to take along")),
    responses((status = 201, description = "the account is open, and logged in", body = TokenPair),
        (status = 409, description = "the address has an account", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn register(State(app): State<App>, headers: HeaderMap, Json(wanted): Json<Registration>) -> Result<Response> {
    let email = Email::parse(&wanted.email).map_err(|why| invalid("email", why))?;
    if let Some(fault) = passwords::fault(&wanted.password, email.as_str()) {
        return Err(invalid("password", fault));
    }
    let auth = &app.auth;
    let password_hash = auth.passwords.hash(wanted.password).await?;
    let mut transaction = begin(&auth.pool).await?;
    let user_id = Uuid::now_v7();
    let inserted = sqlx::query(
        "INSERT INTO credentials (user_id, email, password_hash, last_login_at) VALUES ($1, $2, $3, now()) ON CONFLICT DO NOTHING",
    )
    .bind(user_id)
    .bind(email.as_str())
    .bind(password_hash)
    .execute(&mut *transaction)
    .await?;
    if inserted.rows_affected() == 0 {
        return Err(Problem::new(&kinds::EMAIL_TAKEN, format!("{email} has an account here already.")));
    }
    let token = one_time::make(&mut transaction, user_id, &email, Purpose::VerifyEmail).await?;
    outbox::write(&mut transaction, Topic::VerifyEmail, &email, serde_json::json!({ "token": token.reveal() })).await?;
    let (session_id, refresh) = sessions::insert(&mut transaction, user_id, log_in::user_agent(&headers)).await?;
    transaction.commit().await?;
    let tokens = sessions::finish(auth, session_id, Standing { user_id, role: Role::Shopper }, refresh).await?;
    carts::merge::take_along(&app, &headers, user_id).await;
    Ok((StatusCode::CREATED, log_in::NOT_STORED, axum::Json(tokens)).into_response())
}
