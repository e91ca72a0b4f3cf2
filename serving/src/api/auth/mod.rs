//! Accounts: who somebody is, how they prove it, and for how long that holds.
//!
//! A log-in opens a session. Its access token is a JWT of ten minutes that anyone can check against the published keys; its refresh token is
//! opaque, good once, and brings the next pair. Every request checks that its session still stands, in Redis, and in the database when Redis
//! does not know: so ending a session ends it at once, not when the token runs out.

pub mod account;
pub mod accounts;
pub mod api_keys;
pub mod attempts;
pub mod email;
pub mod key_ring;
pub mod log_in;
pub mod log_out;
pub mod one_time;
pub mod outbox;
pub mod password;
pub mod passwords;
pub mod refresh;
pub mod register;
pub mod second_factor;
pub mod secrets;
pub mod session_list;
pub mod sessions;
pub mod state;
pub mod tokens;
pub mod totp;
pub mod vault;
pub mod verify_email;
pub mod well_known;

pub use state::Auth;
pub use vault::Vault;
