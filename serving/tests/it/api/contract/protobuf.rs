//! `pricing.proto` against what was released of it: programs that were built with that go on working.

use std::collections::BTreeSet;
use std::path::Path;

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet, ServiceDescriptorProto};

fn compiled(folder: &str) -> FileDescriptorSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    protox::compile(["pricing.proto"], [folder]).unwrap()
}

#[test]
fn pricing_is_what_was_released_and_more() {
    let (released, now) = (compiled("proto/released"), compiled("proto"));
    let breaks = breaks(&released.file[0], &now.file[0]);
    assert!(
        breaks.is_empty(),
        "serving/proto/pricing.proto breaks programs that were built with the released one:\n  {}",
        breaks.join("\n  ")
    );
    assert!(
        released == now,
        "serving/proto/pricing.proto has more than the released one, and breaks nothing: accept it with `cp serving/proto/pricing.proto serving/proto/released/`"
    );
}

/// A sentence for each change that a program built with `old` cannot live with. Numbers and types are what travels; names are what JSON has.
fn breaks(old: &FileDescriptorProto, new: &FileDescriptorProto) -> Vec<String> {
    let mut found = Vec::new();
    if old.package() != new.package() {
        found.push(format!("the package {} is {}", old.package(), new.package()));
    }
    services(&old.service, &new.service, &mut found);
    messages("", &old.message_type, &new.message_type, &mut found);
    enums("", &old.enum_type, &new.enum_type, &mut found);
    found
}

fn services(old: &[ServiceDescriptorProto], new: &[ServiceDescriptorProto], found: &mut Vec<String>) {
    for service in old {
        let Some(now) = new.iter().find(|now| now.name == service.name) else {
            found.push(format!("the service {} is gone", service.name()));
            continue;
        };
        for method in &service.method {
            let at = format!("{}.{}", service.name(), method.name());
            match now.method.iter().find(|now| now.name == method.name) {
                None => found.push(format!("{at} is gone")),
                Some(now) if now.input_type != method.input_type || now.output_type != method.output_type => {
                    found.push(format!("{at} takes or answers another message"));
                }
                Some(now) if now.client_streaming() != method.client_streaming() || now.server_streaming() != method.server_streaming() => {
                    found.push(format!("{at} streams otherwise"));
                }
                Some(_) => {}
            }
        }
    }
}

fn messages(within: &str, old: &[DescriptorProto], new: &[DescriptorProto], found: &mut Vec<String>) {
    for message in old {
        let at = format!("{within}{}", message.name());
        let Some(now) = new.iter().find(|now| now.name == message.name) else {
            found.push(format!("the message {at} is gone"));
            continue;
        };
        for field in &message.field {
            let at = format!("{at}.{}", field.name());
            let is_reserved = now.reserved_range.iter().any(|range| (range.start()..range.end()).contains(&field.number()));
            match now.field.iter().find(|now| now.number == field.number) {
                // Its number must never mean something else.
                None if is_reserved && now.reserved_name.iter().any(|name| name == field.name()) => {}
                None => found.push(format!("{at} is gone, and its number and name are not reserved")),
                Some(now) if now.r#type != field.r#type || now.type_name != field.type_name => {
                    found.push(format!("{at} is of another type"))
                }
                Some(now) if now.label != field.label => found.push(format!("{at} is there once, or often, otherwise than before")),
                Some(now) if now.name != field.name => found.push(format!("{at} is called {}", now.name())),
                Some(now) if now.oneof_index.is_some() != field.oneof_index.is_some() => {
                    found.push(format!("{at} is of a oneof, otherwise than before"))
                }
                Some(_) => {}
            }
        }
        messages(&format!("{at}."), &message.nested_type, &now.nested_type, found);
        enums(&format!("{at}."), &message.enum_type, &now.enum_type, found);
    }
}

fn enums(within: &str, old: &[EnumDescriptorProto], new: &[EnumDescriptorProto], found: &mut Vec<String>) {
    for known in old {
        let now = new.iter().find(|now| now.name == known.name);
        let values = |known: &EnumDescriptorProto| {
            known.value.iter().map(|value| (value.number(), value.name().to_owned())).collect::<BTreeSet<_>>()
        };
        match now {
            None => found.push(format!("the enum {within}{} is gone", known.name())),
            Some(now) => {
                found.extend(values(known).difference(&values(now)).map(|(_, name)| format!("{within}{}.{name} is gone", known.name())))
            }
        }
    }
}

#[test]
fn a_field_that_travels_otherwise_is_found() {
    let old = compiled("proto");
    let changed = |change: &dyn Fn(&mut DescriptorProto)| {
        let mut new = old.file[0].clone();
        change(new.message_type.iter_mut().find(|message| message.name() == "DiscountItem").unwrap());
        breaks(&old.file[0], &new)
    };
    assert!(changed(&|_| {}).is_empty());
    assert_eq!(changed(&|item| drop(item.field.remove(1))), ["DiscountItem.quantity is gone, and its number and name are not reserved"]);
    assert_eq!(changed(&|item| item.field[1].number = Some(9)).len(), 1);
    assert_eq!(
        changed(&|item| item.field[1].set_type(prost_types::field_descriptor_proto::Type::Int64)),
        ["DiscountItem.quantity is of another type"]
    );
    assert_eq!(changed(&|item| item.field[1].name = Some("units".into())), ["DiscountItem.quantity is called units"]);
    let more = |item: &mut DescriptorProto| {
        let field = prost_types::FieldDescriptorProto { number: Some(4), name: Some("note".into()), ..item.field[0].clone() };
        item.field.push(field);
    };
    assert!(changed(&more).is_empty(), "a new field hurts nobody");
    let mut without = old.file[0].clone();
    without.service[0].method.clear();
    assert_eq!(breaks(&old.file[0], &without), ["DiscountService.GetApplicableDiscounts is gone"]);
}
