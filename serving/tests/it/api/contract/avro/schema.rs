//! As much of Avro as our records need: records of primitives, enumerations, arrays, and unions with null.

use serde_json::Value;

/// Why data that was written with `writer` cannot be read with `reader` (Avro 1.12, *Schema Resolution*); empty: it can.
pub fn unreadable(reader: &Value, writer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let fields = |schema: &Value| schema["fields"].as_array().cloned().unwrap_or_default();
    let written = fields(writer);
    for field in fields(reader) {
        let name = field["name"].as_str().unwrap_or_default();
        match written.iter().find(|written| written["name"] == name) {
            Some(written) if !reads(&field["type"], &written["type"]) => {
                found.push(format!("`{name}` was {}, and is {}", written["type"], field["type"]));
            }
            None if field.get("default").is_none() => found.push(format!("`{name}` is not in older records, and has no default")),
            _ => {}
        }
    }
    found
}

fn reads(reader: &Value, writer: &Value) -> bool {
    if let Some(writers) = writer.as_array() {
        return writers.iter().all(|one| reads(reader, one));
    }
    if let Some(readers) = reader.as_array() {
        return readers.iter().any(|one| reads(one, writer));
    }
    let (wide, narrow) = (name(reader), name(writer));
    match (wide, narrow) {
        ("array", "array") => reads(&reader["items"], &writer["items"]),
        ("enum", "enum") => {
            let symbols = |schema: &Value| schema["symbols"].as_array().cloned().unwrap_or_default();
            reader.get("default").is_some() || symbols(writer).iter().all(|symbol| symbols(reader).contains(symbol))
        }
        ("long", "int") | ("float" | "double", "int" | "long") | ("double", "float") | ("string", "bytes") | ("bytes", "string") => true,
        _ => wide == narrow && reader["logicalType"] == writer["logicalType"],
    }
}

fn name(schema: &Value) -> &str {
    schema.as_str().or(schema["type"].as_str()).unwrap_or_default()
}

/// What of a record, as JSON, is not what its schema says.
pub fn faults(schema: &Value, record: &Value) -> Vec<String> {
    let fields = schema["fields"].as_array().map_or(&[][..], Vec::as_slice);
    let mut found: Vec<String> = Vec::new();
    for field in fields {
        let name = field["name"].as_str().unwrap_or_default();
        let is_left_out = record.get(name).is_none() && field.get("default").is_some();
        if !is_left_out && !holds(&field["type"], &record[name]) {
            found.push(format!("`{name}` is {}, and should be {}", record[name], field["type"]));
        }
    }
    let known = |name: &String| fields.iter().any(|field| field["name"] == name.as_str());
    found.extend(
        record.as_object().into_iter().flatten().filter(|(name, _)| !known(name)).map(|(name, _)| format!("nobody knows of `{name}`")),
    );
    found
}

fn holds(schema: &Value, value: &Value) -> bool {
    if let Some(choices) = schema.as_array() {
        return choices.iter().any(|one| holds(one, value));
    }
    match name(schema) {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "long" => value.is_i64(),
        "float" | "double" => value.is_number(),
        "enum" => schema["symbols"].as_array().is_some_and(|symbols| symbols.contains(value)),
        "array" => value.as_array().is_some_and(|values| values.iter().all(|value| holds(&schema["items"], value))),
        "string" => value.as_str().is_some_and(|text| schema["logicalType"] != "uuid" || text.parse::<uuid::Uuid>().is_ok()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(fields: Value) -> Value {
        json!({ "type": "record", "name": "R", "fields": fields })
    }

    #[test]
    fn what_old_records_lack_needs_a_default() {
        let old = record(json!([{ "name": "a", "type": "int" }, { "name": "b", "type": "string" }]));
        let found = |fields: Value| unreadable(&record(fields), &old).len();
        assert_eq!(found(json!([{ "name": "a", "type": "int" }])), 0, "what nobody reads hurts nobody");
        assert_eq!(found(json!([{ "name": "a", "type": "long" }])), 0, "a wider number reads a narrow one");
        assert_eq!(found(json!([{ "name": "a", "type": ["null", "int"], "default": null }])), 0, "it may be null from now on");
        assert_eq!(found(json!([{ "name": "c", "type": ["null", "int"], "default": null }])), 0);
        assert_eq!(found(json!([{ "name": "c", "type": ["null", "int"] }])), 1);
        assert_eq!(found(json!([{ "name": "a", "type": "string" }])), 1);
        let wide = record(json!([{ "name": "a", "type": "long" }]));
        assert_eq!(unreadable(&old, &wide).len(), 2, "a narrow number does not read a wide one, and `b` is missing");
        let kinds = |symbols: &[&str]| record(json!([{ "name": "k", "type": { "type": "enum", "name": "K", "symbols": symbols } }]));
        assert!(unreadable(&kinds(&["x", "y"]), &kinds(&["x"])).is_empty());
        assert_eq!(unreadable(&kinds(&["x"]), &kinds(&["x", "y"])).len(), 1);
    }

    #[test]
    fn records_are_held_against_their_schema() {
        let schema = record(json!([{ "name": "id", "type": { "type": "string", "logicalType": "uuid" } },
            { "name": "note", "type": ["null", "string"], "default": null }]));
        let id = "0190c0de-0000-7000-8000-000000000001";
        assert!(faults(&schema, &json!({ "id": id })).is_empty());
        assert_eq!(faults(&schema, &json!({ "id": "x", "note": 1, "more": 1 })).len(), 3);
    }
}
