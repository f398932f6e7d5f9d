import { BackOff } from './back-off.js';

/** How long it is left alone from `now` on, in milliseconds. */
function restAt(backOff: BackOff, now: number): number {
  let rest = 0;
  while (backOff.isOn(now + rest)) rest += 1;
  return rest;
}

describe('A cache that had trouble is left alone', () => {
  it('for a moment after one late answer, whatever else was under way', () => {
    const backOff = new BackOff();
    expect(restAt(backOff, 0)).toBe(0);
    backOff.hadTrouble(0, 40);
    for (const asked of [1, 2, 39]) backOff.hadTrouble(asked, 41);
    expect(restAt(backOff, 40)).toBe(20);
  });

  it('for longer with each trouble in a row, up to a bound', () => {
    const backOff = new BackOff();
    const rests: number[] = [];
    for (let now = 0; now < 6_000; now += 1_000) {
      backOff.hadTrouble(now, now + 40);
      rests.push(restAt(backOff, now + 40));
    }
    expect(rests).toEqual([20, 40, 80, 160, 160, 160]);
  });

  it('for a moment again once it did well, but not for what was asked before the trouble', () => {
    const backOff = new BackOff();
    backOff.hadTrouble(0, 40);
    backOff.wentWell(30);
    backOff.hadTrouble(100, 140);
    expect(restAt(backOff, 140)).toBe(40);
    backOff.wentWell(200);
    backOff.hadTrouble(300, 340);
    expect(restAt(backOff, 340)).toBe(20);
  });
});
