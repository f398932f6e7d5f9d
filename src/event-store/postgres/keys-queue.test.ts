import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KeysAnswer } from '../stream-keys.js';
import { KeysQueue } from './keys-queue.js';

/** Answers with a stream's own name as the hash, once it is let. */
class SlowLog {
  readonly asked: (readonly string[])[] = [];
  #answer: (error?: Error) => void = () => undefined;

  readonly read = async (streams: readonly string[]): Promise<readonly KeysAnswer[]> => {
    this.asked.push(streams);
    await new Promise<void>((resolve, reject) => {
      this.#answer = (error) => (error === undefined ? resolve() : reject(error));
    });
    return streams.map((hash) => ({ revision: 0, hash, position: '1', keys: [] }));
  };

  async answer(error?: Error): Promise<void> {
    await nextTurn();
    this.#answer(error);
    await nextTurn();
  }
}

const hashOf = (answer: KeysAnswer): string => (typeof answer === 'object' ? answer.hash : answer);

describe('KeysQueue', () => {
  it('asks for all streams that wait in one statement, and tells each caller of its own', async () => {
    const log = new SlowLog();
    const queue = new KeysQueue(log.read);
    const first = ['a', 'b', 'c'].map((stream) => queue.ask(stream));
    await nextTurn();
    const next = ['d', 'e'].map((stream) => queue.ask(stream));
    await log.answer();
    await log.answer();
    expect(log.asked).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
    expect((await Promise.all([...first, ...next])).map(hashOf)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('asks for 64 streams at a time', async () => {
    const log = new SlowLog();
    const queue = new KeysQueue(log.read);
    const all = Array.from({ length: 100 }, (_, index) => queue.ask(String(index)));
    await log.answer();
    await log.answer();
    expect(log.asked.map((streams) => streams.length)).toEqual([64, 36]);
    expect((await Promise.all(all)).map(hashOf)).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
  });

  it('tells a failure to those who waited for that statement and goes on', async () => {
    const log = new SlowLog();
    const queue = new KeysQueue(log.read);
    const failing = expect(queue.ask('a')).rejects.toThrow('away');
    await log.answer(new Error('away'));
    await failing;
    const after = queue.ask('b');
    await log.answer();
    expect(hashOf(await after)).toBe('b');
  });
});
