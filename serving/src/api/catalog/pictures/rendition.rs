//! From a file that somebody sent to the two pictures that are kept. Nothing of the file itself is: no metadata, nothing appended.

use std::io::Cursor;

use chimera_models::{PictureError, PictureLimits, decode};
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, RgbImage};

/// Of the file.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
const PREVIEW_SIDE_PX: u32 = 512;
const LARGE_SIDE_PX: u32 = 2048;
const PREVIEW_QUALITY: u8 = 80;
const LARGE_QUALITY: u8 = 85;

/// JPEG files, upright.
pub struct Renditions {
    /// For lists, and for search by picture.
    pub preview: Vec<u8>,
    pub large: Vec<u8>,
    pub large_width_px: u32,
    pub large_height_px: u32,
}

/// Keeps a core busy and takes memory: call it where that may be, and a few at a time.
pub fn render(file: &[u8]) -> Result<Renditions, PictureError> {
    // The limits of pixels are checked there before anything is unpacked.
    let pixels = decode(file, &PictureLimits { bytes: MAX_BYTES, ..PictureLimits::default() })?;
    // Scaled first: then there is less to turn.
    let mut large = within(DynamicImage::ImageRgb8(pixels), LARGE_SIDE_PX);
    large.apply_orientation(orientation(file));
    let large = large.into_rgb8();
    let large_jpeg = encode(&large, LARGE_QUALITY)?;
    let (large_width_px, large_height_px) = large.dimensions();
    let preview = within(DynamicImage::ImageRgb8(large), PREVIEW_SIDE_PX).into_rgb8();
    Ok(Renditions { preview: encode(&preview, PREVIEW_QUALITY)?, large: large_jpeg, large_width_px, large_height_px })
}

/// How the camera was held. What says it badly says nothing.
fn orientation(file: &[u8]) -> Orientation {
    let read = || -> Result<Orientation, ImageError> {
        if file.starts_with(b"\x89PNG") {
            PngDecoder::new(Cursor::new(file))?.orientation()
        } else {
            JpegDecoder::new(Cursor::new(file))?.orientation()
        }
    };
    // As in `decode`: a hostile file may reach an assertion.
    std::panic::catch_unwind(read).ok().and_then(Result::ok).unwrap_or(Orientation::NoTransforms)
}

/// Never larger than it was.
fn within(picture: DynamicImage, side_px: u32) -> DynamicImage {
    if picture.width() <= side_px && picture.height() <= side_px { picture } else { picture.resize(side_px, side_px, FilterType::Lanczos3) }
}

fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, PictureError> {
    let mut jpeg = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut jpeg, quality).encode_image(picture);
    encoded.map(|()| jpeg).map_err(|error| PictureError::Broken { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgb};

    use super::*;

    /// Left half red, right half blue.
    fn halves(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([220, 20, 20]) } else { Rgb([20, 20, 220]) })
    }

    fn png(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).expect("written");
        bytes.into_inner()
    }

    fn size(jpeg: &[u8]) -> (u32, u32) {
        image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).expect("a JPEG").to_rgb8().dimensions()
    }

    #[test]
    fn a_large_picture_is_scaled_and_a_small_one_stays() {
        let made = render(&png(&halves(3000, 1500))).expect("a picture");
        assert_eq!((made.large_width_px, made.large_height_px), (2048, 1024));
        assert_eq!((size(&made.large), size(&made.preview)), ((2048, 1024), (512, 256)));
        let made = render(&png(&halves(40, 30))).expect("a picture");
        assert_eq!((size(&made.large), size(&made.preview)), ((40, 30), (40, 30)));
    }

    #[test]
    fn a_thin_picture_keeps_a_pixel() {
        let made = render(&png(&halves(8000, 1))).expect("a picture");
        assert_eq!((size(&made.large), size(&made.preview)), ((2048, 1), (512, 1)));
    }
}
