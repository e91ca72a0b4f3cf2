//! The image tower: a picture in, a unit vector out.

use std::path::PathBuf;
use std::sync::Arc;

use image::RgbImage;
use moka::sync::Cache;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Tensor, ValueType};
use parking_lot::{Condvar, Mutex};

use crate::decode::{PictureLimits, decode};
use crate::prepare::{Fit, Layout, Pixels, Preparation};
use crate::{Error, PictureError, runtime};

/// The tower trained on the sample shop's pictures (`models/image/README.md`).
static BUNDLED: &[u8] = include_bytes!("../image/tower.onnx");
const BUNDLED_NAME: &str = "chimera-tower-1";

/// Where the model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// The model inside this crate.
    Bundled,
    /// Any ONNX file with one picture input and the vector as its first output.
    Path(PathBuf),
}

/// Everything that can be chosen about a tower. The default is the bundled one.
#[derive(Debug, Clone, PartialEq)]
pub struct TowerConfig {
    pub model: ModelSource,
    /// Side of the square picture that the model takes.
    pub size_px: u32,
    /// Side that pictures are scaled to before their middle is taken.
    pub load_px: u32,
    pub fit: Fit,
    pub pixels: Pixels,
    pub layout: Layout,
    /// How many pictures are worked on at once. Each takes one thread, so that a vector never depends on how many there are.
    pub threads: usize,
    /// How many vectors are remembered by the content of their picture; 0 remembers none.
    pub cache_pictures: u64,
    pub limits: PictureLimits,
    /// The ONNX Runtime library; `None` looks for it as [`runtime::find_library`] says.
    pub library: Option<PathBuf>,
}

impl Default for TowerConfig {
    fn default() -> Self {
        Self {
            model: ModelSource::Bundled,
            size_px: 64,
            load_px: 72,
            fit: Fit::Crop,
            pixels: Pixels::ZeroToOne,
            layout: Layout::Nchw,
            threads: std::thread::available_parallelism().map_or(1, usize::from).min(4),
            cache_pictures: 10_000,
            limits: PictureLimits::default(),
            library: None,
        }
    }
}

/// A loaded model. Share it by reference or in an `Arc`; every method may be called from any thread.
pub struct ImageTower {
    sessions: Pool,
    preparation: Preparation,
    limits: PictureLimits,
    cache: Cache<blake3::Hash, Arc<[f32]>>,
    input: String,
    dim: usize,
    id: String,
}

impl ImageTower {
    /// Loads the library and the model, and runs it once on an empty picture, so that a wrong configuration shows here.
    pub fn load(config: &TowerConfig) -> Result<Self, Error> {
        check(config)?;
        let (name, model) = match &config.model {
            ModelSource::Bundled => (BUNDLED_NAME.to_owned(), std::borrow::Cow::Borrowed(BUNDLED)),
            ModelSource::Path(path) => {
                let bytes = std::fs::read(path).map_err(|source| Error::ModelUnreadable { path: path.clone(), source })?;
                let name = path.file_stem().map_or_else(|| "tower".into(), |n| n.to_string_lossy().into_owned());
                (name, bytes.into())
            }
        };
        let unusable = |reason: String| Error::ModelUnusable { model: name.clone(), reason };
        let environment = runtime::environment(config.library.as_deref())?;
        let sessions: Vec<Session> =
            (0..config.threads).map(|_| session(&environment, &model).map_err(|e| unusable(e.to_string()))).collect::<Result<_, _>>()?;
        let [input] = sessions[0].inputs() else {
            return Err(unusable(format!("it takes {} inputs where one picture is given", sessions[0].inputs().len())));
        };
        if !matches!(input.dtype(), ValueType::Tensor { .. }) {
            return Err(unusable(format!("its input {} is not a tensor", input.name())));
        }
        let input = input.name().to_owned();
        let preparation =
            Preparation { size_px: config.size_px, load_px: config.load_px, fit: config.fit, pixels: config.pixels, layout: config.layout };
        let mut hash = blake3::Hasher::new();
        hash.update(&model).update(format!("{preparation:?}").as_bytes());
        let mut tower = Self {
            sessions: Pool::new(sessions),
            preparation,
            limits: config.limits,
            cache: Cache::new(config.cache_pictures),
            input,
            dim: 0,
            id: format!("{name}:{}", &hash.finalize().to_hex()[..16]),
        };
        let grey = RgbImage::from_pixel(8, 8, image::Rgb([128; 3]));
        tower.dim = tower.embed_pixels(&grey).map_err(|e| unusable(e.to_string()))?.len();
        Ok(tower)
    }

