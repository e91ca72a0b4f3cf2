//! The command line: one file a command. Data goes to stdout, everything else to stderr.

mod audit;
mod bench;
mod completions;
mod dlq;
mod doctor;
mod down;
mod exit;
mod host;
mod import;
mod instance;
mod notifications;
mod openapi;
mod pipelines;
mod replay;
mod run;
mod settings;
mod simulate;
mod size;
mod sql;
mod status;
mod table;
pub(crate) mod telemetry;
mod ui;
mod up;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

pub use exit::Exit;
pub use settings::Settings;

/// A shop's changes, streamed: PostgreSQL and clicks in, search, stock, recommendations and dashboards out, a fraction of a second old.
#[derive(Debug, Parser)]
#[command(name = "chimera", version, propagate_version = true, max_term_width = 120)]
#[command(after_long_help = "\
Examples:
  chimera up                                   run everything on this machine, with the sample shop
  chimera replay --speed max                   play a real shop's year into it
  chimera verify                               recompute every derived store by plain SQL and compare

Exit codes:
  0  done
  1  failed, or a check found something (differences, missing software, a pipeline with errors)
  2  the command line is wrong
  3  no running server was found, or it did not answer
  4  another instance uses the data folder")]
pub struct Cli {
    #[command(flatten)]
    settings: settings::Arguments,
    /// How results are written to stdout.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(up::Arguments),
    Host(host::Arguments),
    #[command(name = chimera_pipelines::hosts::PART_COMMAND, hide = true)]
    HostPart(host::PartArguments),
    Down(down::Arguments),
    Status(status::Arguments),
    Doctor(doctor::Arguments),
    Import(import::Arguments),
    Replay(replay::Arguments),
    Simulate(simulate::Arguments),
    Verify(verify::Arguments),
    Audit(audit::Arguments),
    Dlq(dlq::Arguments),
    Notifications(notifications::Arguments),
    Sql(sql::Arguments),
    Run(run::Arguments),
    Pipelines(pipelines::Arguments),
    Bench(bench::Arguments),
    Openapi(openapi::Arguments),
    Completions(completions::Arguments),
}

/// Runs the program: parses the command line, sets up logging, and turns what comes of it into an exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let telemetry = telemetry::start(matches!(cli.command, Command::Up(_) | Command::Host(_) | Command::HostPart(_)), runtime.handle());
    let done = runtime.block_on(run(cli));
    drop(telemetry);
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error.downcast_ref(), Some(Exit::Found)) {
                eprintln!("{} {error:#}", ui::red("error:"));
            }
            error.downcast_ref().map_or(ExitCode::FAILURE, Exit::code)
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let output = cli.output;
    let settings = Settings::load(&cli.settings)?;
    match cli.command {
        Command::Up(arguments) => up::run(settings, arguments).await,
        Command::Host(arguments) => host::run(settings, arguments).await,
        Command::HostPart(arguments) => host::run_part(settings, arguments).await,
        Command::Down(arguments) => down::run(&settings, &arguments).await,
        Command::Status(arguments) => status::run(&settings, &arguments, output).await,
        Command::Doctor(arguments) => doctor::run(&arguments, output),
        Command::Import(arguments) => import::run(&settings, &arguments, output).await,
        Command::Replay(arguments) => replay::run(&settings, &arguments, output).await,
        Command::Simulate(arguments) => simulate::run(&settings, &arguments, output).await,
        Command::Verify(arguments) => verify::run(&settings, &arguments, output).await,
        Command::Audit(arguments) => audit::run(&settings, &arguments, output).await,
        Command::Dlq(arguments) => dlq::run(&settings, &arguments, output).await,
        Command::Notifications(arguments) => notifications::run(&settings, &arguments, output).await,
        Command::Sql(arguments) => sql::run(&settings, arguments, output).await,
        Command::Run(arguments) => run::run(arguments, output).await,
        Command::Pipelines(arguments) => pipelines::run(&settings, &arguments, output).await,
        Command::Bench(arguments) => bench::run(&settings, &arguments, output).await,
        Command::Openapi(arguments) => openapi::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
