import { matchesIfNoneMatch, strongEtag } from './etag.js';

describe('If-None-Match', () => {
  const etag = strongEtag('{"plan":"plus"}');

  it.each([
    ['the tag itself', etag],
    ['a weak spelling of it', `W/${etag}`],
    ['a list that holds it', `"a", ${etag}`],
    ['a list without spaces', `"a",${etag},"b"`],
    ['a weak spelling in a list', `W/"a", W/${etag}`],
    ['a star', '*'],
    ['a star with spaces', ' * '],
  ])('matches %s', (_, header) => {
    expect(matchesIfNoneMatch(header, etag)).toBe(true);
  });

  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['another tag', '"a"'],
    ['the tag without quotes', etag.slice(1, -1)],
    ['a tag that begins with it', `"${etag.slice(1, -1)}x"`],
    ['a star inside a tag', '"*"'],
  ])('does not match %s', (_, header) => {
    expect(matchesIfNoneMatch(header, etag)).toBe(false);
  });

  it('differs for bodies that differ', () => {
    expect(strongEtag('{"plan":"pro"}')).not.toBe(etag);
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
  });
});
