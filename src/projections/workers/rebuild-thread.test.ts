import type { GenerationFold } from '../rebuild/generation-fold.js';
import type { GenerationRole } from '../rebuild/generation-table.js';
import { isMuchToBuild } from './rebuild-thread.js';

function generation(role: GenerationRole, events: number): Parameters<typeof isMuchToBuild>[0][number] {
  return { role, fold: { checkpoint: { events } } as GenerationFold };
}

describe('There is much to build', () => {
  it.each([
    ['where nothing is built', [generation('live', 100_000)], false],
    ['with a build at its begin', [generation('live', 100_000), generation('building', 0)], true],
    [
      'with a build whose fold never began',
      [generation('live', 100_000), { role: 'building', fold: null }],
      true,
    ],
    ['with a build that lacks little', [generation('live', 100_000), generation('building', 80_001)], false],
    ['with a build of a short log', [generation('live', 19_999), generation('building', 0)], false],
    [
      'while one that was read is brought on',
      [generation('live', 100_000), generation('previous', 0)],
      false,
    ],
  ] as const)('or not: %s', (_, all, expected) => {
    expect(isMuchToBuild(all)).toBe(expected);
  });
});
