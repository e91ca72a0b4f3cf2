//! One behavioural suite for every log, and what only the embedded one has to show.

mod behaviour;
mod crash;
mod embedded;
mod speed;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use chimera_connectors::log::{Append, EmbeddedLog, KafkaLog, KafkaOptions, Log, Record};
use chimera_local::KafkaBroker;

/// A record of this topic, at a time of today.
fn record(topic: &str, key: &str, value: impl Into<Bytes>) -> Append {
    let record = Record::new(Some(Bytes::copy_from_slice(key.as_bytes())), Some(value.into()), now_ms());
    Append { topic: topic.to_owned(), partition: None, record }
}

fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

/// Each behaviour as a test of its own on the embedded log, and all of them on one Kafka broker.
macro_rules! suite {
    ($($behaviour:ident),* $(,)?) => {
        $(
            #[test]
            fn $behaviour() {
                let folder = tempfile::tempdir().expect("a folder");
                run(async { behaviour::$behaviour(EmbeddedLog::open(folder.path()).expect("a log")).await });
            }
        )*

        #[test]
        fn kafka_behaves_the_same() {
            let broker = match KafkaBroker::start() {
                Err(error) if error.is_missing() => return eprintln!("skipped: {error}"),
                broker => broker.expect("a broker"),
            };
            run(async {
                let options = KafkaOptions { bootstrap_servers: broker.bootstrap_servers(), transactional_id: "suite".to_owned() };
                let log: Arc<dyn Log> = KafkaLog::open(options).await.expect("a log");
                $(
                    let started = std::time::Instant::now();
                    behaviour::$behaviour(log.clone()).await;
                    eprintln!("kafka: {} in {} ms", stringify!($behaviour), started.elapsed().as_millis());
                )*
                speed::measure("kafka", &log, 20_000).await;
                a_second_appender_shuts_the_first_out(&broker, log).await;
            });
        }
    };
}

suite!(
    records_come_back_in_order,
    a_key_stays_in_its_partition,
    an_append_is_whole_in_all_topics,
    a_refused_append_leaves_nothing,
    tombstones_and_empty_values_are_told_apart,
    headers_travel_with_their_record,
    a_reader_waits_for_the_first_record,
    what_is_in_the_log_is_given_without_a_wait,
    a_reader_may_start_anywhere,
    groups_have_positions_of_their_own,
    old_records_are_dropped,
    what_does_not_exist_is_said,
    large_records_pass_and_larger_ones_are_refused,
    appenders_do_not_disturb_each_other,
    a_topic_is_made_once,
);

async fn a_second_appender_shuts_the_first_out(broker: &KafkaBroker, first: Arc<dyn Log>) {
    let options = KafkaOptions { bootstrap_servers: broker.bootstrap_servers(), transactional_id: "suite".to_owned() };
    let second = KafkaLog::open(options).await.expect("a log");
    second.append(vec![record("fenced", "k", "second")]).await.expect("the newest appender appends");
    let error = first.append(vec![record("fenced", "k", "first")]).await.expect_err("the older one may not");
    assert!(error.to_string().contains("transactional_id"), "{error}");
    let entries = second.read("fenced", 0, 0, 10, std::time::Duration::from_secs(5)).await.expect("records");
    assert_eq!(entries.len(), 1);
}
