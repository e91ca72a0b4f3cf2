use chimera_serving::api::access::Role;
use chimera_serving::shop::databases::begin;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::super::server::{Answer, Server, TOKEN};
use super::{boolean, create, evaluate, put};

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_is_made_changed_and_archived_and_every_step_is_kept() {
    let Some(server) = Server::start().await else { return };
    let merchandiser = server.account(Role::Merchandiser).await;
    let token = server.session(merchandiser, Role::Merchandiser).await;
    let first = boolean(&json!([]));
    let body = json!({ "key": "new-checkout", "definition": first });
    let made = server.send(Method::POST, "/api/v1/flags", &token, Some(&body)).await;
    assert_eq!((made.status, made.header("location"), made.header("etag")), (201, "/api/v1/flags/new-checkout", "\"1\""));
    server.send(Method::POST, "/api/v1/flags", &token, Some(&body)).await.problem(409, "flag-key-taken");

    let second = boolean(&json!([{"serve": {"variant": "on"}}]));
    let changed = put(&server, "new-checkout", "\"1\"", &second).await;
    assert_eq!((changed.ok()["version"].clone(), changed.header("etag")), (json!(2), "\"2\""));
    assert_eq!(put(&server, "new-checkout", "\"1\"", &first).await.problem(412, "changed-meanwhile")["version"], 2);
    let without = server.send(Method::PUT, "/api/v1/flags/new-checkout", TOKEN, Some(&first)).await;
    without.problem(428, "precondition-required");
    let text = json!({ "type": "string", "variants": {"on": ""}, "default_variant": "on", "off_variant": "on", "is_enabled": true });
    put(&server, "new-checkout", "\"2\"", &text).await.problem(422, "invalid-body");
    put(&server, "nothing", "*", &first).await.problem(404, "flag-not-found");
    let read = server.get_as_operator("/api/v1/flags/new-checkout").await;
    assert_eq!(
        (read.ok()["definition"]["rules"].clone(), read.header("etag")),
        (json!([{"conditions": [], "serve": {"variant": "on"}}]), "\"2\"")
    );

    let archive = async || server.send(Method::DELETE, "/api/v1/flags/new-checkout", TOKEN, None).await;
    assert_eq!(archive().await.status, 204);
    archive().await.problem(409, "flag-archived");
    put(&server, "new-checkout", "*", &first).await.problem(409, "flag-archived");
    server.send(Method::POST, "/api/v1/flags", &token, Some(&body)).await.problem(409, "flag-key-taken");
    assert_eq!(server.get_as_operator("/api/v1/flags").await.ok()["flags"], json!([]));
    let all = server.get_as_operator("/api/v1/flags?include_archived=true").await.ok();
    assert!(all["flags"][0]["archived_at"].is_string());

    let changes = server.get_as_operator("/api/v1/flags/new-checkout/changes").await.ok();
    let kept: Vec<_> = changes["changes"].as_array().unwrap().iter().map(|c| (&c["version"], &c["action"], &c["changed_by"])).collect();
    let by = json!(merchandiser);
    assert_eq!(
        kept,
        [(&json!(3), &json!("archived"), &Value::Null), (&json!(2), &json!("changed"), &Value::Null), (&json!(1), &json!("created"), &by)]
    );
    assert_eq!([&changes["changes"][1]["before"]["rules"], &changes["changes"][2]["before"]], [&json!([]), &Value::Null]);
    let page = server.get_as_operator("/api/v1/flags/new-checkout/changes?limit=2").await.ok();
    assert_eq!((page["next"].clone(), page["changes"].as_array().unwrap().len()), (json!(2), 2));
    let rest = server.get_as_operator("/api/v1/flags/new-checkout/changes?limit=2&before=2").await.ok();
    assert_eq!((rest["next"].clone(), rest["changes"][0]["version"].clone()), (Value::Null, json!(1)));
    server.get_as_operator("/api/v1/flags/none/changes").await.problem(404, "flag-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_change_the_same_version_one_does() {
    let Some(server) = Server::start().await else { return };
    create(&server, "raced", &boolean(&json!([]))).await;
    let change = boolean(&json!([{"serve": {"variant": "on"}}]));
    let answers = futures::future::join_all((0..8).map(|_| put(&server, "raced", "\"1\"", &change))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(412)), (1, 7));
    let made = json!({ "key": "once", "definition": change });
    let answers = futures::future::join_all((0..8).map(|_| server.send(Method::POST, "/api/v1/flags", TOKEN, Some(&made)))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(409)), (1, 7));
    let changes: i64 = sqlx::query_scalar("SELECT count(*) FROM flag_changes").fetch_one(&server.app.databases.flags).await.unwrap();
    assert_eq!(changes, 3, "what was refused left no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_told_and_lists_have_pages() {
    let Some(server) = Server::start().await else { return };
    let send = async |body: Value| server.send(Method::POST, "/api/v1/flags", TOKEN, Some(&body)).await;
    send(json!({ "key": "A b", "definition": boolean(&json!([])) })).await.problem(422, "invalid-body");
    let wrong =
        boolean(&json!([{"conditions": [{"attribute": "age", "op": "gt", "value": "x"}], "serve": {"split": {"on": 6000, "none": 6000}}}]));
    let problem = send(json!({ "key": "a", "definition": wrong })).await.problem(422, "invalid-body");
    let paths: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    let rule = "definition.rules[0]";
    assert_eq!(paths, [format!("{rule}.conditions[0].value"), format!("{rule}.serve.split"), format!("{rule}.serve.split")]);
    // A character that PostgreSQL's JSON cannot hold is the client's fault, not ours.
    let nul = json!({ "type": "string", "variants": {"a": "x\0"}, "default_variant": "a", "off_variant": "a", "is_enabled": true });
    send(json!({ "key": "a", "definition": nul })).await.problem(422, "invalid-body");
    server.get_as_operator("/api/v1/flags/a%00b").await.problem(404, "flag-not-found");
    for key in ["b", "a", "a-1", "a_1"] {
        create(&server, key, &boolean(&json!([]))).await;
    }
    let keys =
        |page: &Value| page["flags"].as_array().unwrap().iter().map(|flag| flag["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let first = server.get_as_operator("/api/v1/flags?limit=3").await.ok();
    assert_eq!((keys(&first), &first["next"]), (vec!["a".into(), "a-1".into(), "a_1".into()], &json!("a_1")));
    let second = server.get_as_operator("/api/v1/flags?limit=3&after=a_1").await.ok();
    assert_eq!((keys(&second), &second["next"]), (vec!["b".to_owned()], &Value::Null));
    server.get_as_operator("/api/v1/flags?limit=101").await.problem(400, "bad-parameter");
}

/// Another server writes, the database goes away, something that cannot be read is there: this one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_change_is_seen_and_without_the_database_the_flags_stay() {
    let Some(server) = Server::start().await else { return };
    let pool = &server.app.databases.flags;
    create(&server, "shared", &boolean(&json!([{"serve": {"variant": "on"}}]))).await;
    create(&server, "strange", &boolean(&json!([]))).await;
    let is_on = || server.app.flags.is_on("shared", "someone", Map::new());
    assert!(is_on());
    assert!(!server.app.flags.is_on("none", "someone", Map::new()));
    // As another server would.
    let mut transaction = begin(pool).await.unwrap();
    for statement in [
        "UPDATE flag_revision SET revision = revision + 1",
        "UPDATE flags SET definition = jsonb_set(definition, '{is_enabled}', 'false') WHERE key = 'shared'",
        "UPDATE flags SET definition = '{\"type\": \"of tomorrow\"}' WHERE key = 'strange'",
    ] {
        sqlx::query(statement).execute(&mut *transaction).await.unwrap();
    }
    assert!(is_on());
    transaction.commit().await.unwrap();
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while is_on() {
        assert!(tokio::time::Instant::now() < until, "the change was not seen");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(evaluate(&server, "shared", &json!({})).await["reason"], "DISABLED");
    let strange = server.post("/ofrep/v1/evaluate/flags/strange", &json!({})).await;
    assert_eq!((strange.status, &strange.json()["errorCode"]), (404, &json!("FLAG_NOT_FOUND")));
    pool.close().await;
    assert!(server.app.flags.refresh().await.is_err());
    assert_eq!(evaluate(&server, "shared", &json!({})).await["reason"], "DISABLED");
    let request = server.request(Method::GET, "/api/v1/flags").bearer_auth(TOKEN);
    Answer::of(request).await.problem(503, "unavailable");
}
