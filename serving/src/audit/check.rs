//! Computes every seal again.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use futures::TryStreamExt;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};

use super::{Change, Seal, seal};

/// Faults that are told one by one; the others are counted.
const TOLD: usize = 100;

/// A seal by number and hash, noted by somebody so that the chain can be held against it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    pub number: u64,
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.hash)
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not NUMBER:HASH, as `chimera audit verify` prints it");
        let (number, hash) = text.split_once(':').ok_or_else(wrong)?;
        let number = number.parse().map_err(|_| wrong())?;
        let hash = blake3::Hash::from_hex(hash).map_err(|_| wrong())?.to_hex().to_string();
        Ok(Self { number, hash })
    }
}

/// Something that is not as it was when it was sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The number of the seal that shows it; `None`: of none.
    pub seal: Option<u64>,
    /// Of the changes; `None`: it is about the chain itself.
    pub topic: Option<String>,
    /// Offsets between which it is.
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub what: String,
}

#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    pub seals: u64,
    /// Changes that the seals speak of.
    pub sealed: u64,
    /// Changes that no seal speaks of yet.
    pub unsealed: u64,
    /// The last seal; note it elsewhere, and give it to the next check.
    pub head: Option<Head>,
    pub faults: u64,
    /// The first of them.
    pub first: Vec<Fault>,
}

impl Outcome {
    pub fn is_whole(&self) -> bool {
        self.faults == 0
    }

    fn fault(&mut self, fault: Fault) {
        self.faults += 1;
        if self.first.len() < TOLD {
            self.first.push(fault);
        }
    }

    fn chain_fault(&mut self, seal: Option<u64>, what: impl Into<String>) {
        self.fault(Fault { seal, topic: None, from: None, to: None, what: what.into() });
    }
}

/// Holds the trail of the database `reporting` against the `seals` of the log, and those against each other and the `noted` ones.
///
/// # Errors
/// The table cannot be read.
pub async fn check(reporting: &mut PgConnection, seals: &[Seal], noted: &[Head]) -> Result<Outcome, sqlx::Error> {
    let mut outcome = Outcome { seals: seals.len() as u64, ..Outcome::default() };
    chain(&mut outcome, seals, noted);
    let topics: Vec<String> = sqlx::query_scalar("SELECT DISTINCT topic FROM audit").fetch_all(&mut *reporting).await?;
    let mut by_topic: BTreeMap<&str, Vec<&Seal>> = topics.iter().map(|topic| (topic.as_str(), Vec::new())).collect();
    for seal in seals {
        by_topic.entry(&seal.topic).or_default().push(seal);
    }
    for (topic, seals) in by_topic {
        changes(&mut outcome, reporting, topic, &seals).await?;
    }
    Ok(outcome)
}

/// The seals alone.
fn chain(outcome: &mut Outcome, seals: &[Seal], noted: &[Head]) {
    let mut before: Option<&Seal> = None;
    for seal in seals {
        let number = before.map_or(0, |before| before.number) + 1;
        if seal.number != number {
            outcome.chain_fault(Some(seal.number), format!("stands where seal {number} should"));
        }
        if seal.hash != seal.link(before.map_or(Seal::NOTHING, |before| &before.hash)) {
            outcome.chain_fault(Some(seal.number), "its hash is not that of what it says and of the seal before it");
        }
        before = Some(seal);
    }
    outcome.head = before.map(|last| Head { number: last.number, hash: last.hash.clone() });
    for noted in noted {
        match seals.iter().find(|seal| seal.number == noted.number) {
            Some(seal) if seal.hash == noted.hash => {}
            Some(_) => outcome.chain_fault(Some(noted.number), "another hash was noted for it: the chain was made anew since"),
            None => outcome.chain_fault(Some(noted.number), "was noted, and is not in the log: the chain was cut off"),
        }
    }
}

/// The changes of a topic, read once, a seal's at a time.
async fn changes(outcome: &mut Outcome, reporting: &mut PgConnection, topic: &str, seals: &[&Seal]) -> Result<(), sqlx::Error> {
    let all = AssertSqlSafe(format!("SELECT {} FROM audit WHERE topic = $1 ORDER BY \"offset\"", Change::COLUMNS));
    let mut rows = sqlx::query_as::<_, Change>(all).bind(topic).fetch(reporting);
    let mut next = rows.try_next().await?;
    for seal in seals {
        let (mut digest, mut found, mut from) = (seal::digest(), 0, seal.from);
        while let Some(change) = next.take_if(|change| change.offset <= seal.to) {
            change.digest(&mut digest);
            (found, from) = (found + 1, from.min(change.offset));
            next = rows.try_next().await?;
        }
        outcome.sealed += seal.changes;
        if digest.finalize().to_hex().as_str() != seal.digest {
            let what = match seal.changes {
                sealed if found < sealed => format!("{} of {sealed} changes are gone", sealed - found),
                sealed if found > sealed => format!("{} changes were added to {sealed}", found - sealed),
                _ => "a change was changed".to_owned(),
            };
            outcome.fault(Fault { seal: Some(seal.number), topic: Some(topic.to_owned()), from: Some(from), to: Some(seal.to), what });
        }
    }
    while next.is_some() {
        outcome.unsealed += 1;
        next = rows.try_next().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seals() -> Vec<Seal> {
        let change = |topic: &str, offset| Change {
            topic: topic.into(),
            offset,
            op: Some("c".into()),
            transaction_id: None,
            committed_ms: Some(5),
            before: None,
            after: Some("{}".into()),
        };
        let mut seals: Vec<Seal> = Vec::new();
        for (topic, offset) in [("a", 0), ("b", 0), ("a", 3), ("a", 4)] {
            seals.extend(Seal::of(&[change(topic, offset)], seals.last(), chrono::DateTime::UNIX_EPOCH));
        }
        seals
    }

    fn faults(seals: &[Seal], noted: &[Head]) -> Vec<u64> {
        let mut outcome = Outcome::default();
        chain(&mut outcome, seals, noted);
        outcome.first.into_iter().filter_map(|fault| fault.seal).collect()
    }

    #[test]
    fn a_chain_that_was_touched_is_not_whole() {
        let whole = seals();
        assert!(faults(&whole, &[]).is_empty());
        let head = |seal: &Seal| Head { number: seal.number, hash: seal.hash.clone() };
        assert!(faults(&whole, &[head(&whole[1]), head(&whole[3])]).is_empty());
        assert_eq!(faults(&whole[..3], &[head(&whole[3])]), [4], "the end was cut off");

        let mut changed = whole.clone();
        changed[1].digest = "0".repeat(64);
        assert_eq!(faults(&changed, &[]), [2]);
        changed[1].hash = changed[1].link(&changed[0].hash);
        assert_eq!(faults(&changed, &[]), [3], "the next one knows the old hash");
        for nth in 2..changed.len() {
            changed[nth].hash = changed[nth].link(&changed[nth - 1].hash);
        }
        assert!(faults(&changed, &[]).is_empty(), "forged to its end");
        assert_eq!(faults(&changed, &[head(&whole[2])]), [3], "but not for who has noted a seal");

        let mut gone = whole;
        gone.remove(1);
        assert_eq!(faults(&gone, &[]), [3, 3], "its number, and its hash");
    }

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let head = Head { number: 7, hash: "ab".repeat(32) };
        assert_eq!(head.to_string().parse(), Ok(head));
        for bad in ["", "7", "x:00", "7:xyz", &format!("-1:{}", "ab".repeat(32))] {
            assert!(bad.parse::<Head>().is_err(), "{bad}");
        }
    }
}
