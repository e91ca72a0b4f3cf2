//! How good the search is: against human judgements, and in what a shopper types.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chimera_connectors::sink::tantivy::{SearchIndex, SearchRequest, Sort};
use chimera_connectors::sink::{self, SinkSpec};
use chimera_connectors::{Changes, EpochChanges, EpochInfo, Frontier};
use serde_json::Value;
use uuid::Uuid;

use super::stores::context;

struct Product {
    id: String,
    sku: String,
    name: String,
    brand: String,
    category: Option<String>,
    description: String,
    price_cents: i64,
    available: i64,
    popularity: i64,
}

fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Int64, true);
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        text("sku"),
        text("name"),
        text("brand"),
        text("category"),
        text("description"),
        number("price_cents"),
        number("available"),
        number("popularity"),
    ]))
}

fn spec() -> SinkSpec {
    let options = [
        ("index", "products"),
        ("fields.text", "name^3,sku^2,brand^2,category,description"),
        ("fields.facet", "brand,category"),
        ("fields.fast", "price_cents,available,popularity"),
    ];
    SinkSpec {
        pipeline: "search_index".into(),
        table: "products".into(),
        schema: schema(),
        primary_key: vec!["id".into()],
        options: options.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
    }
}

fn epoch(number: u64, products: &[Product]) -> EpochChanges {
    let text = |get: fn(&Product) -> &str| Arc::new(StringArray::from_iter_values(products.iter().map(get))) as ArrayRef;
    let whole = |get: fn(&Product) -> i64| Arc::new(Int64Array::from_iter_values(products.iter().map(get))) as ArrayRef;
    let columns = vec![
        text(|p| &p.id),
        text(|p| &p.sku),
        text(|p| &p.name),
        text(|p| &p.brand),
        Arc::new(StringArray::from_iter(products.iter().map(|p| p.category.as_deref()))),
        text(|p| &p.description),
        whole(|p| p.price_cents),
        whole(|p| p.available),
        whole(|p| p.popularity),
    ];
    let info = EpochInfo { incarnation: Uuid::from_u128(1), epoch: number, frontier: Frontier::default(), committed_ms: 0 };
    let batch = RecordBatch::try_new(schema(), columns).unwrap();
    EpochChanges { info: Arc::new(info), changes: Changes { batch, weights: vec![1; products.len()] } }
}

/// An index of these products, and what keeps it.
async fn indexed(products: &[Product]) -> (Arc<SearchIndex>, Box<dyn sink::Sink>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path(), "redis://127.0.0.1:1/", "postgres://127.0.0.1:1/");
    let mut sink = sink::open("tantivy", spec(), context.clone()).await.unwrap();
    let started = Instant::now();
    for (number, products) in products.chunks(5_000).enumerate() {
        sink.apply(&[epoch(number as u64 + 1, products)]).await.unwrap();
    }
    if products.len() > 1_000 {
        eprintln!("tantivy: {} products in {:.2} s", products.len(), started.elapsed().as_secs_f64());
    }
    (context.search.get("products").unwrap(), sink, folder)
}

fn ids(index: &SearchIndex, query: &str, limit: usize) -> Vec<String> {
    let response = index.search(&SearchRequest { query: query.into(), limit, ..SearchRequest::default() }).unwrap();
    response.hits.iter().map(|hit| hit.document["id"].as_str().unwrap().to_owned()).collect()
}

fn data() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("CHIMERA_DATA").map_or(root, PathBuf::from).join("icecat");
    if folder.join("judgements.csv").exists() {
        return Some(folder);
    }
    eprintln!("skipped: no {}", folder.display());
    None
}

fn catalogue(folder: &std::path::Path) -> Vec<Product> {
    let file = std::fs::File::open(folder.join("products.jsonl.gz")).unwrap();
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    lines
        .map(|line| {
            let product: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let text = |name: &str| product[name].as_str().unwrap_or_default().to_owned();
            Product {
                id: text("id"),
                sku: text("name"),
                name: text("title"),
                brand: text("supplier"),
                category: product["attr_t_product_type"].as_str().map(str::to_owned),
                description: text("short_description"),
                price_cents: product["price"].as_i64().unwrap_or_default(),
                available: 1,
                popularity: 0,
            }
        })
        .collect()
}

type Judgements = BTreeMap<String, HashMap<String, f64>>;

