//! `current_setting(name [, missing_ok])`, which tools ask for the version and the search path.

use arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility};
use datafusion::scalar::ScalarValue;

/// Settings that have one value here.
const SETTINGS: [(&str, &str); 8] = [
    // As the sessions announce it.
    ("server_version_num", "160006"),
    ("server_version", "16.6"),
    ("search_path", "\"$user\", public"),
    ("timezone", "UTC"),
    ("server_encoding", "UTF8"),
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("max_identifier_length", "63"),
];

#[derive(Debug, PartialEq, Eq, Hash)]
struct CurrentSetting(Signature);

pub(super) fn current_setting() -> ScalarUDF {
    let arguments = vec![TypeSignature::Exact(vec![DataType::Utf8]), TypeSignature::Exact(vec![DataType::Utf8, DataType::Boolean])];
    ScalarUDF::new_from_impl(CurrentSetting(Signature::one_of(arguments, Volatility::Stable)))
}

impl ScalarUDFImpl for CurrentSetting {
    fn name(&self) -> &str {
        "current_setting"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(name)))) = arguments.args.first() else {
            return exec_err!("current_setting takes the name of a setting");
        };
        let found = SETTINGS.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        let missing_ok = matches!(arguments.args.get(1), Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true)))));
        match found {
            Some((_, value)) => Ok(ColumnarValue::Scalar(ScalarValue::from(*value))),
            None if missing_ok => Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None))),
            None => exec_err!("unrecognized configuration parameter \"{name}\""),
        }
    }
}
