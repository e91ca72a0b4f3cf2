//! Profiles and addresses: what an account's owner says of themselves. Everybody sees and changes their own only; administrators
//! see and change profiles of others too.

pub mod address;
pub mod addresses;
pub mod by_id;
pub mod erase;
pub mod export;
pub mod profile;
