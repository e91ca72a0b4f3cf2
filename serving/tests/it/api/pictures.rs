//! Pictures in requests and in the catalogue.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, ListArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use chimera_models::{ImageTower, TowerConfig};
use chimera_serving::api::Limits;
use image::{ImageFormat, Rgb, RgbImage};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use uuid::Uuid;

use super::freshness::redis_set;
use super::server::{Answer, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_bounded_and_of_a_known_kind() {
    let Some(server) = Server::start().await else { return };
    let raw = |kind: &'static str, body: Vec<u8>| {
        Answer::of(server.request(Method::POST, "/api/v1/visual-search").header("content-type", kind).body(body))
    };
    raw("image/gif", vec![1]).await.problem(415, "unsupported-media-type");
    raw("text/html", vec![1]).await.problem(415, "unsupported-media-type");
    assert_eq!(raw("image/png", vec![0; (8 << 20) + 1]).await.problem(413, "body-too-large")["limit_bytes"], 8 << 20);
    let form = |form: Form| Answer::of(server.request(Method::POST, "/api/v1/visual-search").multipart(form));
    form(Form::new().text("picture", "x")).await.problem(422, "invalid-body");
    form(Form::new().part("image", Part::bytes(vec![0; 9 << 20]))).await.problem(413, "body-too-large");
    raw("multipart/form-data", vec![1]).await.problem(422, "invalid-body");
    // This server has no model; a picture that came whole is told that.
    form(Form::new().part("image", Part::bytes(vec![1, 2, 3]))).await.problem(503, "no-image-model");
    raw("image/jpeg", vec![1, 2, 3]).await.problem(503, "no-image-model");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_the_catalogue_are_served_to_be_kept() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1).await;
    let sql = "INSERT INTO product_images (product_id, position, media_type, content) SELECT id, $1, $2, $3 FROM products RETURNING id";
    let insert = async |position: i32, kind: &str, content: &[u8]| -> uuid::Uuid {
        sqlx::query_scalar(sql).bind(position).bind(kind).bind(content).fetch_one(&server.app.databases.catalog).await.unwrap()
    };
    let id = insert(0, "image/png", b"the bytes").await;
    let answer = server.get(&format!("/api/v1/images/{id}")).await;
    assert_eq!((answer.status, answer.header("content-type"), &*answer.body), (200, "image/png", &b"the bytes"[..]));
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    let tag = answer.header("etag").to_owned();
    let again = Answer::of(server.request(Method::GET, &format!("/api/v1/images/{id}")).header("if-none-match", tag)).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    // A drawing with a script inside is not shown as one.
    let svg = insert(1, "image/svg+xml", b"<svg/>").await;
    assert_eq!(server.get(&format!("/api/v1/images/{svg}")).await.header("content-type"), "application/octet-stream");
    server.get("/api/v1/images/00000000-0000-0000-0000-000000000000").await.problem(404, "image-not-found");
}

/// A picture of one of three patterns.
fn drawing(pattern: u32, format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(120, 90, |x, y| match pattern {
        0 => Rgb([220, (x * 2) as u8, 30]),
        1 if (x / 15 + y / 15) % 2 == 0 => Rgb([10, 10, 10]),
        1 => Rgb([240, 240, 240]),
        _ if (x as i32 - 60).pow(2) + (y as i32 - 45).pow(2) < 900 => Rgb([20, 60, 200]),
        _ => Rgb([250, 250, 245]),
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A PNG of a few bytes that says it is 60,000 pixels wide and high.
pub fn bomb() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let checked = [kind, data].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&checked);
        png.extend(checked);
        png.extend(crc.sum().to_be_bytes());
    };
    chunk(b"IHDR", &[60_000_u32.to_be_bytes(), 60_000_u32.to_be_bytes()].concat().into_iter().chain([8, 2, 0, 0, 0]).collect::<Vec<u8>>());
    chunk(b"IDAT", &[0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]);
    chunk(b"IEND", &[]);
    png
}

