//! Errors of the things that routes call, as problems.

use axum::extract::rejection::{BytesRejection, FailedToBufferBody, PathRejection};
use chimera_models::PictureError;

use super::{Problem, kinds};

impl From<redis::RedisError> for Problem {
    fn from(error: redis::RedisError) -> Self {
        Problem::unavailable("The key-value store", error)
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::Tls(_) => {
                Problem::unavailable("The database", error)
            }
            // Class 57: the server is shutting down or starting; 53: it has no room for us; 40: another transaction came between;
            // 55P03: another one kept its locks for longer than we wait.
            sqlx::Error::Database(ref cause)
                if cause.code().is_some_and(|code| ["57P", "53", "40", "55P03"].iter().any(|class| code.starts_with(class))) =>
            {
                Problem::unavailable("The database", error)
            }
            error => Problem::internal(error),
        }
    }
}

impl From<chimera_connectors::Error> for Problem {
    fn from(error: chimera_connectors::Error) -> Self {
        if error.is_retryable() { Problem::unavailable("A store", error) } else { Problem::internal(error) }
    }
}

impl From<PictureError> for Problem {
    fn from(error: PictureError) -> Self {
        let kind = match &error {
            PictureError::TooLarge { .. } | PictureError::TooManyPixels { .. } => &kinds::PICTURE_TOO_LARGE,
            PictureError::UnsupportedFormat => &kinds::UNSUPPORTED_MEDIA_TYPE,
            PictureError::Broken { .. } => &kinds::BAD_PICTURE,
            PictureError::Model { .. } => return Problem::internal(error),
        };
        let text = error.to_string();
        let sentence = text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).chain(['.']).collect::<String>();
        let problem = Problem::new(kind, sentence);
        match error {
            PictureError::TooLarge { limit_bytes, .. } => problem.with("limit_bytes", limit_bytes),
            PictureError::TooManyPixels { limit_side_px, limit_megapixels, .. } => {
                problem.with("limit_side_px", limit_side_px).with("limit_megapixels", limit_megapixels)
            }
            PictureError::UnsupportedFormat => problem.with("accepted", ["image/jpeg", "image/png"]),
            PictureError::Broken { .. } | PictureError::Model { .. } => problem,
        }
    }
}

impl From<serde_json::Error> for Problem {
    /// For JSON that we wrote: bodies of requests are read by [`crate::api::extract::Json`].
    fn from(error: serde_json::Error) -> Self {
        Problem::internal(error)
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Problem::new(&kinds::BAD_PARAMETER, rejection.body_text())
    }
}

/// The body of a request did not arrive whole, or was over `limit_bytes`.
pub(in crate::api) fn body_problem(rejection: BytesRejection, limit_bytes: usize) -> Problem {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => too_large(limit_bytes),
        other => Problem::new(&kinds::INVALID_BODY, format!("The body did not arrive whole: {}", other.body_text())),
    }
}

pub(in crate::api) fn too_large(limit_bytes: usize) -> Problem {
    Problem::new(&kinds::BODY_TOO_LARGE, format!("The body is over the limit of {limit_bytes} bytes.")).with("limit_bytes", limit_bytes)
}
