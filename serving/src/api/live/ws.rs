//! `GET /ws`: orders and carts as they change, for programs that do not speak GraphQL. docs/live.md has the messages.

use std::pin::Pin;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio_stream::StreamMap;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::follow;
use super::socket::{self, MAX_WAITING, Out, Peer, code};
use crate::api::access::{Access, Caller, unauthenticated};
use crate::api::carts::{Owner, shown::Cart};
use crate::api::orders::shown::{Order, Viewer};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::rate_limit::{self, Sender};
use crate::api::state::App;

/// What one connection follows at once.
const MAX_TOPICS: usize = 16;

/// Orders and carts as they change. A WebSocket of JSON messages: `authenticate`, `subscribe`, `unsubscribe`, `ping`.
#[utoipa::path(get, path = "/ws", tag = "orders",
    responses((status = 101, description = "a WebSocket"), (status = 403, description = "of a page of another origin", body = ProblemBody),
        (status = 426, description = "this is no WebSocket", body = ProblemBody), (status = 429, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn open_websocket(
    State(app): State<App>,
    caller: Option<Extension<Caller>>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response> {
    let caller = caller.map(|Extension(caller)| caller);
    let (upgrade, place) = socket::admit(&app, &headers, &sender, caller.as_ref(), upgrade)?;
    let guest = Owner::of_guest(&headers)?;
    Ok(upgrade.on_upgrade(move |socket| async move {
        let (peer, known) = watch::channel(Peer::Known(caller.clone()));
        let (incoming, messages) = mpsc::channel(MAX_WAITING);
        let (out, outgoing) = mpsc::channel(1);
        let talk = Talk { app: app.clone(), sender, caller, guest, peer, out, topics: StreamMap::new() };
        let _talk = AbortOnDropHandle::new(tokio::spawn(talk.run(messages)));
        socket::run(app, socket, known, incoming, ReceiverStream::new(outgoing)).await;
        drop(place);
    }))
}

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    Authenticate {
        token: String,
    },
    Subscribe {
        #[serde(flatten)]
        topic: Topic,
    },
    Unsubscribe {
        #[serde(flatten)]
        topic: Topic,
    },
    Ping,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "topic", rename_all = "snake_case")]
enum Topic {
    Order {
        id: Uuid,
    },
    Cart {
        /// Of a guest; never told back.
        #[serde(default, skip_serializing)]
        guest_token: Option<String>,
    },
}

/// What it is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Told<'a> {
    Authenticated {
        user_id: Option<Uuid>,
    },
    Subscribed {
        #[serde(flatten)]
        topic: &'a Topic,
    },
    Unsubscribed {
        #[serde(flatten)]
        topic: &'a Topic,
    },
    Order {
        id: Uuid,
        order: &'a Order,
    },
    Cart {
        cart: &'a Cart,
    },
    /// With a topic: it is not followed, or not any more.
    Error {
        #[serde(flatten, skip_serializing_if = "Option::is_none")]
        topic: Option<&'a Topic>,
        problem: ProblemBody,
    },
    Pong,
}

enum Seen {
    Order(Box<Order>),
    Cart(Box<Cart>),
}

type States = Pin<Box<dyn Stream<Item = Result<Seen>> + Send>>;

struct Talk {
    app: App,
    sender: Sender,
    caller: Option<Caller>,
    /// Of whoever has not logged in.
    guest: Owner,
    peer: watch::Sender<Peer>,
    /// Waits while the client has not taken the message before.
    out: mpsc::Sender<Out>,
    topics: StreamMap<Topic, States>,
}

/// The client is gone.
struct Gone;

impl Talk {
    async fn run(mut self, mut messages: mpsc::Receiver<String>) {
        loop {
            let done = tokio::select! {
                message = messages.recv() => match message {
                    Some(text) => self.answer(&text).await,
                    None => return,
                },
                Some((topic, state)) = self.topics.next() => self.tell_state(&topic, state).await,
            };
            if let Err(Gone) = done {
                return;
            }
        }
    }

    async fn answer(&mut self, text: &str) -> Result<(), Gone> {
        let said = match serde_json::from_str(text) {
            Ok(said) => said,
            Err(error) => return self.tell_problem(None, Problem::new(&kinds::BAD_MESSAGE, format!("{error}."))).await,
        };
        match said {
            Said::Ping => self.tell(&Told::Pong).await,
            Said::Authenticate { token } => match self.authenticate(&token).await {
                Ok(user_id) => self.tell(&Told::Authenticated { user_id }).await,
                Err(problem) => {
                    self.tell_problem(None, problem).await?;
                    let close = Out::Close(code::UNAUTHORISED, "the token is not good".to_owned());
                    self.out.send(close).await.map_err(|_| Gone)
                }
            },
            Said::Subscribe { topic } => match self.subscribe(&topic).await {
                Ok(states) => {
                    self.tell(&Told::Subscribed { topic: &topic }).await?;
                    self.topics.insert(topic, states);
                    Ok(())
                }
                Err(problem) => self.tell_problem(Some(&topic), problem).await,
            },
            Said::Unsubscribe { topic } => {
                self.topics.remove(&topic);
                self.tell(&Told::Unsubscribed { topic: &topic }).await
            }
        }
    }

