import { CallGate } from './call-gate.js';
import { NotSentError } from './faults.js';

/** A call that ends when it is told to. */
function call() {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { ended, end };
}

describe('the gate before a connection', () => {
  it('lets so many calls through and the others after them, in order', async () => {
    const gate = new CallGate(2);
    const calls = [call(), call(), call(), call()];
    const begun: number[] = [];
    const all = calls.map(({ ended }, index) =>
      gate.run(10_000, async () => {
        begun.push(index);
        await ended;
      }),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    calls[1]?.end();
    await all[1];
    await new Promise(setImmediate);
    expect(begun).toEqual([0, 1, 2]);
    for (const { end } of calls) end();
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('gives up on a call whose turn does not come, and forgets it', async () => {
    const gate = new CallGate(1);
    const first = call();
    const running = gate.run(10_000, () => first.ended);
    await expect(gate.run(5, () => Promise.resolve('never'))).rejects.toBeInstanceOf(NotSentError);
    first.end();
    await running;
    expect(await gate.run(10_000, () => Promise.resolve('next'))).toBe('next');
  });

  it('gives its place back when a call fails', async () => {
    const gate = new CallGate(1);
    await expect(gate.run(10_000, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await gate.run(10_000, () => Promise.resolve('next'))).toBe('next');
  });

  it('says how much of its time a call has left', async () => {
    const gate = new CallGate(1);
    const left = await gate.run(1_000, (ms) => Promise.resolve(ms));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(1_000);
  });
});
