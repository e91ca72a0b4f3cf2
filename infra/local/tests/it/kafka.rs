use chimera_local::KafkaBroker;

use crate::{listens, or_skip};

#[test]
fn a_broker_answers_and_ends_with_its_test() {
    let Some(broker) = or_skip(KafkaBroker::start()) else { return };
    let port = broker.bootstrap_servers().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    assert!(listens(port));
    drop(broker);
    assert!(!listens(port));
}
