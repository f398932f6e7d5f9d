import type { FactOrigin } from '../facts.js';
import { rfc3339 } from '../time.js';
import { inWords } from './reason-template.js';
import { POLICY_RULES, type ReasonCode } from './rules.js';

/** A value that a reason names: plain JSON, times in RFC 3339. */
export type Fact = string | number | boolean | null | readonly Fact[] | { readonly [name: string]: Fact };

/** What a rule decided by. */
export type Facts = Readonly<Record<string, Fact>>;

/**
 * Why a part of a snapshot is as it is (DESIGN 8 "Reasons"): `of` which part, or which subscription, the code of the rule
 * that decided, that in words, the facts used, and the ids of the Stripe events that told them.
 */
export interface Reason {
  readonly of: string;
  readonly code: ReasonCode;
  readonly words: string;
  readonly facts: Facts;
  readonly events: readonly string[];
}

/** Facts with the events that told them. */
export interface Evidence {
  readonly facts: Facts;
  readonly events: readonly string[];
}

/** The reason of a part, by the rule with that code. */
export function reasonOf(of: string, code: ReasonCode, { facts, events }: Evidence): Reason {
  return { of, code, words: inWords(POLICY_RULES[code].words, facts), facts, events: [...new Set(events)] };
}

/** Ids of the events that told facts, those there are. */
export function eventsOf(...told: readonly (FactOrigin | null | undefined)[]): readonly string[] {
  return told.flatMap((fact) => (fact == null ? [] : [fact.eventId]));
}

/** The second of a fact in RFC 3339, `null` where there is none. */
export function timeOf(fact: FactOrigin | null | undefined): string | null {
  return fact == null ? null : rfc3339(fact.created);
}
