//! Schemas as types. The forms that utoipa writes are known; another is an error.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::names::{camel, doc, snake};

/// Who writes what a type describes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Writer {
    Client,
    Server,
}

/// The types that operations need, as they are asked for.
pub struct Types<'a> {
    document: &'a Value,
    /// Their code, by name; `None`: it is being made.
    made: BTreeMap<String, Option<String>>,
    /// Who writes which; whether one was looked through by them already.
    writers: BTreeMap<String, BTreeSet<Writer>>,
    defaults: BTreeMap<String, bool>,
}

impl<'a> Types<'a> {
    pub fn new(document: &'a Value) -> Self {
        Self { document, made: BTreeMap::new(), writers: BTreeMap::new(), defaults: BTreeMap::new() }
    }

    /// All of them.
    pub fn code(&self) -> Result<String> {
        let mut code = "//! What is sent and answered.\n\nuse std::collections::BTreeMap;\n\nuse chrono::{DateTime, Utc};\n\
            use serde::{Deserialize, Serialize};\nuse serde_json::{Map, Value};\nuse uuid::Uuid;\n\nuse crate::query::Pairs;\n"
            .to_owned();
        for (name, made) in &self.made {
            code.push('\n');
            code.push_str(made.as_deref().with_context(|| format!("the type {name} was not made"))?);
        }
        for unused in ["BTreeMap", "DateTime", "Map", "Uuid", "Pairs"] {
            ensure!(code.matches(unused).count() > 1, "no type needs {unused}: leave its `use` out");
        }
        Ok(code)
    }

