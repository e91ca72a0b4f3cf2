//! How many requests are taken of one caller.

use chimera_serving::api::access::Role;
use chimera_serving::api::payments::signature::sign;
use chimera_serving::api::rate_limit::{Rate, Rates};
use chimera_serving::api::{App, Limits, Parts, Proxies};
use chrono::Utc;
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::server::{Answer, PAYMENT_SECRET, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_taken_and_no_more_of_each_caller() {
    let slow = Rate { per_s: 1, burst: 5 };
    let rates = Rates { reads: Rate { per_s: 1, burst: 20 }, writes: slow, entrances: slow, counts_loopback: true };
    let Some(server) = Server::start_with(Limits { rates, ..Limits::default() }, None).await else { return };
    // Log-ins by address, whoever they are for; what was counted while they ran may let one more through.
    let log_ins = join_all((0..12).map(|i| {
        let body = json!({ "email": format!("nobody{i}@example.com"), "password": "wrong wrong wrong" });
        let server = &server;
        async move { server.post("/api/v1/auth/login", &body).await }
    }))
    .await;
    let refused: Vec<_> = log_ins.iter().filter(|answer| answer.status == 429).collect();
    assert!((6..=7).contains(&refused.len()), "{} of 12 were refused", refused.len());
    refused[0].problem(429, "too-many-requests");
    assert!(refused[0].header("retry-after").parse::<u32>().unwrap() >= 1);

    // Two accounts have each their own, and reads are not writes.
    for _ in 0..2 {
        let account = server.account(Role::Shopper).await;
        let token = server.session(account, Role::Shopper).await;
        let body = json!({ "carrier": 1 });
        let wrong = join_all((0..8).map(|_| server.send(Method::PUT, "/api/v1/users/me", &token, Some(&body)))).await;
        let refused = wrong.iter().filter(|answer| answer.status == 429).count();
        assert!((2..=3).contains(&refused), "{refused} of 8 were refused");
        assert_eq!(server.send(Method::GET, "/api/v1/auth/me", &token, None).await.status, 200);
    }
    // Who runs the server is not counted.
    for _ in 0..30 {
        assert_eq!(server.get_as_operator("/api/v1/stores").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_the_provider_are_counted_if_they_are_signed_wrongly() {
    let rates = Rates { entrances: Rate { per_s: 1, burst: 5 }, counts_loopback: true, ..Rates::default() };
    let Some(server) = Server::start_with(Limits { rates, ..Limits::default() }, None).await else { return };
    for (secret, taken, over) in [(PAYMENT_SECRET, 204, 0..=0), ("another secret", 400, 6..=7)] {
        let answers = join_all((0..12).map(|number| {
            let body = json!({ "id": format!("{secret}{number}"), "payment_id": Uuid::nil(), "status": "captured" }).to_string();
            let signature = sign(secret, body.as_bytes(), Utc::now().timestamp());
            Answer::of(server.request(Method::POST, "/api/v1/payments/events").header("provider-signature", signature).body(body))
        }))
        .await;
        let refused = answers.iter().filter(|answer| answer.status == 429).count();
        assert!(over.contains(&refused), "{refused} of 12 were refused");
        assert!(answers.iter().all(|answer| [429, taken].contains(&answer.status)));
    }
}

/// How many of twelve requests at once are refused, of which a proxy here says whom they are from.
async fn refused(server: &Server, base: &str, forwarded_for: &str) -> usize {
    let request = || server.client.get(format!("{base}/healthz")).header("x-forwarded-for", forwarded_for);
    let answers = join_all((0..12).map(|_| Answer::of(request()))).await;
    answers.iter().filter(|answer| answer.status == 429).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_behind_a_trusted_proxy_are_counted_each() {
    let Some(server) = Server::start().await else { return };
    let rates = Rates { reads: Rate { per_s: 1, burst: 5 }, ..Rates::default() };
    let limits = Limits { rates, ..Limits::default() };
    let proxies = Proxies::new(&["127.0.0.1".to_owned()]).unwrap();
    let behind = server.serve_too(App::new(Parts { limits: limits.clone(), proxies, ..server.parts() })).await;
    // Each has a burst of their own; what was counted while they ran may let one more through.
    for guest in ["198.51.100.7", "198.51.100.8", "[2001:db8::7]:4711"] {
        let over = refused(&server, &behind, guest).await;
        assert!((6..=7).contains(&over), "{over} of 12 were refused");
        // Nobody has a second one by writing something into the header.
        let over = refused(&server, &behind, &format!("192.0.2.66, {guest}")).await;
        assert!(over >= 8, "{over} of 12 were refused");
    }
    // Where no proxy is trusted the header is nothing, and this machine is not counted.
    let alone = server.serve_too(App::new(Parts { limits, ..server.parts() })).await;
    assert_eq!(refused(&server, &alone, "198.51.100.7").await, 0);
}
