import { isUserId } from './user-id.js';

describe('a user id', () => {
  it.each(['u', '0', ' ', 'Ünï çødé 🙂', 'a/b?c=d', 'x'.repeat(255), '__proto__'])('may be "%s"', (value) => {
    expect(isUserId(value)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['the empty text', ''],
    ['of 256 characters', 'x'.repeat(256)],
    ['with a line break', 'a\nb'],
    ['with U+0000', 'a\0'],
    ['with DEL', 'a\x7f'],
    ['with a C1 control', 'a\u0085'],
    ['with a lone surrogate', 'a\ud83d'],
    ['a number', 7],
    ['null', null],
    ['a list', ['u']],
  ])('is refused where it is %s', (_, value) => {
    expect(isUserId(value)).toBe(false);
  });
});