    /// The type of a schema. One that has no name of its own gets `name`.
    pub fn of(&mut self, schema: &'a Value, name: &str, writer: Writer) -> Result<String> {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.named(reference, writer);
        }
        if let Some(inner) = nullable(schema) {
            return Ok(optional(&self.of(inner, name, writer)?));
        }
        let types = types(schema);
        if types.contains(&"null") && types.len() == 2 {
            return Ok(optional(&self.plain(schema, name, writer)?));
        }
        self.plain(schema, name, writer)
    }

    fn plain(&mut self, schema: &'a Value, name: &str, writer: Writer) -> Result<String> {
        let format = schema["format"].as_str().unwrap_or_default();
        let kind = types(schema).into_iter().find(|kind| *kind != "null");
        if kind == Some("string") && schema["enum"].is_array() || schema["oneOf"].is_array() || schema["anyOf"].is_array() {
            return self.make(name, schema, writer);
        }
        if let [one] = items(&schema["allOf"]) {
            return self.of(one, name, writer);
        }
        if schema["allOf"].is_array() || schema["properties"].as_object().is_some_and(|properties| !properties.is_empty()) {
            return self.make(name, schema, writer);
        }
        Ok(match kind {
            Some("string") => match format {
                "uuid" => "Uuid".to_owned(),
                "date-time" => "DateTime<Utc>".to_owned(),
                _ => "String".to_owned(),
            },
            Some("boolean") => "bool".to_owned(),
            // Bounds are the server's to check: one type for whole numbers, and one for others.
            Some("number") => "f64".to_owned(),
            Some("integer") => "i64".to_owned(),
            Some("array") => format!("Vec<{}>", self.of(&schema["items"], &format!("{name}Item"), writer)?),
            Some("object") => match schema.get("additionalProperties").filter(|more| more.is_object()) {
                Some(more) => format!("BTreeMap<String, {}>", self.of(more, &format!("{name}Value"), writer)?),
                None => "Map<String, Value>".to_owned(),
            },
            Some(other) => bail!("{name}: a schema of the type {other}"),
            None => "Value".to_owned(),
        })
    }

    fn named(&mut self, reference: &str, writer: Writer) -> Result<String> {
        let name = reference.strip_prefix("#/components/schemas/").with_context(|| format!("{reference} is not a schema"))?;
        let document = self.document;
        let schema = document["components"]["schemas"].get(name).with_context(|| format!("there is no schema {name}"))?;
        let name = camel(name);
        let is_made = schema["properties"].as_object().is_some_and(|properties| !properties.is_empty())
            || ["allOf", "oneOf", "anyOf", "enum"].iter().any(|word| schema[*word].is_array());
        if is_made { self.make(&name, schema, writer) } else { self.of(schema, &name, writer) }
    }

    /// A struct or an enum of this name. Made again when somebody else turns out to write it as well.
    fn make(&mut self, name: &str, schema: &'a Value, writer: Writer) -> Result<String> {
        if !self.writers.entry(name.to_owned()).or_default().insert(writer) {
            return Ok(name.to_owned());
        }
        self.made.insert(name.to_owned(), None);
        let code = if schema["enum"].is_array() {
            self.defaults.insert(name.to_owned(), false);
            self.plain_enum(name, schema)
        } else if schema["oneOf"].is_array() || schema["anyOf"].is_array() {
            self.defaults.insert(name.to_owned(), false);
            self.tagged_enum(name, schema, writer)?
        } else {
            let fields = self.fields(name, schema, writer, None)?;
            let has_default = fields.iter().all(|field| self.has_default(&field.ty));
            self.defaults.insert(name.to_owned(), has_default);
            let derives = if has_default { "Clone, Debug, Default, PartialEq" } else { "Clone, Debug, PartialEq" };
            let fields: String = fields.iter().map(|field| field.code("    ", "pub ")).collect();
            let doc = doc(schema["description"].as_str(), "");
            format!("{doc}#[derive({derives}, Serialize, Deserialize)]\npub struct {name} {{\n{fields}}}\n")
        };
        self.made.insert(name.to_owned(), Some(code));
        Ok(name.to_owned())
    }

    fn has_default(&self, ty: &str) -> bool {
        let starts = ["Option<", "Vec<", "BTreeMap<", "Map<", "DateTime<"];
        starts.iter().any(|start| ty.starts_with(start))
            || ["String", "bool", "f64", "i64", "Value", "Uuid"].contains(&ty)
            || self.defaults.get(ty).copied().unwrap_or(false)
    }

    fn plain_enum(&self, name: &str, schema: &Value) -> String {
        let mut variants = String::new();
        for value in items(&schema["enum"]).iter().filter_map(Value::as_str) {
            variants.push_str(&format!("    #[serde(rename = {value:?})]\n    {},\n", camel(value)));
        }
        if self.writers[name].contains(&Writer::Server) {
            variants.push_str("    /// One that the server knows and this client does not.\n    #[serde(other)]\n    Unlisted,\n");
        }
        let doc = doc(schema["description"].as_str(), "");
        format!("{doc}#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]\npub enum {name} {{\n{variants}}}\n")
    }

    /// By the property that has one value in each variant, or else by what fits.
    fn tagged_enum(&mut self, name: &str, schema: &'a Value, writer: Writer) -> Result<String> {
        let variants = if schema["oneOf"].is_array() { items(&schema["oneOf"]) } else { items(&schema["anyOf"]) };
        let tag = variants.first().and_then(|first| {
            let names = first["properties"].as_object()?.keys();
            names.map(String::as_str).find(|tag| variants.iter().all(|variant| tag_value(variant, tag).is_some()))
        });
        let mut code = doc(schema["description"].as_str(), "");
        code.push_str("#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]\n");
        match tag {
            Some(tag) => code.push_str(&format!("#[serde(tag = {tag:?})]\n")),
            None => code.push_str("#[serde(untagged)]\n"),
        }
        code.push_str(&format!("pub enum {name} {{\n"));
        for (number, variant) in variants.iter().enumerate() {
            code.push_str(&doc(variant["description"].as_str(), "    "));
            if let Some(value) = tag.and_then(|tag| tag_value(variant, tag)) {
                let inner = camel(value);
                let fields = self.fields(&format!("{name}{inner}"), variant, writer, tag)?;
                let fields: String = fields.iter().map(|field| field.code("        ", "")).collect();
                code.push_str(&format!("    #[serde(rename = {value:?})]\n    {inner} {{\n{fields}    }},\n"));
            } else {
                let ty = self.of(variant, &format!("{name}{number}"), writer)?;
                let label = camel(ty.trim_end_matches('>').rsplit('<').next().unwrap_or(&ty));
                code.push_str(&format!("    {label}({ty}),\n"));
            }
        }
        code.push_str("}\n");
        Ok(code)
    }

    /// `but`: what the enum writes itself.
    fn fields(&mut self, owner: &str, schema: &'a Value, writer: Writer, but: Option<&str>) -> Result<Vec<Field>> {
        let mut fields = Vec::new();
        for part in items(&schema["allOf"]) {
            match part.get("$ref").and_then(Value::as_str) {
                Some(reference) => {
                    let ty = self.named(reference, writer)?;
                    fields.push(Field { name: snake(&ty), rust: snake(&ty), ty, doc: None, is_flat: true });
                }
                None => fields.extend(self.fields(owner, part, writer, but)?),
            }
        }
        let mut properties: Vec<(&String, &'a Value)> = schema["properties"].as_object().into_iter().flatten().collect();
        properties.retain(|(name, _)| Some(name.as_str()) != but);
        properties.sort_by_key(|(name, _)| *name);
        for (name, property) in properties {
            let is_needed = items(&schema["required"]).iter().any(|needed| needed == name);
            let ty = self.of(property, &format!("{owner}{}", camel(name)), writer)?;
            let ty = if is_needed { ty } else { optional(&ty) };
            fields.push(Field {
                rust: snake(name),
                name: name.clone(),
                ty,
                doc: property["description"].as_str().map(str::to_owned),
                is_flat: false,
            });
        }
        let takes_more = schema["additionalProperties"] == true && schema["properties"].is_object();
        if takes_more {
            fields.push(Field {
                name: "more".to_owned(),
                rust: "more".to_owned(),
                ty: "Map<String, Value>".to_owned(),
                doc: Some("Whatever else is told.".to_owned()),
                is_flat: true,
            });
        }
        Ok(fields)
    }

    /// The parameters of a query, as a struct.
    pub fn query(&mut self, name: &str, parameters: &[&'a Value]) -> Result<()> {
        let (mut fields, mut pairs) = (String::new(), String::new());
        let mut has_default = true;
        for parameter in parameters {
            let wire = parameter["name"].as_str().context("a parameter without a name")?;
            let ty = self.of(&parameter["schema"], &format!("{name}{}", camel(wire)), Writer::Client)?;
            let ty = if parameter["required"] == true { ty } else { optional(&ty) };
            has_default &= self.has_default(&ty);
            let doc = doc(parameter["description"].as_str(), "    ");
            fields.push_str(&format!("{doc}    pub {}: {ty},\n", snake(wire)));
            pairs.push_str(&format!(".with({wire:?}, &self.{})", snake(wire)));
        }
        let derives = if has_default { "Clone, Debug, Default, PartialEq" } else { "Clone, Debug, PartialEq" };
        let code = format!(
            "#[derive({derives})]\npub struct {name} {{\n{fields}}}\n\nimpl {name} {{\n    pub(super) fn pairs(&self) -> Pairs {{\n        \
             Pairs::default(){pairs}\n    }}\n}}\n"
        );
        ensure!(self.made.insert(name.to_owned(), Some(code)).is_none(), "two types are called {name}");
        Ok(())
    }
}

struct Field {
    name: String,
    rust: String,
    ty: String,
    doc: Option<String>,
    is_flat: bool,
}

impl Field {
    fn code(&self, indent: &str, visibility: &str) -> String {
        let mut code = doc(self.doc.as_deref(), indent);
        let mut serde = Vec::new();
        if self.is_flat {
            serde.push("flatten".to_owned());
        } else if self.rust.trim_start_matches("r#") != self.name {
            serde.push(format!("rename = {:?}", self.name));
        }
        if self.ty.starts_with("Option<") && !self.is_flat {
            serde.push("default, skip_serializing_if = \"Option::is_none\"".to_owned());
        }
        if !serde.is_empty() {
            code.push_str(&format!("{indent}#[serde({})]\n", serde.join(", ")));
        }
        code.push_str(&format!("{indent}{visibility}{}: {},\n", self.rust, self.ty));
        code
    }
}

fn optional(ty: &str) -> String {
    // No value and null are the same to both sides.
    if ty.starts_with("Option<") { ty.to_owned() } else { format!("Option<{ty}>") }
}

/// Of `oneOf: [null, X]`: X.
fn nullable(schema: &Value) -> Option<&Value> {
    let [one, other] = items(schema.get("oneOf").or(schema.get("anyOf"))?) else { return None };
    match (one["type"] == "null", other["type"] == "null") {
        (true, false) => Some(other),
        (false, true) => Some(one),
        _ => None,
    }
}

fn tag_value<'v>(variant: &'v Value, tag: &str) -> Option<&'v str> {
    let property = variant["properties"].get(tag)?;
    match items(&property["enum"]) {
        [one] => one.as_str(),
        _ => property["const"].as_str(),
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        several => items(several).iter().filter_map(Value::as_str).collect(),
    }
}

pub fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let mut members: Vec<_> = value.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| *name);
    members.into_iter()
}
