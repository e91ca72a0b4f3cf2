//! A RabbitMQ that is not there, and one that is killed in the middle.

use std::collections::BTreeMap;
use std::time::Duration;

use chimera_local::{TestRabbitMq, TestSmtp};
use serde_json::json;

use super::super::server::Server;
use super::{AT_MOST, notifications};

/// Twice as long: the Erlang machine starts in this time too.
const WITH_A_START: Duration = Duration::from_secs(2 * AT_MOST.as_secs());

fn people(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|i| format!("person-{i}@example.com"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_the_broker_each_message_arrives_once() {
    let mut rabbitmq = match tokio::task::spawn_blocking(TestRabbitMq::start).await.unwrap() {
        Ok(rabbitmq) => rabbitmq,
        Err(error) if error.is_missing() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let smtp = TestSmtp::start().unwrap();
    // The shop starts and works before the broker does; what there is to tell waits.
    tokio::task::block_in_place(|| rabbitmq.crash()).unwrap();
    let Some(server) = Server::start_sending(notifications(&rabbitmq.url(), &smtp, true)).await else { return };
    let opened = server.post("/api/v1/auth/register", &json!({ "email": "early@example.com", "password": "correct horse battery" })).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&server.app.auth.pool).await.unwrap();
    assert_eq!((waiting, smtp.mails().len()), (1, 0));
    tokio::task::block_in_place(|| rabbitmq.start_again()).unwrap();
    tokio::task::block_in_place(|| smtp.wait(WITH_A_START, |mails| !mails.is_empty()));
    assert_eq!(smtp.mails()[0].to, ["early@example.com"]);

    // Some are on their way when it is killed, others are written while it is away.
    for person in people(0..150) {
        server.tell(&person).await;
    }
    tokio::task::block_in_place(|| smtp.wait(AT_MOST, |mails| mails.len() > 20));
    tokio::task::block_in_place(|| rabbitmq.crash()).unwrap();
    for person in people(150..200) {
        server.tell(&person).await;
    }
    tokio::task::block_in_place(|| rabbitmq.start_again()).unwrap();
    tokio::task::block_in_place(|| smtp.wait(WITH_A_START, |mails| mails.len() > 200));

    // Until nothing is on its way any more: not in the outbox, not in the log, and no copy in a queue.
    let until = tokio::time::Instant::now() + AT_MOST;
    loop {
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&server.app.auth.pool).await.unwrap();
        let unsent: i64 = sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE status <> 'sent'")
            .fetch_one(&server.app.databases.notifications)
            .await
            .unwrap();
        if (waiting, unsent) == (0, 0) {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{waiting} wait, {unsent} are not sent");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut arrived = BTreeMap::new();
    for mail in smtp.mails() {
        *arrived.entry(mail.to[0].clone()).or_insert(0) += 1;
    }
    let expected: BTreeMap<String, i32> = people(0..200).chain(["early@example.com".to_owned()]).map(|person| (person, 1)).collect();
    assert_eq!(arrived, expected);
}