    /// Numbers in a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Name and hash of the model and of the way pictures are prepared for it. Vectors of different ids must not be compared.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The unit vector of a JPEG or PNG file. The same file always gives the same vector, to the last bit.
    pub fn embed(&self, bytes: &[u8]) -> Result<Vec<f32>, PictureError> {
        let key = blake3::hash(bytes);
        if let Some(known) = self.cache.get(&key) {
            return Ok(known.to_vec());
        }
        // Decoded while a session is held, so that never more pictures are in memory than there are sessions.
        let mut session = self.sessions.lease();
        let picture = decode(bytes, &self.limits)?;
        let vector = self.run(&mut session, &picture)?;
        drop(session);
        self.cache.insert(key, vector.as_slice().into());
        Ok(vector)
    }

    /// The vectors of several files, on as many threads as were configured. Each is what [`Self::embed`] gives: the model never
    /// sees two pictures at once, since sums over a batch are not rounded alike.
    pub fn embed_batch<B: AsRef<[u8]> + Sync>(&self, pictures: &[B]) -> Vec<Result<Vec<f32>, PictureError>> {
        let workers = self.sessions.size.min(pictures.len()).max(1);
        let share = pictures.len().div_ceil(workers).max(1);
        let one_after_another = |some: &[B]| some.iter().map(|p| self.embed(p.as_ref())).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            let working: Vec<_> = pictures.chunks(share).map(|some| scope.spawn(move || one_after_another(some))).collect();
            working.into_iter().flat_map(|w| w.join().expect("a worker does not panic: decoding is caught")).collect()
        })
    }

    /// The unit vector of pixels.
    pub fn embed_pixels(&self, picture: &RgbImage) -> Result<Vec<f32>, PictureError> {
        self.run(&mut self.sessions.lease(), picture)
    }

    fn run(&self, session: &mut Session, picture: &RgbImage) -> Result<Vec<f32>, PictureError> {
        let failed = |reason: String| PictureError::Model { reason };
        let side = self.preparation.size_px as usize;
        let shape = match self.preparation.layout {
            Layout::Nchw => [1, 3, side, side],
            Layout::Nhwc => [1, side, side, 3],
        };
        let input = Tensor::from_array((shape, self.preparation.run(picture))).map_err(|e| failed(e.to_string()))?;
        let outputs = session.run(ort::inputs![self.input.as_str() => input]).map_err(|e| failed(e.to_string()))?;
        let (_, numbers) = outputs[0].try_extract_tensor::<f32>().map_err(|e| failed(e.to_string()))?;
        if self.dim != 0 && numbers.len() != self.dim {
            return Err(failed(format!("it gave {} numbers instead of {}", numbers.len(), self.dim)));
        }
        unit(numbers).ok_or_else(|| failed("its vector has no direction".into()))
    }
}

fn check(config: &TowerConfig) -> Result<(), Error> {
    let wrong = |what: &str| Err(Error::Configuration(what.into()));
    match config {
        TowerConfig { threads: 0, .. } => wrong("threads must be at least 1"),
        TowerConfig { size_px: 0, .. } => wrong("size_px must be at least 1"),
        TowerConfig { load_px: 4097.., .. } => wrong("load_px must be at most 4096"),
        TowerConfig { size_px, load_px, .. } if size_px > load_px => wrong("load_px must be at least size_px"),
        TowerConfig { pixels: Pixels::Standardised { deviation, .. }, .. } if deviation.iter().any(|d| d.abs() < 1e-6) => {
            wrong("a deviation of the pixels is zero")
        }
        _ => Ok(()),
    }
}

fn session(environment: &ort::environment::Environment, model: &[u8]) -> ort::Result<Session> {
    // One thread, no spinning: the same sums in the same order, and nothing burnt while idle.
    let mut builder = Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_deterministic_compute(true)?;
    builder.commit_from_memory(model)
}

/// `numbers` scaled to length 1.
fn unit(numbers: &[f32]) -> Option<Vec<f32>> {
    let length = numbers.iter().map(|n| f64::from(*n).powi(2)).sum::<f64>().sqrt();
    (length.is_finite() && length > 1e-12).then(|| numbers.iter().map(|n| (f64::from(*n) / length) as f32).collect())
}

/// Sessions that are lent out one at a time.
struct Pool {
    idle: Mutex<Vec<Session>>,
    returned: Condvar,
    size: usize,
}

struct Lease<'a> {
    pool: &'a Pool,
    session: Option<Session>,
}

impl Pool {
    fn new(sessions: Vec<Session>) -> Self {
        Self { size: sessions.len(), idle: Mutex::new(sessions), returned: Condvar::new() }
    }

    fn lease(&self) -> Lease<'_> {
        let mut idle = self.idle.lock();
        loop {
            if let Some(session) = idle.pop() {
                return Lease { pool: self, session: Some(session) };
            }
            self.returned.wait(&mut idle);
        }
    }
}

impl std::ops::Deref for Lease<'_> {
    type Target = Session;
    fn deref(&self) -> &Session {
        self.session.as_ref().expect("a lease holds its session until it is dropped")
    }
}

impl std::ops::DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("a lease holds its session until it is dropped")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.pool.idle.lock().push(session);
            self.pool.returned.notify_one();
        }
    }
}
