//! A client of WebSockets.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What came.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Json(Value),
    /// With its code; 0: without one.
    Closed(u16),
}

impl Socket {
    /// `Err`: the status of the answer, and its body.
    pub async fn open(base: &str, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, (u16, Value)> {
        let mut request = format!("{}{path}", base.replace("http://", "ws://")).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => {
                let body = answer.body().as_deref().map(|body| serde_json::from_slice(body).unwrap_or_default());
                Err((answer.status().as_u16(), body.unwrap_or_default()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Logged in by the header.
    pub async fn of(base: &str, path: &str, token: &str) -> Self {
        Self::open(base, path, &[("authorization", &format!("Bearer {token}"))]).await.unwrap()
    }

    /// Over graphql-transport-ws, logged in by the first message, and one subscription under the id `1`.
    pub async fn graphql(base: &str, token: &str, query: &str) -> Self {
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        let mut socket = Self::open(base, "/api/v1/graphql/ws", &protocol).await.unwrap();
        socket.say(&json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } })).await;
        assert_eq!(socket.json().await["type"], "connection_ack");
        socket.say(&json!({ "id": "1", "type": "subscribe", "payload": { "query": query } })).await;
        socket
    }

    pub async fn say(&mut self, message: &Value) {
        self.say_text(message.to_string()).await;
    }

    pub async fn say_text(&mut self, text: String) {
        // One that was closed meanwhile is heard of by `hear`.
        let _ = self.0.send(Message::text(text)).await;
    }

    pub async fn hear(&mut self) -> Heard {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("a message in time");
            match message {
                Some(Ok(Message::Text(text))) => return Heard::Json(serde_json::from_str(text.as_str()).unwrap()),
                Some(Ok(Message::Close(frame))) => return Heard::Closed(frame.map_or(0, |frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(0),
            }
        }
    }

    pub async fn json(&mut self) -> Value {
        match self.hear().await {
            Heard::Json(message) => message,
            Heard::Closed(code) => panic!("closed with {code}"),
        }
    }

    /// Until it is closed; the code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Heard::Closed(code) = self.hear().await {
                return code;
            }
        }
    }
}
