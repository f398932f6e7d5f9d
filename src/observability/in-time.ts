/**
 * The answer to a question, unless `signal` is aborted first: then its reason is thrown, and nobody waits for the answer.
 */
export async function untilAborted<T>(signal: AbortSignal, question: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([question, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * The answer to a question, or `null` when it fails or takes longer than `ms`. For what is asked about the state of the
 * service: why there is no answer is told by who is in charge of the part that gave none.
 */
export async function inTime<T>(question: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([question.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}
