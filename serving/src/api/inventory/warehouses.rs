//! `/api/v1/warehouses`: where stock lies.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::api::extract::{Body, Faults, Json, Path};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

/// So few that they are listed whole.
const MAX_WAREHOUSES: i64 = 200;
/// The advisory lock under which they are counted.
const COUNT_LOCK: i64 = 1;

#[derive(Clone, Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Warehouse {
    #[serde(skip)]
    pub id: Uuid,
    /// What it is called by.
    #[schema(example = "MAIN")]
    pub code: String,
    pub name: String,
    pub country: Option<String>,
    /// Nothing comes into one that is not.
    pub is_active: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`Warehouse`].
const COLUMNS: &str = "id, code, name, country, is_active, created_at, updated_at";

#[derive(Serialize, utoipa::ToSchema)]
pub struct Warehouses {
    /// By code.
    pub warehouses: Vec<Warehouse>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWarehouse {
    /// Capital letters, digits and hyphens; it is never changed.
    #[schema(pattern = "^[A-Z0-9][A-Z0-9-]{0,19}$", example = "LEEDS-2")]
    pub code: String,
    #[schema(min_length = 1, max_length = 100, example = "Leeds, second floor")]
    pub name: String,
    #[schema(min_length = 1, max_length = 60, example = "United Kingdom")]
    pub country: String,
}

impl Body for NewWarehouse {
    const MAX_BYTES: usize = 4096;
}

/// A warehouse as it shall be.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WarehouseFields {
    #[schema(min_length = 1, max_length = 100, example = "Leeds, second floor")]
    pub name: String,
    #[schema(min_length = 1, max_length = 60, example = "United Kingdom")]
    pub country: String,
    pub is_active: bool,
}

impl Body for WarehouseFields {
    const MAX_BYTES: usize = 4096;
    const UNKNOWN_FIELD_HELP: Option<&'static str> = Some("The code of a warehouse is never changed.");
}

fn check_names(faults: &mut Faults, name: &str, country: &str) {
    faults.text("name", name, 100);
    faults.text("country", country, 60);
}

/// All warehouses.
#[utoipa::path(get, path = "/api/v1/warehouses", tag = "inventory",
    responses((status = 200, body = Warehouses), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn list_warehouses(State(app): State<App>) -> Result<axum::Json<Warehouses>> {
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM warehouses ORDER BY code LIMIT $1"));
    let warehouses = sqlx::query_as(statement).bind(MAX_WAREHOUSES).fetch_all(&app.databases.inventory).await?;
    Ok(axum::Json(Warehouses { warehouses }))
}

/// Adds a warehouse.
#[utoipa::path(post, path = "/api/v1/warehouses", tag = "inventory", request_body = NewWarehouse,
    responses((status = 201, body = Warehouse), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, description = "the code is taken, or there are 200", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_warehouse(State(app): State<App>, Json(wanted): Json<NewWarehouse>) -> Result<Response> {
    let mut faults = Faults::default();
    faults.unless(is_code(&wanted.code), "code", "a code is 1 to 20 capital letters, digits and hyphens, and does not begin with a hyphen");
    check_names(&mut faults, &wanted.name, &wanted.country);
    faults.check()?;
    let mut transaction = begin(&app.databases.inventory).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(COUNT_LOCK).execute(&mut *transaction).await?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM warehouses").fetch_one(&mut *transaction).await?;
    if known >= MAX_WAREHOUSES {
        return Err(Problem::new(&kinds::TOO_MANY_WAREHOUSES, format!("There are {MAX_WAREHOUSES} warehouses.")));
    }
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO warehouses (id, code, name, country) VALUES ($1, $2, $3, $4) ON CONFLICT (code) DO NOTHING RETURNING {COLUMNS}"
    ));
    let saved: Option<Warehouse> = sqlx::query_as(statement)
        .bind(Uuid::now_v7())
        .bind(&wanted.code)
        .bind(wanted.name.trim())
        .bind(wanted.country.trim())
        .fetch_optional(&mut *transaction)
        .await?;
    let saved = saved.ok_or_else(|| Problem::new(&kinds::WAREHOUSE_TAKEN, format!("There is a warehouse {} already.", wanted.code)))?;
    transaction.commit().await?;
    let location = HeaderValue::try_from(format!("/api/v1/warehouses/{}", saved.code)).map_err(Problem::internal)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(saved)).into_response())
}

/// Changes a warehouse. One that is switched off takes nothing in; what it holds can still be taken out.
#[utoipa::path(put, path = "/api/v1/warehouses/{code}", tag = "inventory", params(("code" = String, Path)), request_body = WarehouseFields,
    responses((status = 200, body = Warehouse), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn put_warehouse(
    State(app): State<App>,
    Path(code): Path<String>,
    Json(wanted): Json<WarehouseFields>,
) -> Result<axum::Json<Warehouse>> {
    let mut faults = Faults::default();
    check_names(&mut faults, &wanted.name, &wanted.country);
    faults.check()?;
    if !is_code(&code) {
        return Err(not_found(&code));
    }
    let statement = sqlx::AssertSqlSafe(format!(
        "UPDATE warehouses SET name = $2, country = $3, is_active = $4, updated_at = now() WHERE code = $1 RETURNING {COLUMNS}"
    ));
    let saved: Option<Warehouse> = sqlx::query_as(statement)
        .bind(&code)
        .bind(wanted.name.trim())
        .bind(wanted.country.trim())
        .bind(wanted.is_active)
        .fetch_optional(&app.databases.inventory)
        .await?;
    saved.map(axum::Json).ok_or_else(|| not_found(&code))
}

/// The warehouse of a booking. Until its transaction ends, nobody changes it.
pub async fn find(connection: &mut PgConnection, code: &str) -> Result<Warehouse> {
    if !is_code(code) {
        return Err(not_found(code));
    }
    let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM warehouses WHERE code = $1 FOR SHARE"));
    let found: Option<Warehouse> = sqlx::query_as(statement).bind(code).fetch_optional(connection).await?;
    found.ok_or_else(|| not_found(code))
}

impl Warehouse {
    /// Refuses to take something in if it is switched off.
    pub fn check_open(&self) -> Result<()> {
        if self.is_active {
            return Ok(());
        }
        Err(Problem::new(&kinds::WAREHOUSE_CLOSED, format!("The warehouse {} is not active.", self.code)))
    }
}

fn is_code(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (1..=20).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(|byte| is_letter(byte) || byte == b'-')
}

fn not_found(code: &str) -> Problem {
    let shown: String = code.escape_debug().take(40).collect();
    Problem::new(&kinds::WAREHOUSE_NOT_FOUND, format!("There is no warehouse `{shown}`."))
}
