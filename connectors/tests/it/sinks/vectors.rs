//! Vector search against a scan of all vectors.

use std::time::Instant;

use arrow::array::{ArrayRef, Float32Builder, ListBuilder, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use chimera_connectors::sink::{self, SinkSpec};
use chimera_connectors::{Changes, EpochChanges, EpochInfo, Frontier};
use std::sync::Arc;
use uuid::Uuid;

use super::model::Random;
use super::stores::context;

const DIMENSIONS: usize = 64;

fn spec() -> SinkSpec {
    let list = DataType::List(Arc::new(Field::new("item", DataType::Float32, true)));
    let schema = Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("colour", DataType::Utf8, true),
        Field::new("embedding", list, true),
    ]);
    SinkSpec {
        pipeline: "p".into(),
        table: "images".into(),
        schema: Arc::new(schema),
        primary_key: vec!["id".into()],
        options: [("index", "images"), ("embedding", "embedding")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
    }
}

fn epoch(number: u64, rows: &[(String, &str, Option<Vec<f32>>, i64)]) -> EpochChanges {
    let mut vectors = ListBuilder::new(Float32Builder::new());
    for (_, _, vector, _) in rows {
        if let Some(vector) = vector {
            vectors.values().append_slice(vector);
        }
        vectors.append(vector.is_some());
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1))),
        Arc::new(vectors.finish()),
    ];
    let batch = RecordBatch::try_new(spec().schema, columns).unwrap();
    let info = EpochInfo { incarnation: Uuid::from_u128(7), epoch: number, frontier: Frontier::default(), committed_ms: 0 };
    EpochChanges { info: Arc::new(info), changes: Changes { batch, weights: rows.iter().map(|row| row.3).collect() } }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Points around centres, as pictures of kinds of products lie.
fn clustered(random: &mut Random, centres: &[Vec<f32>]) -> Vec<f32> {
    let centre = &centres[random.below(centres.len() as u64) as usize];
    centre.iter().map(|component| component + 0.4 * random.unit()).collect()
}

