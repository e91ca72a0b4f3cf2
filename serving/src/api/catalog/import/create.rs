//! `POST /api/v1/catalog/import`.

use std::fs::File;

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;

use super::file::Format;
use super::report::ImportReport;
use super::{MAX_BYTES, run};
use crate::api::access::Caller;
use crate::api::extract::{Query, check_length};
use crate::api::problem::{Problem, ProblemBody, Result, kinds, too_large};
use crate::api::state::App;

/// It may take longer than other requests.
pub const PATH: &str = "/api/v1/catalog/import";

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// Writes nothing, and says what would have come of it.
    #[serde(default)]
    dry_run: bool,
}

/// Adds and changes many products and variants, by SKU. CSV with a first line that names the columns, or a JSON object a line, with: `sku`,
/// `name`, `description`, `brand` (by name), `category` (a path such as `Kitchen > Mugs`), `price_cents`, `currency`, `is_active`; of a variant
/// `sku`, `parent_sku`, `attributes` (a JSON object) and `price_cents`. What a line leaves out, or has empty, stays as it is. Brands and
/// categories that are not there are made. Lines that are wrong are told, and stop no other; the same file again changes nothing.
#[utoipa::path(post, path = "/api/v1/catalog/import", tag = "catalog", params(ImportQuery),
    request_body(content((String = "text/csv"), (String = "application/x-ndjson"))),
    responses((status = 200, body = ImportReport), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 413, description = "over 32 MiB, or over 100000 lines", body = ProblemBody), (status = 415, body = ProblemBody),
        (status = 422, description = "the columns are wrong", body = ProblemBody)))]
pub async fn import_products(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<Response> {
    let format = format(&request)?;
    let file = spool(check_length(request, MAX_BYTES).await?).await?;
    let (headers, report) = run::run(&app, &caller, file, format, query.dry_run).await?;
    Ok((headers, axum::Json(report)).into_response())
}

fn format(request: &Request) -> Result<Format> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/csv" => Ok(Format::Csv),
        "application/x-ndjson" | "application/jsonl" => Ok(Format::Ndjson),
        other => {
            let said = other.escape_debug().take(100).collect::<String>();
            Err(Problem::new(&kinds::UNSUPPORTED_MEDIA_TYPE, format!("`{said}` is no kind of file that is taken."))
                .with("accepted", ["text/csv", "application/x-ndjson"]))
        }
    }
}

/// The body, whole, in a file without a name.
async fn spool(request: Request) -> Result<File> {
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(Problem::internal)?);
    let mut body = request.into_body().into_data_stream();
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| Problem::new(&kinds::INVALID_BODY, format!("The body did not arrive whole: {error}.")))?;
        bytes += chunk.len();
        if bytes > MAX_BYTES {
            return Err(too_large(MAX_BYTES));
        }
        file.write_all(&chunk).await.map_err(Problem::internal)?;
    }
    file.flush().await.map_err(Problem::internal)?;
    Ok(file.into_std().await)
}
