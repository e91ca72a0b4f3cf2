//! Pictures of products: taken in, looked at, put in order, removed.

use std::io::Cursor;
use std::time::Duration;

use chimera_serving::api::catalog::pictures::sweep::sweep;
use image::{ImageFormat, Rgb, RgbImage};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Merchandiser, id, reached};
use crate::api::pictures::bomb;
use crate::api::server::{Answer, Server};

/// Left half red, right half blue.
fn halves(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([220, 20, 20]) } else { Rgb([20, 20, 220]) });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG of a camera that was held upright, with its owner's name in the metadata, and a page behind the picture.
fn from_a_camera() -> Vec<u8> {
    let jpeg = halves(1200, 600, ImageFormat::Jpeg);
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    // Two entries: Orientation (0x112) is 6, "turn it clockwise"; Artist (0x13b) is text after the directory, which ends at 38.
    tiff.extend(b"\x02\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\x3b\x01\x02\0\x0c\0\0\0\x26\0\0\0\0\0\0\0");
    tiff.extend(b"Secret Name\0");
    let mut exif = b"Exif\0\0".to_vec();
    exif.extend(tiff);
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    bytes.extend(exif);
    bytes.extend(&jpeg[2..]);
    bytes.extend(b"<script>alert('behind')</script>");
    bytes
}

