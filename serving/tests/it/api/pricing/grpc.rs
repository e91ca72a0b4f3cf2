//! `pricing.DiscountService`, as a client of gRPC sees it.

use chimera_serving::api::access::Role;
use chimera_serving::grpc;
use chimera_serving::grpc::proto::discount_service_client::DiscountServiceClient;
use chimera_serving::grpc::proto::{DiscountItem, GetApplicableDiscountsRequest, GetApplicableDiscountsResponse};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use super::super::server::{Server, TOKEN};
use super::{promotion, quote};

const SERVICE: &str = "pricing.DiscountService";

struct Running {
    channel: Channel,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), grpc::Error>>,
}

async fn start(server: &Server) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(grpc::serve(server.app.clone(), listener, None, async move { drop(stopped.await) }));
    Running { channel: Endpoint::from_shared(address).unwrap().connect().await.unwrap(), stop, task }
}

async fn ask(
    channel: &Channel,
    token: &str,
    user_id: &str,
    items: &[(&str, i32)],
    currency: &str,
) -> Result<GetApplicableDiscountsResponse, Status> {
    let items =
        items.iter().map(|(id, quantity)| DiscountItem { product_id: (*id).to_owned(), quantity: *quantity, price_cents: 1 }).collect();
    let mut request = Request::new(GetApplicableDiscountsRequest { user_id: user_id.to_owned(), items, currency: currency.to_owned() });
    if !token.is_empty() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    Ok(DiscountServiceClient::new(channel.clone()).get_applicable_discounts(request).await?.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_discounts_are_those_of_http_and_prices_from_outside_count_for_nothing() {
    let Some(server) = Server::start().await else { return };
    let running = start(&server).await;
    server.product("A", 999, 1).await;
    server.product("B", 500, 1).await;
    promotion(&server, json!({ "name": "tenth", "rule": { "kind": "percentage", "basis_points": 1000 }, "priority": 1 })).await;
    promotion(
        &server,
        json!({ "name": "pound", "rule": { "kind": "basket_amount", "amount_cents": 100 }, "currency": "GBP", "priority": 2 }),
    )
    .await;
    let once = json!({ "name": "once", "rule": { "kind": "percentage", "basis_points": 5000 }, "priority": 3, "max_per_customer": 1 });
    promotion(&server, once).await;
    let by_id: uuid::Uuid =
        sqlx::query_scalar("SELECT id FROM products WHERE sku = 'A'").fetch_one(&server.app.databases.catalog).await.unwrap();
    let (by_id, service) = (by_id.to_string(), server.account(Role::Service).await);
    let token = server.session(service, Role::Service).await;

    let told = ask(&running.channel, &token, "", &[(&by_id, 2), ("B", 1)], "GBP").await.unwrap();
    let body = json!({ "items": [{ "sku": "A", "quantity": 2 }, { "sku": "B", "quantity": 1 }] });
    let http = quote(&server, &body).await.ok();
    let expected: Vec<_> = http["discounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|discount| {
            let id = discount["sku"].as_str().map_or("", |sku| if sku == "A" { &by_id } else { sku });
            (discount["promotion_id"].as_str().unwrap().to_owned(), -discount["amount_cents"].as_i64().unwrap(), id.to_owned())
        })
        .collect();
    let found: Vec<_> = told
        .discounts
        .iter()
        .map(|discount| (discount.discount_id.clone(), i64::from(discount.amount_cents), discount.applied_to_product_id.clone()))
        .collect();
    assert_eq!(found, expected);
    // By hand: 199.8 and 50 up, and a pound.
    assert_eq!((told.discounts.len(), told.total_discount_cents), (3, -350));
    // A customer who is named has the limits of their own.
    let named = ask(&running.channel, &token, &service.to_string(), &[("B", 1)], "").await.unwrap();
    assert_eq!(named.total_discount_cents, -(50 + 100 + 175));
    assert_eq!(ask(&running.channel, &token, "", &[], "EUR").await.unwrap(), GetApplicableDiscountsResponse::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_says_who_makes_it_and_is_refused_like_a_request() {
    let Some(server) = Server::start().await else { return };
    let running = start(&server).await;
    server.product("A", 999, 1).await;
    let refused = async |token: &str, user_id: &str, items: &[(&str, i32)], currency: &str| {
        let status = ask(&running.channel, token, user_id, items, currency).await.unwrap_err();
        let problem = status.metadata().get("chimera-problem").map_or("", |name| name.to_str().unwrap()).to_owned();
        (status.code(), problem)
    };
    let problem = |code: Code, name: &str| (code, name.to_owned());
    assert_eq!(refused("", "", &[("A", 1)], "").await, problem(Code::Unauthenticated, "unauthenticated"));
    assert_eq!(refused("chk_wrong", "", &[("A", 1)], "").await, problem(Code::Unauthenticated, "unauthenticated"));
    for (role, is_let_in) in
        [(Role::Shopper, false), (Role::Analyst, false), (Role::Merchandiser, true), (Role::Service, true), (Role::Admin, true)]
    {
        let token = server.session(server.account(role).await, role).await;
        match ask(&running.channel, &token, "", &[("A", 1)], "").await {
            Ok(_) => assert!(is_let_in, "{role:?}"),
            Err(status) => assert!(!is_let_in && status.code() == Code::PermissionDenied, "{role:?}: {status}"),
        }
    }
    assert_eq!(refused(TOKEN, "", &[("nothing", 1)], "").await, problem(Code::InvalidArgument, "unknown-sku"));
    assert_eq!(refused(TOKEN, "", &[("A", -1)], "").await, problem(Code::InvalidArgument, "invalid-body"));
    assert_eq!(refused(TOKEN, "", &vec![("A", 1); 101], "").await, problem(Code::InvalidArgument, "invalid-body"));
    assert_eq!(refused(TOKEN, "someone", &[("A", 1)], "").await, problem(Code::InvalidArgument, ""));
    assert_eq!(refused(TOKEN, "", &[("A", 1)], "USD").await, problem(Code::FailedPrecondition, ""));
    let large = "x".repeat(70_000);
    assert_eq!(refused(TOKEN, "", &[(&large, 1)], "").await, problem(Code::OutOfRange, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_answer_without_a_token_until_the_server_stops() {
    let Some(server) = Server::start().await else { return };
    let running = start(&server).await;
    let mut health = HealthClient::new(running.channel.clone());
    let check = HealthCheckRequest { service: SERVICE.to_owned() };
    assert_eq!(health.check(check.clone()).await.unwrap().into_inner().status().as_str_name(), "SERVING");
    let ask = |request| ServerReflectionRequest { host: String::new(), message_request: Some(request) };
    let requests = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(format!("{SERVICE}.GetApplicableDiscounts"))),
    ];
    let mut reflection = ServerReflectionClient::new(running.channel.clone());
    let mut answers = reflection.server_reflection_info(futures::stream::iter(requests)).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) = answers.message().await.unwrap().unwrap().message_response else {
        panic!("no list of services")
    };
    let mut names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", SERVICE]);
    let Some(MessageResponse::FileDescriptorResponse(file)) = answers.message().await.unwrap().unwrap().message_response else {
        panic!("no description")
    };
    assert_eq!(file.file_descriptor_proto.len(), 1);

    // Who watches health is told of the end, and does not keep it from coming.
    let mut watched = health.watch(check).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status().as_str_name(), "SERVING");
    running.stop.send(()).unwrap();
    assert_eq!(watched.message().await.unwrap().unwrap().status().as_str_name(), "NOT_SERVING");
    drop(watched);
    drop((health, reflection, answers, running.channel));
    running.task.await.unwrap().unwrap();
}
