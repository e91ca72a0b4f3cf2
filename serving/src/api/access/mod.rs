//! Who may call what. [`RULES`] is the one list; a route that is not in it is for administrators.

mod caller;
mod operator;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};

pub use caller::{Caller, Session};
pub use operator::OperatorToken;

use super::problem::{Problem, Result, kinds};
use super::state::App;
use super::{graphql, rate_limit};

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Role {
    /// What is their own.
    Shopper,
    /// Sees dashboards; changes the catalogue, prices and stock.
    Merchandiser,
    /// Reads live views and pipelines.
    Analyst,
    /// Everything.
    Admin,
    /// A program of the shop's: reads what analysts read, sends goods, and places orders that are paid elsewhere.
    Service,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Shopper, Self::Merchandiser, Self::Analyst, Self::Admin, Self::Service];

    pub fn name(self) -> &'static str {
        match self {
            Self::Shopper => "shopper",
            Self::Merchandiser => "merchandiser",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
            Self::Service => "service",
        }
    }
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    /// Public, and one of the ways in: credentials that come along, and may have run out, are not looked at.
    Entrance,
    /// Public, and signed by who sends it, which its handler sees to: it counts only what is signed wrongly, as a way in.
    Signed,
    /// Whoever has an account; what they see of it is their own.
    SignedIn,
    /// Administrators, and these.
    Only(&'static [Role]),
}

/// Those who look at how the shop does.
const READERS: Access = Access::Only(&[Role::Analyst, Role::Merchandiser, Role::Service]);
/// Those who send goods, and take them back.
const FULFILMENT: Access = Access::Only(&[Role::Merchandiser, Role::Service]);
/// Programs of the shop's, such as a till: what they order is paid elsewhere.
const PROGRAMS: Access = Access::Only(&[Role::Service]);
/// Those who decide what the shop offers and shows, and at what price.
const MERCHANDISERS: Access = Access::Only(&[Role::Merchandiser]);
const ADMINS: Access = Access::Only(&[]);

