//! The OpenAPI document is a promise to programs: it changes only where somebody looks at the change.

mod avro;
mod breaks;
mod protobuf;

use std::collections::HashSet;

use chimera_serving::api::openapi;
use serde_json::Value;

use self::breaks::{METHODS, breaks};
use super::server::Server;

const KEPT: &str = include_str!("../../../../openapi.json");

#[test]
fn the_document_is_the_one_that_was_reviewed() {
    let made = openapi::text();
    if made == KEPT {
        return;
    }
    let (old, new): (Value, Value) = (serde_json::from_str(KEPT).unwrap(), serde_json::from_str(&made).unwrap());
    let breaks = breaks(&old, &new);
    let verdict = if breaks.is_empty() {
        "Programs that use the API as it was can go on.".to_owned()
    } else {
        format!("It breaks programs that use the API as it was:\n  {}", breaks.join("\n  "))
    };
    let first = KEPT.lines().zip(made.lines()).position(|(kept, made)| kept != made).unwrap_or(KEPT.lines().count()) + 1;
    panic!("serving/openapi.json, from line {first} on, is not what the handlers describe. {verdict}\nRun `make contracts` to accept it.");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_served() {
    let Some(server) = Server::start().await else { return };
    let answer = server.get("/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.text(), openapi::text());
}

#[test]
fn every_operation_says_what_clients_are_made_of() {
    let document: Value = serde_json::from_str(&openapi::text()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut names = HashSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS.into_iter().filter(|method| item.get(method).is_some()) {
            let operation = &item[method];
            let at = format!("{} {path}", method.to_uppercase());
            let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{at} has no operationId"));
            assert!(names.insert(name.to_owned()), "two operations are called {name}");
            assert!(operation["summary"].is_string(), "{at} does not say what it does");
            assert!(operation["tags"][0].is_string(), "{at} has no tag");
            let placed: HashSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
            let described: HashSet<&str> = operation["parameters"].as_array().into_iter().flatten().filter_map(path_parameter).collect();
            assert_eq!(placed, described, "{at} describes other parameters than its path has");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with(['1', '2', '3'])), "{at} never succeeds");
        }
    }
    assert!(names.len() > 100, "{}", names.len());
    every_reference_leads_somewhere(&document, &document);
    no_part_is_closed(&document, &document);
}

fn path_parameter(parameter: &Value) -> Option<&str> {
    (parameter["in"] == "path").then(|| parameter["name"].as_str())?
}

fn every_reference_leads_somewhere(document: &Value, within: &Value) {
    match within {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads out of the document"));
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
            }
            members.values().for_each(|value| every_reference_leads_somewhere(document, value));
        }
        Value::Array(values) => values.iter().for_each(|value| every_reference_leads_somewhere(document, value)),
        _ => {}
    }
}

/// `allOf` with a part that allows nothing beside itself describes what cannot be.
fn no_part_is_closed(document: &Value, within: &Value) {
    match within {
        Value::Object(members) => {
            for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                let named = part["$ref"].as_str().and_then(|reference| document.pointer(reference.trim_start_matches('#')));
                assert_ne!(named.unwrap_or(part)["additionalProperties"], false, "{part} is a part of something larger, and closed");
            }
            members.values().for_each(|value| no_part_is_closed(document, value));
        }
        Value::Array(values) => values.iter().for_each(|value| no_part_is_closed(document, value)),
        _ => {}
    }
}