    /// What is followed already goes on as it is.
    async fn authenticate(&mut self, token: &str) -> Result<Option<Uuid>> {
        let known = Caller::of(&self.app, token).await;
        // Guesses are counted like log-ins.
        let counted = if known.is_err() { Access::Entrance } else { Access::Public };
        rate_limit::count(&self.app, &self.sender, counted, known.as_ref().ok()).await?;
        let caller = known?;
        if self.caller.as_ref().is_some_and(|before| before.user_id != caller.user_id) {
            return Err(unauthenticated("This connection is another account's; open another one."));
        }
        let user_id = caller.user_id;
        self.caller = Some(caller.clone());
        self.peer.send_replace(Peer::Known(Some(caller)));
        Ok(user_id)
    }

    async fn subscribe(&mut self, topic: &Topic) -> Result<States> {
        rate_limit::count(&self.app, &self.sender, Access::Public, self.caller.as_ref()).await?;
        if self.topics.len() >= MAX_TOPICS && !self.topics.contains_key(topic) {
            return Err(Problem::new(&kinds::TOO_MANY_TOPICS, format!("This connection follows {MAX_TOPICS} things already.")));
        }
        Ok(match topic {
            Topic::Order { id } => {
                let caller = self.caller.as_ref().ok_or_else(|| unauthenticated("Orders are followed by who has logged in."))?;
                let states = follow::order(&self.app, Viewer::of(caller), *id).await?;
                states.map(|state| state.map(|order| Seen::Order(Box::new(order)))).boxed()
            }
            Topic::Cart { guest_token } => {
                let states = follow::cart(&self.app, self.owner(guest_token.as_deref())?).await?;
                states.map(|state| state.map(|cart| Seen::Cart(Box::new(cart)))).boxed()
            }
        })
    }

    fn owner(&self, guest_token: Option<&str>) -> Result<Owner> {
        match (&self.caller, guest_token) {
            (Some(caller), _) => caller.user_id().map(Owner::User),
            (None, Some(token)) => {
                Owner::of_token(token).ok_or_else(|| Problem::new(&kinds::BAD_MESSAGE, "`guest_token` is not the token of a cart."))
            }
            (None, None) => Ok(self.guest),
        }
    }

    async fn tell_state(&mut self, topic: &Topic, state: Result<Seen>) -> Result<(), Gone> {
        match state {
            Ok(Seen::Order(order)) => self.tell(&Told::Order { id: order.id, order: &order }).await,
            Ok(Seen::Cart(cart)) => self.tell(&Told::Cart { cart: &cart }).await,
            Err(problem) => self.tell_problem(Some(topic), problem).await,
        }
    }

    async fn tell_problem(&mut self, topic: Option<&Topic>, problem: Problem) -> Result<(), Gone> {
        problem.log();
        self.tell(&Told::Error { topic, problem: problem.body() }).await
    }

    async fn tell(&mut self, told: &Told<'_>) -> Result<(), Gone> {
        // Cannot fail: every key is text.
        let text = serde_json::to_string(told).unwrap_or_default();
        self.out.send(Out::Text(text)).await.map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_strictly_and_told_without_tokens() {
        let read = |text: &str| serde_json::from_str::<Said>(text);
        assert!(matches!(read(r#"{"type":"ping"}"#), Ok(Said::Ping)));
        let order = format!(r#"{{"type":"subscribe","topic":"order","id":"{}"}}"#, Uuid::nil());
        assert!(matches!(read(&order), Ok(Said::Subscribe { topic: Topic::Order { .. } })));
        let Ok(Said::Subscribe { topic }) = read(r#"{"type":"subscribe","topic":"cart","guest_token":"chg_x"}"#) else { panic!("a topic") };
        assert_eq!(serde_json::to_string(&Told::Subscribed { topic: &topic }).expect("JSON"), r#"{"type":"subscribed","topic":"cart"}"#);
        for wrong in ["", "[]", r#"{"type":"subscribe"}"#, r#"{"type":"subscribe","topic":"order","id":"1"}"#, r#"{"type":"shout"}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
