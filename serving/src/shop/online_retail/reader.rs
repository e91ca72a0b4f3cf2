//! Reads the year's CSV (plain or gzip) into invoices and articles.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use chrono::{DateTime, NaiveDateTime, Utc};
use flate2::read::MultiGzDecoder;
use rust_decimal::Decimal;

use super::Error;
use crate::shop::orders::{Line, Order};

/// Everything that the file holds, or its first invoices.
#[derive(Debug, Default)]
pub struct Year {
    /// In order of time; an invoice whose lines carry several times has the first.
    pub invoices: Vec<Order>,
    pub articles: HashMap<String, Article>,
}

/// What the file's lines say about a stock code.
#[derive(Debug, Default)]
pub struct Article {
    /// How often each description was used.
    pub descriptions: HashMap<String, u32>,
    pub prices: Vec<Decimal>,
    /// Sum of the positive quantities: what has to have come in for the year to be sold.
    pub units_sold: i64,
}

/// A needed column and the names that it goes by in the two editions of the data set.
const COLUMNS: [(&str, &[&str]); 8] = [
    ("InvoiceNo", &["InvoiceNo", "Invoice"]),
    ("StockCode", &["StockCode"]),
    ("Description", &["Description"]),
    ("Quantity", &["Quantity"]),
    ("InvoiceDate", &["InvoiceDate"]),
    ("UnitPrice", &["UnitPrice", "Price"]),
    ("CustomerID", &["CustomerID", "Customer ID"]),
    ("Country", &["Country"]),
];

/// Reads the invoices of `path`, at most the first `limit` of them, whole.
pub fn read(path: &Path, limit: Option<usize>) -> Result<Year, Error> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|source| Error::Open { path: name.clone(), source })?;
    let gzip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let input: Box<dyn Read> = if gzip { Box::new(MultiGzDecoder::new(BufReader::new(file))) } else { Box::new(file) };
    let mut year = parse(input, &name)?;
    if let Some(limit) = limit {
        year.invoices.truncate(limit);
        year.articles = articles_of(&year.invoices, year.articles);
    }
    if year.invoices.is_empty() {
        return Err(Error::Empty(name));
    }
    Ok(year)
}

fn parse(input: impl Read, path: &str) -> Result<Year, Error> {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(input);
    let at_line = |line: u64, message: String| Error::Row { path: path.to_owned(), line, message };
    let headers = reader.headers().map_err(|error| at_line(1, error.to_string()))?.clone();
    let mut columns = [0usize; COLUMNS.len()];
    for ((column, names), index) in COLUMNS.iter().zip(&mut columns) {
        let found = headers.iter().position(|header| names.contains(&header.trim_start_matches('\u{feff}').trim()));
        *index =
            found.ok_or_else(|| Error::Column { path: path.to_owned(), column, found: headers.iter().collect::<Vec<_>>().join(", ") })?;
    }
    let mut year = Year::default();
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| at_line(error.position().map_or(0, |at| at.line()), error.to_string()))? {
        let line = record.position().map_or(0, |at| at.line());
        let row = Row::parse(&columns.map(|column| record.get(column).unwrap_or("").trim())).map_err(|message| at_line(line, message))?;
        add(&mut year, &mut index, row);
    }
    // A stable sort: invoices of one minute stay in the file's order.
    year.invoices.sort_by_key(|invoice| invoice.placed_at);
    Ok(year)
}

fn add(year: &mut Year, index: &mut HashMap<String, usize>, row: Row) {
    let article = year.articles.entry(row.line.sku.clone()).or_default();
    if !row.description.is_empty() {
        *article.descriptions.entry(row.description).or_default() += 1;
    }
    article.prices.push(row.line.unit_price);
    article.units_sold += i64::from(row.line.quantity.max(0));
    let at = *index.entry(row.number.clone()).or_insert_with(|| {
        year.invoices.push(Order {
            is_cancellation: row.number.starts_with(['C', 'c']),
            number: row.number,
            customer_id: row.customer_id,
            country: row.country,
            placed_at: row.at,
            lines: Vec::new(),
        });
        year.invoices.len() - 1
    });
    year.invoices[at].lines.push(row.line);
}

