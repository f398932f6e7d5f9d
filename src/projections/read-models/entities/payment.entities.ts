import { EntitySchema } from 'typeorm';
import { idText, int, keyOf, SCHEMA, text } from '../../../database/columns.js';

/**
 * A payment by the id of its stream, with its facts (JSON). `joined`: an invoice or a session is named with it, or with what
 * else it is called, or nothing of it was refunded or disputed; `warned`: of fraud, and that can be acted on.
 */
export interface PaymentRow {
  readonly generation: number;
  readonly payment: string;
  readonly joined: boolean;
  readonly warned: boolean;
  readonly facts: string;
}

export const PaymentEntity = new EntitySchema<PaymentRow>({
  name: 'Payment',
  schema: SCHEMA,
  tableName: 'payment',
  columns: {
    generation: keyOf('payment', int()),
    payment: keyOf('payment', idText()),
    joined: { type: 'boolean' },
    warned: { type: 'boolean' },
    facts: text(),
  },
  indices: [
    { name: 'payment_unjoined_idx', columns: ['generation', 'payment'], where: '(NOT joined)' },
    { name: 'payment_warned_idx', columns: ['generation', 'payment'], where: 'warned' },
  ],
});

/** Two things that were named together: of each its kind and its id. */
export interface PaymentJoinRow {
  readonly generation: number;
  readonly kind: 'payment' | 'invoice' | 'subscription';
  readonly id: string;
  readonly otherKind: 'payment' | 'invoice' | 'session' | 'subscription';
  readonly other: string;
}

export const PaymentJoinEntity = new EntitySchema<PaymentJoinRow>({
  name: 'PaymentJoin',
  schema: SCHEMA,
  tableName: 'payment_join',
  columns: {
    generation: keyOf('payment_join', int()),
    kind: keyOf('payment_join', idText()),
    id: keyOf('payment_join', idText()),
    otherKind: keyOf('payment_join', idText('other_kind')),
    other: keyOf('payment_join', idText()),
  },
});

/** What is known of payments, by generation. */
export const PAYMENT_ENTITIES = [PaymentEntity, PaymentJoinEntity];
