//! Reading requests: paths, queries and JSON bodies, with problems that say what was wrong and where.

mod faults;
mod if_match;
mod json;
mod params;
mod size;

pub use faults::{Faults, invalid, text_error};
pub use if_match::{IfMatch, changed_meanwhile, etag};
pub use json::{Body, Json};
pub use params::{NoQuery, Params, Query};
pub(in crate::api) use size::check_length;

use axum::extract::{FromRequestParts, rejection::PathRejection};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// [`axum::extract::Path`] with problems for errors.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path: Result<axum::extract::Path<T>, PathRejection> = axum::extract::Path::from_request_parts(parts, state).await;
        Ok(Self(path?.0))
    }
}
