//! For whom a flag is evaluated.

use serde_json::{Map, Value};
use uuid::Uuid;

const MAX_ATTRIBUTES: usize = 64;
const MAX_NAME: usize = 100;
const MAX_TEXT: usize = 1000;
/// As long as the ids of sessions and customers that events carry.
const MAX_TARGETING_KEY: usize = 64;
const TARGETING_KEY: &str = "targetingKey";
/// The attribute that says whose orders count, if the targeting key is a session's.
pub const CUSTOMER_ID: &str = "customer_id";

/// An evaluation context: who, and what is known of them.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Decides in which share of a split somebody is: the `session_id` or `customer_id` that their clicks carry.
    pub targeting_key: Option<String>,
    /// The targeting key is among them: rules can name people.
    attributes: Map<String, Value>,
}

impl Context {
    /// Reads what a client sent. The error is a sentence.
    pub fn read(attributes: Map<String, Value>) -> Result<Self, String> {
        let targeting_key = match attributes.get(TARGETING_KEY) {
            None | Some(Value::Null) => None,
            Some(Value::String(key)) if is_targeting_key(key) => Some(key.clone()),
            Some(_) => {
                return Err(format!(
                    "`{TARGETING_KEY}` is a text of 1 to {MAX_TARGETING_KEY} characters, none of them control characters."
                ));
            }
        };
        if attributes.len() > MAX_ATTRIBUTES + usize::from(targeting_key.is_some()) {
            return Err(format!("The context has more than {MAX_ATTRIBUTES} attributes beside `{TARGETING_KEY}`."));
        }
        for (name, value) in &attributes {
            if name.chars().count() > MAX_NAME {
                return Err(format!("The context has an attribute whose name is longer than {MAX_NAME} characters."));
            }
            if value.as_str().is_some_and(|text| text.chars().count() > MAX_TEXT) {
                return Err(format!("The attribute `{}` is longer than {MAX_TEXT} characters.", name.escape_debug()));
            }
        }
        Ok(Self { targeting_key, attributes })
    }

    /// Of somebody who is known by a key.
    pub fn of(targeting_key: &str, mut attributes: Map<String, Value>) -> Result<Self, String> {
        attributes.insert(TARGETING_KEY.to_owned(), targeting_key.into());
        Self::read(attributes)
    }

    /// The same of a customer who is known, whatever they said themselves.
    pub fn of_customer(mut self, customer_id: Uuid) -> Self {
        self.attributes.insert(CUSTOMER_ID.to_owned(), customer_id.to_string().into());
        self
    }

    /// What is known under a name; a null is as good as nothing.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name).filter(|value| !value.is_null())
    }
}

fn is_targeting_key(key: &str) -> bool {
    !key.trim().is_empty() && key.chars().count() <= MAX_TARGETING_KEY && !key.chars().any(char::is_control)
}
