//! The open index: searched by serving nodes, written by the sink.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use serde_json::Value;

use super::CONNECTOR;
use super::graph::{DIMENSIONS_MAX, Graph};
use super::rows::{Entry, Rows};
use crate::sink::Applied;
use crate::{Error, Result};

/// The graph is saved once this many changes, and a tenth of its size, were made since.
const CHANGES_A_SAVE: usize = 2_000;
/// A search with a filter looks at no more candidates than this.
const CANDIDATES_MAX: usize = 4_096;

/// A row that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Cosine of the angle between the vectors, −1 to 1.
    pub similarity: f32,
    /// The row without its vector.
    pub payload: Value,
}

/// A vector index. All methods block for up to some milliseconds.
pub struct VectorIndex {
    folder: PathBuf,
    rows: Rows,
    /// `None` until there is a vector.
    graph: RwLock<Option<Arc<Graph>>>,
    /// Changes to the graph since it was last saved. Held by the one writer.
    pub(super) unsaved: Mutex<usize>,
}

impl VectorIndex {
    /// Opens or makes the index in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let io = |source| Error::Io { what: format!("cannot make the folder {}", folder.display()), source };
        fs::create_dir_all(folder).map_err(io)?;
        let rows = Rows::open(&folder.join("rows"))?;
        let index = Self { folder: folder.to_owned(), rows, graph: RwLock::default(), unsaved: Mutex::new(0) };
        if index.rows.applied()?.is_none() {
            // New, or a reset was cut short.
            index.reset()?;
        } else if let Some(dimensions) = index.rows.dimensions()? {
            let (graph, unsaved) = index.restore(dimensions)?;
            *index.graph.write() = Some(Arc::new(graph));
            *index.unsaved.lock() = unsaved;
        }
        Ok(index)
    }

    /// The rows most similar to `vector`, at most `k`, most similar first; of those that `filter` lets pass, if there is one.
    ///
    /// Errors if the vector's dimensions are not the index's, or one is not a number.
    pub fn search(&self, vector: &[f32], k: usize, filter: Option<&dyn Fn(&Value) -> bool>) -> Result<Vec<Hit>> {
        let Some(graph) = self.graph.read().clone() else { return Ok(Vec::new()) };
        if let Some(reason) = refusal(vector, graph.dimensions()) {
            return Err(Error::config(CONNECTOR, format!("the vector to search for {reason}")));
        }
        if k == 0 {
            return Ok(Vec::new());
        }
        let snapshot = self.rows.snapshot();
        // A little more than asked for: the graph may hold entries that are just being replaced.
        let mut candidates = (k + k / 4 + 8).min(CANDIDATES_MAX.max(k));
        loop {
            let found = graph.search(vector, candidates)?;
            let exhausted = found.len() < candidates || candidates >= CANDIDATES_MAX.max(k);
            let mut hits = Vec::with_capacity(k);
            for (number, similarity) in found {
                let Some(payload) = self.rows.payload(&snapshot, number)? else { continue };
                let payload = parse(&payload)?;
                if filter.is_none_or(|filter| filter(&payload)) {
                    hits.push(Hit { similarity: similarity.clamp(-1.0, 1.0), payload });
                    if hits.len() == k {
                        return Ok(hits);
                    }
                }
            }
            if exhausted {
                return Ok(hits);
            }
            candidates = (candidates * 4).min(CANDIDATES_MAX.max(k));
        }
    }

    /// Calls `visit` with every row's payload and vector, in no order.
    pub fn for_each(&self, mut visit: impl FnMut(Value, Vec<f32>)) -> Result<()> {
        for entry in self.rows.entries(&self.rows.snapshot()) {
            let (_, vector, payload) = entry?;
            visit(parse(&payload)?, vector);
        }
        Ok(())
    }

    /// Dimensions of its vectors; `None` while it is empty.
    pub fn dimensions(&self) -> Option<usize> {
        self.graph.read().as_ref().map(|graph| graph.dimensions())
    }

    /// How far the index is.
    pub fn applied(&self) -> Result<Option<Applied>> {
        self.rows.applied()
    }

    /// Vectors in the index.
    pub fn len(&self) -> Result<u64> {
        self.rows.len()
    }

    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The graph, made if there is none yet.
    pub(super) fn graph(&self, dimensions: usize) -> Result<Arc<Graph>> {
        let mut graph = self.graph.write();
        match graph.as_ref() {
            Some(graph) => Ok(graph.clone()),
            None => Ok(graph.insert(Arc::new(Graph::new(dimensions)?)).clone()),
        }
    }

    pub(super) fn reset(&self) -> Result<()> {
        let mut unsaved = self.unsaved.lock();
        self.rows.reset()?;
        *self.graph.write() = None;
        *unsaved = 0;
        match fs::remove_file(self.saved()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::Io { what: "cannot remove the saved graph".into(), source: error })
            }
            _ => Ok(()),
        }
    }

    /// Syncs the rows, and saves the graph if it is worth it.
    pub(super) fn flush(&self) -> Result<()> {
        let mut unsaved = self.unsaved.lock();
        self.rows.flush()?;
        let Some(graph) = self.graph.read().clone() else { return Ok(()) };
        if *unsaved < CHANGES_A_SAVE.max(graph.len() / 10) {
            return Ok(());
        }
        let part = self.folder.join("graph.usearch.part");
        graph.save(&part)?;
        let io = |source| Error::Io { what: format!("cannot save the graph in {}", self.folder.display()), source };
        fs::File::open(&part).and_then(|file| file.sync_all()).map_err(io)?;
        fs::rename(&part, self.saved()).map_err(io)?;
        *unsaved = 0;
        Ok(())
    }

    fn saved(&self) -> PathBuf {
        self.folder.join("graph.usearch")
    }

    /// The saved graph, or an empty one, brought to what the rows say; and how many changes that took.
    fn restore(&self, dimensions: usize) -> Result<(Graph, usize)> {
        let saved = self.saved();
        let graph = match saved.exists().then(|| Graph::load(&saved, dimensions)) {
            Some(Ok(graph)) => graph,
            Some(Err(error)) => {
                tracing::warn!(%error, path = %saved.display(), "the saved graph cannot be used; it is built anew from the rows");
                Graph::new(dimensions)?
            }
            None => Graph::new(dimensions)?,
        };
        let snapshot = self.rows.snapshot();
        let mut missing = Vec::new();
        let mut added = 0;
        let mut live = std::collections::HashSet::new();
        for entry in self.rows.vectors(&snapshot) {
            let (number, vector) = entry?;
            live.insert(number);
            if !graph.contains(number) {
                missing.push((number, vector));
            }
            if missing.len() == 1_024 {
                added += missing.len();
                graph.add(&missing)?;
                missing.clear();
            }
        }
        added += missing.len();
        graph.add(&missing)?;
        let next = self.rows.next_number()?;
        let mut removed = 0;
        if graph.len() > live.len() {
            let gone: Vec<u64> = (0..next).filter(|number| !live.contains(number) && graph.contains(*number)).collect();
            removed = gone.len();
            graph.remove(&gone)?;
        }
        Ok((graph, added + removed))
    }
}

fn parse(payload: &[u8]) -> Result<Value> {
    serde_json::from_slice(payload).map_err(|error| Error::corrupt(CONNECTOR, format!("a stored payload is not JSON: {error}")))
}

/// Why a vector cannot be used, if it cannot.
pub(super) fn refusal(vector: &[f32], dimensions: usize) -> Option<String> {
    if vector.len() != dimensions {
        return Some(format!("has {} dimensions; the index has {dimensions}", vector.len()));
    }
    if dimensions == 0 || dimensions > DIMENSIONS_MAX {
        return Some(format!("has {dimensions} dimensions; between 1 and {DIMENSIONS_MAX} can be used"));
    }
    if vector.iter().any(|component| !component.is_finite()) {
        return Some("has a component that is not a number".to_owned());
    }
    vector.iter().all(|component| *component == 0.0).then(|| "is zero, and has no direction".to_owned())
}

/// What the sink changes in one write.
pub(super) struct Step {
    pub(super) entries: Vec<Entry>,
    pub(super) removed: Vec<fjall::Slice>,
    pub(super) gone: Vec<u64>,
    pub(super) next: u64,
    pub(super) dimensions: Option<usize>,
}
