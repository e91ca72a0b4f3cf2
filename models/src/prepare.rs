//! From a picture to the numbers that an image tower takes.

use image::RgbImage;
use image::imageops::{self, FilterType};

/// How pixels 0..=255 become numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pixels {
    /// Divided by 255. The model normalises itself.
    ZeroToOne,
    /// Divided by 255, less the mean, divided by the deviation, for red, green and blue (CLIP, SigLIP, DINOv2).
    Standardised { mean: [f32; 3], deviation: [f32; 3] },
}

/// The order of the model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// (batch, channel, height, width)
    Nchw,
    /// (batch, height, width, channel)
    Nhwc,
}

/// What is done with a picture that is not square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The shorter side decides the scale, what sticks out of the longer one is cut off.
    Crop,
    /// Both sides are scaled to the same length.
    Stretch,
}

/// The whole way from a picture to a model's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preparation {
    /// Side of the square that the model sees: the middle of …
    pub size_px: u32,
    /// … the picture scaled to this side. Equal to `size_px` for no border.
    pub load_px: u32,
    pub fit: Fit,
    pub pixels: Pixels,
    pub layout: Layout,
}

impl Preparation {
    /// `3 × size_px × size_px` numbers in the model's order.
    pub fn run(&self, picture: &RgbImage) -> Vec<f32> {
        let scaled = self.scaled(picture);
        let size = self.size_px as usize;
        let (left, top) = ((scaled.width() - self.size_px) / 2, (scaled.height() - self.size_px) / 2);
        let mut numbers = vec![0.0; 3 * size * size];
        for (i, place) in (0..size * size).map(|i| (i, (i % size, i / size))) {
            let pixel = scaled.get_pixel(left + place.0 as u32, top + place.1 as u32).0;
            for channel in 0..3 {
                let at = match self.layout {
                    Layout::Nchw => channel * size * size + i,
                    Layout::Nhwc => i * 3 + channel,
                };
                numbers[at] = self.number(pixel[channel], channel);
            }
        }
        numbers
    }

    fn number(&self, pixel: u8, channel: usize) -> f32 {
        let share = f32::from(pixel) / 255.0;
        match self.pixels {
            Pixels::ZeroToOne => share,
            Pixels::Standardised { mean, deviation } => (share - mean[channel]) / deviation[channel],
        }
    }

    /// Scaled so that both sides are `load_px` (stretch) or the shorter one is (crop).
    fn scaled(&self, picture: &RgbImage) -> RgbImage {
        let (width, height) = picture.dimensions();
        let target = match self.fit {
            Fit::Stretch => (self.load_px, self.load_px),
            Fit::Crop => {
                let by = |side: u32| (f64::from(side) * f64::from(self.load_px) / f64::from(width.min(height))).round() as u32;
                (by(width).max(self.load_px), by(height).max(self.load_px))
            }
        };
        if target == (width, height) {
            return picture.clone();
        }
        // A photograph of many megapixels is first averaged down to four times the target: exact resampling costs time a pixel.
        let (coarse_width, coarse_height) = (target.0.saturating_mul(4), target.1.saturating_mul(4));
        if width > coarse_width.saturating_mul(2) && height > coarse_height.saturating_mul(2) {
            let coarse = imageops::thumbnail(picture, coarse_width, coarse_height);
            return imageops::resize(&coarse, target.0, target.1, FilterType::Triangle);
        }
        imageops::resize(picture, target.0, target.1, FilterType::Triangle)
    }
}
