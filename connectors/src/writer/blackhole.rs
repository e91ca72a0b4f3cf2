//! Nowhere: for measuring what comes before.

use super::{Writer, WriterSpec};
use crate::{Changes, Result};

pub(super) const CONNECTOR: &str = "blackhole";

struct Blackhole;

pub(super) fn open(spec: &WriterSpec) -> Result<Box<dyn Writer>> {
    let mut options = super::options(CONNECTOR, spec);
    // Rows have a form elsewhere, and a table should do here what it does there.
    options.optional("format");
    options.finish()?;
    Ok(Box::new(Blackhole))
}

impl Writer for Blackhole {
    fn write(&mut self, _: &Changes) -> Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
