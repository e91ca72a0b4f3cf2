//! Panics of expressions, which must not end a worker.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{PoisonError, RwLock};

thread_local! {
    /// This thread is evaluating an expression.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Written while a circuit starts, which replaces the panic hook of the process; read while an expression runs.
static HOOK: RwLock<()> = RwLock::new(());

/// Runs `f`; a panic in it becomes an error with the panic's message. Not to be nested.
pub(crate) fn catch<T>(f: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let _hook_stays = HOOK.read().unwrap_or_else(PoisonError::into_inner);
    IS_GUARDED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    IS_GUARDED.set(false);
    result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(text.unwrap_or("an expression failed").to_string())
    })
}

/// Starts a circuit. dbsp's panic hook marks the circuit of the thread as failed, even when the panic is caught: afterwards
/// it only hears of panics that are not.
pub(crate) fn starting<T>(start: impl FnOnce() -> T) -> T {
    let _alone = HOOK.write().unwrap_or_else(PoisonError::into_inner);
    let started = start();
    if !std::thread::panicking() {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_GUARDED.get() {
                hook(info);
            }
        }));
    }
    started
}
