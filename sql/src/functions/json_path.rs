//! Paths into JSON: `$.a.b[0]`, `$['a b']`, `a.b`.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use serde_json::Value;

/// A step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
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

    fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        })
    }
}

/// What `take` makes of the value at the path, for each row; null where the text, the path or the value is null or missing.
/// A text that is not JSON refuses the row.
pub(super) fn extract(args: &[ArrayRef], take: impl Fn(&Value) -> Option<String>) -> Result<ArrayRef, String> {
    let [texts, paths] = args else { return Err("expects a JSON text and a path".into()) };
    let (texts, paths) = (texts.as_string::<i32>(), paths.as_string::<i32>());
    let mut parsed: Option<(&str, Path)> = None;
    let mut results = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        if texts.is_null(row) || paths.is_null(row) {
            results.push(None);
            continue;
        }
        let path_text = paths.value(row);
        if parsed.as_ref().is_none_or(|(text, _)| *text != path_text) {
            parsed = Some((path_text, Path::parse(path_text)?));
        }
        let value: Value = serde_json::from_str(texts.value(row)).map_err(|e| format!("the text is not JSON: {e}"))?;
        let found = parsed.as_ref().and_then(|(_, path)| path.find(&value));
        results.push(found.and_then(&take));
    }
    Ok(std::sync::Arc::new(StringArray::from(results)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
