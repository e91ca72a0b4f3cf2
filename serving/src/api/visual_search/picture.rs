//! The picture in a request: the body itself, or the field `image` of a form.

use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};

use crate::api::extract::check_length;
use crate::api::problem::{Problem, Result, body_problem, kinds, too_large};

pub const MAX_BYTES: usize = 8 * 1024 * 1024;
const ACCEPTED: [&str; 3] = ["multipart/form-data", "image/jpeg", "image/png"];

/// The bytes of the picture, as they came. An extractor: they are bounded, and not yet looked at.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary, description = "A JPEG or PNG, at most 8 MiB.")]
pub struct Picture(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Picture {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let mut request = check_length(request, MAX_BYTES).await?;
        DefaultBodyLimit::max(MAX_BYTES).apply(&mut request);
        match essence.as_str() {
            "multipart/form-data" => {
                let form = Multipart::from_request(request, state).await;
                form_field(form.map_err(|rejection| {
                    Problem::new(&kinds::INVALID_BODY, format!("The form cannot be read: {}.", rejection.body_text()))
                })?)
                .await
            }
            "image/jpeg" | "image/jpg" | "image/png" => {
                Bytes::from_request(request, state).await.map(Self).map_err(|rejection| body_problem(rejection, MAX_BYTES))
            }
            other => Err(Problem::new(
                &kinds::UNSUPPORTED_MEDIA_TYPE,
                format!("`{}` is not a kind of picture that is taken.", other.escape_debug()),
            )
            .with("accepted", ACCEPTED)),
        }
    }
}

async fn form_field(mut form: Multipart) -> Result<Picture> {
    while let Some(field) = form.next_field().await.map_err(form_problem)? {
        if field.name() == Some("image") {
            return field.bytes().await.map(Picture).map_err(form_problem);
        }
    }
    Err(Problem::new(&kinds::INVALID_BODY, "The form has no field `image`."))
}

fn form_problem(error: MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(MAX_BYTES),
        _ => Problem::new(&kinds::INVALID_BODY, format!("The form cannot be read: {}.", error.body_text())),
    }
}
