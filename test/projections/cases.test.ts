import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { parsePlanFile } from '../../src/plans/plan-file.js';
import { POLICY_RULES } from '../../src/policy/reasons/rules.js';
import { ExplanationReader } from '../../src/projections/read-models/explanation.reader.js';
import { ProjectedLog, type ToRecord } from '../support/projected-log.js';
import { publication } from '../support/stories-to-record.js';
import { translated } from '../support/translated.js';

const FOLDER = fileURLToPath(new URL('../fixtures/cases/', import.meta.url));
const REPLAY = { batchSize: 500, sliceSize: 500, projector: 'kept' } as const;

/** What a case may say of a snapshot; `members` is the limit of that name, `pending` what the pending payment is for. */
const wanted = z.strictObject({
  plan: z.string().optional(),
  role: z.string().optional(),
  status: z.string().optional(),
  members: z.number().optional(),
  pending: z.strictObject({ plan: z.string(), invoice: z.boolean() }).nullable().optional(),
});
const delivery = { event: z.looseObject({ created: z.number() }), note: z.string().optional() };
/** A delivery, behind which this holds of a user at the end of the story; the rules are those that the case is about. */
const answered = z.strictObject({
  ...delivery,
  user: z.string(),
  want: wanted,
  rules: z.array(z.literal(Object.keys(POLICY_RULES))).min(1),
});
/** A story of Stripe events in the order of their delivery; `now` is the second at which it is looked at. */
const caseSchema = z.strictObject({
  name: z.string(),
  situation: z.string(),
  plans: z.string().default('plans.yaml'),
  now: z.number(),
  steps: z.array(z.union([answered, z.strictObject(delivery)])),
});
type Case = z.output<typeof caseSchema>;

const CASES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => caseSchema.parse(JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))));
const PLAN_FILES = [...new Set(CASES.map(({ plans }) => plans))];

/** What a delivery leaves in the log at once: nothing, where it is not recorded. */
function recordOf({ event: body }: Case['steps'][number], now: number): readonly ToRecord[] {
  const translation = translated(body);
  if (translation.outcome === 'malformed') throw new Error(translation.problems.join());
  if (translation.outcome === 'ignored') return [];
  const { eventId, eventType, created } = translation.stripe;
  const at = Math.min(created, now) * 1000;
  return [{ event: translation.event, origin: { eventId, stripeType: eventType, created }, at }];
}

/** What the log says of a user at a second, as a case speaks of it, and the rules that its reasons name. */
async function explained({ pool, store }: ProjectedLog, user: string, now: number) {
  const reader = new ExplanationReader({ pool, store, streamPrefix: 'tenure.', now: () => now * 1000 });
  const { served, reasons } = await reader.explain(user);
  const { plan, role, status, limits, pendingPayment } = served.snapshot;
  const pending = pendingPayment && { plan: pendingPayment.plan, invoice: pendingPayment.invoice !== null };
  const snapshot = { plan, role, status, members: limits.members, pending };
  return { snapshot, rules: reasons.map(({ code }) => code) };
}
type Explained = Awaited<ReturnType<typeof explained>>;

/** Delivers the first event of every case, then the second of each, and so on; returns what was answered, by case. */
async function deliver(
  log: ProjectedLog,
  cases: readonly Case[],
): Promise<Map<string, readonly Explained[]>> {
  const answers = new Map<string, readonly Explained[]>();
  const most = Math.max(...cases.map(({ steps }) => steps.length));
  for (let n = 0; n < most; n += 1) {
    const told = cases.flatMap(({ name, now, steps }) => {
      const step = steps[n];
      return step === undefined ? [] : [{ name, now, step }];
    });
    await log.record(...told.flatMap(({ step, now }) => recordOf(step, now)));
    await log.replay(REPLAY);
    for (const { name, now, step } of told) {
      if (!('want' in step)) continue;
      answers.set(name, [...(answers.get(name) ?? []), await explained(log, step.user, now)]);
    }
  }
  return answers;
}

describe('Cases from the field', () => {
  const logs: ProjectedLog[] = [];
  const answers = new Map<string, readonly Explained[]>();

  beforeAll(async () => {
    for (const plans of PLAN_FILES) {
      const log = await ProjectedLog.open();
      logs.push(log);
      const { catalog } = parsePlanFile(readFileSync(join(FOLDER, plans), 'utf8'), plans);
      await log.record(publication(catalog, 0));
      const cases = CASES.filter((each) => each.plans === plans);
      for (const [name, given] of await deliver(log, cases)) answers.set(name, given);
    }
  });
  afterAll(() => Promise.all(logs.map((log) => log.close())));

  it.each(CASES)('are answered, and explained by the rules that they are about: $name', ({ name, steps }) => {
    const wants = steps.filter((step) => 'want' in step);
    expect(wants).not.toEqual([]);
    expect(answers.get(name)).toEqual(
      wants.map(({ want, rules }) => ({
        snapshot: expect.objectContaining(want),
        rules: expect.arrayContaining(rules),
      })),
    );
  });
});
