//! `GET /openapi.json`: the description of every route, generated from the handlers.

use std::sync::LazyLock;

use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder, Responses};

use super::access::{Access, Role};
use super::problem::ProblemBody;
use super::router;

const BEARER: &str = "bearer";
const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

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

/// Problems are told as what they are, those of every route too (whoever sends what cannot be read, or too much of it, learns so wherever that is); and
/// every answer says what it is, as the specification asks.
fn describe(responses: &mut Responses) {
    let problem = RefOr::from(Ref::from_schema_name(ProblemBody::name()));
    for (status, response) in &mut responses.responses {
        let RefOr::T(response) = response else { continue };
        let is_problem = |content: &RefOr<Content>| matches!(content, RefOr::T(content) if content.schema.as_ref() == Some(&problem));
        if response.content.get(JSON).is_some_and(is_problem)
            && let Some(content) = response.content.shift_remove(JSON)
        {
            response.content.insert(PROBLEM.to_owned(), content);
        }
        if response.description.is_empty() {
            let status: Option<StatusCode> = status.parse().ok();
            response.description = status.and_then(|status| status.canonical_reason()).unwrap_or_default().to_owned();
        }
    }
    let any = ResponseBuilder::new()
        .description("Any other problem: its `type` says which.")
        .content(PROBLEM, ContentBuilder::new().schema(Some(problem)).build());
    responses.responses.insert("default".to_owned(), any.build().into());
}

/// The whole description; routes that are not public say whom they are for.
pub fn document() -> OpenApi {
    let mut document = router::routes().split_for_parts().1;
    for (path, item) in &mut document.paths.paths {
        let mark = |method: Method, operation: &mut Option<Operation>| {
            let Some(operation) = operation else { return };
            describe(&mut operation.responses);
            let access = Access::of(&method, path);
            if !access.is_public() {
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
