//! A promotion: what it takes off, of what, and when.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use super::basket::BasketLine;
use crate::api::extract::{Body, Faults};
use crate::api::problem::Result;

/// Basis points of all of it.
pub const WHOLE: i32 = 10_000;

const MAX_CENTS: i64 = 100_000_000_000;
const MAX_UNITS: i32 = 1_000;
const MAX_CATEGORIES: usize = 200;
const MAX_SKUS: usize = 1_000;
const MAX_PRIORITY: i32 = 10_000;
const MAX_REDEMPTIONS: i64 = 1_000_000_000;

#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Promotion {
    pub id: Uuid,
    #[serde(flatten)]
    #[schema(schema_with = terms_among_others)]
    pub terms: Terms,
    /// How many orders have used it.
    pub used_count: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The request says that it takes no other fields; here there are others beside them.
fn terms_among_others() -> RefOr<Schema> {
    let mut schema = Terms::schema();
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.additional_properties = None;
    }
    schema
}

/// What merchandisers say of a promotion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    #[schema(min_length = 1, max_length = 120, example = "Summer sale")]
    pub name: String,
    pub rule: Rule,
    /// Of everything if not given.
    #[serde(default)]
    pub scope: Scope,
    /// Baskets of another currency are not meant. Needed where an amount of money is named.
    #[schema(min_length = 3, max_length = 3, example = "GBP")]
    pub currency: Option<String>,
    /// What the basket's prices have to add up to before any discount.
    #[serde(default)]
    #[schema(minimum = 0)]
    pub minimum_basket_cents: i64,
    pub starts_at: Option<DateTime<Utc>>,
    /// From then on it is over.
    pub ends_at: Option<DateTime<Utc>>,
    /// Without, it applies by itself.
    #[serde(default)]
    pub needs_coupon: bool,
    /// The stacking order: smaller ones are applied first, later ones to what they leave. 100 if not given.
    #[serde(default = "usual_priority")]
    #[schema(minimum = 0, maximum = 10000)]
    pub priority: i32,
    /// It applies only if no other was applied before it, and no other is after it.
    #[serde(default)]
    pub is_exclusive: bool,
    /// Orders that may use it, in all.
    #[schema(minimum = 1)]
    pub max_redemptions: Option<i64>,
    /// Orders of one customer that may use it; guests may not then.
    #[schema(minimum = 1)]
    pub max_per_customer: Option<i64>,
    #[serde(default = "yes")]
    pub is_active: bool,
}

fn usual_priority() -> i32 {
    100
}

fn yes() -> bool {
    true
}

/// What a promotion takes off. Basis points are hundredths of a percent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// A part of every line that is meant.
    Percentage {
        #[schema(minimum = 1, maximum = 10000, example = 1500)]
        basis_points: i32,
    },
    /// An amount off all that is meant together, shared out over the lines.
    BasketAmount {
        #[schema(minimum = 1)]
        amount_cents: i64,
    },
    /// An amount off every line that is meant, however many units it has.
    LineAmount {
        #[schema(minimum = 1)]
        amount_cents: i64,
    },
    /// Of every `buy` + `get` units that are meant, the `get` cheapest of all cost so much less.
    BuyXGetY {
        #[schema(minimum = 1, maximum = 1000)]
        buy: i32,
        #[schema(minimum = 1, maximum = 1000)]
        get: i32,
        #[schema(minimum = 1, maximum = 10000)]
        basis_points: i32,
    },
    /// Shipping costs nothing if anything that is meant is in the basket.
    FreeShipping {},
}

/// What a promotion is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// Everything.
    // With braces, so that serde refuses a list beside it, too.
    All {},
    /// What stands in one of these categories, or in one below.
    Categories {
        #[schema(min_items = 1, max_items = 200)]
        category_ids: Vec<Uuid>,
    },
    Skus {
        #[schema(min_items = 1, max_items = 1000)]
        skus: Vec<String>,
    },
}

impl Default for Scope {
    fn default() -> Self {
        Self::All {}
    }
}

impl Scope {
    pub fn includes(&self, line: &BasketLine) -> bool {
        match self {
            Self::All {} => true,
            Self::Categories { category_ids } => line.category_ids.iter().any(|id| category_ids.contains(id)),
            Self::Skus { skus } => skus.contains(&line.sku),
        }
    }
}