fn decoded(answer: &Answer) -> RgbImage {
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/jpeg"));
    image::load_from_memory_with_format(&answer.body, ImageFormat::Jpeg).unwrap().to_rgb8()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

impl Merchandiser<'_> {
    async fn upload(&self, path: &str, kind: &'static str, file: Vec<u8>) -> Answer {
        let request = self.server.request(Method::POST, path).bearer_auth(&self.token).header("content-type", kind);
        Answer::of(request.body(file)).await
    }

    /// The path of the pictures of a new product.
    async fn pictures(&self) -> String {
        let body = json!({ "sku": "MUG", "name": "Mug", "price_cents": 1, "currency": "GBP" });
        format!("/api/v1/catalog/products/{}/images", id(&self.add("/api/v1/catalog/products", body).await))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_comes_out_upright_and_clean_in_two_sizes() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let path = someone.pictures().await;
    let file = from_a_camera();
    assert!(contains(&file, b"Secret Name") && contains(&file, b"<script>"));
    let answer = someone.upload(&path, "image/jpeg", file).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    reached(&answer);
    let made = answer.json()["images"][0].clone();
    assert_eq!((&made["position"], &made["large_width_px"], &made["large_height_px"]), (&json!(0), &json!(600), &json!(1200)));
    assert_eq!(answer.header("location"), made["url"].as_str().unwrap());
    let get = async |query: &str| server.get(&format!("/api/v1/images/{}{query}", id(&made))).await;
    for (query, size) in [("", (600, 1200)), ("?size=large", (600, 1200)), ("?size=preview", (256, 512))] {
        let answer = get(query).await;
        let picture = decoded(&answer);
        assert_eq!(picture.dimensions(), size, "{query}");
        let (above, below) = (picture.get_pixel(size.0 / 2, size.1 / 8).0, picture.get_pixel(size.0 / 2, size.1 * 7 / 8).0);
        assert!(above[0] > 180 && above[2] < 70 && below[2] > 180 && below[0] < 70, "{query}: {above:?} above {below:?}");
        for part in [&b"Exif"[..], b"Secret", b"<script>"] {
            assert!(!contains(&answer.body, part), "{query} holds {part:?}");
        }
        assert!(answer.body.ends_with(&[0xff, 0xd9]), "{query}");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    }
    // What pipelines look at is the preview.
    let content: Vec<u8> = sqlx::query_scalar("SELECT content FROM product_images").fetch_one(&server.app.databases.catalog).await.unwrap();
    assert_eq!(content, get("?size=preview").await.body);
    assert_ne!(get("").await.header("etag"), get("?size=preview").await.header("etag"));
    get("?size=huge").await.problem(400, "bad-parameter");
    // One of before there were large ones.
    let sql = "INSERT INTO product_images (product_id, position, media_type, content) SELECT id, 9, 'image/png', 'old' FROM products RETURNING id";
    let old: Uuid = sqlx::query_scalar(sql).fetch_one(&server.app.databases.catalog).await.unwrap();
    for query in ["", "?size=preview"] {
        assert_eq!(server.get(&format!("/api/v1/images/{old}{query}")).await.text(), "old");
    }
    server.get(&format!("/api/v1/images/{old}?size=large")).await.problem(404, "image-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_or_too_large_is_refused_and_leaves_nothing() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let path = someone.pictures().await;
    someone.upload(&path, "text/plain", b"hello".to_vec()).await.problem(415, "unsupported-media-type");
    someone.upload(&path, "image/gif", b"GIF89a".to_vec()).await.problem(415, "unsupported-media-type");
    // What the header says is not believed.
    someone.upload(&path, "image/png", b"just a text".to_vec()).await.problem(415, "unsupported-media-type");
    someone.upload(&path, "image/jpeg", Vec::new()).await.problem(415, "unsupported-media-type");
    let png = halves(100, 100, ImageFormat::Png);
    someone.upload(&path, "image/png", png[..png.len() / 2].to_vec()).await.problem(422, "bad-picture");
    let problem = someone.upload(&path, "image/png", bomb()).await.problem(413, "picture-too-large");
    assert!(problem["detail"].as_str().unwrap().contains("60000 × 60000"), "{problem}");
    assert_eq!(someone.upload(&path, "image/png", vec![0; (10 << 20) + 1]).await.problem(413, "body-too-large")["limit_bytes"], 10 << 20);
    someone
        .upload(&path.replace(path.split('/').nth(5).unwrap(), &Uuid::nil().to_string()), "image/png", png)
        .await
        .problem(404, "product-not-found");
    assert_eq!(someone.get(&path).await.ok(), json!({ "images": [], "version": 1 }));
    assert_eq!(sweep(&server.app, Duration::ZERO).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_put_in_order_and_removed_and_the_sweep_finds_the_rest() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let path = someone.pictures().await;
    for _ in 0..3 {
        assert_eq!(someone.upload(&path, "image/png", halves(20, 10, ImageFormat::Png)).await.status, 201);
    }
    let listed = async || -> (String, Vec<String>) {
        let answer = someone.get(&path).await;
        let images = answer.ok()["images"].as_array().unwrap().clone();
        assert!(images.iter().enumerate().all(|(place, image)| image["position"] == place), "{images:?}");
        (answer.header("etag").to_owned(), images.iter().map(|image| id(image).to_owned()).collect())
    };
    let (tag, ids) = listed().await;
    let product = path.strip_suffix("/images").unwrap();
    assert_eq!(someone.get(product).await.header("etag"), tag);
    let order = |ids: &[&String]| Some(json!({ "image_ids": ids }));
    let turned = [&ids[2], &ids[0], &ids[1]];
    someone.send(Method::PUT, &path, None, order(&turned)).await.problem(428, "precondition-required");
    someone.change(Method::PUT, &path, "\"1\"", order(&turned)).await.problem(412, "changed-meanwhile");
    for wrong in [vec![], turned[..2].to_vec(), vec![&ids[0], &ids[0], &ids[1]], vec![&ids[0], &ids[1], &ids[2], &ids[2]]] {
        someone.change(Method::PUT, &path, &tag, order(&wrong)).await.problem(422, "invalid-body");
    }
    let answer = someone.change(Method::PUT, &path, &tag, order(&turned)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (new_tag, new_ids) = listed().await;
    assert_eq!((answer.header("etag"), new_ids), (new_tag.as_str(), turned.map(String::clone).to_vec()));

    let first = format!("{path}/{}", ids[2]);
    someone.change(Method::DELETE, &first, &tag, None).await.problem(412, "changed-meanwhile");
    assert_eq!(someone.change(Method::DELETE, &first, &new_tag, None).await.status, 204);
    someone.change(Method::DELETE, &first, "*", None).await.problem(404, "image-not-found");
    assert_eq!(listed().await.1, ids[..2]);
    server.get(&format!("/api/v1/images/{}", ids[2])).await.problem(404, "image-not-found");
    assert!(server.app.picture_store.get(ids[2].parse().unwrap()).await.unwrap().is_none());

    // An upload that ended between its object and its row; and one of a moment ago, which is let be.
    let orphan = Uuid::now_v7();
    server.app.picture_store.put(orphan, b"x".to_vec()).await.unwrap();
    assert_eq!(sweep(&server.app, Duration::from_secs(3600)).await.unwrap(), 0);
    assert_eq!(sweep(&server.app, Duration::ZERO).await.unwrap(), 1);
    assert!(server.app.picture_store.get(orphan).await.unwrap().is_none());
    assert_eq!(server.get(&format!("/api/v1/images/{}", ids[0])).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_at_once_stand_behind_each_other_and_are_at_most_twenty() {
    let Some(server) = Server::start().await else { return };
    let someone = &Merchandiser::of(&server).await;
    let path = &someone.pictures().await;
    let answers =
        futures::future::join_all((0..24).map(|_| async move { someone.upload(path, "image/png", halves(8, 8, ImageFormat::Png)).await }))
            .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 20, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.problem(409, "too-many-entries");
    }
    let positions: Vec<Value> =
        someone.get(path).await.ok()["images"].as_array().unwrap().iter().map(|image| image["position"].clone()).collect();
    assert_eq!(positions, (0..20).map(Value::from).collect::<Vec<_>>());
}
