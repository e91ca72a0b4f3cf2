//! Messages: written by the services, carried by a real RabbitMQ, taken by a real mail server and by programs that listen.

mod broker;
mod failures;
mod letters;
mod webhooks;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chimera_local::{Mail, TestRabbitMq, TestSmtp};
use chimera_serving::api::notifications::webhooks::Client;
use chimera_serving::api::notifications::{Broker, Mailer, Notifications, Topology};
use reqwest::Method;
use serde_json::{Value, json};

use super::server::{Server, TOKEN};

const FROM: &str = "The shop <shop@example.com>";
/// Longer than anything takes: a test waits for what happens, and for this only if it does not.
const AT_MOST: Duration = Duration::from_secs(60);

/// One RabbitMQ for the tests that leave it running; it ends with this process.
static RABBITMQ: LazyLock<Result<TestRabbitMq, String>> =
    LazyLock::new(|| TestRabbitMq::start().map_err(|error| if error.is_missing() { error.to_string() } else { panic!("{error}") }));

/// `None`: RabbitMQ is not installed, and the test is skipped.
async fn rabbitmq() -> Option<&'static TestRabbitMq> {
    match tokio::task::spawn_blocking(|| RABBITMQ.as_ref()).await.unwrap() {
        Ok(rabbitmq) => Some(rabbitmq),
        Err(why) => {
            eprintln!("skipped: {why}");
            None
        }
    }
}

/// A message is tried four times in one second, between queues that no other test has.
fn topology() -> Topology {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    Topology { name, retries: [100, 200, 400].map(Duration::from_millis).to_vec() }
}

fn notifications(url: &str, smtp: &TestSmtp, private_too: bool) -> Notifications {
    Notifications {
        broker: Broker::new(url, topology()),
        mailer: Mailer::smtp(&smtp.url(), FROM).unwrap(),
        webhooks: Client::new(private_too).unwrap(),
    }
}

/// A server, and the mail server that it has.
async fn start() -> Option<(Server, TestSmtp)> {
    let rabbitmq = rabbitmq().await?;
    let smtp = TestSmtp::start().unwrap();
    let server = Server::start_sending(notifications(&rabbitmq.url(), &smtp, true)).await?;
    Some((server, smtp))
}

/// Letters to one address, once there are so many.
fn letters(smtp: &TestSmtp, address: &str, count: usize) -> Vec<Mail> {
    let to = |mails: &[Mail]| mails.iter().filter(|mail| mail.to == [address]).cloned().collect::<Vec<_>>();
    let found = to(&tokio::task::block_in_place(|| smtp.wait(AT_MOST, |mails| to(mails).len() >= count)));
    assert!(found.len() >= count, "{} letters to {address}, in the place of {count}", found.len());
    found
}

impl Server {
    /// What the log of messages says of an address or a URL, newest first, once `enough` says that it is enough.
    async fn delivered(&self, recipient: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let path = format!("/api/v1/notifications?recipient={recipient}");
        let until = tokio::time::Instant::now() + AT_MOST;
        loop {
            let page = self.get_as_operator(&path).await.ok();
            let found = page["notifications"].as_array().unwrap();
            if enough(found) {
                return found.clone();
            }
            assert!(tokio::time::Instant::now() < until, "{page:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn delivered_as(&self, recipient: &str, status: &str) -> Value {
        self.delivered(recipient, |found| found.iter().any(|row| row["status"] == status)).await[0].clone()
    }

    /// Writes a message about an account, as the service does, that needs no account.
    async fn tell(&self, email: &str) {
        sqlx::query("INSERT INTO outbox (message_id, topic, email, data) VALUES (gen_random_uuid(), 'account.password_changed', $1, '{}')")
            .bind(email)
            .execute(&self.app.auth.pool)
            .await
            .unwrap();
    }

    async fn replay(&self, body: &Value) -> Value {
        self.send(Method::POST, "/api/v1/notifications/replay", TOKEN, Some(body)).await.ok()
    }

    async fn make_webhook(&self, url: &str, events: &[&str]) -> Value {
        let answer = self.send(Method::POST, "/api/v1/webhooks", TOKEN, Some(&json!({ "url": url, "events": events }))).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }
}
