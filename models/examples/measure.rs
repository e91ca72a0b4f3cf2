//! Prints the figures of the bundled tower's card: `measure [GROCERY_FOLDER]`.

use std::error::Error;

use chimera_models::quality::{QualityPlan, quality_report};
use chimera_models::{ImageTower, TowerConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let tower = ImageTower::load(&TowerConfig::default())?;
    let plan = QualityPlan { grocery: std::env::args_os().nth(1).map(Into::into), ..QualityPlan::default() };
    let report = quality_report(&tower, &plan)?;
    println!("{}: {} dimensions, {:.1} ms a picture (decode and embed, one thread)\n", report.model, report.dimensions, report.embed_ms);
    print!("{}", report.markdown());
    Ok(())
}
