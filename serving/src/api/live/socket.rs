//! A WebSocket, whatever is spoken on it: pings, a reader that is too slow, a session that has ended, a server that stops.

use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::standing;
use crate::api::access::Caller;
use crate::api::places::Place;
use crate::api::problem::{Problem, Result, kinds};
use crate::api::rate_limit::Sender;
use crate::api::state::App;

/// Of a client's message.
pub const MAX_MESSAGE_BYTES: usize = 32 * 1024;
/// Messages of a client that were not answered yet; who sends more is cut off.
pub const MAX_WAITING: usize = 32;
const PING_EVERY: Duration = Duration::from_secs(20);
/// Who was not heard of for so long, not even by a pong, is gone.
const SILENT_FOR: Duration = Duration::from_secs(60);
/// Who does not take a message in this time is cut off: nothing is kept for them.
const TAKES_WITHIN: Duration = Duration::from_secs(10);
/// By RFC 6455.
const MAX_REASON_BYTES: usize = 123;

/// Codes of a close frame, as graphql-transport-ws has them; [`code::AWAY`], [`code::UNREADABLE`] and [`code::OVERLOADED`] are those of RFC 6455.
pub mod code {
    pub const AWAY: u16 = 1001;
    pub const UNREADABLE: u16 = 1003;
    pub const OVERLOADED: u16 = 1013;
    pub const UNAUTHORISED: u16 = 4401;
    pub const TOO_LATE: u16 = 4408;
}

/// What goes to the client.
#[derive(Debug)]
pub enum Out {
    Text(String),
    /// And then nothing more.
    Close(u16, String),
}

/// Who is at the other end.
#[derive(Clone, Debug)]
pub enum Peer {
    /// They have until then to say.
    Unknown(Instant),
    /// `None`: a guest.
    Known(Option<Caller>),
}

/// What a request to open a WebSocket has to meet, and the place that it takes.
pub fn admit(
    app: &App,
    headers: &HeaderMap,
    sender: &Sender,
    caller: Option<&Caller>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<(WebSocketUpgrade, Place)> {
    let upgrade = upgrade.map_err(|rejection| Problem::new(&kinds::WEBSOCKET_NEEDED, rejection.body_text()))?;
    app.origins.check(headers, &app.auth.issuer)?;
    let place = app.places.take(sender.who(&app.limits.rates, caller))?;
    Ok((upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES), place))
}

/// Passes on what comes and what goes, until one side ends it. `outgoing` is asked for more only when the client has taken what was before.
pub async fn run(
    app: App,
    mut socket: WebSocket,
    mut peer: watch::Receiver<Peer>,
    incoming: mpsc::Sender<String>,
    outgoing: impl Stream<Item = Out> + Send,
) {
    let mut outgoing = std::pin::pin!(outgoing);
    let mut pings = tokio::time::interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let now = peer.borrow_and_update().clone();
        let over = async {
            match now {
                Peer::Unknown(until) => {
                    tokio::time::sleep_until(until).await;
                    (code::TOO_LATE, "who this is was not said in time")
                }
                Peer::Known(caller) => {
                    standing::revoked(&app, caller.as_ref()).await;
                    (code::UNAUTHORISED, "the session has ended")
                }
            }
        };
        let mut over = std::pin::pin!(over);
        // As long as it is the same peer: `over` keeps its own time.
        let last = loop {
            let (message, is_last) = tokio::select! {
                Ok(()) = peer.changed() => break None,
                out = outgoing.next() => match out {
                    Some(Out::Text(text)) => (Message::text(text), false),
                    Some(Out::Close(code, reason)) => (close(code, &reason), true),
                    None => break Some(Message::Close(None)),
                },
                message = socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => match incoming.try_send(text.as_str().to_owned()) {
                            Ok(()) => continue,
                            Err(_) => (close(code::OVERLOADED, "too many messages at once"), true),
                        },
                        Some(Ok(Message::Binary(_))) => (close(code::UNREADABLE, "messages are text"), true),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    }
                }
                _ = pings.tick() => {
                    if heard.elapsed() > SILENT_FOR {
                        return;
                    }
                    (Message::Ping(Default::default()), false)
                }
                (code, reason) = &mut over => (close(code, reason), true),
                () = app.stopping.cancelled() => (close(code::AWAY, "the server stops"), true),
            };
            if is_last {
                break Some(message);
            }
            if !send(&mut socket, message).await {
                return;
            }
        };
        if let Some(last) = last {
            send(&mut socket, last).await;
            return;
        }
    }
}

fn close(code: u16, reason: &str) -> Message {
    let fits = reason.char_indices().take_while(|(at, c)| at + c.len_utf8() <= MAX_REASON_BYTES).map(|(_, c)| c);
    Message::Close(Some(CloseFrame { code, reason: fits.collect::<String>().into() }))
}

async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(tokio::time::timeout(TAKES_WITHIN, socket.send(message)).await, Ok(Ok(())))
}
