//! Who guesses passwords has to wait, and learns nothing.

use reqwest::Method;
use serde_json::json;

use super::{PASSWORD, Server, Tokens};

#[tokio::test(flavor = "multi_thread")]
async fn an_address_waits_after_five_guesses_whether_it_has_an_account_or_not() {
    let Some(server) = Server::start().await else { return };
    let ada = server.register("ada@example.com").await;
    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            server.log_in(email, "something else").await.problem(401, "wrong-credentials");
        }
        // The right one too: it would show which of the guesses was it.
        let answer = server.log_in(email, PASSWORD).await;
        answer.problem(429, "too-many-attempts");
        let seconds: u32 = answer.header("retry-after").parse().unwrap();
        assert!((25..=31).contains(&seconds), "{seconds}");
    }
    assert_eq!(server.me(&ada.access).await.status, 200, "who is in stays in");
    let wrong = json!({ "current": PASSWORD, "password": "another good password" });
    server.send(Method::PUT, "/api/v1/auth/password", &ada.access, Some(&wrong)).await.problem(429, "too-many-attempts");
    // The wait over, one more guess doubles it.
    server.auth_sql("UPDATE login_attempts SET locked_until = now() - interval '1 second' WHERE email = 'ada@example.com'").await;
    server.log_in("ada@example.com", "something else").await.problem(401, "wrong-credentials");
    let seconds: u32 = server.log_in("ada@example.com", PASSWORD).await.header("retry-after").parse().unwrap();
    assert!((55..=61).contains(&seconds), "{seconds}");
    server.auth_sql("UPDATE login_attempts SET locked_until = now() - interval '1 second'").await;
    Tokens::of(&server.log_in("ada@example.com", PASSWORD).await);
    server.log_in("ada@example.com", "something else").await.problem(401, "wrong-credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_once_are_counted_each() {
    let Some(server) = Server::start().await else { return };
    server.register("ada@example.com").await;
    let answers = futures::future::join_all((0..30).map(|_| server.log_in("ada@example.com", "something else"))).await;
    let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with(401), with(429)), (5, 25));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_only_looks_alike_has_a_count_of_its_own() {
    let Some(server) = Server::start().await else { return };
    server.register("karl@example.com").await;
    // The sign of Kelvin, which some make small to `k`.
    let alike = "\u{212a}arl@example.com";
    server.register(alike).await;
    for _ in 0..4 {
        server.log_in("karl@example.com", "something else").await.problem(401, "wrong-credentials");
    }
    Tokens::of(&server.log_in(alike, PASSWORD).await);
    server.log_in("karl@example.com", "something else").await.problem(401, "wrong-credentials");
    server.log_in("karl@example.com", "something else").await.problem(429, "too-many-attempts");
}
