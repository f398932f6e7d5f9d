import { SharedAnswer } from './shared-answer.js';

describe('A shared answer', () => {
  function asked(keptMs = 1_000) {
    const hand = { now: 0, asked: 0, answer: (_: string | Error): void => undefined };
    const shared = new SharedAnswer(
      () => {
        hand.asked += 1;
        return new Promise<string>((resolve, reject) => {
          hand.answer = (given) => (given instanceof Error ? reject(given) : resolve(given));
        });
      },
      keptMs,
      () => hand.now,
    );
    return { hand, shared };
  }

  it('is asked for once by all who wait, however long it takes', async () => {
    const { hand, shared } = asked();
    const waiting = [shared.get(), shared.get()];
    hand.now = 60_000;
    waiting.push(shared.get());
    hand.answer('here');
    expect(await Promise.all(waiting)).toEqual(['here', 'here', 'here']);
    expect(hand.asked).toBe(1);
  });

  it('is told for its time, counted from when it was asked for, and then asked for again', async () => {
    const { hand, shared } = asked();
    const first = shared.get();
    hand.now = 400;
    hand.answer('first');
    expect(await first).toBe('first');
    hand.now = 999;
    expect(await shared.get()).toBe('first');
    hand.now = 1_000;
    const second = shared.get();
    hand.answer('second');
    expect(await second).toBe('second');
    expect(hand.asked).toBe(2);
  });

  it('that is a fault is told to those who wait, and to nobody after them', async () => {
    const { hand, shared } = asked();
    const waiting = [shared.get(), shared.get()];
    hand.answer(new Error('away'));
    for (const each of waiting) await expect(each).rejects.toThrow('away');
    const again = shared.get();
    hand.answer('here');
    expect(await again).toBe('here');
  });

  it('that throws before there is anything to wait for is asked for again as well', async () => {
    let asked = 0;
    const shared = new SharedAnswer<string>(() => {
      asked += 1;
      if (asked === 1) throw new Error('at once');
      return Promise.resolve('here');
    }, 1_000);
    await expect(shared.get()).rejects.toThrow('at once');
    expect(await shared.get()).toBe('here');
  });

  it('that is kept for no time is still asked for once by those who wait together', async () => {
    const { hand, shared } = asked(0);
    const waiting = [shared.get(), shared.get()];
    hand.answer('here');
    expect(await Promise.all(waiting)).toEqual(['here', 'here']);
    void shared.get();
    expect(hand.asked).toBe(2);
  });

  it('is seen without waiting for as long as it is told, and neither before nor after', async () => {
    const { hand, shared } = asked();
    expect(shared.peek()).toBeNull();
    const first = shared.get();
    expect(shared.peek()).toBeNull();
    hand.answer('first');
    await first;
    hand.now = 999;
    expect(shared.peek()).toBe('first');
    hand.now = 1_000;
    expect(shared.peek()).toBeNull();
    const failing = shared.get();
    hand.answer(new Error('gone'));
    await expect(failing).rejects.toThrow('gone');
    expect(shared.peek()).toBeNull();
    expect(hand.asked).toBe(2);
  });
});
