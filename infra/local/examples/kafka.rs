//! A Kafka broker to try things with: `kafka [FOLDER [PORT]]`. Runs until its standard input ends or Ctrl-C.

use std::io;

use anyhow::{Context, Result};
use chimera_local::KafkaBroker;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".chimera/kafka".to_owned());
    let port = arguments.next().map_or(Ok(9092), |port| port.parse()).context("the second argument is a port")?;
    let broker = KafkaBroker::start_in(folder.as_ref(), port)?;
    eprintln!("Kafka answers on {}; Ctrl-C ends it", broker.bootstrap_servers());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
