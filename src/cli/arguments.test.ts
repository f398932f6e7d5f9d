import { InvalidArgumentError } from 'commander';
import { timeOf } from './arguments.js';

describe('A time on the command line', () => {
  it.each([
    ['2026-11-01T09:30:02Z', Date.UTC(2026, 10, 1, 9, 30, 2)],
    ['2026-11-01T09:30:02.5+02:00', Date.UTC(2026, 10, 1, 7, 30, 2, 500)],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
    ['9999-12-31T23:59:59Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
  ])('%s is read', (text, ms) => {
    expect(timeOf(text)).toBe(ms);
  });

  it.each([
    '2026-11-31T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-00T00:00:00Z',
    '2026-11-01T25:00:00Z',
    '2026-11-01T09:30:02',
    '2026-11-01',
    'tomorrow',
    '',
  ])('%j is refused, as there is none such', (text) => {
    expect(() => timeOf(text)).toThrow(InvalidArgumentError);
  });
});
