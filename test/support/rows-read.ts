/** Rows of tables that a plan reads (a node of `explain (analyze, format json)`), those that it throws away included. */
export function rowsRead(node: Readonly<Record<string, unknown>>): number {
  const each = Number(node['Actual Rows']) + Number(node['Rows Removed by Filter'] ?? 0);
  const own = node['Relation Name'] === undefined ? 0 : each * Number(node['Actual Loops']);
  const below = (node.Plans ?? []) as readonly Record<string, unknown>[];
  return below.reduce((sum, other) => sum + rowsRead(other), own);
}
