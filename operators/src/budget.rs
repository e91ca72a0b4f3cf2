//! Memory that tables of several operators, of one circuit or of several, share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How much memory tables may take together. Clones are the same budget: give one to several circuits, and they share it.
#[derive(Clone, Debug)]
pub struct Budget {
    limit: usize,
    all: Arc<Taken>,
    /// What the tables of one circuit have of it.
    circuit: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: AtomicUsize,
    tables: AtomicUsize,
}

impl Budget {
    pub fn new(limit_bytes: usize) -> Self {
        Budget { limit: limit_bytes, all: Arc::default(), circuit: Arc::default() }
    }

    /// The same budget, for one circuit.
    pub(crate) fn of_circuit(&self) -> Self {
        Budget { circuit: Arc::default(), ..self.clone() }
    }

    /// What the tables of a circuit have taken, in bytes, about.
    pub(crate) fn circuit_bytes(&self) -> usize {
        self.circuit.load(Relaxed)
    }

    /// For one more table.
    pub(crate) fn share(&self) -> Share {
        self.all.tables.fetch_add(1, Relaxed);
        Share { budget: self.clone(), bytes: 0 }
    }
}

/// What a table has of a budget. It may always have its even part of it, and more while others need less.
pub(crate) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Share {
    /// Notes how much the table has now.
    pub fn note(&mut self, bytes: usize) {
        for taken in [&self.budget.all.bytes, &*self.budget.circuit] {
            // Wraps around, as a subtraction.
            taken.fetch_add(bytes.wrapping_sub(self.bytes), Relaxed);
        }
        self.bytes = bytes;
    }

    /// How much the table is to give up: enough that it need not soon be asked again.
    pub fn excess(&self) -> usize {
        let taken = self.budget.all.bytes.load(Relaxed);
        let even = self.budget.limit / self.budget.all.tables.load(Relaxed).max(1);
        if taken <= self.budget.limit || self.bytes <= even {
            return 0;
        }
        (taken - self.budget.limit / 8 * 7).min(self.bytes - even / 8 * 7)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.note(0);
        self.budget.all.tables.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_have_what_others_leave() {
        let budget = Budget::new(1000);
        let (mut large, mut small) = (budget.share(), budget.share());
        large.note(900);
        small.note(100);
        assert_eq!((large.excess(), small.excess()), (0, 0));
        small.note(200);
        assert_eq!((large.excess(), small.excess()), (225, 0), "the small one has less than its half");
        small.note(600);
        assert_eq!((large.excess(), small.excess()), (466, 166), "both go below their half");
        drop(small);
        assert_eq!(large.excess(), 0);
    }

    #[test]
    fn circuits_share_a_budget_and_are_told_apart() {
        let budget = Budget::new(1000);
        let circuits = [budget.of_circuit(), budget.of_circuit()];
        let mut shares: Vec<Share> = circuits.iter().map(Budget::share).collect();
        shares[0].note(700);
        shares[1].note(301);
        assert_eq!(circuits.each_ref().map(Budget::circuit_bytes), [700, 301]);
        assert_eq!(shares[0].excess(), 126);
        shares.clear();
        assert_eq!(circuits.each_ref().map(Budget::circuit_bytes), [0, 0]);
    }
}
