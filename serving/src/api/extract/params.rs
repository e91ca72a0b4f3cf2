//! Query parameters: those of the route, and those that every read of a derived store takes.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::freshness::After;
use crate::api::problem::{Problem, kinds};

/// The query parameters of a read: `T` is the route's own (with `deny_unknown_fields`), `after` what every read takes.
pub struct Params<T> {
    pub query: T,
    pub after: After,
}

/// For routes without parameters of their own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let is_common = |pair: &&str| matches!(pair.split('=').next(), Some("after" | "wait_ms"));
        let (common, own): (Vec<&str>, Vec<&str>) = query.split('&').filter(|pair| !pair.is_empty()).partition(is_common);
        Ok(Self { after: After::read(deserialize(&common.join("&"))?, &parts.headers)?, query: deserialize(&own.join("&"))? })
    }
}

/// The query parameters of a route that does not read a derived store.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        deserialize(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn deserialize<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let problem = |error: String| Problem::new(&kinds::BAD_PARAMETER, format!("The query: {error}."));
    // `query` is a part of a URI that was parsed, so it can be parsed again.
    let uri: Uri = format!("/?{query}").parse().map_err(|error: axum::http::uri::InvalidUri| problem(error.to_string()))?;
    let axum::extract::Query(value) = axum::extract::Query::try_from_uri(&uri).map_err(|rejection| {
        let text = rejection.body_text();
        problem(text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text).to_owned())
    })?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Own {
        q: Option<String>,
        limit: Option<u32>,
    }

    async fn read(uri: &str) -> Result<Params<Own>, Problem> {
        let (mut parts, ()) = axum::http::Request::get(uri).body(()).expect("a request").into_parts();
        Params::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn own_and_common_parameters_are_told_apart() {
        let params = read("/?q=a%26after%3Db&limit=3&after=orders:7&wait_ms=50").await.expect("good parameters");
        assert_eq!(params.query, Own { q: Some("a&after=b".into()), limit: Some(3) });
        assert_eq!(params.after.position.as_ref().map(ToString::to_string).as_deref(), Some("orders:7"));
        assert_eq!(params.after.wait.as_millis(), 50);
    }

    #[tokio::test]
    async fn unknown_and_malformed_parameters_are_refused() {
        for bad in ["/?limti=3", "/?limit=-1", "/?limit=x", "/?limit=1&limit=2", "/?after=orders", "/?wait_ms=10001", "/?wait_ms=no"] {
            let problem = read(bad).await.map(|_| ()).expect_err(bad);
            assert_eq!(problem.status(), 400, "{bad}");
        }
    }
}
