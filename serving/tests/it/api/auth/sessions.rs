//! From the registration to the log-out.

use std::time::{Duration, Instant};

use chimera_local::TestRedis;
use chimera_serving::api::access::Role;
use chimera_serving::api::auth::Auth;
use chimera_serving::api::{App, Parts};
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};

use super::{PASSWORD, Server, Tokens};
use crate::api::server::{Answer, TOKEN};

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_opened_verified_and_left() {
    let Some(server) = Server::start().await else { return };
    let tokens = server.register("Ada@Example.com").await;
    let me = server.me(&tokens.access).await.ok();
    assert_eq!((me["email"].as_str(), me["role"].as_str()), (Some("Ada@Example.com"), Some("shopper")));
    assert!(me["email_verified_at"].is_null() && me.get("password_hash").is_none(), "{me}");
    server.post("/api/v1/auth/register", &json!({ "email": "ada@example.com", "password": PASSWORD })).await.problem(409, "email-taken");

    let first = server.mailed("Ada@Example.com", "account.verify_email", 1).await;
    let resend = async || server.send(Method::POST, "/api/v1/auth/verify-email/resend", &tokens.access, None).await.status;
    assert_eq!(resend().await, 202);
    assert_eq!(server.messages("Ada@Example.com").await.len(), 1, "at most one a minute");
    server.auth_sql("UPDATE one_time_tokens SET expires_at = expires_at - interval '61 seconds'").await;
    assert_eq!(resend().await, 202);
    let second = server.mailed("Ada@Example.com", "account.verify_email", 2).await;
    let verify = async |token: &str| server.post("/api/v1/auth/verify-email", &json!({ "token": token })).await;
    verify(&first).await.problem(400, "bad-one-time-token");
    assert_eq!(verify(&second).await.status, 204);
    verify(&second).await.problem(400, "bad-one-time-token");
    assert!(server.me(&tokens.access).await.ok()["email_verified_at"].is_string());

    assert_eq!(server.send(Method::POST, "/api/v1/auth/logout", &tokens.access, None).await.status, 204);
    server.me(&tokens.access).await.problem(401, "unauthenticated");
    server.refresh(&tokens.refresh).await.problem(401, "session-over");
    assert_eq!(Tokens::of(&server.log_in("ADA@example.com", PASSWORD).await).user_id, tokens.user_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_account_is_refused_with_what_is_wrong() {
    let Some(server) = Server::start().await else { return };
    for (body, path) in [
        (json!({ "email": "ada", "password": PASSWORD }), "email"),
        (json!({ "email": "ada@example.com\r\nBcc: x@example.com", "password": PASSWORD }), "email"),
        (json!({ "email": "ada@example.com", "password": "short" }), "password"),
        (json!({ "email": "ada@example.com", "password": "ada@example.com" }), "password"),
    ] {
        let problem = server.post("/api/v1/auth/register", &body).await.problem(422, "invalid-body");
        assert_eq!(problem["errors"][0]["path"], path, "{problem}");
    }
    let with_role = json!({ "email": "ada@example.com", "password": PASSWORD, "role": "admin" });
    let problem = server.post("/api/v1/auth/register", &with_role).await.problem(422, "invalid-body");
    assert!(problem["detail"].as_str().unwrap().contains("roles are given by administrators"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_comes_twice_ends_its_session() {
    let Some(server) = Server::start().await else { return };
    let first = server.register("ada@example.com").await;
    let other = Tokens::of(&server.log_in("ada@example.com", PASSWORD).await);
    let second = Tokens::of(&server.refresh(&first.refresh).await);
    assert_eq!(second.session_id, first.session_id);
    assert_ne!(second.refresh, first.refresh);
    assert_eq!(server.me(&second.access).await.status, 200);
    // Whoever stole the first one comes with it now.
    server.refresh(&first.refresh).await.problem(401, "session-over");
    server.me(&second.access).await.problem(401, "unauthenticated");
    server.refresh(&second.refresh).await.problem(401, "session-over");
    assert_eq!(server.me(&other.access).await.status, 200, "another session of the same account goes on");
    server.refresh("chr_unknown").await.problem(401, "session-over");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_refreshes_at_once_one_is_served() {
    let Some(server) = Server::start().await else { return };
    let tokens = server.register("ada@example.com").await;
    let answers = futures::future::join_all((0..10).map(|_| server.refresh(&tokens.refresh))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 9);
    server.me(&tokens.access).await.problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_stand_without_redis_and_end_in_it() {
    let Some(server) = Server::start().await else { return };
    let tokens = server.register("ada@example.com").await;
    let mut redis = server.app.redis.clone();
    redis::cmd("FLUSHDB").query_async::<()>(&mut redis).await.unwrap();
    assert_eq!(server.me(&tokens.access).await.status, 200, "the database knows it");
    let other = Tokens::of(&server.log_in("ada@example.com", PASSWORD).await);
    let listed = server.send(Method::GET, "/api/v1/auth/sessions", &other.access, None).await.ok();
    assert_eq!(listed["current"], other.session_id);
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 2, "{listed}");
    let path = format!("/api/v1/auth/sessions/{}", tokens.session_id);
    assert_eq!(server.send(Method::DELETE, &path, &other.access, None).await.status, 204);
    server.me(&tokens.access).await.problem(401, "unauthenticated");
    server.send(Method::DELETE, &path, &other.access, None).await.problem(404, "session-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_has_a_session_before_its_first_use() {
    let Some(server) = Server::start().await else { return };
    let mut redis = server.app.redis.clone();
    let registered = server.register("ada@example.com").await;
    let logged_in = Tokens::of(&server.log_in("ada@example.com", PASSWORD).await);
    let expected = json!({ "user_id": registered.user_id, "role": "shopper" });
    for tokens in [&registered, &logged_in] {
        let copy: String = redis.get(format!("session:{}", tokens.session_id)).await.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&copy).unwrap(), expected);
    }
    let key = format!("session:{}", logged_in.session_id);
    let () = redis.del(&key).await.unwrap();
    Tokens::of(&server.refresh(&logged_in.refresh).await);
    let copy: String = redis.get(&key).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&copy).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_does_not_wait_for_redis() {
    let Some(server) = Server::start().await else { return };
    let private = tokio::task::spawn_blocking(TestRedis::start).await.unwrap().unwrap();
    let redis = redis::Client::open(private.url()).unwrap().get_connection_manager().await.unwrap();
    // A node whose Redis goes away.
    let auth = Auth { redis: redis.clone(), ..server.app.auth.clone() };
    let base = server.serve_too(App::new(Parts { redis, auth, ..server.parts() })).await;
    server.register("ada@example.com").await;
    let _stopped = tokio::task::spawn_blocking(move || private.stop().map(|()| private)).await.unwrap().unwrap();
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    for _ in 0..2 {
        let asked = Instant::now();
        let answer = Answer::of(server.client.post(format!("{base}/api/v1/auth/login")).json(&body)).await;
        Tokens::of(&answer);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_ends_the_session_of_somebody_else() {
    let Some(server) = Server::start().await else { return };
    let (ada, bob) = (server.register("ada@example.com").await, server.register("bob@example.com").await);
    let path = format!("/api/v1/auth/sessions/{}", ada.session_id);
    server.send(Method::DELETE, &path, &bob.access, None).await.problem(404, "session-not-found");
    assert_eq!(server.me(&ada.access).await.status, 200);
    let listed = server.send(Method::GET, "/api/v1/auth/sessions", &bob.access, None).await.ok();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_give_roles_and_switch_accounts_off_at_once() {
    let Some(server) = Server::start().await else { return };
    let ada = server.register("ada@example.com").await;
    let path = format!("/api/v1/accounts/{}", ada.user_id);
    let change = async |token: &str, body| server.send(Method::PATCH, &path, token, Some(&body)).await;
    let stores = async || server.send(Method::GET, "/api/v1/stores", &ada.access, None).await;
    stores().await.problem(403, "forbidden");
    change(&ada.access, json!({ "role": "admin" })).await.problem(403, "forbidden");
    assert_eq!(change(TOKEN, json!({ "role": "analyst" })).await.ok()["role"], "analyst");
    assert_eq!(stores().await.status, 200, "with the token that it has");
    change(TOKEN, json!({ "role": "king" })).await.problem(422, "invalid-body");

    let admin = server.session(server.account(Role::Admin).await, Role::Admin).await;
    let own = format!("/api/v1/accounts/{}", server.me(&admin).await.ok()["user_id"].as_str().unwrap());
    server.send(Method::PATCH, &own, &admin, Some(&json!({ "role": "shopper" }))).await.problem(409, "own-account");
    assert!(change(&admin, json!({ "disabled": true })).await.ok()["disabled_at"].is_string());
    server.me(&ada.access).await.problem(401, "unauthenticated");
    server.refresh(&ada.refresh).await.problem(401, "session-over");
    server.log_in("ada@example.com", PASSWORD).await.problem(403, "account-disabled");
    server.log_in("ada@example.com", "another password").await.problem(401, "wrong-credentials");
    assert!(change(&admin, json!({ "disabled": false })).await.ok()["disabled_at"].is_null());
    Tokens::of(&server.log_in("ada@example.com", PASSWORD).await);

    let listed = server.get_as_operator("/api/v1/accounts?email=ADA&role=analyst").await.ok();
    assert_eq!(listed["accounts"][0]["user_id"], ada.user_id);
    let page = server.get_as_operator("/api/v1/accounts?limit=1").await.ok();
    let next = page["next"].as_str().unwrap();
    let rest = server.get_as_operator(&format!("/api/v1/accounts?limit=1&after={next}")).await.ok();
    assert_ne!(page["accounts"][0]["user_id"], rest["accounts"][0]["user_id"]);
    assert!(rest["next"].is_null(), "{rest}");
    server.get_as_operator("/api/v1/accounts?limit=0").await.problem(400, "bad-parameter");
}
