//! Options of the Redis sink.

use super::CONNECTOR;
use crate::Result;
use crate::options::{Options, column, is_integer, primary_key};
use crate::sink::SinkSpec;

/// What a row becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// `SET {prefix}{key}` to the row as JSON; `key` are the columns that are joined by `:`.
    Json { key: Vec<usize> },
    /// `ZADD {prefix}{key} score member`.
    SortedSet { key: usize, member: usize, score: usize },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedisConfig {
    pub(crate) prefix: String,
    pub(crate) target: Target,
}

impl RedisConfig {
    pub(crate) fn new(spec: &SinkSpec) -> Result<Self> {
        let mut options = Options::new(CONNECTOR, spec);
        let key = primary_key(&options, spec)?;
        let target = options.optional("target").unwrap_or_else(|| "json".to_owned());
        let prefix = options.required("target.key_prefix")?;
        if prefix.starts_with("chimera:") {
            return Err(options.error("option 'target.key_prefix' may not start with 'chimera:', where the marks are kept"));
        }
        let target = match target.as_str() {
            "json" => Target::Json { key },
            "sorted_set" => {
                let mut position = |name: &'static str| -> Result<usize> {
                    let value = options.required(name)?;
                    Ok(column(&options, spec, name, &value)?.0)
                };
                let (key, member, score) =
                    (position("target.key_column")?, position("target.member_column")?, position("target.score_column")?);
                let score_type = spec.schema.field(score).data_type();
                let numeric =
                    is_integer(score_type) || score_type.is_floating() || matches!(score_type, arrow::datatypes::DataType::Decimal128(..));
                if !numeric {
                    return Err(
                        options.error(format!("option 'target.score_column' names a column of type {score_type}; a score is a number"))
                    );
                }
                Target::SortedSet { key, member, score }
            }
            other => return Err(options.error(format!("option 'target' = '{other}' is neither 'json' nor 'sorted_set'"))),
        };
        options.finish()?;
        Ok(Self { prefix, target })
    }
}
