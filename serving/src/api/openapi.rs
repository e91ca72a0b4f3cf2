//! `GET /openapi.json`: the description of every route, generated from the handlers.

use std::sync::LazyLock;

use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

use super::access::{Access, Role};
use super::router;

const BEARER: &str = "bearer";

static DOCUMENT: LazyLock<String> = LazyLock::new(text);

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

/// The document as it is served, and kept in `serving/openapi.json`.
pub fn text() -> String {
    // Cannot fail: every key is a text.
    document().to_pretty_json().unwrap_or_default() + "\n"
}

/// The whole description; routes that are not public say whom they are for.
pub fn document() -> OpenApi {
    let mut document = router::routes().split_for_parts().1;
    for (path, item) in &mut document.paths.paths {
        let mark = |method: Method, operation: &mut Option<Operation>| {
            if let Some(operation) = operation
                && !Access::of(&method, path).is_public()
            {
                let access = Access::of(&method, path);
                let roles: Vec<&str> = Role::ALL.into_iter().filter(|role| access.allows(*role)).map(Role::name).collect();
                operation.security = Some(vec![SecurityRequirement::new(BEARER, roles)]);
            }
        };
        mark(Method::GET, &mut item.get);
        mark(Method::POST, &mut item.post);
        mark(Method::PUT, &mut item.put);
        mark(Method::PATCH, &mut item.patch);
        mark(Method::DELETE, &mut item.delete);
    }
    let description = "The access token of a log-in, an API key, or the content of `operator.token` in the data folder. Each route lists the roles \
        that may call it; one that another role calls answers 403, one that nobody known calls 401.";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
    document.components.get_or_insert_default().add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    document
}
