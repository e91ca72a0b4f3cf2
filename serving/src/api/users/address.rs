//! An address, and what may stand in one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use crate::api::extract::{Body, Faults};
use crate::api::problem::Result;

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum AddressType {
    Shipping,
    Billing,
    Home,
    Work,
}

impl AddressType {
    pub fn name(self) -> &'static str {
        match self {
            Self::Shipping => "shipping",
            Self::Billing => "billing",
            Self::Home => "home",
            Self::Work => "work",
        }
    }
}

#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Address {
    pub id: Uuid,
    pub address_type: AddressType,
    pub recipient: String,
    pub address_line_1: String,
    pub address_line_2: Option<String>,
    pub city: String,
    pub state_province: Option<String>,
    pub postal_code: String,
    pub country: String,
    /// One of each type is.
    pub is_default: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The columns of [`Address`].
pub const COLUMNS: &str = "id, address_type::text AS address_type, recipient, address_line_1, address_line_2, city, state_province, postal_code, country, is_default, created_at, updated_at";

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAddress {
    pub address_type: AddressType,
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub recipient: String,
    #[schema(min_length = 1, max_length = 255, example = "12 St James's Square")]
    pub address_line_1: String,
    #[schema(max_length = 255)]
    pub address_line_2: Option<String>,
    #[schema(min_length = 1, max_length = 100, example = "London")]
    pub city: String,
    #[schema(max_length = 100)]
    pub state_province: Option<String>,
    #[schema(min_length = 1, max_length = 20, example = "SW1Y 4LE")]
    pub postal_code: String,
    #[schema(min_length = 1, max_length = 60, example = "United Kingdom")]
    pub country: String,
    /// The first address of a type is the default whatever stands here.
    #[serde(default)]
    pub is_default: bool,
}

impl Body for NewAddress {
    const MAX_BYTES: usize = 8192;
}

impl NewAddress {
    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        self.postal().check("", &mut faults);
        faults.check()
    }

    fn postal(&self) -> PostalAddress {
        PostalAddress {
            recipient: self.recipient.clone(),
            address_line_1: self.address_line_1.clone(),
            address_line_2: self.address_line_2.clone(),
            city: self.city.clone(),
            state_province: self.state_province.clone(),
            postal_code: self.postal_code.clone(),
            country: self.country.clone(),
        }
    }
}

/// Where something is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostalAddress {
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub recipient: String,
    #[schema(min_length = 1, max_length = 255, example = "12 St James's Square")]
    pub address_line_1: String,
    #[schema(max_length = 255)]
    pub address_line_2: Option<String>,
    #[schema(min_length = 1, max_length = 100, example = "London")]
    pub city: String,
    #[schema(max_length = 100)]
    pub state_province: Option<String>,
    #[schema(min_length = 1, max_length = 20, example = "SW1Y 4LE")]
    pub postal_code: String,
    #[schema(min_length = 1, max_length = 60, example = "United Kingdom")]
    pub country: String,
}

impl PostalAddress {
    /// `path`: what stands before the names of its fields.
    pub fn check(&self, path: &str, faults: &mut Faults) {
        faults.text(&format!("{path}recipient"), &self.recipient, 200);
        faults.text(&format!("{path}address_line_1"), &self.address_line_1, 255);
        faults.text(&format!("{path}city"), &self.city, 100);
        faults.text(&format!("{path}postal_code"), &self.postal_code, 20);
        faults.text(&format!("{path}country"), &self.country, 60);
        if let Some(line) = &self.address_line_2 {
            faults.text(&format!("{path}address_line_2"), line, 255);
        }
        if let Some(state) = &self.state_province {
            faults.text(&format!("{path}state_province"), state, 100);
        }
    }
}

impl From<Address> for PostalAddress {
    fn from(address: Address) -> Self {
        Self {
            recipient: address.recipient,
            address_line_1: address.address_line_1,
            address_line_2: address.address_line_2,
            city: address.city,
            state_province: address.state_province,
            postal_code: address.postal_code,
            country: address.country,
        }
    }
}

/// Of an account: by type, the default first.
pub async fn list(pool: &PgPool, user_id: Uuid) -> Result<Vec<Address>> {
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM user_addresses WHERE user_id = $1 ORDER BY user_addresses.address_type, is_default DESC, id"
    ));
    Ok(sqlx::query_as(statement).bind(user_id).fetch_all(pool).await?)
}
