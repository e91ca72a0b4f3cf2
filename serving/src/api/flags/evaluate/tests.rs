use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use super::*;

fn context(value: Value) -> Context {
    let Value::Object(attributes) = value else { panic!("not an object") };
    Context::read(attributes).expect("a context")
}

fn flag(rules: Value) -> Flag {
    let definition = json!({ "type": "string", "variants": {"a": "A", "b": "B", "off": "-"}, "default_variant": "a", "off_variant": "off",
        "is_enabled": true, "rules": rules });
    let definition: Definition = serde_json::from_value(definition).expect("a definition");
    definition.check("").expect("a good definition");
    Flag { key: "f".into(), version: 1, salt: "salt".into(), definition, experiment: None }
}

fn outcome(flag: &Flag, of: Value) -> (String, Reason) {
    let of = context(of);
    let outcome = flag.evaluate(&of).expect("a variant");
    (outcome.variant.to_owned(), outcome.reason)
}

#[test]
fn the_first_rule_whose_conditions_all_hold_decides() {
    let mut flag = flag(json!([
        {"conditions": [{"attribute": "country", "op": "in", "value": ["NO", "SE"]}, {"attribute": "age", "op": "gte", "value": 18}],
         "serve": {"variant": "b"}},
        {"conditions": [{"attribute": "country", "op": "eq", "value": "NO"}], "serve": {"variant": "off"}},
    ]));
    assert_eq!(outcome(&flag, json!({"country": "NO", "age": 18})), ("b".into(), Reason::TargetingMatch));
    assert_eq!(outcome(&flag, json!({"country": "NO", "age": 17.5})), ("off".into(), Reason::TargetingMatch));
    assert_eq!(outcome(&flag, json!({"country": "SE", "age": "18"})), ("a".into(), Reason::Default));
    assert_eq!(outcome(&flag, json!({})), ("a".into(), Reason::Default));
    flag.definition.is_enabled = false;
    assert_eq!(outcome(&flag, json!({"country": "NO", "age": 18})), ("off".into(), Reason::Disabled));
    flag.definition.is_enabled = true;
    flag.definition.rules.clear();
    assert_eq!(outcome(&flag, json!({})), ("a".into(), Reason::Static));
}

#[test]
fn an_experiment_takes_whom_no_rule_decides_and_says_so() {
    let mut flag = flag(json!([{"conditions": [{"attribute": "staff", "op": "eq", "value": true}], "serve": {"variant": "b"}}]));
    let shares = BTreeMap::from([("a".to_owned(), 3000), ("b".to_owned(), 3000)]);
    flag.experiment = Some(Running { key: "e".into(), salt: "other".into(), shares, window_days: 7 });
    let exposed = |of: Value| {
        let of = context(of);
        let outcome = flag.evaluate(&of).expect("a variant");
        (outcome.variant.to_owned(), outcome.reason, outcome.experiment.is_some())
    };
    assert_eq!(exposed(json!({"staff": true, "targetingKey": "k"})), ("b".into(), Reason::TargetingMatch, false));
    assert_eq!(exposed(json!({})), ("a".into(), Reason::Default, false));
    let mut seen = BTreeMap::new();
    for n in 0..1000 {
        let key = format!("k{n}");
        let (variant, reason, is_exposed) = exposed(json!({"targetingKey": key}));
        let expected = match bucket("other", &key) {
            0..3000 => ("a", Reason::Split, true),
            3000..6000 => ("b", Reason::Split, true),
            _ => ("a", Reason::Default, false),
        };
        assert_eq!((variant.as_str(), reason, is_exposed), expected);
        *seen.entry((variant, is_exposed)).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 3);
    flag.definition.is_enabled = false;
    let of = context(json!({"targetingKey": "k1"}));
    assert_eq!(flag.evaluate(&of).expect("a variant").experiment, None);
}

#[test]
fn a_split_needs_to_know_who_asks() {
    let flag = flag(json!([{"serve": {"split": {"b": 10000}}}]));
    assert_eq!(flag.evaluate(&Context::default()), Err(TargetingKeyMissing));
    assert_eq!(outcome(&flag, json!({"targetingKey": "k"})), ("b".into(), Reason::Split));
    // An earlier rule that decides does not ask for it.
    let flag = self::flag(json!([{"conditions": [{"attribute": "x", "op": "exists", "value": true}], "serve": {"variant": "off"}},
        {"serve": {"split": {"b": 10000}}}]));
    assert_eq!(outcome(&flag, json!({"x": 0})), ("off".into(), Reason::TargetingMatch));
}

