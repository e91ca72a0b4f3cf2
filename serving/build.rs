//! Migrations and pages are embedded in the binary: build again when they change.

fn main() -> std::io::Result<()> {
    // A folder that is there can be watched; the pages may be built after the binary.
    std::fs::create_dir_all("web/dist")?;
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=web/dist");
    Ok(())
}
