//! `GET /api/v1/graphql/ws`: subscriptions, over the protocol graphql-transport-ws.

use std::any::TypeId;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::http::{WebSocket, WebSocketProtocols, WsMessage};
use async_graphql::{Data, Executor, Request, Response as Answer};
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use super::check::{Operation, check};
use super::fault::Fault;
use super::{Asker, SCHEMA, named, refused};
use crate::api::access::{Access, Caller, token_of};
use crate::api::carts::Owner;
use crate::api::live::socket::{self, MAX_WAITING, Out, Peer};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::rate_limit::{self, Sender};
use crate::api::state::App;

const PROTOCOL: &str = "graphql-transport-ws";
/// Until `connection_init` has come.
const SAYS_WITHIN: Duration = Duration::from_secs(10);
/// Subscriptions of one connection.
const MAX_SUBSCRIPTIONS: usize = 16;

/// GraphQL subscriptions, over graphql-transport-ws. Who has no header `authorization` sends it in the payload of `connection_init`.
#[utoipa::path(get, path = "/api/v1/graphql/ws", tag = "graphql",
    responses((status = 101, description = "a WebSocket"), (status = 403, description = "of a page of another origin", body = ProblemBody),
        (status = 426, description = "this is no WebSocket", body = ProblemBody), (status = 429, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn subscribe(
    State(app): State<App>,
    caller: Option<Extension<Caller>>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response> {
    let caller = caller.map(|Extension(caller)| caller);
    let (upgrade, place) = socket::admit(&app, &headers, &sender, caller.as_ref(), upgrade)?;
    let upgrade = upgrade.protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(Problem::new(&kinds::WEBSOCKET_NEEDED, format!("The subprotocol has to be `{PROTOCOL}`.")));
    }
    let asker = Asker::new(app.clone(), caller, &headers)?;
    Ok(upgrade.on_upgrade(move |socket| async move {
        let (said, peer) = watch::channel(Peer::Unknown(Instant::now() + SAYS_WITHIN));
        let (incoming, messages) = mpsc::channel(MAX_WAITING);
        let gate = Gate { app: app.clone(), sender, places: Arc::new(Semaphore::new(MAX_SUBSCRIPTIONS)) };
        let outgoing = WebSocket::new(gate, ReceiverStream::new(messages), WebSocketProtocols::GraphQLWS)
            .on_connection_init(move |payload| begin(asker, sender, payload, said))
            .map(|message| match message {
                WsMessage::Text(text) => Out::Text(text),
                WsMessage::Close(code, reason) => Out::Close(code, reason),
            });
        socket::run(app, socket, peer, incoming, outgoing).await;
        drop(place);
    }))
}

/// The payload of `connection_init`, all of it optional.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Init {
    /// `Bearer …`, as in the header.
    #[serde(alias = "Authorization")]
    authorization: Option<String>,
    #[serde(rename = "chimera-cart")]
    cart: Option<String>,
}

async fn begin(asker: Asker, sender: Sender, payload: serde_json::Value, said: watch::Sender<Peer>) -> async_graphql::Result<Data> {
    let asker = identify(asker, sender, payload).await.map_err(|problem| async_graphql::Error::from(Fault::from(problem)))?;
    said.send_replace(Peer::Known(asker.caller.clone()));
    let mut data = Data::default();
    data.insert(asker.loaders());
    data.insert(asker);
    Ok(data)
}

async fn identify(mut asker: Asker, sender: Sender, payload: serde_json::Value) -> Result<Asker> {
    let init: Option<Init> = serde_json::from_value(payload).map_err(|error| Problem::new(&kinds::BAD_MESSAGE, format!("{error}.")))?;
    let init = init.unwrap_or_default();
    if let Some(text) = init.authorization {
        let known = Caller::of(&asker.app, &token_of(&text)?).await;
        // Guesses are counted like log-ins.
        let counted = if known.is_err() { Access::Entrance } else { Access::Public };
        rate_limit::count(&asker.app, &sender, counted, known.as_ref().ok()).await?;
        asker.caller = Some(known?);
    }
    if let Some(token) = init.cart {
        let wrong = || Problem::new(&kinds::BAD_MESSAGE, "`chimera-cart` is not the token of a cart.");
        asker = asker.with_guest(Owner::of_token(&token).ok_or_else(wrong)?);
    }
    Ok(asker)
}

/// What each operation of a connection has to pass.
#[derive(Clone)]
struct Gate {
    app: App,
    sender: Sender,
    places: Arc<Semaphore>,
}

impl Gate {
    async fn admit(self, mut request: Request, session: Option<Arc<Data>>) -> Result<BoxStream<'static, Answer>> {
        if check(&mut request)? != Operation::Subscription {
            return Err(Problem::new(&kinds::BAD_QUERY, "Only subscriptions are taken here; POST /api/v1/graphql takes the rest."));
        }
        let session = session.ok_or_else(|| Problem::internal("a connection without `connection_init`"))?;
        let asker = session.get(&TypeId::of::<Asker>()).and_then(|asker| asker.downcast_ref::<Asker>()).cloned();
        let asker = asker.ok_or_else(|| Problem::internal("`connection_init` left nobody"))?;
        rate_limit::count(&self.app, &self.sender, Access::Public, asker.caller.as_ref()).await?;
        let full = |_| Problem::new(&kinds::TOO_MANY_TOPICS, format!("This connection has {MAX_SUBSCRIPTIONS} subscriptions already."));
        let place = self.places.try_acquire_owned().map_err(full)?;
        let answers = SCHEMA.execute_stream_with_session_data(request, session);
        Ok(answers
            .map(move |answer| {
                let _held = &place;
                named(answer)
            })
            .boxed())
    }
}

impl Executor for Gate {
    async fn execute(&self, request: Request) -> Answer {
        let mut answers = self.execute_stream(request, None);
        answers.next().await.unwrap_or_default()
    }

    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, Answer> {
        let admitted = self.clone().admit(request, session);
        let answers = async move { admitted.await.unwrap_or_else(|problem| stream::once(ready(refused(problem))).boxed()) };
        stream::once(answers).flatten().boxed()
    }
}
