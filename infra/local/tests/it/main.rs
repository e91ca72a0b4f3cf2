//! The servers really start, are adopted, survive a crash, and end with their test.

mod kafka;
mod postgres;
mod rabbitmq;
mod redis;

use chimera_local::{Error, Result};

/// What `start` gave, or `None`, said aloud, where something has to be installed first.
fn or_skip<T>(started: Result<T>) -> Option<T> {
    match started {
        Ok(server) => Some(server),
        Err(error @ Error::Missing { .. }) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Whether something listens on that port.
fn listens(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// The threads of a process that was killed end one after the other, and the last one closes its sockets.
fn stops_listening(port: u16) -> bool {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while listens(port) && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    !listens(port)
}
