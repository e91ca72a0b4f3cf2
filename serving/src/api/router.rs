//! The one list of routes. Who may call each is decided by [`super::access::RULES`].

use axum::Router;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::{Problem, kinds};
use super::state::App;
use super::{access, assets, graphql, live, middleware, openapi};
use super::{
    audit, auth, carts, catalog, checkout, dlq, events, experiments, feed, flags, health, images, inventory, metrics, notifications,
    orders, payments, pipelines, pricing, problem, products, search, stores, topics, users, views, visual_search,
};

/// Every route of the API, with its description.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(products::get::get_product))
        .routes(routes!(products::related::related_products))
        .routes(routes!(images::get::get_image))
        .routes(routes!(search::get::search))
        .routes(routes!(feed::get::get_feed))
        .routes(routes!(visual_search::create::visual_search))
        .routes(routes!(inventory::get::get_stock))
        .routes(routes!(orders::create::create_order, orders::get::list_orders))
        .routes(routes!(orders::get::get_order))
        .routes(routes!(live::events::order_events))
        .routes(routes!(orders::cancel::cancel_order))
        .routes(routes!(orders::shipments::create_shipment))
        .routes(routes!(orders::shipments::deliver_shipment))
        .routes(routes!(orders::returns::create_return))
        .routes(routes!(orders::returns::decide_return))
        .routes(routes!(checkout::create::create_checkout))
        .routes(routes!(checkout::get::get_checkout))
        .routes(routes!(payments::events::receive_event))
        .routes(routes!(inventory::receipts::create_receipt))
        .routes(routes!(inventory::adjustments::create_adjustment))
        .routes(routes!(inventory::transfers::create_transfer))
        .routes(routes!(inventory::counts::create_count))
        .routes(routes!(inventory::movements::list_movements))
        .routes(routes!(inventory::levels::list_levels))
        .routes(routes!(inventory::reorder_point::put_reorder_point))
        .routes(routes!(inventory::warehouses::list_warehouses, inventory::warehouses::create_warehouse))
        .routes(routes!(inventory::warehouses::put_warehouse))
        .routes(routes!(events::create::create_events))
        .routes(routes!(auth::register::register))
        .routes(routes!(auth::verify_email::verify_email))
        .routes(routes!(auth::verify_email::resend_verification))
        .routes(routes!(auth::log_in::log_in))
        .routes(routes!(auth::refresh::refresh))
        .routes(routes!(auth::log_out::log_out))
        .routes(routes!(auth::password::change_password))
        .routes(routes!(auth::password::forgot_password))
        .routes(routes!(auth::password::reset_password))
        .routes(routes!(auth::session_list::list_sessions))
        .routes(routes!(auth::session_list::end_session))
        .routes(routes!(auth::second_factor::begin_second_factor, auth::second_factor::remove_second_factor))
        .routes(routes!(auth::second_factor::confirm_second_factor))
        .routes(routes!(auth::api_keys::list_api_keys, auth::api_keys::create_api_key))
        .routes(routes!(auth::api_keys::delete_api_key))
        .routes(routes!(auth::accounts::get_me))
        .routes(routes!(auth::accounts::list_accounts))
        .routes(routes!(auth::accounts::change_account))
        .routes(routes!(auth::well_known::get_jwks))
        .routes(routes!(auth::well_known::get_openid_configuration))
        .routes(routes!(users::profile::get_profile, users::profile::put_profile, users::erase::erase_me))
        .routes(routes!(users::by_id::get_user, users::by_id::put_user))
        .routes(routes!(users::export::export_me))
        .routes(routes!(users::addresses::list_addresses, users::addresses::create_address))
        .routes(routes!(users::addresses::put_address, users::addresses::delete_address))
        .routes(routes!(carts::get::get_cart, carts::get::clear_cart))
        .routes(routes!(live::events::cart_events))
        .routes(routes!(carts::items::add_item))
        .routes(routes!(carts::items::set_item, carts::items::remove_item))
        .routes(routes!(carts::merge::merge_cart))
        .routes(routes!(pricing::quotes::create_quote))
        .routes(routes!(pricing::promotions::list_promotions, pricing::promotions::create_promotion))
        .routes(routes!(pricing::promotions::get_promotion, pricing::promotions::put_promotion, pricing::promotions::delete_promotion))
        .routes(routes!(pricing::coupons::list_coupons, pricing::coupons::create_coupons))
        .routes(routes!(pricing::tax_rates::get_tax_rates, pricing::tax_rates::put_tax_rates))
        .routes(routes!(pricing::shipping_rates::get_shipping_rates, pricing::shipping_rates::put_shipping_rates))
        .routes(routes!(catalog::products::collection::list_catalog_products, catalog::products::collection::create_catalog_product))
        .routes(routes!(
            catalog::products::item::get_catalog_product,
            catalog::products::item::put_catalog_product,
            catalog::products::item::patch_catalog_product,
            catalog::products::item::delete_catalog_product
        ))
        .routes(routes!(catalog::products::price::put_price))
        .routes(routes!(catalog::products::price::list_price_changes))
        .routes(routes!(catalog::variants::collection::list_variants, catalog::variants::collection::create_variant))
        .routes(routes!(
            catalog::variants::item::get_variant,
            catalog::variants::item::put_variant,
            catalog::variants::item::delete_variant
        ))
        .routes(routes!(catalog::brands::collection::list_catalog_brands, catalog::brands::collection::create_brand))
        .routes(routes!(catalog::brands::item::get_brand, catalog::brands::item::put_brand, catalog::brands::item::delete_brand))
        .routes(routes!(catalog::categories::collection::list_catalog_categories, catalog::categories::collection::create_category))
        .routes(routes!(
            catalog::categories::item::get_category,
            catalog::categories::item::put_category,
            catalog::categories::item::delete_category
        ))
        .routes(routes!(
            catalog::pictures::collection::list_images,
            catalog::pictures::collection::create_image,
            catalog::pictures::collection::put_images
        ))
        .routes(routes!(catalog::pictures::item::delete_image))
        .routes(routes!(catalog::import::create::import_products))
        .routes(routes!(catalog::navigation::categories::get_categories))
        .routes(routes!(catalog::navigation::brands::get_brands))
        .routes(routes!(notifications::list::list_notifications))
        .routes(routes!(notifications::replay::replay_notifications))
        .routes(routes!(notifications::webhooks::collection::list_webhooks, notifications::webhooks::collection::create_webhook))
        .routes(routes!(
            notifications::webhooks::item::get_webhook,
            notifications::webhooks::item::put_webhook,
            notifications::webhooks::item::delete_webhook
        ))
        .routes(routes!(flags::list::list_flags, flags::create::create_flag))
        .routes(routes!(flags::get::get_flag, flags::put::put_flag, flags::archive::archive_flag))
        .routes(routes!(flags::changes::list_changes))
        .routes(routes!(flags::ofrep::bulk::evaluate_flags))
        .routes(routes!(flags::ofrep::single::evaluate_flag))
        .routes(routes!(experiments::list::list_experiments, experiments::create::create_experiment))
        .routes(routes!(experiments::get::get_experiment, experiments::put::put_experiment))
        .routes(routes!(experiments::start::start_experiment))
        .routes(routes!(experiments::stop::stop_experiment))
        .routes(routes!(experiments::results::experiment_results))
        .routes(routes!(live::ws::open_websocket))
        .routes(routes!(graphql::post::run_query))
        .routes(routes!(graphql::sdl::get_schema))
        .routes(routes!(graphql::ws::subscribe))
        .routes(routes!(views::list::list_views))
        .routes(routes!(views::get::get_view))
        .routes(routes!(views::stream::stream_view))
        .routes(routes!(pipelines::list::list_pipelines))
        .routes(routes!(pipelines::get::get_pipeline))
        .routes(routes!(pipelines::graph::pipeline_graph))
        .routes(routes!(pipelines::diff::diff_pipeline))
        .routes(routes!(pipelines::rebuild::rebuild_pipeline))
        .routes(routes!(stores::list::list_stores))
        .routes(routes!(stores::stream::stream_stores))
        .routes(routes!(stores::rows::store_rows))
        .routes(routes!(topics::records::topic_records))
        .routes(routes!(audit::list::list_audit))
        .routes(routes!(dlq::list::list_letters))
        .routes(routes!(dlq::replay::replay_letters))
        .routes(routes!(problem::page::problem_page))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::get_metrics))
        .routes(routes!(openapi::get_openapi))
}

/// The whole server: the API, the pages, and what happens to every request.
pub fn router(app: App) -> Router {
    routes()
        .split_for_parts()
        .0
        .route_layer(from_fn_with_state(app.clone(), access::check))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(assets::fallback)
        // From the inside to the outside.
        .layer(CatchPanicLayer::custom(middleware::panicked))
        .layer(from_fn_with_state(app.clone(), middleware::limit))
        .layer(CompressionLayer::new())
        .layer(option_layer(app.origins.layer()))
        .layer(from_fn(middleware::observe))
        .with_state(app)
}

async fn method_not_allowed(method: Method) -> Problem {
    Problem::new(&kinds::METHOD_NOT_ALLOWED, format!("This address does not take {method}."))
}
