//! What the protocol answers.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use crate::api::flags::Flags;
use crate::api::flags::context::Context;
use crate::api::flags::evaluate::{Flag, Reason};

/// The protocol's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = FlagErrorCode)]
pub enum ErrorCode {
    ParseError,
    InvalidContext,
    TargetingKeyMissing,
    FlagNotFound,
    General,
}

/// Why there is no value. Programs take their own default.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlagFailure)]
pub struct Failure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub error_code: ErrorCode,
    pub error_details: String,
}

impl Failure {
    pub fn new(error_code: ErrorCode, error_details: impl Into<String>) -> Self {
        Self { key: None, error_code, error_details: error_details.into() }
    }

    pub fn of(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = if self.error_code == ErrorCode::FlagNotFound { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
        (status, axum::Json(self)).into_response()
    }
}

/// What a flag is for somebody.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FlagSuccess)]
pub struct Success {
    pub key: String,
    /// Of the flag's type.
    pub value: Value,
    pub variant: String,
    pub reason: Reason,
    pub metadata: Metadata,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = FlagMetadata)]
pub struct Metadata {
    /// Of the flag.
    pub version: i64,
    /// The experiment that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
}

/// One of many flags: each may fail by itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[schema(as = FlagEvaluation)]
pub enum Evaluation {
    Success(Success),
    Failure(Failure),
}

/// Evaluates a flag, and says it as the protocol does.
pub fn answer(flags: &Flags, flag: &Flag, context: &Context) -> Result<Success, Failure> {
    let missing = "A rule of this flag splits, and the context has no `targetingKey`.";
    let outcome = flags.evaluate(flag, context).map_err(|_| Failure::new(ErrorCode::TargetingKeyMissing, missing).of(&flag.key))?;
    let broken = || Failure::new(ErrorCode::General, format!("The flag has no variant `{}`.", outcome.variant)).of(&flag.key);
    let value = outcome.value.cloned().ok_or_else(broken)?;
    let metadata = Metadata { version: flag.version, experiment: outcome.experiment.map(|experiment| experiment.key.clone()) };
    Ok(Success { key: flag.key.clone(), value, variant: outcome.variant.to_owned(), reason: outcome.reason, metadata })
}
