//! The picture in a request's body.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::header;

use super::rendition::MAX_BYTES;
use crate::api::extract::check_length;
use crate::api::problem::{Problem, Result, body_problem, kinds};

/// Its bytes, as they came. An extractor: they are bounded, and not yet looked at.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary, description = "A JPEG or PNG, at most 10 MiB.")]
pub struct Upload(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !matches!(essence.as_str(), "image/jpeg" | "image/png") {
            let detail = format!("`{}` is not a kind of picture that is taken.", essence.escape_debug().take(100).collect::<String>());
            return Err(Problem::new(&kinds::UNSUPPORTED_MEDIA_TYPE, detail).with("accepted", ["image/jpeg", "image/png"]));
        }
        let mut request = check_length(request, MAX_BYTES).await?;
        DefaultBodyLimit::max(MAX_BYTES).apply(&mut request);
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| body_problem(rejection, MAX_BYTES))
    }
}
