//! The HTTP API: routes by noun, each a small file; [`router`] lists them, [`access`] says which are public.

pub mod access;
pub mod assets;
pub mod auth;
pub mod dlq;
pub mod engine;
pub mod events;
pub mod extract;
pub mod feed;
pub mod freshness;
pub mod health;
pub mod images;
pub mod inventory;
mod jobs;
mod limit;
pub mod metrics;
mod middleware;
pub mod openapi;
pub mod orders;
pub mod pipelines;
pub mod problem;
pub mod products;
pub mod router;
pub mod search;
mod serve;
mod sse;
pub mod state;
pub mod stores;
pub mod topics;
pub mod users;
pub mod views;
pub mod visual_search;

pub use access::OperatorToken;
pub use router::router;
pub use serve::serve;
pub use state::{App, Limits, Parts, Stores, WaitError};
pub use stores::status::StoreStatus;
