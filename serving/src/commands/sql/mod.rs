//! `chimera sql`: a shell on the live views.

mod catalog;
mod complete;
mod drawn;
mod format;
mod meta;
mod psql;
mod said;
mod session;
mod shell;

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

use self::session::Session;
use self::shell::Shell;
use super::{Exit, Output, Settings, instance};
use crate::pg::Role;

/// Read and create live views: SELECT, EXPLAIN, SUBSCRIBE, CREATE MATERIALIZED VIEW, CREATE INDEX
#[derive(Debug, Args)]
#[command(after_help = "\
A view is a table `<pipeline>.<view>`; \\d lists them, \\? lists what else the shell knows. A statement ends with a semicolon, and sees all views
at one moment. `SUBSCRIBE <view>;` shows changes as they come, until Ctrl-C. A view that is created follows the source tables (categories,
brands, products, product_variants, product_images, orders, order_items, stock_movements, reorder_points, clickstream) and other created
views; it can be read once it has caught up.

Examples:
  chimera sql
  chimera sql -c 'SELECT country, revenue FROM sales.by_country ORDER BY revenue DESC LIMIT 5'
  chimera sql --format csv -c 'SELECT * FROM trending.trending' > trending.csv
  chimera sql -c 'SUBSCRIBE sales.totals' --format json
  chimera sql --as analyst -c 'CREATE MATERIALIZED VIEW mine.top AS SELECT sku, sum(quantity) AS units FROM order_items GROUP BY sku'
  chimera sql -f report.sql
  chimera sql --psql -- -c '\\dt *.*'")]
pub struct Arguments {
    /// The user whose rights are used
    #[arg(long = "as", value_enum, value_name = "USER", default_value_t = Role::Operator)]
    role: Role,
    /// Statements, or a command with a backslash, to run instead of opening the shell; may be given again
    #[arg(short, long, value_name = "SQL")]
    command: Vec<String>,
    /// A file of statements to run; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How rows are written; `--output json` is the same as `--format json`
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Open PostgreSQL's own shell instead
    #[arg(long)]
    psql: bool,
    /// What psql is to be told
    #[arg(last = true, value_name = "PSQL OPTION", requires = "psql")]
    psql_options: Vec<String>,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, within the terminal's width.
    Table,
    /// An object a line.
    Json,
    /// With a line of names; a null is nothing, an empty text is `""`.
    Csv,
}

pub async fn run(settings: &Settings, arguments: Arguments, output: Output) -> anyhow::Result<()> {
    let url = instance::views_url(settings, arguments.role)?;
    let password = instance::token(&settings.data_dir, arguments.role)?;
    if arguments.psql {
        return psql::run(&url, &password, &arguments.command, &arguments.psql_options);
    }
    let session = Session::connect(&url, &password).await.map_err(|error| Exit::NotRunning(format!("{error:#}")))?;
    let default = if output == Output::Json { Format::Json } else { Format::Table };
    let mut shell = Shell::new(session, arguments.format.unwrap_or(default));
    let is_pipe = !std::io::stdin().is_terminal();
    if arguments.command.is_empty() && arguments.file.is_none() && !is_pipe {
        return shell.interact(settings.data_dir.join("sql_history")).await;
    }
    for command in &arguments.command {
        shell.run_text(command).await?;
    }
    match &arguments.file {
        Some(path) if path.as_os_str() == "-" => shell.run_text(&stdin()?).await,
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            shell.run_text(&text).await
        }
        None if arguments.command.is_empty() => shell.run_text(&stdin()?).await,
        None => Ok(()),
    }
}

fn stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).context("cannot read standard input as text")?;
    Ok(text)
}