#[test]
fn each_comparison_holds_for_what_it_should() {
    let holds = |attribute: Value, op: &str, value: Value| {
        let condition: Condition = serde_json::from_value(json!({"attribute": "x", "op": op, "value": value})).expect("a condition");
        condition.holds(&context(if attribute.is_null() { json!({}) } else { json!({"x": attribute}) }))
    };
    let yes = [
        (json!("a"), "eq", json!("a")),
        (json!(1), "eq", json!(1.0)),
        (json!(true), "eq", json!(true)),
        (json!(1.0), "in", json!(["1", 1])),
        (json!("c"), "not_in", json!(["a", "b"])),
        (json!("ab"), "prefix", json!("a")),
        (json!("ab"), "suffix", json!("b")),
        (json!("xaby"), "contains", json!("ab")),
        (json!(["a", 2]), "contains", json!(2)),
        (json!(""), "exists", json!(true)),
        (Value::Null, "exists", json!(false)),
        (json!(9_007_199_254_740_993_i64), "gt", json!(9_007_199_254_740_992_i64)),
        (json!(1.5), "gt", json!(1)),
        (json!(1), "gte", json!(1)),
        (json!(-2), "lt", json!(-1.5)),
        (json!(3), "lte", json!(3)),
        (json!("1.10.0"), "semver_gt", json!("1.9.0")),
        (json!("1.0.0+x"), "semver_eq", json!("1.0.0")),
        (json!("1.0.0"), "semver_gte", json!("1.0.0-rc.1")),
        (json!("1.0.0-rc.1"), "semver_lt", json!("1.0.0")),
        (json!("1.0.0"), "semver_lte", json!("1.0.0")),
    ];
    for (attribute, op, value) in yes {
        assert!(holds(attribute.clone(), op, value.clone()), "{attribute} {op} {value}");
    }
    let no = [
        (json!("1"), "eq", json!(1)),
        (json!("a"), "in", json!(["b"])),
        (json!("a"), "not_in", json!(["a"])),
        (Value::Null, "not_in", json!(["a"])),
        (Value::Null, "exists", json!(true)),
        (json!(false), "exists", json!(false)),
        (json!("ba"), "prefix", json!("a")),
        (json!(12), "prefix", json!("1")),
        (json!("2"), "gt", json!(1)),
        (json!(1), "gt", json!(1)),
        (json!("newest"), "semver_gt", json!("1.0.0")),
        (json!("1.0.0"), "semver_lt", json!("1.0.0")),
    ];
    for (attribute, op, value) in no {
        assert!(!holds(attribute.clone(), op, value.clone()), "{attribute} {op} {value}");
    }
}

/// Somebody who was assigned must be assigned so for ever. The numbers are those of another implementation, written after the paper of BLAKE3.
#[test]
fn buckets_never_change() {
    assert_eq!([bucket("salt", "k1"), bucket("salt", "k2"), bucket("pepper", "k1")], [5119, 6876, 6818]);
}

/// Random splits; one share is raised, at the cost of any others or of nobody.
#[test]
fn who_is_in_a_share_stays_in_it_when_it_is_raised() {
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..300 {
        let variants = random.random_range(1..=5_usize);
        // The last one stands for who is in no share.
        let mut shares = vec![0_u16; variants + 1];
        (0..100).for_each(|_| shares[random.random_range(0..=variants)] += 100);
        let raised = random.random_range(0..variants);
        let mut after = shares.clone();
        for (from, share) in shares.iter().enumerate().filter(|(from, _)| *from != raised) {
            let taken = random.random_range(0..=*share);
            after[from] -= taken;
            after[raised] += taken;
        }
        let split = |shares: &[u16]| (0..variants).map(|index| (format!("v{index}"), shares[index])).collect::<BTreeMap<String, u16>>();
        let (before, after, name) = (split(&shares), split(&after), format!("v{raised}"));
        for bucket in (0..BUCKETS).filter(|bucket| choose(&before, *bucket) == Some(name.as_str())) {
            assert_eq!(choose(&after, bucket), Some(name.as_str()), "bucket {bucket}, from {before:?} to {after:?}");
        }
        // And each share holds as many buckets as it says.
        for (name, share) in &after {
            let held = (0..BUCKETS).filter(|bucket| choose(&after, *bucket) == Some(name.as_str())).count();
            assert_eq!(held, usize::from(*share));
        }
    }
}

/// Keys such as shops have, in a hundred cells: the statistic of a fair die is below 148.2 but for one time in a thousand (chi-square with 99
/// degrees of freedom), and the keys are always the same.
#[test]
fn buckets_are_even_and_those_of_two_flags_have_nothing_in_common() {
    let keys: Vec<String> = (0..20_000).map(|n| format!("customer-{n}")).chain((0..20_000).map(|n| format!("{n:08x}-session"))).collect();
    let chi_square = |cells: &[u32]| {
        let expected = f64::from(cells.iter().sum::<u32>()) / cells.len() as f64;
        cells.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum::<f64>()
    };
    for salt in ["one", "two", "three"] {
        let mut cells = [0; 100];
        keys.iter().for_each(|key| cells[usize::from(bucket(salt, key) / 100)] += 1);
        let statistic = chi_square(&cells);
        assert!(statistic < 148.2, "{salt}: {statistic}");
    }
    // Ten by ten cells of two flags at once: were they related, some pairs would be rare.
    let mut cells = [0; 100];
    keys.iter().for_each(|key| cells[usize::from(bucket("one", key) / 1000 * 10 + bucket("two", key) / 1000)] += 1);
    let statistic = chi_square(&cells);
    assert!(statistic < 148.2, "two flags: {statistic}");
}
