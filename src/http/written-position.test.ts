import { jsonReply, Reply } from './reply.js';
import { withWrittenPosition } from './written-position.js';

describe('The position that a reply to a write tells', () => {
  const told = (body: unknown): string | undefined =>
    withWrittenPosition(jsonReply(200, body)).headers['tenure-position'];

  it.each([
    [{ outcome: 'applied', position: '1842' }, '1842'],
    [{ results: [{ position: '9' }, { outcome: 'failed' }, { position: '12' }, { position: '10' }] }, '12'],
    [{ outcome: 'duplicate' }, undefined],
    [{ outcome: 'unchanged', position: null }, undefined],
    [{ position: 'above' }, undefined],
    [[{ position: '7' }], undefined],
  ])('of %j is %s', (body, position) => {
    expect(told(body)).toBe(position);
  });

  it('is none where there is no body, and nothing else of the reply changes', () => {
    const empty = new Reply(204, { etag: 'x' }, null);
    expect(withWrittenPosition(empty)).toBe(empty);
    expect(withWrittenPosition(jsonReply(201, { position: '3' }, { location: '/x' }))).toMatchObject({
      status: 201,
      headers: { location: '/x', 'tenure-position': '3' },
      body: '{"position":"3"}',
    });
  });
});
