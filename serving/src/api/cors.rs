//! Pages of other places: which of them may call this server from a browser.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::freshness::{AFTER, AGE_MS, EPOCH, POSITION, STORE};
use super::problem::{Problem, Result, kinds};
use super::products::fallback::SOURCE;

/// A browser asks again after so long.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Origins such as `https://shop.example.com`. Empty: pages of this server only.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<HeaderValue>);

impl Origins {
    /// # Errors
    /// A sentence about the one that is none.
    pub fn new(origins: &[String]) -> Result<Self, String> {
        origins.iter().map(|given| origin(given)).collect::<Result<_, _>>().map(Self)
    }

    /// `None`: nothing is added to any answer, so browsers keep to the same origin. No credentials: there are no cookies, and a page sends its token itself.
    pub(super) fn layer(&self) -> Option<CorsLayer> {
        let taken = ["chimera-cart", "idempotency-key", "traceparent", "tracestate", "x-request-id"].map(HeaderName::from_static);
        let more = [header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH, header::IF_NONE_MATCH, AFTER];
        let told = ["idempotency-replayed", "x-request-id"].map(HeaderName::from_static);
        let also = [header::ETAG, header::LOCATION, header::RETRY_AFTER, header::WWW_AUTHENTICATE, POSITION, STORE, EPOCH, AGE_MS, SOURCE];
        (!self.0.is_empty()).then(|| {
            CorsLayer::new()
                .allow_origin(AllowOrigin::list(self.0.clone()))
                .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
                .allow_headers(taken.into_iter().chain(more).collect::<Vec<_>>())
                .expose_headers(told.into_iter().chain(also).collect::<Vec<_>>())
                .max_age(REMEMBERED)
        })
    }

    /// For WebSockets, which browsers open for every page. What is not a browser says no origin.
    ///
    /// `public`: the address by which people reach this server.
    pub fn check(&self, headers: &HeaderMap, public: &str) -> Result<()> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let of = origin.to_str().unwrap_or_default();
        let is_same = host.is_some() && of.split_once("://").map(|(_, authority)| authority) == host;
        if is_same || of == public || self.0.contains(origin) {
            return Ok(());
        }
        let shown: String = of.escape_debug().take(100).collect();
        Err(Problem::new(&kinds::FOREIGN_ORIGIN, format!("Pages of `{shown}` may not open this.")))
    }
}

/// Scheme, host and port, as browsers write them.
fn origin(given: &str) -> Result<HeaderValue, String> {
    let wrong = || format!("`{given}` is no origin: write scheme, host and, if it is unusual, port, as in https://shop.example.com");
    let url = reqwest::Url::parse(given).map_err(|_| wrong())?;
    let origin = url.origin().ascii_serialization();
    if !matches!(url.scheme(), "http" | "https") || origin != given.trim_end_matches('/') {
        return Err(wrong());
    }
    HeaderValue::try_from(origin).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for good in ["https://shop.example.com", "http://127.0.0.1:5173", "https://shop.example.com/"] {
            assert!(Origins::new(&[good.to_owned()]).is_ok(), "{good}");
        }
        for bad in
            ["*", "null", "shop.example.com", "https://shop.example.com/app", "https://shop.example.com:443", "file:///x", "https://a@b.c"]
        {
            assert!(Origins::new(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_opens_a_websocket_to_its_own_server_or_one_that_knows_it() {
        let origins = Origins::new(&["https://friend.example".to_owned()]).expect("an origin");
        let may = |origin: Option<&'static str>, host: &'static str| {
            let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            headers.extend(origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))));
            origins.check(&headers, "https://shop.example").is_ok()
        };
        assert!(may(None, "127.0.0.1:8080"));
        assert!(may(Some("http://127.0.0.1:8080"), "127.0.0.1:8080"));
        assert!(may(Some("https://friend.example"), "127.0.0.1:8080"));
        assert!(may(Some("https://shop.example"), "127.0.0.1:8080"));
        for foreign in ["https://evil.example", "null", "", "http://127.0.0.1:8081", "https://friend.example.evil", "://"] {
            assert!(!may(Some(foreign), "127.0.0.1:8080"), "{foreign}");
        }
    }
}
