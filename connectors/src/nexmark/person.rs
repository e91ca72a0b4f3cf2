//! People who sell and bid.

use super::columns::{TIME, Texts, integers, schema, times};
use super::ids::{FIRST_ID, last_person};
use super::random::Random;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;

const AVERAGE_BYTES: usize = 200;
const FIRST_NAMES: [&str; 11] = ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
const LAST_NAMES: [&str; 9] = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
const CITIES: [&str; 10] =
    ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"];
const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];

pub(super) fn columns() -> SchemaRef {
    use DataType::{Int64, Utf8};
    schema(&[
        ("id", &Int64),
        ("name", &Utf8),
        ("email_address", &Utf8),
        ("credit_card", &Utf8),
        ("city", &Utf8),
        ("state", &Utf8),
        ("date_time", &TIME),
        ("extra", &Utf8),
    ])
}

pub(super) struct Persons {
    id: Vec<i64>,
    name: Texts,
    email_address: Texts,
    credit_card: Texts,
    city: Texts,
    state: Texts,
    date_time: Vec<i64>,
    extra: Texts,
}

impl Persons {
    pub fn new(rows: usize) -> Self {
        Persons {
            id: Vec::with_capacity(rows),
            name: Texts::new(rows, 12),
            email_address: Texts::new(rows, 16),
            credit_card: Texts::new(rows, 19),
            city: Texts::new(rows, 9),
            state: Texts::new(rows, 2),
            date_time: Vec::with_capacity(rows),
            extra: Texts::new(rows, AVERAGE_BYTES),
        }
    }

    pub fn push(&mut self, event: u64, time: i64, mut random: Random) {
        self.id.push(last_person(event) + FIRST_ID);
        let (first, last) = (random.one_of(&FIRST_NAMES), random.one_of(&LAST_NAMES));
        let name = self.name.write(|out| [first, " ", last].iter().for_each(|part| out.extend_from_slice(part.as_bytes())));
        let email_address = self.email_address.write(|out| {
            random.word(7, out);
            out.push(b'@');
            random.word(5, out);
            out.extend_from_slice(b".com");
        });
        let credit_card = self.credit_card.write(|out| {
            for group in 0..4 {
                if group > 0 {
                    out.push(b' ');
                }
                out.extend((0..4).map(|_| b'0' + random.below(10) as u8));
            }
        });
        let (city, state) = (random.one_of(&CITIES), random.one_of(&STATES));
        self.city.push(city);
        self.state.push(state);
        self.date_time.push(time);
        let size = 8 + name + email_address + credit_card + city.len() + state.len();
        self.extra.write(|out| random.extra(size, AVERAGE_BYTES, out));
    }

    pub fn finish(self) -> Result<RecordBatch, ArrowError> {
        let arrays = vec![
            integers(self.id),
            self.name.finish()?,
            self.email_address.finish()?,
            self.credit_card.finish()?,
            self.city.finish()?,
            self.state.finish()?,
            times(self.date_time),
            self.extra.finish()?,
        ];
        RecordBatch::try_new(columns(), arrays)
    }
}
