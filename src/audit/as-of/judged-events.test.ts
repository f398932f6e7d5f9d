import { goldenEvent } from '../../../test/support/golden-events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { FactsByMoment, type KnownEvent } from './judged-events.js';

const AT = '2026-11-29T10:00:00.000Z';

/** That ops linked a subscription to ann, the nth thing that happened and was known. */
function linked(subscription: string, nth: number): KnownEvent {
  const golden = goldenEvent('SubscriptionLinked');
  const event = {
    ...golden,
    position: String(nth),
    data: { ...golden.data, subscription, userId: 'ann' },
    metadata: { recordedAt: AT },
  } as EventEnvelope;
  return { event, knownFrom: nth, happened: nth };
}

describe('The facts of a user as of moments', () => {
  it('are those of each moment alone, also after one whose events could not all be folded', async () => {
    const events = [linked('sub_1', 1), linked('sub_2', 2), linked('sub_3', 3)];
    const last = events.at(-1);
    if (last === undefined) throw new Error('no last event');
    Object.defineProperty(last.event, 'data', {
      get: () => {
        throw new Error('cannot be folded');
      },
    });
    const ofAnn = new FactsByMoment('ann');
    const ownedBy = async (moment: number): Promise<readonly string[]> => {
      const { facts } = await ofAnn.asOf(
        events.slice(0, moment),
        { at: moment, knownAt: moment },
        () => true,
      );
      return (await facts()).subscriptions.map(({ subscription }) => subscription);
    };
    await expect(ownedBy(3)).rejects.toThrow('cannot be folded');
    expect(await ownedBy(1)).toEqual(['sub_1']);
    expect(await ownedBy(2)).toEqual(['sub_1', 'sub_2']);
    expect(await ownedBy(1)).toEqual(['sub_1']);
  });
});
