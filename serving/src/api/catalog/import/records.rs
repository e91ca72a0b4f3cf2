//! Where the records of a file begin and end, with the numbers of their lines.

use std::io::{self, BufRead, Read};

use super::MAX_LINE_BYTES;

/// Records of a line each, or, in CSV, of several where a cell in quotes has a line end. Empty lines are passed over.
pub struct Records<R> {
    file: R,
    is_csv: bool,
    lines: u64,
}

/// A record as it stands in the file.
pub struct Record {
    /// The number of its first line, from 1.
    pub number: u64,
    /// Longer than [`MAX_LINE_BYTES`]: the record is, and not all of it is here.
    pub bytes: Vec<u8>,
}

impl<R: BufRead> Records<R> {
    pub fn new(file: R, is_csv: bool) -> Self {
        Self { file, is_csv, lines: 0 }
    }

    fn read(&mut self) -> io::Result<Option<Record>> {
        loop {
            let mut bytes = Vec::new();
            if !self.read_line(&mut bytes)? {
                return Ok(None);
            }
            let number = self.lines;
            if number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
                bytes.drain(..3);
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let mut place = Place::CellStart;
            let mut seen = 0;
            while self.is_csv && bytes.len() <= MAX_LINE_BYTES {
                place = bytes[seen..].iter().fold(place, |place, byte| place.after(*byte));
                seen = bytes.len();
                if place != Place::Quoted || !self.read_line(&mut bytes)? {
                    break;
                }
            }
            return Ok(Some(Record { number, bytes }));
        }
    }

    /// Appends a line; what is over the limit by more than a byte is thrown away. False: there is no line any more.
    fn read_line(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        let read = Read::take(&mut self.file, MAX_LINE_BYTES as u64 + 1).read_until(b'\n', bytes)?;
        if read > MAX_LINE_BYTES && !bytes.ends_with(b"\n") {
            self.file.skip_until(b'\n')?;
        }
        self.lines += u64::from(read > 0);
        Ok(read > 0)
    }
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// In a cell of CSV. A quote means something at the beginning of a cell only, so that 5" is five inches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    CellStart,
    Plain,
    Quoted,
    /// The end of the quotes, or the first of two that stand for one.
    Quote,
}

impl Place {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Quote,
            (Self::Quoted, _) | (Self::CellStart | Self::Quote, b'"') => Self::Quoted,
            (_, b',') => Self::CellStart,
            _ => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, is_csv: bool) -> Vec<(u64, String)> {
        let records = Records::new(text.as_bytes(), is_csv).map(|record| record.expect("readable"));
        records.map(|record| (record.number, String::from_utf8_lossy(record.bytes.trim_ascii_end()).into_owned())).collect()
    }

    #[test]
    fn records_have_the_numbers_of_their_first_lines() {
        let text = "\u{feff}a,b\r\n\r\n1,\"two\r\nlines, \"\"quoted\"\"\r\n\"\n\n5\" pipe,x\n\"q\"tail\",y\nlast";
        let expected = [(1, "a,b"), (3, "1,\"two\r\nlines, \"\"quoted\"\"\r\n\""), (7, "5\" pipe,x"), (8, "\"q\"tail\",y"), (9, "last")];
        assert_eq!(read(text, true), expected.map(|(number, text)| (number, text.to_owned())));
        let numbers: Vec<u64> = read(text, false).into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [1, 3, 4, 5, 7, 8, 9]);
    }

    #[test]
    fn a_record_that_never_ends_is_cut_off_and_those_behind_it_are_read() {
        let open = format!("a,\"{}\n", "x\n".repeat(MAX_LINE_BYTES / 2));
        let records: Vec<Record> = Records::new(format!("{open}b,1\n").as_bytes(), true).map(|record| record.expect("readable")).collect();
        assert!(records[0].bytes.len() > MAX_LINE_BYTES && records[0].bytes.len() <= 2 * MAX_LINE_BYTES);
        assert_eq!(records.last().map(|record| record.bytes.as_slice()), Some(&b"b,1\n"[..]));
        let long = format!("{}\nb\n", "x".repeat(10 * MAX_LINE_BYTES));
        let numbers: Vec<(u64, usize)> = Records::new(long.as_bytes(), true)
            .map(|record| record.expect("readable"))
            .map(|record| (record.number, record.bytes.len()))
            .collect();
        assert_eq!(numbers, [(1, MAX_LINE_BYTES + 1), (2, 2)]);
    }
}
