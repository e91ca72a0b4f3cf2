//! What the protocol asks.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use serde_json::Value;

use super::answer::{ErrorCode, Failure};
use crate::api::access::Caller;
use crate::api::extract::check_length;
use crate::api::flags::context::Context;
use crate::api::problem::{Result, body_problem};

const MAX_BYTES: usize = 64 * 1024;

/// For whom flags are evaluated. What the protocol may add beside it later is not looked at.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)]
#[schema(as = FlagEvaluationRequest)]
pub struct EvaluationRequest {
    /// `targetingKey`, and at most 64 attributes that rules compare. `customer_id` of who has logged in is their account's id.
    #[schema(value_type = Option<Object>)]
    context: Option<Value>,
}

/// The context of a request, with the account of who has logged in; the inner error is the protocol's.
pub async fn context(request: Request) -> Result<Result<Context, Failure>> {
    let shopper_id = request.extensions().get::<Caller>().and_then(Caller::shopper_id);
    let mut request = check_length(request, MAX_BYTES).await?;
    DefaultBodyLimit::max(MAX_BYTES).apply(&mut request);
    let bytes = Bytes::from_request(request, &()).await.map_err(|rejection| body_problem(rejection, MAX_BYTES))?;
    Ok(parse(&bytes).map(|context| match shopper_id {
        Some(shopper_id) => context.of_customer(shopper_id),
        None => context,
    }))
}

fn parse(bytes: &[u8]) -> Result<Context, Failure> {
    let mut body = match serde_json::from_slice(bytes) {
        Ok(Value::Object(body)) => body,
        Ok(_) => return Err(Failure::new(ErrorCode::ParseError, "The body is not a JSON object.")),
        Err(error) => return Err(Failure::new(ErrorCode::ParseError, format!("The body is not JSON: {error}."))),
    };
    match body.remove("context") {
        None | Some(Value::Null) => Ok(Context::default()),
        Some(Value::Object(attributes)) => Context::read(attributes).map_err(|why| Failure::new(ErrorCode::InvalidContext, why)),
        Some(_) => Err(Failure::new(ErrorCode::InvalidContext, "The context is not a JSON object.")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(body: &[u8]) -> Option<ErrorCode> {
        parse(body).err().map(|failure| failure.error_code)
    }

    #[test]
    fn contexts_are_bounded() {
        let of = |context: Value| code(json!({ "context": context }).to_string().as_bytes());
        let attributes = |count: usize| (0..count).map(|n| (format!("a{n}"), Value::from(n))).collect::<serde_json::Map<_, _>>();
        assert_eq!(of(Value::Object(attributes(64))), None);
        assert_eq!(of(Value::Object(attributes(65))), Some(ErrorCode::InvalidContext));
        let mut with_key = attributes(64);
        with_key.insert("targetingKey".into(), "k".into());
        assert_eq!(of(Value::Object(with_key)), None);
        for bad in [json!(3), json!({"targetingKey": 3}), json!({"targetingKey": " "}), json!({"targetingKey": "x".repeat(65)})] {
            assert_eq!(of(bad.clone()), Some(ErrorCode::InvalidContext), "{bad}");
        }
        assert_eq!(of(json!({"a": "x".repeat(1001)})), Some(ErrorCode::InvalidContext));
        assert_eq!(of(json!({"x".repeat(101): 1})), Some(ErrorCode::InvalidContext));
    }

    #[test]
    fn bodies_are_json_objects() {
        assert_eq!((code(b"{}"), code(b"{\"context\":null,\"later\":1}")), (None, None));
        assert_eq!([code(b""), code(b"{"), code(b"[]")], [Some(ErrorCode::ParseError); 3]);
    }
}
