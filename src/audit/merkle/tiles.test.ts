import { MalformedProofError } from './errors.js';
import { parseTilePath, tilePath, tilesSince, widthOfLevel } from './tiles.js';

describe('Tiles of C2SP tlog-tiles', () => {
  it.each([
    [{ level: 0, index: 1_234_067, width: 256 }, '0/x001/x234/067'],
    [{ level: 4, index: 1, width: 5 }, '4/001.p/5'],
    [{ level: 63, index: 0, width: 256 }, '63/000'],
    [{ level: 'entries', index: 273, width: 112 }, 'entries/273.p/112'],
    [{ level: 2, index: 1_000, width: 1 }, '2/x001/000.p/1'],
  ] as const)('have the path of %j', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  it.each([
    '',
    '0',
    '0/0',
    '0/00',
    '0/0000',
    '00/000',
    '64/000',
    '-1/000',
    '0/x000/001',
    '0/123/456',
    '0/x123',
    '0/000.p/0',
    '0/000.p/256',
    '0/000.p/01',
    '0/000.p/',
    '0/000/',
    '0/000.p/5/',
    'data/000',
    '0/x999/x999/x999/x999/x999/x999/999',
    '0/../000',
  ])('have no other spelling: %j', (path) => {
    expect(() => parseTilePath(path)).toThrow(MalformedProofError);
  });

  it('of a tree of 70,000 leaves are those of the specification’s example', () => {
    const tiles = tilesSince(0, 70_000);
    const full = (level: number) => tiles.filter((tile) => tile.level === level && tile.width === 256).length;
    expect([full(0), full(1), full(2)]).toEqual([273, 1, 0]);
    expect(tiles.filter(({ width }) => width < 256).map(tilePath)).toEqual([
      '0/273.p/112',
      '1/001.p/17',
      '2/000.p/1',
    ]);
    expect(tilesSince(0, 256).map(tilePath)).toEqual(['0/000', '1/000.p/1']);
  });

  it('of a tree that grew are only those that changed', () => {
    expect(tilesSince(70_000, 70_000)).toEqual([]);
    expect(tilesSince(70_000, 70_001).map(tilePath)).toEqual(['0/273.p/113']);
    expect(tilesSince(70_000, 70_145).map(tilePath)).toEqual(['0/273', '0/274.p/1', '1/001.p/18']);
    expect(widthOfLevel(1, 70_145)).toBe(274);
  });
});
