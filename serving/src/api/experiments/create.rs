//! `POST /api/v1/experiments`.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use sqlx::types::Json as Jsonb;
use uuid::Uuid;

use super::design::Design;
use super::store::{COLUMNS, ExperimentRecord};
use crate::api::access::Caller;
use crate::api::extract::{Body, Json, etag, invalid};
use crate::api::flags::check::{KEY_RULE, is_key};
use crate::api::flags::store::{begin_change, find_active};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExperiment {
    #[schema(min_length = 1, max_length = 100, pattern = "^[a-z0-9][a-z0-9._-]*$", example = "checkout-2026-11")]
    pub key: String,
    pub design: Design,
}

impl Body for NewExperiment {
    const MAX_BYTES: usize = Design::MAX_BYTES;
}

/// Drafts an experiment. Nothing happens to anybody before it is started.
#[utoipa::path(post, path = "/api/v1/experiments", tag = "experiments", request_body = NewExperiment,
    responses((status = 201, body = ExperimentRecord), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, description = "no such flag", body = ProblemBody),
        (status = 409, description = "the key is taken, or the flag is archived", body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create_experiment(State(app): State<App>, caller: Caller, Json(wanted): Json<NewExperiment>) -> Result<Response> {
    if !is_key(&wanted.key) {
        return Err(invalid("key", KEY_RULE));
    }
    let design = &wanted.design;
    design.check("design.")?;
    let mut transaction = begin_change(&app.databases.flags).await?;
    let flag = find_active(&mut transaction, &design.flag_key).await?;
    design.check_flag(&flag.definition, "design.")?;
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO experiments (key, flag_key, description, shares, control, window_days, salt, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (key) DO NOTHING RETURNING {COLUMNS}"
    ));
    let made: Option<ExperimentRecord> = sqlx::query_as(statement)
        .bind(&wanted.key)
        .bind(&design.flag_key)
        .bind(&design.description)
        .bind(Jsonb(&design.shares))
        .bind(&design.control)
        .bind(design.window_days)
        .bind(Uuid::new_v4().simple().to_string())
        .bind(caller.user_id)
        .fetch_optional(&mut *transaction)
        .await?;
    let made = made.ok_or_else(|| Problem::new(&kinds::EXPERIMENT_KEY_TAKEN, format!("There is an experiment `{}`.", wanted.key)))?;
    transaction.commit().await?;
    let headers = [
        (header::LOCATION, HeaderValue::try_from(format!("/api/v1/experiments/{}", made.key)).map_err(Problem::internal)?),
        (header::ETAG, etag(made.version)),
    ];
    Ok((StatusCode::CREATED, headers, axum::Json(made)).into_response())
}
