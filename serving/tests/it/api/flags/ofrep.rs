use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::server::{Answer, Server, TOKEN, pretty};
use super::{boolean, create, evaluate, put};

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_is_answered_as_the_protocol_says() {
    let Some(server) = Server::start().await else { return };
    let rules = json!([
        {"conditions": [{"attribute": "country", "op": "eq", "value": "NO"}], "serve": {"variant": "on"}},
        {"conditions": [{"attribute": "app", "op": "semver_gte", "value": "2.0.0"}], "serve": {"split": {"on": 10000}}},
    ]);
    create(&server, "new-checkout", &boolean(&rules)).await;
    insta::assert_snapshot!(pretty(&evaluate(&server, "new-checkout", &json!({"country": "NO"})).await), @r#"
    {
      "key": "new-checkout",
      "metadata": {
        "version": 1
      },
      "reason": "TARGETING_MATCH",
      "value": true,
      "variant": "on"
    }
    "#);
    assert_eq!(evaluate(&server, "new-checkout", &json!({"country": "SE"})).await["reason"], "DEFAULT");
    assert_eq!(evaluate(&server, "new-checkout", &json!({"app": "2.1.0", "targetingKey": "s1"})).await["reason"], "SPLIT");
    let at = "/ofrep/v1/evaluate/flags/new-checkout";
    let missing = server.post(at, &json!({"context": {"app": "2.1.0"}})).await;
    assert_eq!(missing.status, 400);
    insta::assert_snapshot!(pretty(&missing.json()), @r#"
    {
      "errorCode": "TARGETING_KEY_MISSING",
      "errorDetails": "A rule of this flag splits, and the context has no `targetingKey`.",
      "key": "new-checkout"
    }
    "#);
    let unknown = server.post("/ofrep/v1/evaluate/flags/none", &json!({"context": {}})).await;
    assert_eq!(
        (unknown.status, unknown.json()),
        (404, json!({"key": "none", "errorCode": "FLAG_NOT_FOUND", "errorDetails": "There is no such flag."}))
    );
    let context = server.post(at, &json!({"context": {"targetingKey": 7}})).await;
    assert_eq!((context.status, &context.json()["errorCode"]), (400, &json!("INVALID_CONTEXT")));
    let body = Answer::of(server.request(Method::POST, at).header("content-type", "application/json").body("{")).await;
    assert_eq!((body.status, &body.json()["errorCode"], &body.json()["key"]), (400, &json!("PARSE_ERROR"), &json!("new-checkout")));
    server.post(at, &json!({"context": {"x": "y".repeat(70_000)}})).await.problem(413, "body-too-large");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_flags_come_with_an_etag_that_changes_with_what_they_are() {
    let Some(server) = Server::start().await else { return };
    let at = "/ofrep/v1/evaluate/flags";
    create(&server, "a", &boolean(&json!([]))).await;
    create(&server, "b", &boolean(&json!([{"serve": {"split": {"on": 5000}}}]))).await;
    let ask = async |context: Value, known: &str| {
        Answer::of(server.request(Method::POST, at).header("if-none-match", known).json(&json!({ "context": context }))).await
    };
    let nobody = ask(json!({}), "\"x\"").await;
    assert_eq!(nobody.status, 200);
    assert_eq!(nobody.json()["flags"][0]["reason"], "STATIC");
    assert_eq!(nobody.json()["flags"][1]["errorCode"], "TARGETING_KEY_MISSING", "one flag fails, the others do not");
    let first = ask(json!({"targetingKey": "s1"}), "").await;
    let etag = first.header("etag").to_owned();
    assert_eq!(first.json()["flags"][1]["reason"], "SPLIT");
    let again = ask(json!({"targetingKey": "s1"}), &format!("\"x\", W/{etag}")).await;
    assert_eq!((again.status, again.text(), again.header("etag")), (304, "", etag.as_str()));
    put(&server, "a", "\"1\"", &boolean(&json!([{"serve": {"variant": "on"}}]))).await.ok();
    let after = ask(json!({"targetingKey": "s1"}), &etag).await;
    assert_eq!((after.status, &after.json()["flags"][0]["value"]), (200, &json!(true)));
    assert_eq!(after.json()["flags"][1]["variant"], first.json()["flags"][1]["variant"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_servers_is_not_there_for_others() {
    let Some(server) = Server::start().await else { return };
    let mut definition = boolean(&json!([]));
    definition["is_server_only"] = json!(true);
    create(&server, "fraud-check", &definition).await;
    let (at, body) = ("/ofrep/v1/evaluate/flags", json!({"context": {}}));
    let single = format!("{at}/fraud-check");
    assert_eq!(server.post(&single, &body).await.status, 404);
    assert_eq!(server.post(at, &body).await.ok()["flags"], json!([]));
    for (role, is_told) in
        [(Role::Shopper, false), (Role::Merchandiser, false), (Role::Analyst, false), (Role::Service, true), (Role::Admin, true)]
    {
        let token = server.session(server.account(role).await, role).await;
        let status = server.send(Method::POST, &single, &token, Some(&body)).await.status;
        assert_eq!(status, if is_told { 200 } else { 404 }, "{role:?}");
        let all = server.send(Method::POST, at, &token, Some(&body)).await.ok();
        assert_eq!(all["flags"].as_array().unwrap().len(), usize::from(is_told), "{role:?}");
    }
    assert_eq!(server.send(Method::POST, &single, TOKEN, Some(&body)).await.status, 200);
}
