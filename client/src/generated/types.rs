//! What is sent and answered.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::query::Pairs;

/// An account, without its secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    pub created_at: DateTime<Utc>,
    /// Nobody comes in with it while this is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<DateTime<Utc>>,
    pub email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<DateTime<Utc>>,
    pub role: Role,
    /// Since when a code is asked for at log-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp_enabled_at: Option<DateTime<Utc>>,
    pub user_id: Uuid,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountChange {
    /// Switched off, nobody comes in with it, and its sessions end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Accounts {
    /// In the order in which they were opened.
    pub accounts: Vec<Account>,
    /// For `after`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Address {
    pub address_line_1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_line_2: Option<String>,
    pub address_type: AddressType,
    pub city: String,
    pub country: String,
    pub created_at: DateTime<Utc>,
    pub id: Uuid,
    /// One of each type is.
    pub is_default: bool,
    pub postal_code: String,
    pub recipient: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_province: Option<String>,
    pub updated_at: DateTime<Utc>,
}

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AddressType {
    #[serde(rename = "shipping")]
    Shipping,
    #[serde(rename = "billing")]
    Billing,
    #[serde(rename = "home")]
    Home,
    #[serde(rename = "work")]
    Work,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Addresses {
    /// By type, the default first.
    pub addresses: Vec<Address>,
}

/// Why the books are adjusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AdjustmentReason {
    #[serde(rename = "damaged")]
    Damaged,
    #[serde(rename = "expired")]
    Expired,
    #[serde(rename = "lost")]
    Lost,
    #[serde(rename = "stolen")]
    Stolen,
    #[serde(rename = "returned_to_supplier")]
    ReturnedToSupplier,
    #[serde(rename = "found")]
    Found,
    #[serde(rename = "correction")]
    Correction,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub created_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    pub key_id: Uuid,
    /// To ten minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<DateTime<Utc>>,
    pub name: String,
    pub read_only: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiKeys {
    pub api_keys: Vec<ApiKey>,
}

/// A change of a row, as it was committed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditChange {
    /// The row as it is then; `null`: it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Map<String, Value>>,
    /// The row as it was; `null`: there was none. Of accounts and people only the key is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<DateTime<Utc>>,
    /// Its place in the log of the table's changes.
    pub offset: i64,
    /// `c` created, `u` updated, `d` deleted, `r` there already when capture began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// What tells the row from the others of its table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// The table.
    pub topic: String,
    /// The same for all changes that were committed together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditTrail {
    /// The newest first.
    pub changes: Vec<AuditChange>,
    /// For `before`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Brand {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub id: Uuid,
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BrandFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Brands {
    /// By name; those with products on sale.
    pub brands: Vec<Brand>,
    /// For `after`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cancellation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A cart, with what the catalogue says now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cart {
    /// In which most of the items are priced. `null`: nothing in the cart is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Once, to a guest whose first article this is: send it as `chimera-cart` from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_token: Option<String>,
    /// `null`: nothing was ever put into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Whether all of it can be ordered as it is, as far as is known.
    pub is_ready: bool,
    /// In the order of their SKUs.
    pub items: Vec<CartItem>,
    /// Of those items that are offered in `currency`, at today's prices, before discounts, shipping and tax.
    pub subtotal_cents: i64,
    /// Units of all items.
    pub total_items: i64,
    /// Counts the changes.
    pub version: i64,
}

/// What a cart holds at a version of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CartContents {
    pub id: Uuid,
    /// In the order of their SKUs.
    pub lines: Vec<CartLine>,
    /// Counts the changes.
    pub version: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CartItem {
    /// Units of this SKU that can be ordered. `null`: the shop's stores do not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<CartObstacle>,
    /// Of a variant too it is the product's, as are the name and the picture. `null`: the catalogue offers it no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<Uuid>,
    pub quantity: i64,
    pub sku: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_cents: Option<i64>,
    /// `null`: the catalogue offers it no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price_cents: Option<i64>,
    /// If it has changed since the article was last put in: what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_unit_price_cents: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CartItemQuantity {
    pub quantity: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CartLine {
    pub currency: String,
    /// What it cost when the shopper last put it in. Not what it costs.
    pub price_cents: i64,
    pub quantity: i64,
    pub sku: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CartMerge {
    /// Of the cart that one had before logging in.
    pub guest_token: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CartObstacle {
    #[serde(rename = "not_offered")]
    NotOffered,
    #[serde(rename = "not_enough_stock")]
    NotEnoughStock,
    #[serde(rename = "other_currency")]
    OtherCurrency,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogBrand {
    pub created_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub id: Uuid,
    pub name: String,
    pub updated_at: DateTime<Utc>,
    /// What its ETag carries.
    pub version: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogBrands {
    /// By id.
    pub brands: Vec<CatalogBrand>,
    /// For `after`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogCategories {
    /// By id. GET /api/v1/categories shows the tree.
    pub categories: Vec<CatalogCategory>,
    /// For `after`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogCategory {
    pub created_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub id: Uuid,
    pub name: String,
    /// `null`: it stands at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
    pub updated_at: DateTime<Utc>,
    /// What its ETag carries.
    pub version: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogPicture {
    pub created_at: DateTime<Utc>,
    pub id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub large_height_px: Option<i64>,
    /// Of the large rendition; `null`: there is only the preview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub large_width_px: Option<i64>,
    /// 0 is the picture that stands for the product.
    pub position: i64,
    /// Where it is, relative to the server; `?size=preview` for the small one.
    pub url: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogPictures {
    /// In their order.
    pub images: Vec<CatalogPicture>,
    /// The product's: what the ETag carries.
    pub version: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogProduct {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub id: Uuid,
    /// Only active products are shown and sold.
    pub is_active: bool,
    pub name: String,
    /// In hundredths of the currency.
    pub price_cents: i64,
    pub sku: String,
    pub updated_at: DateTime<Utc>,
    /// What its ETag carries.
    pub version: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogProducts {
    /// For `after`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
    /// By id: those that were made here in the order in which they were made.
    pub products: Vec<CatalogProduct>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogVariant {
    /// Such as `{"colour": "red"}`.
    pub attributes: Map<String, Value>,
    pub created_at: DateTime<Utc>,
    pub id: Uuid,
    /// `null`: the product's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_cents: Option<i64>,
    pub product_id: Uuid,
    pub sku: String,
    pub updated_at: DateTime<Utc>,
    /// What its ETag carries.
    pub version: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogVariants {
    /// By SKU.
    pub variants: Vec<CatalogVariant>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CategoryFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// No other category's, and without `>`.
    pub name: String,
    /// `null`: at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Uuid>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CategoryNode {
    /// Those that stand directly below it, by name.
    pub children: Vec<CategoryNode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub id: Uuid,
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CategoryTree {
    /// Those at the top, by name.
    pub categories: Vec<CategoryNode>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangedOrder {
    #[serde(flatten)]
    pub order: Order,
    /// Pass it as `after` to reads that have to include this.
    pub position: String,
}

/// The way by which a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Channel {
    #[serde(rename = "email")]
    Email,
    #[serde(rename = "webhook")]
    Webhook,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub ok: bool,
}

/// How far a purchase is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckoutResponse {
    pub created_at: DateTime<Utc>,
    /// Until then the articles are held for it.
    pub expires_at: DateTime<Utc>,
    pub id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Pass it as `after` to reads that have to include the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    pub quote: Quote,
    pub status: Progress,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The six digits that the telephone shows.
    pub code: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coupon {
    pub code: String,
    pub created_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_redemptions: Option<i64>,
    pub used_count: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coupons {
    /// By code.
    pub coupons: Vec<Coupon>,
    /// For `after`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Decision {
    #[serde(rename = "received")]
    Received,
    #[serde(rename = "refused")]
    Refused,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Deliveries {
    /// For `before`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
    /// Newest first.
    pub notifications: Vec<Delivery>,
}

/// A message to somebody, without what it says: that may hold secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    pub attempts: i64,
    pub channel: Channel,
    pub created_at: DateTime<Utc>,
    /// Of the last attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub id: Uuid,
    /// An address or a URL; empty: erased.
    pub recipient: String,
    pub status: DeliveryStatus,
    pub topic: String,
    pub updated_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<Uuid>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeliveryStatus {
    #[serde(rename = "sending")]
    Sending,
    #[serde(rename = "waiting")]
    Waiting,
    #[serde(rename = "sent")]
    Sent,
    #[serde(rename = "dead")]
    Dead,
    #[serde(rename = "dropped")]
    Dropped,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

/// Where a basket goes to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// By its name; case does not matter.
    pub country: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_province: Option<String>,
}

/// Another text of the pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DiffRequest {
    pub sql: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DiffResponse {
    /// Whether the pipeline, and all of its stores, would be built anew.
    pub is_rebuilt: bool,
    /// The lines of both plans, with `- ` before those that go and `+ ` before those that come.
    pub plan: Vec<String>,
    /// Each with `store` and `change`: `added`, `removed`, `changed` (computed in another way) or `same`.
    pub stores: Vec<Map<String, Value>>,
}

/// What a promotion takes off: of one line, or without `sku` of all that it is for, or of shipping.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Discount {
    pub amount_cents: i64,
    /// The one that brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    pub name: String,
    pub promotion_id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
}

/// Who gives tokens and where the keys are, as OpenID Connect Discovery 1.0 has it; no endpoints of a flow, since nobody is sent here to log in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Discovery {
    pub claims_supported: Vec<String>,
    /// By which all tokens of this server are signed.
    pub id_token_signing_alg_values_supported: Vec<String>,
    pub issuer: String,
    pub jwks_uri: String,
    /// `none` (OAuth 2.0 Multiple Response Types): there is nothing to authorize, tokens come with a log-in.
    pub response_types_supported: Vec<String>,
    /// An account has one `sub` for everybody.
    pub subject_types_supported: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Erasure {
    /// Of the account: a device that was left open is not enough.
    pub password: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventsResponse {
    pub accepted: i64,
    /// Pass it as `after` to reads that have to include these events.
    pub position: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentComparison {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion_difference: Option<ExperimentInterval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revenue_difference: Option<ExperimentInterval>,
    /// Of the difference in conversion. Good however often one looks: whoever stops when it is at or below 0.05 is misled in 5 % of the
    /// experiments at most. With several variants, compare it with 0.05 divided by the number of comparisons.
    pub sequential_p_value: f64,
}

/// Whom no rule of the flag decides takes part. Who is in none of the shares gets the flag's default variant, and does not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentDesign {
    /// The variant that the others are compared with.
    pub control: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub flag_key: String,
    /// By variant of the flag, in basis points (hundredths of a percent); they sum up to 10000 at most. At least two.
    pub shares: BTreeMap<String, i64>,
    /// Somebody converts who orders within so many days after they were first exposed.
    pub window_days: i64,
}

/// An estimate, and what it may well be: 95 % of such intervals hold the true value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentInterval {
    pub estimate: f64,
    pub high: f64,
    pub low: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentList {
    /// By key.
    pub experiments: Vec<ExperimentRecord>,
    /// For `after`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An experiment as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentRecord {
    pub control: String,
    pub created_at: DateTime<Utc>,
    /// The account; `null`: who runs the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub flag_key: String,
    pub key: String,
    pub shares: BTreeMap<String, i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    pub status: ExperimentStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
    /// The `ETag`.
    pub version: i64,
    pub window_days: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentResults {
    pub experiment: ExperimentRecord,
    /// That is below 0.001: something is wrong with who is counted, and nothing can be concluded from the rest.
    pub is_sample_ratio_suspicious: bool,
    pub meta: Meta,
    /// How likely the numbers of subjects are, given the shares; `null` before there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_ratio_p_value: Option<f64>,
    /// The control first, then by name.
    pub variants: Vec<ExperimentVariant>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExperimentResultsQuery {
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl ExperimentResultsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("after", &self.after).with("wait_ms", &self.wait_ms)
    }
}

/// Where an experiment is on its way; there is no way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExperimentStatus {
    #[serde(rename = "draft")]
    Draft,
    #[serde(rename = "running")]
    Running,
    #[serde(rename = "stopped")]
    Stopped,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

/// Intervals are of 95 %.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperimentVariant {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<ExperimentInterval>,
    /// Of them those who ordered within their window.
    pub converted: i64,
    pub is_control: bool,
    pub orders: i64,
    /// Of those orders, in units of their currencies. What was taken back is not taken off.
    pub revenue: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revenue_per_subject: Option<ExperimentInterval>,
    pub share_bp: i64,
    /// Those who were exposed, each once.
    pub subjects: i64,
    pub variant: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versus_control: Option<ExperimentComparison>,
}

/// What is kept about a person, but for hashes and seeds, and sessions that are over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Export {
    pub account: Account,
    pub addresses: Vec<Address>,
    pub api_keys: Vec<ApiKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart: Option<CartContents>,
    pub exported_at: DateTime<Utc>,
    /// To the account's address, of the last 90 days. Those about orders only once it is verified: they may be another person's.
    pub letters: Vec<Letter>,
    /// Newest first.
    pub orders: Vec<Order>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Where the account is logged in.
    pub sessions: Vec<Session>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facet {
    pub count: i64,
    pub value: String,
}

/// How many of the hits have which brand and category, as if that one had not been chosen; the most frequent first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facets {
    pub brand: Vec<Facet>,
    pub category: Vec<Facet>,
}

/// A line that was not taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Of the file, from 1.
    pub line: i64,
    /// What is wrong with it.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedItem {
    #[serde(flatten)]
    pub product: Product,
    pub reason: FeedReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FeedReason {
    #[serde(rename = "because_you_viewed")]
    BecauseYouViewed,
    #[serde(rename = "trending")]
    Trending,
    #[serde(rename = "popular")]
    Popular,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeedResponse {
    pub items: Vec<FeedItem>,
    pub meta: Meta,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagChange {
    /// `created`, `changed` or `archived`.
    pub action: String,
    /// The definition that the change replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Map<String, Value>>,
    pub changed_at: DateTime<Utc>,
    /// The account; `null`: who runs the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<Uuid>,
    /// Of the flag after the change.
    pub version: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagChanges {
    /// The newest first.
    pub changes: Vec<FlagChange>,
    /// For `before`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// A comparison of an attribute of the context. One that the context does not have meets no condition but `exists` with `false`, and neither
/// does one of another type than the comparison is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlagCondition {
    pub attribute: String,
    pub op: FlagOperator,
    /// A list for `in` and `not_in`, true or false for `exists`, a number for `gt` and its kin, a version for `semver_…`, else what the
    /// attribute is compared with.
    pub value: Map<String, Value>,
}

/// A flag: rules are tried in order, the first whose conditions all hold decides, and if none does the default variant is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlagDefinition {
    pub default_variant: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub is_enabled: bool,
    /// Clients that are not the shop's own programs (roles `service` and `admin`) are told that there is no such flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_server_only: Option<bool>,
    /// Served while the flag is not enabled.
    pub off_variant: String,
    /// At most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<FlagRule>>,
    pub r#type: FlagType,
    /// Values by name, 1 to 20; all of the flag's type.
    pub variants: Map<String, Value>,
}

/// The protocol's error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FlagErrorCode {
    #[serde(rename = "PARSE_ERROR")]
    PARSEERROR,
    #[serde(rename = "INVALID_CONTEXT")]
    INVALIDCONTEXT,
    #[serde(rename = "TARGETING_KEY_MISSING")]
    TARGETINGKEYMISSING,
    #[serde(rename = "FLAG_NOT_FOUND")]
    FLAGNOTFOUND,
    #[serde(rename = "GENERAL")]
    GENERAL,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

/// One of many flags: each may fail by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FlagEvaluation {
    FlagSuccess(FlagSuccess),
    FlagFailure(FlagFailure),
}

/// For whom flags are evaluated. What the protocol may add beside it later is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagEvaluationRequest {
    /// `targetingKey`, and at most 64 attributes that rules compare. `customer_id` of who has logged in is their account's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagEvaluations {
    /// By key.
    pub flags: Vec<FlagEvaluation>,
}

/// Why there is no value. Programs take their own default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlagFailure {
    #[serde(rename = "errorCode")]
    pub error_code: FlagErrorCode,
    #[serde(rename = "errorDetails")]
    pub error_details: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagList {
    /// By key.
    pub flags: Vec<FlagRecord>,
    /// For `after`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagMetadata {
    /// The experiment that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// Of the flag.
    pub version: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FlagOperator {
    #[serde(rename = "eq")]
    Eq,
    #[serde(rename = "in")]
    In,
    #[serde(rename = "not_in")]
    NotIn,
    #[serde(rename = "prefix")]
    Prefix,
    #[serde(rename = "suffix")]
    Suffix,
    #[serde(rename = "contains")]
    Contains,
    #[serde(rename = "exists")]
    Exists,
    #[serde(rename = "gt")]
    Gt,
    #[serde(rename = "gte")]
    Gte,
    #[serde(rename = "lt")]
    Lt,
    #[serde(rename = "lte")]
    Lte,
    #[serde(rename = "semver_eq")]
    SemverEq,
    #[serde(rename = "semver_gt")]
    SemverGt,
    #[serde(rename = "semver_gte")]
    SemverGte,
    #[serde(rename = "semver_lt")]
    SemverLt,
    #[serde(rename = "semver_lte")]
    SemverLte,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

/// Why somebody gets a variant, in the words of OpenFeature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FlagReason {
    #[serde(rename = "STATIC")]
    STATIC,
    #[serde(rename = "DEFAULT")]
    DEFAULT,
    #[serde(rename = "TARGETING_MATCH")]
    TARGETINGMATCH,
    #[serde(rename = "SPLIT")]
    SPLIT,
    #[serde(rename = "DISABLED")]
    DISABLED,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

/// A flag as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlagRecord {
    /// Not evaluated since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub definition: FlagDefinition,
    pub key: String,
    pub updated_at: DateTime<Utc>,
    /// The `ETag`.
    pub version: i64,
}

/// What is served to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlagRule {
    /// All have to hold; at most 20. Without any, the rule is for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<FlagCondition>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub serve: FlagServe,
}

/// One variant, or a split over several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FlagServe {
    FlagServe0(FlagServe0),
    /// Shares by variant, in basis points (hundredths of a percent); they sum up to 10000 at most. Who is in none of them gets the default
    /// variant.
    FlagServe1(FlagServe1),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagServe0 {
    pub variant: String,
}

/// Shares by variant, in basis points (hundredths of a percent); they sum up to 10000 at most. Who is in none of them gets the default
/// variant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagServe1 {
    /// Shares by variant, in basis points (hundredths of a percent); they sum up to 10000 at most. Who is in none of them gets the default
    /// variant.
    pub split: BTreeMap<String, i64>,
}

/// What a flag is for somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlagSuccess {
    pub key: String,
    pub metadata: FlagMetadata,
    pub reason: FlagReason,
    /// Of the flag's type.
    pub value: Value,
    pub variant: String,
}

/// What the values of a flag are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FlagType {
    #[serde(rename = "boolean")]
    Boolean,
    #[serde(rename = "string")]
    String,
    #[serde(rename = "integer")]
    Integer,
    #[serde(rename = "number")]
    Number,
    #[serde(rename = "object")]
    Object,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forgotten {
    pub email: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetBrandsQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// 1 to 100; 100 if not given.
    pub limit: Option<i64>,
}

impl GetBrandsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("after", &self.after).with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetFeedQuery {
    /// The session in whose name events were sent; without one the feed is everyone's.
    pub session_id: Option<String>,
    /// How many items, 1 to 50; 20 if not given.
    pub limit: Option<i64>,
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl GetFeedQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default()
            .with("session_id", &self.session_id)
            .with("limit", &self.limit)
            .with("after", &self.after)
            .with("wait_ms", &self.wait_ms)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetImageQuery {
    /// `large` if there is one, else what there is.
    pub size: Option<GetImageQuerySize>,
}

impl GetImageQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("size", &self.size)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GetImageQuerySize {
    #[serde(rename = "preview")]
    Preview,
    #[serde(rename = "large")]
    Large,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetOrderQuery {
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl GetOrderQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("after", &self.after).with("wait_ms", &self.wait_ms)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetProductQuery {
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl GetProductQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("after", &self.after).with("wait_ms", &self.wait_ms)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetStockQuery {
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl GetStockQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("after", &self.after).with("wait_ms", &self.wait_ms)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetViewQuery {
    /// How many rows, 1 to 10000; 100 if not given.
    pub limit: Option<i64>,
    /// By the primary key: `asc` (also if not given) or `desc`.
    pub order: Option<GetViewQueryOrder>,
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl GetViewQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("limit", &self.limit).with("order", &self.order).with("after", &self.after).with("wait_ms", &self.wait_ms)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GetViewQueryOrder {
    #[serde(rename = "asc")]
    Asc,
    #[serde(rename = "desc")]
    Desc,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GraphResponse {
    /// Pairs of ids: the one that is read, the one that reads it.
    pub edges: Vec<Vec<String>>,
    /// Each with `id`, `kind` (`source`, `operator` or `store`), `label`, and `keeps`: what it keeps, and what that grows with.
    pub nodes: Vec<Map<String, Value>>,
}

/// The answer to a GraphQL request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GraphqlAnswer {
    /// What was asked for; null if nothing could be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Map<String, Value>>,
    /// Each with the members of a problem document in `extensions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<Map<String, Value>>>,
}

/// One query or mutation. Several in one request are not taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GraphqlRequest {
    /// Not looked at; some clients send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Map<String, Value>>,
    /// Which to run, if there are several in `query`.
    #[serde(rename = "operationName", default, skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    pub query: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    pub checks: Vec<Check>,
    /// `ok` or `failing`.
    pub status: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportProductsQuery {
    /// Writes nothing, and says what would have come of it.
    pub dry_run: Option<bool>,
}

impl ImportProductsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("dry_run", &self.dry_run)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportReport {
    pub brands_created: i64,
    pub categories_created: i64,
    /// Products and variants that are new.
    pub created: i64,
    /// Nothing was written: this is what would have come of it.
    pub dry_run: bool,
    /// Lines that were not taken.
    pub failed: i64,
    /// In the order of the file, 10000 at most.
    pub faults: Vec<Fault>,
    /// Those that were read, without empty ones and the one that names the columns.
    pub lines: i64,
    /// Those that were as the file has them.
    pub unchanged: i64,
    /// Those that were changed.
    pub updated: i64,
}

/// An Ed25519 key (RFC 8037).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Jwk {
    pub alg: String,
    pub crv: String,
    pub kid: String,
    pub kty: String,
    pub r#use: String,
    pub x: String,
}

/// A set of keys as RFC 7517 has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    #[serde(rename = "view")]
    View,
    #[serde(rename = "click")]
    Click,
    #[serde(rename = "add_to_cart")]
    AddToCart,
    #[serde(rename = "search")]
    Search,
    #[serde(rename = "purchase")]
    Purchase,
}

/// A letter, as whom it was written to sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    pub created_at: DateTime<Utc>,
    pub status: DeliveryStatus,
    pub topic: String,
    pub updated_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LettersResponse {
    /// Each with its `position` (by which it is replayed), where its record stands, and why it could not be taken.
    pub letters: Vec<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub line_no: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of the whole line, after discounts and with tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_cents: Option<i64>,
    pub quantity: i64,
    /// Units that came back, or were cancelled.
    pub returned: i64,
    /// Units that are on their way or there.
    pub shipped: i64,
    pub sku: String,
    /// In units of the currency, as the catalogue had it.
    pub unit_price: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListAccountsQuery {
    /// Part of an address.
    pub email: Option<String>,
    pub role: Option<Role>,
    /// The `next` of the page before.
    pub after: Option<Uuid>,
    /// At most 200; 50 if not given.
    pub limit: Option<i64>,
}

impl ListAccountsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("email", &self.email).with("role", &self.role).with("after", &self.after).with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListAuditQuery {
    /// Only changes of this table, such as `catalog.public.products`.
    pub topic: Option<String>,
    /// Only changes of the row with this key, and of rows whose keys begin with it: an order's id finds its lines.
    pub row: Option<String>,
    /// Only changes of this transaction.
    pub transaction: Option<String>,
    /// Only changes committed at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only changes committed before this time.
    pub until: Option<DateTime<Utc>>,
    /// The `next` of the page before.
    pub before: Option<String>,
    /// 1 to 200; 50 if not given.
    pub limit: Option<i64>,
}

impl ListAuditQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default()
            .with("topic", &self.topic)
            .with("row", &self.row)
            .with("transaction", &self.transaction)
            .with("since", &self.since)
            .with("until", &self.until)
            .with("before", &self.before)
            .with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListCatalogBrandsQuery {
    /// The `next` of the page before.
    pub after: Option<Uuid>,
    /// 1 to 100; 50 if not given.
    pub limit: Option<i64>,
}

impl ListCatalogBrandsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("after", &self.after).with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListCatalogCategoriesQuery {
    /// Those that stand directly below this one.
    pub parent_id: Option<Uuid>,
    /// The `next` of the page before.
    pub after: Option<Uuid>,
    /// 1 to 100; 50 if not given.
    pub limit: Option<i64>,
}

impl ListCatalogCategoriesQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("parent_id", &self.parent_id).with("after", &self.after).with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListCatalogProductsQuery {
    /// A part of the name, or a whole SKU.
    pub q: Option<String>,
    pub category_id: Option<Uuid>,
    pub brand_id: Option<Uuid>,
    pub is_active: Option<bool>,
    /// The `next` of the page before.
    pub after: Option<Uuid>,
    /// 1 to 100; 50 if not given.
    pub limit: Option<i64>,
}

impl ListCatalogProductsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default()
            .with("q", &self.q)
            .with("category_id", &self.category_id)
            .with("brand_id", &self.brand_id)
            .with("is_active", &self.is_active)
            .with("after", &self.after)
            .with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListChangesQuery {
    /// The `next` of the page before.
    pub before: Option<i64>,
    /// At most 100; 20 if not given.
    pub limit: Option<i64>,
}

impl ListChangesQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("before", &self.before).with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListCouponsQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// At most 100; 50 if not given.
    pub limit: Option<i64>,
}

impl ListCouponsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("after", &self.after).with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListExperimentsQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    pub status: Option<ListExperimentsQueryStatus>,
    /// Of this flag only.
    pub flag_key: Option<String>,
    /// At most 100; 50 if not given.
    pub limit: Option<i64>,
}

impl ListExperimentsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("after", &self.after).with("status", &self.status).with("flag_key", &self.flag_key).with("limit", &self.limit)
    }
}

/// Where an experiment is on its way; there is no way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ListExperimentsQueryStatus {
    #[serde(rename = "draft")]
    Draft,
    #[serde(rename = "running")]
    Running,
    #[serde(rename = "stopped")]
    Stopped,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListFlagsQuery {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// At most 100; 50 if not given.
    pub limit: Option<i64>,
    /// Whether those that are archived are listed too; not, if not given.
    pub include_archived: Option<bool>,
}

impl ListFlagsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("after", &self.after).with("limit", &self.limit).with("include_archived", &self.include_archived)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListLettersQuery {
    /// The letter to begin with; 0 if not given.
    pub from: Option<i64>,
    /// How many letters, 1 to 1000; 100 if not given.
    pub limit: Option<i64>,
}

impl ListLettersQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("from", &self.from).with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListMovementsQuery {
    /// The `next` of the page before.
    pub before: Option<Uuid>,
    /// 1 to 100; 50 if not given.
    pub limit: Option<i64>,
}

impl ListMovementsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("before", &self.before).with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListNotificationsQuery {
    pub status: Option<DeliveryStatus>,
    pub channel: Option<Channel>,
    /// Such as `order.shipped`.
    pub topic: Option<String>,
    /// An address or a URL, whole.
    pub recipient: Option<String>,
    /// The `next` of the page before.
    pub before: Option<Uuid>,
    /// 1 to 200; 50 if not given.
    pub limit: Option<i64>,
}

impl ListNotificationsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default()
            .with("status", &self.status)
            .with("channel", &self.channel)
            .with("topic", &self.topic)
            .with("recipient", &self.recipient)
            .with("before", &self.before)
            .with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOrdersQuery {
    /// Only those of this status.
    pub status: Option<Status>,
    /// For the shop's people: only this customer's.
    pub customer_id: Option<String>,
    /// `next` of the page before.
    pub before: Option<Uuid>,
    /// 20 if not given.
    pub limit: Option<i64>,
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl ListOrdersQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default()
            .with("status", &self.status)
            .with("customer_id", &self.customer_id)
            .with("before", &self.before)
            .with("limit", &self.limit)
            .with("after", &self.after)
            .with("wait_ms", &self.wait_ms)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListPriceChangesQuery {
    /// The `next` of the page before.
    pub after: Option<i64>,
    /// 1 to 100; 50 if not given.
    pub limit: Option<i64>,
}

impl ListPriceChangesQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("after", &self.after).with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListPromotionsQuery {
    pub is_active: Option<bool>,
    /// The `next` of the page before.
    pub after: Option<Uuid>,
    /// At most 100; 50 if not given.
    pub limit: Option<i64>,
}

impl ListPromotionsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("is_active", &self.is_active).with("after", &self.after).with("limit", &self.limit)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogIn {
    /// Of accounts with a second factor: the six digits that it shows, or a recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    pub email: String,
    pub password: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MadeKey {
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// For the header `Authorization: Bearer …`. It is shown now and never again.
    pub key: String,
}

/// How old the answer is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// The answer includes everything committed until so many milliseconds ago.
    pub age_ms: i64,
    /// That moment, RFC 3339.
    pub as_of: String,
    /// The last epoch in the store.
    pub epoch: i64,
    /// The store behind the answer; the oldest one, if several are.
    pub store: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MovementWithTotal {
    #[serde(flatten)]
    pub stock_movement: StockMovement,
    /// Of this and all older movements of the article, in all warehouses.
    pub running_total: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewAddress {
    pub address_line_1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_line_2: Option<String>,
    pub address_type: AddressType,
    pub city: String,
    pub country: String,
    /// The first address of a type is the default whatever stands here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
    pub postal_code: String,
    pub recipient: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_province: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewAdjustment {
    /// Negative: units that are gone. Not 0.
    pub quantity: i64,
    pub reason: AdjustmentReason,
    /// The paper behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub sku: String,
    /// The code of the warehouse.
    pub warehouse: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewCartItem {
    pub quantity: i64,
    pub sku: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewCatalogProduct {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<Uuid>,
    pub currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    pub name: String,
    /// In hundredths of the currency.
    pub price_cents: i64,
    /// It stays for good: orders and stock name it.
    pub sku: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewCatalogVariant {
    /// Texts, numbers and booleans, 50 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Map<String, Value>>,
    /// In hundredths of the product's currency; `null`: the product's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_cents: Option<i64>,
    /// It stays for good: orders and stock name it.
    pub sku: String,
}

/// Buys what is in the cart. Prices are not part of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewCheckout {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<PostalAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupons: Option<Vec<String>>,
    /// Where the confirmation goes; needed of guests, others have that of their account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What the payment provider gave for the card. The simulated one takes `tok_visa`, `tok_declined` and others.
    pub payment_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<PostalAddress>,
    /// In its place: one of one's addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method: Option<ShippingMethod>,
    /// What the shopper was shown. Never believed: if it is not what the server computes, nothing is bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_cents: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewCount {
    /// How many units are on the shelf as this is sent: with those that are sold and were not shipped yet, without those that were.
    pub counted: i64,
    /// The paper behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub sku: String,
    /// The code of the warehouse.
    pub warehouse: String,
}

/// Either `codes` or `count`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewCoupons {
    /// Words of one's own: letters, digits and `-`, 3 to 40 of them, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<Vec<String>>,
    /// So many that nobody can guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// Orders that may use each of them; as many as the promotion allows if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_redemptions: Option<i64>,
}

/// Something that a shopper did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewEvent {
    /// Of who has logged in it is their account's id, whatever is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The same when the event is sent again; made by the server if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Uuid>,
    /// RFC 3339; now, if not given. At most 30 days ago, at most 5 minutes ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<DateTime<Utc>>,
    /// Needed by `search`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Made by the client, the same for one visit.
    pub session_id: String,
    /// Needed by all kinds but `search`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    pub r#type: Kind,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewEvents {
    pub events: Vec<NewEvent>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewExperiment {
    pub design: ExperimentDesign,
    pub key: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewFlag {
    pub definition: FlagDefinition,
    pub key: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewKey {
    /// Of accounts with a second factor: the six digits that it shows, or a recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Without it the key is good until it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<i64>,
    /// To know it by in the list.
    pub name: String,
    /// Of the account: a key outlives the session, so a stolen token must not be enough for one.
    pub password: String,
    /// Takes GET and HEAD only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewLine {
    pub quantity: i64,
    pub sku: String,
}

/// An order to place. Prices are not part of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewOrder {
    pub country: String,
    /// Without one the order is a guest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    pub items: Vec<NewLine>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewPassword {
    pub current: String,
    pub password: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewPrice {
    pub currency: String,
    /// In hundredths of the currency.
    pub price_cents: i64,
}

/// A whole profile: what is left out is as if it had never been said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewProfile {
    pub first_name: String,
    pub last_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing_opt_in: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// By ISO 4217; USD if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_currency: Option<String>,
}

/// A delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewReceipt {
    /// Each SKU once.
    pub items: Vec<ReceiptItem>,
    /// Its paper.
    pub reference: String,
    /// The code of the warehouse that it came to.
    pub warehouse: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewReorderPoint {
    /// As many available units, or fewer, and the article is reported as low on stock.
    pub threshold: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewReturn {
    pub items: Vec<Units>,
    pub reason: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewSecondFactor {
    /// Of the account: whoever has stolen a token must not lock its owner out.
    pub password: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewShipment {
    pub carrier: String,
    /// Left out: all that has not been sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Units>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewTransfer {
    /// The code of the warehouse that the units leave.
    pub from: String,
    pub quantity: i64,
    /// The paper behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub sku: String,
    /// The code of the warehouse that they come to.
    pub to: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewWarehouse {
    /// Capital letters, digits and hyphens; it is never changed.
    pub code: String,
    pub country: String,
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewWebhook {
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What it is told is signed with this. It is not shown again.
    pub secret: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<PostalAddress>,
    pub currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_cents: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Oldest first.
    pub history: Vec<OrderEvent>,
    pub id: Uuid,
    pub items: Vec<Line>,
    /// What people call it by.
    pub number: String,
    pub placed_at: DateTime<Utc>,
    /// Given back, or about to be.
    pub refunded_cents: i64,
    pub returns: Vec<Return>,
    pub shipments: Vec<Shipment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<PostalAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_cents: Option<i64>,
    pub status: Status,
    /// `null`, as the four below: it was not paid for here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtotal_cents: Option<i64>,
    /// Within the total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_cents: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_cents: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderEvent {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub occurred_at: DateTime<Utc>,
    pub status: Status,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderResponse {
    #[serde(flatten)]
    pub placed_order: PlacedOrder,
    /// Pass it as `after` to reads that have to include this order.
    pub position: String,
}

/// An order in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderSummary {
    pub currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    pub id: Uuid,
    pub number: String,
    pub placed_at: DateTime<Utc>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_cents: Option<i64>,
    /// Of all lines.
    pub units: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    /// Pass it as `before` for the next page; `null`: this was the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
    /// Newest first.
    pub orders: Vec<OrderSummary>,
}

/// A payment is somewhere else than it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PaymentEvent {
    /// The same when it is told again.
    pub id: String,
    pub payment_id: Uuid,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PictureOrder {
    /// All pictures of the product, each once.
    pub image_ids: Vec<Uuid>,
}

/// A pipeline and how it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Of the oldest of its stores.
    pub age_ms: i64,
    pub checkpoint_epoch: i64,
    /// The last epoch that it has run.
    pub epoch: i64,
    /// Why it stands still, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The machines that compute it; none: the server itself.
    pub hosts: Vec<String>,
    pub name: String,
    /// Who created it; null: it is part of the binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Rows that an expression refused.
    pub row_errors: i64,
    /// Changes given to its stores since the start.
    pub rows: i64,
    /// `running`, `catching_up`, `filling`, `filling_in_shadow` or `failed`.
    pub state: String,
    /// Of its state on disk.
    pub state_bytes: i64,
    /// From the first row's push into its dataflow to the changes of its stores given out, in microseconds: of its last epoch with rows.
    pub step_us: i64,
    pub stores: Vec<String>,
    /// Of its groups, different values and first rows in memory; caches of sorted state are not counted.
    pub table_bytes: i64,
    /// Why the last checkpoint is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_error: Option<String>,
    /// The epoch of the checkpoint that is in the object store, if one was sent there since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded_epoch: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PipelineResponse {
    #[serde(flatten)]
    pub pipeline: Pipeline,
    /// Its operators, what each keeps, and what that grows with; null where it cannot be planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The text that it is made by.
    pub sql: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PipelinesResponse {
    pub pipelines: Vec<Pipeline>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlacedLine {
    pub quantity: i64,
    pub sku: String,
    /// In units of the currency, from the catalogue.
    pub unit_price: String,
}

/// An order that was placed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlacedOrder {
    pub currency: String,
    pub id: Uuid,
    pub items: Vec<PlacedLine>,
    /// What people call it by.
    pub number: String,
    pub status: String,
    /// In hundredths of the currency.
    pub total_cents: i64,
}

/// Where something is sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PostalAddress {
    pub address_line_1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_line_2: Option<String>,
    pub city: String,
    pub country: String,
    pub postal_code: String,
    pub recipient: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_province: Option<String>,
}

/// Of the product, or of one of its variants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PriceChange {
    pub changed_at: DateTime<Utc>,
    /// The account; `null`: who runs the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<Uuid>,
    pub id: i64,
    pub new_currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_price_cents: Option<i64>,
    pub old_currency: String,
    /// `null`: a variant had its product's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_price_cents: Option<i64>,
    pub sku: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PriceChanges {
    /// The newest first.
    pub changes: Vec<PriceChange>,
    /// For `after`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// A product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Units that can be ordered; `null`: not known just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    pub currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub id: Uuid,
    /// Where the picture is, relative to the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    pub name: String,
    /// Units sold; what `sort=popularity` sorts by. `null`: not known just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popularity: Option<i64>,
    /// In hundredths of the currency.
    pub price_cents: i64,
    pub sku: String,
    pub variants: Vec<Variant>,
}

/// All of a product that is changed at once; its price is changed at an address of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProductFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProductResponse {
    pub meta: Meta,
    pub product: Product,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub created_at: DateTime<Utc>,
    pub first_name: String,
    pub last_name: String,
    pub marketing_opt_in: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    pub preferred_currency: String,
    pub updated_at: DateTime<Utc>,
    pub user_id: Uuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Progress {
    #[serde(rename = "pending")]
    Pending,
    #[serde(rename = "completed")]
    Completed,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promotion {
    /// Baskets of another currency are not meant. Needed where an amount of money is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// From then on it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// It applies only if no other was applied before it, and no other is after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_exclusive: Option<bool>,
    /// Orders of one customer that may use it; guests may not then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_customer: Option<i64>,
    /// Orders that may use it, in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_redemptions: Option<i64>,
    /// What the basket's prices have to add up to before any discount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_basket_cents: Option<i64>,
    pub name: String,
    /// Without, it applies by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_coupon: Option<bool>,
    /// The stacking order: smaller ones are applied first, later ones to what they leave. 100 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    pub rule: Rule,
    /// Of everything if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub id: Uuid,
    pub updated_at: DateTime<Utc>,
    /// How many orders have used it.
    pub used_count: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Promotions {
    /// For `after`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
    /// In the order in which they were made.
    pub promotions: Vec<Promotion>,
}

/// `total_cents` is `subtotal_cents` − `discount_cents` + `shipping_cents`, and + `tax_cents` unless the prices include the tax.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    pub currency: String,
    /// Of all discounts, one on shipping included.
    pub discount_cents: i64,
    /// In the order in which they were applied.
    pub discounts: Vec<Discount>,
    /// In the order of their SKUs.
    pub lines: Vec<QuotedLine>,
    pub rejected_coupons: Vec<RejectedCoupon>,
    /// Before any discount.
    pub shipping_cents: i64,
    /// The part of `tax_cents` that is of shipping; the rest is of the lines.
    pub shipping_tax_cents: i64,
    /// The catalogue's prices, added up.
    pub subtotal_cents: i64,
    pub tax_cents: i64,
    /// Whether the prices, and so `total_cents`, hold the tax already.
    pub tax_included: bool,
    pub total_cents: i64,
}

/// What would be bought. Prices are not part of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QuoteRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupons: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
    pub items: Vec<NewLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method: Option<ShippingMethod>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QuotedLine {
    /// Its own discounts, and its share of those of the basket.
    pub discount_cents: i64,
    pub name: String,
    pub product_id: Uuid,
    pub quantity: i64,
    pub sku: String,
    pub tax_cents: i64,
    /// After discounts, and with the tax.
    pub total_cents: i64,
    pub unit_price_cents: i64,
}

/// Why a promotion does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    #[serde(rename = "unknown")]
    Unknown,
    #[serde(rename = "not-yet")]
    NotYet,
    #[serde(rename = "over")]
    Over,
    #[serde(rename = "used-up")]
    UsedUp,
    #[serde(rename = "used-by-you")]
    UsedByYou,
    #[serde(rename = "sign-in-needed")]
    SignInNeeded,
    #[serde(rename = "other-currency")]
    OtherCurrency,
    #[serde(rename = "minimum-not-reached")]
    MinimumNotReached,
    #[serde(rename = "nothing-matches")]
    NothingMatches,
    #[serde(rename = "not-combinable")]
    NotCombinable,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RebuildResponse {
    /// The view that is being built anew. Until it has caught up, the one that was there is read.
    pub rebuilding: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReceiptItem {
    pub quantity: i64,
    pub sku: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordsResponse {
    /// The offset that the next record will get.
    pub end_offset: i64,
    /// Where to go on.
    pub next_offset: i64,
    pub records: Vec<TopicRecord>,
    /// The oldest kept offset.
    pub start_offset: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecoveryCodes {
    /// Each stands in for a code once. They are shown now and never again.
    pub recovery_codes: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Refresh {
    pub refresh_token: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    pub position: i64,
    pub reason: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    pub email: String,
    pub password: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectedCoupon {
    pub code: String,
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelatedItem {
    #[serde(flatten)]
    pub product: Product,
    pub reason: RelatedReason,
    /// Orders (or sessions) that had both.
    pub score: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RelatedProductsQuery {
    /// How many items, 1 to 20; 8 if not given.
    pub limit: Option<i64>,
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl RelatedProductsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("limit", &self.limit).with("after", &self.after).with("wait_ms", &self.wait_ms)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RelatedReason {
    #[serde(rename = "bought_together")]
    BoughtTogether,
    #[serde(rename = "viewed_together")]
    ViewedTogether,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RelatedResponse {
    pub items: Vec<RelatedItem>,
    pub meta: Meta,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Removal {
    /// The six digits, or a recovery code.
    pub code: String,
    pub password: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReorderPoint {
    pub sku: String,
    pub threshold: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// Of messages whose status is `dead`; left out: all, 500 at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Uuid>>,
}

/// Which letters: one of the three.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplayRequest {
    /// Every letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
    /// Positions of letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letters: Option<Vec<i64>>,
    /// Every letter of this topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplayResponse {
    /// Letters that stay, and why.
    pub refused: Vec<Refused>,
    pub replayed: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// Messages that are still put aside, as far as was looked.
    pub left: i64,
    /// Messages that are on their way again, with all their chances.
    pub replayed: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reset {
    pub password: String,
    /// From the message.
    pub token: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Return {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
    pub id: Uuid,
    pub items: Vec<Units>,
    pub reason: String,
    pub refund_cents: i64,
    pub requested_at: DateTime<Utc>,
    /// `requested`, `received` or `refused`.
    pub status: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReturnDecision {
    pub decision: Decision,
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    #[serde(rename = "shopper")]
    Shopper,
    #[serde(rename = "merchandiser")]
    Merchandiser,
    #[serde(rename = "analyst")]
    Analyst,
    #[serde(rename = "admin")]
    Admin,
    #[serde(rename = "service")]
    Service,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RowsResponse {
    pub rows: Vec<Map<String, Value>>,
}

/// What a promotion takes off. Basis points are hundredths of a percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Rule {
    /// A part of every line that is meant.
    #[serde(rename = "percentage")]
    Percentage { basis_points: i64 },
    /// An amount off all that is meant together, shared out over the lines.
    #[serde(rename = "basket_amount")]
    BasketAmount { amount_cents: i64 },
    /// An amount off every line that is meant, however many units it has.
    #[serde(rename = "line_amount")]
    LineAmount { amount_cents: i64 },
    /// Of every `buy` + `get` units that are meant, the `get` cheapest of all cost so much less.
    #[serde(rename = "buy_x_get_y")]
    BuyXGetY { basis_points: i64, buy: i64, get: i64 },
    /// Shipping costs nothing if anything that is meant is in the basket.
    #[serde(rename = "free_shipping")]
    FreeShipping {},
}

/// What a promotion is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Scope {
    /// Everything.
    #[serde(rename = "all")]
    All {},
    /// What stands in one of these categories, or in one below.
    #[serde(rename = "categories")]
    Categories { category_ids: Vec<Uuid> },
    #[serde(rename = "skus")]
    Skus { skus: Vec<String> },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    #[serde(flatten)]
    pub product: Product,
    /// Higher is better, within one answer.
    pub score: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchQuery {
    /// What the shopper typed so far: typing errors are forgiven, the last word may be unfinished. Empty: everything.
    pub q: Option<String>,
    /// Only this brand.
    pub brand: Option<String>,
    /// Only this category.
    pub category: Option<String>,
    /// In hundredths of the currency, included.
    pub min_price: Option<i64>,
    /// In hundredths of the currency, included.
    pub max_price: Option<i64>,
    /// `true`: only what can be had now.
    pub in_stock: Option<bool>,
    /// `relevance` if not given; without words to search for that is popularity.
    pub sort: Option<SearchQuerySort>,
    /// How many hits, 1 to 100; 20 if not given.
    pub limit: Option<i64>,
    /// How many hits to pass over, at most 10000.
    pub offset: Option<i64>,
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl SearchQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default()
            .with("q", &self.q)
            .with("brand", &self.brand)
            .with("category", &self.category)
            .with("min_price", &self.min_price)
            .with("max_price", &self.max_price)
            .with("in_stock", &self.in_stock)
            .with("sort", &self.sort)
            .with("limit", &self.limit)
            .with("offset", &self.offset)
            .with("after", &self.after)
            .with("wait_ms", &self.wait_ms)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SearchQuerySort {
    #[serde(rename = "relevance")]
    Relevance,
    #[serde(rename = "price_asc")]
    PriceAsc,
    #[serde(rename = "price_desc")]
    PriceDesc,
    #[serde(rename = "popularity")]
    Popularity,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchResults {
    pub facets: Facets,
    pub hits: Vec<SearchHit>,
    pub meta: Meta,
    /// Nothing has all the words as typed: corrected ones, or some of the words, had to do.
    pub relaxed: bool,
    /// Hits in all.
    pub total: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seed {
    /// In base 32, for typing.
    pub secret: String,
    /// For a picture that a telephone reads.
    pub url: String,
}

/// A session, as its owner sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// When its tokens were last refreshed.
    pub last_used_at: DateTime<Utc>,
    pub session_id: Uuid,
    /// What the client called itself when it logged in.
    pub user_agent: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    /// The one that asks.
    pub current: Uuid,
    /// The last used first, at most 100.
    pub sessions: Vec<Session>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shipment {
    pub carrier: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<DateTime<Utc>>,
    pub id: Uuid,
    pub items: Vec<Units>,
    pub shipped_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
}

/// How a basket gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ShippingMethod {
    #[serde(rename = "standard")]
    Standard,
    #[serde(rename = "express")]
    Express,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShippingRate {
    /// As orders name it, in any case; `*` is every country that has no row of its own of this method and currency.
    pub country: String,
    pub currency: String,
    /// For baskets whose prices, before any discount, add up to this or more, and to less than the next row's. One row begins at 0.
    pub from_subtotal_cents: i64,
    pub method: ShippingMethod,
    pub price_cents: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShippingTable {
    pub rates: Vec<ShippingRate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    #[serde(rename = "placed")]
    Placed,
    #[serde(rename = "paid")]
    Paid,
    #[serde(rename = "partially_shipped")]
    PartiallyShipped,
    #[serde(rename = "shipped")]
    Shipped,
    #[serde(rename = "delivered")]
    Delivered,
    #[serde(rename = "cancelled")]
    Cancelled,
    #[serde(rename = "returned")]
    Returned,
    /// One that the server knows and this client does not.
    #[serde(other)]
    Unlisted,
}

/// Units of a SKU; `available` = `received` − `sold` + `returned`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stock {
    pub available: i64,
    pub received: i64,
    pub returned: i64,
    pub sku: String,
    pub sold: i64,
}

/// What was booked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StockBooking {
    /// Empty if a stock-taking found what the books hold.
    pub movements: Vec<StockMovement>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StockBookingResponse {
    #[serde(flatten)]
    pub stock_booking: StockBooking,
    /// Pass it as `after` to reads that have to include this booking.
    pub position: String,
}

/// What the books of one warehouse hold of an article.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StockLevel {
    /// Receipts, adjustments and transfers. Sales are not taken off: they do not know warehouses.
    pub quantity: i64,
    /// The code of the warehouse.
    pub warehouse: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StockLevels {
    pub sku: String,
    /// Of all warehouses.
    pub total: i64,
    /// By code; without those that never had any.
    pub warehouses: Vec<StockLevel>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StockMovement {
    pub booked_at: DateTime<Utc>,
    /// The account; `null`: an importer, or who runs the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booked_by: Option<Uuid>,
    pub id: Uuid,
    /// Negative: units that went.
    pub quantity: i64,
    pub reason: String,
    /// The paper behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub sku: String,
    /// The code of the warehouse.
    pub warehouse: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StockMovements {
    /// Newest first.
    pub movements: Vec<MovementWithTotal>,
    /// For `before`; `null`: there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StockResponse {
    #[serde(flatten)]
    pub stock: Stock,
    pub meta: Meta,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreRowsQuery {
    /// The index of a search or vector store, as its pipeline names it.
    pub index: Option<String>,
}

impl StoreRowsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("index", &self.index)
    }
}

/// How far a store is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// It includes everything committed until so many milliseconds ago.
    pub age_ms: i64,
    /// When that epoch could be read, milliseconds since 1970.
    pub applied_ms: i64,
    /// Commit time of the newest change in it, milliseconds since 1970; 0 if it holds none.
    pub committed_ms: i64,
    pub connector: String,
    /// From that commit until it could be read.
    pub delay_ms: i64,
    /// The same for the oldest change of each epoch, over the last minute: the median and the 99th of a hundred.
    pub delay_p50_ms: i64,
    pub delay_p99_ms: i64,
    /// The last epoch applied.
    pub epoch: i64,
    /// Why it stands still, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The position that it has reached in each source.
    pub frontier: BTreeMap<String, i64>,
    pub pipeline: String,
    /// Changes applied since the start.
    pub rows: i64,
    pub rows_per_s: f64,
    /// The sources that it depends on.
    pub sources: Vec<String>,
    /// `pipeline.table`.
    pub store: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoresResponse {
    pub stores: Vec<StoreStatus>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamViewQuery {
    /// How many rows a snapshot has at most, 1 to 10000; 1000 if not given. Changes of other rows are sent too.
    pub limit: Option<i64>,
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl StreamViewQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("limit", &self.limit).with("after", &self.after).with("wait_ms", &self.wait_ms)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaxCountry {
    /// As orders name it, in any case; `*` is every country that has no row of its own.
    pub country: String,
    /// Whether the shop's prices hold the tax there; else it is added to them.
    pub prices_include_tax: bool,
    pub rates: Vec<TaxRate>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaxRate {
    /// Hundredths of a percent.
    pub basis_points: i64,
    /// With those below it. Whatever has no rate by its category if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<Uuid>,
    /// Everywhere in the country if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_province: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaxTable {
    pub countries: Vec<TaxCountry>,
}

/// What merchandisers say of a promotion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Baskets of another currency are not meant. Needed where an amount of money is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// From then on it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// It applies only if no other was applied before it, and no other is after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_exclusive: Option<bool>,
    /// Orders of one customer that may use it; guests may not then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_customer: Option<i64>,
    /// Orders that may use it, in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_redemptions: Option<i64>,
    /// What the basket's prices have to add up to before any discount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_basket_cents: Option<i64>,
    pub name: String,
    /// Without, it applies by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_coupon: Option<bool>,
    /// The stacking order: smaller ones are applied first, later ones to what they leave. 100 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    pub rule: Rule,
    /// Of everything if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
}

/// What a client goes on with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenPair {
    /// For the header `Authorization: Bearer …`.
    pub access_token: String,
    /// Seconds that the access token is good for.
    pub expires_in: i64,
    /// Good once, for POST /api/v1/auth/refresh.
    pub refresh_token: String,
    pub role: Role,
    pub session_id: Uuid,
    pub token_type: String,
    pub user_id: Uuid,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TopicRecord {
    /// By name; what is not UTF-8 in a value is shown as `\u{fffd}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A key that is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_base64: Option<String>,
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Absent for a tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// A value that is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_base64: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicRecordsQuery {
    /// Offset of the first record; 0 if not given.
    pub from: Option<i64>,
    /// How many records, 0 to 10000; 100 if not given. With 0 the answer only says where the topic begins and ends.
    pub limit: Option<i64>,
    /// 0 if not given.
    pub partition: Option<i64>,
}

impl TopicRecordsQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("from", &self.from).with("limit", &self.limit).with("partition", &self.partition)
    }
}

/// Units of a line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Units {
    pub line_no: i64,
    pub quantity: i64,
}

/// A kind of the product with a SKU of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Such as `{"colour": "red"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Map<String, Value>>,
    /// `null`: the product's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_cents: Option<i64>,
    pub sku: String,
}

/// All of a variant that can be changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VariantFields {
    /// Texts, numbers and booleans, 50 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Map<String, Value>>,
    /// In hundredths of the product's currency; `null`: the product's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_cents: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// From the message.
    pub token: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ViewColumn {
    pub name: String,
    /// The Arrow type. Decimals and timestamps stand as text in the rows.
    pub r#type: String,
}

/// A view, as declared by its pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ViewDescription {
    pub columns: Vec<ViewColumn>,
    pub primary_key: Vec<String>,
    /// `pipeline.table`.
    pub view: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ViewResponse {
    #[serde(flatten)]
    pub view_description: ViewDescription,
    pub meta: Meta,
    pub rows: Vec<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ViewsResponse {
    pub views: Vec<ViewDescription>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VisualHit {
    #[serde(flatten)]
    pub product: Product,
    /// 0 to 1; 1 is the same picture.
    pub similarity: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VisualResults {
    pub hits: Vec<VisualHit>,
    pub meta: Meta,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct VisualSearchQuery {
    /// How many products, 1 to 50; 12 if not given.
    pub limit: Option<i64>,
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    pub after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    pub wait_ms: Option<i64>,
}

impl VisualSearchQuery {
    pub(super) fn pairs(&self) -> Pairs {
        Pairs::default().with("limit", &self.limit).with("after", &self.after).with("wait_ms", &self.wait_ms)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Warehouse {
    /// What it is called by.
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    pub created_at: DateTime<Utc>,
    /// Nothing comes into one that is not.
    pub is_active: bool,
    pub name: String,
    pub updated_at: DateTime<Utc>,
}

/// A warehouse as it shall be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WarehouseFields {
    pub country: String,
    pub is_active: bool,
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Warehouses {
    /// By code.
    pub warehouses: Vec<Warehouse>,
}

/// Somebody who wants to hear of orders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    pub created_at: DateTime<Utc>,
    pub events: Vec<String>,
    pub id: Uuid,
    /// One that is switched off is not called, and does not hear of it later.
    pub is_active: bool,
    pub updated_at: DateTime<Utc>,
    pub url: String,
}

/// A webhook as it shall be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WebhookFields {
    /// `order.confirmation`, `order.shipped`, `order.delivered`, `order.cancelled`, `order.return_received`, `order.return_refused`,
    /// `order.refunded`.
    pub events: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// Of the public internet, by https, unless the server was told otherwise (`--private-webhooks`).
    pub url: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Webhooks {
    /// In the order in which they were made.
    pub webhooks: Vec<Webhook>,
}
