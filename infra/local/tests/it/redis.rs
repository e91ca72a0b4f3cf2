use chimera_local::{Redis, RedisOptions, TestRedis};

use crate::{listens, or_skip};

#[test]
fn a_server_keeps_its_data_over_a_restart_and_ends_with_its_test() {
    let Some(mut server) = or_skip(TestRedis::start()) else { return };
    let port = server.port();
    assert_eq!(server.ask(&["SET", "stock:1", "{\"available\":5}"]).expect("OK"), ["OK"]);
    server.restart().expect("a restart");
    assert_eq!(server.port(), port);
    assert_eq!(server.ask(&["GET", "stock:1"]).expect("a value"), ["{\"available\":5}"]);
    assert!(server.ask(&["NONSENSE"]).expect_err("no such command").to_string().contains("unknown command"));
    drop(server);
    assert!(!listens(port));
}

#[test]
fn a_running_server_is_adopted() {
    let Some(server) = or_skip(TestRedis::start()) else { return };
    let dir = server.ask(&["CONFIG", "GET", "dir"]).expect("a folder").remove(1);
    let adopted = Redis::start(&RedisOptions::new(dir)).expect("the same server");
    assert!(adopted.adopted());
    assert_eq!(adopted.url(), server.url());
    adopted.stop().expect("a stop");
    assert!(!listens(server.port()));
}
