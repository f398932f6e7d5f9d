import { UnfitTextError } from './errors.js';
import { checkSaid, checkText, mapUserIds, userIdsIn } from './request-ids.js';

const BODY = {
  userId: 'a',
  userIds: ['b', 7, 'c'],
  links: [{ customerId: 'cus_1', userId: 'd' }],
  context: { targetingKey: 'e', userAgent: 'a' },
  subject: { type: 'user', id: 'f' },
  resource: { type: 'feature', id: 'a' },
  evaluations: [{ subject: { type: 'user', id: 'g' } }],
};

describe('User ids of a body', () => {
  it('are found by the names of their members, wherever they are', () => {
    expect([...userIdsIn(BODY)].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    for (const none of [null, 'userId', 7, [], { userId: 7 }, { userIds: 'a' }])
      expect(userIdsIn(none)).toEqual([]);
  });

  it('are exchanged, and nothing else is', () => {
    const exchanged = mapUserIds(BODY, (userId) => userId.toUpperCase());
    expect(exchanged).toEqual({
      ...BODY,
      userId: 'A',
      userIds: ['B', 7, 'C'],
      links: [{ customerId: 'cus_1', userId: 'D' }],
      context: { targetingKey: 'E', userAgent: 'a' },
      subject: { type: 'user', id: 'F' },
      evaluations: [{ subject: { type: 'user', id: 'G' } }],
    });
  });
});

describe('What is said for the log', () => {
  it.each([
    ['the user id', 'because user-42 asked', 'user-42'],
    ['a short user id as a word', 'for 42, as promised', '42'],
    ['an address of an e-mail', 'asked by Ada <ada@example.com>', 'u'],
    ['an address of an e-mail of a domain of its own letters', 'von jörg@bücher.de', 'u'],
  ])('is refused where it holds %s', (_, reason, userId) => {
    expect(() => checkText('reason', reason, [userId])).toThrow(UnfitTextError);
    expect(() => checkSaid({ links: [{ reason }] }, [userId])).toThrow(UnfitTextError);
    expect(() => checkSaid({ actor: reason }, [userId])).toThrow(UnfitTextError);
    expect(() => checkSaid({ title: reason }, [userId])).not.toThrow();
  });

  it.each([
    ['a short user id in the middle of a word or number', 'until 2042', '42'],
    ['an at sign', 'paid @ the desk', 'u'],
    ['somebody else', 'as user-43 has it', 'user-42'],
  ])('is taken where it holds %s', (_, reason, userId) => {
    expect(() => checkText('reason', reason, [userId])).not.toThrow();
  });
});