/// The one list of the routes that others than administrators may call.
pub const RULES: &[(Method, &str, Access)] = &[
    (Method::GET, "/api/v1/products/{id}", Access::Public),
    (Method::GET, "/api/v1/products/{id}/related", Access::Public),
    (Method::GET, "/api/v1/images/{id}", Access::Public),
    (Method::GET, "/api/v1/categories", Access::Public),
    (Method::GET, "/api/v1/brands", Access::Public),
    (Method::GET, "/api/v1/search", Access::Public),
    (Method::GET, "/api/v1/feed", Access::Public),
    (Method::POST, "/api/v1/visual-search", Access::Public),
    (Method::GET, "/api/v1/inventory/{sku}", Access::Public),
    (Method::POST, "/api/v1/orders", PROGRAMS),
    (Method::GET, "/api/v1/orders", Access::SignedIn),
    (Method::GET, "/api/v1/orders/{id}", Access::SignedIn),
    (Method::GET, "/api/v1/orders/{id}/events", Access::SignedIn),
    (Method::POST, "/api/v1/orders/{id}/cancel", Access::SignedIn),
    (Method::POST, "/api/v1/orders/{id}/shipments", FULFILMENT),
    (Method::POST, "/api/v1/orders/{id}/shipments/{shipment_id}/delivered", FULFILMENT),
    (Method::POST, "/api/v1/orders/{id}/returns", Access::SignedIn),
    (Method::POST, "/api/v1/orders/{id}/returns/{return_id}", FULFILMENT),
    // Guests buy too: whoever holds the cart's token.
    (Method::POST, "/api/v1/checkout", Access::Public),
    (Method::GET, "/api/v1/checkout/{id}", Access::Public),
    (Method::POST, "/api/v1/payments/events", Access::Signed),
    (Method::POST, "/api/v1/events", Access::Public),
    (Method::GET, "/api/v1/cart", Access::Public),
    (Method::DELETE, "/api/v1/cart", Access::Public),
    (Method::GET, "/api/v1/cart/events", Access::Public),
    (Method::POST, "/api/v1/cart/items", Access::Public),
    (Method::PUT, "/api/v1/cart/items/{sku}", Access::Public),
    (Method::DELETE, "/api/v1/cart/items/{sku}", Access::Public),
    // Each field, and each topic, asks who may see it.
    (Method::POST, graphql::PATH, Access::Public),
    (Method::GET, "/api/v1/graphql/schema", Access::Public),
    (Method::GET, "/api/v1/graphql/ws", Access::Public),
    (Method::GET, "/ws", Access::Public),
    (Method::POST, "/api/v1/auth/register", Access::Entrance),
    (Method::POST, "/api/v1/auth/login", Access::Entrance),
    (Method::POST, "/api/v1/auth/refresh", Access::Entrance),
    (Method::POST, "/api/v1/auth/verify-email", Access::Entrance),
    (Method::POST, "/api/v1/auth/password/forgot", Access::Entrance),
    (Method::POST, "/api/v1/auth/password/reset", Access::Entrance),
    (Method::GET, "/.well-known/jwks.json", Access::Public),
    (Method::GET, "/.well-known/openid-configuration", Access::Public),
    (Method::GET, "/problems/{name}", Access::Public),
    (Method::GET, "/healthz", Access::Public),
    (Method::GET, "/readyz", Access::Public),
    (Method::GET, "/openapi.json", Access::Public),
    (Method::GET, "/api/v1/auth/me", Access::SignedIn),
    (Method::POST, "/api/v1/auth/logout", Access::SignedIn),
    (Method::POST, "/api/v1/auth/verify-email/resend", Access::SignedIn),
    (Method::PUT, "/api/v1/auth/password", Access::SignedIn),
    (Method::GET, "/api/v1/auth/sessions", Access::SignedIn),
    (Method::DELETE, "/api/v1/auth/sessions/{session_id}", Access::SignedIn),
    (Method::POST, "/api/v1/auth/second-factor", Access::SignedIn),
    (Method::POST, "/api/v1/auth/second-factor/confirm", Access::SignedIn),
    (Method::DELETE, "/api/v1/auth/second-factor", Access::SignedIn),
    (Method::GET, "/api/v1/auth/api-keys", Access::SignedIn),
    (Method::POST, "/api/v1/auth/api-keys", Access::SignedIn),
    (Method::DELETE, "/api/v1/auth/api-keys/{key_id}", Access::SignedIn),
    (Method::GET, "/api/v1/users/me", Access::SignedIn),
    (Method::PUT, "/api/v1/users/me", Access::SignedIn),
    (Method::DELETE, "/api/v1/users/me", Access::SignedIn),
    (Method::GET, "/api/v1/users/me/export", Access::SignedIn),
    // Of somebody else: for administrators.
    (Method::GET, "/api/v1/users/{user_id}", Access::SignedIn),
    (Method::PUT, "/api/v1/users/{user_id}", Access::SignedIn),
    (Method::GET, "/api/v1/users/me/addresses", Access::SignedIn),
    (Method::POST, "/api/v1/users/me/addresses", Access::SignedIn),
    (Method::PUT, "/api/v1/users/me/addresses/{id}", Access::SignedIn),
    (Method::DELETE, "/api/v1/users/me/addresses/{id}", Access::SignedIn),
    (Method::POST, "/api/v1/cart/merge", Access::SignedIn),
    (Method::POST, "/api/v1/pricing/quote", Access::Public),
    (Method::GET, "/api/v1/promotions", READERS),
    (Method::POST, "/api/v1/promotions", MERCHANDISERS),
    (Method::GET, "/api/v1/promotions/{id}", READERS),
    (Method::PUT, "/api/v1/promotions/{id}", MERCHANDISERS),
    (Method::DELETE, "/api/v1/promotions/{id}", MERCHANDISERS),
    (Method::GET, "/api/v1/promotions/{id}/coupons", MERCHANDISERS),
    (Method::POST, "/api/v1/promotions/{id}/coupons", MERCHANDISERS),
    (Method::GET, "/api/v1/tax-rates", READERS),
    (Method::PUT, "/api/v1/tax-rates", MERCHANDISERS),
    (Method::GET, "/api/v1/shipping-rates", READERS),
    (Method::PUT, "/api/v1/shipping-rates", MERCHANDISERS),
    (Method::GET, "/api/v1/catalog/products", READERS),
    (Method::POST, "/api/v1/catalog/products", MERCHANDISERS),
    (Method::GET, "/api/v1/catalog/products/{id}", READERS),
    (Method::PUT, "/api/v1/catalog/products/{id}", MERCHANDISERS),
    (Method::PATCH, "/api/v1/catalog/products/{id}", MERCHANDISERS),
    (Method::DELETE, "/api/v1/catalog/products/{id}", MERCHANDISERS),
    (Method::PUT, "/api/v1/catalog/products/{id}/price", MERCHANDISERS),
    (Method::GET, "/api/v1/catalog/products/{id}/price-changes", READERS),
    (Method::GET, "/api/v1/catalog/products/{id}/variants", READERS),
    (Method::POST, "/api/v1/catalog/products/{id}/variants", MERCHANDISERS),
    (Method::GET, "/api/v1/catalog/variants/{id}", READERS),
    (Method::PUT, "/api/v1/catalog/variants/{id}", MERCHANDISERS),
    (Method::DELETE, "/api/v1/catalog/variants/{id}", MERCHANDISERS),
    (Method::GET, "/api/v1/catalog/brands", READERS),
    (Method::POST, "/api/v1/catalog/brands", MERCHANDISERS),
    (Method::GET, "/api/v1/catalog/brands/{id}", READERS),
    (Method::PUT, "/api/v1/catalog/brands/{id}", MERCHANDISERS),
    (Method::DELETE, "/api/v1/catalog/brands/{id}", MERCHANDISERS),
    (Method::GET, "/api/v1/catalog/categories", READERS),
    (Method::POST, "/api/v1/catalog/categories", MERCHANDISERS),
    (Method::GET, "/api/v1/catalog/categories/{id}", READERS),
    (Method::PUT, "/api/v1/catalog/categories/{id}", MERCHANDISERS),
    (Method::DELETE, "/api/v1/catalog/categories/{id}", MERCHANDISERS),
    (Method::GET, "/api/v1/catalog/products/{id}/images", READERS),
    (Method::POST, "/api/v1/catalog/products/{id}/images", MERCHANDISERS),
    (Method::PUT, "/api/v1/catalog/products/{id}/images", MERCHANDISERS),
    (Method::DELETE, "/api/v1/catalog/products/{id}/images/{image_id}", MERCHANDISERS),
    (Method::POST, "/api/v1/catalog/import", MERCHANDISERS),
    (Method::POST, "/ofrep/v1/evaluate/flags", Access::Public),
    (Method::POST, "/ofrep/v1/evaluate/flags/{key}", Access::Public),
    (Method::GET, "/api/v1/flags", READERS),
    (Method::POST, "/api/v1/flags", MERCHANDISERS),
    (Method::GET, "/api/v1/flags/{key}", READERS),
    (Method::PUT, "/api/v1/flags/{key}", MERCHANDISERS),
    (Method::DELETE, "/api/v1/flags/{key}", MERCHANDISERS),
    (Method::GET, "/api/v1/flags/{key}/changes", READERS),
    (Method::GET, "/api/v1/experiments", READERS),
    (Method::POST, "/api/v1/experiments", MERCHANDISERS),
    (Method::GET, "/api/v1/experiments/{key}", READERS),
    (Method::PUT, "/api/v1/experiments/{key}", MERCHANDISERS),
    (Method::POST, "/api/v1/experiments/{key}/start", MERCHANDISERS),
    (Method::POST, "/api/v1/experiments/{key}/stop", MERCHANDISERS),
    (Method::GET, "/api/v1/experiments/{key}/results", READERS),
    (Method::GET, "/api/v1/warehouses", READERS),
    (Method::POST, "/api/v1/warehouses", MERCHANDISERS),
    (Method::PUT, "/api/v1/warehouses/{code}", MERCHANDISERS),
    (Method::POST, "/api/v1/inventory/receipts", FULFILMENT),
    (Method::POST, "/api/v1/inventory/adjustments", MERCHANDISERS),
    (Method::POST, "/api/v1/inventory/transfers", MERCHANDISERS),
    (Method::POST, "/api/v1/inventory/counts", MERCHANDISERS),
    (Method::GET, "/api/v1/inventory/{sku}/movements", READERS),
    (Method::GET, "/api/v1/inventory/{sku}/warehouses", READERS),
    (Method::PUT, "/api/v1/inventory/{sku}/reorder-point", MERCHANDISERS),
    (Method::GET, "/api/v1/views", READERS),
    (Method::GET, "/api/v1/views/{name}", READERS),
    (Method::GET, "/api/v1/views/{name}/stream", READERS),
    (Method::GET, "/api/v1/pipelines", READERS),
    (Method::GET, "/api/v1/pipelines/{name}", READERS),
    (Method::GET, "/api/v1/pipelines/{name}/graph", READERS),
    (Method::GET, "/api/v1/stores", READERS),
    (Method::GET, "/api/v1/stores/stream", READERS),
];

