//! Which changes of an OpenAPI document break programs that were written for the one before.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

pub const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Who writes what a schema describes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Writer {
    /// Nothing that was taken may be refused.
    Client,
    /// Nothing that was told may be missing.
    Server,
}

/// A sentence for each change that breaks a program.
pub fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut comparison = Comparison { old, new, seen: HashSet::new(), found: BTreeSet::new() };
    for (path, item) in members(&old["paths"]) {
        for method in METHODS.into_iter().filter(|method| item.get(method).is_some()) {
            let at = format!("{} {path}", method.to_uppercase());
            match new["paths"][path].get(method) {
                Some(operation) => comparison.operation(&at, &item[method], operation),
                None => comparison.say(format!("{at} is gone")),
            }
        }
    }
    comparison.found.into_iter().collect()
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    /// Named schemas may hold themselves.
    seen: HashSet<(String, String, Writer)>,
    found: BTreeSet<String>,
}

impl<'a> Comparison<'a> {
    fn say(&mut self, what: String) {
        self.found.insert(what);
    }

    fn operation(&mut self, at: &str, old: &'a Value, new: &'a Value) {
        let is_same = |one: &Value, other: &Value| one["name"] == other["name"] && one["in"] == other["in"];
        let (before, after) = (items(&old["parameters"]), items(&new["parameters"]));
        for parameter in after {
            let name = parameter["name"].as_str().unwrap_or_default();
            let was = before.iter().find(|was| is_same(was, parameter));
            if parameter["required"] == true && was.is_none_or(|was| was["required"] != true) {
                self.say(format!("{at} needs the parameter `{name}`"));
            }
            if let Some(was) = was {
                self.schema(&format!("{at}: parameter `{name}`"), &was["schema"], &parameter["schema"], Writer::Client);
            }
        }
        for parameter in before.iter().filter(|was| !after.iter().any(|is| is_same(was, is))) {
            self.say(format!("{at} does not take the parameter `{}`", parameter["name"].as_str().unwrap_or_default()));
        }
        if new["requestBody"]["required"] == true && old["requestBody"]["required"] != true {
            self.say(format!("{at} needs a body"));
        }
        for (media, content) in members(&old["requestBody"]["content"]) {
            match new["requestBody"]["content"].get(media) {
                Some(now) => self.schema(&format!("{at}: body"), &content["schema"], &now["schema"], Writer::Client),
                None => self.say(format!("{at} does not take {media}")),
            }
        }
        for (status, response) in members(&old["responses"]).filter(|(status, _)| status.starts_with('2')) {
            let Some(now) = new["responses"].get(status) else {
                self.say(format!("{at} does not answer {status}"));
                continue;
            };
            for (media, content) in members(&response["content"]) {
                match now["content"].get(media) {
                    Some(now) => self.schema(&format!("{at}: answer {status}"), &content["schema"], &now["schema"], Writer::Server),
                    None => self.say(format!("{at} does not answer {status} with {media}")),
                }
            }
        }
    }

    fn schema(&mut self, at: &str, old: &'a Value, new: &'a Value, writer: Writer) {
        let (old_at, new_at) = (named(old), named(new));
        if let (Some(one), Some(other)) = (old_at, new_at)
            && !self.seen.insert((one.to_owned(), other.to_owned(), writer))
        {
            return;
        }
        let at = old_at.and_then(|name| name.rsplit('/').next()).map_or(at.to_owned(), str::to_owned);
        let (old, new) = (resolved(self.old, old), resolved(self.new, new));
        // What the writer may say more than before breaks the reader, what it may say less breaks the writer.
        let (narrow, wide) = if writer == Writer::Client { (old, new) } else { (new, old) };
        let (said, read) = (types(narrow), types(wide));
        if !read.is_empty() && !said.is_subset(&read) {
            self.say(format!("{at} was {:?}, and is {:?}", types(old), types(new)));
        }
        let (said, read) = (values(narrow), values(wide));
        if !read.is_empty() && !said.is_subset(&read) {
            self.say(format!("{at} was one of {:?}, and is one of {:?}", values(old), values(new)));
        }
        self.members(&at, old, new, writer);
        if old.get("items").is_some() && new.get("items").is_some() {
            self.schema(&format!("{at}[]"), &old["items"], &new["items"], writer);
        }
        for word in ["allOf", "oneOf", "anyOf"] {
            let (before, after) = (items(&old[word]), items(&new[word]));
            let is_less = if writer == Writer::Client { after.len() < before.len() } else { after.len() != before.len() };
            if is_less && word != "allOf" {
                self.say(format!("{at} has {} variants, and had {}", after.len(), before.len()));
            }
            for (one, other) in before.iter().zip(after) {
                self.schema(&at, one, other, writer);
            }
        }
    }

