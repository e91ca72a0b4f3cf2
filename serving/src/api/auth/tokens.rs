//! Access tokens: JWTs of the type of RFC 9068, signed with Ed25519.

use chrono::Utc;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::key_ring::KeyRing;
use crate::api::access::Role;
use crate::api::problem::{Problem, Result};

/// How long a token is good, in seconds.
pub const LIFETIME_S: i64 = 600;
/// Who a token is for.
const AUDIENCE: &str = "chimera";
const TYPE: &str = "at+jwt";
/// Clocks of several nodes differ by no more.
const LEEWAY_S: u64 = 5;

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The account.
    pub sub: Uuid,
    /// The session.
    pub sid: Uuid,
    pub role: Role,
    pub jti: Uuid,
    pub iat: i64,
    pub exp: i64,
}

/// Signs a token for a session.
pub fn sign(keys: &KeyRing, issuer: &str, account: Uuid, session: Uuid, role: Role) -> Result<String> {
    let key = keys.signing();
    let header = Header { typ: Some(TYPE.into()), kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
    let now = Utc::now().timestamp();
    let claims = Claims {
        iss: issuer.to_owned(),
        aud: AUDIENCE.into(),
        sub: account,
        sid: session,
        role,
        jti: Uuid::new_v4(),
        iat: now,
        exp: now + LIFETIME_S,
    };
    encode(&header, &claims, &key.encoding).map_err(Problem::internal)
}

/// What a token says, if it is one of ours and its time has not run out; else why not, for the client.
pub async fn read(keys: &KeyRing, issuer: &str, token: &str) -> Result<Result<Claims, String>> {
    let Ok(header) = decode_header(token) else { return Ok(Err("The token is not an access token of this server.".into())) };
    if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
        return Ok(Err("The token is of another kind than this server gives.".into()));
    }
    let Some(key) = keys.find(header.kid.as_deref().unwrap_or_default()).await? else {
        return Ok(Err("The token is signed with a key that this server does not know, or no longer.".into()));
    };
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.leeway = LEEWAY_S;
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    let decoded = decode::<Claims>(token, &key.decoding, &validation);
    Ok(decoded.map(|token| token.claims).map_err(|error| match error.kind() {
        jsonwebtoken::errors::ErrorKind::ExpiredSignature => {
            "The token has run out. Get another one with POST /api/v1/auth/refresh.".to_owned()
        }
        _ => "The token was not signed by this server, or for another one.".to_owned(),
    }))
}
