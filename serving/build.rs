//! Migrations and pages are embedded in the binary: build again when they change.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    // The pages are built before; without them the binary says how to build them.
    if std::path::Path::new("web/dist").is_dir() {
        println!("cargo:rerun-if-changed=web/dist");
    }
}
