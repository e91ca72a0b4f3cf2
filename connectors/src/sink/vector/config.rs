//! Options of the vector sink.

use arrow::datatypes::DataType;

use super::CONNECTOR;
use crate::Result;
use crate::options::{Options, column, primary_key};
use crate::sink::SinkSpec;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VectorConfig {
    /// The index's name, and its folder's.
    pub(crate) index: String,
    /// Position of the column with the vectors.
    pub(crate) embedding: usize,
    pub(crate) key: Vec<usize>,
    /// `None`: as many as the first vector has.
    pub(crate) dimensions: Option<usize>,
}

impl VectorConfig {
    pub(crate) fn new(spec: &SinkSpec) -> Result<Self> {
        let mut options = Options::new(CONNECTOR, spec);
        let key = primary_key(&options, spec)?;
        let index = options.name("index")?;
        let embedding = options.required("embedding")?;
        let (embedding, field) = column(&options, spec, "embedding", &embedding)?;
        if !matches!(field.data_type(), DataType::List(item) if matches!(item.data_type(), DataType::Float32)) {
            return Err(options.error(format!(
                "option 'embedding' names column '{}', which is {} and not FLOAT[]",
                field.name(),
                field.data_type()
            )));
        }
        if key.contains(&embedding) {
            return Err(options.error("the embedding cannot be part of the primary key"));
        }
        let dimensions: Option<usize> = options.parsed("dimensions", "a number of dimensions")?;
        if dimensions.is_some_and(|dimensions| dimensions == 0 || dimensions > super::graph::DIMENSIONS_MAX) {
            return Err(options.error(format!("option 'dimensions' has to be between 1 and {}", super::graph::DIMENSIONS_MAX)));
        }
        if let Some(metric) = options.optional("metric").filter(|metric| metric != "cosine") {
            return Err(options.error(format!("option 'metric' = '{metric}'; only 'cosine' is there")));
        }
        options.finish()?;
        Ok(Self { index, embedding, key, dimensions })
    }
}
