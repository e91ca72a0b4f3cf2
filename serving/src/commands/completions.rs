//! `chimera completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chimera completions bash > ~/.local/share/bash-completion/completions/chimera")]
pub struct Arguments {
    shell: Shell,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    clap_complete::generate(arguments.shell, &mut Cli::command(), "chimera", &mut std::io::stdout());
    Ok(())
}
