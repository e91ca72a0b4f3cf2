//! Several at once.

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{Merchandiser, id};
use crate::api::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_changes_of_one_state_one_wins() {
    let Some(server) = Server::start().await else { return };
    let someone = &Merchandiser::of(&server).await;
    let made = someone.add("/api/v1/catalog/products", json!({ "sku": "A", "name": "A", "price_cents": 1, "currency": "GBP" })).await;
    let path = &format!("/api/v1/catalog/products/{}", id(&made));
    let answers = join_all((0..20).map(|number| async move {
        let name = format!("name {number}");
        match number % 4 {
            0 => someone.change(Method::PUT, path, "\"1\"", Some(json!({ "name": name }))).await,
            1 => someone.change(Method::PATCH, path, "\"1\"", Some(json!({ "name": name }))).await,
            2 => {
                someone
                    .change(Method::PUT, &format!("{path}/price"), "\"1\"", Some(json!({ "price_cents": number, "currency": "GBP" })))
                    .await
            }
            _ => someone.change(Method::DELETE, path, "\"1\"", None).await,
        }
    }))
    .await;
    let won = answers.iter().filter(|answer| answer.status < 300).count();
    assert_eq!(won, 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status >= 300) {
        answer.problem(412, "changed-meanwhile");
    }
    assert_eq!(someone.get(path).await.ok()["version"], 2);
    // Patches of whatever is there are all done, one after another.
    let answers = join_all((0..20).map(|number| async move {
        let patch = if number % 2 == 0 { json!({ "name": "even" }) } else { json!({ "description": "odd" }) };
        someone.change(Method::PATCH, path, "*", Some(patch)).await
    }))
    .await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    let product = someone.get(path).await.ok();
    assert_eq!((&product["version"], &product["name"], &product["description"]), (&json!(22), &json!("even"), &json!("odd")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sku_names_one_thing_however_many_want_it_at_once() {
    let Some(server) = Server::start().await else { return };
    let someone = &Merchandiser::of(&server).await;
    let made = someone.add("/api/v1/catalog/products", json!({ "sku": "PARENT", "name": "A", "price_cents": 1, "currency": "GBP" })).await;
    let variants = &format!("/api/v1/catalog/products/{}/variants", id(&made));
    let answers = join_all((0..20).map(|number| async move {
        if number % 2 == 0 {
            someone.post(variants, json!({ "sku": "ONE" })).await
        } else {
            someone.post("/api/v1/catalog/products", json!({ "sku": "ONE", "name": "A", "price_cents": 1, "currency": "GBP" })).await
        }
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_moves_at_once_make_a_circle() {
    let Some(server) = Server::start().await else { return };
    let someone = &Merchandiser::of(&server).await;
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(id(&someone.add("/api/v1/catalog/categories", json!({ "name": name })).await).to_owned());
    }
    let ids = &ids;
    for round in 0..5 {
        // A below B, B below C, C below A: any two can be, all three cannot.
        let answers = join_all((0..3).map(|number| async move {
            let (name, parent) = (["A", "B", "C"][number], &ids[(number + 1) % 3]);
            let path = format!("/api/v1/catalog/categories/{}", ids[number]);
            someone.change(Method::PUT, &path, "*", Some(json!({ "name": name, "parent_id": parent }))).await
        }))
        .await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 2, "round {round}: {answers:?}");
        let refused = answers.iter().find(|answer| answer.status != 200).unwrap();
        refused.problem(409, "category-cycle");
        let reachable: i64 = sqlx::query_scalar(
            "WITH RECURSIVE tree AS (SELECT id FROM categories WHERE parent_id IS NULL
                 UNION SELECT c.id FROM categories c JOIN tree ON c.parent_id = tree.id) SELECT count(*) FROM tree",
        )
        .fetch_one(&server.app.databases.catalog)
        .await
        .unwrap();
        assert_eq!(reachable, 3, "round {round}");
        sqlx::query("UPDATE categories SET parent_id = NULL").execute(&server.app.databases.catalog).await.unwrap();
    }
}