    fn members(&mut self, at: &str, old: &'a Value, new: &'a Value, writer: Writer) {
        let needs = |schema: &Value, name: &str| items(&schema["required"]).iter().any(|needed| needed == name);
        for (name, member) in members(&old["properties"]) {
            match new["properties"].get(name) {
                Some(now) => self.schema(&format!("{at}.{name}"), member, now, writer),
                None if writer == Writer::Server || new["additionalProperties"] == false => self.say(format!("{at}.{name} is gone")),
                None => {}
            }
            if writer == Writer::Server && needs(old, name) && !needs(new, name) {
                self.say(format!("{at}.{name} may be missing"));
            }
        }
        for (name, _) in members(&new["properties"]) {
            if writer == Writer::Client && needs(new, name) && !needs(old, name) {
                self.say(format!("{at}.{name} is needed"));
            }
        }
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn named(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    named(schema).and_then(|name| document.pointer(name.trim_start_matches('#'))).unwrap_or(schema)
}

fn types(schema: &Value) -> BTreeSet<&str> {
    match &schema["type"] {
        Value::String(one) => BTreeSet::from([one.as_str()]),
        several => items(several).iter().filter_map(Value::as_str).collect(),
    }
}

fn values(schema: &Value) -> BTreeSet<&str> {
    items(&schema["enum"]).iter().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shop(body: Value, answer: Value) -> Value {
        let of = |schema: Value| json!({ "content": { "application/json": { "schema": schema } } });
        json!({ "paths": { "/a": { "post": { "requestBody": of(body), "responses": { "200": of(json!({ "$ref": "#/components/schemas/A" })) } } } },
            "components": { "schemas": { "A": answer } } })
    }

    fn object(needed: &[&str], properties: Value) -> Value {
        json!({ "type": "object", "required": needed, "properties": properties })
    }

    #[test]
    fn what_programs_can_live_with_is_told_from_what_they_cannot() {
        let text = || json!({ "type": "string" });
        let (body, answer) = (object(&["a"], json!({ "a": text() })), object(&["b"], json!({ "b": text() })));
        let old = shop(body.clone(), answer.clone());
        let found = |body: &Value, answer: &Value| breaks(&old, &shop(body.clone(), answer.clone()));
        assert!(found(&body, &answer).is_empty());
        let more = |name: &str, needed: &[&str]| object(needed, json!({ name: text(), "c": text() }));
        assert!(found(&more("a", &["a"]), &more("b", &["b", "c"])).is_empty(), "more may be said, and more is told");
        assert_eq!(found(&more("a", &["a", "c"]), &answer), ["POST /a: body.c is needed"]);
        assert_eq!(found(&body, &object(&[], json!({}))), ["A.b is gone", "A.b may be missing"]);
        let nullable = json!({ "type": ["string", "null"] });
        assert!(found(&object(&["a"], json!({ "a": nullable })), &answer).is_empty(), "null may be sent, too");
        assert_eq!(found(&body, &object(&["b"], json!({ "b": nullable }))).len(), 1, "null was never told");
        let (few, many) = (json!({ "type": "string", "enum": ["x"] }), json!({ "type": "string", "enum": ["x", "y"] }));
        let of = |schema: &Value| shop(object(&[], json!({ "a": schema })), object(&["b"], json!({ "b": schema })));
        assert_eq!(breaks(&of(&few), &of(&many)).len(), 1, "an answer may say what nobody has heard of");
        assert_eq!(breaks(&of(&many), &of(&few)).len(), 1, "what could be asked is refused");
        assert_eq!(breaks(&old, &json!({ "paths": {} })), ["POST /a is gone"]);
    }
}
