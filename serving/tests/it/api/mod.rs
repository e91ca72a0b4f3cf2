//! The HTTP API, served on a port of its own over PostgreSQL, Redis, the embedded log and the sinks' own stores.

mod access;
mod auth;
mod carts;
mod catalog;
mod checkout;
mod events;
mod experiments;
mod flags;
mod freshness;
mod inventory;
mod notifications;
mod orders;
mod owners;
mod pages;
mod pictures;
mod pricing;
mod problems;
mod rates;
mod reads;
mod roles;
mod server;
mod stores;
mod streams;
mod topics;
mod users;
