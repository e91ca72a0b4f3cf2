//! The part of an address after the question mark.

use serde::Serialize;
use serde_json::Value;

/// Names and values; what is `None` is left out, of a list each has the name before it.
#[derive(Debug, Default)]
pub struct Pairs(pub Vec<(&'static str, String)>);

impl Pairs {
    pub fn with(mut self, name: &'static str, value: &impl Serialize) -> Self {
        // What parameters are made of can be written.
        self.add(name, serde_json::to_value(value).unwrap_or_default());
        self
    }

    fn add(&mut self, name: &'static str, value: Value) {
        match value {
            Value::Null => {}
            Value::String(text) => self.0.push((name, text)),
            Value::Array(values) => values.into_iter().for_each(|value| self.add(name, value)),
            other => self.0.push((name, other.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_without_quotes_and_lists_one_by_one() {
        let pairs = Pairs::default().with("q", &Some("a b")).with("no", &None::<u32>).with("n", &7).with("s", &["x", "y"]);
        let expected = [("q", "a b"), ("n", "7"), ("s", "x"), ("s", "y")].map(|(name, value)| (name, value.to_owned()));
        assert_eq!(pairs.0, expected);
    }
}
