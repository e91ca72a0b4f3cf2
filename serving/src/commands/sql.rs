//! `chimera sql`: PostgreSQL's own shell on the live views.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, bail};
use clap::Args;

use super::{Settings, instance};

/// Read live views with psql: SELECT, EXPLAIN, SUBSCRIBE
#[derive(Debug, Args)]
#[command(after_help = "\
A view is a table `<pipeline>.<view>`; \\dt *.* lists them. A statement sees all views at one moment. Only reading is allowed.

Examples:
  chimera sql
  chimera sql -c 'SELECT country, revenue FROM sales.by_country ORDER BY revenue DESC LIMIT 5'
  chimera sql -c 'COPY (SUBSCRIBE sales.totals) TO STDOUT'
  chimera sql -- --csv -c 'SELECT * FROM trending.trending'")]
pub struct Arguments {
    /// A statement to run instead of opening the shell; may be given again
    #[arg(short, long, value_name = "SQL")]
    command: Vec<String>,
    /// What else psql is to be told
    #[arg(last = true, value_name = "PSQL OPTION")]
    psql: Vec<String>,
}

pub fn run(settings: &Settings, arguments: &Arguments) -> anyhow::Result<()> {
    let url = instance::views_url(settings)?;
    let mut psql = Command::new("psql");
    psql.arg(url).env("PGPASSWORD", instance::operator_token(&settings.data_dir)?).args(&arguments.psql);
    for command in &arguments.command {
        psql.arg("-c").arg(command);
    }
    // psql takes this process's place: terminal, signals and exit code are its own.
    let error = psql.exec();
    if error.kind() == std::io::ErrorKind::NotFound {
        bail!("psql is not installed; install it with `apt-get install postgresql-client`");
    }
    Err(error).context("cannot start psql")
}
