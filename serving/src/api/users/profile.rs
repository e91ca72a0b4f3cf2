//! `GET /api/v1/users/me` and `PUT /api/v1/users/me`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use crate::api::access::Caller;
use crate::api::extract::{Body, Faults, Json};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Profile {
    #[sqlx(rename = "id")]
    pub user_id: Uuid,
    pub first_name: String,
    pub last_name: String,
    pub phone_number: Option<String>,
    #[schema(example = "EUR")]
    pub preferred_currency: String,
    pub marketing_opt_in: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A whole profile: what is left out is as if it had never been said.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProfile {
    #[schema(min_length = 1, max_length = 100, example = "Ada")]
    pub first_name: String,
    #[schema(min_length = 1, max_length = 100, example = "Lovelace")]
    pub last_name: String,
    #[schema(max_length = 20, example = "+44 20 7946 0000")]
    pub phone_number: Option<String>,
    /// By ISO 4217; USD if not given.
    #[schema(min_length = 3, max_length = 3, example = "EUR")]
    pub preferred_currency: Option<String>,
    #[serde(default)]
    pub marketing_opt_in: bool,
}

impl Body for NewProfile {
    const MAX_BYTES: usize = 4096;
    const UNKNOWN_FIELD_HELP: Option<&'static str> = Some("The address of e-mail and the role belong to the account.");
}

const COLUMNS: &str = "id, first_name, last_name, phone_number, preferred_currency, marketing_opt_in, created_at, updated_at";

impl NewProfile {
    fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.text("first_name", &self.first_name, 100);
        faults.text("last_name", &self.last_name, 100);
        if let Some(number) = &self.phone_number {
            let digits = number.chars().filter(char::is_ascii_digit).count();
            let is_number = number.len() <= 20 && digits >= 3 && number.chars().all(|c| c.is_ascii_digit() || "+-() ./".contains(c));
            faults.unless(
                is_number,
                "phone_number",
                "a telephone number has digits, and +, -, (, ), ., / and spaces, 20 characters at most",
            );
        }
        if let Some(currency) = &self.preferred_currency {
            let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
            faults.unless(is_code, "preferred_currency", "a currency is three capital letters, as in EUR");
        }
        faults.check()
    }
}

/// The profile of an account, if it has one.
pub async fn find(pool: &PgPool, user_id: Uuid) -> Result<Option<Profile>> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM users WHERE id = $1"));
    Ok(sqlx::query_as(statement).bind(user_id).fetch_optional(pool).await?)
}

/// One's profile.
#[utoipa::path(get, path = "/api/v1/users/me", tag = "users",
    responses((status = 200, body = Profile), (status = 401, body = ProblemBody), (status = 404, description = "not filled in yet", body = ProblemBody)))]
pub async fn get_profile(State(app): State<App>, caller: Caller) -> Result<axum::Json<Profile>> {
    let profile = find(&app.databases.users, caller.user_id()?).await?;
    profile.map(axum::Json).ok_or_else(|| Problem::new(&kinds::PROFILE_NOT_FOUND, "You have not filled in a profile yet."))
}

/// Fills in one's profile, or replaces it whole.
#[utoipa::path(put, path = "/api/v1/users/me", tag = "users", request_body = NewProfile,
    responses((status = 200, body = Profile), (status = 401, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn put_profile(State(app): State<App>, caller: Caller, Json(profile): Json<NewProfile>) -> Result<axum::Json<Profile>> {
    Ok(axum::Json(save(&app.databases.users, caller.user_id()?, &profile).await?))
}

/// Fills in the profile of an account, or replaces it whole.
pub async fn save(pool: &PgPool, user_id: Uuid, profile: &NewProfile) -> Result<Profile> {
    profile.check()?;
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO users (id, first_name, last_name, phone_number, preferred_currency, marketing_opt_in) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET first_name = excluded.first_name, last_name = excluded.last_name, phone_number = excluded.phone_number,
             preferred_currency = excluded.preferred_currency, marketing_opt_in = excluded.marketing_opt_in, updated_at = now()
         RETURNING {COLUMNS}"
    ));
    let saved = sqlx::query_as(statement)
        .bind(user_id)
        .bind(profile.first_name.trim())
        .bind(profile.last_name.trim())
        .bind(profile.phone_number.as_deref().map(str::trim))
        .bind(profile.preferred_currency.as_deref().unwrap_or("USD"))
        .bind(profile.marketing_opt_in)
        .fetch_one(pool)
        .await?;
    Ok(saved)
}
