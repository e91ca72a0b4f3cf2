//! `GET /api/v1/users/me/export`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::address::{self, Address};
use super::profile::{self, Profile};
use crate::api::access;
use crate::api::auth::account::{self, Account};
use crate::api::auth::api_keys::{self, ApiKey};
use crate::api::auth::sessions::{self, Session};
use crate::api::carts;
use crate::api::notifications::deliveries::{self, Letter};
use crate::api::orders::person;
use crate::api::orders::shown::Order;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// What is kept about a person, but for hashes and seeds, and sessions that are over.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Export {
    pub exported_at: DateTime<Utc>,
    pub account: Account,
    pub profile: Option<Profile>,
    pub addresses: Vec<Address>,
    pub cart: Option<carts::Contents>,
    /// Newest first.
    pub orders: Vec<Order>,
    /// Where the account is logged in.
    pub sessions: Vec<Session>,
    pub api_keys: Vec<ApiKey>,
    /// To the account's address, of the last 90 days. Those about orders only once it is verified: they may be another person's.
    pub letters: Vec<Letter>,
}

/// What is kept about oneself, as a file.
#[utoipa::path(get, path = "/api/v1/users/me/export", tag = "users", responses((status = 200, body = Export), (status = 401, body = ProblemBody)))]
pub async fn export_me(State(app): State<App>, session: access::Session) -> Result<Response> {
    let user_id = session.user_id;
    let auth = &app.auth.pool;
    let account = account::shown(auth, user_id).await?;
    let letters = deliveries::letters(&app.databases.notifications, &account.email, account.email_verified_at.is_some()).await?;
    let export = Export {
        exported_at: Utc::now(),
        account,
        profile: profile::find(&app.databases.users, user_id).await?,
        addresses: address::list(&app.databases.users, user_id).await?,
        cart: carts::contents(&app, &carts::Owner::User(user_id)).await?,
        orders: person::orders(&app, user_id).await?,
        sessions: sessions::list(auth, user_id).await?,
        api_keys: api_keys::list(auth, user_id).await?,
        letters,
    };
    let headers = [(header::CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, axum::Json(export)).into_response())
}
