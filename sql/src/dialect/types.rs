//! Column types.

use super::Parser;
use crate::error::Error;
use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, DataType as SqlType, ExactNumberInfo, TimezoneInfo};
use datafusion::sql::sqlparser::tokenizer::Token;
use std::sync::Arc;

/// Digits of a DECIMAL without any given.
const DEFAULT_DECIMAL: (u8, i8) = (38, 10);

impl Parser<'_> {
    pub(super) fn data_type(&mut self) -> Result<DataType, Error> {
        let at = self.place();
        if self.word("STRUCT") {
            return self.struct_type();
        }
        let sql_type = self.parser.parse_data_type().map_err(|e| self.parser_error(e))?;
        arrow_type(&sql_type).map_err(|message| {
            self.error(at, message).with_help(
                "use BOOLEAN, SMALLINT, INT, BIGINT, REAL, DOUBLE, DECIMAL(p, s), TEXT, BYTEA, DATE, TIMESTAMP, TEXT[], FLOAT[] or STRUCT<a INT, …>",
            )
        })
    }

    /// What follows STRUCT.
    fn struct_type(&mut self) -> Result<DataType, Error> {
        self.expect(&Token::Lt)?;
        let mut fields = vec![];
        loop {
            let name = self.name()?;
            let data_type = self.data_type()?;
            fields.push(Field::new(name.text, data_type, true));
            if !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        // `>>` closes this one and the one around it.
        if self.peek().token == Token::ShiftRight && !self.half_closed {
            self.half_closed = true;
        } else if self.half_closed && self.peek().token == Token::ShiftRight {
            self.half_closed = false;
            self.parser.next_token();
        } else {
            self.expect(&Token::Gt)?;
        }
        Ok(DataType::Struct(fields.into()))
    }
}

/// The Arrow type that a SQL type is held in. Strings, UUID and JSON are Utf8; times are UTC nanoseconds.
pub(crate) fn arrow_type(sql_type: &SqlType) -> Result<DataType, String> {
    use SqlType::*;
    Ok(match sql_type {
        Boolean | Bool => DataType::Boolean,
        SmallInt(_) | Int2(_) | TinyInt(_) => DataType::Int16,
        Int(_) | Integer(_) | Int4(_) | MediumInt(_) => DataType::Int32,
        BigInt(_) | Int8(_) | BigIntUnsigned(_) | IntUnsigned(_) | IntegerUnsigned(_) => DataType::Int64,
        Real | Float4 => DataType::Float32,
        Float(_) => DataType::Float32,
        Double(_) | DoublePrecision | Float8 | Float64 => DataType::Float64,
        Decimal(info) | Numeric(info) | Dec(info) => {
            let (precision, scale) = digits(info)?;
            DataType::Decimal128(precision, scale)
        }
        Text | String(_) | Varchar(_) | Char(_) | CharVarying(_) | CharacterVarying(_) | Character(_) | Uuid | JSON | JSONB => {
            DataType::Utf8
        }
        Bytea | Binary(_) | Varbinary(_) | Blob(_) | Bytes(_) => DataType::Binary,
        Date => DataType::Date32,
        Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) | Datetime(_) => DataType::Timestamp(TimeUnit::Nanosecond, None),
        Timestamp(..) => return Err("a timestamp with time zone is not supported: times are UTC".into()),
        Array(ArrayElemTypeDef::SquareBracket(inner, _) | ArrayElemTypeDef::AngleBracket(inner)) => {
            DataType::List(Arc::new(Field::new("item", arrow_type(inner)?, true)))
        }
        other => return Err(format!("type `{other}` is not supported")),
    })
}

fn digits(info: &ExactNumberInfo) -> Result<(u8, i8), String> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => return Ok(DEFAULT_DECIMAL),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    if precision == 0 || precision > 38 || scale < 0 || scale as u64 > precision {
        return Err(format!("DECIMAL({precision}, {scale}) is not possible: at most 38 digits, of which at most all after the point"));
    }
    Ok((precision as u8, scale as i8))
}
