//! Who may call what: the routes in [`PUBLIC`] are open, every other one is for operators.

use std::fmt;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::{Problem, kinds};
use super::state::App;

/// The one list of the routes that anyone may call. A route that is not in it needs the operator token.
pub const PUBLIC: &[(Method, &str)] = &[
    (Method::GET, "/api/v1/products/{id}"),
    (Method::GET, "/api/v1/products/{id}/related"),
    (Method::GET, "/api/v1/images/{id}"),
    (Method::GET, "/api/v1/search"),
    (Method::GET, "/api/v1/feed"),
    (Method::POST, "/api/v1/visual-search"),
    (Method::GET, "/api/v1/inventory/{sku}"),
    (Method::POST, "/api/v1/orders"),
    (Method::POST, "/api/v1/events"),
    (Method::GET, "/problems/{name}"),
    (Method::GET, "/healthz"),
    (Method::GET, "/readyz"),
    (Method::GET, "/openapi.json"),
];

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    Operator,
}

impl Access {
    /// HEAD is GET without the body.
    pub fn of(method: &Method, path: &str) -> Self {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        if PUBLIC.iter().any(|(public, at)| public == method && *at == path) { Access::Public } else { Access::Operator }
    }
}

/// The secret that operators send. Only its hash is kept.
#[derive(Clone)]
pub struct OperatorToken(blake3::Hash);

impl OperatorToken {
    pub fn new(token: &str) -> Self {
        Self(blake3::hash(token.as_bytes()))
    }

    /// Takes the same time whatever is wrong with `token`: hashes are compared, and in constant time.
    fn is(&self, token: &[u8]) -> bool {
        self.0 == blake3::hash(token)
    }
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorToken(…)")
    }
}

/// Lets a request through to its route if the route is public or the request carries the operator token.
pub async fn check(State(app): State<App>, request: Request, next: Next) -> Result<Response, Problem> {
    // A request that matched no path has no route to guard, but is refused all the same.
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if Access::of(request.method(), path) == Access::Operator && !bearer(&request).is_some_and(|token| app.operator_token.is(token)) {
        let detail = if bearer(&request).is_some() {
            "The token is not the operator token of this server."
        } else {
            "The request carries no bearer token."
        };
        return Err(Problem::new(&kinds::UNAUTHORIZED, detail)
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"chimera\"")));
    }
    Ok(next.run(request).await)
}

fn bearer(request: &Request) -> Option<&[u8]> {
    let value = request.headers().get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
