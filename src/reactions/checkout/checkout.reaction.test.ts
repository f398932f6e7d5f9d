import { CheckoutReaction } from './checkout.reaction.js';

it('What follows a payment is given up at once by the signal of its try, and nothing more is asked', async () => {
  const stop = new AbortController();
  const written: string[] = [];
  const reaction = new CheckoutReaction({
    gateway: {
      at: () => new Promise(() => stop.abort(new Error('stopped'))),
      write: async ({ path }) => {
        written.push(path);
        throw new Error('asked in vain');
      },
    },
    store: { read: async () => [] },
    streamPrefix: 'tenure.',
  });
  const work = {
    id: 'f0d1a7c2-6a53-5c1c-8a43-0d4f4f7c2b10',
    seq: '1',
    lane: 'sub_1',
    group: 'checkout',
    payload: { of: 'subscription', subscription: 'sub_1' },
    attempts: 0,
    replayed: false,
    createdAt: new Date(0),
  };
  await expect(reaction.perform(work, stop.signal)).rejects.toThrow('stopped');
  expect(written).toEqual([]);
});
