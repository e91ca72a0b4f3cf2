//! The pages, whether they are built or not.

use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_served_with_a_policy_and_never_in_place_of_the_api() {
    let Some(server) = Server::start().await else { return };
    for path in [
        "/",
        "/dashboard",
        "/dashboard/",
        "/product/6a0dbf0e-93a7-4b0c-9a5c-0c2ff3a1e0aa",
        "/docs",
        "/cart",
        "/checkout",
        "/checkout/6a0dbf0e-93a7-4b0c-9a5c-0c2ff3a1e0aa",
        "/account",
        "/account/verify-email?token=cho_x",
        "/account/orders/6a0dbf0e-93a7-4b0c-9a5c-0c2ff3a1e0aa",
    ] {
        let page = server.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(page.text().to_lowercase().starts_with("<!doctype html>"), "{path}");
        if let Some(tag) = page.headers.get("etag") {
            let again = server.request(reqwest::Method::GET, path).header("if-none-match", tag.clone()).send().await.unwrap();
            assert_eq!(again.status(), 304, "{path}");
        }
    }
    for path in
        ["/product/", "/api", "/api/", "/product", "/carts", "/accounts", "//", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/index.htm"]
    {
        server.get(path).await.problem(404, "not-found");
    }
}
