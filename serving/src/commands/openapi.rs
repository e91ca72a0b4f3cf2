//! `chimera openapi`.

use clap::Args;

use crate::api::openapi;

/// Print the OpenAPI document of the HTTP API, as `/openapi.json` serves it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chimera openapi | jq '.paths | keys'")]
pub struct Arguments {}

pub fn run(_: &Arguments) -> anyhow::Result<()> {
    print!("{}", openapi::text());
    Ok(())
}
