use super::*;
use arrow::array::{Array, AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use std::collections::HashMap;

fn generator(first_event: u64) -> Generator {
    Generator::new(Config { first_event, events_per_second: 1_000, ..Config::default() })
}

fn integers<'a>(batch: &'a RecordBatch, name: &str) -> &'a [i64] {
    batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().values()
}

fn times<'a>(batch: &'a RecordBatch, name: &str) -> &'a [i64] {
    batch.column_by_name(name).unwrap().as_primitive::<TimestampNanosecondType>().values()
}

#[test]
fn events_do_not_depend_on_how_they_are_batched() {
    let whole = generator(0).next(1_000).unwrap();
    let mut pieces = generator(0);
    let parts = [pieces.next(1).unwrap(), pieces.next(49).unwrap(), pieces.next(333).unwrap(), generator(383).next(617).unwrap()];
    assert_eq!(pieces.next_event(), 383);
    for (index, (name, batch)) in whole.tables().iter().enumerate() {
        let tables: Vec<_> = parts.iter().map(|part| part.tables()[index].1.clone()).collect();
        assert_eq!(&concat_batches(&batch.schema(), &tables).unwrap(), batch, "{name}");
    }
    let other = Generator::new(Config { seed: 2, ..Config::default() }).next(1_000).unwrap();
    assert_ne!(integers(&other.bid, "price"), integers(&whole.bid, "price"));
}

#[test]
fn of_fifty_events_one_is_a_person_three_are_auctions_and_the_rest_bids() {
    let events = generator(0).next(50_000).unwrap();
    let rows: Vec<usize> = events.tables().iter().map(|(_, batch)| batch.num_rows()).collect();
    assert_eq!(rows, [1_000, 3_000, 46_000]);
    assert!(integers(&events.person, "id").iter().copied().eq(1_000..2_000));
    assert!(integers(&events.auction, "id").iter().copied().eq(1_000..4_000));
    // A thousand events a second, in their order.
    let start = Config::default().start_ns;
    assert_eq!(times(&events.person, "date_time")[1], start + 50_000_000);
    assert_eq!(times(&events.bid, "date_time")[0], start + 4_000_000);
    assert!(times(&events.bid, "date_time").is_sorted());
}

#[test]
fn hot_ones_are_as_frequent_as_they_should_be() {
    let events = generator(0).next(200_000).unwrap();
    let share = |values: &[i64], of: &dyn Fn(i64) -> bool| values.iter().filter(|value| of(**value)).count() as f64 / values.len() as f64;
    let auction = share(integers(&events.bid, "auction"), &|id| id % 100 == 0);
    let bidder = share(integers(&events.bid, "bidder"), &|id| id % 100 == 1);
    let seller = share(integers(&events.auction, "seller"), &|id| id % 100 == 0);
    assert!((0.49..0.53).contains(&auction), "{auction}");
    assert!((0.74..0.78).contains(&bidder), "{bidder}");
    assert!((0.74..0.78).contains(&seller), "{seller}");
    let channels = events.bid.column_by_name("channel").unwrap().as_string::<i32>();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    channels.iter().flatten().for_each(|channel| *counts.entry(channel).or_default() += 1);
    let google = counts["Google"] as f64 / channels.len() as f64;
    assert!((0.115..0.135).contains(&google), "{google}");
    assert!(counts.len() > 9_900);
}

#[test]
fn values_are_what_the_queries_expect() {
    let events = generator(0).next(100_000).unwrap();
    let prices = integers(&events.bid, "price");
    assert!(prices.iter().all(|price| (100..=100_000_000).contains(price)));
    let cheap = prices.iter().filter(|price| **price < 10_000).count() as f64 / prices.len() as f64;
    assert!((0.32..0.35).contains(&cheap), "a third is below 100: {cheap}");
    let (begin, end) = (times(&events.auction, "date_time"), times(&events.auction, "expires"));
    let lasts: Vec<i64> = begin.iter().zip(end).map(|(begin, end)| end - begin).collect();
    // A hundred auctions begin in 1,667 events.
    let average = lasts.iter().sum::<i64>() / lasts.len() as i64;
    assert!((1_600_000_000..1_730_000_000).contains(&average), "{average}");
    assert!(lasts.iter().all(|length| (1..=3_334_000_000).contains(length)));
    let urls = events.bid.column_by_name("url").unwrap().as_string::<i32>();
    assert!(urls.iter().flatten().all(|url| url.split('/').count() == 7), "three folders and a page");
    let bytes = |batch: &RecordBatch, name: &str| {
        let texts = batch.column_by_name(name).unwrap().as_string::<i32>();
        texts.value_data().len() as f64 / texts.len() as f64
    };
    assert!((66.0..70.0).contains(&bytes(&events.bid, "extra")));
    assert!((120.0..145.0).contains(&bytes(&events.person, "extra")));
    assert!((375.0..405.0).contains(&bytes(&events.auction, "extra")));
}

#[test]
fn joined_events_are_those_of_the_tables() {
    let events = generator(17).next(203).unwrap();
    let joined = events.joined().unwrap();
    assert_eq!(joined.num_rows(), 203);
    for (name, batch) in events.tables() {
        let structs = joined.column_by_name(name).unwrap().as_struct();
        let kept = arrow::compute::filter(structs, &arrow::compute::is_not_null(structs).unwrap()).unwrap();
        assert_eq!(kept.as_struct().columns(), batch.columns(), "{name}");
    }
    // Event 17 is a bid, event 50 a person, event 51 an auction.
    let is_there = |name: &str, row: usize| joined.column_by_name(name).unwrap().is_valid(row);
    for (row, kind) in [(0, "bid"), (33, "person"), (34, "auction"), (37, "bid")] {
        assert!(["person", "auction", "bid"].iter().all(|name| is_there(name, row) == (*name == kind)), "{row}");
    }
}
