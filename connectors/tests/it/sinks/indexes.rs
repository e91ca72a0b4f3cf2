//! Indexes of live views: what is found through one is what a scan finds, whatever was written meanwhile.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, Int32Array, RecordBatch, StringArray};
use chimera_connectors::Context;
use chimera_connectors::sink;
use chimera_connectors::sink::view::{Access, Wanted};

use super::model::{History, Random, epoch};
use super::stores::{Kind, context};

const NAME: &str = "shop.View";

type Row = (String, i32, Option<String>);
type Found = BTreeSet<Row>;

fn found(context: &Context, access: Option<Access>) -> Found {
    let moment = Arc::new(context.views.moment());
    let rows = moment.rows(NAME, &[0, 1, 2], access.unwrap_or(Access::Scan)).unwrap().unwrap();
    let mut found = Found::new();
    for batch in rows {
        let batch: RecordBatch = batch.unwrap();
        let texts = |column: usize| batch.column(column).as_any().downcast_ref::<StringArray>().unwrap().clone();
        let parts = batch.column(1).as_any().downcast_ref::<Int32Array>().unwrap().clone();
        let (ids, names) = (texts(0), texts(2));
        for row in 0..batch.num_rows() {
            let name = (!names.is_null(row)).then(|| names.value(row).to_owned());
            assert!(found.insert((ids.value(row).to_owned(), parts.value(row), name)), "a row came twice");
        }
    }
    found
}

