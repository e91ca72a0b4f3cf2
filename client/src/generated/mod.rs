//! Made from serving/openapi.json by `cargo run -p xtask -- client`. Do not edit.
#![allow(clippy::doc_lazy_continuation, clippy::too_many_arguments)]

mod accounts;
mod auth;
mod cart;
mod catalog;
mod checkout;
mod events;
mod experiments;
mod flags;
mod graphql;
mod inventory;
mod meta;
mod notifications;
mod operations;
mod orders;
mod payments;
mod pricing;
mod products;
mod recommendations;
mod search;
pub mod types;
mod users;
mod views;
