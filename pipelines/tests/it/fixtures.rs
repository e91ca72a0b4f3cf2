//! Each bundled pipeline is fed the events of its `fixtures/` and must give the changes of its `expected/`, epoch by epoch.
//!
//! `UPDATE_EXPECTED=1 cargo test` writes what came out, to be read in the diff before it is believed.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chimera_connectors::format::Decoder;
use chimera_connectors::format::json::JsonRows;
use chimera_connectors::log::{Entry, Record};
use chimera_operators::Delta;
use chimera_sql::{DataflowConfig, Functions, Program};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(".")
}

/// The built-in functions, and in the place of the image tower one whose answer can be known beforehand: a picture's length and first byte.
fn functions() -> Functions {
    use arrow::array::{Array, ArrayRef, BinaryArray, Float32Builder, ListBuilder};
    use arrow::datatypes::{DataType, Field};
    let mut functions = Functions::new();
    let list = DataType::List(std::sync::Arc::new(Field::new("item", DataType::Float32, true)));
    functions.register(
        "image_embedding",
        vec![DataType::Binary],
        list,
        std::sync::Arc::new(|arguments: &[ArrayRef]| {
            let pictures = arguments[0].as_any().downcast_ref::<BinaryArray>().ok_or("not binary")?;
            let mut out = ListBuilder::new(Float32Builder::new());
            for picture in pictures {
                match picture {
                    Some(bytes) if !bytes.is_empty() => {
                        out.values().append_slice(&[bytes.len() as f32, f32::from(bytes[0])]);
                        out.append(true);
                    }
                    _ => out.append(false),
                }
            }
            Ok(std::sync::Arc::new(out.finish()) as ArrayRef)
        }),
    );
    functions
}

/// Epochs of events: (topic, value), a line each; a line `---` ends an epoch.
fn epochs(path: &Path) -> Vec<Vec<(String, Value)>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut epochs = vec![Vec::new()];
    for (number, line) in text.lines().enumerate() {
        match line.trim() {
            "" => {}
            "---" => epochs.push(Vec::new()),
            line => {
                let mut event: Value =
                    serde_json::from_str(line).unwrap_or_else(|error| panic!("{} line {}: {error}", path.display(), number + 1));
                let topic = event["topic"].as_str().expect("a topic").to_owned();
                epochs.last_mut().expect("an epoch").push((topic, event["value"].take()));
            }
        }
    }
    epochs
}

/// What a pipeline gives for its fixture: a line a change, sorted within an epoch and view.
fn run(name: &str, sql: &str) -> String {
    let program = Program::parse(sql, &functions()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let decoders: Vec<(String, String, Decoder)> = program
        .sources
        .iter()
        .map(|table| {
            let format = table.options["format"].parse().expect("a format");
            let decoder = Decoder::new(format, table.schema.clone(), table.metadata.clone()).expect("a decoder");
            (table.name.clone(), table.options["topic"].clone(), decoder)
        })
        .collect();
    let schemas: HashMap<String, _> = program.sinks.iter().map(|table| (table.name.clone(), table.schema.clone())).collect();
    let mut dataflow = program.start(DataflowConfig::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut offsets: HashMap<String, u64> = HashMap::new();
    let mut text = String::new();
    for (number, events) in epochs(&root().join(name).join("fixtures/events.jsonl")).into_iter().enumerate() {
        let mut records: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for (topic, value) in events {
            let offset = offsets.entry(topic.clone()).or_default();
            let value = Some(Bytes::from(serde_json::to_vec(&value).expect("JSON")));
            records.entry(topic).or_default().push(Entry { offset: *offset, record: Record::new(None, value, 0) });
            *offset += 1;
        }
        for (table, topic, decoder) in &decoders {
            let Some(entries) = records.get(topic) else { continue };
            let decoded = decoder.decode(topic, 0, entries);
            assert!(decoded.bad.is_empty(), "{name}, {topic}: {:?}", decoded.bad);
            let delta = Delta { batch: decoded.changes.batch, weights: Some(decoded.changes.weights) };
            dataflow.push(table, delta).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let mut lines = Vec::new();
        for output in dataflow.step().unwrap_or_else(|error| panic!("{name}: {error}")) {
            let weights = output.changes.weights.clone().unwrap_or_else(|| vec![1; output.changes.batch.num_rows()]);
            assert_eq!(schemas[&output.table].fields().len(), output.changes.batch.num_columns(), "{name}.{}", output.table);
            let rows = JsonRows::new("test", &output.changes.batch, &[]).expect("rows as JSON");
            for (row, weight) in weights.into_iter().enumerate() {
                lines.push(format!("{} {weight:+} {}", output.table, String::from_utf8_lossy(&rows.row(row))));
            }
        }
        lines.sort();
        text.push_str(&format!("--- epoch {}\n", number + 1));
        lines.into_iter().for_each(|line| text.push_str(&(line + "\n")));
        assert!(dataflow.take_row_errors().is_empty(), "{name}: rows were left out");
    }
    dataflow.stop();
    text
}

#[test]
fn every_bundled_pipeline_gives_its_expected_changes() {
    let definitions = chimera_pipelines::bundled();
    assert_eq!(definitions.len(), 9, "a pipeline was added or lost");
    for definition in definitions {
        let got = run(&definition.name, &definition.sql);
        let path = root().join(&definition.name).join("expected/changes.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(&path, &got).expect("written");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(got, expected, "{}: not the expected changes", definition.name);
    }
}
