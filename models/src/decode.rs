//! From bytes that anyone may have sent to pixels, within fixed limits of bytes, pixels and memory.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::{DynamicImage, ImageDecoder, ImageError, Limits, Rgb, RgbImage};

use crate::PictureError;

/// How much of a picture is read at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLimits {
    /// Size of the file.
    pub bytes: usize,
    /// Width and height.
    pub side_px: u32,
    /// Memory for the decoded pixels; at 3 bytes a pixel this bounds the megapixels. A progressive JPEG needs twice as much again.
    pub decoded_bytes: u64,
}

impl Default for PictureLimits {
    /// 16 MiB of file, sides of 8,192 px, 64 MiB of pixels (22 megapixels).
    fn default() -> Self {
        Self { bytes: 16 << 20, side_px: 8192, decoded_bytes: 64 << 20 }
    }
}

impl PictureLimits {
    fn megapixels(&self) -> u32 {
        u32::try_from(self.decoded_bytes / 3_000_000).unwrap_or(u32::MAX)
    }

    fn check(&self, decoder: &impl ImageDecoder) -> Result<(), PictureError> {
        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(PictureError::Broken { reason: "it has no pixels".into() });
        }
        self.check_sides(width, height)?;
        if decoder.total_bytes() > self.decoded_bytes { Err(self.too_many(width, height)) } else { Ok(()) }
    }

    fn check_sides(&self, width: u32, height: u32) -> Result<(), PictureError> {
        if width > self.side_px || height > self.side_px { Err(self.too_many(width, height)) } else { Ok(()) }
    }

    fn too_many(&self, width: u32, height: u32) -> PictureError {
        PictureError::TooManyPixels { width, height, limit_side_px: self.side_px, limit_megapixels: self.megapixels() }
    }

    fn decoder_limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.max_image_width = Some(self.side_px);
        limits.max_image_height = Some(self.side_px);
        // The decoder counts its own buffers too, beside the pixels.
        limits.max_alloc = Some(self.decoded_bytes + (8 << 20));
        limits
    }
}

/// The picture as RGB; what is transparent shows white, as on a catalogue page. EXIF orientation is not applied.
pub fn decode(bytes: &[u8], limits: &PictureLimits) -> Result<RgbImage, PictureError> {
    if bytes.len() > limits.bytes {
        return Err(PictureError::TooLarge { bytes: bytes.len(), limit_bytes: limits.bytes });
    }
    // The decoders are memory-safe, but a hostile file may reach an assertion in them.
    let decoded = catch_unwind(AssertUnwindSafe(|| match Format::of(bytes) {
        Some(Format::Jpeg) => decode_jpeg(bytes, limits),
        Some(Format::Png) => decode_png(bytes, limits),
        None => Err(PictureError::UnsupportedFormat),
    }));
    decoded.unwrap_or_else(|_| Err(PictureError::Broken { reason: "its decoder gave up".into() })).map(on_white)
}

enum Format {
    Jpeg,
    Png,
}

impl Format {
    /// Told by the first bytes alone: names and media types that come with a file are not believed.
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            _ => None,
        }
    }
}

fn decode_png(bytes: &[u8], limits: &PictureLimits) -> Result<DynamicImage, PictureError> {
    // The size stands at a fixed place of the header; a decoder would sum up a row of it before it can be asked.
    if let Some([w0, w1, w2, w3, h0, h1, h2, h3]) = bytes.get(16..24).and_then(|size| <[u8; 8]>::try_from(size).ok()) {
        limits.check_sides(u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]))?;
    }
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits.decoder_limits()).map_err(broken)?;
    limits.check(&decoder)?;
    DynamicImage::from_decoder(decoder).map_err(broken)
}

fn decode_jpeg(bytes: &[u8], limits: &PictureLimits) -> Result<DynamicImage, PictureError> {
    if !jpeg_ends(bytes) {
        return Err(PictureError::Broken { reason: "the file is cut off".into() });
    }
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(broken)?;
    limits.check(&decoder)?;
    decoder.set_limits(limits.decoder_limits()).map_err(broken)?;
    DynamicImage::from_decoder(decoder).map_err(broken)
}

/// Whether an end-of-image marker follows the last scan. The decoder would fill what is missing with grey and say nothing;
/// a thumbnail inside the file has markers of its own, but before the last scan.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    match (last(0xda), last(0xd9)) {
        (Some(scan), Some(end)) => end > scan,
        _ => false,
    }
}

fn broken(error: ImageError) -> PictureError {
    PictureError::Broken { reason: error.to_string() }
}

fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let rgba = picture.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, alpha] = rgba.get_pixel(x, y).0;
        Rgb([r, g, b].map(|c| ((u32::from(c) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127) / 255) as u8))
    })
}
