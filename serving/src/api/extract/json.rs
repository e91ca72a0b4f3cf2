//! JSON bodies, bounded and checked.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::check_length;
use crate::api::problem::{Problem, body_problem, kinds};

/// What a route takes as its body.
pub trait Body: DeserializeOwned {
    const MAX_BYTES: usize;
    /// Said when a field is unknown, where a client may have expected it to be taken.
    const UNKNOWN_FIELD_HELP: Option<&'static str> = None;
}

/// A JSON body of at most [`Body::MAX_BYTES`].
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: Body> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !is_json(content_type) {
            let said = if content_type.is_empty() { "no content type".to_owned() } else { format!("`{}`", content_type.escape_debug()) };
            return Err(Problem::new(&kinds::UNSUPPORTED_MEDIA_TYPE, format!("The request says {said}; this address takes JSON."))
                .with("accepted", ["application/json"]));
        }
        let mut request = check_length(request, T::MAX_BYTES).await?;
        DefaultBodyLimit::max(T::MAX_BYTES).apply(&mut request);
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| body_problem(rejection, T::MAX_BYTES))?;
        parse(&bytes).map(Self)
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse<T: Body>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let value = T::deserialize(serde_path_to_error::Deserializer::new(&mut deserializer, &mut track));
    let path = track.path().to_string();
    let value =
        value.and_then(|value| deserializer.end().map(|()| value)).map_err(|error| problem(&error, &path, T::UNKNOWN_FIELD_HELP))?;
    // serde takes a list of the fields' values for an object, too.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::new(&kinds::INVALID_BODY, "The body is a list; this address takes an object."));
    }
    Ok(value)
}

fn problem(error: &serde_json::Error, path: &str, unknown_field_help: Option<&str>) -> Problem {
    let kind = match error.classify() {
        Category::Data => &kinds::INVALID_BODY,
        Category::Syntax | Category::Eof | Category::Io => &kinds::MALFORMED_JSON,
    };
    let text = error.to_string();
    // serde_json ends its messages with the place, which has members of its own here.
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let mut detail =
        if kind.name == kinds::INVALID_BODY.name && path != "." { format!("`{path}`: {message}.") } else { format!("{message}.") };
    if let Some(help) = unknown_field_help.filter(|_| message.starts_with("unknown field")) {
        detail = format!("{detail} {help}");
    }
    let problem = Problem::new(kind, detail).with("line", error.line()).with("column", error.column());
    if path == "." { problem } else { problem.with("path", path) }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Thing {
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Item {
        sku: String,
    }

    impl Body for Thing {
        const MAX_BYTES: usize = 100;
        const UNKNOWN_FIELD_HELP: Option<&'static str> = Some("Help.");
    }

    fn told(body: &str) -> serde_json::Value {
        let problem = parse::<Thing>(body.as_bytes()).expect_err("a bad body");
        serde_json::to_value(format!("{problem:?}")).expect("text")
    }

    #[test]
    fn syntax_errors_say_where() {
        let told = told("{\"items\":\n  [}");
        let told = told.as_str().expect("text");
        assert!(
            told.contains("malformed-json") && told.contains("\"line\": Number(2)") && told.contains("\"column\": Number(4)"),
            "{told}"
        );
    }

    #[test]
    fn type_errors_say_which_field() {
        let told = told(r#"{"items":[{"sku":"a"},{"sku":3}]}"#);
        assert!(told.as_str().expect("text").contains("`items[1].sku`: invalid type: integer `3`, expected a string."), "{told}");
    }

    #[test]
    fn a_list_is_not_taken_for_an_object() {
        assert!(parse::<Thing>(br#"{"items":[]}"#).is_ok());
        assert!(told(" [[]]").to_string().contains("takes an object"));
    }

    #[test]
    fn unknown_fields_come_with_help_and_trailing_text_is_refused() {
        assert!(told(r#"{"items":[{"sku":"a","price":1}]}"#).to_string().contains("Help."));
        assert!(told(r#"{"items":[]} x"#).to_string().contains("trailing characters"));
    }
}
