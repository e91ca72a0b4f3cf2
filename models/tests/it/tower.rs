//! The bundled tower, and towers by configuration.

use std::path::PathBuf;

use chimera_models::pictures::{Category, ProductLook, Shot};
use chimera_models::{Error, Fit, ImageTower, Layout, ModelSource, PictureError, Pixels, Preparation, TowerConfig, runtime};
use image::{Rgb, RgbImage};

use crate::bundled;

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}

fn picture(seed: u64) -> Vec<u8> {
    ProductLook::new(Category::ALL[seed as usize % Category::ALL.len()], seed).jpeg(Shot::Wild(seed), 120)
}

#[test]
fn vectors_have_unit_length_and_never_change() {
    let Some(tower) = bundled() else { return };
    let other = ImageTower::load(&TowerConfig { threads: 1, cache_pictures: 0, ..TowerConfig::default() }).expect("loads twice");
    assert_eq!((tower.dim(), tower.id()), (128, other.id()));
    assert!(tower.id().starts_with("chimera-tower-1:"), "{}", tower.id());
    for seed in 0..20 {
        let vector = tower.embed(&picture(seed)).expect("embedded");
        assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5);
        assert_eq!(vector, tower.embed(&picture(seed)).expect("from the cache"));
        assert_eq!(vector, other.embed(&picture(seed)).expect("by another session"), "to the last bit");
    }
}

#[test]
fn a_batch_gives_the_vectors_of_its_pictures_one_by_one() {
    let Some(tower) = bundled() else { return };
    let mut files: Vec<Vec<u8>> = (100..117).map(picture).collect();
    files[5] = b"not a picture".to_vec();
    let fresh = ImageTower::load(&TowerConfig { threads: 3, ..TowerConfig::default() }).expect("loads");
    let batch = fresh.embed_batch(&files);
    assert_eq!(batch.len(), files.len());
    for (file, vector) in files.iter().zip(&batch) {
        assert_eq!(vector, &tower.embed(file));
    }
    assert_eq!(batch[5], Err(PictureError::UnsupportedFormat));
    assert!(fresh.embed_batch::<Vec<u8>>(&[]).is_empty());
}

#[test]
fn many_threads_share_one_tower() {
    let Some(tower) = bundled() else { return };
    let expected: Vec<_> = (200..212).map(|s| tower.embed(&picture(s))).collect();
    let fresh = ImageTower::load(&TowerConfig { threads: 2, cache_pictures: 4, ..TowerConfig::default() }).expect("loads");
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let (fresh, expected) = (&fresh, &expected);
            scope.spawn(move || {
                for i in 0..12 {
                    let at = (i + worker * 5) % 12;
                    assert_eq!(&fresh.embed(&picture(200 + at as u64)), &expected[at]);
                }
            });
        }
    });
}

/// `product.jpg` and `product.json` were written by `models/image/check.py`: the trained network itself, in TensorFlow, behind
/// Pillow's decoder and resampling.
#[test]
fn rust_and_python_agree() {
    let Some(tower) = bundled() else { return };
    let ours = tower.embed(include_bytes!("fixtures/product.jpg")).expect("embedded");
    let text = include_str!("fixtures/product.json");
    let theirs: Vec<f32> = text.trim().trim_matches(['[', ']']).split(',').map(|n| n.trim().parse().expect("a number")).collect();
    let alike = cosine(&ours, &theirs);
    assert!(alike > 0.999, "cosine {alike}");
}

