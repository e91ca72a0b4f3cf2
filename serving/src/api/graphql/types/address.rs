//! Addresses of people, and of orders.

use async_graphql::{ID, InputObject, SimpleObject};

use crate::api::graphql::asker::id;
use crate::api::users::address;

/// One of somebody's addresses.
#[derive(SimpleObject)]
pub struct Address {
    id: ID,
    recipient: String,
    address_line1: String,
    address_line2: Option<String>,
    city: String,
    state_province: Option<String>,
    postal_code: String,
    country: String,
    /// `shipping`, `billing`, `home` or `work`.
    address_type: String,
    /// One of each type is.
    is_default: bool,
}

impl From<address::Address> for Address {
    fn from(of: address::Address) -> Self {
        Self {
            id: id(of.id),
            recipient: of.recipient,
            address_line1: of.address_line_1,
            address_line2: of.address_line_2,
            city: of.city,
            state_province: of.state_province,
            postal_code: of.postal_code,
            country: of.country,
            address_type: of.address_type.name().to_owned(),
            is_default: of.is_default,
        }
    }
}

/// Where something is sent.
#[derive(SimpleObject)]
pub struct PostalAddress {
    recipient: String,
    address_line1: String,
    address_line2: Option<String>,
    city: String,
    state_province: Option<String>,
    postal_code: String,
    country: String,
}

impl From<address::PostalAddress> for PostalAddress {
    fn from(of: address::PostalAddress) -> Self {
        Self {
            recipient: of.recipient,
            address_line1: of.address_line_1,
            address_line2: of.address_line_2,
            city: of.city,
            state_province: of.state_province,
            postal_code: of.postal_code,
            country: of.country,
        }
    }
}

/// Where something is to be sent.
#[derive(InputObject)]
pub struct PostalAddressInput {
    recipient: String,
    address_line1: String,
    address_line2: Option<String>,
    city: String,
    state_province: Option<String>,
    postal_code: String,
    country: String,
}

impl From<PostalAddressInput> for address::PostalAddress {
    fn from(given: PostalAddressInput) -> Self {
        Self {
            recipient: given.recipient,
            address_line_1: given.address_line1,
            address_line_2: given.address_line2,
            city: given.city,
            state_province: given.state_province,
            postal_code: given.postal_code,
            country: given.country,
        }
    }
}
