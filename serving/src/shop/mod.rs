//! The shop's own data: its databases, the sample shop, importers of real data, simulated shoppers, and the check of every derived store.
//!
//! Everything here talks to PostgreSQL, to the log or to the HTTP API; nothing writes a derived store.

pub mod bulk;
pub mod databases;
pub mod icecat;
pub mod online_retail;
pub mod orders;
pub mod roles;
pub mod sample;
pub mod shards;
pub mod simulate;
pub mod verify;

use uuid::Uuid;

/// Under this namespace every id that is made from a name is made, so that a second load meets the rows of the first.
const NAMESPACE: Uuid = Uuid::from_u128(0x6368_696d_6572_6121_8000_7368_6f70_0001);

/// The id of the thing called `name` among things of a `kind`: the same on every machine, every time.
pub fn stable_id(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::new_v5(&NAMESPACE, kind.as_bytes()), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::stable_id;

    #[test]
    fn ids_are_stable_and_kinds_do_not_meet() {
        assert_eq!(stable_id("order", "536365"), stable_id("order", "536365"));
        assert_ne!(stable_id("order", "536365"), stable_id("product", "536365"));
        assert_ne!(stable_id("order", "536365"), stable_id("order", "536366"));
    }
}