fn judgements(folder: &std::path::Path) -> Judgements {
    let mut judgements = Judgements::new();
    for record in csv::Reader::from_path(folder.join("judgements.csv")).unwrap().records() {
        let record = record.unwrap();
        judgements.entry(record[0].to_owned()).or_default().insert(record[1].to_owned(), record[2].parse().unwrap());
    }
    // Where nothing is right no order is better than another.
    judgements.retain(|_, grades| grades.values().any(|grade| *grade > 0.0));
    judgements
}

/// nDCG@10: over everything that is found (ungraded = 0), and over what was graded only.
fn ndcg(judgements: &Judgements, mut search: impl FnMut(&str) -> Vec<String>) -> (f64, f64) {
    let discounted = |grades: &[f64]| -> f64 {
        grades.iter().take(10).enumerate().map(|(rank, grade)| (grade.exp2() - 1.0) / (rank as f64 + 2.0).log2()).sum()
    };
    let (mut all, mut judged) = (0.0, 0.0);
    for (query, grades) in judgements {
        let mut ideal: Vec<f64> = grades.values().copied().collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        let found = search(query);
        let every: Vec<f64> = found.iter().map(|id| grades.get(id).copied().unwrap_or(0.0)).collect();
        let graded: Vec<f64> = found.iter().filter_map(|id| grades.get(id).copied()).collect();
        let this = (discounted(&every) / discounted(&ideal), discounted(&graded) / discounted(&ideal));
        if std::env::var_os("CHIMERA_SHOW_QUERIES").is_some() {
            eprintln!("  {:.3} {:.3} {query}", this.0, this.1);
        }
        all += this.0;
        judged += this.1;
    }
    (all / judgements.len() as f64, judged / judgements.len() as f64)
}

/// Tantivy as it comes: its own tokenizer over all columns as one text, words joined by OR.
fn plain_bm25(products: &[Product], judgements: &Judgements) -> (f64, f64) {
    use tantivy::schema::{STORED, STRING, Schema, TEXT, Value as _};
    let mut schema = Schema::builder();
    let id = schema.add_text_field("id", STRING | STORED);
    let text = schema.add_text_field("text", TEXT);
    let index = tantivy::Index::create_in_ram(schema.build());
    let mut writer: tantivy::IndexWriter = index.writer_with_num_threads(1, 50_000_000).unwrap();
    for product in products {
        let mut document = tantivy::TantivyDocument::default();
        document.add_text(id, &product.id);
        document.add_text(text, [&*product.name, &product.sku, &product.brand, &product.description].join(" "));
        writer.add_document(document).unwrap();
    }
    writer.commit().unwrap();
    let searcher = index.reader().unwrap().searcher();
    let parser = tantivy::query::QueryParser::for_index(&index, vec![text]);
    ndcg(judgements, |query| {
        let query = parser.parse_query(query).unwrap();
        let found = searcher.search(&query, &tantivy::collector::TopDocs::with_limit(200).order_by_score()).unwrap();
        let name = |(_, address)| {
            let document: tantivy::TantivyDocument = searcher.doc(address).unwrap();
            document.get_first(id).unwrap().as_str().unwrap().to_owned()
        };
        found.into_iter().map(name).collect()
    })
}

#[tokio::test]
async fn a_real_catalogue_is_searched_better_than_by_plain_bm25() {
    let Some(folder) = data() else { return };
    let (products, judgements) = (catalogue(&folder), judgements(&folder));
    let plain = plain_bm25(&products, &judgements);
    let (index, _sink, _folder) = indexed(&products).await;
    assert_eq!(index.len(), products.len() as u64);
    let mut took = Vec::new();
    let ours = ndcg(&judgements, |query| {
        let started = Instant::now();
        let found = ids(&index, query, 200);
        took.push(started.elapsed());
        found
    });
    took.sort();
    eprintln!("nDCG@10 over {} queries: all {:.4}, judged only {:.4}", judgements.len(), ours.0, ours.1);
    let finished = ndcg(&judgements, |query| ids(&index, &format!("{query} "), 200));
    eprintln!("the last word finished:  all {:.4}, judged only {:.4}", finished.0, finished.1);
    eprintln!("plain BM25:              all {:.4}, judged only {:.4}", plain.0, plain.1);
    eprintln!("search, 200 hits: median {:?}, slowest {:?}", took[took.len() / 2], took[took.len() - 1]);
    let mut request = SearchRequest { limit: 24, facets: vec!["brand".into(), "category".into()], ..SearchRequest::default() };
    let mut took: Vec<_> = judgements
        .keys()
        .map(|query| {
            request.query = query.clone();
            let started = Instant::now();
            index.search(&request).unwrap();
            started.elapsed()
        })
        .collect();
    took.sort();
    eprintln!("search, 24 hits and 2 facets: median {:?}, slowest {:?}", took[took.len() / 2], took[took.len() - 1]);
    assert!(ours.0 > plain.0 + 0.02 && ours.1 > plain.1 + 0.02, "plain BM25 is nearly as good: {ours:?}, {plain:?}");
    assert!(ours.0 > 0.73 && ours.1 > 0.80, "nDCG@10 fell to {ours:?}");
}