#[test]
fn the_shape_of_a_picture_is_kept_or_stretched_as_configured() {
    // Left half black, right half white; three times as wide as high.
    let wide = RgbImage::from_fn(96, 32, |x, _| if x < 48 { Rgb([0; 3]) } else { Rgb([255; 3]) });
    let prepare = |fit, layout, pixels| Preparation { size_px: 8, load_px: 8, fit, pixels, layout }.run(&wide);
    for fit in [Fit::Crop, Fit::Stretch] {
        let planes = prepare(fit, Layout::Nchw, Pixels::ZeroToOne);
        assert_eq!(planes.len(), 3 * 8 * 8);
        assert!(planes[0] < 0.01 && planes[7] > 0.99, "the middle of the picture is the middle of the input");
        let interleaved = prepare(fit, Layout::Nhwc, Pixels::ZeroToOne);
        assert_eq!(interleaved[..3], [planes[0], planes[64], planes[128]]);
    }
    let standard = prepare(Fit::Crop, Layout::Nchw, Pixels::Standardised { mean: [0.5, 0.4, 0.3], deviation: [0.5, 0.2, 0.1] });
    assert!((standard[7] - 1.0).abs() < 1e-5 && (standard[64 + 7] - 3.0).abs() < 1e-4 && (standard[128] + 3.0).abs() < 1e-4);
    let speck = RgbImage::from_pixel(1, 1, Rgb([9; 3]));
    let one = Preparation { size_px: 64, load_px: 72, fit: Fit::Crop, pixels: Pixels::ZeroToOne, layout: Layout::Nchw };
    assert!(one.run(&speck).iter().all(|n| (n - 9.0 / 255.0).abs() < 1e-5));
}

#[test]
fn a_large_photograph_is_prepared_as_exact_resampling_would() {
    let large = RgbImage::from_fn(1500, 1200, |x, y| {
        let wave = |t: f32| ((t.sin() * 0.5 + 0.5) * 255.0) as u8;
        Rgb([wave(x as f32 / 60.0), wave(y as f32 / 90.0), if (x / 100 + y / 100) % 2 == 0 { 220 } else { 30 }])
    });
    let ours = Preparation { size_px: 64, load_px: 64, fit: Fit::Stretch, pixels: Pixels::ZeroToOne, layout: Layout::Nhwc }.run(&large);
    let exact = image::imageops::resize(&large, 64, 64, image::imageops::FilterType::Triangle);
    let apart = ours.iter().zip(exact.as_raw()).map(|(a, b)| (a - f32::from(*b) / 255.0).abs()).sum::<f32>() / ours.len() as f32;
    assert!(apart < 0.01, "mean difference {apart}");
}

#[test]
fn any_model_file_can_be_the_tower() {
    let Some(tower) = bundled() else { return };
    let model = ModelSource::Path(PathBuf::from("image/tower.onnx"));
    let same = ImageTower::load(&TowerConfig { model: model.clone(), ..TowerConfig::default() }).expect("loads");
    assert_eq!(same.embed(&picture(1)), tower.embed(&picture(1)));
    let stretched = ImageTower::load(&TowerConfig { model, fit: Fit::Stretch, ..TowerConfig::default() }).expect("loads");
    assert_ne!(stretched.id(), same.id(), "another preparation is another vector space");
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_at_once() {
    let load = |config: TowerConfig| ImageTower::load(&config).err().expect("refused").to_string();
    assert!(load(TowerConfig { threads: 0, ..TowerConfig::default() }).contains("threads"));
    assert!(load(TowerConfig { load_px: 60, ..TowerConfig::default() }).contains("load_px"));
    let missing = load(TowerConfig { model: ModelSource::Path("/nowhere/clip.onnx".into()), ..TowerConfig::default() });
    assert!(missing.contains("/nowhere/clip.onnx"), "{missing}");
    if bundled().is_none() {
        return;
    }
    let wrong_size = load(TowerConfig { size_px: 48, load_px: 48, ..TowerConfig::default() });
    assert!(wrong_size.contains("chimera-tower-1"), "{wrong_size}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("text.onnx");
    std::fs::write(&path, "this is no model").expect("written");
    let nonsense = load(TowerConfig { model: ModelSource::Path(path), ..TowerConfig::default() });
    assert!(nonsense.contains("cannot be loaded as an image tower"), "{nonsense}");
}

#[test]
fn a_missing_library_is_an_error_that_says_what_to_do() {
    let error = runtime::find_library(Some("/nowhere/libonnxruntime.so".as_ref())).expect_err("missing");
    assert!(matches!(error, Error::LibraryUnusable { .. }));
    let sentence = error.to_string();
    assert!(sentence.contains("/nowhere/libonnxruntime.so") && sentence.contains("pip install --no-deps --target"), "{sentence}");
}
