//! The fields of an index.

use std::path::Path;

use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, NumericOptions, STORED, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexBuilder, TantivyError};

use super::config::TantivyConfig;
use super::directory::LazyDirectory;
use super::failed;
use super::tokenizer::ProductTokenizer;
use crate::{Error, Result};

/// The weights of everything else in a query go by this.
const BOOST_MAX: f32 = 3.0;
const STEMS: &str = "chimera_stems";
const WORDS: &str = "chimera_words";

/// An index's fields, found again by what they are for.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    /// The primary key as one term.
    pub(crate) key: Field,
    /// The row as JSON.
    pub(crate) row: Field,
    /// Every word of every text column, as it is written: the vocabulary of prefixes and corrections.
    pub(crate) words: Field,
    /// Stems, a field a text column, with its boost; the highest is always [`BOOST_MAX`].
    pub(crate) text: Vec<(Field, f32)>,
    pub(crate) facets: Vec<Field>,
    pub(crate) fast: Vec<Field>,
}

/// Name of the field of a facet column.
pub(crate) fn facet_name(column: &str) -> String {
    format!("facet_{column}")
}

/// Name of the field of a numeric column.
pub(crate) fn fast_name(column: &str) -> String {
    format!("fast_{column}")
}

fn build(config: &TantivyConfig) -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let key = builder.add_text_field("key", STRING);
    let row = builder.add_bytes_field("row", STORED);
    let indexed = |tokenizer: &str, option: IndexRecordOption, norms: bool| {
        let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(option).set_fieldnorms(norms);
        TextOptions::default().set_indexing_options(indexing)
    };
    let words = builder.add_text_field("words", indexed(WORDS, IndexRecordOption::Basic, false));
    let highest = config.text.iter().map(|field| field.boost).fold(f32::MIN_POSITIVE, f32::max);
    let text = config
        .text
        .iter()
        .map(|field| {
            let options = indexed(STEMS, IndexRecordOption::WithFreqsAndPositions, true);
            (builder.add_text_field(&format!("text_{}", field.column.name), options), field.boost / highest * BOOST_MAX)
        })
        .collect();
    let facets = config
        .facets
        .iter()
        .map(|column| builder.add_text_field(&facet_name(&column.name), STRING.set_fast(tantivy::tokenizer::RAW_TOKENIZER_NAME)))
        .collect();
    let fast = config
        .fast
        .iter()
        .map(|field| {
            let options = NumericOptions::from(INDEXED) | NumericOptions::from(FAST);
            let name = fast_name(&field.column.name);
            if field.integer { builder.add_i64_field(&name, options) } else { builder.add_f64_field(&name, options) }
        })
        .collect();
    (builder.build(), Fields { key, row, words, text, facets, fast })
}

/// Opens or makes the index in `folder`. One with other fields is removed: its documents would have to be made anew anyway.
pub(crate) fn open(folder: &Path, config: &TantivyConfig) -> Result<(Index, LazyDirectory, Fields)> {
    let io = |what: &'static str| move |source| Error::Io { what: format!("{what} {}", folder.display()), source };
    std::fs::create_dir_all(folder).map_err(io("cannot make the folder"))?;
    let (schema, fields) = build(config);
    let attempt = || -> tantivy::Result<(Index, LazyDirectory)> {
        let directory = LazyDirectory::open(folder)?;
        Ok((IndexBuilder::new().schema(schema.clone()).open_or_create(directory.clone())?, directory))
    };
    let opened = match attempt() {
        Err(TantivyError::SchemaError(_)) => {
            tracing::info!(folder = %folder.display(), "the search index has other fields than its table now declares; it is made anew");
            std::fs::remove_dir_all(folder).map_err(io("cannot remove the old index in"))?;
            std::fs::create_dir_all(folder).map_err(io("cannot make the folder"))?;
            attempt()
        }
        result => result,
    };
    let (index, directory) = opened.map_err(failed)?;
    index.tokenizers().register(STEMS, ProductTokenizer { stemmed: true }.analyzer());
    index.tokenizers().register(WORDS, ProductTokenizer { stemmed: false }.analyzer());
    Ok((index, directory, fields))
}
