//! `chimera sql`: PostgreSQL's own shell on the live views.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, bail};
use clap::Args;

use super::{Settings, instance};
use crate::pg::Role;

/// Read and create live views with psql: SELECT, EXPLAIN, SUBSCRIBE, CREATE MATERIALIZED VIEW
#[derive(Debug, Args)]
#[command(after_help = "\
A view is a table `<pipeline>.<view>`; \\dt *.* lists them. A statement sees all views at one moment. A view that is created follows the
source tables (categories, brands, products, product_variants, product_images, orders, order_items, stock_movements, reorder_points,
clickstream) and other created views; it can be read once it has caught up.

Examples:
  chimera sql
  chimera sql -c 'SELECT country, revenue FROM sales.by_country ORDER BY revenue DESC LIMIT 5'
  chimera sql -c 'COPY (SUBSCRIBE sales.totals) TO STDOUT'
  chimera sql --as analyst -c 'CREATE MATERIALIZED VIEW mine.top AS SELECT sku, sum(quantity) AS units FROM order_items GROUP BY sku'
  chimera sql -c 'EXPLAIN MATERIALIZED VIEW mine.top'
  chimera sql -- --csv -c 'SELECT * FROM trending.trending'")]
pub struct Arguments {
    /// The user whose rights are used
    #[arg(long = "as", value_enum, value_name = "USER", default_value_t = Role::Operator)]
    role: Role,
    /// A statement to run instead of opening the shell; may be given again
    #[arg(short, long, value_name = "SQL")]
    command: Vec<String>,
    /// What else psql is to be told
    #[arg(last = true, value_name = "PSQL OPTION")]
    psql: Vec<String>,
}

pub fn run(settings: &Settings, arguments: &Arguments) -> anyhow::Result<()> {
    let url = instance::views_url(settings, arguments.role)?;
    let mut psql = Command::new("psql");
    psql.arg(url).env("PGPASSWORD", instance::token(&settings.data_dir, arguments.role)?).args(&arguments.psql);
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
