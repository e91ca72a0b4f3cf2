/**
 * The REST API by its types: `schema.d.ts` is made from the server's OpenAPI document (`npm run generate`). A refusal becomes a `Problem`, and
 * whoever has logged in is named.
 */
import createClient, { type Middleware } from "openapi-fetch";
import { guestCart } from "./guest-cart";
import { problemOf, unreachable } from "./problem";
import type { paths } from "./schema";
import { session } from "./session";

const refusals: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response);
  },
  onError: ({ error }) => unreachable(error),
};

/** Requests that say themselves who sends them, or for which that does not matter. */
export const plain = createClient<paths>({ baseUrl: origin() });
plain.use(refusals);

/** An access token is good for ten minutes: the next one is asked for here, before a request that would be refused without it. */
const shopper: Middleware = {
  async onRequest({ request }) {
    const token = await session.accessToken(refresh);
    if (token) request.headers.set("authorization", `Bearer ${token}`);
    else if (guestCart.token()) request.headers.set("chimera-cart", guestCart.token() ?? "");
    return request;
  },
  async onResponse({ request, response }) {
    if (response.status !== 401 || !request.headers.has("authorization")) return;
    const problem = await problemOf(response.clone());
    // Not for what the request said, such as a wrong password: the session was ended elsewhere.
    if (problem.is("unauthenticated")) session.end();
  },
};

/** Requests of the shopper: of their account, or else of the cart that they have as a guest. */
export const rest = createClient<paths>({ baseUrl: origin() });
// Answers pass them in the opposite order: the session learns of a refusal before it becomes a problem.
rest.use(refusals, shopper);

const refresh = async (refresh_token: string) => answer(plain.POST("/api/v1/auth/refresh", { body: { refresh_token } }));

/** The body of a success; refusals have become a `Problem` on the way. */
export async function answer<T>(request: Promise<{ data?: T }>): Promise<Exclude<T, undefined>> {
  return (await request).data as Exclude<T, undefined>;
}

function origin(): string {
  return typeof window === "undefined" ? "http://localhost" : window.location.origin;
}
