//! `chimera doctor`.

use clap::Args;
use serde_json::json;

use super::{Exit, Output, table};

/// Say what is installed of what Chimera uses, and how to install what is missing
#[derive(Debug, Args)]
#[command(after_help = "Ends with 1 if something is missing without which `chimera up` does not work.")]
pub struct Arguments {}

pub fn run(_: &Arguments, output: Output) -> anyhow::Result<()> {
    let checks = chimera_local::doctor();
    let healthy = checks.iter().all(|check| check.ok || !check.required);
    match output {
        Output::Json => {
            let checks: Vec<_> = checks
                .iter()
                .map(|check| {
                    json!({ "name": check.name, "purpose": check.purpose, "required": check.required, "ok": check.ok, "found": check.found,
                        "install": (!check.ok).then_some(check.install_hint) })
                })
                .collect();
            println!("{}", serde_json::to_string_pretty(&json!({ "ok": healthy, "checks": checks }))?);
        }
        Output::Text => {
            let state = |check: &chimera_local::Check| match (check.ok, check.required) {
                (true, _) => "ok",
                (false, true) => "MISSING",
                (false, false) => "missing, optional",
            };
            let rows: Vec<Vec<String>> = checks
                .iter()
                .map(|check| {
                    let found = if check.ok { check.found.clone() } else { format!("install: {}", check.install_hint) };
                    vec![check.name.to_owned(), state(check).to_owned(), check.purpose.to_owned(), found]
                })
                .collect();
            println!("{}", table::render(&["what", "state", "for", "found"], &rows));
        }
    }
    if healthy { Ok(()) } else { Err(Exit::Found.into()) }
}
