//! What a flag is: the document that is written, kept and evaluated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::extract::Body;

/// Shares are in hundredths of a percent, so all of them are this many.
pub const BUCKETS: u16 = 10_000;

/// What the values of a flag are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FlagType {
    Boolean,
    String,
    Integer,
    Number,
    Object,
}

/// A flag: rules are tried in order, the first whose conditions all hold decides, and if none does the default variant is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FlagDefinition)]
pub struct Definition {
    #[serde(rename = "type")]
    pub flag_type: FlagType,
    #[schema(max_length = 500)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Values by name, 1 to 20; all of the flag's type.
    #[schema(value_type = Object)]
    pub variants: BTreeMap<String, Value>,
    pub default_variant: String,
    /// Served while the flag is not enabled.
    pub off_variant: String,
    pub is_enabled: bool,
    /// Clients that are not the shop's own programs (roles `service` and `admin`) are told that there is no such flag.
    #[serde(default)]
    pub is_server_only: bool,
    /// At most 50.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

impl Body for Definition {
    const MAX_BYTES: usize = 64 * 1024;
}

/// What is served to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FlagRule)]
pub struct Rule {
    #[schema(max_length = 500)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// All have to hold; at most 20. Without any, the rule is for everybody.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    pub serve: Serve,
}

/// One variant, or a split over several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FlagServe)]
pub enum Serve {
    Variant(String),
    /// Shares by variant, in basis points (hundredths of a percent); they sum up to 10000 at most. Who is in none of them gets the default
    /// variant.
    Split(BTreeMap<String, u16>),
}

/// In the order of the variants' names, whatever order they were written in: so writing them in another one moves nobody.
pub type Split = BTreeMap<String, u16>;

/// A comparison of an attribute of the context. One that the context does not have meets no condition but `exists` with `false`, and neither
/// does one of another type than the comparison is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FlagCondition)]
pub struct Condition {
    #[schema(min_length = 1, max_length = 100, example = "country")]
    pub attribute: String,
    pub op: Operator,
    /// A list for `in` and `not_in`, true or false for `exists`, a number for `gt` and its kin, a version for `semver_…`, else what the
    /// attribute is compared with.
    #[schema(value_type = Object)]
    pub value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FlagOperator)]
pub enum Operator {
    Eq,
    In,
    NotIn,
    Prefix,
    Suffix,
    /// A part of a text, or an element of a list.
    Contains,
    Exists,
    Gt,
    Gte,
    Lt,
    Lte,
    SemverEq,
    SemverGt,
    SemverGte,
    SemverLt,
    SemverLte,
}
