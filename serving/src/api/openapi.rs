//! `GET /openapi.json`: the description of every route, generated from the handlers.

use std::sync::LazyLock;

use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

use super::access::Access;
use super::router;

const OPERATOR: &str = "operator";

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_pretty_json().unwrap_or_default());

/// This API as an OpenAPI document.
#[utoipa::path(get, path = "/openapi.json", tag = "meta", responses((status = 200,
        description = "an OpenAPI document", content_type = "application/json")))]
pub async fn get_openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], DOCUMENT.as_str()).into_response()
}

/// What the routes are collected into.
pub(super) fn base() -> OpenApi {
    let description = "A shop whose derived stores follow its databases. Writes answer with a position token; reads take it as `after` \
        and wait until their store includes that write. Errors are problem documents (RFC 9457).";
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Chimera").version(env!("CARGO_PKG_VERSION")).description(Some(description)))
        .build()
}

/// The whole description; routes for operators say so.
pub fn document() -> OpenApi {
    let mut document = router::routes().split_for_parts().1;
    for (path, item) in &mut document.paths.paths {
        let mark = |method: Method, operation: &mut Option<Operation>| {
            if let Some(operation) = operation
                && Access::of(&method, path) == Access::Operator
            {
                operation.security = Some(vec![SecurityRequirement::new(OPERATOR, Vec::<String>::new())]);
            }
        };
        mark(Method::GET, &mut item.get);
        mark(Method::POST, &mut item.post);
        mark(Method::PUT, &mut item.put);
        mark(Method::PATCH, &mut item.patch);
        mark(Method::DELETE, &mut item.delete);
    }
    let scheme =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The content of `operator.token` in the data folder.")).build();
    document.components.get_or_insert_default().add_security_scheme(OPERATOR, SecurityScheme::Http(scheme));
    document
}
