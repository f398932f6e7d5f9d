import { growingList } from '../../policy/growing-list.js';
import { bytesBeside } from './shared-parts.js';
import { UseOrder } from './use-order.js';

/** The bytes of one row, used and weighed. */
function weightOf(order: UseOrder, facts: readonly (readonly object[])[], rest = 0): number {
  order.use('subscription', 'row');
  order.weigh(() => ({ facts, rest }));
  return order.bytes;
}

const facts = (count: number): object[] => Array.from({ length: count }, (_, n) => ({ n: 100 + n }));
const bytesOf = (list: readonly object[]): number =>
  list.reduce<number>((sum, fact, n) => sum + bytesBeside(list[n - 1], fact), 0);

describe('What a row in memory takes', () => {
  it('is the same whether its facts were weighed one by one or all at once', () => {
    const [order, list] = [new UseOrder(), growingList<object>([])];
    for (const fact of facts(50)) {
      list.push(fact);
      weightOf(order, [list]);
    }
    expect(order.bytes).toBe(weightOf(new UseOrder(), [growingList(facts(50))]));
  });

  it('counts what is kept with its facts once they are many, and not of lists that keep nothing', () => {
    const row = weightOf(new UseOrder(), [[]]);
    const weigh = (list: readonly object[]): number => weightOf(new UseOrder(), [list]) - row;
    const [few, many] = [growingList(facts(31)), growingList(facts(32))];
    expect(weigh(few)).toBe(bytesOf(few));
    expect(weigh(many)).toBe(bytesOf(many) + 32 * 300);
    expect(weigh(facts(32))).toBe(bytesOf(many));
  });

  it('follows what else it takes, up and down', () => {
    const order = new UseOrder();
    const row = weightOf(order, []);
    expect(weightOf(order, [], 9_000)).toBe(row + 9_000);
    expect(weightOf(order, [], 700)).toBe(row + 700);
  });
});
