//! Profiles and addresses: what an account's owner says of themselves. Everybody sees and changes their own only.

pub mod address;
pub mod addresses;
pub mod erase;
pub mod export;
pub mod profile;
