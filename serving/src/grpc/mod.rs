//! gRPC, for programs of the shop's: [`proto`] says what there is to ask. Health and reflection are there too, for whoever watches and looks.

mod discounts;
mod serve;
mod status;
pub mod tls;

pub use serve::{Error, serve};

/// Generated from `proto/pricing.proto`.
#[allow(clippy::all, clippy::pedantic)]
pub mod proto {
    tonic::include_proto!("pricing");

    /// The description itself, as reflection tells it.
    pub const DESCRIPTOR: &[u8] = tonic::include_file_descriptor_set!("pricing");
}
