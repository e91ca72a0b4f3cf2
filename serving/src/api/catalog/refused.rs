//! What the schema refuses, as problems.

use crate::api::extract::invalid;
use crate::api::problem::{Problem, kinds};

/// Of a row that was written.
pub fn refused(error: sqlx::Error) -> Problem {
    match error.as_database_error().and_then(|cause| cause.constraint()) {
        Some("categories_name_key") => Problem::new(&kinds::NAME_TAKEN, "Another category has this name."),
        Some("brands_name_key") => Problem::new(&kinds::NAME_TAKEN, "Another brand has this name."),
        Some("products_category_id_fkey") => invalid("category_id", "there is no such category"),
        Some("products_brand_id_fkey") => invalid("brand_id", "there is no such brand"),
        Some("categories_parent_id_fkey") => invalid("parent_id", "there is no such category"),
        _ => error.into(),
    }
}

/// Of a row that was to be removed, and that others name.
pub fn still_in_use(error: sqlx::Error, what: &str) -> Problem {
    match error.as_database_error() {
        Some(cause) if cause.is_foreign_key_violation() => Problem::new(&kinds::STILL_IN_USE, format!("{what} still names it.")),
        _ => error.into(),
    }
}
