//! The one binary, `chimera`: `chimera up` runs the platform, the other commands feed, watch and check it.

#[global_allocator]
static ALLOCATOR: dbsp::mimalloc::MiMalloc = dbsp::mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    chimera_serving::commands::main()
}
