import type { Requirement } from '../server/decision.js';

/** What was required, by the class or the method that says so. */
const requirements = new WeakMap<object, readonly Requirement[]>();

export function addRequirement(on: object, requirement: Requirement): void {
  requirements.set(on, [...(requirements.get(on) ?? []), requirement]);
}

/** Everything that must be held to reach a method of a class: what the method says, the class, and those it extends. */
export function requirementsOf(method: object, type: object): readonly Requirement[] {
  const all = [...(requirements.get(method) ?? [])];
  for (let each: object | null = type; each !== null; each = Object.getPrototypeOf(each)) {
    all.push(...(requirements.get(each) ?? []));
  }
  return all;
}
