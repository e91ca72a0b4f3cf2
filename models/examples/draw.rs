//! Draws the training set of the image tower, or a contact sheet to look at.
//!
//! `draw set OUT DESIGNS COLOURS PHOTOS SIZE` writes `OUT/*.jpg` and `OUT/manifest.csv`:
//! DESIGNS designs, each in COLOURS colourways, each with one studio shot and PHOTOS wild ones, SIZE × SIZE pixels.
//! `draw sheet OUT.png FIRST_SEED SIZE [wild]` draws every category, a row each.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use chimera_models::pictures::{Category, ProductLook, Shot};
use image::RgbImage;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["set", out, designs, colours, photos, size] => {
            training_set(Path::new(out), designs.parse()?, colours.parse()?, photos.parse()?, size.parse()?)
        }
        ["sheet", out, seed, size] => sheet(out, seed.parse()?, size.parse()?, false),
        ["sheet", out, seed, size, "wild"] => sheet(out, seed.parse()?, size.parse()?, true),
        _ => Err("usage: draw set OUT DESIGNS COLOURS PHOTOS SIZE | draw sheet OUT.png FIRST_SEED SIZE [wild]".into()),
    }
}

/// Designs are dealt to categories in turn; every tenth of each category is kept apart for validation.
fn training_set(out: &Path, designs: u64, colours: u64, photos: u64, size_px: u32) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(out)?;
    let mut manifest = String::from("path,product,design,category,kind,split\n");
    for design in 0..designs {
        let category = Category::ALL[(design % Category::ALL.len() as u64) as usize];
        let round = design / Category::ALL.len() as u64;
        let split = if round % 10 == 9 { "validation" } else { "train" };
        let look = ProductLook::new(category, design);
        for colour in 0..colours {
            let look = look.colour_variant(colour);
            let product = design * colours + colour;
            for photo in 0..=photos {
                let (kind, shot) = if photo == 0 { ("studio", Shot::Studio) } else { ("wild", Shot::Wild(photo)) };
                let file = format!("{product:06}_{photo}.jpg");
                std::fs::write(out.join(&file), look.jpeg(shot, size_px))?;
                writeln!(manifest, "{file},{product},{design},{},{kind},{split}", category.name())?;
            }
        }
    }
    std::fs::write(out.join("manifest.csv"), manifest)?;
    Ok(())
}

fn sheet(out: &str, first_seed: u64, size_px: u32, wild: bool) -> Result<(), Box<dyn Error>> {
    const COLUMNS: u32 = 6;
    let mut sheet = RgbImage::new(size_px * COLUMNS, size_px * Category::ALL.len() as u32);
    for (row, category) in Category::ALL.into_iter().enumerate() {
        for column in 0..COLUMNS {
            let shot = if wild { Shot::Wild(u64::from(column)) } else { Shot::Studio };
            let picture = ProductLook::new(category, first_seed + u64::from(column)).draw(shot, size_px);
            image::imageops::replace(&mut sheet, &picture, i64::from(column * size_px), row as i64 * i64::from(size_px));
        }
    }
    sheet.save(out)?;
    Ok(())
}
