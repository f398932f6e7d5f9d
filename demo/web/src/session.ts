import type { Snapshot } from '../../../packages/client/src/index.js';

/** Who is signed in here, with what they may do as the server saw it; null of nobody. */
export type Session = { readonly userId: string; readonly snapshot: Snapshot } | null;

export async function readSession(): Promise<Session> {
  const response = await fetch('/api/session');
  if (!response.ok) throw new Error(`the application answered ${response.status}`);
  return (await response.json()) as Session;
}

export async function signIn(userId: string): Promise<void> {
  await send('/api/sign-in', { userId });
}

export async function signOut(): Promise<void> {
  await send('/api/sign-out', {});
}

/** Has Stripe's webhooks kept back, or handed on. */
export async function holdWebhooks(hold: boolean): Promise<void> {
  await send('/api/webhooks', { hold });
}

/** Ends the plan at once. */
export async function cancelPlan(): Promise<void> {
  await send('/api/tenure/v1/me/plan', { plan: 'free', when: 'now' }, 'PATCH');
}

/** What a page says of what failed. */
export function faultText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function send(path: string, body: object, method = 'POST'): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
  if (response.ok) return;
  const problem: { detail?: string } = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? `the application answered ${response.status}`);
}