/// Waits until the index is complete.
fn complete(context: &Context, index: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !context.views.indexes().iter().any(|info| info.name == index && info.is_complete) {
        assert!(Instant::now() < deadline, "index {index} is not complete: {:?}", context.views.indexes());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Looks for parts, names and ranges of them, by the indexes and by the key, and compares with what a scan finds.
fn check(context: &Context, random: &mut Random) {
    let moment = context.views.moment();
    let all = found(context, None);
    let parts = |parts: &[i32]| Arc::new(Int32Array::from(parts.to_vec())) as ArrayRef;
    let texts = |texts: &[&str]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
    let by_index = |index: &str, wanted: &Wanted| found(context, Some(moment.by_index(NAME, index, wanted).unwrap().expect("the index")));
    let by_key = |wanted: &Wanted| found(context, Some(moment.by_key(NAME, wanted).unwrap().expect("the view")));
    let some = |keep: &dyn Fn(&Row) -> bool| all.iter().filter(|row| keep(row)).cloned().collect::<Found>();

    let (one, other) = (random.below(5) as i32, random.below(5) as i32);
    let wanted = Wanted { equal: vec![parts(&[one, other, 99])], between: None };
    assert_eq!(by_index("parts", &wanted), some(&|row| row.1 == one || row.1 == other));
    let (from, to) = (one.min(other), one.max(other));
    let wanted = Wanted { equal: vec![], between: Some((Bound::Excluded(parts(&[from])), Bound::Included(parts(&[to])))) };
    assert_eq!(by_index("parts", &wanted), some(&|row| row.1 > from && row.1 <= to));
    let Some((id, part, name)) = all.iter().nth(random.below(all.len().max(1) as u64) as usize).cloned() else { return };
    if let Some(name) = &name {
        let wanted = Wanted { equal: vec![texts(&[name]), parts(&[part])], between: None };
        assert_eq!(by_index("names", &wanted), some(&|row| row.2.as_ref() == Some(name) && row.1 == part));
        let wanted = Wanted { equal: vec![], between: Some((Bound::Included(texts(&[name])), Bound::Unbounded)) };
        assert_eq!(by_index("names", &wanted), some(&|row| row.2.as_ref().is_some_and(|other| other >= name)));
    }
    assert_eq!(by_key(&Wanted { equal: vec![texts(&[&id]), parts(&[part])], between: None }).len(), 1);
    assert_eq!(by_key(&Wanted { equal: vec![texts(&[&id, "nobody"])], between: None }), some(&|row| row.0 == id));
    let wanted = Wanted { equal: vec![texts(&[&id])], between: Some((Bound::Unbounded, Bound::Excluded(parts(&[part])))) };
    assert_eq!(by_key(&wanted), some(&|row| row.0 == id && row.1 < part));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_finds_what_a_scan_finds() {
    let folder = tempfile::tempdir().unwrap();
    let open = || context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    let mut random = Random(11);
    let mut history = History::new(12, 6_000);
    let names = ["name".to_owned(), "part".to_owned()];
    {
        let context = open();
        let mut sink = sink::open("view", Kind::View.spec(), context.clone()).await.unwrap();
        for _ in 0..10 {
            sink.apply(&[history.step(1_500)]).await.unwrap();
        }
        // One is built while writes go on, from many steps; the other one is there before.
        context.views.create_index(NAME, "parts", &["part".to_owned()]).unwrap();
        complete(&context, "parts");
        context.views.create_index(NAME, "names", &names).unwrap();
        for _ in 0..20 {
            sink.apply(&[history.step(300)]).await.unwrap();
        }
        complete(&context, "names");
        for _ in 0..20 {
            sink.apply(&[history.step(200)]).await.unwrap();
            check(&context, &mut random);
        }
        assert!(context.views.create_index(NAME, "parts", &names).unwrap_err().to_string().contains("already"));
        assert!(context.views.create_index(NAME, "wrong", &["nothing".to_owned()]).unwrap_err().to_string().contains("nothing"));
        sink.flush().await.unwrap();
    }
    // They are there after a start, and kept from its first write on.
    {
        let context = open();
        let mut sink = sink::open("view", Kind::View.spec(), context.clone()).await.unwrap();
        assert_eq!(context.views.indexes().iter().filter(|index| index.is_complete).count(), 2);
        check(&context, &mut random);
        for _ in 0..10 {
            sink.apply(&[history.step(500)]).await.unwrap();
            check(&context, &mut random);
        }
        // A view that is built anew.
        sink.reset().await.unwrap();
        assert!(found(&context, None).is_empty());
        history = History::new(13, 500);
        for _ in 0..5 {
            sink.apply(&[history.step(400)]).await.unwrap();
            check(&context, &mut random);
        }
        assert!(context.views.drop_index(NAME, "names").unwrap() && !context.views.drop_index(NAME, "names").unwrap());
        assert!(context.views.moment().by_index(NAME, "names", &Wanted::default()).unwrap().is_none());
    }
    let context = open();
    let _sink = sink::open("view", Kind::View.spec(), context.clone()).await.unwrap();
    assert_eq!(context.views.indexes().iter().map(|index| index.name.as_str()).collect::<Vec<_>>(), ["parts"]);
}

/// One that was not complete when the process ended is completed after the next start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_was_being_built_is_built_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let open = || context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    let mut history = History::new(14, 20_000);
    {
        let context = open();
        let mut sink = sink::open("view", Kind::View.spec(), context.clone()).await.unwrap();
        sink.apply(&[history.step(30_000)]).await.unwrap();
        context.views.create_index(NAME, "parts", &["part".to_owned()]).unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    let context = loop {
        // The thread that was building it may hold the folder for a moment.
        match std::panic::catch_unwind(open) {
            Ok(context) => break context,
            Err(_) => assert!(Instant::now() < deadline, "the folder is not free"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let mut sink = sink::open("view", Kind::View.spec(), context.clone()).await.unwrap();
    sink.apply(&[history.step(100)]).await.unwrap();
    complete(&context, "parts");
    let moment = context.views.moment();
    let wanted = Wanted { equal: vec![Arc::new(Int32Array::from(vec![1])) as ArrayRef], between: None };
    let by_index = found(&context, moment.by_index(NAME, "parts", &wanted).unwrap());
    assert!(!by_index.is_empty());
    assert_eq!(by_index, found(&context, None).into_iter().filter(|row| row.1 == 1).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_json_does_not_hold_are_indexed_as_they_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    let mut history = History::new(5, 1);
    let mut sink = sink::open(Kind::View.connector(), Kind::View.spec(), context.clone()).await.unwrap();
    sink.apply(&[history.step(4)]).await.unwrap();
    context.views.create_index(NAME, "ratios", &["part".into(), "ratio".into()]).unwrap();
    complete(&context, "ratios");
    let Some(first) = history.table.values().next().cloned() else { panic!("a row") };
    let mut before = first.clone();
    for (number, ratio) in [f64::NAN, 2.0, f64::INFINITY, 3.0].into_iter().enumerate() {
        let mut after = before.clone();
        after.ratio = Some(ratio);
        let rows = [(before, -1), (after.clone(), 1)];
        sink.apply(&[epoch(history.incarnation, history.number + 1 + number as u64, &rows)]).await.unwrap();
        let wanted = Wanted { equal: vec![Arc::new(Int32Array::from(vec![first.part]))], between: None };
        let by_index = context.views.moment().by_index(NAME, "ratios", &wanted).unwrap().expect("the index");
        let expected: Found = found(&context, None).into_iter().filter(|row| row.1 == first.part).collect();
        assert_eq!(found(&context, Some(by_index)), expected, "{ratio}");
        before = after;
    }
}
