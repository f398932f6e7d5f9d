import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import { z } from 'zod';
import type { Delivery } from './scene.js';

const webhookReplySchema = z.looseObject({
  outcome: z.enum(['applied', 'duplicate', 'ignored']),
  event: z.string().optional(),
  reason: z.string().optional(),
  position: z.string().optional(),
});

const problemSchema = z.looseObject({ code: z.string() });

const snapshotSchema = z.looseObject({
  role: z.string(),
  plan: z.string(),
  status: z.string(),
  revocationVersion: z.number(),
  pendingPayment: z.looseObject({ plan: z.string() }).nullable(),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

/** Answer to one delivery. `detail`: the domain event that was stored, or why nothing was. */
export interface WebhookAnswer {
  readonly http: number;
  readonly outcome: string;
  readonly detail: string;
  /** Where in the log it is; `undefined` when nothing is told. */
  readonly position: string | undefined;
}

const TEN_MINUTES = 600;

/** Talks to a running Tenure as Stripe and as an internal service would: over HTTP, with nothing but what they have. */
export class TenureApi {
  constructor(
    readonly url: string,
    private readonly webhookSecret: string,
    private readonly adminKey: string,
  ) {}

  /** Posts an event the way `delivery` says. */
  async deliver(delivery: Delivery): Promise<WebhookAnswer> {
    const body = delivery.how === 'altered' ? delivery.body : delivery.event.body;
    const signature = this.#signature(delivery);
    const answer = await fetch(`${this.url}/webhooks/stripe`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        ...(signature === null ? {} : { 'stripe-signature': signature }),
      },
      body,
    });
    const json: unknown = await answer.json();
    if (answer.status !== 200) {
      return {
        http: answer.status,
        outcome: 'refused',
        detail: problemSchema.parse(json).code,
        position: undefined,
      };
    }
    const { outcome, event, reason, position } = webhookReplySchema.parse(json);
    return { http: 200, outcome, detail: event ?? reason ?? '', position };
  }

  /** Entitlements of a user, at least as new as `position` when there is one. */
  async entitlements(userId: string, position: string | undefined): Promise<Snapshot> {
    const query = position === undefined ? '' : `?minPosition=${position}`;
    return snapshotSchema.parse(
      await this.#get(`/v1/users/${encodeURIComponent(userId)}/entitlements${query}`),
    );
  }

  /** Whether ops sees this subscription among those that belong to nobody. */
  async isUnlinked(subscription: string): Promise<boolean> {
    return JSON.stringify(await this.#get('/v1/ops/unlinked')).includes(JSON.stringify(subscription));
  }

  async #get(path: string): Promise<unknown> {
    const answer = await fetch(`${this.url}${path}`, {
      headers: { authorization: `Bearer ${this.adminKey}` },
    });
    if (answer.status !== 200)
      throw new Error(`GET ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  #signature(delivery: Delivery): string | null {
    const payload = delivery.event.body;
    switch (delivery.how) {
      case 'signed':
      case 'altered':
        return Stripe.webhooks.generateTestHeaderString({ payload, secret: this.webhookSecret });
      case 'foreign':
        return Stripe.webhooks.generateTestHeaderString({ payload, secret: 'whsec_of_somebody_else' });
      case 'old':
        return signedAt(Math.floor(Date.now() / 1000) - TEN_MINUTES, payload, this.webhookSecret);
      case 'unsigned':
        return null;
      default:
        return delivery satisfies never;
    }
  }
}

/** Stripe: "Verify webhook signatures manually": HMAC-SHA-256 of `timestamp.payload`. */
function signedAt(second: number, payload: string, secret: string): string {
  return `t=${second},v1=${createHmac('sha256', secret).update(`${second}.${payload}`).digest('hex')}`;
}