impl Rule {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Percentage { .. } => "percentage",
            Self::BasketAmount { .. } => "basket_amount",
            Self::LineAmount { .. } => "line_amount",
            Self::BuyXGetY { .. } => "buy_x_get_y",
            Self::FreeShipping {} => "free_shipping",
        }
    }

    fn basis_points(&self) -> Option<i32> {
        match *self {
            Self::Percentage { basis_points } | Self::BuyXGetY { basis_points, .. } => Some(basis_points),
            Self::BasketAmount { .. } | Self::LineAmount { .. } | Self::FreeShipping {} => None,
        }
    }

    fn amount_cents(&self) -> Option<i64> {
        match *self {
            Self::BasketAmount { amount_cents } | Self::LineAmount { amount_cents } => Some(amount_cents),
            Self::Percentage { .. } | Self::BuyXGetY { .. } | Self::FreeShipping {} => None,
        }
    }

    /// How many are bought, and how many are cheaper for it.
    fn units(&self) -> (Option<i32>, Option<i32>) {
        match *self {
            Self::BuyXGetY { buy, get, .. } => (Some(buy), Some(get)),
            _ => (None, None),
        }
    }
}

impl Body for Terms {
    const MAX_BYTES: usize = 256 * 1024;
}

impl Terms {
    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.text("name", &self.name, 120);
        if let Some(basis_points) = self.rule.basis_points() {
            faults.unless((1..=WHOLE).contains(&basis_points), "rule.basis_points", "this goes from 1 to 10000, which is for nothing");
        }
        if let Some(amount_cents) = self.rule.amount_cents() {
            faults.unless((1..=MAX_CENTS).contains(&amount_cents), "rule.amount_cents", "an amount is 1 cent to a thousand million units");
        }
        let (buy, get) = self.rule.units();
        for (path, units) in [("rule.buy", buy), ("rule.get", get)] {
            faults.unless(units.is_none_or(|units| (1..=MAX_UNITS).contains(&units)), path, "this goes from 1 to 1000");
        }
        self.check_scope(&mut faults);
        faults.unless(
            (0..=MAX_CENTS).contains(&self.minimum_basket_cents),
            "minimum_basket_cents",
            "a minimum is 0 cents to a thousand million units",
        );
        let names_money = self.rule.amount_cents().is_some() || self.minimum_basket_cents > 0;
        match &self.currency {
            Some(currency) => faults.unless(is_currency(currency), "currency", "a currency is three capital letters, as in EUR"),
            None => faults.unless(!names_money, "currency", "an amount of money needs its currency"),
        }
        if let (Some(start), Some(end)) = (self.starts_at, self.ends_at) {
            faults.unless(start < end, "ends_at", "the end is after the start");
        }
        faults.unless((0..=MAX_PRIORITY).contains(&self.priority), "priority", "a priority goes from 0 to 10000");
        for (path, limit) in [("max_redemptions", self.max_redemptions), ("max_per_customer", self.max_per_customer)] {
            faults.unless(limit.is_none_or(|limit| (1..=MAX_REDEMPTIONS).contains(&limit)), path, "a limit is 1 to a thousand million");
        }
        faults.check()
    }

    fn check_scope(&self, faults: &mut Faults) {
        match &self.scope {
            Scope::All {} => {}
            Scope::Categories { category_ids } => {
                faults.unless((1..=MAX_CATEGORIES).contains(&category_ids.len()), "scope.category_ids", "name 1 to 200 categories");
            }
            Scope::Skus { skus } => {
                faults.unless((1..=MAX_SKUS).contains(&skus.len()), "scope.skus", "name 1 to 1000 SKUs");
                for (i, sku) in skus.iter().enumerate().take(MAX_SKUS) {
                    faults.text(&format!("scope.skus[{i}]"), sku, 100);
                }
            }
        }
    }
}

pub(super) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The columns of [`Promotion`].
pub const COLUMNS: &str = "id, name, kind, basis_points, amount_cents, buy_quantity, get_quantity, scope, category_ids, skus, currency, \
    minimum_basket_cents, starts_at, ends_at, needs_coupon, priority, is_exclusive, max_redemptions, max_per_customer, is_active, used_count, \
    created_at, updated_at";

