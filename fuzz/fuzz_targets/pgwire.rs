//! Whatever a client sends, before it has logged in and after, is answered or refused, and the next client can log in.
//!
//! The first byte says which: even, a connection begins with these bytes; odd, they come in a session of an analyst.
#![no_main]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::BytesMut;
use chimera_connectors::Context;
use chimera_connectors::log::Log;
use chimera_connectors::log::embedded::EmbeddedLog;
use chimera_pipelines::{Config, Definition, Runtime, Service};
use chimera_serving::pg::{DATABASE, Front, Limits, Role};
use chimera_sql::Functions;
use libfuzzer_sys::fuzz_target;
use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use postgres_protocol::message::frontend;
use tokio_util::sync::CancellationToken;

const PASSWORD: &str = "a password of the test";

const SOURCES: &str = "CREATE TABLE items (id BIGINT PRIMARY KEY, sku TEXT, quantity INT, at TIMESTAMP)
WITH (connector = 'kafka', topic = 'shop.public.items', format = 'debezium_json', type = 'source');";

const LEVELS: &str = "CREATE TABLE levels (sku TEXT PRIMARY KEY, quantity BIGINT) WITH (connector = 'view', type = 'sink');
INSERT INTO levels SELECT sku, sum(quantity) FROM items GROUP BY sku;";

/// A front over one empty view, for as long as the process lives.
fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a folder").keep();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket of tokio");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || serve(&dir, listener));
        address
    })
}

#[tokio::main]
async fn serve(dir: &Path, listener: TcpListener) {
    let log: Arc<dyn Log> = EmbeddedLog::open(dir.join("log")).expect("the log");
    let context = Context::new(dir.join("stores"), log, "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/").expect("a context");
    let config = Config {
        dir: dir.join("engine"),
        pipelines: vec![Definition { name: "stock".into(), sql: format!("{SOURCES}{LEVELS}") }],
        sources: SOURCES.into(),
        functions: Functions::new(),
        functions_version: String::new(),
        services: vec![Service::whole("shop")],
        workers: 1,
        hosts: None,
        offsite: None,
        memory_bytes: 64 << 20,
        checkpoint_every: Duration::from_secs(3600),
        nudge: Arc::new(|_| {}),
    };
    let engine = Runtime::start(config, context.clone()).await.expect("the runtime");
    let limits = Limits { timeout: Duration::from_secs(2), rows: 10_000, memory_bytes: 32 << 20, ..Limits::default() };
    let passwords = [(Role::Analyst, PASSWORD.to_owned())];
    let front = Front::new(context.views.clone(), engine, &passwords, limits).expect("the front");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    front.serve(listener, CancellationToken::new()).await;
}

fn connect() -> TcpStream {
    let socket = TcpStream::connect(address()).expect("the front listens");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    socket.set_nodelay(true).expect("no delay");
    socket
}

/// The next message: its kind and its body. None: the server has closed.
fn message(socket: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    match socket.read_exact(&mut head) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
            panic!("no answer in ten seconds")
        }
        Err(_) => return None,
        Ok(()) => {}
    }
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let mut body = vec![0; length.checked_sub(4).expect("a length counts itself")];
    socket.read_exact(&mut body).ok()?;
    Some((head[0], body))
}

fn log_in() -> TcpStream {
    let mut socket = connect();
    let mut out = BytesMut::new();
    frontend::startup_message([("user", Role::Analyst.name()), ("database", DATABASE)], &mut out).expect("a startup");
    socket.write_all(&out).expect("sent");
    let mut scram = ScramSha256::new(PASSWORD.as_bytes(), ChannelBinding::unsupported());
    loop {
        let (kind, body) = message(&mut socket).expect("the server answers");
        out.clear();
        match (kind, body.get(..4).map(|code| code[3])) {
            (b'R', Some(10)) => frontend::sasl_initial_response("SCRAM-SHA-256", scram.message(), &mut out).expect("a response"),
            (b'R', Some(11)) => {
                scram.update(&body[4..]).expect("a challenge");
                frontend::sasl_response(scram.message(), &mut out).expect("a response");
            }
            (b'Z', _) => return socket,
            (b'E', _) => panic!("the log-in was refused: {}", String::from_utf8_lossy(&body)),
            _ => continue,
        }
        socket.write_all(&out).expect("sent");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    if first % 2 == 0 {
        let mut socket = connect();
        // The server may have closed in the middle.
        let _ = socket.write_all(bytes);
        let _ = socket.shutdown(std::net::Shutdown::Write);
        while message(&mut socket).is_some() {}
        return;
    }
    let mut socket = log_in();
    let mut out = BytesMut::new();
    if first % 4 == 1 {
        // A whole statement, whatever stands in it.
        let text: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
        out.extend_from_slice(b"Q");
        out.extend_from_slice(&(text.len() as u32 + 5).to_be_bytes());
        out.extend_from_slice(&text);
        out.extend_from_slice(&[0]);
        // The end, once the statement is answered: of one who hangs up it is broken off.
        frontend::terminate(&mut out);
        let _ = socket.write_all(&out);
    } else {
        out.extend_from_slice(bytes);
        let _ = socket.write_all(&out);
        let _ = socket.shutdown(std::net::Shutdown::Write);
    }
    while message(&mut socket).is_some() {}
});
