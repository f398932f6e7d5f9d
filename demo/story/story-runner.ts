import type { Expectation, Scene, Step, UnlinkedStep, WebhookStep } from './scene.js';
import type { Snapshot, TenureApi, WebhookAnswer } from './tenure-api.js';

const HEADING =
  columns('Stripe sends', '', 'outcome') +
  access('role', 'plan', 'status', 'version') +
  times('answered', 'visible');

/** The story did not come out as told: a fault of Tenure, or of the demo. */
export class StoryError extends Error {
  readonly code = 'story_untrue';
}

/** How long the deliveries took, in ms. */
export interface StoryOutcome {
  readonly deliveries: number;
  readonly replies: readonly number[];
  readonly seen: readonly number[];
}

export interface Painter {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly red: (text: string) => string;
}

/** Sends the story scene by scene, prints what comes of it, and checks every line. */
export class StoryRunner {
  readonly #replies: number[] = [];
  readonly #seen: number[] = [];

  constructor(
    private readonly api: TenureApi,
    private readonly paint: Painter,
    private readonly print: (line: string) => void,
  ) {}

  /** @throws StoryError at the first line that is not true */
  async run(scenes: readonly Scene[]): Promise<StoryOutcome> {
    this.print(this.paint.dim(`   ${HEADING}`));
    for (const [index, scene] of scenes.entries()) {
      this.print('');
      this.print(`${this.paint.bold(`${index + 1}. ${scene.title}.`)} ${this.paint.dim(scene.moral)}`);
      for (const step of scene.steps) await this.#runStep(scene, step);
    }
    return { deliveries: this.#replies.length, replies: this.#replies, seen: this.#seen };
  }

  #runStep(scene: Scene, step: Step): Promise<void> {
    switch (step.kind) {
      case 'webhook':
        return this.#runWebhook(scene, step);
      case 'unlinked':
        return this.#runUnlinked(scene, step);
      default:
        return step satisfies never;
    }
  }

  async #runWebhook(scene: Scene, step: WebhookStep): Promise<void> {
    const sent = performance.now();
    const answer = await this.api.deliver(step.delivery);
    const answered = performance.now() - sent;
    const snapshot = await this.api.entitlements(scene.userId, answer.position);
    const visible = performance.now() - sent;
    this.#replies.push(answered);
    this.#seen.push(visible);
    const wrong = differences(step.expect, answer, snapshot);
    this.print(this.#line(step, answer, snapshot, answered, visible, wrong));
    if (wrong.length > 0) {
      throw new StoryError(`"${scene.title}", ${step.says} (${answer.detail}): ${wrong.join('; ')}`);
    }
  }

  async #runUnlinked(scene: Scene, step: UnlinkedStep): Promise<void> {
    const found = (await this.api.isUnlinked(step.subscription)) ? 'listed' : 'not listed';
    const isTrue = found === step.expect;
    const text = `GET /v1/ops/unlinked: ${step.subscription} is ${found}`;
    this.print(` ${this.#mark(isTrue)} ${this.paint.dim(text)}`);
    if (!isTrue)
      throw new StoryError(`"${scene.title}": ${step.subscription} is ${found} under /v1/ops/unlinked`);
  }

  #line(
    step: WebhookStep,
    answer: WebhookAnswer,
    snapshot: Snapshot,
    answered: number,
    visible: number,
    wrong: readonly string[],
  ): string {
    const due = snapshot.pendingPayment === null ? '' : ` (${snapshot.pendingPayment.plan} due)`;
    const outcome = answer.http === 200 ? answer.outcome : `${answer.outcome} ${answer.http}`;
    return (
      ` ${this.#mark(wrong.length === 0)} ` +
      columns(step.delivery.event.type, step.says, outcome) +
      this.paint.bold(
        access(snapshot.role, snapshot.plan, snapshot.status + due, `v${snapshot.revocationVersion}`),
      ) +
      this.paint.dim(times(milliseconds(answered), milliseconds(visible)))
    );
  }

  #mark(isTrue: boolean): string {
    return isTrue ? this.paint.green('✓') : this.paint.red('✗');
  }
}

function differences(expected: Expectation, answer: WebhookAnswer, snapshot: Snapshot): readonly string[] {
  const compare = (what: string, found: string, wanted: string): string[] =>
    found === wanted ? [] : [`${what} is ${found}, should be ${wanted}`];
  return [
    ...compare('HTTP status', String(answer.http), expected.outcome === 'refused' ? '400' : '200'),
    ...compare('outcome', answer.outcome, expected.outcome),
    ...compare('role', snapshot.role, expected.role),
    ...compare('plan', snapshot.plan, expected.plan),
    ...compare('status', snapshot.status, expected.status),
    ...compare('revocation version', String(snapshot.revocationVersion), expected.version),
    ...compare('unpaid plan', snapshot.pendingPayment?.plan ?? 'none', expected.pending ?? 'none'),
  ];
}

function columns(type: string, says: string, outcome: string): string {
  return type.padEnd(31) + says.padEnd(30) + outcome.padEnd(13);
}

function access(role: string, plan: string, status: string, version: string): string {
  return role.padEnd(6) + plan.padEnd(6) + status.padEnd(18) + version.padEnd(8);
}

function times(answered: string, visible: string): string {
  return answered.padStart(9) + visible.padStart(9);
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}
