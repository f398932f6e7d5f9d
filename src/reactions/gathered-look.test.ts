import { GatheredLook } from './gathered-look.js';

describe('A gathered look', () => {
  it('answers all who ask in one turn by one read, each by its key, and reads anew for who asks later', async () => {
    const reads: (readonly string[])[] = [];
    const look = new GatheredLook(async (keys) => {
      reads.push(keys);
      return new Map(keys.filter((key) => key !== 'none').map((key) => [key, `${key} ${reads.length}`]));
    });
    expect(await Promise.all(['a', 'b', 'none', 'a'].map((key) => look.ask(key)))).toEqual([
      'a 1',
      'b 1',
      null,
      'a 1',
    ]);
    expect(await look.ask('a')).toBe('a 2');
    expect(reads).toEqual([['a', 'b', 'none'], ['a']]);
  });

  it('tells everybody who asked what went wrong, and nobody who asks later', async () => {
    let isBroken = true;
    const look = new GatheredLook(async (keys) => {
      if (isBroken) throw new Error('gone');
      return new Map(keys.map((key) => [key, key]));
    });
    const asked = await Promise.allSettled([look.ask('a'), look.ask('b')]);
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isBroken = false;
    expect(await look.ask('a')).toBe('a');
  });
});