#[tokio::test(flavor = "multi_thread")]
async fn the_product_in_a_picture_is_found_and_bad_pictures_are_refused() {
    let tower = match tokio::task::spawn_blocking(|| ImageTower::load(&TowerConfig::default())).await.unwrap() {
        Ok(tower) => Arc::new(tower),
        Err(error @ chimera_models::Error::LibraryMissing { .. }) => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let Some(server) = Server::start_with(Limits::default(), Some(tower.clone())).await else { return };
    let ids: Vec<Uuid> = (0..3_u128).map(|i| Uuid::from_u128(0x7000 + i)).collect();
    // The first product has two pictures; it is found once.
    let owners = [ids[0], ids[1], ids[2], ids[0]];
    let vectors: Vec<f32> = [0, 1, 2, 0].iter().flat_map(|pattern| tower.embed(&drawing(*pattern, ImageFormat::Png)).unwrap()).collect();
    let field = Arc::new(Field::new("item", DataType::Float32, true));
    let embeddings = ListArray::new(field, OffsetBuffer::from_lengths([tower.dim(); 4]), Arc::new(Float32Array::from(vectors)), None);
    let text = |values: Vec<String>| Arc::new(StringArray::from(values)) as ArrayRef;
    let images = RecordBatch::try_from_iter([
        ("image_id", text((0..4).map(|i| format!("image-{i}")).collect())),
        ("product_id", text(owners.iter().map(Uuid::to_string).collect())),
        ("sku", text(owners.iter().map(|id| format!("SKU-{id}")).collect())),
        ("embedding", Arc::new(embeddings) as ArrayRef),
    ]);
    server.fill(1, "vector", "visual_index.images", 1, &[("index", "products"), ("embedding", "embedding")], images.unwrap()).await;
    for id in &ids {
        let document = format!(r#"{{"id":"{id}","sku":"SKU-{id}","name":"n","price_cents":1,"currency":"GBP"}}"#);
        redis_set(&server, &format!("product:{id}"), &document).await;
    }
    let send = async |form: bool, kind: &'static str, picture: Vec<u8>| {
        let request = server.request(Method::POST, "/api/v1/visual-search?limit=2");
        let part = || Part::bytes(picture.clone()).file_name("picture");
        Answer::of(if form {
            request.multipart(Form::new().text("note", "hello").part("image", part()))
        } else {
            request.header("content-type", kind).body(picture)
        })
        .await
    };
    for (pattern, id) in ids.iter().enumerate() {
        for form in [true, false] {
            let body = send(form, "image/png", drawing(pattern as u32, ImageFormat::Png)).await.ok();
            let hits = body["hits"].as_array().unwrap();
            assert_eq!(hits.len(), 2, "{body}");
            assert_eq!(hits[0]["id"], id.to_string());
            assert!(hits[0]["similarity"].as_f64().unwrap() > 0.999 && hits[1]["id"] != hits[0]["id"], "{body}");
            assert_eq!(body["meta"]["store"], "visual_index.images");
        }
        let jpeg = send(false, "image/jpeg", drawing(pattern as u32, ImageFormat::Jpeg)).await.ok();
        assert_eq!(jpeg["hits"][0]["id"], id.to_string(), "{jpeg}");
    }
    let whole = drawing(1, ImageFormat::Png);
    send(false, "image/png", whole[..whole.len() / 2].to_vec()).await.problem(422, "bad-picture");
    let jpeg = drawing(2, ImageFormat::Jpeg);
    send(true, "", jpeg[..jpeg.len() / 2].to_vec()).await.problem(422, "bad-picture");
    send(true, "", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()).await.problem(415, "unsupported-media-type");
    send(false, "image/png", Vec::new()).await.problem(415, "unsupported-media-type");
    let problem = send(true, "", bomb()).await.problem(413, "picture-too-large");
    assert!(problem["detail"].as_str().unwrap().contains("60000 × 60000"), "{problem}");
}
