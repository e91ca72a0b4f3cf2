//! Files of lines: CSV with a first line that names the columns, or a JSON object a line.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::str::FromStr;

use csv::ByteRecord;
use serde_json::{Map, Value};

use super::MAX_LINE_BYTES;
use super::line::{Fields, Line};
use super::records::{Record, Records};
use super::report::Fault;
use crate::api::catalog::checks::MAX_SKU;
use crate::api::problem::{Problem, Result, kinds};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Ndjson,
}

/// A line, or what is wrong with it.
pub type Checked = std::result::Result<Line, Fault>;
/// The lines of a file. An error ends it: the file itself cannot be read.
pub type Lines = Box<dyn Iterator<Item = Result<Checked>> + Send>;

const COLUMNS: [&str; 10] =
    ["sku", "parent_sku", "name", "description", "brand", "category", "price_cents", "currency", "is_active", "attributes"];

impl Format {
    pub fn lines(self, file: impl Read + Send + 'static) -> Result<Lines> {
        match self {
            Self::Csv => csv_lines(file),
            Self::Ndjson => Ok(ndjson_lines(file)),
        }
    }
}

/// How many lines there are, good or bad; a file whose columns are wrong is refused.
pub fn count(format: Format, file: &File) -> Result<usize> {
    format.lines(rewound(file)?)?.try_fold(0, |count, line| line.map(|_| count + 1))
}

/// The file from its beginning.
pub fn rewound(file: &File) -> Result<File> {
    let mut file = file.try_clone().map_err(Problem::internal)?;
    file.rewind().map_err(Problem::internal)?;
    Ok(file)
}

fn csv_lines(file: impl Read + Send + 'static) -> Result<Lines> {
    let mut records = Records::new(BufReader::new(file), true);
    let header = records.next().transpose().map_err(Problem::internal)?;
    let header = match header {
        Some(record) => cells(&record.bytes).map_err(|said| Problem::new(&kinds::INVALID_BODY, format!("The first line: {said}.")))?,
        None => ByteRecord::new(),
    };
    let columns = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect::<Vec<String>>();
    check_columns(&columns)?;
    Ok(Box::new(records.map(move |record| {
        let Record { number, bytes } = record.map_err(Problem::internal)?;
        if bytes.len() > MAX_LINE_BYTES {
            return Ok(Err(too_long(number)));
        }
        let fields = cells(&bytes).map_err(|said| (None, said)).and_then(|cells| csv_fields(&columns, &cells));
        Ok(fields.map_err(|(sku, message)| Fault { line: number, sku, message }).and_then(|fields| fields.check(number)))
    })))
}

/// Of one record.
fn cells(record: &[u8]) -> std::result::Result<ByteRecord, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(1024).from_reader(record);
    let mut records = reader.byte_records();
    let cells = records.next().transpose().map_err(|error| error.to_string())?.unwrap_or_default();
    match records.next() {
        None => Ok(cells),
        Some(_) => Err("this has a carriage return that ends no line".into()),
    }
}

fn too_long(number: u64) -> Fault {
    Fault { line: number, sku: None, message: format!("this is longer than {MAX_LINE_BYTES} bytes") }
}

fn check_columns(columns: &[String]) -> Result<()> {
    let wrong = |detail: String| Err(Problem::new(&kinds::INVALID_BODY, detail).with("columns", COLUMNS));
    if let Some(unknown) = columns.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        return wrong(format!(
            "The first line names a column `{}` that is not known.",
            unknown.escape_debug().take(100).collect::<String>()
        ));
    }
    let mut seen = HashSet::new();
    if let Some(twice) = columns.iter().find(|name| !seen.insert(name.as_str())) {
        return wrong(format!("The first line names the column `{twice}` twice."));
    }
    if seen.contains("sku") { Ok(()) } else { wrong("The first line names no column `sku`.".into()) }
}

type Wrong = (Option<String>, String);

/// An empty cell says nothing.
fn csv_fields(columns: &[String], record: &ByteRecord) -> std::result::Result<Fields, Wrong> {
    let place = columns.iter().position(|name| name == "sku");
    let sku = String::from_utf8_lossy(place.and_then(|place| record.get(place)).unwrap_or_default()).into_owned();
    let wrong = |message: String| ((!sku.is_empty()).then(|| sku.chars().take(MAX_SKU).collect()), message);
    if record.len() != columns.len() {
        return Err(wrong(format!("this has {} cells, and the first line {}", record.len(), columns.len())));
    }
    let mut read = Fields { sku: sku.clone(), ..Fields::default() };
    for (name, cell) in columns.iter().zip(record) {
        let text = std::str::from_utf8(cell).map_err(|_| wrong(format!("`{name}`: this is not UTF-8")))?;
        if text.trim().is_empty() {
            continue;
        }
        let owned = || Some(text.to_owned());
        match name.as_str() {
            "parent_sku" => read.parent_sku = owned(),
            "name" => read.name = owned(),
            "description" => read.description = owned(),
            "brand" => read.brand = owned(),
            "category" => read.category = owned(),
            "currency" => read.currency = owned(),
            "price_cents" => {
                read.price_cents =
                    Some(parse(text, "a whole number of hundredths").map_err(|said| wrong(format!("`price_cents`: {said}")))?)
            }
            "is_active" => read.is_active = Some(parse(text, "true or false").map_err(|said| wrong(format!("`is_active`: {said}")))?),
            "attributes" => {
                let attributes: Map<String, Value> =
                    serde_json::from_str(text).map_err(|error| wrong(format!("`attributes`: this is no JSON object ({error})")))?;
                read.attributes = Some(attributes);
            }
            _ => {}
        }
    }
    Ok(read)
}