fn product(id: &str, name: &str, brand: &str, category: &str, price_cents: i64, popularity: i64) -> Product {
    Product {
        id: id.into(),
        sku: format!("SKU-{id}"),
        name: name.into(),
        brand: brand.into(),
        category: Some(category.into()),
        description: String::new(),
        price_cents,
        available: popularity,
        popularity,
    }
}

fn shop() -> Vec<Product> {
    let mut products = vec![
        product("h1", "Wireless headphones over-ear", "Sony", "Audio", 19_900, 50),
        product("h2", "Headphones case", "Hama", "Accessories", 1_900, 0),
        product("m1", "Gaming mouse 16000 DPI", "Logitech", "Peripherals", 5_900, 10),
        product("m2", "House plant pot", "Elho", "Garden", 900, 5),
        product("w1", "Smart watch with GPS", "Garmin", "Wearables", 24_900, 3),
        product("w2", "Smartwatch strap", "Garmin", "Accessories", 2_900, 8),
        product("b1", "Alkaline AA batteries (4 pack)", "Duracell", "Power", 499, 100),
        product("b2", "Battery charger", "Duracell", "Power", 1_999, 1),
        product("n1", "Notebook dv7-1211EA", "HP", "Computers", 89_900, 2),
        product("f1", "Wi-Fi router AC1900", "TP-Link", "Network", 7_900, 4),
        product("c1", "Café crème mug", "Elho", "Kitchen", 700, 6),
    ];
    products[8].sku = "WH-1000XM4/B".into();
    products
}

#[tokio::test]
async fn what_a_shopper_types_is_found() {
    let (index, mut sink, _folder) = indexed(&shop()).await;
    let first = |query: &str| ids(&index, query, 10).into_iter().next().unwrap_or_default();
    for (query, expected) in [
        ("wireless headphones", "h1"),
        ("headphnes wireles", "h1"),
        ("haedphones sony", "h1"),
        ("gaming mose", "m1"),
        ("gamming mouse", "m1"),
        ("wireless headp", "h1"),
        ("hedpho sony", "h1"),
        ("gam", "m1"),
        ("smartwatch gps", "w1"),
        ("smart watch strap", "w2"),
        ("aa battery", "b1"),
        ("charging batteries charger", "b2"),
        ("dv7-1211EA", "n1"),
        ("dv71211ea", "n1"),
        ("dv7", "n1"),
        ("1211", "n1"),
        ("WH-1000XM4", "n1"),
        ("wh1000xm4b", "n1"),
        ("wh 1000 xm4", "n1"),
        ("sku-f1", "f1"),
        ("wifi", "f1"),
        ("wi fi router", "f1"),
        ("cafe creme", "c1"),
        ("CAFÉ", "c1"),
        ("the mug", "c1"),
    ] {
        assert_eq!(first(query), expected, "{query}");
    }
    // The word as typed stands above one that is a letter away; together they are few enough to show both.
    assert_eq!(ids(&index, "mouse ", 10), ["m1", "m2"]);
    assert_eq!(ids(&index, "house ", 10), ["m2", "m1"]);
    // However popular the other is.
    sink.apply(&[epoch(
        2,
        &[product("m3", "Green house kit", "Elho", "Garden", 900, 1_000_000), product("n2", "Noise meter", "Elho", "Garden", 900, 1)],
    )])
    .await
    .unwrap();
    assert_eq!(ids(&index, "mouse ", 10)[0], "m1");
    // Few have all the words: those that lack one come after them.
    assert_eq!(ids(&index, "duracell charger", 10), ["b2", "b1"]);
    // What cannot be a typing error is none.
    assert!(ids(&index, "zzzzzz", 10).is_empty());
    assert!(ids(&index, "dv8-1211EA ", 10).iter().all(|id| id != "h1"));
    // Nothing has all the words: most of them do.
    let request = |query: &str| SearchRequest { query: query.into(), limit: 10, ..SearchRequest::default() };
    let response = index.search(&request("sony headphones waterproof")).unwrap();
    assert!(response.relaxed);
    assert_eq!(response.hits[0].document["id"], "h1");
    assert!(!index.search(&request("wireless headphones")).unwrap().relaxed);
    // Anything at all may be typed.
    for query in ["\"", "AND OR (", "a:b^2~*?[", "\0", "-", "💣 mouse", &"x ".repeat(10_000), &"y".repeat(100_000)] {
        index.search(&request(query)).unwrap();
    }
}

