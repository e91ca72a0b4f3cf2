//! The mark that a store keeps beside its data: which journal's epochs it holds, and up to which one.

use uuid::Uuid;

use super::Applied;
use crate::{EpochChanges, Error, Result};

impl Applied {
    /// `"<incarnation> <epoch>"`, the form in which text stores keep the mark.
    pub fn encode(&self) -> String {
        format!("{} {}", self.incarnation, self.epoch)
    }

    /// Reads what [`Applied::encode`] wrote.
    pub fn decode(connector: &'static str, text: &str) -> Result<Self> {
        let parsed = text
            .split_once(' ')
            .and_then(|(incarnation, epoch)| Some(Self { incarnation: Uuid::parse_str(incarnation).ok()?, epoch: epoch.parse().ok()? }));
        parsed.ok_or_else(|| {
            Error::corrupt(connector, format!("its mark `{text}` is not `<incarnation> <epoch>`; reset the store to have it built anew"))
        })
    }

    /// The mark after the last of `epochs`.
    pub(crate) fn after(epochs: &[EpochChanges]) -> Option<Self> {
        epochs.last().map(|epoch| Self { incarnation: epoch.info.incarnation, epoch: epoch.info.epoch })
    }
}

/// Refuses a store that holds less than it did when it was last looked at: its server came back without its newest writes, and
/// epochs that follow those would leave a gap that nobody sees.
pub(crate) fn not_gone_back(connector: &'static str, known: Option<Applied>, now: Option<Applied>) -> Result<()> {
    let Some(known) = known else { return Ok(()) };
    if now.is_some_and(|now| now.incarnation == known.incarnation && now.epoch >= known.epoch) {
        return Ok(());
    }
    Err(Error::LostWrites { connector, was: known.epoch, now: now.map(|now| now.epoch) })
}

/// The epochs that a store at `applied` does not hold yet.
///
/// Refuses epochs that are out of order, and epochs of another journal than the one that the store was built from.
pub(crate) fn pending<'a>(connector: &'static str, applied: Option<Applied>, epochs: &'a [EpochChanges]) -> Result<&'a [EpochChanges]> {
    let ordered =
        epochs.windows(2).all(|pair| pair[0].info.incarnation == pair[1].info.incarnation && pair[0].info.epoch < pair[1].info.epoch);
    if !ordered {
        return Err(Error::corrupt(connector, "epochs to apply are not of one journal, in ascending order"));
    }
    let (Some(applied), Some(first)) = (applied, epochs.first()) else { return Ok(epochs) };
    if first.info.incarnation != applied.incarnation {
        let message = format!(
            "the store was built from journal {}, the epochs to apply come from journal {}; reset the store first",
            applied.incarnation, first.info.incarnation
        );
        return Err(Error::corrupt(connector, message));
    }
    Ok(&epochs[epochs.partition_point(|epoch| epoch.info.epoch <= applied.epoch)..])
}
