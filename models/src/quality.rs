//! How well a tower finds the product in a photograph, measured on pictures it was not trained on.

use std::path::{Path, PathBuf};
use std::time::Instant;

use image::RgbImage;

use crate::decode::{PictureLimits, decode};
use crate::pictures::{Category, ProductLook, Shot};
use crate::{ImageTower, PictureError};

/// Designs from here on are for measuring; training draws designs from 0 up.
const FIRST_HELD_OUT_DESIGN: u64 = 1 << 40;

/// What to measure on.
#[derive(Debug, Clone)]
pub struct QualityPlan {
    /// Designs dealt to all categories in turn, each in `colours` colourways: every colourway is a product.
    pub designs: u64,
    pub colours: u64,
    /// Wild photographs a product.
    pub photos: u64,
    pub size_px: u32,
    /// The folder of the Grocery Store data set (`classes.csv`, `photos.csv`), if it is at hand.
    pub grocery: Option<PathBuf>,
}

impl Default for QualityPlan {
    fn default() -> Self {
        Self { designs: 190, colours: 3, photos: 2, size_px: 144, grocery: None }
    }
}

/// Share of queries whose own product (or class) is the nearest, and is among the ten nearest, of a gallery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retrieval {
    pub gallery: usize,
    pub queries: usize,
    pub recall_at_1: f64,
    pub recall_at_10: f64,
}

impl Retrieval {
    /// What guessing would give.
    pub fn chance_at_1(&self) -> f64 {
        1.0 / self.gallery.max(1) as f64
    }
}

/// A retrieval by the tower beside the same one by colour histograms, the least that a tower must beat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    pub tower: Retrieval,
    pub histogram: Retrieval,
}

#[derive(Debug, Clone, PartialEq)]
pub struct QualityReport {
    /// [`ImageTower::id`].
    pub model: String,
    pub dimensions: usize,
    /// Wild photograph → studio picture, on drawn products of held-out designs.
    pub drawn: Compared,
    /// Shelf photograph → catalogue picture of its fine class, zero-shot. Real photographs, which the bundled tower never saw.
    pub grocery: Option<Compared>,
    /// Decoding and embedding one drawn photograph, uncached, on one thread: mean milliseconds.
    pub embed_ms: f64,
}

impl QualityReport {
    /// The figures as a Markdown table, a line each.
    pub fn markdown(&self) -> String {
        let mut table = String::from("| retrieval | gallery | queries | recall@1 | recall@10 | by colour histogram @1 | @10 |\n");
        table += "|---|---:|---:|---:|---:|---:|---:|\n";
        let drawn =
            Some(self.drawn).filter(|c| c.tower.queries > 0).map(|c| ("wild photograph → studio picture, held-out drawn designs", c));
        let grocery = self.grocery.map(|c| ("shelf photograph → catalogue picture, Grocery Store, zero-shot", c));
        for (what, Compared { tower, histogram }) in drawn.into_iter().chain(grocery) {
            table += &format!(
                "| {what} | {} | {} | {:.3} | {:.3} | {:.3} | {:.3} |\n",
                tower.gallery, tower.queries, tower.recall_at_1, tower.recall_at_10, histogram.recall_at_1, histogram.recall_at_10
            );
        }
        table
    }
}

/// Why quality could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum QualityError {
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}, line {line}: {reason}", .path.display())]
    Malformed { path: PathBuf, line: usize, reason: String },
    #[error("{what}: {source}")]
    Picture { what: String, source: PictureError },
}

/// Measures `tower` as `plan` says. Takes about a minute with the default plan and the grocery data.
pub fn quality_report(tower: &ImageTower, plan: &QualityPlan) -> Result<QualityReport, QualityError> {
    let (drawn, embed_ms) = drawn(tower, plan)?;
    let grocery = plan.grocery.as_deref().map(|folder| grocery(tower, folder)).transpose()?;
    Ok(QualityReport { model: tower.id().to_owned(), dimensions: tower.dim(), drawn, grocery, embed_ms })
}

/// Pictures with what they show, as vectors and as histograms.
#[derive(Default)]
struct Set {
    labels: Vec<u64>,
    vectors: Vec<Vec<f32>>,
    histograms: Vec<Vec<f32>>,
}

impl Set {
    fn add(&mut self, tower: &ImageTower, label: u64, file: &[u8], what: impl FnOnce() -> String) -> Result<(), QualityError> {
        let embedded = tower.embed(file).and_then(|vector| Ok((vector, histogram(&decode(file, &PictureLimits::default())?))));
        let (vector, histogram) = embedded.map_err(|source| QualityError::Picture { what: what(), source })?;
        self.labels.push(label);
        self.vectors.push(vector);
        self.histograms.push(histogram);
        Ok(())
    }
}

fn compared(gallery: &Set, queries: &Set) -> Compared {
    let by = |of: fn(&Set) -> &[Vec<f32>], alike: fn(&[f32], &[f32]) -> f32| {
        retrieval((&gallery.labels, of(gallery)), (&queries.labels, of(queries)), alike)
    };
    Compared { tower: by(|s| &s.vectors, dot), histogram: by(|s| &s.histograms, overlap) }
}

