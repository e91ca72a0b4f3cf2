//! What may stand in a flag.

use serde_json::{Map, Value};

use super::definition::{BUCKETS, Condition, Definition, FlagType, Operator, Serve, Split};
use super::semver::Version;
use crate::api::extract::Faults;
use crate::api::problem::Result;

const MAX_VARIANTS: usize = 20;
const MAX_RULES: usize = 50;
const MAX_CONDITIONS: usize = 20;
const MAX_LIST: usize = 500;
const MAX_VALUE_BYTES: usize = 16 * 1024;
pub const MAX_KEY: usize = 100;
/// The largest integer that every client's numbers hold exactly.
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Keys of flags and experiments stand in addresses, so they are of few characters.
pub fn is_key(text: &str) -> bool {
    let mut bytes = text.bytes();
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= MAX_KEY && bytes.next().is_some_and(is_first) && bytes.all(|byte| is_first(byte) || b"._-".contains(&byte))
}

pub const KEY_RULE: &str = "a key is 1 to 100 of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or a digit";

impl Definition {
    /// Everything that is wrong with it; `path` stands before the names of its fields.
    pub fn check(&self, path: &str) -> Result<()> {
        let mut faults = Faults::default();
        let at = |field: &str| format!("{path}{field}");
        if let Some(description) = &self.description {
            faults.text(&at("description"), description, 500);
        }
        self.check_variants(&mut faults, path);
        for (field, variant) in [("default_variant", &self.default_variant), ("off_variant", &self.off_variant)] {
            self.check_variant(&mut faults, &at(field), variant);
        }
        faults.unless(self.rules.len() <= MAX_RULES, &at("rules"), "a flag has 50 rules at most");
        for (index, rule) in self.rules.iter().take(MAX_RULES).enumerate() {
            let at = |field: &str| format!("{path}rules[{index}].{field}");
            if let Some(description) = &rule.description {
                faults.text(&at("description"), description, 500);
            }
            faults.unless(rule.conditions.len() <= MAX_CONDITIONS, &at("conditions"), "a rule has 20 conditions at most");
            for (number, condition) in rule.conditions.iter().take(MAX_CONDITIONS).enumerate() {
                condition.check(&mut faults, &at(&format!("conditions[{number}]")));
            }
            match &rule.serve {
                Serve::Variant(variant) => self.check_variant(&mut faults, &at("serve.variant"), variant),
                Serve::Split(split) => {
                    split.keys().for_each(|variant| self.check_variant(&mut faults, &at("serve.split"), variant));
                    check_split(&mut faults, &at("serve.split"), split);
                }
            }
        }
        faults.check()
    }

    fn check_variants(&self, faults: &mut Faults, path: &str) {
        let path = format!("{path}variants");
        faults.unless((1..=MAX_VARIANTS).contains(&self.variants.len()), &path, "a flag has 1 to 20 variants");
        for (name, value) in &self.variants {
            faults.text(&path, name, MAX_KEY);
            if !has_type(value, self.flag_type) {
                faults.add(&path, format!("the value of `{}` is not of the flag's type", name.escape_debug()));
            } else if has_nul(value) || value.to_string().len() > MAX_VALUE_BYTES {
                faults.add(&path, format!("the value of `{}` has NUL characters, or is over 16 KiB", name.escape_debug()));
            }
        }
    }

    fn check_variant(&self, faults: &mut Faults, path: &str, variant: &str) {
        faults.unless(self.variants.contains_key(variant), path, "this is none of the variants");
    }
}

/// Shares that sum up to 10000 at most; one of 0 is a variant that waits.
pub fn check_split(faults: &mut Faults, path: &str, split: &Split) {
    let sum: u64 = split.values().map(|share| u64::from(*share)).sum();
    faults.unless(!split.is_empty(), path, "a split has a variant at least");
    faults.unless(sum <= u64::from(BUCKETS), path, "the shares sum up to more than 10000 basis points");
}

impl Condition {
    fn check(&self, faults: &mut Faults, path: &str) {
        faults.text(&format!("{path}.attribute"), &self.attribute, MAX_KEY);
        let is_scalar = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
        let value = &self.value;
        let complaint = match self.op {
            Operator::Eq | Operator::Contains => (!is_scalar(value)).then_some("a text, a number, true or false"),
            Operator::In | Operator::NotIn => {
                let is_good = value.as_array().is_some_and(|list| (1..=MAX_LIST).contains(&list.len()) && list.iter().all(is_scalar));
                (!is_good).then_some("a list of 1 to 500 texts, numbers, true or false")
            }
            Operator::Prefix | Operator::Suffix => value.as_str().is_none_or(str::is_empty).then_some("a text"),
            Operator::Exists => (!value.is_boolean()).then_some("true or false"),
            Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte => (!value.is_number()).then_some("a number"),
            Operator::SemverEq | Operator::SemverGt | Operator::SemverGte | Operator::SemverLt | Operator::SemverLte => {
                value.as_str().and_then(Version::parse).is_none().then_some("a version such as 1.4.0-beta.2")
            }
        };
        if let Some(wanted) = complaint {
            faults.add(format!("{path}.value"), format!("this comparison is with {wanted}"));
        } else if has_nul(value) {
            faults.add(format!("{path}.value"), "this has NUL characters");
        }
    }
}

fn has_type(value: &Value, flag_type: FlagType) -> bool {
    match flag_type {
        FlagType::Boolean => value.is_boolean(),
        FlagType::String => value.is_string(),
        FlagType::Integer => value.as_i64().is_some_and(|number| number.unsigned_abs() <= MAX_INTEGER),
        FlagType::Number => value.is_number(),
        FlagType::Object => value.is_object(),
    }
}

/// PostgreSQL's JSON does not hold them.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(map) => Map::iter(map).any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_fault_is_told_with_its_place() {
        let definition: Definition = serde_json::from_value(json!({
            "type": "integer", "variants": {"a": 1, "b": 1.5, "c": 9_007_199_254_740_992_u64}, "default_variant": "z", "off_variant": "a", "is_enabled": true,
            "rules": [
                {"conditions": [{"attribute": "age", "op": "gt", "value": "x"}], "serve": {"variant": "a"}},
                {"conditions": [{"attribute": "app", "op": "semver_gte", "value": "1.0"}], "serve": {"split": {"a": 9000, "b": 1001, "y": 0}}},
                {"conditions": [{"attribute": "", "op": "in", "value": []}], "serve": {"split": {}}}]
        }))
        .expect("a definition");
        let problem = format!("{:?}", definition.check("definition.").expect_err("faults"));
        let told: Vec<&str> = problem.split("\"path\": String(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(
            told,
            [
                "definition.variants",
                "definition.variants",
                "definition.default_variant",
                "definition.rules[0].conditions[0].value",
                "definition.rules[1].conditions[0].value",
                "definition.rules[1].serve.split",
                "definition.rules[1].serve.split",
                "definition.rules[2].conditions[0].attribute",
                "definition.rules[2].conditions[0].value",
                "definition.rules[2].serve.split",
            ]
        );
    }

    #[test]
    fn keys_are_of_few_characters() {
        assert!(["a", "new-checkout", "9.b_c", &"x".repeat(100)].iter().all(|key| is_key(key)));
        assert!(["", "-a", "A", "a b", "ä", "a/b", &"x".repeat(101)].iter().all(|key| !is_key(key)));
    }
}
