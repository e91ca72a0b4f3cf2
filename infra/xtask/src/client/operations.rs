//! Operations as methods.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::names::{camel, doc, snake};
use super::schemas::{Types, Writer, items, members};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
const JSON: &str = "application/json";

/// A file of methods for each tag.
pub fn by_tag<'a>(document: &'a Value, types: &mut Types<'a>) -> Result<BTreeMap<String, String>> {
    let mut methods: BTreeMap<String, String> = BTreeMap::new();
    for (path, item) in members(&document["paths"]) {
        for method in METHODS.into_iter().filter(|method| item.get(method).is_some()) {
            let operation = &item[method];
            let tag = operation["tags"][0].as_str().with_context(|| format!("{method} {path} has no tag"))?;
            let code = one(path, method, operation, types).with_context(|| format!("{method} {path}"))?;
            methods.entry(snake(tag)).or_default().push_str(&code);
        }
    }
    let file = |(tag, methods): (String, String)| {
        let tags: Vec<&Value> = document["tags"].as_array().into_iter().flatten().filter(|known| known["name"] == *tag).collect();
        let about = tags.first().and_then(|known| known["description"].as_str()).map_or_else(|| format!("Of `{tag}`."), str::to_owned);
        let words: BTreeSet<&str> = methods.split(|c: char| !c.is_alphanumeric()).chain(["Client"]).collect();
        let used = |of: &str, known: &[&str]| -> String {
            let used: Vec<&str> = known.iter().copied().filter(|word| words.contains(word)).collect();
            if used.is_empty() { String::new() } else { format!("use {of}::{{{}}};\n", used.join(", ")) }
        };
        let uses = used("reqwest", &["Body", "Method", "Response"]) + &used("serde_json", &["Map", "Value"]) + &used("uuid", &["Uuid"]);
        let ours = used("crate", &["Answer", "Client", "Key", "Result"]);
        let code = format!(
            "//! {about}\n\n{uses}\n#[allow(unused_imports, reason = \"not every tag has types\")]\nuse super::types::*;\n{ours}\nimpl Client {{\n\
             {methods}}}\n"
        );
        (tag, code)
    };
    Ok(methods.into_iter().map(file).collect())
}

fn one<'a>(path: &str, method: &str, operation: &'a Value, types: &mut Types<'a>) -> Result<String> {
    let id = operation["operationId"].as_str().context("no operationId")?;
    let (mut arguments, mut call) = (Vec::new(), String::new());
    let parameters: Vec<&'a Value> = items(&operation["parameters"]).iter().collect();
    let of_place = |place: &str| parameters.iter().copied().filter(move |parameter| parameter["in"] == place).collect::<Vec<_>>();

    let mut segments = Vec::new();
    for segment in path.split('/').skip(1) {
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            segments.push(format!("{segment:?}"));
            continue;
        };
        let parameter = of_place("path").into_iter().find(|parameter| parameter["name"] == name);
        let schema = &parameter.with_context(|| format!("{name} is not described"))?["schema"];
        let (name, ty) = (snake(name), types.of(schema, &camel(&format!("{id}_{name}")), Writer::Client)?);
        if ty == "String" {
            arguments.push(format!("{name}: &str"));
            segments.push(name);
        } else {
            arguments.push(format!("{name}: {ty}"));
            segments.push(format!("&{name}.to_string()"));
        }
    }
    let query = of_place("query");
    if !query.is_empty() {
        let name = format!("{}Query", camel(id).trim_end_matches("Query"));
        types.query(&name, &query)?;
        arguments.push(format!("query: &{name}"));
        call.push_str(".query(query.pairs())");
    }
    for header in of_place("header") {
        let wire = header["name"].as_str().unwrap_or_default().to_ascii_lowercase();
        let is_needed = header["required"] == true;
        match wire.as_str() {
            "chimera-cart" => call.push_str(".cart()"),
            "idempotency-key" if is_needed => {
                arguments.push("key: &Key".to_owned());
                call.push_str(".key(Some(key))");
            }
            "idempotency-key" => {
                arguments.push("key: Option<&Key>".to_owned());
                call.push_str(".key(key)");
            }
            _ if is_needed => {
                arguments.push(format!("{}: &str", snake(&wire)));
                call.push_str(&format!(".header({wire:?}, &{})", snake(&wire)));
            }
            // What the server does well without.
            _ => {}
        }
    }
    let body = &operation["requestBody"]["content"];
    if body.is_object() {
        match body.get(JSON) {
            Some(content) => {
                let ty = types.of(&content["schema"], &format!("{}Body", camel(id)), Writer::Client)?;
                arguments.push(format!("body: &{ty}"));
                call.push_str(".json(body)");
            }
            None => {
                arguments.push("media_type: &str, body: impl Into<Body>".to_owned());
                call.push_str(".body(media_type, body)");
            }
        }
    }
    let (answer, read) = answer(id, operation, types)?;

    let mut about = doc(operation["summary"].as_str(), "    ");
    if let Some(more) = operation["description"].as_str().filter(|more| !more.is_empty()) {
        if !about.is_empty() {
            about.push_str("    ///\n");
        }
        about.push_str(&doc(Some(more), "    "));
    }
    let gap = if about.is_empty() { "" } else { "    ///\n" };
    about.push_str(&format!("{gap}    /// `{} {path}`\n", method.to_ascii_uppercase()));
    let arguments: String = arguments.iter().map(|argument| format!(", {argument}")).collect();
    Ok(format!(
        "{about}    pub async fn {}(&self{arguments}) -> Result<{answer}> {{\n        self.call(Method::{}, &[{}]){call}.{read}().await\n    }}\n\n",
        snake(id),
        method.to_ascii_uppercase(),
        segments.join(", ")
    ))
}

/// The type of what is answered when all goes well, and how it is read.
fn answer<'a>(id: &str, operation: &'a Value, types: &mut Types<'a>) -> Result<(String, &'static str)> {
    let mut found: Option<String> = None;
    let mut is_raw = false;
    for (_, response) in members(&operation["responses"]).filter(|(status, _)| status.starts_with(['2', '3'])) {
        match response["content"].as_object().filter(|content| !content.is_empty()) {
            None => {}
            Some(content) => match content.get(JSON) {
                Some(content) => {
                    let ty = types.of(&content["schema"], &format!("{}Response", camel(id)), Writer::Server)?;
                    if found.as_ref().is_some_and(|found| *found != ty) {
                        bail!("it answers with {ty} and with {found:?}");
                    }
                    found = Some(ty);
                }
                None => is_raw = true,
            },
        }
    }
    Ok(match found {
        _ if is_raw => ("Response".to_owned(), "raw"),
        Some(ty) => (format!("Answer<{ty}>"), "typed"),
        None => ("Answer<()>".to_owned(), "empty"),
    })
}