fn drawn(tower: &ImageTower, plan: &QualityPlan) -> Result<(Compared, f64), QualityError> {
    let (mut gallery, mut queries) = (Set::default(), Set::default());
    let (mut spent_ms, mut timed) = (0.0, 0_u32);
    for design in 0..plan.designs {
        let category = Category::ALL[(design % Category::ALL.len() as u64) as usize];
        let base = ProductLook::new(category, FIRST_HELD_OUT_DESIGN + design);
        for colour in 0..plan.colours {
            let look = base.colour_variant(colour);
            let label = design * plan.colours + colour;
            gallery.add(tower, label, &look.jpeg(Shot::Studio, plan.size_px), || look.title())?;
            for photo in 0..plan.photos {
                let file = look.jpeg(Shot::Wild(FIRST_HELD_OUT_DESIGN + photo), plan.size_px);
                let began = Instant::now();
                // Not by `embed`, which may remember the picture.
                decode(&file, &PictureLimits::default())
                    .and_then(|picture| tower.embed_pixels(&picture))
                    .map_err(|source| QualityError::Picture { what: look.title(), source })?;
                (spent_ms, timed) = (spent_ms + began.elapsed().as_secs_f64() * 1e3, timed + 1);
                queries.add(tower, label, &file, || look.title())?;
            }
        }
    }
    Ok((compared(&gallery, &queries), spent_ms / f64::from(timed.max(1))))
}

fn grocery(tower: &ImageTower, folder: &Path) -> Result<Compared, QualityError> {
    let (mut gallery, mut queries) = (Set::default(), Set::default());
    // Columns of classes.csv: name, id, coarse name, coarse id, picture, description. Of photos.csv: path, id, coarse id.
    for (file, set, path_column, id_column) in [("classes.csv", &mut gallery, 4, 1), ("photos.csv", &mut queries, 0, 1)] {
        let table = folder.join(file);
        for (number, line) in read(&table)?.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
            let fields: Vec<&str> = line.split(',').collect();
            let malformed = |reason: &str| QualityError::Malformed { path: table.clone(), line: number + 1, reason: reason.into() };
            let path = fields.get(path_column).ok_or_else(|| malformed("the path of a picture is missing"))?;
            let id = fields.get(id_column).and_then(|f| f.parse().ok()).ok_or_else(|| malformed("the class is not a number"))?;
            let path = folder.join(path.trim_start_matches('/'));
            let bytes = std::fs::read(&path).map_err(|source| QualityError::Unreadable { path: path.clone(), source })?;
            set.add(tower, id, &bytes, || path.display().to_string())?;
        }
    }
    Ok(compared(&gallery, &queries))
}

fn read(path: &Path) -> Result<String, QualityError> {
    std::fs::read_to_string(path).map_err(|source| QualityError::Unreadable { path: path.to_owned(), source })
}

/// Ranks the gallery for each query by `alike`, greatest first. A tie counts against the query.
fn retrieval(gallery: (&[u64], &[Vec<f32>]), queries: (&[u64], &[Vec<f32>]), alike: fn(&[f32], &[f32]) -> f32) -> Retrieval {
    let (mut first, mut among_ten) = (0_usize, 0_usize);
    for (label, query) in queries.0.iter().zip(queries.1) {
        let scores: Vec<f32> = gallery.1.iter().map(|entry| alike(query, entry)).collect();
        let own = gallery.0.iter().zip(&scores).filter(|(l, _)| *l == label).map(|(_, s)| *s).fold(f32::MIN, f32::max);
        let ahead = gallery.0.iter().zip(&scores).filter(|(l, s)| *l != label && **s >= own).count();
        first += usize::from(ahead == 0);
        among_ten += usize::from(ahead < 10);
    }
    let share = |hits: usize| hits as f64 / queries.0.len().max(1) as f64;
    Retrieval { gallery: gallery.0.len(), queries: queries.0.len(), recall_at_1: share(first), recall_at_10: share(among_ten) }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn overlap(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x.min(*y)).sum()
}

/// Shares of 6 × 6 × 6 colours in the middle 60 % of the picture.
fn histogram(picture: &RgbImage) -> Vec<f32> {
    const LEVELS: usize = 6;
    let (width, height) = picture.dimensions();
    let (x0, y0) = (width / 5, height / 5);
    let mut counts = vec![0.0; LEVELS * LEVELS * LEVELS];
    let mut total = 0.0;
    for (x, y) in (y0..height - y0).flat_map(|y| (x0..width - x0).map(move |x| (x, y))) {
        let bin = picture.get_pixel(x, y).0.iter().fold(0, |bin, c| bin * LEVELS + usize::from(*c) * LEVELS / 256);
        counts[bin] += 1.0;
        total += 1.0;
    }
    counts.iter_mut().for_each(|c| *c /= total);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_hit_only_when_nothing_else_is_as_near() {
        let gallery = (vec![1, 2, 3], vec![vec![1.0, 0.0], vec![0.0, 1.0], vec![0.6, 0.8]]);
        let queries = (vec![1, 2, 3], vec![vec![1.0, 0.1], vec![0.6, 0.8], vec![0.0, 0.0]]);
        let found = retrieval((&gallery.0, &gallery.1), (&queries.0, &queries.1), dot);
        assert_eq!((found.gallery, found.queries), (3, 3));
        assert!((found.recall_at_1 - 1.0 / 3.0).abs() < 1e-9, "one hit, one nearer rival, one tie: {}", found.recall_at_1);
        assert!((found.recall_at_10 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn histograms_of_a_colour_share_one_bin() {
        let of = |rgb: [u8; 3]| histogram(&RgbImage::from_pixel(20, 10, image::Rgb(rgb)));
        assert!((overlap(&of([200, 10, 10]), &of([201, 12, 9])) - 1.0).abs() < 1e-5);
        assert!(overlap(&of([200, 10, 10]), &of([10, 200, 10])) < 1e-5);
    }
}
