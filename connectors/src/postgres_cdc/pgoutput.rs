//! The messages of PostgreSQL's `pgoutput` plugin (protocol version 1), read without copying.
//!
//! "Logical Replication Message Formats" in PostgreSQL's documentation.

/// A column's value in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Null,
    /// A value kept out of line that the statement did not touch: it is not sent.
    Unchanged,
    Text(&'a [u8]),
}

pub(super) type Row<'a> = Vec<Cell<'a>>;

/// The part of a table that the stream describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    /// `f` for REPLICA IDENTITY FULL, else `d`, `i` or `n`.
    pub replica_identity: u8,
    pub columns: Vec<RelationColumn>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RelationColumn {
    pub name: String,
    pub type_oid: u32,
    pub type_modifier: i32,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    /// Positions are those of the commit record; times are milliseconds since 1970.
    Begin {
        commit_lsn: u64,
        commit_ms: i64,
        xid: u32,
    },
    Commit {
        end_lsn: u64,
    },
    Relation(Relation),
    Insert {
        relation: u32,
        new: Row<'a>,
    },
    Update {
        relation: u32,
        old: Option<Row<'a>>,
        new: Row<'a>,
    },
    Delete {
        relation: u32,
        old: Row<'a>,
    },
    /// A logical message.
    Note {
        prefix: &'a [u8],
    },
    /// Origins, types, truncations: nothing that the log shows.
    Other,
}

/// The message ended early, or has a part of an unknown kind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub &'static str);

/// Microseconds from 1970 to 2000, where PostgreSQL's time begins.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Malformed("the message ends early"))?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed("the message ends early"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    fn text(&mut self) -> Result<&'a [u8], Malformed> {
        let end = self.0.iter().position(|&byte| byte == 0).ok_or(Malformed("a text does not end"))?;
        let text = self.take(end)?;
        self.byte()?;
        Ok(text)
    }

    fn string(&mut self) -> Result<String, Malformed> {
        String::from_utf8(self.text()?.to_vec()).map_err(|_| Malformed("a name is not UTF-8"))
    }

    fn row(&mut self) -> Result<Row<'a>, Malformed> {
        let columns = self.u16()?;
        let mut row = Vec::with_capacity(columns as usize);
        for _ in 0..columns {
            row.push(match self.byte()? {
                b'n' => Cell::Null,
                b'u' => Cell::Unchanged,
                b't' => {
                    let len = self.u32()?;
                    Cell::Text(self.take(len as usize)?)
                }
                _ => return Err(Malformed("a value is neither text nor null")),
            });
        }
        Ok(row)
    }

    fn relation(&mut self) -> Result<Relation, Malformed> {
        let (oid, schema, name) = (self.u32()?, self.string()?, self.string()?);
        let (replica_identity, columns) = (self.byte()?, self.u16()?);
        let mut relation = Relation { oid, schema, name, replica_identity, columns: Vec::with_capacity(columns as usize) };
        for _ in 0..columns {
            let _flags = self.byte()?;
            let name = self.string()?;
            relation.columns.push(RelationColumn { name, type_oid: self.u32()?, type_modifier: self.u32()? as i32 });
        }
        Ok(relation)
    }
}

/// Reads one message.
pub(super) fn parse(message: &[u8]) -> Result<Message<'_>, Malformed> {
    let mut input = Input(message);
    Ok(match input.byte()? {
        b'B' => {
            let (commit_lsn, micros) = (input.u64()?, input.u64()? as i64);
            Message::Begin { commit_lsn, commit_ms: micros.saturating_add(POSTGRES_EPOCH_MICROS).div_euclid(1000), xid: input.u32()? }
        }
        b'C' => {
            let (_flags, _commit_lsn) = (input.byte()?, input.u64()?);
            Message::Commit { end_lsn: input.u64()? }
        }
        b'R' => Message::Relation(input.relation()?),
        b'I' => {
            let relation = input.u32()?;
            match input.byte()? {
                b'N' => Message::Insert { relation, new: input.row()? },
                _ => return Err(Malformed("an insert has no new row")),
            }
        }
        b'U' => {
            let relation = input.u32()?;
            let (old, kind) = match input.byte()? {
                b'K' | b'O' => (Some(input.row()?), input.byte()?),
                kind => (None, kind),
            };
            match kind {
                b'N' => Message::Update { relation, old, new: input.row()? },
                _ => return Err(Malformed("an update has no new row")),
            }
        }
        b'D' => {
            let relation = input.u32()?;
            match input.byte()? {
                b'K' | b'O' => Message::Delete { relation, old: input.row()? },
                _ => return Err(Malformed("a delete has no old row")),
            }
        }
        b'M' => {
            let (_flags, _lsn) = (input.byte()?, input.u64()?);
            Message::Note { prefix: input.text()? }
        }
        b'T' | b'O' | b'Y' => Message::Other,
        _ => return Err(Malformed("a message is of an unknown kind")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `U`, relation 7, old row (`1`, null), new row (`1`, unchanged).
    const UPDATE: &[u8] = b"U\0\0\0\x07O\0\x02t\0\0\0\x011nN\0\x02t\0\0\0\x011u";

    #[test]
    fn an_update_with_its_old_row() {
        let expected =
            Message::Update { relation: 7, old: Some(vec![Cell::Text(b"1"), Cell::Null]), new: vec![Cell::Text(b"1"), Cell::Unchanged] };
        assert_eq!(parse(UPDATE), Ok(expected));
    }

    #[test]
    fn begin_has_the_commit_time() {
        let message = [b"B".as_slice(), &42u64.to_be_bytes(), &1_500_000i64.to_be_bytes(), &9u32.to_be_bytes()].concat();
        assert_eq!(parse(&message), Ok(Message::Begin { commit_lsn: 42, commit_ms: 946_684_801_500, xid: 9 }));
    }

    #[test]
    fn a_message_cut_anywhere_is_an_error_and_never_a_panic() {
        for len in 0..UPDATE.len() {
            assert!(parse(&UPDATE[..len]).is_err(), "{len}");
        }
        assert!(parse(b"Z").is_err());
    }
}
