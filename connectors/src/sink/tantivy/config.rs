//! Options of the Tantivy sink.

use arrow::datatypes::DataType;

use super::CONNECTOR;
use crate::Result;
use crate::options::{Options, column, is_integer, primary_key};
use crate::sink::SinkSpec;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TantivyConfig {
    /// The index's name, and its folder's.
    pub(crate) index: String,
    pub(crate) key: Vec<usize>,
    /// Columns that are searched, most important first as declared, with their boosts.
    pub(crate) text: Vec<TextField>,
    /// Columns whose values can be filtered by and counted.
    pub(crate) facets: Vec<Column>,
    /// Numeric columns that can be sorted and filtered by.
    pub(crate) fast: Vec<FastField>,
    /// Names among `fast`, where there are such columns.
    pub(crate) price: Option<String>,
    pub(crate) stock: Option<String>,
    pub(crate) popularity: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) position: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TextField {
    pub(crate) column: Column,
    pub(crate) boost: f32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FastField {
    pub(crate) column: Column,
    pub(crate) integer: bool,
}

impl TantivyConfig {
    pub(crate) fn new(spec: &SinkSpec) -> Result<Self> {
        let mut options = Options::new(CONNECTOR, spec);
        let key = primary_key(&options, spec)?;
        let index = options.name("index")?;
        let text: Vec<String> = options.list("fields.text");
        let facets: Vec<String> = options.list("fields.facet");
        let fast: Vec<String> = options.list("fields.fast");
        if text.is_empty() {
            return Err(
                options.error("option 'fields.text' is missing; it names the columns that are searched, as in 'name^3,description'")
            );
        }
        let text = text.iter().map(|field| text_field(&options, spec, field)).collect::<Result<Vec<_>>>()?;
        let facets = facets
            .into_iter()
            .map(|name| {
                let (position, field) = column(&options, spec, "fields.facet", &name)?;
                if !is_text(field.data_type()) {
                    return Err(options
                        .error(format!("option 'fields.facet' names column '{name}' of type {}; a facet is TEXT", field.data_type())));
                }
                Ok(Column { name, position })
            })
            .collect::<Result<Vec<_>>>()?;
        let fast = fast
            .into_iter()
            .map(|name| {
                let (position, field) = column(&options, spec, "fields.fast", &name)?;
                let integer = is_integer(field.data_type());
                if !integer && !matches!(field.data_type(), DataType::Float32 | DataType::Float64 | DataType::Decimal128(..)) {
                    return Err(options.error(format!(
                        "option 'fields.fast' names column '{name}' of type {}; it has to be a number",
                        field.data_type()
                    )));
                }
                Ok(FastField { column: Column { name, position }, integer })
            })
            .collect::<Result<Vec<_>>>()?;
        let mut role = |option: &'static str, default: &str| -> Result<Option<String>> {
            let named = options.optional(option);
            let name = named.clone().unwrap_or_else(|| default.to_owned());
            let there = fast.iter().any(|field| field.column.name == name);
            match named {
                Some(name) if !there => Err(options.error(format!("option '{option}' = '{name}' is not among 'fields.fast'"))),
                _ => Ok(there.then_some(name)),
            }
        };
        let (price, stock, popularity) =
            (role("field.price", "price_cents")?, role("field.stock", "available")?, role("field.popularity", "popularity")?);
        options.finish()?;
        Ok(Self { index, key, text, facets, fast, price, stock, popularity })
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8)
}

/// `name` or `name^boost`.
fn text_field(options: &Options, spec: &SinkSpec, field: &str) -> Result<TextField> {
    let (name, boost) = field.split_once('^').unwrap_or((field, "1"));
    let (name, boost) = (name.trim(), boost.trim());
    let boost: f32 = boost
        .parse()
        .ok()
        .filter(|boost: &f32| *boost > 0.0 && *boost <= 1_000.0)
        .ok_or_else(|| options.error(format!("option 'fields.text': the boost of '{field}' is not a number above 0 and up to 1000")))?;
    let (position, column) = column(options, spec, "fields.text", name)?;
    if !is_text(column.data_type()) {
        return Err(
            options.error(format!("option 'fields.text' names column '{name}' of type {}; only TEXT is searched", column.data_type()))
        );
    }
    Ok(TextField { column: Column { name: name.to_owned(), position }, boost })
}
