//! Every kind of problem: its stable name, its status, and what a client does about it.

use axum::http::StatusCode;

/// A kind of problem. `name` never changes once released: clients compare it.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// What it means and what to do, for the page behind the `type` URL.
    pub help: &'static str,
}

impl Kind {
    /// The `type` member: a reference relative to the server, with a page behind it.
    pub fn url(&self) -> String {
        format!("/problems/{}", self.name)
    }
}

macro_rules! kinds {
    ($($constant:ident = $name:literal, $status:ident, $title:literal, $help:literal;)*) => {
        $(pub const $constant: Kind = Kind { name: $name, status: StatusCode::$status, title: $title, help: $help };)*
        /// All kinds, for the pages and the tests.
        pub const ALL: &[&Kind] = &[$(&$constant),*];
    };
}

kinds! {
    NOT_FOUND = "not-found", NOT_FOUND, "There is nothing at this address",
        "The path names no route, or the thing that it names does not exist. /openapi.json lists the routes.";
    METHOD_NOT_ALLOWED = "method-not-allowed", METHOD_NOT_ALLOWED, "This address does not take this method",
        "The `Allow` header of the response lists the methods that it takes.";
    UNAUTHENTICATED = "unauthenticated", UNAUTHORIZED, "It is not known who sends this",
        "Send `Authorization: Bearer <token>`: the `access_token` of POST /api/v1/auth/login, an API key, or, for who runs the server, the content \
         of the file `operator.token` in the data folder. An access token is good for ten minutes; POST /api/v1/auth/refresh brings the next.";
    FORBIDDEN = "forbidden", FORBIDDEN, "This is not yours to do",
        "The account is known, but its role does not include this, or the API key is for reading only. An administrator gives roles.";
    NO_ACCOUNT = "no-account", FORBIDDEN, "This needs an account",
        "The operator token may do everything, but is nobody's account. Log in with POST /api/v1/auth/login.";
    SESSION_NEEDED = "session-needed", FORBIDDEN, "This needs a log-in",
        "Passwords, second factors, sessions and API keys are changed by a person who has logged in, not with an API key.";
    WRONG_CREDENTIALS = "wrong-credentials", UNAUTHORIZED, "The address or the password is wrong",
        "Try again, or set a new password with POST /api/v1/auth/password/forgot. The answer does not tell whether there is such an account.";
    SECOND_FACTOR_NEEDED = "second-factor-needed", UNAUTHORIZED, "A code is needed too",
        "Send the same again with `code`: the six digits that the second factor shows, or a recovery code.";
    WRONG_CODE = "wrong-code", UNAUTHORIZED, "The code is wrong",
        "A code is good once, and for half a minute; wait for the next one, and see that the telephone's clock is right.";
    ACCOUNT_DISABLED = "account-disabled", FORBIDDEN, "The account is switched off", "An administrator switched it off, and can switch it on.";
    TOO_MANY_ATTEMPTS = "too-many-attempts", TOO_MANY_REQUESTS, "There were too many attempts",
        "Try again after `Retry-After`, or set a new password with POST /api/v1/auth/password/forgot, which does not wait.";
    EMAIL_TAKEN = "email-taken", CONFLICT, "The address has an account", "Log in, or set a new password with POST /api/v1/auth/password/forgot.";
    BAD_ONE_TIME_TOKEN = "bad-one-time-token", BAD_REQUEST, "The token is not good",
        "Tokens from messages are good once and for a while, and only the newest of each kind is. Have another one sent.";
    SESSION_OVER = "session-over", UNAUTHORIZED, "The session is over", "Log in again with POST /api/v1/auth/login.";
    SESSION_NOT_FOUND = "session-not-found", NOT_FOUND, "There is no such session", "GET /api/v1/auth/sessions lists yours.";
    ACCOUNT_NOT_FOUND = "account-not-found", NOT_FOUND, "There is no such account", "GET /api/v1/accounts lists them.";
    KEY_NOT_FOUND = "api-key-not-found", NOT_FOUND, "There is no such API key", "GET /api/v1/auth/api-keys lists yours.";
    TOO_MANY_KEYS = "too-many-api-keys", CONFLICT, "The account has as many API keys as it can", "Remove one that is not used any more.";
    SECOND_FACTOR_SET = "second-factor-state", CONFLICT, "The second factor is not in the state for this",
        "POST /api/v1/auth/second-factor begins one, …/confirm switches it on, DELETE switches it off.";
    PROFILE_NOT_FOUND = "profile-not-found", NOT_FOUND, "The profile is not filled in", "PUT /api/v1/users/me fills it in.";
    ADDRESS_NOT_FOUND = "address-not-found", NOT_FOUND, "There is no such address", "GET /api/v1/users/me/addresses lists yours.";
    TOO_MANY_ADDRESSES = "too-many-addresses", CONFLICT, "There are as many addresses as there can be", "Remove one that is not used any more.";
    NOT_IN_CART = "not-in-cart", NOT_FOUND, "The cart does not hold this article", "POST /api/v1/cart/items puts it in.";
    CART_FULL = "cart-full", CONFLICT, "The cart holds as much as it can",
        "A cart holds 100 articles, and 10,000 units of each. Take something out, or order in two parts.";
    OWN_ACCOUNT = "own-account", CONFLICT, "This is your own account", "Another administrator, or the operator token, can do it.";
    BAD_PARAMETER = "bad-parameter", BAD_REQUEST, "A parameter is wrong",
        "A parameter of the path, of the query or a header is unknown, malformed or out of its bounds; `detail` says which and why.";
    BAD_POSITION = "bad-position-token", BAD_REQUEST, "This is not a position token",
        "Pass on, unchanged, the `chimera-position` that a write returned.";
    MALFORMED_JSON = "malformed-json", BAD_REQUEST, "The body is not JSON",
        "`line` and `column` say where the JSON breaks off.";
    INVALID_BODY = "invalid-body", UNPROCESSABLE_ENTITY, "The body is not what this address takes",
        "The body is JSON but a field is missing, unknown, of another type or out of bounds; `path` (or `errors`) says which.";
    BODY_TOO_LARGE = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large",
        "`limit_bytes` says how much is taken. Send less, or in several requests.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body is of a type that is not taken here",
        "Set `Content-Type` to one of the types in `accepted`.";
    FLAG_NOT_FOUND = "flag-not-found", NOT_FOUND, "There is no such flag", "GET /api/v1/flags lists them.";
    FLAG_KEY_TAKEN = "flag-key-taken", CONFLICT, "There is a flag of this key",
        "Change that one with PUT, or choose another key. Keys of archived flags stay taken: a program that still asks for one must not meet another meaning.";
    FLAG_ARCHIVED = "flag-archived", CONFLICT, "The flag is archived", "It is not evaluated any more. Make a new one under another key.";
    TOO_MANY_FLAGS = "too-many-flags", CONFLICT, "There are as many flags as there can be", "Archive those that no program asks for any more.";
    EXPERIMENT_NOT_FOUND = "experiment-not-found", NOT_FOUND, "There is no such experiment", "GET /api/v1/experiments lists them.";
    EXPERIMENT_KEY_TAKEN = "experiment-key-taken", CONFLICT, "There is an experiment of this key",
        "Change it with PUT while it is a draft, or choose another key. Those that have run stay, with their results.";
    EXPERIMENT_STATE = "experiment-state", CONFLICT, "The experiment is not in the state for this",
        "An experiment is drafted, started and stopped, and never goes back. A draft can be changed; what has run is drafted anew under another key.";
    EXPERIMENT_RUNNING = "experiment-running", CONFLICT, "An experiment runs on the flag",
        "One runs on a flag at a time, and the flag keeps its variants meanwhile. POST /api/v1/experiments/{key}/stop stops it.";
    PRODUCT_NOT_FOUND = "product-not-found", NOT_FOUND, "There is no such product",
        "No product, or for shoppers no active one, has this id. A product that was just made appears once its store has caught up: pass its position as `after`.";
    VARIANT_NOT_FOUND = "variant-not-found", NOT_FOUND, "There is no such variant", "GET /api/v1/catalog/products/{id}/variants lists a product's.";
    BRAND_NOT_FOUND = "brand-not-found", NOT_FOUND, "There is no such brand", "GET /api/v1/catalog/brands lists them.";
    CATEGORY_NOT_FOUND = "category-not-found", NOT_FOUND, "There is no such category", "GET /api/v1/catalog/categories lists them.";
    PRECONDITION_REQUIRED = "precondition-required", PRECONDITION_REQUIRED, "It is not said which state this changes",
        "Read it first, and send its `ETag` as `If-Match`: so nobody overwrites what they did not see. `If-Match: *` changes whatever is there.";
    CHANGED_MEANWHILE = "changed-meanwhile", PRECONDITION_FAILED, "Somebody changed it meanwhile",
        "Nothing was changed. Read it again, see what is different, and send the change with the new `ETag` as `If-Match`.";
    SKU_TAKEN = "sku-taken", CONFLICT, "The SKU is taken", "A SKU names one product or one variant. Choose another one, or change what has it.";
    NAME_TAKEN = "name-taken", CONFLICT, "The name is taken", "Brands, and categories in the whole tree, are told by their names. Choose another one.";
    STILL_IN_USE = "still-in-use", CONFLICT, "Something still names it",
        "Give the products, also those that are not active, and the categories below it another place first.";
    CATEGORY_CYCLE = "category-cycle", CONFLICT, "A category would stand below itself", "Move it somewhere that is not below it.";
    TOO_MANY_ENTRIES = "too-many-entries", CONFLICT, "There are as many as there can be", "Remove one that is not used any more.";
    SKU_NOT_FOUND = "sku-not-found", NOT_FOUND, "There is no stock record of this SKU",
        "No stock movement and no order has named this SKU yet.";
    SKU_NOT_IN_CATALOGUE = "sku-not-in-catalogue", UNPROCESSABLE_ENTITY, "The catalogue does not know some SKUs",
        "`skus` lists them. Add their products or variants to the catalogue first, or correct the SKUs. Nothing was booked.";
    WAREHOUSE_NOT_FOUND = "warehouse-not-found", NOT_FOUND, "There is no such warehouse", "GET /api/v1/warehouses lists them.";
    WAREHOUSE_TAKEN = "warehouse-taken", CONFLICT, "There is a warehouse of this code", "Change it with PUT /api/v1/warehouses/{code}, or use another code.";
    TOO_MANY_WAREHOUSES = "too-many-warehouses", CONFLICT, "There are as many warehouses as there can be", "Use one that is there.";
    WAREHOUSE_CLOSED = "warehouse-closed", CONFLICT, "The warehouse takes nothing in",
        "It is not active. Use another one, or switch it on with PUT /api/v1/warehouses/{code}.";
    STOCK_NOT_THERE = "stock-not-there", CONFLICT, "The warehouse does not hold as many units",
        "Nothing was booked. `held` says how many units its books have: receipts, adjustments and transfers, without sales.";
    STOCK_PROMISED = "stock-promised", CONFLICT, "The units are promised to orders",
        "Nothing was written off. `available` says how many units can be; cancel orders first if more are gone. Units that were received a \
         moment ago count once the stock levels have caught up.";
    WAREHOUSE_UNCLEAR = "warehouse-unclear", CONFLICT, "It is not known which warehouse units were sent from",
        "Nothing was booked. Shipments name no warehouse, so an article that lies in several cannot be counted in one of them. Count it in all: \
         `expected` says how many there should be together, `held` in the books less `sent`. What is missing or was found, book with \
         POST /api/v1/inventory/adjustments.";
    BOOKING_IN_FLIGHT = "booking-in-flight", CONFLICT, "A booking with this Idempotency-Key is being made",
        "Another request with the same key has not ended yet. Try again after `Retry-After`: you will get its answer.";
    IMAGE_NOT_FOUND = "image-not-found", NOT_FOUND, "There is no such picture", "Picture addresses come from the `image_url` of a product.";
    VIEW_NOT_FOUND = "view-not-found", NOT_FOUND, "There is no such view", "GET /api/v1/views lists the live views.";
    PIPELINE_NOT_FOUND = "pipeline-not-found", NOT_FOUND, "There is no such pipeline", "GET /api/v1/pipelines lists those that run.";
    PIPELINE_BUILT_IN = "pipeline-built-in", CONFLICT, "The pipeline is part of the binary",
        "Views that were created can be built anew while everything runs. The stores of the binary's own pipelines are when their text changes.";
    TOO_MANY_VIEWS = "too-many-views", CONFLICT, "There are too many created views",
        "One that is built anew needs a place beside the one that is read. Drop a view first.";
    INVALID_PIPELINE = "invalid-pipeline", UNPROCESSABLE_ENTITY, "The pipeline cannot be planned",
        "`line` and `column` say where the text is wrong, `help` what to write instead.";
    IDEMPOTENCY_KEY_NEEDED = "idempotency-key-needed", BAD_REQUEST, "This needs an Idempotency-Key",
        "Send a header `Idempotency-Key` of 1 to 200 visible ASCII characters, new for every order, purchase or booking (a UUID will do) and \
         the same when you try that one again: so it is done once, however often it is sent.";
    IDEMPOTENCY_KEY_REUSED = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "This Idempotency-Key belongs to another request",
        "The key was used before with a different body. Use a new key for a new order, or a new addition to a cart.";
    ORDER_IN_FLIGHT = "order-in-flight", CONFLICT, "An order with this Idempotency-Key is being placed",
        "Another request with the same key has not ended yet. Try again after `Retry-After`: you will get its answer.";
    UNKNOWN_SKU = "unknown-sku", UNPROCESSABLE_ENTITY, "Some SKUs cannot be ordered",
        "`skus` lists those that the catalogue does not hold, or holds as inactive.";
    MIXED_CURRENCIES = "mixed-currencies", UNPROCESSABLE_ENTITY, "An order has one currency", "Place one order for each currency.";
    OUT_OF_STOCK = "out-of-stock", CONFLICT, "There is not enough stock",
        "Nothing was ordered. `items` says for each line how many units can be had now.";
    ORDER_NOT_FOUND = "order-not-found", NOT_FOUND, "There is no such order", "GET /api/v1/orders lists yours.";
    ORDER_STATE = "order-state", CONFLICT, "The order is not in the state for this",
        "`detail` says where it is. An order that nothing was sent of can be cancelled; what was sent can be returned.";
    SHIPMENT_NOT_FOUND = "shipment-not-found", NOT_FOUND, "There is no such shipment", "GET /api/v1/orders/{id} lists those of the order.";
    RETURN_NOT_FOUND = "return-not-found", NOT_FOUND, "There is no such return", "GET /api/v1/orders/{id} lists those of the order.";
    CART_EMPTY = "cart-empty", CONFLICT, "The cart is empty", "Put something in with POST /api/v1/cart/items.";
    CHECKOUT_NOT_FOUND = "checkout-not-found", NOT_FOUND, "There is no such purchase",
        "`location` of POST /api/v1/checkout names yours; a guest sends the `chimera-cart` that bought.";
    CHECKOUT_EXPIRED = "checkout-expired", CONFLICT, "The payment came too late",
        "Articles are held for a quarter of an hour. Nothing was bought, nothing is charged; buy again with a new Idempotency-Key.";
    COUPON_REJECTED = "coupon-rejected", CONFLICT, "A coupon is not taken", "`rejected_coupons` says which and why. Nothing was bought.";
    PRICE_CHANGED = "price-changed", CONFLICT, "It costs something else now",
        "`quote` is what it costs. Show it to the shopper, and send its `total_cents` with a new Idempotency-Key.";
    PAYMENT_DECLINED = "payment-declined", PAYMENT_REQUIRED, "The payment was declined",
        "Nothing was bought, nothing is charged. Try another card, with a new Idempotency-Key.";
    PAYMENT_REFUSED = "payment-refused", PAYMENT_REQUIRED, "The payment provider does not take this",
        "`code` is the provider's word for why. Nothing was bought, nothing is charged.";
    BAD_SIGNATURE = "bad-signature", BAD_REQUEST, "The signature is not good",
        "Events of the payment provider are signed with the secret that it shares with the shop.";
    BUSY = "too-much-contention", SERVICE_UNAVAILABLE, "Too many orders want the same stock at once",
        "The order was not placed. Try again with the same Idempotency-Key.";
    WEBHOOK_NOT_FOUND = "webhook-not-found", NOT_FOUND, "There is no such webhook", "GET /api/v1/webhooks lists them.";
    TOO_MANY_WEBHOOKS = "too-many-webhooks", CONFLICT, "There are as many webhooks as there can be", "Remove one that nobody needs any more.";
    NOTIFICATIONS_OFF = "notifications-off", SERVICE_UNAVAILABLE, "This server sends no messages",
        "It was started without RabbitMQ, or with --no-notifications. What there is to tell waits for one that does.";
    NO_SHIPPING_RATE = "no-shipping-rate", UNPROCESSABLE_ENTITY, "Nothing is shipped there like this",
        "No row of the shipping rates is for this country, method and currency. Choose another method, or ask the shop.";
    PROMOTION_NOT_FOUND = "promotion-not-found", NOT_FOUND, "There is no such promotion", "GET /api/v1/promotions lists them.";
    PROMOTION_USED_UP = "promotion-used-up", CONFLICT, "A promotion is used up",
        "Others were quicker, or you used it as often as you may. Nothing was counted. Price the basket anew: it comes without the promotion.";
    PROMOTION_AUTOMATIC = "promotion-automatic", CONFLICT, "The promotion takes no coupons",
        "It applies by itself. Set `needs_coupon` with PUT /api/v1/promotions/{id} first.";
    TOO_MANY_PROMOTIONS = "too-many-promotions", CONFLICT, "There are as many automatic promotions as there can be",
        "Every basket is held against each of them. Switch off or remove some that are over.";
    TOO_MANY_COUPONS = "too-many-coupons", CONFLICT, "The promotion has as many coupons as it can", "Make another promotion like it.";
    COUPON_TAKEN = "coupon-taken", CONFLICT, "A coupon of this code is there", "No coupon was made. `codes` lists those that are taken.";
    REDEMPTION_RELEASED = "redemption-released", CONFLICT, "The redemption was released", "What was given up does not come back. Begin anew, under another id.";
    BAD_PICTURE = "bad-picture", UNPROCESSABLE_ENTITY, "The picture cannot be read",
        "The bytes are not a whole JPEG or PNG picture.";
    PICTURE_TOO_LARGE = "picture-too-large", PAYLOAD_TOO_LARGE, "The picture is too large",
        "The file, or the picture that it unpacks to, is over the limits. Scale it down: it is looked at in a small size anyway.";
    NO_IMAGE_MODEL = "no-image-model", SERVICE_UNAVAILABLE, "Search by picture is switched off",
        "This server runs without an image model. `chimera doctor` says what is missing.";
    STORE_BEHIND = "store-behind", GATEWAY_TIMEOUT, "The store has not caught up yet",
        "The store did not reach the position that you asked for in time. Ask again after `Retry-After`, \
         wait longer with `wait_ms`, or read without `after`.";
    STORE_NOT_READY = "store-not-ready", SERVICE_UNAVAILABLE, "The store is not there yet",
        "The pipeline that fills this store is starting or is not deployed. GET /api/v1/stores shows its state.";
    UNAVAILABLE = "unavailable", SERVICE_UNAVAILABLE, "Something that this needs cannot be reached", "Try again after `Retry-After`.";
    TOO_MANY_STREAMS = "too-many-streams", TOO_MANY_REQUESTS, "There are too many open streams",
        "Close event streams and WebSockets that are not looked at any more; one WebSocket follows several things.";
    WEBSOCKET_NEEDED = "websocket-needed", UPGRADE_REQUIRED, "This address speaks WebSocket",
        "Open it as ws:// or wss://, over HTTP/1.1, at version 13 of the protocol.";
    FOREIGN_ORIGIN = "foreign-origin", FORBIDDEN, "The page is not of this shop",
        "A browser opens this for pages of this server, and of the origins that `chimera up --cors-origin` names.";
    BAD_MESSAGE = "bad-message", BAD_REQUEST, "The message is not understood", "docs/live.md has the messages of /ws.";
    TOO_MANY_TOPICS = "too-many-topics", CONFLICT, "The connection follows as much as it can", "Unsubscribe from something first.";
    BAD_QUERY = "bad-query", BAD_REQUEST, "The query cannot be run",
        "It is not GraphQL, names what the schema does not have, or is nested deeper, or costs more, than is taken. GET /api/v1/graphql/schema has the schema.";
    TOO_MANY_REQUESTS = "too-many-requests", TOO_MANY_REQUESTS, "There were too many requests",
        "Send the same again after `Retry-After`, and fewer a second from then on.";
    OVERLOADED = "overloaded", SERVICE_UNAVAILABLE, "The server is busy",
        "More requests are in progress than this server takes. Try again after `Retry-After`.";
    TIMED_OUT = "timed-out", GATEWAY_TIMEOUT, "The answer took too long",
        "The request was given up. A write may be sent again: orders with the same Idempotency-Key, events with the same event ids.";
    INTERNAL = "internal", INTERNAL_SERVER_ERROR, "The server failed",
        "A fault of the server's. Its log has the cause under the response's `x-request-id`.";
}
