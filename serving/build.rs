//! Migrations and pages are embedded in the binary: build again when they change. The gRPC service is generated from its description.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    // A folder that is there can be watched; the pages may be built after the binary.
    std::fs::create_dir_all("web/dist")?;
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=web/dist");
    pricing()
}

/// Types, client and server of `proto/pricing.proto`, and the description itself, which the server tells to those who ask.
fn pricing() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_file("proto/pricing.proto")?;
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(folder.join("pricing.bin"), compiler.encode_file_descriptor_set())?;
    Ok(tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?)
}