impl FromRow<'_, PgRow> for Promotion {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let unknown = |index: &str, value: &str| sqlx::Error::ColumnDecode { index: index.into(), source: format!("`{value}`").into() };
        let rule = match row.try_get::<&str, _>("kind")? {
            "percentage" => Rule::Percentage { basis_points: row.try_get("basis_points")? },
            "basket_amount" => Rule::BasketAmount { amount_cents: row.try_get("amount_cents")? },
            "line_amount" => Rule::LineAmount { amount_cents: row.try_get("amount_cents")? },
            "buy_x_get_y" => Rule::BuyXGetY {
                buy: row.try_get("buy_quantity")?,
                get: row.try_get("get_quantity")?,
                basis_points: row.try_get("basis_points")?,
            },
            "free_shipping" => Rule::FreeShipping {},
            other => return Err(unknown("kind", other)),
        };
        let scope = match row.try_get::<&str, _>("scope")? {
            "all" => Scope::All {},
            "categories" => Scope::Categories { category_ids: row.try_get("category_ids")? },
            "skus" => Scope::Skus { skus: row.try_get("skus")? },
            other => return Err(unknown("scope", other)),
        };
        let terms = Terms {
            name: row.try_get("name")?,
            rule,
            scope,
            currency: row.try_get("currency")?,
            minimum_basket_cents: row.try_get("minimum_basket_cents")?,
            starts_at: row.try_get("starts_at")?,
            ends_at: row.try_get("ends_at")?,
            needs_coupon: row.try_get("needs_coupon")?,
            priority: row.try_get("priority")?,
            is_exclusive: row.try_get("is_exclusive")?,
            max_redemptions: row.try_get("max_redemptions")?,
            max_per_customer: row.try_get("max_per_customer")?,
            is_active: row.try_get("is_active")?,
        };
        Ok(Self {
            id: row.try_get("id")?,
            terms,
            used_count: row.try_get("used_count")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// Writes a new promotion, or the terms of one that there is.
pub async fn save(connection: &mut PgConnection, id: Uuid, terms: &Terms) -> sqlx::Result<Promotion> {
    let (scope, category_ids, skus): (&str, BTreeSet<Uuid>, BTreeSet<&str>) = match &terms.scope {
        Scope::All {} => ("all", BTreeSet::new(), BTreeSet::new()),
        Scope::Categories { category_ids } => ("categories", category_ids.iter().copied().collect(), BTreeSet::new()),
        Scope::Skus { skus } => ("skus", BTreeSet::new(), skus.iter().map(String::as_str).collect()),
    };
    let (buy, get) = terms.rule.units();
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO promotions (id, name, kind, basis_points, amount_cents, buy_quantity, get_quantity, scope, category_ids, skus, currency,
             minimum_basket_cents, starts_at, ends_at, needs_coupon, priority, is_exclusive, max_redemptions, max_per_customer, is_active)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, basis_points = excluded.basis_points,
             amount_cents = excluded.amount_cents, buy_quantity = excluded.buy_quantity, get_quantity = excluded.get_quantity,
             scope = excluded.scope, category_ids = excluded.category_ids, skus = excluded.skus, currency = excluded.currency,
             minimum_basket_cents = excluded.minimum_basket_cents, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
             needs_coupon = excluded.needs_coupon, priority = excluded.priority, is_exclusive = excluded.is_exclusive,
             max_redemptions = excluded.max_redemptions, max_per_customer = excluded.max_per_customer, is_active = excluded.is_active,
             updated_at = now()
         RETURNING {COLUMNS}"
    ));
    sqlx::query_as(statement)
        .bind(id)
        .bind(terms.name.trim())
        .bind(terms.rule.kind())
        .bind(terms.rule.basis_points())
        .bind(terms.rule.amount_cents())
        .bind(buy)
        .bind(get)
        .bind(scope)
        .bind(category_ids.into_iter().collect::<Vec<_>>())
        .bind(skus.into_iter().collect::<Vec<_>>())
        .bind(&terms.currency)
        .bind(terms.minimum_basket_cents)
        .bind(terms.starts_at)
        .bind(terms.ends_at)
        .bind(terms.needs_coupon)
        .bind(terms.priority)
        .bind(terms.is_exclusive)
        .bind(terms.max_redemptions)
        .bind(terms.max_per_customer)
        .bind(terms.is_active)
        .fetch_one(connection)
        .await
}
