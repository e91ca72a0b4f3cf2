//! `POST /api/v1/flags`.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::check::{KEY_RULE, is_key};
use super::definition::Definition;
use super::store::{self, Action, COLUMNS, FlagRecord};
use crate::api::access::Caller;
use crate::api::extract::{Body, Json, etag, invalid};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// Clients evaluate all of them at once.
const MAX_FLAGS: i64 = 500;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFlag {
    #[schema(min_length = 1, max_length = 100, pattern = "^[a-z0-9][a-z0-9._-]*$", example = "new-checkout")]
    pub key: String,
    pub definition: Definition,
}

impl Body for NewFlag {
    const MAX_BYTES: usize = Definition::MAX_BYTES;
}

/// Makes a flag.
#[utoipa::path(post, path = "/api/v1/flags", tag = "flags", request_body = NewFlag,
    responses((status = 201, body = FlagRecord), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, description = "the key is taken, or there are 500 flags", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_flag(State(app): State<App>, caller: Caller, Json(wanted): Json<NewFlag>) -> Result<Response> {
    if !is_key(&wanted.key) {
        return Err(invalid("key", KEY_RULE));
    }
    wanted.definition.check("definition.")?;
    let mut transaction = store::begin_change(&app.databases.flags).await?;
    let active: i64 = sqlx::query_scalar("SELECT count(*) FROM flags WHERE archived_at IS NULL").fetch_one(&mut *transaction).await?;
    if active >= MAX_FLAGS {
        return Err(Problem::new(&kinds::TOO_MANY_FLAGS, format!("There are {MAX_FLAGS} flags; archive one first.")));
    }
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO flags (key, definition, salt) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING RETURNING {COLUMNS}"
    ));
    let flag: Option<FlagRecord> = sqlx::query_as(statement)
        .bind(&wanted.key)
        .bind(sqlx::types::Json(&wanted.definition))
        .bind(Uuid::new_v4().simple().to_string())
        .fetch_optional(&mut *transaction)
        .await?;
    let flag = flag.ok_or_else(|| Problem::new(&kinds::FLAG_KEY_TAKEN, format!("There is a flag `{}`.", wanted.key)))?;
    store::keep_change(&mut transaction, &flag, Action::Created, None, caller.user_id).await?;
    transaction.commit().await?;
    app.flags.changed().await;
    let headers = [
        (header::LOCATION, HeaderValue::try_from(format!("/api/v1/flags/{}", flag.key)).map_err(Problem::internal)?),
        (header::ETAG, etag(flag.version)),
    ];
    Ok((StatusCode::CREATED, headers, axum::Json(flag)).into_response())
}
