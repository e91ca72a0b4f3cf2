//! The pages, embedded in the binary; and 404 for everything else.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use super::problem::{Problem, kinds};

/// `npm run build` in serving/web makes it; without it there is no page, and the API works all the same.
#[derive(Embed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Web;

/// Scripts and connections only from here, and no frame around it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Chimera</title><h1>Chimera runs, without its pages</h1>\
    <p>This binary was built without them. Build them with <code>npm ci && npm run build</code> in <code>serving/web</code>, \
    then build the binary again (<code>make up</code> does both).<p>The API is described in <a href=/openapi.json>/openapi.json</a>.";

/// Answers for paths that are no route of the API.
pub async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    let page = page(path);
    let found = Web::get(page.unwrap_or_else(|| path.trim_start_matches('/')));
    let page = page.is_some();
    match found {
        _ if path.starts_with("/api/") => not_found(path),
        Some(_) if method != Method::GET && method != Method::HEAD => {
            Problem::new(&kinds::METHOD_NOT_ALLOWED, format!("Pages do not take {method}."))
                .header(header::ALLOW, HeaderValue::from_static("GET,HEAD"))
                .into_response()
        }
        Some(file) => serve(path, page, &file, &headers),
        None if page => (security(), Html(NOT_BUILT)).into_response(),
        None => not_found(path),
    }
}

/// Which file is the page of an address; the router of the shop's own page takes several.
fn page(path: &str) -> Option<&'static str> {
    let mut parts = path.split('/').skip(1).filter(|part| !part.is_empty());
    match (parts.next(), parts.next()) {
        (Some("docs"), None) => Some("docs.html"),
        (None, _) => (path == "/").then_some("index.html"),
        (Some("dashboard" | "cart"), None) | (Some("product"), Some(_)) | (Some("checkout" | "account"), _) => Some("index.html"),
        _ => None,
    }
}

fn not_found(path: &str) -> Response {
    Problem::new(&kinds::NOT_FOUND, format!("There is nothing at `{}`.", path.escape_debug().take(200).collect::<String>())).into_response()
}

fn serve(path: &str, page: bool, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash: String = file.metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    // Vite puts the hash of their content in the names of files under /assets.
    let caching = if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let cached = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, caching.to_owned())];
    if headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|tags| tags.contains(&hash)) {
        return (StatusCode::NOT_MODIFIED, cached).into_response();
    }
    let media_type = if page { "text/html; charset=utf-8".to_owned() } else { file.metadata.mimetype().to_owned() };
    (cached, [(header::CONTENT_TYPE, media_type)], security(), file.data.clone().into_owned()).into_response()
}

fn security() -> [(HeaderName, &'static str); 2] {
    [(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY), (header::REFERRER_POLICY, "no-referrer")]
}
