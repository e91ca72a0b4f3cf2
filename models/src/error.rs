//! What can go wrong with a model, and with a picture.

use std::path::PathBuf;

/// Why an image tower could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the ONNX Runtime library was not found (looked at ORT_DYLIB_PATH and {}): install it with\n  {}",
        .looked_in.display(), crate::runtime::INSTALL_COMMAND
    )]
    LibraryMissing { looked_in: PathBuf },

    #[error("{} is not a usable ONNX Runtime library ({reason}): install one with\n  {}", .path.display(), crate::runtime::INSTALL_COMMAND)]
    LibraryUnusable { path: PathBuf, reason: String },

    #[error("the model file {} cannot be read: {source}", .path.display())]
    ModelUnreadable { path: PathBuf, source: std::io::Error },

    #[error("{model} cannot be loaded as an image tower: {reason}")]
    ModelUnusable { model: String, reason: String },

    #[error("the tower's configuration is wrong: {0}")]
    Configuration(String),
}

/// Why a picture has no vector. The sentences are meant for whoever sent the picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("the picture has {bytes} bytes and at most {limit_bytes} are read: send a smaller file")]
    TooLarge { bytes: usize, limit_bytes: usize },

    #[error(
        "the picture is {width} × {height} pixels, and sides up to {limit_side_px} px and {limit_megapixels} megapixels in all are read: \
         scale it down"
    )]
    TooManyPixels { width: u32, height: u32, limit_side_px: u32, limit_megapixels: u32 },

    #[error("this is not a JPEG or PNG file: send the picture in one of these formats")]
    UnsupportedFormat,

    #[error("the picture is broken: {reason}")]
    Broken { reason: String },

    #[error("the image model failed on this picture: {reason}")]
    Model { reason: String },
}

impl PictureError {
    /// Whether another picture would help: true for all but a failure of the model itself.
    pub fn is_about_the_picture(&self) -> bool {
        !matches!(self, Self::Model { .. })
    }
}