#[tokio::test]
async fn neighbours_are_those_of_a_full_scan() {
    let folder = tempfile::tempdir().unwrap();
    let open = || context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    let mut random = Random(11);
    let centres: Vec<Vec<f32>> = (0..80).map(|_| (0..DIMENSIONS).map(|_| random.unit()).collect()).collect();
    let mut vectors: Vec<Vec<f32>> = (0..10_000).map(|_| clustered(&mut random, &centres)).collect();
    let colour = |number: usize| ["red", "green", "blue"][number % 3];

    let mut context = open();
    let mut sink = sink::open("vector", spec(), context.clone()).await.unwrap();
    let rows: Vec<_> = vectors.iter().enumerate().map(|(i, v)| (format!("{i}"), colour(i), Some(v.clone()), 1)).collect();
    let started = Instant::now();
    sink.apply(&[epoch(1, &rows)]).await.unwrap();
    eprintln!("vector: {} of {DIMENSIONS} dimensions in {:.2} s", vectors.len(), started.elapsed().as_secs_f64());
    // A third get a new place, and a part goes: old places must not be found any more.
    let mut changes = Vec::new();
    for number in 0..3_000 {
        changes.push((format!("{number}"), colour(number), Some(vectors[number].clone()), -1));
        vectors[number] = clustered(&mut random, &centres);
        changes.push((format!("{number}"), colour(number), Some(vectors[number].clone()), 1));
    }
    for number in 9_000..10_000 {
        changes.push((format!("{number}"), colour(number), Some(vectors[number].clone()), -1));
    }
    sink.apply(&[epoch(2, &changes)]).await.unwrap();
    vectors.truncate(9_000);

    for reopened in [false, true] {
        let index = context.vectors.get("images").unwrap();
        assert_eq!((index.len().unwrap(), index.dimensions()), (9_000, Some(DIMENSIONS)));
        let (mut found, mut filtered, mut took) = (0, 0, Vec::new());
        for _ in 0..200 {
            let query = clustered(&mut random, &centres);
            let mut scan: Vec<(f64, usize)> = vectors.iter().enumerate().map(|(i, v)| (cosine(&query, v), i)).collect();
            scan.sort_by(|a, b| b.0.total_cmp(&a.0));
            let started = Instant::now();
            let hits = index.search(&query, 10, None).unwrap();
            took.push(started.elapsed());
            assert_eq!(hits.len(), 10);
            assert!(hits.windows(2).all(|pair| pair[0].similarity >= pair[1].similarity));
            for hit in &hits {
                let number: usize = hit.payload["id"].as_str().unwrap().parse().unwrap();
                assert!((f64::from(hit.similarity) - cosine(&query, &vectors[number])).abs() < 1e-4, "a similarity is not the cosine");
                assert!(hit.payload.get("embedding").is_none());
                found += usize::from(scan[..10].iter().any(|(_, other)| *other == number));
            }
            let green = |payload: &serde_json::Value| payload["colour"] == "green";
            let hits = index.search(&query, 10, Some(&green)).unwrap();
            let expected: Vec<usize> = scan.iter().filter(|(_, i)| colour(*i) == "green").take(10).map(|(_, i)| *i).collect();
            assert_eq!(hits.len(), 10);
            assert!(hits.iter().all(|hit| hit.payload["colour"] == "green"));
            filtered += hits.iter().filter(|hit| expected.contains(&hit.payload["id"].as_str().unwrap().parse().unwrap())).count();
        }
        took.sort();
        let (recall, recall_filtered) = (found as f64 / 2_000.0, filtered as f64 / 2_000.0);
        eprintln!("vector: recall@10 {recall:.4}, with a filter {recall_filtered:.4}, median search {:?}, reopened: {reopened}", took[100]);
        assert!(recall > 0.97 && recall_filtered > 0.95, "recall@10 {recall}, with a filter {recall_filtered}");
        sink.flush().await.unwrap();
        drop((sink, index, context));
        context = open();
        sink = sink::open("vector", spec(), context.clone()).await.unwrap();
    }
}

#[tokio::test]
async fn a_row_whose_vector_cannot_be_used_is_left_out_alone() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    let mut sink = sink::open("vector", spec(), context.clone()).await.unwrap();
    let index = context.vectors.get("images").unwrap();
    assert!(index.search(&[1.0], 3, None).unwrap().is_empty());
    let bad = [None, Some(vec![]), Some(vec![0.0, 0.0]), Some(vec![f32::NAN, 1.0])];
    let rows: Vec<_> = bad.into_iter().enumerate().map(|(i, v)| (format!("bad{i}"), "red", v, 1)).collect();
    sink.apply(&[epoch(1, &rows)]).await.unwrap();
    assert_eq!((sink.len().await.unwrap(), index.dimensions()), (0, None));
    sink.apply(&[epoch(2, &[("a".into(), "red", Some(vec![1.0, 0.0]), 1), ("b".into(), "red", Some(vec![1.0, 0.0, 0.0]), 1)])])
        .await
        .unwrap();
    assert_eq!((sink.len().await.unwrap(), index.dimensions()), (1, Some(2)));
    // A good one that becomes bad goes.
    sink.apply(&[epoch(3, &[("a".into(), "red", Some(vec![1.0, 0.0]), -1), ("a".into(), "red", None, 1)])]).await.unwrap();
    assert_eq!(sink.len().await.unwrap(), 0);
    assert!(index.search(&[1.0, 0.0], 3, None).unwrap().is_empty());
    assert!(index.search(&[1.0, 0.0, 0.0], 3, None).unwrap_err().to_string().contains("dimensions"));
    assert!(index.search(&[f32::NAN, 0.0], 3, None).is_err());
}
