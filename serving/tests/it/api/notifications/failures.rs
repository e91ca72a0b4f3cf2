//! Mail servers that refuse, for now or for good.

use chimera_local::Trouble;
use serde_json::json;
use uuid::Uuid;

use super::super::server::Server;
use super::{letters, start};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_now_is_sent_later_and_once() {
    let Some((server, smtp)) = start().await else { return };
    smtp.trouble([Trouble::Refuse(451), Trouble::Refuse(421)]);
    server.tell("ada@example.com").await;
    letters(&smtp, "ada@example.com", 1);
    let delivery = server.delivered_as("ada@example.com", "sent").await;
    assert_eq!((&delivery["attempts"], &delivery["error"]), (&json!(3), &json!(null)));
    assert_eq!((smtp.refusals(), smtp.mails().len()), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_is_put_aside_and_can_be_sent_again() {
    let Some((server, smtp)) = start().await else { return };
    // One at once, the other after all its chances.
    smtp.trouble([Trouble::Refuse(550)]);
    server.tell("ada@example.com").await;
    let ada = server.delivered_as("ada@example.com", "dead").await;
    assert_eq!(ada["attempts"], 1);
    assert!(ada["error"].as_str().unwrap().contains("550"), "{ada}");
    smtp.trouble([Trouble::Refuse(450); 4]);
    server.tell("bob@example.com").await;
    let bob = server.delivered_as("bob@example.com", "dead").await;
    assert_eq!(bob["attempts"], 4);
    assert_eq!((smtp.refusals(), smtp.mails().len()), (5, 0));
    let dead = server.get_as_operator("/api/v1/notifications?status=dead").await.ok();
    assert_eq!(dead["notifications"].as_array().unwrap().len(), 2);

    // One of the two, which fails anew, and then goes; the other stays where it is.
    smtp.trouble([Trouble::Refuse(451)]);
    let told = server.replay(&json!({ "ids": [bob["id"], Uuid::nil()] })).await;
    assert_eq!(told, json!({ "replayed": 1, "left": 1 }));
    letters(&smtp, "bob@example.com", 1);
    assert_eq!(server.delivered_as("bob@example.com", "sent").await["attempts"], 2);
    assert_eq!(server.replay(&json!({})).await, json!({ "replayed": 1, "left": 0 }));
    letters(&smtp, "ada@example.com", 1);
    server.delivered_as("ada@example.com", "sent").await;
    assert_eq!(server.replay(&json!({})).await, json!({ "replayed": 0, "left": 0 }));
    assert_eq!(smtp.mails().len(), 2, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_put_aside_at_once() {
    let Some((server, smtp)) = start().await else { return };
    // A letter with a hole in it: there is no token.
    sqlx::query(
        "INSERT INTO outbox (message_id, topic, email, data) VALUES (gen_random_uuid(), 'account.verify_email', 'ada@example.com', '{}')",
    )
    .execute(&server.app.auth.pool)
    .await
    .unwrap();
    assert_eq!(server.delivered_as("ada@example.com", "dead").await["attempts"], 1);
    assert_eq!(smtp.mails().len(), 0);
}

/// SMTP has no way to ask whether a letter was taken: if the answer is lost, it is sent again. Its `Message-ID` is the same then.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_whose_answer_is_lost_comes_twice_under_one_id() {
    let Some((server, smtp)) = start().await else { return };
    smtp.trouble([Trouble::HangUp]);
    server.tell("ada@example.com").await;
    let copies = letters(&smtp, "ada@example.com", 2);
    assert_eq!(copies.len(), 2);
    assert!(copies[0].header("message-id").is_some());
    assert_eq!(copies[0].header("message-id"), copies[1].header("message-id"));
    assert_eq!(server.delivered_as("ada@example.com", "sent").await["attempts"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sends_nothing_says_so_and_keeps_what_there_is_to_tell() {
    let Some(server) = Server::start().await else { return };
    server.tell("ada@example.com").await;
    let answer = server.send(reqwest::Method::POST, "/api/v1/notifications/replay", super::TOKEN, Some(&json!({}))).await;
    answer.problem(503, "notifications-off");
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&server.app.auth.pool).await.unwrap();
    assert_eq!(kept, 1);
}
