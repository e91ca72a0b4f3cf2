//! How many requests are taken of one caller.

use chimera_serving::api::Limits;
use chimera_serving::api::access::Role;
use chimera_serving::api::rate_limit::{Rate, Rates};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::server::Server;

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
