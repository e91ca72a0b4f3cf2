//! `GET /.well-known/jwks.json` and `GET /.well-known/openid-configuration`: how others check the tokens of this server.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::key_ring::JwkSet;
use crate::api::state::App;

/// No longer than a new key is published before it signs.
const CACHED: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "public, max-age=300")];

/// Who gives tokens and where the keys are, as OpenID Connect Discovery 1.0 has it; no endpoints of a flow, since nobody is sent here to log in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Discovery {
    #[schema(example = "https://shop.example.com")]
    pub issuer: String,
    pub jwks_uri: String,
    /// `none` (OAuth 2.0 Multiple Response Types): there is nothing to authorize, tokens come with a log-in.
    pub response_types_supported: Vec<&'static str>,
    /// An account has one `sub` for everybody.
    pub subject_types_supported: Vec<&'static str>,
    /// By which all tokens of this server are signed.
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
    pub claims_supported: Vec<&'static str>,
}

/// The keys that access tokens are signed with.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth", responses((status = 200, body = JwkSet)))]
pub async fn get_jwks(State(app): State<App>) -> Response {
    (CACHED, axum::Json(app.auth.keys.published())).into_response()
}

/// Who gives tokens here, and where its keys are.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "auth", responses((status = 200, body = Discovery)))]
pub async fn get_openid_configuration(State(app): State<App>) -> Response {
    let discovery = Discovery {
        issuer: app.auth.issuer.to_string(),
        jwks_uri: format!("{}/.well-known/jwks.json", app.auth.issuer),
        response_types_supported: vec!["none"],
        subject_types_supported: vec!["public"],
        id_token_signing_alg_values_supported: vec!["EdDSA"],
        claims_supported: vec!["iss", "aud", "sub", "sid", "role", "jti", "iat", "exp"],
    };
    (CACHED, axum::Json(discovery)).into_response()
}
