/** The mock's routes of accounts, carts, prices, purchases and orders. */

/** Which part of the path is an id or a SKU, by its first part. */
const NAMES = { auth: null, users: 3, cart: 2, pricing: null, checkout: 1, orders: 1, promotions: 1 };
/** Where nobody asks who sends it. */
const ENTRANCES = /^POST auth\/(register|login|refresh|verify-email|password\/(forgot|reset))$/;

/** Answers if it is one of these; whether it was. */
export async function buying({ accounts, purchases, token, request }, parts, read, json) {
  const place = NAMES[parts[0]];
  const route = `${request.method} ${parts.map((part, i) => (i === place ? "*" : part)).join("/")}`;
  if (place === undefined || route === "POST orders") return false;
  const text = (await read(request)).toString();
  const body = text ? JSON.parse(text) : {};
  const id = place === null ? undefined : parts[place];
  const account = ENTRANCES.test(route) ? null : accounts.caller(request.headers.authorization, token);
  const guest = request.headers["chimera-cart"];
  const answered = accounts.answer(route, id, body, account, (who) => guest && purchases.merge(guest, who.user_id));
  if (answered) {
    json(...answered);
    return true;
  }
  if (parts[0] === "orders" && !account) accounts.signedIn(account);
  purchases.answer(route, { id, body, account, guest, key: request.headers["idempotency-key"], json });
  return true;
}
