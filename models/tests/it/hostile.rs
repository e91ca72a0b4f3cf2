//! Files that somebody made to break the reader, or that broke on the way.

use std::io::Cursor;

use chimera_models::pictures::{Category, ProductLook, Shot};
use chimera_models::{PictureError, PictureLimits, decode};
use image::{ExtendedColorType, ImageEncoder, ImageFormat, Rgba, RgbaImage, codecs::png};

fn refused(bytes: &[u8]) -> PictureError {
    decode(bytes, &PictureLimits::default()).expect_err("the picture must be refused")
}

/// A PNG that is valid up to its header, which claims a size of its own choosing.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    file.extend(13_u32.to_be_bytes());
    file.extend(&chunk);
    file.extend(crc32(&chunk).to_be_bytes());
    // The start of a data chunk: a decoder may read up to here before it answers.
    file.extend([0, 0, 16, 0]);
    file.extend(b"IDAT");
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 }))
}

/// A real PNG of one colour: 20,000 × 20,000 grey pixels in under half a megabyte.
fn compressible_png(side: u32) -> Vec<u8> {
    let pixels = vec![127_u8; side as usize * side as usize];
    let mut file = Vec::new();
    png::PngEncoder::new_with_quality(&mut file, png::CompressionType::Fast, png::FilterType::Sub)
        .write_image(&pixels, side, side, ExtendedColorType::L8)
        .expect("encoded");
    file
}

fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

#[test]
fn a_header_that_claims_gigapixels_is_refused_by_its_size() {
    for (width, height) in [(60_000, 60_000), (u32::MAX >> 1, 1), (8193, 8), (8000, 8000)] {
        let error = refused(&png_header(width, height));
        assert!(
            matches!(error, PictureError::TooManyPixels { width: w, height: h, .. } if (w, h) == (width, height)),
            "{width}×{height}: {error}"
        );
    }
    let sentence = refused(&png_header(60_000, 60_000)).to_string();
    assert!(sentence.contains("60000 × 60000") && sentence.contains("scale it down"), "{sentence}");
}

#[test]
fn a_decompression_bomb_costs_no_memory() {
    let bomb = compressible_png(20_000);
    assert!(bomb.len() < 4 << 20, "the bomb is small: {} bytes", bomb.len());
    let before = peak_memory_kib();
    let error = refused(&bomb);
    assert!(matches!(error, PictureError::TooManyPixels { width: 20_000, height: 20_000, .. }), "{error}");
    if let (Some(before), Some(after)) = (before, peak_memory_kib()) {
        assert!(after - before < 100 << 10, "refusing it took {} KiB of memory", after - before);
    }
}

#[test]
fn a_jpeg_that_claims_too_much_is_refused() {
    let mut file = ProductLook::new(Category::Mug, 1).jpeg(Shot::Studio, 64);
    let frame = file.windows(2).position(|m| m == [0xff, 0xc0]).expect("a baseline frame");
    file[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xf0, 0xff, 0xf0]);
    let error = refused(&file);
    assert!(matches!(error, PictureError::TooManyPixels { width: 65_520, height: 65_520, .. }), "{error}");
}

#[test]
fn files_that_are_cut_off_are_broken() {
    let look = ProductLook::new(Category::Lamp, 2);
    let jpeg = look.jpeg(Shot::Studio, 128);
    let mut png = Vec::new();
    look.draw(Shot::Studio, 128).write_to(&mut Cursor::new(&mut png), ImageFormat::Png).expect("encoded");
    for whole in [&jpeg, &png] {
        assert!(decode(whole, &PictureLimits::default()).is_ok());
        for share in [0.05, 0.3, 0.6, 0.95] {
            let error = refused(&whole[..(whole.len() as f64 * share) as usize]);
            assert!(matches!(error, PictureError::Broken { .. }), "{share}: {error}");
        }
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let whole = ProductLook::new(Category::Chair, 3).jpeg(Shot::Wild(1), 96);
    let mut png = Vec::new();
    ProductLook::new(Category::Chair, 3).draw(Shot::Studio, 48).write_to(&mut Cursor::new(&mut png), ImageFormat::Png).expect("encoded");
    for (file, seed) in [&whole, &png].into_iter().flat_map(|f| (0..300_u64).map(move |s| (f, s))) {
        let mut damaged = file.clone();
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for _ in 0..6 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % damaged.len();
            damaged[at] = (state >> 17) as u8;
        }
        let _either = decode(&damaged, &PictureLimits::default());
    }
}

#[test]
fn only_jpeg_and_png_are_read_whatever_the_name_says() {
    let bmp = b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0".as_slice();
    for other in
        [bmp, b"GIF89a\x01\0\x01\0", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF\0\0\0\0WEBPVP8 ", b"hello", b"", b"\xff\xd8"]
    {
        assert_eq!(refused(other), PictureError::UnsupportedFormat);
    }
    assert!(matches!(refused(b"\xff\xd8\xff\xe0 not really"), PictureError::Broken { .. }));
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    let limits = PictureLimits { bytes: 1000, ..PictureLimits::default() };
    let file = ProductLook::new(Category::Mug, 1).jpeg(Shot::Studio, 128);
    assert!(file.len() > 1000);
    let error = decode(&file, &limits).expect_err("too large");
    assert_eq!(error, PictureError::TooLarge { bytes: file.len(), limit_bytes: 1000 });
}

#[test]
fn what_is_transparent_shows_white() {
    let mut png = Vec::new();
    let picture = RgbaImage::from_fn(4, 1, |x, _| Rgba([200, 0, 0, [0, 85, 170, 255][x as usize]]));
    picture.write_to(&mut Cursor::new(&mut png), ImageFormat::Png).expect("encoded");
    let decoded = decode(&png, &PictureLimits::default()).expect("decoded");
    let seen: Vec<[u8; 3]> = decoded.pixels().map(|p| p.0).collect();
    assert_eq!(seen, [[255, 255, 255], [237, 170, 170], [218, 85, 85], [200, 0, 0]]);
}
