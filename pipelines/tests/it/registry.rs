//! A schema registry: as much of Confluent's as scripts ask of one (`POST /subjects/{subject}/versions`, `GET /schemas/ids/{id}`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

#[derive(Clone)]
pub struct Registry {
    pub endpoint: String,
    /// The first one has number 1.
    schemas: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    /// Answers until the test's process ends.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = Registry { endpoint: format!("http://{}", listener.local_addr().unwrap()), schemas: Arc::default() };
        let answering = registry.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let registry = answering.clone();
                std::thread::spawn(move || registry.answer(stream));
            }
        });
        registry
    }

    pub fn register(&self, schema: &str) -> usize {
        let mut schemas = self.schemas.lock().unwrap();
        match schemas.iter().position(|known| known == schema) {
            Some(place) => place + 1,
            None => {
                schemas.push(schema.to_owned());
                schemas.len()
            }
        }
    }

    pub fn schema(&self, id: usize) -> Option<String> {
        self.schemas.lock().unwrap().get(id.checked_sub(1)?).cloned()
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        loop {
            let (mut request, mut length) = (String::new(), 0);
            if reader.read_line(&mut request).unwrap_or(0) == 0 {
                return;
            }
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                let header = header.trim().to_lowercase();
                if header.is_empty() {
                    break;
                }
                length = header.strip_prefix("content-length:").map_or(length, |value| value.trim().parse().unwrap());
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let path = request.split(' ').nth(1).unwrap();
            let (status, answer) = match path.strip_prefix("/schemas/ids/") {
                Some(id) => match self.schema(id.parse().unwrap()) {
                    Some(schema) => ("200 OK", json!({ "schema": schema })),
                    None => ("404 Not Found", json!({"error_code": 40403, "message": "Schema not found"})),
                },
                None => {
                    assert!(path.starts_with("/subjects/") && path.ends_with("-value/versions"), "{path}");
                    let body: Value = serde_json::from_slice(&body).unwrap();
                    ("200 OK", json!({ "id": self.register(body["schema"].as_str().unwrap()) }))
                }
            };
            let answer = answer.to_string();
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).unwrap();
        }
    }
}
