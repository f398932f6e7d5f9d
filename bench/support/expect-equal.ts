/** @throws Error when a store does not hold exactly what was acknowledged */
export function expectEqual(what: string, found: number, expected: number): void {
  if (found !== expected) throw new Error(`${what}: ${found}, but ${expected} were acknowledged`);
}
