//! Chores of the project: `cargo run -p xtask -- tidy` checks what the compiler does not.

mod client;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo run -p xtask -- tidy | client

  tidy    check crate boundaries, file lengths, pipelines and leftovers
  client  make the typed client (client/src/generated) from serving/openapi.json";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => match tidy::run() {
            Ok(problems) if problems.is_empty() => {
                println!("tidy: nothing to complain about");
                ExitCode::SUCCESS
            }
            Ok(problems) => {
                problems.iter().for_each(|problem| eprintln!("tidy: {problem}"));
                ExitCode::FAILURE
            }
            Err(error) => {
                eprintln!("tidy: {error:#}");
                ExitCode::FAILURE
            }
        },
        ["client"] => match client::write() {
            Ok(files) => {
                println!("client: {files} files written");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("client: {error:#}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
