use chimera_local::{RabbitMq, RabbitMqOptions, TestRabbitMq};

use crate::{listens, or_skip, stops_listening};

#[test]
fn a_server_is_adopted_comes_back_after_a_crash_and_ends_with_its_test() {
    let Some(mut server) = or_skip(TestRabbitMq::start()) else { return };
    let port = server.port();
    assert!(listens(port));
    let folder = server.folder().to_owned();
    let adopted = RabbitMq::start(&RabbitMqOptions::new(&folder)).expect("the same server");
    assert!(adopted.adopted());
    assert_eq!(adopted.url(), server.url());

    adopted.crash().expect("a crash");
    assert!(stops_listening(port));
    server.start_again().expect("a restart");
    assert_eq!((server.port(), server.adopted()), (port, false));
    assert!(listens(port));

    drop(server);
    assert!(stops_listening(port));
    assert!(!folder.exists());
    // Neither the server nor its port mapper is left.
    let folder = folder.parent().expect("a folder above").to_owned();
    let left = std::fs::read_dir("/proc").expect("processes").flatten();
    let left = left.filter(|process| std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(&folder))).count();
    assert_eq!(left, 0);
}
