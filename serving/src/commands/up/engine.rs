//! The engine: the pipelines of this binary, run in this process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chimera_connectors::Context;
use chimera_models::{ImageTower, TowerConfig};
use chimera_pipelines::hosts::Hosts;
use chimera_pipelines::{Config, Handle, Offsite, Runtime, Service};

use super::changes::Changes;
use crate::shop::databases::{CAPTURED, Server};

/// What the engine is started with.
pub struct Parts {
    pub data_dir: PathBuf,
    pub context: Arc<Context>,
    pub image_tower: Option<Arc<ImageTower>>,
    pub changes: Changes,
    /// Says over which databases each service is spread.
    pub server: Server,
    /// Threads a dataflow.
    pub workers: usize,
    pub checkpoint_every: Duration,
    /// Who computes; `None`: this process.
    pub hosts: Option<Hosts>,
    /// Where checkpoints are kept beside the data folder.
    pub offsite: Option<Offsite>,
    pub memory_bytes: usize,
}

/// The image tower; without ONNX Runtime there is none, and pictures are neither indexed nor searched by: everything else works.
pub async fn image_tower() -> Option<Arc<ImageTower>> {
    let loaded = tokio::task::spawn_blocking(|| ImageTower::load(&TowerConfig::default())).await;
    match loaded {
        Ok(Ok(tower)) => Some(Arc::new(tower)),
        Ok(Err(error)) => {
            tracing::warn!("search by picture is switched off: {error}");
            None
        }
        Err(error) => {
            tracing::warn!("search by picture is switched off: loading the model broke off: {error}");
            None
        }
    }
}

/// Starts every bundled pipeline. Each goes on from its checkpoint.
pub async fn start(parts: Parts) -> anyhow::Result<Handle> {
    let changes = parts.changes.clone();
    let config = Config {
        dir: parts.data_dir.join("engine"),
        pipelines: chimera_pipelines::bundled(),
        sources: chimera_pipelines::sources().to_owned(),
        functions_version: chimera_pipelines::functions_version(parts.image_tower.as_deref()),
        functions: chimera_pipelines::functions(parts.image_tower),
        services: CAPTURED
            .map(|name| Service { name: name.to_owned(), databases: parts.server.databases_of(name).map(str::to_owned).collect() })
            .to_vec(),
        workers: parts.workers,
        hosts: parts.hosts,
        offsite: parts.offsite,
        memory_bytes: parts.memory_bytes,
        checkpoint_every: parts.checkpoint_every,
        nudge: Arc::new(move |source: &str| changes.nudge(source)),
    };
    Ok(Runtime::start(config, parts.context).await?)
}
