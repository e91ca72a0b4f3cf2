//! That the bundled tower finds products it was never shown.

use chimera_models::quality::{QualityPlan, quality_report};

use crate::bundled;

#[test]
fn held_out_products_are_found_better_than_by_colour() {
    let Some(tower) = bundled() else { return };
    let plan = QualityPlan { designs: 38, colours: 3, photos: 2, size_px: 96, grocery: None };
    let report = quality_report(tower, &plan).expect("measured");
    let (ours, colours) = (report.drawn.tower, report.drawn.histogram);
    eprintln!("tower {ours:?}\nhistogram {colours:?}\n{:.2} ms a picture", report.embed_ms);
    assert_eq!((ours.gallery, ours.queries), (114, 228));
    assert!(ours.recall_at_1 > 0.6, "recall@1 {:.3}", ours.recall_at_1);
    assert!(ours.recall_at_10 > 0.85, "recall@10 {:.3}", ours.recall_at_10);
    assert!(ours.recall_at_1 > 2.0 * colours.recall_at_1, "{:.3} beside {:.3} by colour", ours.recall_at_1, colours.recall_at_1);
    assert!(ours.recall_at_1 > 20.0 * ours.chance_at_1());
}

#[test]
fn real_shelf_photographs_are_measured_where_they_are_at_hand() {
    let Some(tower) = bundled() else { return };
    let data = std::env::var("CHIMERA_DATA").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").into());
    let grocery = std::path::Path::new(&data).join("grocery");
    if !grocery.join("photos.csv").is_file() {
        eprintln!("skipped: no {}", grocery.display());
        return;
    }
    let plan = QualityPlan { designs: 0, grocery: Some(grocery), ..QualityPlan::default() };
    let report = quality_report(tower, &plan).expect("measured");
    let compared = report.grocery.expect("asked for");
    eprintln!("grocery: tower {:?}\nhistogram {:?}", compared.tower, compared.histogram);
    assert_eq!((compared.tower.gallery, compared.tower.queries), (81, 1904));
    assert!(compared.tower.recall_at_10 > 2.0 * 10.0 / 81.0, "twice chance at least: {:.3}", compared.tower.recall_at_10);
}
