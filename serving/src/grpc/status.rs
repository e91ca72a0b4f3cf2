//! Problems as gRPC tells them.

use axum::http::StatusCode;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::api::problem::Problem;

/// In the metadata of an error: the name of the problem's kind, as HTTP has it.
const PROBLEM: &str = "chimera-problem";

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        problem.log();
        let code = match problem.status() {
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::FORBIDDEN => Code::PermissionDenied,
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::CONFLICT => Code::Aborted,
            StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
            StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
            StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
            status if status.is_client_error() => Code::InvalidArgument,
            _ => Code::Internal,
        };
        let mut status = Status::new(code, problem.detail());
        status.metadata_mut().insert(PROBLEM, MetadataValue::from_static(problem.kind().name));
        status
    }
}