/// What the invoices that are left say about quantities and prices; descriptions stay as the whole file has them.
fn articles_of(invoices: &[Order], mut whole: HashMap<String, Article>) -> HashMap<String, Article> {
    let mut articles: HashMap<String, Article> = HashMap::new();
    for line in invoices.iter().flat_map(|invoice| &invoice.lines) {
        let article = articles.entry(line.sku.clone()).or_insert_with(|| Article {
            descriptions: whole.remove(&line.sku).map(|article| article.descriptions).unwrap_or_default(),
            ..Article::default()
        });
        article.prices.push(line.unit_price);
        article.units_sold += i64::from(line.quantity.max(0));
    }
    articles
}

struct Row {
    number: String,
    description: String,
    at: DateTime<Utc>,
    customer_id: Option<String>,
    country: String,
    line: Line,
}

impl Row {
    /// `fields` stand in the order of [`COLUMNS`].
    fn parse(fields: &[&str; COLUMNS.len()]) -> Result<Self, String> {
        let [number, sku, description, quantity, at, unit_price, customer, country] = *fields;
        if number.is_empty() || sku.is_empty() {
            return Err("a line needs an InvoiceNo and a StockCode".to_owned());
        }
        let unit_price: Decimal = unit_price.parse().map_err(|_| format!("`{unit_price}` is not a price"))?;
        if unit_price.normalize().scale() > 3 {
            return Err(format!("the price {unit_price} has more than three decimals"));
        }
        Ok(Self {
            number: number.to_owned(),
            description: description.split_whitespace().collect::<Vec<_>>().join(" "),
            at: parse_time(at).ok_or_else(|| format!("`{at}` is not a time such as 2010-12-01 08:26:00"))?,
            // The file went through a table of floating point numbers: 17850.0 is customer 17850.
            customer_id: Some(customer.strip_suffix(".0").unwrap_or(customer)).filter(|customer| !customer.is_empty()).map(str::to_owned),
            country: country.to_owned(),
            line: Line {
                sku: sku.to_owned(),
                quantity: quantity.parse().map_err(|_| format!("`{quantity}` is not a quantity"))?,
                unit_price,
            },
        })
    }
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE  HANGING HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536366,71053,LANTERN,1,2010-12-01 08:28:00,3.39,,EIRE
536365,71053,LANTERN,2,2010-12-01 08:27:00,3.39,17850.0,United Kingdom
C536379,85123a,,-1,2010-12-01 09:41:00,27.5,14527.0,United Kingdom
A563187,B,Adjust bad debt,1,2011-08-12 14:52:00,-11062.06,,United Kingdom
";

    #[test]
    fn lines_are_gathered_by_invoice_and_odd_values_are_kept() {
        let year = parse(PIECE.as_bytes(), "piece").expect("a good file");
        assert_eq!(year.invoices.len(), 4);
        let first = &year.invoices[0];
        assert_eq!((first.number.as_str(), first.lines.len(), first.customer_id.as_deref()), ("536365", 2, Some("17850")));
        assert_eq!(first.placed_at.to_rfc3339(), "2010-12-01T08:26:00+00:00", "the first of its times");
        assert_eq!(year.invoices[1].customer_id, None);
        assert!(year.invoices[2].is_cancellation && !year.invoices[3].is_cancellation);
        assert_eq!(year.invoices[3].lines[0].unit_price.to_string(), "-11062.06");
        assert_eq!(year.articles.len(), 4, "85123A and 85123a are two");
        assert_eq!(year.articles["71053"].units_sold, 3);
        assert_eq!(year.articles["85123a"].units_sold, 0);
        assert!(year.articles["85123A"].descriptions.contains_key("WHITE HANGING HEART"));
    }

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let bad = PIECE.replace(",27.5,", ",27.1234,");
        let error = parse(bad.as_bytes(), "piece").expect_err("refused").to_string();
        assert_eq!(error, "piece, line 5: the price 27.1234 has more than three decimals");
        let error = parse("InvoiceNo,Quantity\n".as_bytes(), "piece").expect_err("refused").to_string();
        assert!(error.contains("no column `StockCode`"), "{error}");
    }
}
