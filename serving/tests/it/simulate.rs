//! `chimera simulate` against the whole platform: it finds nothing wrong, and what is wrong it finds.

use std::process::Output;

use serde_json::Value;

use super::platform::chimera;
use super::psql::Shop;

#[test]
fn shoppers_buy_cancel_and_return_and_every_answer_is_checked() {
    let shop = Shop::start();
    let simulate = |seed: &str| -> Output {
        let arguments = ["simulate", "--rate", "8", "--duration", "20", "--seed", seed, "--output", "json"];
        chimera(shop.home.path()).args(arguments).output().expect("simulate runs")
    };
    let said = simulate("1");
    let report: Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
    assert!(said.status.success(), "{}\n{report:#}", String::from_utf8_lossy(&said.stderr));
    let count = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("no {name} in {report:#}"));
    assert_eq!((count("errors"), count("wrong")), (0, 0), "{report:#}");
    assert!(count("journeys") > 10 && count("orders") > 5, "{report:#}");
    // One of five purchases comes with a coupon: it took something off.
    assert!(count("with_coupon") > 0, "{report:#}");
    for request in ["register", "search", "product", "add to cart", "quote", "checkout", "order", "cancel", "return"] {
        let measures = report["requests"].as_array().expect("measures");
        assert!(measures.iter().any(|measure| measure["request"] == request), "nobody asked for: {request}\n{report:#}");
    }

    // A cent too many on every order: what shoppers paid is not what they were shown.
    let cheat =
        "CREATE FUNCTION cheat() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.total_cents := NEW.total_cents + 1; RETURN NEW; END $$;
                 CREATE TRIGGER cheat BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION cheat()";
    shop.database("orders", cheat);
    assert_eq!(shop.database("orders", "SELECT count(*) FROM pg_trigger WHERE tgname = 'cheat'"), "1");
    let said = simulate("2");
    let report: Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
    assert_eq!(said.status.code(), Some(1), "{report:#}");
    assert!(report["wrong"].as_u64().is_some_and(|wrong| wrong > 0), "{report:#}");
    assert!(report["error_messages"].to_string().contains("the order's total is"), "{report:#}");
}
