//! What a shopper says when buying, and what is kept of it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::email::Email;
use crate::api::extract::{Body, Faults};
use crate::api::pricing::{Quote, ShippingMethod};
use crate::api::problem::Result;
use crate::api::users::address::PostalAddress;

const MAX_COUPONS: usize = 10;

/// Buys what is in the cart. Prices are not part of it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCheckout {
    /// Where the confirmation goes; needed of guests, others have that of their account.
    #[schema(max_length = 254, example = "ada@example.com")]
    pub email: Option<String>,
    /// Left out: one's default address for shipping.
    pub shipping_address: Option<PostalAddress>,
    /// In its place: one of one's addresses.
    pub shipping_address_id: Option<Uuid>,
    /// Left out: the same.
    pub billing_address: Option<PostalAddress>,
    #[serde(default)]
    #[schema(max_items = 10)]
    pub coupons: Vec<String>,
    #[serde(default)]
    pub shipping_method: ShippingMethod,
    /// What the payment provider gave for the card. The simulated one takes `tok_visa`, `tok_declined` and others.
    #[schema(min_length = 1, max_length = 200, example = "tok_visa")]
    pub payment_token: String,
    /// What the shopper was shown. Never believed: if it is not what the server computes, nothing is bought.
    pub total_cents: Option<i64>,
}

impl Body for NewCheckout {
    const MAX_BYTES: usize = 16 * 1024;
    const UNKNOWN_FIELD_HELP: Option<&'static str> = Some("What is bought is what is in the cart; prices come from the catalogue.");
}

impl NewCheckout {
    /// Checks every bound and lists all that is wrong.
    pub fn check(&self, is_guest: bool) -> Result<()> {
        let mut faults = Faults::default();
        match &self.email {
            Some(address) => {
                if let Err(message) = Email::parse(address) {
                    faults.add("email", message);
                }
            }
            None if is_guest => faults.add("email", "a guest says where the confirmation goes"),
            None => {}
        }
        match (&self.shipping_address, self.shipping_address_id) {
            (Some(_), Some(_)) => faults.add("shipping_address_id", "there is a `shipping_address` too; send one of them"),
            (Some(address), None) => address.check("shipping_address.", &mut faults),
            (None, Some(_)) if is_guest => faults.add("shipping_address_id", "a guest has no addresses; send `shipping_address`"),
            (None, None) if is_guest => faults.add("shipping_address", "a guest says where it goes"),
            (None, _) => {}
        }
        if let Some(address) = &self.billing_address {
            address.check("billing_address.", &mut faults);
        }
        faults.unless(self.coupons.len() <= MAX_COUPONS, "coupons", "at most 10 are taken");
        for (i, coupon) in self.coupons.iter().enumerate().take(MAX_COUPONS) {
            faults.text(&format!("coupons[{i}]"), coupon, 64);
        }
        faults.text("payment_token", &self.payment_token, 200);
        faults.check()
    }

    /// Two requests with the same hash want the same.
    pub fn hash(&self) -> Result<[u8; 32]> {
        Ok(*blake3::hash(&serde_json::to_vec(self)?).as_bytes())
    }
}

/// What the order is made of, as it was when the shopper bought.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Details {
    pub email: Option<String>,
    pub shipping: PostalAddress,
    pub billing: PostalAddress,
    pub quote: Quote,
}
