//! Chimera on the network and at the command line: the HTTP API, gRPC, the commands of the binary, and the shop's own data.

pub mod api;
pub mod audit;
pub mod commands;
pub mod grpc;
pub mod pg;
pub mod shop;
pub mod simulated_provider;
