//! SQL functions that need a model.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, Float32Builder, ListBuilder};
use arrow::datatypes::{DataType, Field};
use chimera_models::ImageTower;
use chimera_sql::Functions;

const IMAGE_EMBEDDING: &str = "image_embedding";

/// The built-in functions and `image_embedding(picture BYTEA) → FLOAT[]`, which is NULL for what is no picture, and always without a tower.
pub fn functions(tower: Option<Arc<ImageTower>>) -> Functions {
    let mut functions = Functions::new();
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    functions.register(
        IMAGE_EMBEDDING,
        vec![DataType::Binary],
        DataType::List(item),
        Arc::new(move |arguments: &[ArrayRef]| {
            let pictures = arguments
                .first()
                .and_then(|array| array.as_any().downcast_ref::<BinaryArray>())
                .ok_or_else(|| "image_embedding takes one BYTEA argument".to_owned())?;
            let mut embeddings = ListBuilder::new(Float32Builder::new());
            for picture in pictures {
                match picture.zip(tower.as_ref()).map(|(bytes, tower)| tower.embed(bytes)) {
                    Some(Ok(embedding)) => {
                        embeddings.values().append_slice(&embedding);
                        embeddings.append(true);
                    }
                    Some(Err(error)) => {
                        tracing::warn!(%error, "a picture has no embedding");
                        metrics::counter!("chimera_pictures_refused_total").increment(1);
                        embeddings.append(false);
                    }
                    None => embeddings.append(false),
                }
            }
            Ok(Arc::new(embeddings.finish()) as ArrayRef)
        }),
    );
    functions
}

/// Names what the functions' answers depend on beside their arguments; stores made with another are built anew.
pub fn version(tower: Option<&ImageTower>) -> String {
    tower.map_or_else(|| "without an image tower".to_owned(), |tower| tower.id().to_owned())
}

/// `version`, if a pipeline of this text depends on it.
pub(crate) fn version_in<'a>(text: &str, version: &'a str) -> &'a str {
    if text.contains(IMAGE_EMBEDDING) { version } else { "" }
}
