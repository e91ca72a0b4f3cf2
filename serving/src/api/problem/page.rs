//! The page behind a problem's `type`.

use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};

use super::{ALL, Problem, kinds};

/// What a kind of problem means and what to do about it.
#[utoipa::path(get, path = "/problems/{name}", tag = "meta", params(("name" = String, Path,
        description = "the last part of a problem's `type`")),
    responses((status = 200, description = "a page", content_type = "text/html"), (status = 404,
        description = "no such kind", body = super::ProblemBody)))]
pub async fn problem_page(Path(name): Path<String>) -> Response {
    let Some(kind) = ALL.iter().find(|kind| kind.name == name) else {
        let names: Vec<_> = ALL.iter().map(|kind| kind.name).collect();
        return Problem::new(&kinds::NOT_FOUND, "There is no such kind of problem.").with("kinds", names).into_response();
    };
    // Everything here is written in `kinds`, but backticks and ampersands should look right.
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1><p>{help}<p>HTTP status {status}, \
         <code>type</code> <code>{url}</code>",
        title = escape(kind.title),
        help = escape(kind.help),
        status = kind.status.as_u16(),
        url = kind.url(),
    ))
    .into_response()
}
