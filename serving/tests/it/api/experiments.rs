//! Experiments: drafted, started, stopped; who is exposed is in the log, what came of it in a live view.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray};
use chimera_connectors::Frontier;
use chimera_connectors::log::Log;
use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::flags::{boolean, create as create_flag, evaluate, put as put_flag};
use super::server::{Answer, Server, TOKEN};

fn design(flag_key: &str) -> Value {
    json!({ "flag_key": flag_key, "shares": {"on": 4000, "off": 4000}, "control": "off", "window_days": 7 })
}

async fn post(server: &Server, path: &str, body: Option<&Value>) -> Answer {
    server.send(Method::POST, &format!("/api/v1/experiments{path}"), TOKEN, body).await
}

async fn draft(server: &Server, key: &str, design: &Value) {
    let answer = post(server, "", Some(&json!({ "key": key, "design": design }))).await;
    assert_eq!((answer.status, answer.header("etag")), (201, "\"1\""), "{}", answer.text());
}

/// The exposures in the log, once at least `count` are there.
async fn exposures(server: &Server, count: usize) -> Vec<Value> {
    let log: &dyn Log = &*server.app.log;
    let until = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let entries = log.read("clickstream", 0, 0, 10_000, Duration::ZERO).await.unwrap_or_default();
        if entries.len() >= count {
            return entries.iter().map(|entry| serde_json::from_slice(entry.record.value.as_ref().unwrap()).unwrap()).collect();
        }
        assert!(tokio::time::Instant::now() < until, "{} of {count} exposures came", entries.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_goes_from_draft_to_stopped_and_guards_its_flag() {
    let Some(server) = Server::start().await else { return };
    let definition = boolean(&json!([]));
    create_flag(&server, "checkout", &definition).await;
    post(&server, "", Some(&json!({ "key": "e1", "design": design("none") }))).await.problem(404, "flag-not-found");
    let wrong = json!({ "flag_key": "checkout", "shares": {"on": 9000, "blue": 2000, "off": 0}, "control": "red", "window_days": 0 });
    let problem = post(&server, "", Some(&json!({ "key": "e1", "design": wrong }))).await.problem(422, "invalid-body");
    let paths: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["design.shares", "design.shares", "design.control", "design.window_days"]);
    let missing = json!({ "flag_key": "checkout", "shares": {"on": 5000, "blue": 5000}, "control": "on", "window_days": 1 });
    post(&server, "", Some(&json!({ "key": "e1", "design": missing }))).await.problem(422, "invalid-body");

    draft(&server, "e1", &design("checkout")).await;
    post(&server, "", Some(&json!({ "key": "e1", "design": design("checkout") }))).await.problem(409, "experiment-key-taken");
    let put = async |etag: &str, body: &Value| {
        let request = server.request(Method::PUT, "/api/v1/experiments/e1").bearer_auth(TOKEN).header("if-match", etag);
        Answer::of(request.json(body)).await
    };
    let mut longer = design("checkout");
    longer["window_days"] = json!(14);
    assert_eq!(put("\"1\"", &longer).await.ok()["window_days"], 14);
    put("\"1\"", &longer).await.problem(412, "changed-meanwhile");
    post(&server, "/e1/stop", None).await.problem(409, "experiment-state");
    assert_eq!(post(&server, "/e1/start", None).await.ok()["status"], "running");
    let again = post(&server, "/e1/start", None).await.ok();
    assert_eq!((&again["status"], &again["version"]), (&json!("running"), &json!(3)));
    put("\"3\"", &longer).await.problem(409, "experiment-state");

    let mut other = definition.clone();
    other["variants"]["third"] = json!(true);
    assert_eq!(put_flag(&server, "checkout", "*", &other).await.problem(409, "experiment-running")["experiment"], "e1");
    server.send(Method::DELETE, "/api/v1/flags/checkout", TOKEN, None).await.problem(409, "experiment-running");
    // It can be switched off all the same.
    let mut off = definition.clone();
    off["is_enabled"] = json!(false);
    put_flag(&server, "checkout", "*", &off).await.ok();
    let of_flag = server.get_as_operator("/api/v1/experiments?flag_key=checkout&status=running").await.ok();
    assert_eq!((of_flag["experiments"].as_array().unwrap().len(), &of_flag["next"]), (1, &Value::Null));

    assert_eq!(post(&server, "/e1/stop", None).await.ok()["status"], "stopped");
    assert_eq!(post(&server, "/e1/stop", None).await.ok()["version"], 4);
    assert_eq!(post(&server, "/e1/start", None).await.problem(409, "experiment-state")["experiment_status"], "stopped");
    put_flag(&server, "checkout", "*", &other).await.ok();
    server.get_as_operator("/api/v1/experiments/e2").await.problem(404, "experiment-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_drafts_of_a_flag_one_runs() {
    let Some(server) = Server::start().await else { return };
    create_flag(&server, "raced", &boolean(&json!([]))).await;
    let paths: Vec<String> = (0..6).map(|n| format!("/e{n}/start")).collect();
    for n in 0..6 {
        draft(&server, &format!("e{n}"), &design("raced")).await;
    }
    let answers = futures::future::join_all(paths.iter().map(|path| post(&server, path, None))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(409)), (1, 5));
    let running = server.get_as_operator("/api/v1/experiments?status=running").await.ok();
    assert_eq!(running["experiments"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_exposed_is_in_the_log_once_with_the_variant_that_they_saw() {
    let Some(server) = Server::start().await else { return };
    create_flag(
        &server,
        "checkout",
        &boolean(&json!([{"conditions": [{"attribute": "staff", "op": "eq", "value": true}], "serve": {"variant": "on"}}])),
    )
    .await;
    draft(&server, "e1", &design("checkout")).await;
    let before = evaluate(&server, "checkout", &json!({"targetingKey": "s0"})).await;
    assert_eq!((&before["reason"], &before["metadata"]["experiment"]), (&json!("DEFAULT"), &Value::Null));
    post(&server, "/e1/start", None).await.ok();
    let mut seen = BTreeMap::new();
    for n in 0..60 {
        let key = format!("s{n}");
        let found = evaluate(&server, "checkout", &json!({"targetingKey": key})).await;
        if found["metadata"]["experiment"] == "e1" {
            assert_eq!(found["reason"], "SPLIT");
            seen.insert(key, found["variant"].as_str().unwrap().to_owned());
        } else {
            assert_eq!((&found["reason"], &found["variant"]), (&json!("DEFAULT"), &json!("off")));
        }
    }
    assert!((30..60).contains(&seen.len()), "four of five take part: {}", seen.len());
    assert_eq!(seen.values().collect::<BTreeSet<_>>().len(), 2);
    // Again, of all flags at once, by staff, and by nobody in particular: none of it is news.
    let (somebody, variant) = seen.first_key_value().unwrap();
    server.post("/ofrep/v1/evaluate/flags", &json!({"context": {"targetingKey": somebody}})).await.ok();
    evaluate(&server, "checkout", &json!({"targetingKey": "s-staff", "staff": true})).await;
    evaluate(&server, "checkout", &json!({})).await;
    let attributes = json!({"customer_id": "c1"}).as_object().unwrap().clone();
    // That their customer is known is.
    assert_eq!(server.app.flags.is_on("checkout", somebody, attributes), variant == "on");

    let logged = exposures(&server, seen.len() + 1).await;
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for event in &logged {
        assert_eq!((&event["type"], &event["experiment"]), (&json!("exposure"), &json!("e1")));
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        told.insert(text("session_id"), text("variant"));
        ids.entry(text("event_id")).or_insert_with(Vec::new).push(text("session_id"));
        let time = |name: &str| chrono::DateTime::parse_from_rfc3339(event[name].as_str().unwrap()).unwrap();
        assert_eq!((time("window_ends_at") - time("occurred_at")).num_hours(), 7 * 24);
    }
    assert_eq!(told, seen);
    assert_eq!((logged.len(), ids.len()), (seen.len() + 1, seen.len()), "the second one of somebody has the id of the first");
    let of_customer: Vec<&Value> = logged.iter().filter(|event| event["customer_id"] == "c1").map(|event| &event["session_id"]).collect();
    assert_eq!(of_customer, [&json!(somebody)]);

    // Clients do not say what they were shown.
    let event = json!({"events": [{"type": "exposure", "session_id": "s", "sku": "A"}]});
    server.post("/api/v1/events", &event).await.problem(422, "invalid-body");
    let event = json!({"events": [{"type": "view", "session_id": "s", "sku": "A", "experiment": "e1", "variant": "on"}]});
    server.post("/api/v1/events", &event).await.problem(422, "invalid-body");
    post(&server, "/e1/stop", None).await.ok();
    let after = evaluate(&server, "checkout", &json!({"targetingKey": somebody})).await;
    assert_eq!((&after["variant"], &after["reason"]), (&json!("off"), &json!("DEFAULT")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_exposed_while_logged_in_is_known_by_their_account() {
    let Some(server) = Server::start().await else { return };
    create_flag(&server, "checkout", &boolean(&json!([]))).await;
    let all = json!({ "flag_key": "checkout", "shares": {"on": 5000, "off": 5000}, "control": "off", "window_days": 1 });
    draft(&server, "e1", &all).await;
    post(&server, "/e1/start", None).await.ok();
    let account = server.account(Role::Shopper).await;
    let token = server.session(account, Role::Shopper).await;
    let at = "/ofrep/v1/evaluate/flags";
    let single = format!("{at}/checkout");
    let context = |session: &str| json!({ "context": {"targetingKey": session, "customer_id": "another"} });
    server.send(Method::POST, &single, &token, Some(&context("s1"))).await.ok();
    server.send(Method::POST, at, &token, Some(&context("s2"))).await.ok();
    server.send(Method::POST, &single, &token, Some(&json!({ "context": {"targetingKey": "s3"} }))).await.ok();
    server.post(&single, &context("s4")).await.ok();
    server.send(Method::POST, &single, TOKEN, Some(&context("s5"))).await.ok();
    let logged = exposures(&server, 5).await;
    let told: BTreeMap<String, Value> =
        logged.iter().map(|event| (event["session_id"].as_str().unwrap().to_owned(), event["customer_id"].clone())).collect();
    assert_eq!(json!(told), json!({"s1": account, "s2": account, "s3": account, "s4": "another", "s5": "another"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_noted_last_is_written_when_the_server_stops() {
    let Some(server) = Server::start().await else { return };
    create_flag(&server, "checkout", &boolean(&json!([]))).await;
    let all = json!({ "flag_key": "checkout", "shares": {"on": 5000, "off": 5000}, "control": "off", "window_days": 1 });
    draft(&server, "e1", &all).await;
    post(&server, "/e1/start", None).await.ok();
    let (log, app) = (server.app.log.clone(), server.app.clone());
    for n in 0..1200 {
        app.flags.is_on("checkout", &format!("s{n}"), serde_json::Map::new());
    }
    server.stop().await;
    let entries = log.read("clickstream", 0, 0, 10_000, Duration::ZERO).await.unwrap();
    let subjects: BTreeSet<_> = entries.iter().map(|entry| entry.record.key.clone().unwrap()).collect();
    assert_eq!((entries.len(), subjects.len()), (1200, 1200));
}

/// Rows as the pipeline writes them: experiment, variant, subjects, converted, orders, revenue and squares in their last digits.
type Row = (&'static str, &'static str, [i64; 3], [i128; 2]);

async fn fill(server: &Server, rows: &[Row]) {
    let numbers = |at: usize| Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2[at]))) as ArrayRef;
    let decimals = |at: usize, precision, scale| {
        let values = Decimal128Array::from_iter_values(rows.iter().map(|row| row.3[at]));
        Arc::new(values.with_precision_and_scale(precision, scale).unwrap()) as ArrayRef
    };
    let texts = |text: fn(&Row) -> &'static str| Arc::new(StringArray::from_iter_values(rows.iter().map(text))) as ArrayRef;
    let batch = RecordBatch::try_from_iter([
        ("experiment", texts(|row| row.0)),
        ("variant", texts(|row| row.1)),
        ("subjects", numbers(0)),
        ("converted", numbers(1)),
        ("orders", numbers(2)),
        ("revenue", decimals(0, 20, 3)),
        ("revenue_squares", decimals(1, 38, 6)),
    ]);
    server.fill(1, "view", "experiments.variants", 2, &[], batch.unwrap()).await;
    server.board.set("experiments.variants", Frontier::default(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_the_views_counts_and_what_follows_from_them() {
    let Some(server) = Server::start().await else { return };
    create_flag(&server, "checkout", &boolean(&json!([]))).await;
    draft(&server, "e1", &design("checkout")).await;
    draft(&server, "e2", &design("checkout")).await;
    let results = async |key: &str| server.get_as_operator(&format!("/api/v1/experiments/{key}/results")).await;
    results("e1").await.problem(503, "store-not-ready");
    // Newcombe's example: 56 of 70, and 48 of 80. Each of the 56 spent 10, each of the 48 spent 20.
    let rows: [Row; 3] = [
        ("e1", "off", [80, 48, 50], [960_000, 19_200_000_000]),
        ("e1", "on", [70, 56, 60], [560_000, 5_600_000_000]),
        ("e10", "on", [9, 9, 9], [1, 1]),
    ];
    fill(&server, &rows).await;
    let found = results("e1").await.ok();
    let (off, on) = (&found["variants"][0], &found["variants"][1]);
    assert_eq!([&off["variant"], &off["is_control"], &off["versus_control"]], [&json!("off"), &json!(true), &Value::Null]);
    assert_eq!(
        [&on["variant"], &on["subjects"], &on["converted"], &on["orders"], &on["revenue"]],
        [&json!("on"), &json!(70), &json!(56), &json!(60), &json!("560.000")]
    );
    let is_close = |value: &Value, wanted: f64| assert!((value.as_f64().unwrap() - wanted).abs() < 1e-6, "{value} for {wanted}");
    let difference = &on["versus_control"]["conversion_difference"];
    is_close(&difference["estimate"], 0.2);
    is_close(&difference["low"], 0.052_431_5);
    is_close(&difference["high"], 0.333_872_7);
    // 10 for 0.8 of 70: the variance is 100 · 0.8 · 0.2 · 70/69. 20 for 0.6 of 80: 400 · 0.6 · 0.4 · 80/79.
    let (a, b) = (16.0 / 69.0, 96.0 / 79.0);
    is_close(&on["revenue_per_subject"]["estimate"], 8.0);
    is_close(&on["revenue_per_subject"]["high"], 8.0 + 1.959_963_985 * f64::sqrt(a));
    is_close(&on["versus_control"]["revenue_difference"]["estimate"], -4.0);
    is_close(&on["versus_control"]["revenue_difference"]["low"], -4.0 - 1.959_963_985 * f64::sqrt(a + b));
    let p_value = on["versus_control"]["sequential_p_value"].as_f64().unwrap();
    assert!((0.05..=1.0).contains(&p_value), "a hundred and fifty say little, however they look: {p_value}");
    // 70 and 80 of 75 each: the statistic is 2/3, of one degree (erfc of its half's root, by mpmath).
    is_close(&found["sample_ratio_p_value"], 0.414_216_178_2);
    assert_eq!(found["is_sample_ratio_suspicious"], false);
    let empty = results("e2").await.ok();
    assert_eq!([&empty["variants"][0]["conversion"], &empty["sample_ratio_p_value"]], [&Value::Null, &Value::Null]);
    results("none").await.problem(404, "experiment-not-found");
}
