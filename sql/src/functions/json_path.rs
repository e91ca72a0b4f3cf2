//! Paths into JSON: `$.a.b[0]`, `$['a b']`, `a.b`.

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A step of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

impl Path {
    pub fn parse(text: &str) -> Result<Path, String> {
        let wrong = || format!("`{text}` is not a JSON path; write $.a.b, $.list[0] or $['a key']");
        let mut steps = Vec::new();
        let mut rest = text.trim();
        rest = rest.strip_prefix('$').unwrap_or(rest);
        let mut is_first = true;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('[') {
                let (inside, after) = after.split_once(']').ok_or_else(wrong)?;
                let quoted = |quote| inside.strip_prefix(quote).and_then(|key: &str| key.strip_suffix(quote));
                steps.push(match quoted('\'').or_else(|| quoted('"')) {
                    Some(key) => Step::Key(key.to_string()),
                    None => Step::Index(inside.trim().parse().map_err(|_| wrong())?),
                });
                rest = after;
            } else {
                let after = match rest.strip_prefix('.') {
                    Some(after) => after,
                    None if is_first => rest,
                    None => return Err(wrong()),
                };
                let end = after.find(['.', '[']).unwrap_or(after.len());
                if end == 0 {
                    return Err(wrong());
                }
                steps.push(Step::Key(after[..end].to_string()));
                rest = &after[end..];
            }
            is_first = false;
        }
        Ok(Path(steps))
    }
}

/// Goes down a path and keeps the text of what is at its end; everything else is passed over unread.
struct Find<'p>(&'p [Step]);

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() { <&RawValue>::deserialize(deserializer).map(Some) } else { deserializer.deserialize_any(self) }
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(IsKey(&self.0[0]))? {
            if is_it {
                found = map.next_value_seed(Find(&self.0[1..]))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        if let Step::Index(index) = self.0[0] {
            for _ in 0..index {
                if list.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(None);
                }
            }
            let found = list.next_element_seed(Find(&self.0[1..]))?;
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(found.flatten());
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Whether a key is the one that a path goes through.
struct IsKey<'p>(&'p Step);

impl<'de> DeserializeSeed<'de> for IsKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(matches!(self.0, Step::Key(wanted) if wanted == key))
    }
}

/// The value at the end of `steps`, as it is written. A text that is not JSON is an error.
pub(super) fn find<'t>(text: &'t str, steps: &[Step]) -> Result<Option<&'t str>, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = Find(steps).deserialize(&mut reader).and_then(|found| reader.end().map(|()| found));
    found.map(|found| found.map(RawValue::get)).map_err(|e| format!("the text is not JSON: {e}"))
}

/// What `take` makes of the value's text at the path, for each row; null where the text, the path or the value is null or missing.
/// A text that is not JSON refuses the row.
pub(super) fn extract(args: &[ArrayRef], take: impl Fn(&str) -> Option<Cow<'_, str>>) -> Result<ArrayRef, String> {
    let [texts, paths] = args else { return Err("expects a JSON text and a path".into()) };
    let (texts, paths) = (texts.as_string::<i32>(), paths.as_string::<i32>());
    let mut parsed: Option<(&str, Path)> = None;
    let mut results = StringBuilder::with_capacity(texts.len(), 0);
    for row in 0..texts.len() {
        if texts.is_null(row) || paths.is_null(row) {
            results.append_null();
            continue;
        }
        let path_text = paths.value(row);
        if parsed.as_ref().is_none_or(|(text, _)| *text != path_text) {
            parsed = Some((path_text, Path::parse(path_text)?));
        }
        let found = find(texts.value(row), parsed.as_ref().map_or(&[][..], |(_, path)| &path.0))?;
        results.append_option(found.and_then(&take));
    }
    Ok(std::sync::Arc::new(results.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str, path: &str) -> Result<Option<String>, String> {
        let column = |text: &str| -> ArrayRef { std::sync::Arc::new(arrow::array::StringArray::from(vec![text])) };
        let result = extract(&[column(json), column(path)], |text| Some(Cow::Borrowed(text)))?;
        Ok(result.is_valid(0).then(|| result.as_string::<i32>().value(0).to_string()))
    }

    #[test]
    fn values_are_found() {
        let json = r#"{"a": {"b": [1, {"c": "x"}, null]}, "é": 1.50, "a b": true}"#;
        let some = |text: &str| Ok(Some(text.to_string()));
        assert_eq!(found(json, "$.a.b[1].c"), some("\"x\""));
        assert_eq!(found(json, "$.a.b[1]"), some(r#"{"c": "x"}"#));
        assert_eq!(found(json, "$.a.b[2]"), some("null"));
        assert_eq!(found(json, "é"), some("1.50"));
        assert_eq!(found(json, "$['a b']"), some("true"));
        assert_eq!(found(json, "$"), some(json));
        for nothing in ["$.a.b[3]", "$.a.b.c", "$.é.x", "$.a[0]", "$.b", "$['a b'].c", "$.a.b[2].c"] {
            assert_eq!(found(json, nothing), Ok(None), "{nothing}");
        }
        for wrong in ["{\"a\": 1", "{\"a\": 1} x", "", "{\"b\": nul, \"a\": 1}"] {
            assert!(found(wrong, "$.a").is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_are_read() {
        let key = |key: &str| Step::Key(key.into());
        assert_eq!(Path::parse("$.a.b"), Ok(Path(vec![key("a"), key("b")])));
        assert_eq!(Path::parse("a[2].b"), Ok(Path(vec![key("a"), Step::Index(2), key("b")])));
        assert_eq!(Path::parse("$['x y'][0]"), Ok(Path(vec![key("x y"), Step::Index(0)])));
        assert_eq!(Path::parse("$"), Ok(Path(vec![])));
        for wrong in ["$..a", "$.a[", "$.a[x]", "$.a.", "$[0]x"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }
}
