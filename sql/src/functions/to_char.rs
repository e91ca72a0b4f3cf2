//! `to_char(time, pattern)`: a time as text, by a pattern of PostgreSQL (`'YYYY-MM-DD HH24:MI'`) or, if it holds a `%`, of strftime, as in Arroyo.

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::functions::datetime;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};
use std::sync::Arc;

/// In the place of DataFusion's.
pub fn to_char() -> ScalarUDF {
    ScalarUDF::from(ToChar { inner: datetime::to_char() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToChar {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for ToChar {
    as_inner!();

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        // A pattern that is known already is refused before the first row comes.
        if let Some(Some(pattern)) = args.scalar_arguments.get(1)
            && let Some(Some(pattern)) = pattern.try_as_str()
        {
            strftime(pattern).map_err(DataFusionError::Plan)?;
        }
        self.inner.return_field_from_args(args)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let Some(pattern) = args.args.get_mut(1) {
            *pattern = match &*pattern {
                ColumnarValue::Scalar(value) => {
                    let known = value.try_as_str().flatten().map(strftime).transpose().map_err(DataFusionError::Execution)?;
                    ColumnarValue::Scalar(ScalarValue::Utf8(known))
                }
                ColumnarValue::Array(patterns) => {
                    let patterns = cast(patterns, &DataType::Utf8)?;
                    let patterns = patterns.as_string::<i32>().iter().map(|pattern| pattern.map(strftime).transpose());
                    let patterns: StringArray = patterns.collect::<Result<_, String>>().map_err(DataFusionError::Execution)?;
                    ColumnarValue::Array(Arc::new(patterns) as ArrayRef)
                }
            };
        }
        self.inner.invoke_with_args(args)
    }
}

/// PostgreSQL's pattern, strftime's, and whether case matters. A longer one stands before those that it begins with.
const PATTERNS: [(&str, &str, bool); 22] = [
    ("YYYY", "%Y", false),
    ("IYYY", "%G", false),
    ("YY", "%y", false),
    ("HH24", "%H", false),
    ("HH12", "%I", false),
    ("HH", "%I", false),
    ("MI", "%M", false),
    ("MM", "%m", false),
    ("MS", "%3f", false),
    ("SS", "%S", false),
    ("US", "%6f", false),
    ("DDD", "%j", false),
    ("DD", "%d", false),
    ("IW", "%V", false),
    ("ID", "%u", false),
    ("Mon", "%b", true),
    ("Dy", "%a", true),
    ("AM", "%p", true),
    ("PM", "%p", true),
    ("am", "%P", true),
    ("pm", "%P", true),
    ("Q", "%q", false),
];

/// Patterns of PostgreSQL without a strftime of the same meaning; those in the second list begin others that have one.
const UNKNOWN: [&str; 17] =
    ["Month", "Day", "Y,YYY", "SSSS", "IDDD", "A.M.", "P.M.", "A.D.", "B.C.", "WW", "CC", "TZ", "TM", "FX", "FF", "RM", "J"];
const UNKNOWN_SHORT: [&str; 6] = ["Mon", "Dy", "D", "W", "Y", "I"];

/// A pattern for strftime.
fn strftime(pattern: &str) -> Result<String, String> {
    if pattern.contains('%') {
        return Ok(pattern.to_owned());
    }
    let begins = |rest: &str, with: &str, has_case: bool| {
        rest.get(..with.len()).is_some_and(|head| if has_case { head == with } else { head.eq_ignore_ascii_case(with) })
    };
    let (mut made, mut rest) = (String::new(), pattern);
    while let Some(next) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (text, after) = quoted.split_once('"').unwrap_or((quoted, ""));
            made.push_str(text);
            rest = after;
            continue;
        }
        let unpadded = if begins(rest, "FM", false) { &rest[2..] } else { rest };
        let is_unpadded = unpadded.len() < rest.len();
        let full = [("Month", "%B"), ("Day", "%A")].into_iter().find(|(name, _)| is_unpadded && begins(unpadded, name, true));
        if let Some((name, known)) = full {
            made.push_str(known);
            rest = &unpadded[name.len()..];
        } else if let Some(name) = UNKNOWN.into_iter().find(|name| begins(rest, name, false)) {
            return Err(unknown(&rest[..name.len()]));
        } else if let Some((name, known, _)) = PATTERNS.into_iter().find(|(name, _, has_case)| begins(unpadded, name, *has_case)) {
            match known {
                "%3f" | "%6f" if is_unpadded => return Err(unknown(&rest[..name.len() + 2])),
                // These are never padded.
                "%a" | "%b" | "%p" | "%P" => made.push_str(known),
                _ if is_unpadded => made.push_str(&known.replacen('%', "%-", 1)),
                _ => made.push_str(known),
            }
            rest = &unpadded[name.len()..];
            if begins(rest, "TH", false) {
                return Err(unknown(&format!("{name}{}", &rest[..2])));
            }
        } else if let Some(name) = UNKNOWN_SHORT.into_iter().find(|name| begins(rest, name, false)) {
            return Err(unknown(&rest[..name.len()]));
        } else {
            made.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    Ok(made)
}

fn unknown(pattern: &str) -> String {
    format!(
        "to_char: the pattern `{pattern}` is not known here; write FMMonth, FMDay, Mon, Dy or numbers, put words in double quotes, or use strftime's `%`"
    )
}

#[cfg(test)]
mod tests {
    use super::strftime;

    #[test]
    fn patterns_of_postgresql_become_those_of_strftime() {
        for (pattern, expected) in [
            ("YYYY-MM-DD HH24:MI:SS.MS", "%Y-%m-%d %H:%M:%S.%3f"),
            ("yyyy/mm", "%Y/%m"),
            ("FMDD. FMMonth YY, HH12:MI am", "%-d. %B %y, %I:%M %P"),
            ("Dy DD Mon, \"week\" IW of IYYY", "%a %d %b, week %V of %G"),
            ("YYYY\"-Q\"Q", "%Y-Q%q"),
            ("FMDy FMMon FMDD", "%a %b %-d"),
            ("%d.%m.%Y", "%d.%m.%Y"),
        ] {
            assert_eq!(strftime(pattern).unwrap(), expected);
        }
        for refused in ["Month YYYY", "DD MON", "D", "yyyy, ww", "HH12:MI A.M.", "FMDDth", "IDDD", "TMMonth", "FMMS"] {
            assert!(strftime(refused).unwrap_err().contains("FMMonth"), "{refused}");
        }
    }
}