#[tokio::test]
async fn filters_facets_sorts_and_pages_agree_with_the_rows() {
    let (index, mut sink, _folder) = indexed(&shop()).await;
    let all = SearchRequest { limit: 100, facets: vec!["brand".into(), "category".into()], ..SearchRequest::default() };
    let response = index.search(&all).unwrap();
    assert_eq!((response.total, response.hits.len(), response.applied.unwrap().epoch), (11, 11, 1));
    // Nothing typed: the most popular first.
    assert_eq!(response.hits[0].document["id"], "b1");
    assert_eq!(response.facets["brand"].iter().map(|facet| facet.count).sum::<u64>(), 11);
    assert_eq!((response.facets["brand"][0].value.as_str(), response.facets["brand"][0].count), ("Duracell", 2));

    let garmin = SearchRequest { filters: [("brand".to_owned(), vec!["Garmin".to_owned(), "Sony".to_owned()])].into(), ..all.clone() };
    let response = index.search(&garmin).unwrap();
    assert_eq!(response.total, 3);
    assert_eq!(response.facets["brand"].len(), 2);
    let response = index.search(&SearchRequest { facets_ignore_own_filter: true, ..garmin.clone() }).unwrap();
    assert_eq!(response.facets["brand"].len(), 8);
    assert_eq!(response.facets["category"].iter().map(|facet| facet.count).sum::<u64>(), 3);

    let prices = |request: &SearchRequest| -> Vec<i64> {
        index.search(request).unwrap().hits.iter().map(|hit| hit.document["price_cents"].as_i64().unwrap()).collect()
    };
    let mut expected: Vec<i64> = shop().iter().map(|product| product.price_cents).filter(|price| (900..=24_900).contains(price)).collect();
    expected.sort_unstable();
    let between = SearchRequest { min_price: Some(900), max_price: Some(24_900), sort: Sort::PriceAsc, ..all.clone() };
    assert_eq!(prices(&between), expected);
    expected.reverse();
    assert_eq!(prices(&SearchRequest { sort: Sort::PriceDesc, ..between.clone() }), expected);
    let paged: Vec<i64> = (0..expected.len())
        .flat_map(|offset| prices(&SearchRequest { sort: Sort::PriceDesc, limit: 1, offset, ..between.clone() }))
        .collect();
    assert_eq!(paged, expected);
    assert_eq!(index.search(&SearchRequest { in_stock: true, ..all.clone() }).unwrap().total, 10);

    for wrong in [
        SearchRequest { facets: vec!["colour".into()], ..SearchRequest::default() },
        SearchRequest { filters: [("colour".to_owned(), vec!["red".to_owned()])].into(), ..SearchRequest::default() },
    ] {
        assert!(index.search(&wrong).unwrap_err().to_string().contains("colour"));
    }
    assert_eq!(index.get("h1").unwrap().unwrap()["name"], "Wireless headphones over-ear");
    assert!(index.get("nobody").unwrap().is_none());

    // An update replaces the document; popularity lifts one of two that match alike.
    let mut changed = shop();
    changed.truncate(1);
    changed[0].brand = "Bose".into();
    let mut twins = vec![product("t1", "Red kettle", "A", "Kitchen", 1, 0), product("t2", "Red kettle", "A", "Kitchen", 1, 400)];
    changed.append(&mut twins);
    sink.apply(&[epoch(2, &changed)]).await.unwrap();
    assert_eq!(index.len(), 13);
    assert_eq!(index.get("h1").unwrap().unwrap()["brand"], "Bose");
    assert!(ids(&index, "sony ", 10).is_empty());
    assert_eq!(ids(&index, "red kettle", 10), ["t2", "t1"]);
}