impl Access {
    /// HEAD is GET without the body.
    pub fn of(method: &Method, path: &str) -> Self {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        RULES.iter().find(|(of, at, _)| of == method && *at == path).map_or(ADMINS, |(_, _, access)| *access)
    }

    /// Whether a caller need not say who they are.
    pub fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::Entrance | Self::Signed)
    }

    pub fn allows(self, role: Role) -> bool {
        match self {
            Self::Public | Self::Entrance | Self::Signed | Self::SignedIn => true,
            Self::Only(roles) => role == Role::Admin || roles.contains(&role),
        }
    }
}

/// Finds out who sends a request, and lets it through to its route if they may call that.
///
/// Credentials that are wrong are refused on public routes too: a client whose token has run out learns it there.
pub async fn check(State(app): State<App>, mut request: Request, next: Next) -> Result<Response> {
    // A request that matched no path has no route to guard, but is refused all the same.
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let access = Access::of(request.method(), path);
    let sender = rate_limit::Sender::of(&request, &app.proxies);
    let asks_who = !matches!(access, Access::Entrance | Access::Signed);
    let known = if asks_who { caller(&app, request.headers()).await } else { Ok(None) };
    // Guesses are counted like log-ins.
    let counted = if known.is_err() { Access::Entrance } else { access };
    // What a query in a body does, its handler counts once it has read it.
    let says_itself = path == graphql::PATH;
    if known.is_err() || !(says_itself || access == Access::Signed) {
        rate_limit::count(&app, &sender, counted, known.as_ref().ok().and_then(Option::as_ref)).await?;
    }
    let caller = known?;
    match &caller {
        None if access.is_public() => {}
        None => return Err(unauthenticated("The request carries no bearer token.")),
        Some(caller) if !access.allows(caller.role) => {
            let detail = format!("A {} may not call {} {path}.", caller.role.name(), request.method());
            return Err(Problem::new(&kinds::FORBIDDEN, detail));
        }
        Some(caller) if caller.is_read_only && !request.method().is_safe() && !says_itself => {
            return Err(Problem::new(&kinds::FORBIDDEN, format!("The API key is for reading; this is a {}.", request.method())));
        }
        Some(_) => {}
    }
    request.extensions_mut().insert(sender);
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    Ok(next.run(request).await)
}

/// Who sends a request with these headers; `None`: it does not say.
pub async fn caller(app: &App, headers: &HeaderMap) -> Result<Option<Caller>> {
    match bearer(headers)? {
        Some(token) => Caller::of(app, &token).await.map(Some),
        None => Ok(None),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>> {
    headers.get(header::AUTHORIZATION).map(|value| token_of(value.to_str().unwrap_or_default())).transpose()
}

/// The token in `Bearer …`.
pub(in crate::api) fn token_of(text: &str) -> Result<String> {
    let text = text.split_once(' ');
    let token = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim().to_owned());
    token.ok_or_else(|| unauthenticated("`Authorization` is not `Bearer` and a token."))
}

/// With what a client of HTTP needs to know about it.
pub(in crate::api) fn unauthenticated(detail: impl Into<String>) -> Problem {
    Problem::new(&kinds::UNAUTHENTICATED, detail).header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"chimera\""))
}
