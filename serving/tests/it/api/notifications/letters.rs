//! What people are written.

use std::time::Duration;

use chimera_local::Trouble;
use chimera_serving::api::access::Role;
use chimera_serving::api::notifications::{Channel, Message};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::checkout::{Shopper, flow::wait_until_done};
use super::super::server::{PASSWORD, Server};
use super::{letters, start};

/// An amount as people write it, in another way than the templates do.
fn amount(cents: &Value, currency: &str) -> String {
    format!("{:.2} {currency}", rust_decimal::Decimal::new(cents.as_i64().unwrap(), 2))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_account_gets_one_letter_and_its_token_is_good() {
    let Some((server, smtp)) = start().await else { return };
    let email = "Ada.Lovelace+shop@example.com";
    let opened = server.post("/api/v1/auth/register", &json!({ "email": email, "password": "correct horse battery" })).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    let letter = letters(&smtp, email, 1).remove(0);
    assert_eq!(letter.from, "shop@example.com");
    assert_eq!(letter.header("subject"), Some("Confirm your e-mail address"));
    assert_eq!(letter.header("auto-submitted"), Some("auto-generated"));
    let text = letter.text();
    let (_, rest) = text.split_once("https://shop.example.com/account/verify-email?token=").expect("a link");
    let token = rest.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).next().unwrap();
    let verified = server.post("/api/v1/auth/verify-email", &json!({ "token": token })).await;
    assert_eq!(verified.status, 204, "{}", verified.text());

    let delivery = server.delivered_as(&email.replace('+', "%2B"), "sent").await;
    let id = delivery["id"].as_str().unwrap();
    assert_eq!((&delivery["channel"], &delivery["attempts"]), (&json!("email"), &json!(1)));
    assert_eq!(letter.header("message-id"), Some(format!("<{id}@example.com>").as_str()));
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&server.app.auth.pool).await.unwrap();
    assert_eq!(left, 0, "what was handed over is not in the outbox any more");

    // It comes again, ten times, as when its row could not be removed: it is not sent again.
    let message = Message {
        id: id.parse().unwrap(),
        topic: "account.verify_email".to_owned(),
        email: Some(email.to_owned()),
        data: json!({ "token": "cho_another" }),
        created_at: chrono::Utc::now(),
        webhook_id: None,
    };
    let copies: Vec<_> = (0..10).map(|_| message.clone().by(Channel::Email)).collect();
    server.app.notifications.as_ref().unwrap().broker.publish(&copies).await.unwrap();
    server.tell("somebody-else@example.com").await;
    letters(&smtp, "somebody-else@example.com", 1);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(letters(&smtp, email, 1).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_handed_out_to_whose_address_it_is() {
    let Some((server, smtp)) = start().await else { return };
    let email = "ada@example.com";
    let opened = server.post("/api/v1/auth/register", &json!({ "email": email, "password": PASSWORD })).await.json();
    server.tell("somebody-else@example.com").await;
    for address in [email, "somebody-else@example.com"] {
        letters(&smtp, address, 1);
        server.delivered_as(address, "sent").await;
    }
    // A guest's order, who gave this address.
    let guests = "INSERT INTO deliveries (id, channel, topic, recipient, status, attempts, claimed_until)
        VALUES (gen_random_uuid(), 'email', 'order.shipped', 'ADA@example.com', 'sent', 1, now())";
    sqlx::query(guests).execute(&server.app.databases.notifications).await.unwrap();
    let bearer = opened["access_token"].as_str().unwrap();
    let exported = async || -> Vec<(String, String)> {
        let export = server.send(Method::GET, "/api/v1/users/me/export", bearer, None).await.ok();
        let text = |letter: &Value, name: &str| letter[name].as_str().unwrap().to_owned();
        export["letters"].as_array().unwrap().iter().map(|letter| (text(letter, "topic"), text(letter, "status"))).collect()
    };
    let own = ("account.verify_email".to_owned(), "sent".to_owned());
    assert_eq!(exported().await, std::slice::from_ref(&own), "the address may be another person's");
    sqlx::query("UPDATE credentials SET email_verified_at = now()").execute(&server.app.auth.pool).await.unwrap();
    assert_eq!(exported().await, [own, ("order.shipped".to_owned(), "sent".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_who_is_erased_is_not_sent_any_more() {
    let Some((server, smtp)) = start().await else { return };
    let email = "gone@example.com";
    smtp.trouble([Trouble::Refuse(550)]);
    let opened = server.post("/api/v1/auth/register", &json!({ "email": email, "password": PASSWORD })).await.json();
    server.delivered_as(email, "dead").await;
    let bearer = opened["access_token"].as_str().unwrap();
    let erased = server.send(Method::DELETE, "/api/v1/users/me", bearer, Some(&json!({ "password": PASSWORD }))).await;
    assert_eq!(erased.status, 204, "{}", erased.text());
    // It is written down as dead a moment before it lies there.
    let mut replayed = json!(0);
    for _ in 0..200 {
        replayed = server.replay(&json!({})).await["replayed"].take();
        if replayed != 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(replayed, 1);
    server.tell("somebody-else@example.com").await;
    letters(&smtp, "somebody-else@example.com", 1);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(smtp.mails().len(), 1, "what was replayed is dropped");
    let kept: Vec<(String, String)> = sqlx::query_as("SELECT recipient, status FROM deliveries WHERE topic = 'account.verify_email'")
        .fetch_all(&server.app.databases.notifications)
        .await
        .unwrap();
    assert_eq!(kept, [(String::new(), "dropped".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_erased_is_in_no_log() {
    let Some((server, smtp)) = start().await else { return };
    let (email, password) = ("gone@example.com", PASSWORD);
    let opened = server.post("/api/v1/auth/register", &json!({ "email": email, "password": password })).await.json();
    letters(&smtp, email, 1);
    server.delivered_as(email, "sent").await;
    let bearer = opened["access_token"].as_str().unwrap();
    let erased = server.send(Method::DELETE, "/api/v1/users/me", bearer, Some(&json!({ "password": password }))).await;
    assert_eq!(erased.status, 204, "{}", erased.text());
    server.delivered(email, <[Value]>::is_empty).await;
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE recipient = '' AND status = 'sent'")
        .fetch_one(&server.app.databases.notifications)
        .await
        .unwrap();
    assert_eq!(kept, 1, "that something was sent stays known");
}

/// An order of three mugs and a lamp.
async fn ordered(server: &Server, shopper: &mut Shopper<'_>, key: &str) -> Value {
    shopper.put_in("MUG", 3).await;
    shopper.put_in("LAMP", 1).await;
    let answer = shopper.bought(key, "tok_visa").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    wait_until_done(server).await;
    answer.json()["order"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_is_told_of_every_step_with_the_right_amounts() {
    let Some((server, smtp)) = start().await else { return };
    server.product("MUG", 33_333, 6).await;
    server.product("LAMP", 1999, 2).await;
    let mut shopper = Shopper::account(&server).await;
    let order = ordered(&server, &mut shopper, "a").await;
    let (number, currency) = (order["number"].as_str().unwrap(), order["currency"].as_str().unwrap());
    let address = order["email"].as_str().unwrap();
    let total = amount(&order["total_cents"], currency);
    let confirmation = letters(&smtp, address, 1).remove(0);
    assert_eq!(confirmation.header("subject"), Some(format!("Your order {number}").as_str()));
    let text = confirmation.text().replace(',', "");
    assert!(text.contains(&format!("Total: {total}")) && text.contains(&format!("<strong>Total: {total}</strong>")), "{text}");
    for item in order["items"].as_array().unwrap() {
        let line = format!("{} x {}: {}", item["quantity"], item["name"].as_str().unwrap(), amount(&item["paid_cents"], currency));
        assert!(text.contains(&line), "{line}: {text}");
    }

    let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
    let clerk = server.account(Role::Merchandiser).await;
    let clerk = server.session(clerk, Role::Merchandiser).await;
    let post = async |path: String, key: &str, body: Value| {
        let request = server.request(Method::POST, &path).bearer_auth(&clerk).header("idempotency-key", key).json(&body);
        super::super::server::Answer::of(request).await.ok()
    };
    let mug = order["items"].as_array().unwrap().iter().find(|item| item["sku"] == "MUG").unwrap()["line_no"].clone();
    let parcel = json!({ "carrier": "Royal Mail", "tracking_number": "RM<1>", "items": [{ "line_no": mug, "quantity": 2 }] });
    for _ in 0..2 {
        post(format!("{path}/shipments"), "s1", parcel.clone()).await;
    }
    let shipped = letters(&smtp, address, 2).remove(1).text();
    assert!(shipped.contains("Royal Mail") && shipped.contains("RM<1>") && shipped.contains("RM&lt;1&gt;"), "{shipped}");
    assert!(shipped.contains("2 x MUG") && !shipped.contains("LAMP") && shipped.contains("The rest follows."), "{shipped}");
    let sent = post(format!("{path}/shipments"), "s2", json!({ "carrier": "Royal Mail" })).await;
    let rest = letters(&smtp, address, 3).remove(2).text();
    assert!(rest.contains("1 x MUG") && rest.contains("1 x LAMP") && rest.contains("That is all of it."), "{rest}");
    for shipment in sent["shipments"].as_array().unwrap() {
        post(format!("{path}/shipments/{}/delivered", shipment["id"].as_str().unwrap()), "", json!({})).await;
    }
    assert_eq!(letters(&smtp, address, 4)[3].header("subject"), Some(format!("Your order {number} has arrived").as_str()));

    let back = json!({ "reason": "too small", "items": [{ "line_no": mug, "quantity": 1 }] });
    for (i, decision) in ["refused", "received"].into_iter().enumerate() {
        let asked = shopper.send(Method::POST, &format!("{path}/returns"), Some(decision), Some(&back)).await.ok();
        let id = asked["returns"][i]["id"].as_str().unwrap();
        post(format!("{path}/returns/{id}"), "", json!({ "decision": decision })).await;
    }
    // The refusal, the return, and its refund.
    let last: Vec<String> = letters(&smtp, address, 7).split_off(4).iter().map(|letter| letter.text().replace(',', "")).collect();
    let now = shopper.send(Method::GET, &path, None, None).await.ok();
    let refund = amount(&now["returns"][1]["refund_cents"], currency);
    assert!(last.iter().any(|text| text.contains("We cannot take") && text.contains("1 x MUG")), "{last:?}");
    assert!(last.iter().any(|text| text.contains("are back with us") && text.contains(&refund)), "{last:?}");
    assert!(last.iter().any(|text| text.contains(&format!("{refund} for your order {number} were given back"))), "{last:?}");

    // Each once.
    let told = server.delivered(address, |found| found.len() == 7 && found.iter().all(|row| row["status"] == "sent")).await;
    let mut topics: Vec<&str> = told.iter().map(|row| row["topic"].as_str().unwrap()).collect();
    topics.sort_unstable();
    let all = ["order.confirmation", "order.delivered", "order.refunded", "order.return_received", "order.return_refused"];
    assert_eq!(topics, [&all[..], &["order.shipped", "order.shipped"]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_is_told_once_and_one_that_was_not_paid_not_at_all() {
    let Some((server, smtp)) = start().await else { return };
    server.product("MUG", 250, 3).await;
    server.product("LAMP", 1999, 1).await;
    let mut shopper = Shopper::account(&server).await;
    shopper.put_in("MUG", 3).await;
    shopper.bought("declined", "tok_capture_declined").await.problem(402, "payment-refused");
    wait_until_done(&server).await;
    shopper.send(Method::DELETE, "/api/v1/cart", None, None).await;
    let order = ordered(&server, &mut shopper, "a").await;
    let address = order["email"].as_str().unwrap();
    let cancel = format!("/api/v1/orders/{}/cancel", order["id"].as_str().unwrap());
    let why = json!({ "reason": "ordered <by> mistake" });
    futures::future::join_all((0..5).map(|_| shopper.send(Method::POST, &cancel, None, Some(&why)))).await;
    let told = letters(&smtp, address, 3);
    let total = amount(&order["total_cents"], order["currency"].as_str().unwrap());
    let cancelled = told.iter().find(|letter| letter.header("subject").unwrap().contains("is cancelled")).expect("a letter").text();
    assert!(cancelled.contains("ordered <by> mistake") && cancelled.contains("ordered &lt;by&gt; mistake"), "{cancelled}");
    assert!(cancelled.contains(&format!("{total} will be given back")), "{cancelled}");
    let told = server.delivered(address, |found| found.len() >= 3 && found.iter().all(|row| row["status"] == "sent")).await;
    let mut topics: Vec<&str> = told.iter().map(|row| row["topic"].as_str().unwrap()).collect();
    topics.sort_unstable();
    assert_eq!(topics, ["order.cancelled", "order.confirmation", "order.refunded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_page_by_page_and_holds_no_secrets() {
    let Some((server, smtp)) = start().await else { return };
    for i in 0..5 {
        server.tell(&format!("reader-{i}@example.com")).await;
    }
    let opened = server.post("/api/v1/auth/register", &json!({ "email": "last@example.com", "password": "correct horse battery" })).await;
    assert_eq!(opened.status, 201);
    tokio::task::block_in_place(|| smtp.wait(super::AT_MOST, |mails| mails.len() >= 6));
    for i in 0..5 {
        server.delivered_as(&format!("reader-{i}@example.com"), "sent").await;
    }
    server.delivered_as("last@example.com", "sent").await;
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let page = server.get_as_operator(&format!("/api/v1/notifications?limit=2&status=sent{before}")).await.ok();
        assert!(!page.to_string().contains("cho_"), "{page}");
        seen.extend(page["notifications"].as_array().unwrap().iter().map(|row| row["recipient"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    seen.sort_unstable();
    let mut all: Vec<String> = (0..5).map(|i| format!("reader-{i}@example.com")).collect();
    all.insert(0, "last@example.com".to_owned());
    assert_eq!(seen, all);
    let verifications = server.get_as_operator("/api/v1/notifications?topic=account.verify_email&channel=email").await.ok();
    assert_eq!(verifications["notifications"].as_array().unwrap().len(), 1);
    for wrong in ["status=lost", "limit=0", "limit=201", "before=x", "topic=", "subject=x"] {
        server.get_as_operator(&format!("/api/v1/notifications?{wrong}")).await.problem(400, "bad-parameter");
    }
}
