//! Importing products from files.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Merchandiser, reached};
use crate::api::server::{Answer, Server};

const CSV: &str = "\
sku,parent_sku,name,description,brand,category,price_cents,currency,is_active,attributes
MUG,,Blue mug,\"Round, \"\"blue\"\"\",Dear,Kitchen > Mugs,899,GBP,true,
MUG-R,MUG,,,,,950,,,\"{\"\"colour\"\": \"\"red\"\"}\"
POT,,Tea pot,,Cheap,Kitchen > Pots,2.50,GBP,true,
LAMP,,Lamp,,Dear,Lights,1999,,,
,,Nameless,,,,1,GBP,,
CUP,,Cup,,New one,Mugs,100,GBP,,
JUG,,Jug,,,,,GBP,,
BAG-R,BAG,,,,,,,,
MUG,,,,,,910,,,
";

/// All that an import can change, but times.
async fn state(server: &Server) -> Value {
    sqlx::query_scalar(
        "SELECT jsonb_build_object(
             'products', (SELECT jsonb_agg(to_jsonb(p) - '{created_at,updated_at}'::text[] ORDER BY sku) FROM products p),
             'variants', (SELECT jsonb_agg(to_jsonb(v) - '{created_at,updated_at}'::text[] ORDER BY variant_sku) FROM product_variants v),
             'categories', (SELECT jsonb_agg(to_jsonb(c) - '{created_at,updated_at}'::text[] ORDER BY name) FROM categories c),
             'brands', (SELECT jsonb_agg(to_jsonb(b) - '{created_at,updated_at}'::text[] ORDER BY name) FROM brands b),
             'prices', (SELECT count(*) FROM price_changes))",
    )
    .fetch_one(&server.app.databases.catalog)
    .await
    .unwrap()
}

impl Merchandiser<'_> {
    async fn import(&self, query: &str, kind: &'static str, file: impl Into<reqwest::Body>) -> Answer {
        let request = self.server.request(Method::POST, &format!("/api/v1/catalog/import{query}")).bearer_auth(&self.token);
        Answer::of(request.header("content-type", kind).body(file)).await
    }
}