fn parse<T: FromStr>(text: &str, what: &str) -> std::result::Result<T, String> {
    text.trim().parse().map_err(|_| format!("`{}` is not {what}", text.trim().escape_debug().take(40).collect::<String>()))
}

fn ndjson_lines(file: impl Read + Send + 'static) -> Lines {
    Box::new(Records::new(BufReader::new(file), false).map(|record| {
        let Record { number, bytes } = record.map_err(Problem::internal)?;
        Ok(if bytes.len() > MAX_LINE_BYTES { Err(too_long(number)) } else { ndjson_line(&bytes, number) })
    }))
}

fn ndjson_line(line: &[u8], number: u64) -> Checked {
    let fields: Fields = serde_json::from_slice(line).map_err(|error| {
        // The SKU for the report, if that much can be read.
        let sku = serde_json::from_slice::<Value>(line)
            .ok()
            .and_then(|value| value["sku"].as_str().map(|sku| sku.chars().take(MAX_SKU).collect()));
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        Fault { line: number, sku, message: message.to_owned() }
    })?;
    fields.check(number)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(format: Format, text: impl AsRef<[u8]>) -> Vec<(u64, String)> {
        let lines = format.lines(Cursor::new(text.as_ref().to_vec())).expect("a file").map(|line| line.expect("readable"));
        lines
            .map(|line| match line {
                Ok(line) => (line.number, line.sku),
                Err(fault) => (fault.line, format!("{}: {}", fault.sku.unwrap_or_default(), fault.message)),
            })
            .collect()
    }

    #[test]
    fn a_bad_line_of_csv_stops_no_other() {
        let text = b"\xef\xbb\xbfsku,name,price_cents,is_active\nA,Mug,250,true\nB,Cup,2.55,true\nC,\"Two\nlines\",1,\n\nD,\xff,1,true\nE,x\nF,Jug,,yes\nG,Pot,1,false\nH,Pan\r,1,\n";
        let read = read(Format::Csv, text);
        assert_eq!(read.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 3, 4, 7, 8, 9, 10, 11]);
        let told: Vec<&str> = read.iter().map(|(_, told)| told.as_str()).collect();
        assert_eq!(told[0], "A");
        assert_eq!(told[1], "B: `price_cents`: `2.55` is not a whole number of hundredths");
        // A name has one line.
        assert!(told[2].starts_with("C: `name`: this has control characters"), "{told:?}");
        assert_eq!(told[3], "D: `name`: this is not UTF-8");
        assert_eq!(told[4], "E: this has 2 cells, and the first line 4");
        assert_eq!(told[5], "F: `is_active`: `yes` is not true or false");
        assert_eq!(told[6], "G");
        assert_eq!(told[7], ": this has a carriage return that ends no line");
    }

    #[test]
    fn columns_that_are_wrong_refuse_the_file() {
        for (text, said) in [
            ("sku,price\n", "`price`"),
            ("name\n", "no column `sku`"),
            ("sku,sku\n", "twice"),
            ("", "no column `sku`"),
            ("sku,name\rA,x\r", "carriage return"),
        ] {
            let problem = Format::Csv.lines(Cursor::new(text)).err().expect(text);
            assert!(problem.to_string().contains(said), "{text}: {problem}");
        }
    }

    #[test]
    fn a_bad_line_of_json_stops_no_other() {
        let long = format!("{{\"sku\":\"L\",\"name\":\"{}\"}}", "x".repeat(MAX_LINE_BYTES));
        let text = format!(
            "{{\"sku\":\"A\",\"price_cents\":250}}\n\n{{\"sku\":\"B\",\"price_cents\":2.5}}\n{{\"sku\":\"C\",\"colour\":1}}\nnot json\n{long}\n{{\"sku\":\"D\"}}"
        );
        let read = read(Format::Ndjson, text);
        assert_eq!(read.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3, 4, 5, 6, 7]);
        assert!(read[1].1.starts_with("B: invalid type: floating point `2.5`"), "{read:?}");
        assert!(read[2].1.starts_with("C: unknown field `colour`"), "{read:?}");
        assert!(read[3].1.starts_with(": expected"), "{read:?}");
        assert!(read[4].1.contains("longer than 65536 bytes"), "{read:?}");
        assert_eq!(read[5].1, "D");
    }
}
