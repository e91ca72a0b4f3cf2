//! What an experiment compares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::extract::{Body, Faults};
use crate::api::flags::check::{KEY_RULE, check_split, is_key};
use crate::api::flags::definition::Definition;
use crate::api::problem::Result;

const MAX_WINDOW_DAYS: i32 = 90;

/// Whom no rule of the flag decides takes part. Who is in none of the shares gets the flag's default variant, and does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExperimentDesign)]
pub struct Design {
    #[schema(max_length = 100, example = "new-checkout")]
    pub flag_key: String,
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// By variant of the flag, in basis points (hundredths of a percent); they sum up to 10000 at most. At least two.
    pub shares: BTreeMap<String, u16>,
    /// The variant that the others are compared with.
    pub control: String,
    /// Somebody converts who orders within so many days after they were first exposed.
    #[schema(minimum = 1, maximum = 90, example = 7)]
    pub window_days: i32,
}

impl Body for Design {
    const MAX_BYTES: usize = 8192;
}

impl Design {
    /// What can be seen without the flag.
    pub fn check(&self, path: &str) -> Result<()> {
        let mut faults = Faults::default();
        let at = |field: &str| format!("{path}{field}");
        faults.unless(is_key(&self.flag_key), &at("flag_key"), KEY_RULE);
        if let Some(description) = &self.description {
            faults.text(&at("description"), description, 500);
        }
        check_split(&mut faults, &at("shares"), &self.shares);
        faults.unless((2..=20).contains(&self.shares.len()), &at("shares"), "an experiment has 2 to 20 variants");
        faults.unless(self.shares.values().all(|share| *share > 0), &at("shares"), "each variant has a share above 0");
        for variant in self.shares.keys() {
            faults.text(&at("shares"), variant, 100);
        }
        faults.unless(self.shares.contains_key(&self.control), &at("control"), "this is none of the variants that have a share");
        faults.unless((1..=MAX_WINDOW_DAYS).contains(&self.window_days), &at("window_days"), "this goes from 1 to 90");
        faults.check()
    }

    /// Whether the flag has all variants.
    pub fn check_flag(&self, flag: &Definition, path: &str) -> Result<()> {
        let mut faults = Faults::default();
        for variant in self.shares.keys().filter(|variant| !flag.variants.contains_key(*variant)) {
            faults.add(format!("{path}shares"), format!("the flag has no variant `{}`", variant.escape_debug()));
        }
        faults.check()
    }
}
