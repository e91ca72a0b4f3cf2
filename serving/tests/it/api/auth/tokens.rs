//! Access tokens: checked by others, forged by nobody, signed with keys that change.

use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chimera_serving::api::auth::Auth;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{PASSWORD, Server, Tokens};
use crate::api::server::{ISSUER, SEAL};

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_checks_a_token_with_the_published_key() {
    let Some(server) = Server::start().await else { return };
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("skipped: tokens checked by others: no openssl");
        return;
    }
    let discovery = server.get("/.well-known/openid-configuration").await.ok();
    assert_eq!((&discovery["issuer"], &discovery["jwks_uri"]), (&json!(ISSUER), &json!(format!("{ISSUER}/.well-known/jwks.json"))));
    // What OpenID Provider Metadata has to have, but for the endpoints of a flow that there is not.
    for (member, expected) in
        [("response_types_supported", "none"), ("subject_types_supported", "public"), ("id_token_signing_alg_values_supported", "EdDSA")]
    {
        assert_eq!(discovery[member], json!([expected]), "{member}");
    }
    for endpoint in ["authorization_endpoint", "token_endpoint"] {
        assert!(discovery.get(endpoint).is_none(), "{discovery}");
    }
    let jwks = server.get("/.well-known/jwks.json").await.ok();
    let token = server.register("ada@example.com").await.access;
    let (header, claims) = (part(&token, 0), part(&token, 1));
    assert_eq!((&header["alg"], &header["typ"], &header["kid"]), (&json!("EdDSA"), &json!("at+jwt"), &jwks["keys"][0]["kid"]));
    assert_eq!((&claims["iss"], &claims["aud"], &claims["role"]), (&json!(ISSUER), &json!("chimera"), &json!("shopper")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let public = BASE64_URL_SAFE_NO_PAD.decode(jwks["keys"][0]["x"].as_str().unwrap()).unwrap();
    // RFC 8410: what stands before the 32 bytes of an Ed25519 key.
    let key = file("key.der", &[b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), &public].concat());
    let signature = file("signature", &BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap());
    let check = |message: &[u8]| {
        let message = file("message", message);
        let mut openssl = Command::new("openssl");
        openssl.args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin", "-inkey"]).arg(&key);
        openssl.arg("-in").arg(message).arg("-sigfile").arg(&signature).output().unwrap().status.success()
    };
    assert!(check(signed.as_bytes()));
    assert!(!check(format!("{signed}x").as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_tokens_open_nothing() {
    let Some(server) = Server::start().await else { return };
    let token = server.register("ada@example.com").await.access;
    let (header, claims) = (part(&token, 0), part(&token, 1));
    let refused = async |token: &str| server.me(token).await.problem(401, "unauthenticated")["detail"].as_str().unwrap().to_owned();
    let [head, body, signature] = *token.split('.').collect::<Vec<_>>() else { panic!("three parts") };
    let base64 = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    // Another role, the same signature.
    let mut admin = claims.clone();
    admin["role"] = json!("admin");
    refused(&format!("{head}.{}.{signature}", base64(&admin))).await;
    // No signature at all.
    refused(&format!("{}.{body}.", base64(&json!({ "alg": "none", "typ": "at+jwt", "kid": header["kid"] })))).await;
    // The published key as the secret of a MAC.
    let public = server.get("/.well-known/jwks.json").await.ok()["keys"][0]["x"].as_str().unwrap().to_owned();
    let kid = header["kid"].as_str().map(str::to_owned);
    let mac = Header { typ: Some("at+jwt".into()), kid: kid.clone(), ..Header::new(Algorithm::HS256) };
    let public = BASE64_URL_SAFE_NO_PAD.decode(public).unwrap();
    refused(&encode(&mac, &admin, &EncodingKey::from_secret(&public)).unwrap()).await;
    // By the right key, but too old, for others, of others, of another kind.
    let key = server.app.auth.keys.signing();
    let own = Header { typ: Some("at+jwt".into()), kid, ..Header::new(Algorithm::EdDSA) };
    let sign = |header: &Header, name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        encode(header, &claims, &key.encoding).unwrap()
    };
    assert_eq!(server.me(&sign(&own, "aud", json!("chimera"))).await.status, 200, "the key is the right one");
    assert!(refused(&sign(&own, "exp", json!(claims["iat"].as_i64().unwrap() - 10))).await.contains("run out"));
    refused(&sign(&own, "aud", json!("another"))).await;
    refused(&sign(&own, "iss", json!("https://another.example.com"))).await;
    refused(&sign(&own, "sid", json!("00000000-0000-0000-0000-000000000000"))).await;
    refused(&sign(&own, "sub", json!("00000000-0000-0000-0000-000000000000"))).await;
    refused(&sign(&Header { typ: Some("JWT".into()), ..own.clone() }, "aud", json!("chimera"))).await;
    refused(&sign(&Header { kid: Some("unknown".into()), ..own.clone() }, "aud", json!("chimera"))).await;
    // The role that counts is the account's, not the token's.
    let token = sign(&own, "role", json!("admin"));
    server.send(reqwest::Method::GET, "/api/v1/accounts", &token, None).await.problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_keys_rotate_without_anyone_being_logged_out() {
    let Some(server) = Server::start().await else { return };
    let auth = &server.app.auth;
    let kid = |token: &str| part(token, 0)["kid"].as_str().unwrap().to_owned();
    let before = server.register("ada@example.com").await;
    server.auth_sql("UPDATE signing_keys SET created_at = now() - interval '31 days'").await;
    auth.keys.refresh().await.unwrap();
    assert_eq!(server.get("/.well-known/jwks.json").await.ok()["keys"].as_array().unwrap().len(), 2);
    let meanwhile = Tokens::of(&server.log_in("ada@example.com", PASSWORD).await);
    assert_eq!(kid(&meanwhile.access), kid(&before.access), "who keeps a copy of the keys does not know the new one yet");
    server.auth_sql("UPDATE signing_keys SET created_at = created_at - interval '11 minutes'").await;
    auth.keys.refresh().await.unwrap();
    let after = Tokens::of(&server.log_in("ada@example.com", PASSWORD).await);
    assert_ne!(kid(&after.access), kid(&before.access));
    for tokens in [&before, &meanwhile, &after] {
        assert_eq!(server.me(&tokens.access).await.status, 200);
    }
    server.auth_sql("UPDATE signing_keys SET created_at = created_at - interval '31 days'").await;
    auth.keys.refresh().await.unwrap();
    assert_eq!(server.get("/.well-known/jwks.json").await.ok()["keys"].as_array().unwrap().len(), 2, "the oldest has gone");
    assert_eq!(server.me(&before.access).await.problem(401, "unauthenticated")["title"], "It is not known who sends this");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_knows_the_same_keys_and_another_key_file_is_told() {
    let Some(server) = Server::start().await else { return };
    let auth = &server.app.auth;
    let other = Auth::open(auth.pool.clone(), auth.redis.clone(), &SEAL, ISSUER).await.unwrap();
    assert_eq!(other.keys.signing().id, auth.keys.signing().id);
    let error = Auth::open(auth.pool.clone(), auth.redis.clone(), &[8; 32], ISSUER).await.err().expect("refused").to_string();
    assert!(error.contains("another key file"), "{error}");
}
