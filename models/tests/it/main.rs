//! The tower and the decoder from outside.

mod hostile;
mod quality;
mod tower;

use std::sync::OnceLock;

use chimera_models::{Error, ImageTower, TowerConfig};

/// The bundled tower, loaded once; `None`, with a word on stderr, where the ONNX Runtime library is not installed.
fn bundled() -> Option<&'static ImageTower> {
    static TOWER: OnceLock<Option<ImageTower>> = OnceLock::new();
    let tower = TOWER.get_or_init(|| match ImageTower::load(&TowerConfig::default()) {
        Ok(tower) => Some(tower),
        Err(error @ Error::LibraryMissing { .. }) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("the bundled tower does not load: {error}"),
    });
    if tower.is_none() {
        eprintln!("skipped: no ONNX Runtime library");
    }
    tower.as_ref()
}
