//! What a flag is for somebody. Pure: the same flag and context give the same answer, on every server and after every restart.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Number, Value};

use super::context::Context;
use super::definition::{BUCKETS, Condition, Definition, Operator, Serve};
use super::semver::Version;
use crate::api::experiments::running::Running;

/// A flag that can be evaluated.
#[derive(Clone, Debug)]
pub struct Flag {
    pub key: String,
    pub version: i64,
    pub salt: String,
    pub definition: Definition,
    /// Whom no rule decides takes part in it.
    pub experiment: Option<Running>,
}

/// Why somebody gets a variant, in the words of OpenFeature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = FlagReason)]
pub enum Reason {
    /// The flag has no rules: everybody gets this.
    Static,
    /// No rule is for them.
    Default,
    TargetingMatch,
    Split,
    /// The flag is switched off.
    Disabled,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome<'a> {
    pub variant: &'a str,
    /// `None` only if the flag was written by something that does not check it.
    pub value: Option<&'a Value>,
    pub reason: Reason,
    /// The one that decided: this is an exposure.
    pub experiment: Option<&'a Running>,
}

/// A rule that splits was reached, and the context does not say who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetingKeyMissing;

impl Flag {
    pub fn evaluate(&self, context: &Context) -> Result<Outcome<'_>, TargetingKeyMissing> {
        let definition = &self.definition;
        if !definition.is_enabled {
            return Ok(self.outcome(&definition.off_variant, Reason::Disabled));
        }
        let Some(rule) = definition.rules.iter().find(|rule| rule.conditions.iter().all(|condition| condition.holds(context))) else {
            // Who cannot be told from others takes no part: to start an experiment breaks no program that did not need to say who asks.
            if let (Some(experiment), Some(key)) = (&self.experiment, &context.targeting_key)
                && let Some(variant) = choose(&experiment.shares, bucket(&experiment.salt, key))
            {
                return Ok(Outcome { experiment: Some(experiment), ..self.outcome(variant, Reason::Split) });
            }
            let reason = if definition.rules.is_empty() { Reason::Static } else { Reason::Default };
            return Ok(self.outcome(&definition.default_variant, reason));
        };
        match &rule.serve {
            Serve::Variant(variant) => Ok(self.outcome(variant, Reason::TargetingMatch)),
            Serve::Split(split) => {
                let key = context.targeting_key.as_deref().ok_or(TargetingKeyMissing)?;
                let chosen = choose(split, bucket(&self.salt, key));
                Ok(self.outcome(chosen.unwrap_or(&definition.default_variant), Reason::Split))
            }
        }
    }

    fn outcome<'a>(&'a self, variant: &'a str, reason: Reason) -> Outcome<'a> {
        Outcome { variant, value: self.definition.variants.get(variant), reason, experiment: None }
    }
}

/// Where somebody stands in a split: 0 to 9999.
///
/// The hash is even over 2^64 numbers, of which 1616 are left over when they are dealt out to 10,000 buckets: the fullest bucket is fuller
/// than the emptiest by one part in 1.8 · 10^15, which nobody can measure. Neither a salt nor a key holds a NUL, so that no other salt and
/// key give the same bytes.
pub fn bucket(salt: &str, targeting_key: &str) -> u16 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(salt.as_bytes()).update(&[0]).update(targeting_key.as_bytes());
    let hash = hasher.finalize();
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % u64::from(BUCKETS);
    u16::try_from(number).unwrap_or(0)
}

/// The variant in whose share a bucket lies; `None`: in nobody's.
///
/// Shares are laid end to end in the order of the variants' names. A share that alone is raised, whoever it is taken from, then grows at its
/// ends: its beginning does not move up, nor its end down, and who was in it stays in it.
pub fn choose(split: &BTreeMap<String, u16>, bucket: u16) -> Option<&str> {
    let mut end = 0_u64;
    for (variant, share) in split {
        end += u64::from(*share);
        if u64::from(bucket) < end {
            return Some(variant);
        }
    }
    None
}

impl Condition {
    fn holds(&self, context: &Context) -> bool {
        let Some(found) = context.attribute(&self.attribute) else {
            return self.op == Operator::Exists && self.value == Value::Bool(false);
        };
        let listed = || self.value.as_array().is_some_and(|list| list.iter().any(|value| are_equal(found, value)));
        let texts = |compare: fn(&str, &str) -> bool| matches!((found.as_str(), self.value.as_str()), (Some(a), Some(b)) if compare(a, b));
        let numbers = |wanted: fn(Ordering) -> bool| compare_numbers(found, &self.value).is_some_and(wanted);
        let versions = |wanted: fn(Ordering) -> bool| compare_versions(found, &self.value).is_some_and(wanted);
        match self.op {
            Operator::Exists => self.value == Value::Bool(true),
            Operator::Eq => are_equal(found, &self.value),
            Operator::In => listed(),
            Operator::NotIn => !listed(),
            Operator::Prefix => texts(|text, part| text.starts_with(part)),
            Operator::Suffix => texts(|text, part| text.ends_with(part)),
            Operator::Contains => match found {
                Value::Array(elements) => elements.iter().any(|element| are_equal(element, &self.value)),
                _ => texts(|text, part| text.contains(part)),
            },
            Operator::Gt => numbers(Ordering::is_gt),
            Operator::Gte => numbers(Ordering::is_ge),
            Operator::Lt => numbers(Ordering::is_lt),
            Operator::Lte => numbers(Ordering::is_le),
            Operator::SemverEq => versions(Ordering::is_eq),
            Operator::SemverGt => versions(Ordering::is_gt),
            Operator::SemverGte => versions(Ordering::is_ge),
            Operator::SemverLt => versions(Ordering::is_lt),
            Operator::SemverLte => versions(Ordering::is_le),
        }
    }
}

/// 1 and 1.0 are equal; a number and a text never are.
fn are_equal(a: &Value, b: &Value) -> bool {
    if a.is_number() { compare_numbers(a, b).is_some_and(Ordering::is_eq) } else { a == b }
}

/// Integers exactly, others as floating-point numbers.
fn compare_numbers(a: &Value, b: &Value) -> Option<Ordering> {
    let (Value::Number(a), Value::Number(b)) = (a, b) else { return None };
    let integer = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn compare_versions(a: &Value, b: &Value) -> Option<Ordering> {
    Some(Version::parse(a.as_str()?)?.cmp(&Version::parse(b.as_str()?)?))
}

#[cfg(test)]
mod tests;
