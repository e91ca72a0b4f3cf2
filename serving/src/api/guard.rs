//! What stands around every call to a service of somebody else's: a deadline, a bound on how many are out at once (a bulkhead), and a circuit
//! breaker, which stops calling for a while when calls keep failing.
//!
//! The breaker is the one of Nygard, *Release It!*: closed, open, half-open.

use std::future::Future;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error<E> {
    #[error("it did not answer within {0:?}")]
    TimedOut(Duration),
    #[error("too many calls are waiting for it")]
    Full,
    #[error("it keeps failing, and is left alone for a moment")]
    Open,
    #[error(transparent)]
    Failed(E),
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A call, with waiting for its turn, takes no longer.
    pub deadline: Duration,
    /// Calls at once.
    pub concurrent: usize,
    /// So many failures on end open the breaker.
    pub failures: u32,
    /// How long it stays open at first; twice as long each time that the next call fails too, up to a minute.
    pub rest: Duration,
}

const LONGEST_REST: Duration = Duration::from_secs(60);

/// Around the calls to one service.
pub struct Guard {
    limits: Limits,
    permits: Semaphore,
    breaker: Mutex<Breaker>,
}

#[derive(Debug)]
struct Breaker {
    failures: u32,
    rest: Duration,
    /// Until then nobody calls; after it one does, and the others wait for what comes of it.
    open_until: Option<Instant>,
    is_probing: bool,
}

impl Guard {
    pub fn new(limits: Limits) -> Self {
        let breaker = Breaker { failures: 0, rest: limits.rest, open_until: None, is_probing: false };
        Self { limits, permits: Semaphore::new(limits.concurrent), breaker: Mutex::new(breaker) }
    }

    /// Runs `call`. `is_failure` says which of its errors are the service's failing; others are answers, and show that it works.
    pub async fn run<T, E>(&self, is_failure: impl Fn(&E) -> bool, call: impl Future<Output = Result<T, E>>) -> Result<T, Error<E>> {
        // Dropped before its end (the caller went away): the probe is given back, nothing is learnt.
        let turn = self.enter().ok_or(Error::Open)?;
        let whole = async {
            let _permit = self.permits.acquire().await;
            call.await
        };
        match tokio::time::timeout(self.limits.deadline, whole).await {
            Ok(Ok(value)) => {
                turn.succeeded();
                Ok(value)
            }
            Ok(Err(error)) => {
                if is_failure(&error) {
                    turn.failed()
                } else {
                    turn.succeeded()
                }
                Err(Error::Failed(error))
            }
            Err(_) if self.permits.available_permits() == 0 => {
                turn.failed();
                Err(Error::Full)
            }
            Err(_) => {
                turn.failed();
                Err(Error::TimedOut(self.limits.deadline))
            }
        }
    }

    fn enter(&self) -> Option<Turn<'_>> {
        let mut breaker = self.breaker.lock();
        let is_probe = match breaker.open_until {
            None => false,
            Some(until) if Instant::now() < until || breaker.is_probing => return None,
            Some(_) => true,
        };
        breaker.is_probing |= is_probe;
        Some(Turn { guard: self, is_probe })
    }
}

/// A call that was let through.
struct Turn<'a> {
    guard: &'a Guard,
    is_probe: bool,
}

impl Turn<'_> {
    fn succeeded(&self) {
        let mut breaker = self.guard.breaker.lock();
        // A call that was out when the breaker opened says nothing of now.
        if self.is_probe || breaker.open_until.is_none() {
            breaker.failures = 0;
            breaker.rest = self.guard.limits.rest;
            breaker.open_until = None;
        }
    }

    fn failed(&self) {
        let mut breaker = self.guard.breaker.lock();
        breaker.failures = breaker.failures.saturating_add(1);
        if self.is_probe || (breaker.open_until.is_none() && breaker.failures >= self.guard.limits.failures) {
            breaker.open_until = Some(Instant::now() + breaker.rest);
            breaker.rest = (breaker.rest * 2).min(LONGEST_REST);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.guard.breaker.lock().is_probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const REST: Duration = Duration::from_millis(100);

    fn guard() -> Guard {
        Guard::new(Limits { deadline: Duration::from_millis(200), concurrent: 2, failures: 3, rest: REST })
    }

    async fn call(guard: &Guard, outcome: Result<u8, &'static str>) -> Result<u8, Error<&'static str>> {
        guard.run(|error| *error == "down", async { outcome }).await
    }

    #[tokio::test]
    async fn failures_on_end_open_it_and_a_probe_closes_it() {
        let guard = guard();
        for _ in 0..3 {
            assert!(matches!(call(&guard, Err("down")).await, Err(Error::Failed("down"))));
        }
        assert!(matches!(call(&guard, Ok(1)).await, Err(Error::Open)));
        std::thread::sleep(REST);
        assert_eq!(call(&guard, Ok(1)).await.ok(), Some(1));
        assert_eq!(call(&guard, Ok(2)).await.ok(), Some(2));
    }

    #[tokio::test]
    async fn a_probe_that_fails_keeps_it_open_for_longer() {
        let guard = guard();
        for _ in 0..3 {
            call(&guard, Err("down")).await.ok();
        }
        std::thread::sleep(REST);
        assert!(matches!(call(&guard, Err("down")).await, Err(Error::Failed(_))));
        std::thread::sleep(REST);
        assert!(matches!(call(&guard, Ok(1)).await, Err(Error::Open)), "twice the rest has not passed");
        std::thread::sleep(REST);
        assert_eq!(call(&guard, Ok(1)).await.ok(), Some(1));
    }

    #[tokio::test]
    async fn answers_that_refuse_are_no_failures() {
        let guard = guard();
        for _ in 0..10 {
            assert!(matches!(call(&guard, Err("declined")).await, Err(Error::Failed("declined"))));
        }
        assert!(call(&guard, Ok(1)).await.is_ok());
    }

    #[tokio::test]
    async fn calls_end_by_their_deadline_and_wait_for_their_turn() {
        let guard = guard();
        let endless = || guard.run(|_: &()| true, std::future::pending::<Result<(), ()>>());
        let (a, b, c) = tokio::join!(endless(), endless(), endless());
        for outcome in [a, b, c] {
            assert!(matches!(outcome, Err(Error::TimedOut(_) | Error::Full)));
        }

        let patient = Guard::new(Limits { deadline: Duration::from_secs(30), ..guard.limits });
        let (out, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let counted = || async {
            most.fetch_max(out.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            out.fetch_sub(1, Ordering::SeqCst);
            Ok::<(), ()>(())
        };
        let outcomes = futures::future::join_all((0..20).map(|_| patient.run(|_: &()| true, counted()))).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        // As many at once as there may be, and never one more.
        assert_eq!((most.load(Ordering::SeqCst), out.load(Ordering::SeqCst)), (guard.limits.concurrent, 0));
    }
}
