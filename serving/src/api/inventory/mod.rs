//! Stock: what there is of each article, what came in, what was written off, and where it lies.
//!
//! What is available is counted by the `inventory` pipeline ([`get`]). Everything else here writes *movements* into the database `inventory`,
//! from which the pipeline counts: [`receipts`], [`adjustments`], [`transfers`] and [`counts`], each once a key ([`booking`]). Units that go
//! may have been promised to orders, in another database: [`write_off`] says how both agree.
//!
//! Each warehouse has books of its own ([`levels`]), which never go below zero. Sales do not know warehouses yet: what the books of a warehouse
//! hold are its receipts, adjustments and transfers, and units that were sold out of it are still in them. A count takes off those that
//! were sent.

pub mod adjustments;
pub mod booking;
pub mod counts;
pub mod get;
pub mod levels;
pub mod movement;
pub mod movements;
pub mod receipts;
pub mod reorder_point;
pub mod sku;
pub mod transfers;
pub mod warehouses;
pub mod write_off;
