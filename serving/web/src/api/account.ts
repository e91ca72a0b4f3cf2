/** The shopper's account: ways in and out, password and second factor, addresses. */
import { answer, plain, rest } from "./rest";
import { guestCart } from "./guest-cart";
import type {
  Account,
  Address,
  LogIn,
  NewAddress,
  NewPassword,
  NewSecondFactor,
  RecoveryCodes,
  Registration,
  Removal,
  Seed,
} from "./schema";
import { session } from "./session";

/** The articles of a guest come along. */
const withCart = () => {
  const token = guestCart.token();
  return token ? { params: { header: { "chimera-cart": token } } } : {};
};

export async function register(wanted: Registration): Promise<void> {
  session.begin(await answer(plain.POST("/api/v1/auth/register", { ...withCart(), body: wanted })));
}

export async function logIn(given: LogIn): Promise<void> {
  session.begin(await answer(plain.POST("/api/v1/auth/login", { ...withCart(), body: given })));
}

/** This browser forgets the session even if the server cannot be told. */
export async function logOut(): Promise<void> {
  try {
    await rest.POST("/api/v1/auth/logout");
  } finally {
    session.end();
  }
}

export const me = (signal?: AbortSignal): Promise<Account> => answer(rest.GET("/api/v1/auth/me", signal ? { signal } : {}));

export async function verifyEmail(token: string): Promise<void> {
  await plain.POST("/api/v1/auth/verify-email", { body: { token } });
}

export async function resendVerification(): Promise<void> {
  await rest.POST("/api/v1/auth/verify-email/resend");
}

export async function forgotPassword(email: string): Promise<void> {
  await plain.POST("/api/v1/auth/password/forgot", { body: { email } });
}

export async function resetPassword(token: string, password: string): Promise<void> {
  await plain.POST("/api/v1/auth/password/reset", { body: { token, password } });
  // It ended all sessions, this tab's among them.
  session.end();
}

export async function changePassword(wanted: NewPassword): Promise<void> {
  await rest.PUT("/api/v1/auth/password", { body: wanted });
}

export const beginSecondFactor = (given: NewSecondFactor): Promise<Seed> =>
  answer(rest.POST("/api/v1/auth/second-factor", { body: given }));

export const confirmSecondFactor = (code: string): Promise<RecoveryCodes> =>
  answer(rest.POST("/api/v1/auth/second-factor/confirm", { body: { code } }));

export async function removeSecondFactor(given: Removal): Promise<void> {
  await rest.DELETE("/api/v1/auth/second-factor", { body: given });
}

export const addresses = async (signal?: AbortSignal): Promise<Address[]> =>
  (await answer(rest.GET("/api/v1/users/me/addresses", signal ? { signal } : {}))).addresses;

/** `id`: of the one that it takes the place of. */
export const saveAddress = (wanted: NewAddress, id: string | null): Promise<Address> =>
  id
    ? answer(rest.PUT("/api/v1/users/me/addresses/{id}", { params: { path: { id } }, body: wanted }))
    : answer(rest.POST("/api/v1/users/me/addresses", { body: wanted }));

export async function removeAddress(id: string): Promise<void> {
  await rest.DELETE("/api/v1/users/me/addresses/{id}", { params: { path: { id } } });
}
