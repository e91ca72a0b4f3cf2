//! `/api/v1/users/me/addresses`.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::address::{self, Address, AddressType, COLUMNS, NewAddress};
use crate::api::access::Caller;
use crate::api::extract::{Json, Path};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

const MAX_ADDRESSES: i64 = 50;

#[derive(Serialize, utoipa::ToSchema)]
pub struct Addresses {
    /// By type, the default first.
    pub addresses: Vec<Address>,
}

/// One's addresses.
#[utoipa::path(get, path = "/api/v1/users/me/addresses", tag = "users",
    responses((status = 200, body = Addresses), (status = 401, body = ProblemBody)))]
pub async fn list_addresses(State(app): State<App>, caller: Caller) -> Result<axum::Json<Addresses>> {
    Ok(axum::Json(Addresses { addresses: address::list(&app.databases.users, caller.user_id()?).await? }))
}

/// Adds an address. The first of its type is the default; one that is made the default takes that from the other.
#[utoipa::path(post, path = "/api/v1/users/me/addresses", tag = "users", request_body = NewAddress,
    responses((status = 201, body = Address), (status = 401, body = ProblemBody), (status = 409, description = "there are 50", body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn create_address(State(app): State<App>, caller: Caller, Json(wanted): Json<NewAddress>) -> Result<Response> {
    wanted.check()?;
    let user_id = caller.user_id()?;
    let mut transaction = begin(&app.databases.users).await?;
    lock(&mut transaction, user_id).await?;
    let known: i64 =
        sqlx::query_scalar("SELECT count(*) FROM user_addresses WHERE user_id = $1").bind(user_id).fetch_one(&mut *transaction).await?;
    if known >= MAX_ADDRESSES {
        return Err(Problem::new(&kinds::TOO_MANY_ADDRESSES, format!("There are {MAX_ADDRESSES} addresses; remove one first.")));
    }
    let saved = save(&mut transaction, user_id, Uuid::now_v7(), &wanted).await?;
    transaction.commit().await?;
    let location = HeaderValue::try_from(format!("/api/v1/users/me/addresses/{}", saved.id)).map_err(Problem::internal)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(saved)).into_response())
}

/// Replaces one of one's addresses.
#[utoipa::path(put, path = "/api/v1/users/me/addresses/{id}", tag = "users", params(("id" = Uuid, Path)), request_body = NewAddress,
    responses((status = 200, body = Address), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn put_address(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(wanted): Json<NewAddress>,
) -> Result<axum::Json<Address>> {
    wanted.check()?;
    let user_id = caller.user_id()?;
    let mut transaction = begin(&app.databases.users).await?;
    lock(&mut transaction, user_id).await?;
    let was = take_out(&mut transaction, user_id, id).await?;
    let keeps_default = was.is_default && was.address_type == wanted.address_type;
    let mut saved = save(&mut transaction, user_id, id, &NewAddress { is_default: wanted.is_default || keeps_default, ..wanted }).await?;
    if was.address_type != saved.address_type {
        appoint(&mut transaction, user_id, was.address_type).await?;
    }
    sqlx::query("UPDATE user_addresses SET created_at = $2 WHERE id = $1").bind(id).bind(was.created_at).execute(&mut *transaction).await?;
    saved.created_at = was.created_at;
    transaction.commit().await?;
    Ok(axum::Json(saved))
}

/// Removes one of one's addresses. If it was the default, the newest other one of its type becomes it.
#[utoipa::path(delete, path = "/api/v1/users/me/addresses/{id}", tag = "users", params(("id" = Uuid, Path)),
    responses((status = 204, description = "removed"), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn delete_address(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<StatusCode> {
    let user_id = caller.user_id()?;
    let mut transaction = begin(&app.databases.users).await?;
    lock(&mut transaction, user_id).await?;
    let was = take_out(&mut transaction, user_id, id).await?;
    appoint(&mut transaction, user_id, was.address_type).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Two changes of one person's addresses come one after the other.
async fn lock(connection: &mut PgConnection, user_id: Uuid) -> Result<()> {
    let (_, number) = user_id.as_u64_pair();
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(number.cast_signed()).execute(connection).await?;
    Ok(())
}

async fn take_out(connection: &mut PgConnection, user_id: Uuid, id: Uuid) -> Result<Address> {
    let statement = sqlx::AssertSqlSafe(format!("DELETE FROM user_addresses WHERE id = $1 AND user_id = $2 RETURNING {COLUMNS}"));
    let was: Option<Address> = sqlx::query_as(statement).bind(id).bind(user_id).fetch_optional(connection).await?;
    was.ok_or_else(|| Problem::new(&kinds::ADDRESS_NOT_FOUND, format!("You have no address {id}.")))
}

async fn save(connection: &mut PgConnection, user_id: Uuid, id: Uuid, wanted: &NewAddress) -> Result<Address> {
    if wanted.is_default {
        sqlx::query(
            "UPDATE user_addresses SET is_default = false, updated_at = now() WHERE user_id = $1 AND address_type = $2 AND is_default",
        )
        .bind(user_id)
        .bind(wanted.address_type.name())
        .execute(&mut *connection)
        .await?;
    }
    let optional = |text: &Option<String>| text.as_deref().map(str::trim).map(str::to_owned);
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO user_addresses (id, user_id, address_type, recipient, address_line_1, address_line_2, city, state_province, postal_code,
             country, is_default)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
             NOT EXISTS (SELECT FROM user_addresses WHERE user_id = $2 AND address_type = $3 AND is_default))
         RETURNING {COLUMNS}"
    ));
    let saved = sqlx::query_as(statement)
        .bind(id)
        .bind(user_id)
        .bind(wanted.address_type.name())
        .bind(wanted.recipient.trim())
        .bind(wanted.address_line_1.trim())
        .bind(optional(&wanted.address_line_2))
        .bind(wanted.city.trim())
        .bind(optional(&wanted.state_province))
        .bind(wanted.postal_code.trim())
        .bind(wanted.country.trim())
        .fetch_one(connection)
        .await?;
    Ok(saved)
}

/// Makes the newest address of a type the default, if there is none.
async fn appoint(connection: &mut PgConnection, user_id: Uuid, of: AddressType) -> Result<()> {
    sqlx::query(
        "UPDATE user_addresses SET is_default = true, updated_at = now() WHERE id = (
             SELECT id FROM user_addresses AS newest WHERE user_id = $1 AND address_type = $2
             AND NOT EXISTS (SELECT FROM user_addresses WHERE user_id = $1 AND address_type = $2 AND is_default)
             ORDER BY created_at DESC, id DESC LIMIT 1)",
    )
    .bind(user_id)
    .bind(of.name())
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes what is known of a person here.
pub async fn erase(pool: &PgPool, user_id: Uuid) -> Result<()> {
    let mut transaction = begin(pool).await?;
    sqlx::query("DELETE FROM user_addresses WHERE user_id = $1").bind(user_id).execute(&mut *transaction).await?;
    sqlx::query("DELETE FROM users WHERE id = $1").bind(user_id).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}
