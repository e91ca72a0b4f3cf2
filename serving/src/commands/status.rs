//! `chimera status`.

use clap::Args;

use super::instance::Operator;
use super::{Exit, Output, Settings, table};

/// Show every derived store of the running server: how old it is, and how fast it takes changes
#[derive(Debug, Args)]
#[command(after_help = "Ends with 1 if a store reports an error, with 3 if no server runs.")]
pub struct Arguments {}

pub async fn run(settings: &Settings, _: &Arguments, output: Output) -> anyhow::Result<()> {
    let answer = Operator::new(settings)?.get("/api/v1/stores").await?;
    let stores = answer["stores"].as_array().cloned().unwrap_or_default();
    match output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&answer)?),
        Output::Text => {
            let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let ms = |value: &serde_json::Value| value.as_f64().map_or_else(|| "-".to_owned(), |ms| format!("{ms:.0}"));
            let rows: Vec<Vec<String>> = stores
                .iter()
                .map(|store| {
                    vec![
                        text(&store["store"]),
                        text(&store["connector"]),
                        text(&store["epoch"]),
                        ms(&store["delay_ms"]),
                        ms(&store["age_ms"]),
                        text(&store["rows"]),
                        ms(&store["rows_per_s"]),
                        store["error"].as_str().unwrap_or("ok").to_owned(),
                    ]
                })
                .collect();
            println!("{}", table::render(&["store", "kept in", "epoch", "delay ms", "age ms", "changes", "changes/s", "state"], &rows));
        }
    }
    if stores.iter().any(|store| store["error"].is_string()) { Err(Exit::Found.into()) } else { Ok(()) }
}
