//! Checkpoints: what they hold, and what refuses them.

use crate::data::Shop;
use crate::harness::{Bag, Shape, config, integrate, push_all, sources};
use chimera_sql::{DataflowConfig, Functions, Program};

const SQL: &str = "
CREATE TABLE out (sku TEXT PRIMARY KEY, q BIGINT, n BIGINT) WITH (type = 'sink');
INSERT INTO out SELECT sku, sum(quantity), count(*) FROM items WHERE sku IS NOT NULL GROUP BY sku;
";

const QUERY: Shape = Shape::new("q", "SELECT sku, sum(quantity), count(*) FROM items WHERE sku IS NOT NULL GROUP BY sku");

fn program() -> Program {
    Program::parse(&(sources() + SQL), &Functions::new()).unwrap()
}

#[test]
fn what_came_after_a_checkpoint_is_computed_again_in_the_same_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut dataflow = program().start(config(2, Some(folder.path()))).unwrap();
    let mut shop = Shop::new(5);
    let mut bag = Bag::new();
    let mut checkpoints = vec![];
    for _ in 0..5 {
        push_all(&mut dataflow, &mut shop, false);
        integrate(&dataflow.step().unwrap(), "out", &mut bag);
        checkpoints.push(dataflow.checkpoint().unwrap());
    }
    // An epoch that is not in the checkpoint.
    let lost = shop.change(false);
    lost.iter().for_each(|(table, delta)| dataflow.push(table, delta.clone()).unwrap());
    let first = dataflow.step().unwrap();
    dataflow.stop();
    // The checkpoint before the last is still there too.
    let before_last = DataflowConfig { checkpoint: Some(checkpoints[3]), ..config(2, Some(folder.path())) };
    program().start(before_last).unwrap().stop();
    let last = DataflowConfig { checkpoint: Some(checkpoints[4]), ..config(2, Some(folder.path())) };
    let mut dataflow = program().start(last).unwrap();
    assert!(dataflow.step().unwrap().is_empty(), "nothing was pushed");
    lost.iter().for_each(|(table, delta)| dataflow.push(table, delta.clone()).unwrap());
    let again = dataflow.step().unwrap();
    assert_eq!(first.len(), again.len());
    for (first, again) in first.iter().zip(&again) {
        assert_eq!(first.changes.batch, again.changes.batch);
        assert_eq!(first.changes.weights, again.changes.weights);
    }
    integrate(&again, "out", &mut bag);
    assert_eq!(bag, QUERY.afresh(&shop));
    dataflow.stop();
}

#[test]
fn a_checkpoint_stays_until_two_others_that_came_from_it_were_made() {
    let folder = tempfile::tempdir().unwrap();
    let from = |checkpoint| DataflowConfig { checkpoint, ..config(1, Some(folder.path())) };
    let mut dataflow = program().start(from(None)).unwrap();
    let mut shop = Shop::new(7);
    push_all(&mut dataflow, &mut shop, false);
    dataflow.step().unwrap();
    let used = dataflow.checkpoint().unwrap();
    // Runs that make one more and break off before anybody uses it.
    for _ in 0..3 {
        dataflow.stop();
        dataflow = program().start(from(Some(used))).unwrap();
        push_all(&mut dataflow, &mut shop, false);
        dataflow.step().unwrap();
        dataflow.checkpoint().unwrap();
    }
    dataflow.stop();
    program().start(from(Some(used))).unwrap().stop();
}

#[test]
fn a_changed_program_has_another_fingerprint_and_another_number_of_workers_too() {
    let same = program();
    let other = Program::parse(&(sources() + &SQL.replace("sum(quantity)", "max(quantity)")), &Functions::new()).unwrap();
    assert_eq!(program().fingerprint(2, 1), same.fingerprint(2, 1));
    assert_ne!(program().fingerprint(2, 1), other.fingerprint(2, 1));
    assert_ne!(program().fingerprint(2, 1), program().fingerprint(1, 1));
    let dataflow = same.start(config(2, None)).unwrap();
    assert_eq!(dataflow.fingerprint(), same.fingerprint(2, 1));
    dataflow.stop();
}

#[test]
fn a_checkpoint_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut dataflow = program().start(config(1, Some(folder.path()))).unwrap();
    let mut shop = Shop::new(6);
    push_all(&mut dataflow, &mut shop, false);
    dataflow.step().unwrap();
    let checkpoint = dataflow.checkpoint().unwrap();
    dataflow.stop();
    let other = "CREATE TABLE out (sku TEXT PRIMARY KEY, q BIGINT) WITH (type = 'sink');
                 INSERT INTO out SELECT sku, count(DISTINCT order_id) FROM items GROUP BY sku;";
    let other = Program::parse(&(sources() + other), &Functions::new()).unwrap();
    let config = DataflowConfig { checkpoint: Some(checkpoint), ..config(1, Some(folder.path())) };
    assert!(other.start(config).is_err());
}

#[test]
fn a_dataflow_without_storage_has_no_checkpoints() {
    let mut dataflow = program().start(config(1, None)).unwrap();
    assert!(dataflow.checkpoint().unwrap_err().to_string().contains("before the first step"));
    dataflow.step().unwrap();
    let error = dataflow.checkpoint().unwrap_err().to_string();
    assert!(error.contains("storage folder"), "{error}");
    dataflow.stop();
}
