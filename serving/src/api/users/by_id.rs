//! `GET /api/v1/users/{user_id}` and `PUT /api/v1/users/{user_id}`.

use axum::extract::State;
use uuid::Uuid;

use super::profile::{self, NewProfile, Profile};
use crate::api::access::{Caller, Role};
use crate::api::auth::account;
use crate::api::extract::{Json, Path};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// The profile of an account: one's own, or for administrators anybody's.
#[utoipa::path(get, path = "/api/v1/users/{user_id}", tag = "users", params(("user_id" = Uuid, Path)),
    responses((status = 200, body = Profile), (status = 401, body = ProblemBody),
        (status = 404, description = "not filled in yet, or no such account", body = ProblemBody)))]
pub async fn get_user(State(app): State<App>, caller: Caller, Path(user_id): Path<Uuid>) -> Result<axum::Json<Profile>> {
    check(&app, &caller, user_id).await?;
    let found = profile::find(&app.databases.users, user_id).await?;
    let missing = || Problem::new(&kinds::PROFILE_NOT_FOUND, format!("The profile of the account {user_id} is not filled in yet."));
    found.map(axum::Json).ok_or_else(missing)
}

/// Fills in the profile of an account, or replaces it whole: one's own, or for administrators anybody's.
#[utoipa::path(put, path = "/api/v1/users/{user_id}", tag = "users", params(("user_id" = Uuid, Path)), request_body = NewProfile,
    responses((status = 200, body = Profile), (status = 401, body = ProblemBody),
        (status = 404, description = "no such account", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn put_user(
    State(app): State<App>,
    caller: Caller,
    Path(user_id): Path<Uuid>,
    Json(profile): Json<NewProfile>,
) -> Result<axum::Json<Profile>> {
    check(&app, &caller, user_id).await?;
    Ok(axum::Json(profile::save(&app.databases.users, user_id, &profile).await?))
}

/// # Errors
/// `account-not-found`, for others than administrators also of somebody else's: nobody learns which accounts there are.
async fn check(app: &App, caller: &Caller, user_id: Uuid) -> Result<()> {
    if caller.user_id == Some(user_id) {
        return Ok(());
    }
    if caller.role != Role::Admin {
        return Err(account::not_found(user_id));
    }
    account::shown(&app.auth.pool, user_id).await.map(drop)
}
