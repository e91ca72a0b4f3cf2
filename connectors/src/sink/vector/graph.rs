//! The graph that is searched: a thin, thread-safe wrapper around `usearch`.

use std::path::Path;

use parking_lot::{Condvar, Mutex, RwLock};
use usearch::ffi::{IndexOptions, MetricKind, ScalarKind};

use super::CONNECTOR;
use crate::{Error, Result};

pub(crate) const DIMENSIONS_MAX: usize = 8_192;
/// Candidates kept while searching and while adding: more is better and slower. Tests compare with a scan of all vectors.
const EXPANSION_SEARCH: usize = 64;
const EXPANSION_ADD: usize = 40;
const CONNECTIVITY: usize = 16;
/// Searches at one time; more wait. Each holds buffers in the graph.
const SEARCHES_MAX: usize = 16;
/// Threads that add.
const ADDERS_MAX: usize = 4;
/// Vectors added while searches wait: about 5 ms.
const ADDS_A_LOCK: usize = 64;

pub(crate) struct Graph {
    index: RwLock<usearch::Index>,
    dimensions: usize,
    searches: Gate,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::corrupt(CONNECTOR, format!("its graph: {error}"))
}

fn path_text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::config(CONNECTOR, format!("the path {} is not UTF-8", path.display())))
}

impl Graph {
    pub(crate) fn new(dimensions: usize) -> Result<Self> {
        let options = IndexOptions {
            dimensions,
            metric: MetricKind::Cos,
            quantization: ScalarKind::F32,
            connectivity: CONNECTIVITY,
            expansion_add: EXPANSION_ADD,
            expansion_search: EXPANSION_SEARCH,
            multi: false,
        };
        let index = usearch::Index::new(&options).map_err(failed)?;
        index.reserve_capacity_and_threads(1_024, SEARCHES_MAX + ADDERS_MAX).map_err(failed)?;
        Ok(Self { index: RwLock::new(index), dimensions, searches: Gate::new(SEARCHES_MAX) })
    }

    /// Loads what [`Graph::save`] wrote; an error if it is not such a graph.
    pub(crate) fn load(path: &Path, dimensions: usize) -> Result<Self> {
        let graph = Self::new(dimensions)?;
        {
            let index = graph.index.write();
            index.load(path_text(path)?).map_err(failed)?;
            if index.dimensions() != dimensions {
                return Err(failed(format!("it has {} dimensions instead of {dimensions}", index.dimensions())));
            }
            index.change_expansion_search(EXPANSION_SEARCH);
            index.change_expansion_add(EXPANSION_ADD);
            index.reserve_capacity_and_threads(index.size() + 1_024, SEARCHES_MAX + ADDERS_MAX).map_err(failed)?;
        }
        Ok(graph)
    }

    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        self.index.read().save(path_text(path)?).map_err(failed)
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub(crate) fn len(&self) -> usize {
        self.index.read().size()
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        self.index.read().contains(number)
    }

    /// Adds vectors under numbers that are not in the graph.
    pub(crate) fn add(&self, vectors: &[(u64, Vec<f32>)]) -> Result<()> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(ADDERS_MAX);
        for some in vectors.chunks(ADDS_A_LOCK) {
            let index = self.index.write();
            let wanted = index.size() + some.len();
            if wanted >= index.capacity() {
                index.reserve_capacity_and_threads(wanted + wanted / 2 + 1_024, SEARCHES_MAX + ADDERS_MAX).map_err(failed)?;
            }
            let add = |part: &[(u64, Vec<f32>)]| part.iter().try_for_each(|(number, vector)| index.add(*number, vector).map_err(failed));
            if cores == 1 || some.len() < ADDS_A_LOCK / 2 {
                add(some)?;
                continue;
            }
            std::thread::scope(|scope| {
                let adders: Vec<_> = some.chunks(some.len().div_ceil(cores)).map(|part| scope.spawn(move || add(part))).collect();
                // All are waited for, whatever the first of them says.
                let results: Vec<Result<()>> = adders
                    .into_iter()
                    .map(|adder| adder.join().unwrap_or_else(|_| Err(failed("a thread that adds to it panicked"))))
                    .collect();
                results.into_iter().collect::<Result<()>>()
            })?;
        }
        Ok(())
    }

    /// Numbers that are not in the graph are passed over.
    pub(crate) fn remove(&self, numbers: &[u64]) -> Result<()> {
        for some in numbers.chunks(8 * ADDS_A_LOCK) {
            let index = self.index.write();
            for number in some {
                index.remove(*number).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Up to `k` numbers and their cosine similarities, most similar first.
    pub(crate) fn search(&self, vector: &[f32], k: usize) -> Result<Vec<(u64, f32)>> {
        let _place = self.searches.enter();
        let index = self.index.read();
        if index.size() == 0 {
            return Ok(Vec::new());
        }
        let matches = index.search(vector, k).map_err(failed)?;
        Ok(matches.keys.into_iter().zip(matches.distances.into_iter().map(|distance| 1.0 - distance)).collect())
    }
}

/// Lets a number of threads in at a time.
struct Gate {
    places: Mutex<usize>,
    left: Condvar,
}

struct Place<'a>(&'a Gate);

impl Gate {
    fn new(places: usize) -> Self {
        Self { places: Mutex::new(places), left: Condvar::new() }
    }

    fn enter(&self) -> Place<'_> {
        let mut places = self.places.lock();
        while *places == 0 {
            self.left.wait(&mut places);
        }
        *places -= 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.places.lock() += 1;
        self.0.left.notify_one();
    }
}
