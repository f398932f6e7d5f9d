/** Waits until all of it is done, also where some of it fails: nothing of it goes on beside what comes next. @throws what failed first in the list */
export async function allDone(work: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}
