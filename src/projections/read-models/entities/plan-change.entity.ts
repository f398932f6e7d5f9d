import { EntitySchema } from 'typeorm';
import { bigint, idText, instant, int, keyOf, nullable, SCHEMA, text } from '../../../database/columns.js';

/** What a subscription schedule is to bring a user, by which subscription, and the second at which Stripe last spoke of it. */
export interface PlanChangeEntityRow {
  readonly generation: number;
  readonly userId: string;
  readonly subscription: string;
  readonly plan: string;
  /** Label of the plan's price. */
  readonly label: string | null;
  readonly at: Date;
  readonly askedAt: string;
}

export const PlanChangeEntity = new EntitySchema<PlanChangeEntityRow>({
  name: 'PlanChange',
  schema: SCHEMA,
  tableName: 'plan_change',
  columns: {
    generation: keyOf('plan_change', int()),
    userId: keyOf('plan_change', idText('user_id')),
    subscription: idText(),
    plan: text(),
    label: nullable(text()),
    at: instant(),
    askedAt: bigint('asked_at'),
  },
});
