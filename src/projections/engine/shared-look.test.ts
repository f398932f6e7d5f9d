import { SharedLook } from './shared-look.js';

describe('A shared look', () => {
  it('begins after every question that it answers, one at a time, however many ask', async () => {
    let [begun, under] = [0, 0];
    const open: (() => void)[] = [];
    const look = new SharedLook(async () => {
      begun += 1;
      under += 1;
      expect(under).toBe(1);
      const nr = begun;
      await new Promise<void>((resolve) => open.push(resolve));
      under -= 1;
      return nr;
    });
    const first = look.ask();
    const late = [look.ask(), look.ask(), look.ask()];
    open.shift()?.();
    expect(await first).toBe(1);
    while (begun < 2) await Promise.resolve();
    const later = look.ask();
    open.shift()?.();
    expect(await Promise.all(late)).toEqual([2, 2, 2]);
    expect(await Promise.race([later, 'not yet'])).toBe('not yet');
    while (begun < 3) await Promise.resolve();
    open.shift()?.();
    expect(await later).toBe(3);
  });

  it('that failed says so to who shared it, and to nobody after', async () => {
    let fails = true;
    const look = new SharedLook(async () => {
      if (fails) throw new Error('away');
      return 'there';
    });
    const both = await Promise.allSettled([look.ask(), look.ask()]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await look.ask()).toBe('there');
  });
});