fn counts(report: &Value) -> [u64; 5] {
    ["lines", "created", "updated", "unchanged", "failed"].map(|name| report[name].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_good_and_bad_lines_is_taken_line_by_line_and_twice_is_as_once() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let empty = state(&server).await;
    let tried = someone.import("?dry_run=true", "text/csv", CSV).await;
    assert_eq!((tried.ok()["dry_run"].as_bool(), tried.header("chimera-position")), (Some(true), ""));
    assert_eq!(state(&server).await, empty);

    let answer = someone.import("", "text/csv; charset=utf-8", CSV).await;
    let report = answer.ok();
    reached(&answer);
    // MUG, its variant and LAMP are new; the second line of MUG changes it.
    assert_eq!(counts(&report), [9, 3, 1, 0, 5], "{report}");
    assert_eq!((&report["brands_created"], &report["categories_created"]), (&json!(1), &json!(3)));
    let faults: Vec<(u64, &str, &str)> = report["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["line"].as_u64().unwrap(), fault["sku"].as_str().unwrap_or("-"), fault["message"].as_str().unwrap()))
        .collect();
    assert_eq!(
        faults,
        [
            (4, "POT", "`price_cents`: `2.50` is not a whole number of hundredths"),
            (6, "-", "`sku`: this is empty"),
            (7, "CUP", "`category`: there is a category `Mugs` at another place of the tree"),
            (8, "JUG", "a product that is new needs `name` and `price_cents`"),
            (9, "BAG-R", "`parent_sku`: there is no such product"),
        ]
    );
    // A dry run says the same, but writes nothing.
    let mut promised = tried.ok();
    promised["dry_run"] = json!(false);
    assert_eq!(promised, report);
    type Row = (String, String, Option<String>, i32, Option<String>, Option<String>, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT sku, p.name, p.description, base_price_cents, b.name, c.name, is_active FROM products p
         LEFT JOIN brands b ON b.id = brand_id LEFT JOIN categories c ON c.id = category_id ORDER BY sku",
    )
    .fetch_all(&server.app.databases.catalog)
    .await
    .unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        rows,
        [
            ("LAMP".into(), "Lamp".into(), None, 1999, text("Dear"), text("Lights"), true),
            ("MUG".into(), "Blue mug".into(), text("Round, \"blue\""), 910, text("Dear"), text("Mugs"), true),
        ]
    );
    let variants: Vec<(String, Value, Option<i32>)> = sqlx::query_as("SELECT variant_sku, attributes, price_cents FROM product_variants")
        .fetch_all(&server.app.databases.catalog)
        .await
        .unwrap();
    assert_eq!(variants, [("MUG-R".to_owned(), json!({ "colour": "red" }), Some(950))]);
    let tree: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT c.name, p.name FROM categories c LEFT JOIN categories p ON p.id = c.parent_id ORDER BY c.name")
            .fetch_all(&server.app.databases.catalog)
            .await
            .unwrap();
    assert_eq!(tree, [("Kitchen".to_owned(), None), ("Lights".to_owned(), None), ("Mugs".to_owned(), text("Kitchen"))]);
    let by: Vec<uuid::Uuid> =
        sqlx::query_scalar("SELECT changed_by FROM price_changes").fetch_all(&server.app.databases.catalog).await.unwrap();
    assert_eq!(by, [someone.user_id]);

    // Without the line that changes MUG twice, the file is what is there: nothing is written, not even a version.
    let settled = CSV.replace(",899,", ",910,");
    let before = state(&server).await;
    let again = someone.import("", "text/csv", settled).await.ok();
    assert_eq!(counts(&again), [9, 0, 0, 4, 5], "{again}");
    assert_eq!(state(&server).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_change_what_they_name_only() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let first = [
        json!({ "sku": "A", "name": "A", "description": "Long", "brand": "Dear", "price_cents": 100, "currency": "EUR", "is_active": false }),
        json!({ "sku": "B", "name": "B", "price_cents": 5 }),
        json!({ "sku": "A-1", "parent_sku": "A", "attributes": { "size": 1 } }),
    ];
    let lines = |lines: &[Value]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    assert_eq!(counts(&someone.import("", "application/x-ndjson", lines(&first)).await.ok()), [3, 3, 0, 0, 0]);
    let second = [
        json!({ "sku": "A", "price_cents": 120 }),
        json!({ "sku": "A", "is_active": true }),
        json!({ "sku": "A-1", "parent_sku": "A", "price_cents": 7 }),
        json!({ "sku": "A-1", "name": "a product", "price_cents": 1 }),
        json!({ "sku": "A-1", "parent_sku": "B" }),
        json!({ "sku": "B", "parent_sku": "A" }),
        json!({ "sku": "C", "name": "C", "price_cents": 1.5 }),
    ];
    let report = someone.import("", "application/x-ndjson", lines(&second)).await.ok();
    assert_eq!(counts(&report), [7, 0, 3, 0, 4], "{report}");
    let faulty: Vec<&Value> = report["faults"].as_array().unwrap().iter().map(|fault| &fault["line"]).collect();
    assert_eq!(faulty, [&json!(4), &json!(5), &json!(6), &json!(7)]);
    let state = state(&server).await;
    let a = &state["products"][0];
    assert_eq!(
        [&a["base_price_cents"], &a["currency"], &a["is_active"], &a["description"], &a["version"]],
        [&json!(120), &json!("EUR"), &json!(true), &json!("Long"), &json!(3)]
    );
    assert_eq!([&state["variants"][0]["attributes"], &state["variants"][0]["price_cents"]], [&json!({ "size": 1 }), &json!(7)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_taken_change_nothing() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    someone.import("", "application/json", "{}").await.problem(415, "unsupported-media-type");
    someone.import("", "text/csv", "sku,price\nA,1\n").await.problem(422, "invalid-body");
    someone.import("?dryrun=true", "text/csv", CSV).await.problem(400, "bad-parameter");
    let line = "{\"sku\":\"A\",\"name\":\"A\",\"price_cents\":1}\n";
    let problem = someone.import("", "application/x-ndjson", line.repeat(100_001)).await.problem(413, "body-too-large");
    assert_eq!(problem["limit_lines"], 100_000);
    // Without an announced length, so that it is noticed on the way.
    let chunks = futures::stream::iter((0..34).map(|_| Ok::<_, std::io::Error>(vec![b'\n'; 1 << 20])));
    someone.import("", "application/x-ndjson", reqwest::Body::wrap_stream(chunks)).await.problem(413, "body-too-large");
    let products: i64 = sqlx::query_scalar("SELECT count(*) FROM products").fetch_one(&server.app.databases.catalog).await.unwrap();
    assert_eq!(products, 0);
    assert_eq!(counts(&someone.import("", "application/x-ndjson", "").await.ok()), [0; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_at_once_make_each_product_once() {
    let Some(server) = Server::start().await else { return };
    let someone = &Merchandiser::of(&server).await;
    let file = &(0..1_200)
        .map(|number| {
            let (brand, category) = (number % 7, number % 11);
            let line = json!({ "sku": format!("S{number}"), "name": format!("Thing {number}"), "price_cents": number, "brand": format!("Brand {brand}"),
                "category": format!("Top {} > Sub {category}", category % 3) });
            let variant = json!({ "sku": format!("S{number}-V"), "parent_sku": format!("S{number}") });
            format!("{line}\n{variant}\n")
        })
        .collect::<String>();
    let answers =
        futures::future::join_all((0..4).map(|_| async move { someone.import("", "application/x-ndjson", file.clone()).await.ok() })).await;
    let sum = |name: &str| answers.iter().map(|report| report[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(["created", "updated", "unchanged", "failed"].map(sum), [2_400, 0, 3 * 2_400, 0]);
    assert_eq!(["brands_created", "categories_created"].map(sum), [7, 3 + 11]);
    let highest: i64 = sqlx::query_scalar("SELECT max(version) FROM products").fetch_one(&server.app.databases.catalog).await.unwrap();
    assert_eq!(highest, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn scratch_of_size() {
    let Some(server) = Server::start().await else { return };
    let someone = &Merchandiser::of(&server).await;
    let mut file = "sku,name,description,brand,category,price_cents,currency,is_active\n".to_owned();
    for number in 0..100_000 {
        file.push_str(&format!(
            "S{number},Thing {number},{},Brand {},Top {} > Sub {},{number},GBP,true\n",
            "word ".repeat(40),
            number % 70,
            number % 3,
            number % 12
        ));
    }
    for _ in 0..2 {
        let start = std::time::Instant::now();
        let report = someone.import("", "text/csv", file.clone()).await.ok();
        eprintln!("SCRATCH {} bytes {:?} {:?}", file.len(), counts(&report), start.elapsed());
    }
    let start = std::time::Instant::now();
    let report = someone.import("?dry_run=true", "text/csv", file.replace(",true", ",false")).await.ok();
    eprintln!("SCRATCH dry {:?} {:?}", counts(&report), start.elapsed());
}
