//! Feature flags: what each is, what it is for whom, and the OpenFeature protocol over them.

pub mod archive;
pub mod cache;
pub mod changes;
pub mod check;
pub mod context;
pub mod create;
pub mod definition;
pub mod evaluate;
pub mod get;
pub mod list;
pub mod ofrep;
pub mod put;
pub mod semver;
pub mod store;

pub use cache::Flags;
