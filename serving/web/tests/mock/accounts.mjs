/** The mock's accounts and sessions. Passwords stand here as they are: nobody's are real. */
import { randomUUID } from "node:crypto";
import { totp } from "../totp.mjs";
import { Problem } from "./problem.mjs";

const SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const unauthenticated = () =>
  new Problem(401, "unauthenticated", "It is not known who sends this", "The session of this token has ended: log in again.");
const wrong = () =>
  new Problem(401, "wrong-credentials", "The address or the password is wrong", "No account has this address and this password.");

export class Accounts {
  byEmail = new Map();
  access = new Map();
  refresh = new Map();
  /** Tokens of messages: token → what it is for, and whose it is. */
  messages = new Map();

  /** Whose token it is; `null`: nobody says who they are. */
  caller(header, operator) {
    if (!header) return null;
    const token = header.replace(/^Bearer /, "");
    if (token === operator) return { operator: true };
    const account = this.access.get(token);
    if (!account) throw unauthenticated();
    return account;
  }

  signedIn(account) {
    if (!account || account.operator) throw unauthenticated();
    return account;
  }

  register({ email, password }) {
    if (this.byEmail.has(email))
      throw new Problem(409, "email-taken", "The address has an account", `${email} has an account here already.`);
    if (password.length < 10)
      throw new Problem(422, "invalid-body", "The body is not what this address takes", "`password`: it is too short.", {
        errors: [{ path: "password", message: "a password has 10 to 128 characters" }],
      });
    const account = {
      user_id: randomUUID(),
      email,
      password,
      verified: null,
      totp: null,
      addresses: [],
      created_at: new Date().toISOString(),
    };
    this.byEmail.set(email, account);
    this.message("verify", account);
    return account;
  }

  logIn({ email, password, code }) {
    const account = this.byEmail.get(email);
    if (account?.password !== password) throw wrong();
    if (account.totp) {
      if (!code) throw new Problem(401, "second-factor-needed", "A code is needed too", "The password is right; send `code` with it.");
      if (code !== totp(SEED)) throw new Problem(401, "wrong-code", "The code is wrong", "Wait for the next one.");
    }
    return account;
  }

  tokens(account) {
    const access_token = randomUUID();
    const refresh_token = randomUUID();
    this.access.set(access_token, account);
    this.refresh.set(refresh_token, account);
    const { user_id } = account;
    return { access_token, refresh_token, token_type: "Bearer", expires_in: 600, session_id: randomUUID(), user_id, role: "shopper" };
  }

  next(refreshToken) {
    const account = this.refresh.get(refreshToken);
    if (!account) throw new Problem(401, "session-over", "The session is over", "Log in again.");
    this.refresh.delete(refreshToken);
    return this.tokens(account);
  }

  message(purpose, account) {
    const token = `cho_${randomUUID()}`;
    this.messages.set(token, { purpose, account });
    return token;
  }

  take(token, purpose) {
    const message = this.messages.get(token);
    if (message?.purpose !== purpose) throw new Problem(400, "bad-one-time-token", "The token is not good", "The token is not known here.");
    this.messages.delete(token);
    return message.account;
  }

  /** Answers of `/auth/…` and `/users/me/…`; `undefined`: there is no such route. `merge` takes a guest's cart along. */
  answer(route, id, body, account, merge) {
    switch (route) {
      case "POST auth/register":
      case "POST auth/login": {
        const who = route.endsWith("login") ? this.logIn(body) : this.register(body);
        merge(who);
        return [this.tokens(who), route.endsWith("login") ? 200 : 201];
      }
      case "POST auth/refresh":
        return [this.next(body.refresh_token)];
      case "POST auth/verify-email":
        this.take(body.token, "verify").verified = new Date().toISOString();
        return [null, 204];
      case "POST auth/password/forgot":
        return [null, 202];
      case "POST auth/password/reset":
        this.take(body.token, "reset").password = body.password;
        return [null, 204];
    }
    if (!route.includes(" auth/") && !route.includes(" users/me")) return undefined;
    const own = this.signedIn(account);
    switch (route) {
      case "POST auth/logout":
        for (const [token, of] of this.access) if (of === own) this.access.delete(token);
        return [null, 204];
      case "GET auth/me":
        return [
          {
            user_id: own.user_id,
            email: own.email,
            role: "shopper",
            email_verified_at: own.verified,
            totp_enabled_at: own.totp,
            created_at: own.created_at,
          },
        ];
      case "POST auth/second-factor":
        if (body.password !== own.password) throw wrong();
        return [{ secret: SEED, url: `otpauth://totp/Chimera:${own.email}?secret=${SEED}` }];
      case "POST auth/second-factor/confirm":
        if (body.code !== totp(SEED)) throw new Problem(401, "wrong-code", "The code is wrong", "Wait for the next one.");
        own.totp = new Date().toISOString();
        return [{ recovery_codes: Array.from({ length: 10 }, (_, i) => `mock-${i}`) }];
      case "GET users/me/addresses":
        return [{ addresses: own.addresses }];
      case "POST users/me/addresses": {
        const address = { id: randomUUID(), address_line_2: null, state_province: null, ...body, is_default: own.addresses.length === 0 };
        own.addresses.push(address);
        return [address, 201];
      }
      case "DELETE users/me/addresses/*":
        own.addresses = own.addresses.filter((address) => address.id !== id);
        return [null, 204];
    }
    return undefined;
  }
}
